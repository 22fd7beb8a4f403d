package matching

import (
	"strings"
	"testing"
	"time"

	"huhang.example/services/internal/fault"
)

var noon = time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)

// The clock counts even where its job has not come yet.
func TestAnswerable(t *testing.T) {
	for _, test := range []struct {
		status Status
		at     time.Time
		want   fault.Reason
	}{
		{Open, noon.Add(-time.Microsecond), ""},
		{Open, noon, fault.OfferExpired},
		{Expired, noon.Add(-time.Hour), fault.OfferExpired},
		{Accepting, noon.Add(-time.Hour), fault.WrongState},
		{Accepted, noon.Add(-time.Hour), fault.OfferDecided},
		{Declined, noon.Add(time.Hour), fault.OfferDecided},
		{Withdrawn, noon.Add(time.Hour), fault.OfferDecided},
	} {
		err := (&Offer{Status: test.status, ExpiresAt: noon}).answerable(test.at)
		if test.want == "" && err != nil || test.want != "" && !fault.Is(err, test.want) {
			t.Errorf("%s at %s: %v", test.status, test.at, err)
		}
	}
}

func TestDeclineCodes(t *testing.T) {
	published := strings.Fields(`NOT_LICENSED AGE BMI HCC_BEYOND_CRITERIA CONTRAINDICATION ACTIVE_INFECTION ABO_INCOMPATIBLE_NOT_OFFERED SENSITISED
		RETRANSPLANT NO_BED NO_OPERATING_ROOM NO_EXPERT QUOTA_USED INFORMATION_MISSING WRONG_PRIORITY TOO_EARLY UNFIT_TO_TRAVEL NO_DIRECT_SETTLEMENT OTHER`)
	if len(rules.Codes) != len(published) {
		t.Errorf("%d codes, published are %d", len(rules.Codes), len(published))
	}
	for _, code := range published {
		if err := rules.declines(code, "because"); err != nil {
			t.Errorf("%s: %v", code, err)
		}
		demanded := code == "OTHER" || code == "CONTRAINDICATION"
		if err := rules.declines(code, ""); fault.Is(err, fault.CommentRequired) != demanded {
			t.Errorf("%s without a comment: %v", code, err)
		}
	}
}

func TestParseOfferRules(t *testing.T) {
	for _, text := range []string{
		`{}`, `{"version":"1","limits":{},"decline_codes":[{"code":"OTHER"}]}`, `{"version":"1","surprise":1}`,
		`{"version":"1","limits":{"ROUTINE":{"hours":1,"working_days":1},"URGENT":{"hours":1},"EMERGENCY":{"hours":1}},"decline_codes":[{"code":"OTHER"}]}`,
	} {
		if _, err := parseOfferRules([]byte(text)); err == nil {
			t.Errorf("%s passed", text)
		}
	}
}

func TestLasting(t *testing.T) {
	for _, code := range []fault.Code{fault.Unavailable, fault.DeadlineExceeded, fault.Internal, fault.Aborted, fault.ResourceExhausted, fault.Canceled, fault.Unauthenticated} {
		if lasting(fault.New(code, fault.ReasonInternal, "", "", "")) {
			t.Errorf("%s may have done something", code)
		}
	}
	if !lasting(fault.New(fault.FailedPrecondition, fault.ResourceTaken, "", "", "")) || lasting(Later{}) {
		t.Error("a refusal lasts, an unknown error does not")
	}
}
