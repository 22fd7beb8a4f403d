package clearing

import (
	"time"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
	"huhang.example/services/internal/workday"
)

// DisputeStatus is the life of a dispute.
type DisputeStatus string

// The states; the last three are ends.
const (
	Opened    DisputeStatus = "OPENED"
	Answered  DisputeStatus = "ANSWERED"
	Upheld    DisputeStatus = "UPHELD"   // the insured province need not pay
	Rejected  DisputeStatus = "REJECTED" // it has to
	Withdrawn DisputeStatus = "WITHDRAWN"
)

// Dispute is an insured province's objection to an amount of a declared table (清算争议). It lies with the national center.
type Dispute struct {
	ID        string        `json:"-"`
	Month     Month         `json:"-"`
	Treatment string        `json:"-"`
	Insured   string        `json:"-"`
	Status    DisputeStatus `json:"-"`
	Version   int64         `json:"-"`
	// SettlementID is what it is about; Amount is held back until it is decided.
	SettlementID string    `json:"settlement_id"`
	Amount       money.Fen `json:"amount"`
	Reason       string    `json:"reason"`
	Answer       string    `json:"answer,omitempty"`
	Decision     string    `json:"decision,omitempty"`
	// OpenedBy, AnsweredBy and DecidedBy are people, by name of their sign-in.
	OpenedBy   string `json:"opened_by"`
	AnsweredBy string `json:"answered_by,omitempty"`
	DecidedBy  string `json:"decided_by,omitempty"`
	// Opened and Decided are when; AnswerBy and DecideBy the clocks.
	Opened   time.Time `json:"opened"`
	AnswerBy time.Time `json:"answer_by"`
	DecideBy time.Time `json:"decide_by"`
	Decided  time.Time `json:"decided"`
	// NettedIn is the month whose net took the amount, once it was decided.
	NettedIn Month `json:"netted_in,omitempty"`
}

// Over reports whether the dispute has ended.
func (d *Dispute) Over() bool { return d.Status != Opened && d.Status != Answered }

// clocks starts the dispute's clocks at t, both ending with the window at the latest.
func (r Rules) clocks(d *Dispute, t time.Time) {
	last := r.Of(d.Month).Last
	d.Opened = t
	d.AnswerBy = earlier(workday.China().Add(t, r.AnswerWithin), last)
	d.DecideBy = earlier(workday.China().Add(t, r.AnswerWithin+r.DecideWithin), last)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// answer records the treatment province's word, once and in time.
func (d *Dispute) answer(text, by string, t time.Time) error {
	if d.Status != Opened {
		return wrongState(string(d.Status))
	}
	if t.After(d.AnswerBy) {
		return deadlinePassed("answer_by", d.AnswerBy)
	}
	d.Status, d.Answer, d.AnsweredBy = Answered, text, by
	return nil
}

// decide ends the dispute: when it was answered, or could have been.
func (d *Dispute) decide(upheld bool, text, by string, t time.Time) error {
	if d.Over() {
		return wrongState(string(d.Status))
	}
	if d.Status == Opened && !t.After(d.AnswerBy) {
		return wrongState(string(d.Status))
	}
	d.Status, d.Decision, d.DecidedBy, d.Decided = Rejected, text, by, t
	if upheld {
		d.Status = Upheld
	}
	return nil
}

// withdraw ends the dispute by whoever opened it.
func (d *Dispute) withdraw(by string, t time.Time) error {
	if d.Over() {
		return wrongState(string(d.Status))
	}
	d.Status, d.DecidedBy, d.Decided = Withdrawn, by, t
	return nil
}

func wrongState(state string) *fault.Fault {
	return fault.New(fault.FailedPrecondition, fault.WrongState, "",
		"The record's state does not allow this step.", "该记录当前状态不允许此步骤。").With("state", state)
}

func deadlinePassed(which string, at time.Time) *fault.Fault {
	return fault.New(fault.FailedPrecondition, fault.DeadlinePassed, "",
		"The time for this step is over.", "该步骤的期限已过。").With("deadline", which).With("at", at.Format(time.RFC3339))
}
