package notify_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http" //nolint:depguard // the standard's own library verifies the headers of a request
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"huhang.example/services/internal/sealing"
	"huhang.example/services/referral"
	"huhang.example/services/referral/notify"
)

// What is sent is a CloudEvent by the standard's own library, and holds nothing that anybody typed.
func TestBodyIsACloudEvent(t *testing.T) {
	at := time.Date(2026, 11, 29, 1, 2, 3, 4000, time.UTC)
	e := referral.Event{Position: 9, ReferralID: "ref_00000000000000000000000001", Entry: referral.Entry{
		Sequence: 12, Occurred: at, Recorded: at.Add(time.Second), Kind: "OFFER_DECLINED", State: "MATCHED", Organisation: "C-SH-01", Subject: "wu-person",
		Reason: "NO_BED", TraceID: strings.Repeat("ab", 16), RecordID: "off_1", Zh: "移植中心未接收：王某某，13900000000", En: "The center declined: typed by hand",
		Center: "C-SH-01", Concern: referral.Concern{Due: at.Add(time.Hour)},
	}}
	body, err := notify.Body("urn:huhang:referral", e)
	if err != nil {
		t.Fatal(err)
	}
	var got cloudevents.Event
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	if err := got.Validate(); err != nil {
		t.Fatal(err)
	}
	trace, _ := got.Extensions()["traceparent"].(string)
	if got.ID() != "ref_00000000000000000000000001-12" || got.Type() != "cn.huhang.referral.offer.declined.v1" || got.Subject() != e.ReferralID ||
		!got.Time().Equal(at) || got.Source() != "urn:huhang:referral" || got.DataContentType() != "application/json" ||
		!regexp.MustCompile("^00-"+e.Entry.TraceID+"-[0-9a-f]{16}-01$").MatchString(trace) {
		t.Errorf("%s", body)
	}
	for _, typed := range []string{"王", "139", "typed", "wu-person"} {
		if bytes.Contains(body, []byte(typed)) {
			t.Errorf("%q is sent: %s", typed, body)
		}
	}
	e.Entry.Reason = "the patient 王某某 asked"
	again, err := notify.Body("urn:huhang:referral", e)
	if err != nil || bytes.Contains(again, []byte("asked")) || !bytes.Contains(body, []byte(`"reason_code":"NO_BED"`)) {
		t.Errorf("a typed reason is sent: %s %v", again, err)
	}
	if test, err := notify.TestBody("urn:huhang:referral", "msg_1", at); err != nil || json.Unmarshal(test, &got) != nil || got.Validate() != nil {
		t.Errorf("%s %v", test, err)
	}
}

// The standard's own vector: its secret, message and signature.
func TestSignatureIsTheStandards(t *testing.T) {
	const secret, id, payload, want = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", `{"test": 2432232314}`, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	cipher, err := sealing.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	e := endpointWith(t, cipher, secret)
	got, err := notify.Sign(e, cipher, id, time.Unix(1614265330, 0), []byte(payload))
	if err != nil || got != want {
		t.Fatalf("%s %v", got, err)
	}
	if got := openssl(t, "whsec_"+secret, id, "1614265330", payload); got != want {
		t.Fatalf("the sample in the docs makes %s", got)
	}
}

// While two secrets are valid a receiver with either of them verifies; afterwards only with the present one.
func TestRotation(t *testing.T) {
	cipher, err := sealing.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	e := endpointWith(t, cipher, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	before, now2 := "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
	e.Rotate(endpointWith(t, cipher, strings.TrimPrefix(now2, "whsec_")).Secrets[0], time.Hour, now)
	verified := func(secret string, at time.Time, body string) bool {
		signature, err := notify.Sign(e, cipher, "msg_1", at, []byte("{}"))
		if err != nil {
			t.Fatal(err)
		}
		hook, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			t.Fatal(err)
		}
		h := http.Header{}
		h.Set("webhook-id", "msg_1")
		h.Set("webhook-timestamp", strconv.FormatInt(at.Unix(), 10))
		h.Set("webhook-signature", signature)
		return hook.VerifyIgnoringTimestamp([]byte(body), h) == nil
	}
	for i, want := range []struct {
		secret string
		at     time.Time
		body   string
		ok     bool
	}{
		{now2, now, "{}", true},
		{before, now, "{}", true},
		{before, now.Add(59 * time.Minute), "{}", true},
		{before, now.Add(time.Hour), "{}", false},
		{now2, now.Add(time.Hour), "{}", true},
		{now2, now, "{} ", false},
	} {
		if verified(want.secret, want.at, want.body) != want.ok {
			t.Errorf("case %d", i)
		}
	}
}

func endpointWith(t *testing.T, cipher notify.Cipher, key string) *notify.Endpoint {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := cipher.Encrypt(raw, []byte("whe_1"))
	if err != nil {
		t.Fatal(err)
	}
	return &notify.Endpoint{ID: "whe_1", Secrets: []notify.Secret{{Sealed: sealed}}}
}

// openssl runs the shell sample of docs/notifications.md.
func openssl(t *testing.T, secret, id, timestamp, body string) string {
	t.Helper()
	docs, err := os.ReadFile("../../../docs/notifications.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```sh\n# verify(.*?)```").FindSubmatch(docs)
	if found == nil {
		t.Fatal("there is no shell sample in the docs")
	}
	c := exec.CommandContext(t.Context(), "bash", "-c", string(found[1]))
	c.Env = append(os.Environ(), "SECRET="+secret, "ID="+id, "TIMESTAMP="+timestamp)
	c.Stdin = strings.NewReader(body)
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
