package figures

import (
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/money"
)

// Kind is what a fact is of.
type Kind string

// The kinds. A share belongs to a bill: Name is the payer, Total what it paid.
const (
	Stay     Kind = "STAY"
	Offer    Kind = "OFFER"
	Transfer Kind = "TRANSFER"
	Bill     Kind = "BILL"
	Share    Kind = "SHARE"
	Life     Kind = "CASE"
)

// What may have become of an offer or a move besides its own words.
const (
	Open      = "OPEN"
	Opened    = "OPENED"
	Settled   = "SETTLED"
	InTime    = "IN_TIME"
	Late      = "LATE"
	Unplanned = "UNPLANNED"
	Aborted   = "ABORTED"
)

// Cash is the payer who is the patient.
const Cash = "cash"

// Payers are those of a bill in the order of payment; another one comes after them.
var Payers = []string{
	"basic", "second_layer", "civil_servant", "assistance", "commercial", "charity", "grant", "personal_account", Cash,
}

// Whole is a whole in basis points.
const Whole = 10_000

// Fact is one thing figures count.
type Fact struct {
	Kind Kind
	// Item tells it from the others of its case and kind.
	Item string
	// Name is the state, the outcome or the payer; Reason is why.
	Name, Reason string
	// Ended is zero while it goes on.
	Began, Ended time.Time
	// Month of the end; empty while it goes on.
	Month string
	// Line, Insured and Treatment province and Center as far as they are known.
	Line, Insured, Treatment, Center string
	// Measure is in microseconds: the time a stay's clock ran, an offer was open, a move came late, a case lived; of a bill
	// it is what the patient paid in basis points.
	Measure int64
	// Paused is how long a stay's clock was suspended.
	Paused time.Duration
	// Late says that a stay's deadline passed.
	Late  bool
	Total money.Fen
	// Trace in which it ended.
	Trace string
}

// monthOf is the month of an instant in China; empty for none.
func monthOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return clock.Day(t)[:7]
}

func validMonth(month string) bool {
	_, err := time.Parse("2006-01", month)
	return err == nil
}
