package clearing

import (
	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/ledger"
)

// Book is the ledger of a province, on one of the sides it plays (账簿).
type Book struct {
	Province string
	Side     ledger.Side
}

// Other is the side at the other end of a settlement.
func Other(s ledger.Side) ledger.Side {
	if s == ledger.Insured {
		return ledger.Treatment
	}
	return ledger.Insured
}

// Total is how many settlements and reversals there are, and what the insured province owes for them.
type Total struct {
	Items  int64
	Clears money.Fen
}

// TotalKey is what totals of a book are kept by.
type TotalKey struct {
	Counterparty string
	Month        Month
	Day          string
}

// Verified is how far a book was followed and what was found.
type Verified struct {
	// Chain is the last place that is as it was written.
	Chain ledger.Chain
	Head  ledger.Chain
	// Complete says that the end was reached.
	Complete bool
	// Break is the first damage; nil: none so far.
	Break *ledger.Break
}
