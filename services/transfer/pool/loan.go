package pool

import (
	"time"

	"huhang.example/services/internal/fault"
)

// LoanStatus is the life of a loan.
type LoanStatus string

// The states of a loan. Ended is final; a lent unit whose time is over is simply the owner's again.
const (
	Offered LoanStatus = "OFFERED"
	Lent    LoanStatus = "LENT"
	Ended   LoanStatus = "ENDED"
)

// Loan is a unit of one institution at another's disposal for a time (借调).
type Loan struct {
	ID, ResourceID   string
	Kind             Kind
	Lender, Borrower string
	Interval
	Status LoanStatus
	// Owed is what the borrower owes for it.
	Owed    time.Duration
	Version int64
}

// Live reports whether the unit is away from its owner in the loan's time.
func (l *Loan) Live() bool { return l.Status != Ended }

// Accept makes the hours owed.
func (l *Loan) Accept(now time.Time) error {
	switch {
	case l.Status == Lent:
		return nil
	case l.Status != Offered || !l.End.After(now):
		return l.wrongState()
	}
	from := l.Start
	if now.After(from) {
		from = now // what nobody could use is not owed
	}
	l.Status, l.Owed = Lent, l.End.Sub(from)
	return nil
}

// Finish ends it now: what was not used is not owed, an offer that nobody took owes nothing.
func (l *Loan) Finish(now time.Time) error {
	if l.Status == Ended {
		return nil
	}
	if l.Status == Lent && !l.End.After(now) {
		return l.wrongState()
	}
	if from := l.End.Add(-l.Owed); l.Status == Lent && now.After(from) {
		l.End, l.Owed = now, now.Sub(from)
	} else {
		l.Owed = 0
	}
	l.Status = Ended
	return nil
}

func (l *Loan) wrongState() error {
	return fault.New(fault.FailedPrecondition, fault.WrongState, "loan_id",
		"The loan has ended or its time is over.", "该借调已结束或已过期。").With("state", string(l.Status))
}

// Balance is what two institutions owe each other of one kind.
type Balance struct {
	Other          string
	Kind           Kind
	Lent, Borrowed time.Duration
}

// Override is that a unit was taken from one hold and given to another, and who answers for it (授权改派).
type Override struct {
	Taking, Yielding, ResourceID string
	Organisation, Subject        string
	Reason                       string
	At                           time.Time
	// MovedTo is the unit the yielding reservation got instead; empty: none was free and its hold was released.
	MovedTo string
}

// Pick asks for one unit by its id.
type Pick struct {
	ResourceID string
	Interval
}

// Move gives a hold other needs; Expire changes only where it is set. With Create it makes that hold.
type Move struct {
	HoldID string
	Create *Hold
	Needs  []Need
	Expire time.Time
}

// Capacity is an owner's units of a kind over an interval.
type Capacity struct {
	Units, Free, Taken, Unusable int
	OldestReport                 time.Time
	OldestReportBy               string
	// OwnLeft is how many more own use may take; -1 without a quota.
	OwnLeft int
}
