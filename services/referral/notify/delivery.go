package notify

import (
	"time"
)

// Outcome is how an attempt ended.
type Outcome string

// The outcomes.
const (
	Delivered        Outcome = "DELIVERED"
	Refused          Outcome = "REFUSED"
	Redirected       Outcome = "REDIRECTED"
	Gone             Outcome = "GONE"
	Timeout          Outcome = "TIMEOUT"
	Unreachable      Outcome = "UNREACHABLE"
	ForbiddenAddress Outcome = "FORBIDDEN_ADDRESS"
	Certificate      Outcome = "CERTIFICATE"
)

// Outcomes lists all of them.
var Outcomes = []Outcome{Delivered, Refused, Redirected, Gone, Timeout, Unreachable, ForbiddenAddress, Certificate}

// OutcomeOf is what an HTTP status means.
func OutcomeOf(status int) Outcome {
	switch {
	case status >= 200 && status < 300:
		return Delivered
	case status >= 300 && status < 400:
		return Redirected
	case status == 410:
		return Gone
	}
	return Refused
}

// Answer is what a receiver answered.
type Answer struct {
	Outcome Outcome
	// Status is the HTTP status; 0 for none.
	Status int
	// RetryAfter is what the receiver asked for; 0 for nothing.
	RetryAfter time.Duration
	Took       time.Duration
	TraceID    string
}

// DeliveryStatus is what became of a message.
type DeliveryStatus string

// The statuses.
const (
	Pending DeliveryStatus = "PENDING"
	Done    DeliveryStatus = "DELIVERED"
	Dead    DeliveryStatus = "DEAD"
)

// Delivery is one message to one endpoint (投递).
type Delivery struct {
	// ID is the header webhook-id.
	ID, EndpointID, Organisation string
	Type, ReferralID             string
	// Position on the feed and Sequence in the case; 0 of a test.
	Position, Sequence int64
	// Apart says that it stands apart from the order of its case: a test or a replay.
	Apart  bool
	Status DeliveryStatus
	// Attempts are all, Tries those since it was last put in the queue.
	Attempts, Tries int
	Replays         int
	LastOutcome     Outcome
	LastStatus      int
	// First is the first attempt since it was put in the queue, Ever the first at all.
	First, Ever, Last, Next time.Time
	Created                 time.Time
	// Body is as sent; lists leave it out.
	Body []byte
	// TraceID is that of the event.
	TraceID string
}

// Attempt is one try.
type Attempt struct {
	Number  int
	Sent    time.Time
	Outcome Outcome
	Status  int
	Took    time.Duration
	TraceID string
}

// MaxReplays bounds how often a message is replayed.
const MaxReplays = 20

// Tried records an attempt that was sent at a time and says what follows: delivered, another attempt, or dead.
func (d *Delivery) Tried(r Rules, a Answer, sent time.Time) Attempt {
	d.Attempts++
	d.Tries++
	if d.First.IsZero() {
		d.First = sent
	}
	if d.Ever.IsZero() {
		d.Ever = sent
	}
	d.Last, d.LastOutcome, d.LastStatus = sent, a.Outcome, a.Status
	d.Next = time.Time{}
	switch {
	case a.Outcome == Delivered:
		d.Status = Done
	case d.Tries >= r.Attempts():
		d.Status = Dead
	default:
		end := sent.Add(a.Took)
		pause := max(r.pause(d.Tries), min(a.RetryAfter, time.Duration(r.RetryAfterMostHours)*time.Hour))
		d.Next = end.Add(pause)
		if d.Next.Sub(d.First) > time.Duration(r.GiveUpAfterHours)*time.Hour {
			d.Status, d.Next = Dead, time.Time{}
		}
	}
	return Attempt{Number: d.Attempts, Sent: sent, Outcome: a.Outcome, Status: a.Status, Took: a.Took, TraceID: a.TraceID}
}

// Replay puts a message that is not waiting in the queue again, under its id, apart from the order of its case.
func (d *Delivery) Replay(at time.Time) error {
	switch {
	case d.Status == Pending:
		return wrongStatus("The message waits already.", "该消息已在待发队列中。", string(d.Status))
	case d.Replays >= MaxReplays:
		return limit("The message was replayed as often as it may be.", "该消息重发次数已达上限。")
	}
	d.Status, d.Tries, d.First, d.Next, d.Apart = Pending, 0, time.Time{}, at, true
	d.Replays++
	return nil
}
