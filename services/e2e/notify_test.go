package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
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
	must(center, "GET", "/v1/notifications?unreadOnly=true&referralId="+result.ReferralID, nil, &inbox)
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
}
