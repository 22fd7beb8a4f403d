package notify

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"huhang.example/services/referral"
)

const (
	typePrefix  = "cn.huhang.referral."
	typeVersion = ".v1"
	// TestType is the type of a test event.
	TestType = typePrefix + "test" + typeVersion
)

// subjects are the first words of kinds that are a subject of their own in a type; all else is of the case.
var subjects = []string{"BACK_TRANSFER", "CLAIM", "CLOCK", "CONSULTATION", "FILING", "HOLD", "LISTING", "OFFER", "PRESCRIPTION", "TRANSFER"}

// TypeOf is the CloudEvents type of a kind of entry: OFFER_CREATED is cn.huhang.referral.offer.created.v1.
func TypeOf(kind string) string {
	for _, subject := range subjects {
		if rest, ok := strings.CutPrefix(kind, subject+"_"); ok {
			return typePrefix + strings.ToLower(subject) + "." + strings.ToLower(rest) + typeVersion
		}
	}
	return typePrefix + "case." + strings.ToLower(kind) + typeVersion
}

// envelope is a CloudEvent 1.0 in structured JSON.
type envelope struct {
	SpecVersion     string `json:"specversion"`
	ID              string `json:"id"`
	Source          string `json:"source"`
	Type            string `json:"type"`
	Subject         string `json:"subject,omitempty"`
	Time            string `json:"time"`
	DataContentType string `json:"datacontenttype"`
	TraceParent     string `json:"traceparent,omitempty"`
	// Sequence orders the events of a subject; longer is later, equal lengths compare as text.
	Sequence string `json:"sequence,omitempty"`
	Data     data   `json:"data"`
}

// data is what a receiver learns: codes and numbers of ours, and nothing that anybody typed.
type data struct {
	ReferralID        string `json:"referral_id,omitempty"`
	Sequence          int64  `json:"sequence,omitempty"`
	Kind              string `json:"kind"`
	State             string `json:"state,omitempty"`
	ReasonCode        string `json:"reason_code,omitempty"`
	RecordID          string `json:"record_id,omitempty"`
	CenterID          string `json:"center_id,omitempty"`
	ActorOrganisation string `json:"actor_organisation,omitempty"`
	DueTime           string `json:"due_time,omitempty"`
	RecordTime        string `json:"record_time,omitempty"`
}

// code is what a reason looks like that no person typed.
var code = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,63}$`)

// Body is the message of an event, byte for byte as it is sent.
func Body(source string, e referral.Event) ([]byte, error) {
	d := data{
		ReferralID: e.ReferralID, Sequence: e.Entry.Sequence, Kind: e.Entry.Kind, State: string(e.Entry.State), RecordID: e.Entry.RecordID,
		CenterID: e.Entry.Center, ActorOrganisation: e.Entry.Organisation, DueTime: instant(e.Entry.Concern.Due), RecordTime: instant(e.Entry.Recorded),
	}
	if code.MatchString(e.Entry.Reason) {
		d.ReasonCode = e.Entry.Reason
	}
	return encode(envelope{
		ID: fmt.Sprintf("%s-%d", e.ReferralID, e.Entry.Sequence), Source: source, Type: TypeOf(e.Entry.Kind), Subject: e.ReferralID,
		Time: instant(e.Entry.Occurred), TraceParent: TraceParent(e.Entry.TraceID, e.ReferralID, e.Entry.Sequence),
		Sequence: fmt.Sprintf("%012d", e.Entry.Sequence), Data: d,
	})
}

// TestBody is the message of a test event.
func TestBody(source, id string, at time.Time) ([]byte, error) {
	return encode(envelope{ID: id, Source: source, Type: TestType, Time: instant(at), Data: data{Kind: "TEST"}})
}

func encode(e envelope) ([]byte, error) {
	e.SpecVersion, e.DataContentType = "1.0", "application/json"
	body, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("notify: event: %w", err)
	}
	return body, nil
}

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// TraceParent continues the trace of an entry. The entry keeps no span: its place in the case stands for one, the same
// in every attempt.
func TraceParent(traceID, referralID string, sequence int64) string {
	if len(traceID) != 32 {
		return ""
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d", traceID, referralID, sequence))
	return fmt.Sprintf("00-%s-%x-01", traceID, sum[:8])
}
