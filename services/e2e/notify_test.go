package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"google.golang.org/protobuf/proto"

	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/sampleline"
)

// receiver is a center's own system: it keeps what the standard's libraries accept.
type receiver struct {
	mu     sync.Mutex
	verify *standardwebhooks.Webhook
	events []cloudevents.Event
	bodies []string
	wrong  []string
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	body, err := io.ReadAll(io.LimitReader(q.Body, 64<<10))
	var e cloudevents.Event
	if err == nil && r.verify != nil {
		err = r.verify.Verify(body, q.Header)
	}
	if err == nil {
		err = e.UnmarshalJSON(body)
	}
	if err == nil {
		err = e.Validate()
	}
	if err != nil {
		r.wrong = append(r.wrong, err.Error())
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.events, r.bodies = append(r.events, e), append(r.bodies, string(body))
}

func (r *receiver) got(eventType string) (found cloudevents.Event, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if e.Type() == eventType {
			return e, true
		}
	}
	return found, false
}

// A case of the development line reaches a center's webhook and its inbox; opening is seen by the referring hospital, and
// the attempt is part of the case's trace.
func TestACaseReachesWebhookAndInbox(t *testing.T) {
	l := start(t, &devLine{state: t.TempDir()})
	center, referrer, stranger := l.as(t, "C-SH-01", "center", ""), l.as(t, "H-HF-01", "coordinator", ""), l.as(t, "H-NC-01", "coordinator", "")
	must := func(s *sampleline.Session, method, path string, in, out proto.Message) {
		t.Helper()
		if err := s.Do(t.Context(), method, path, in, out); err != nil {
			t.Fatal(err)
		}
	}
	hook := &receiver{}
	server := httptest.NewServer(hook)
	defer server.Close()
	ask := &referralv1.CreateWebhookEndpointRequest{RequestId: "notify-request-01", Url: "https://169.254.169.254/"}
	refused{400, "ENDPOINT_REFUSED", "url"}.check(t, "an inner address", center.Do(t.Context(), "POST", "/v1/webhook-endpoints", ask, nil))
	ask.Url = server.URL + "/hook"
	var made, again referralv1.CreateWebhookEndpointResponse
	must(center, "POST", "/v1/webhook-endpoints", ask, &made)
	must(center, "POST", "/v1/webhook-endpoints", ask, &again)
	if made.GetSecret() == "" || again.GetSecret() != made.GetSecret() || again.GetEndpoint().GetEndpointId() != made.GetEndpoint().GetEndpointId() {
		t.Fatalf("asked twice: %v %v", made.GetEndpoint(), again.GetEndpoint())
	}
	verify, err := standardwebhooks.NewWebhook(made.GetSecret())
	if err != nil {
		t.Fatal(err)
	}
	hook.mu.Lock()
	hook.verify = verify
	hook.mu.Unlock()
	endpoint := "/v1/webhook-endpoints/" + made.GetEndpoint().GetEndpointId()
	refused{404, "NOT_FOUND", ""}.check(t, "a foreign endpoint", stranger.Do(t.Context(), "GET", endpoint, nil, nil))
	must(center, "POST", endpoint+":test", &referralv1.SendTestEventRequest{RequestId: "notify-request-02", EndpointId: made.GetEndpoint().GetEndpointId()}, nil)

	result := l.drive(t, "notify-case-000001", 31, "offered")
	for _, want := range []string{"cn.huhang.referral.test.v1", "cn.huhang.referral.offer.created.v1"} {
		sqldbtest.Eventually(t, "the receiver gets "+want, func() bool { _, ok := hook.got(want); return ok })
	}
	offer, _ := hook.got("cn.huhang.referral.offer.created.v1")
	if offer.Subject() != result.ReferralID || len(hook.wrong) != 0 {
		t.Errorf("%s, refused by the libraries: %q", offer, hook.wrong)
	}
	for _, body := range hook.bodies {
		if strings.Contains(body, "pat_") || strings.Contains(body, "示范") || strings.Contains(body, "1390000") {
			t.Errorf("a patient in %s", body)
		}
	}
	trace := strings.Split(offer.Extensions()["traceparent"].(string), "-")[1]
	sqldbtest.Eventually(t, "the attempt is a span of the event's trace", func() bool {
		for _, s := range l.spans.Ended() {
			if s.Name() == "webhook POST" && s.SpanContext().TraceID().String() == trace {
				return true
			}
		}
		return false
	})
	var deliveries referralv1.ListWebhookDeliveriesResponse
	sqldbtest.Eventually(t, "the delivery is recorded", func() bool {
		must(center, "GET", "/v1/webhook-deliveries?referralId="+result.ReferralID+"&status=WEBHOOK_DELIVERY_STATUS_DELIVERED", nil, &deliveries)
		return len(deliveries.GetDeliveries()) > 0
	})
	var one referralv1.GetWebhookDeliveryResponse
	must(center, "GET", "/v1/webhook-deliveries/"+deliveries.GetDeliveries()[0].GetDeliveryId(), nil, &one)
	if len(one.GetAttempts()) == 0 || one.GetAttempts()[0].GetHttpStatus() != 200 || !strings.Contains(one.GetBody(), result.ReferralID) {
		t.Errorf("%v", &one)
	}

	var inbox referralv1.ListNotificationsResponse
	sqldbtest.Eventually(t, "the inbox has it", func() bool { // a message may be sent before the inboxes are filled
		must(center, "GET", "/v1/notifications?unreadOnly=true&referralId="+result.ReferralID, nil, &inbox)
		return len(inbox.GetNotifications()) > 0
	})
	if len(inbox.GetNotifications()) == 0 || inbox.GetNotifications()[0].GetCode() != "OFFER_TO_ANSWER" || inbox.GetNotifications()[0].GetDueTime() == nil {
		t.Fatalf("the inbox: %v", &inbox)
	}
	ntc := inbox.GetNotifications()[0].GetNotificationId()
	open := &referralv1.OpenNotificationsRequest{RequestId: "notify-request-03", NotificationIds: []string{ntc}}
	refused{404, "NOT_FOUND", ""}.check(t, "another's notice", stranger.Do(t.Context(), "POST", "/v1/notifications:open", open, nil))
	must(center, "POST", "/v1/notifications:open", open, nil)
	var sent referralv1.ListReferralNotificationsResponse
	must(referrer, "GET", "/v1/referrals/"+result.ReferralID+"/notifications", nil, &sent)
	opened := false
	for _, f := range sent.GetFacilities() {
		for _, n := range f.GetNotifications() {
			opened = opened || n.GetNotificationId() == ntc && n.GetOpenTime() != nil && n.GetOpenedBy() == ""
		}
	}
	if !opened {
		t.Errorf("the referring hospital does not see that it was opened: %v", &sent)
	}
	refused{404, "NOT_FOUND", ""}.check(t, "a foreign case", stranger.Do(t.Context(), "GET", "/v1/referrals/"+result.ReferralID+"/notifications", nil, nil))
	measured(t, l, center, made.GetEndpoint().GetEndpointId(), server.Close)
}

// measured holds the metrics of webhooks to what happened: what was delivered, what waits for a receiver that is away, and
// what is dead when its endpoint is gone.
func measured(t *testing.T, l *devLine, center *sampleline.Session, endpoint string, away func()) {
	is := func(what, series string, want func(float64) bool) {
		t.Helper()
		sqldbtest.Eventually(t, what, func() bool { return want(l.metric(t, series)) })
	}
	none, one := func(n float64) bool { return n == 0 }, func(n float64) bool { return n == 1 }
	some := func(n float64) bool { return n > 0 }
	is("nothing waits", `huhang_webhook_pending`, none)
	is("what was delivered is counted", `huhang_webhook_attempts_total outcome="DELIVERED"`, func(n float64) bool { return n >= 2 })
	is("one endpoint", `huhang_webhook_endpoints status="ACTIVE"`, one)
	is("nothing is dead", `huhang_webhook_dead`, none)
	away()
	path := "/v1/webhook-endpoints/" + endpoint
	if err := center.Do(t.Context(), "POST", path+":test", &referralv1.SendTestEventRequest{RequestId: "notify-request-04", EndpointId: endpoint}, nil); err != nil {
		t.Fatal(err)
	}
	is("a vain attempt is counted", `huhang_webhook_attempts_total outcome="UNREACHABLE"`, some)
	is("it waits", `huhang_webhook_pending`, one)
	is("for a while", `huhang_webhook_oldest_seconds`, some)
	var now referralv1.GetWebhookEndpointResponse
	if err := center.Do(t.Context(), "GET", path, nil, &now); err != nil {
		t.Fatal(err)
	}
	if err := center.Do(t.Context(), "POST", path+":delete", &referralv1.DeleteWebhookEndpointRequest{
		RequestId: "notify-request-05", EndpointId: endpoint, Etag: now.GetEndpoint().GetEtag(),
	}, nil); err != nil {
		t.Fatal(err)
	}
	is("no endpoint", `huhang_webhook_endpoints status="ACTIVE"`, none)
	is("what was tried is dead", `huhang_webhook_dead`, one)
	is("nothing waits any more", `huhang_webhook_pending`, none)
}

// metric reads a series as Prometheus does: its name, and a label it must have; 0 where there is none.
func (l *devLine) metric(t *testing.T, series string) float64 {
	t.Helper()
	answer, err := http.Get("http://" + l.OpsAddr() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	name, label, _ := strings.Cut(series, " ")
	for line := range strings.SplitSeq(string(text), "\n") {
		if !strings.HasPrefix(line, name+"{") && !strings.HasPrefix(line, name+" ") || !strings.Contains(line, label) {
			continue
		}
		value, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		return value
	}
	return 0
}
