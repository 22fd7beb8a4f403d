// Package ledger keeps the money in double entry (复式记账).
//
// Invariants: an entry balances, debits equal credits, or it cannot be made; entries are only ever added, and what was
// wrong is undone by the mirrored entry; balances follow from postings alone, and what is stored of them is a checkpoint;
// each entry of a book is chained to the one before it (chain.go), so that none can be altered, taken out or put
// elsewhere unseen.
package ledger

import (
	"fmt"
	"regexp"
	"slices"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
)

// Kind is what an entry stands for.
type Kind string

// The kinds.
const (
	Settlement Kind = "settlement" // 结算
	Reversal   Kind = "reversal"   // 冲正
	Prepayment Kind = "prepayment" // 预付金: the insured province pays ahead
	Netting    Kind = "netting"    // 轧差: a month's claims and debts become one net position
	Payment    Kind = "payment"    // 划拨: money of a net position was sent or has arrived
)

// Side is whose view of a settlement an entry is: both may lie in one province.
type Side string

// The sides.
const (
	Insured   Side = "insured"   // 参保地
	Treatment Side = "treatment" // 就医地
)

// Posting is one line of an entry: a debit or a credit of one account, never both.
type Posting struct {
	Account       string
	Debit, Credit money.Fen
}

// Head says what an entry belongs to. Province, side, kind and source together are unique.
type Head struct {
	ID       string
	Province string
	Side     Side
	Kind     Kind
	// Source is the settlement, or what else the entry was made of.
	Source string
	// Counterparty is the province at the other end; empty where there is none.
	Counterparty string
	// Day is the business day, YYYY-MM-DD: that of the treatment province's message, the same in both provinces' books.
	Day string
}

// Entry is one balanced set of postings (分录). The zero Entry is empty.
type Entry struct {
	head     Head
	postings []Posting
}

// maxFen bounds one posting.
const maxFen money.Fen = 1_000_000_000_000_000

var account = regexp.MustCompile(`^[a-z_]+(:[A-Za-z0-9_-]+){1,3}$`)

// New makes an entry. Postings of nothing are left out; a set that does not balance, a negative amount, a posting on
// both sides and a malformed account are refused.
func New(head Head, postings ...Posting) (Entry, error) {
	if head.ID == "" || head.Province == "" || head.Side == "" || head.Kind == "" || head.Source == "" {
		return Entry{}, invalid("the head is incomplete")
	}
	e := Entry{head: head}
	var debit, credit money.Fen
	for _, p := range postings {
		switch {
		case p.Debit < 0 || p.Credit < 0 || p.Debit > maxFen || p.Credit > maxFen:
			return Entry{}, invalid("an amount is out of range")
		case p.Debit != 0 && p.Credit != 0:
			return Entry{}, invalid("a posting is both debit and credit")
		case !account.MatchString(p.Account):
			return Entry{}, invalid("an account is malformed")
		}
		if p.Debit == 0 && p.Credit == 0 {
			continue
		}
		debit, credit = debit+p.Debit, credit+p.Credit
		e.postings = append(e.postings, p)
	}
	if debit != credit {
		return Entry{}, invalid(fmt.Sprintf("debits %s, credits %s", debit, credit))
	}
	return e, nil
}

// Reverse makes the mirrored entry, of the day given.
func (e Entry) Reverse(id, day string) (Entry, error) {
	head := e.head
	head.ID, head.Kind, head.Day = id, Reversal, day
	mirrored := slices.Clone(e.postings)
	for i, p := range mirrored {
		mirrored[i].Debit, mirrored[i].Credit = p.Credit, p.Debit
	}
	return New(head, mirrored...)
}

// Head returns what the entry belongs to.
func (e Entry) Head() Head { return e.head }

// Postings returns a copy of the postings.
func (e Entry) Postings() []Posting { return slices.Clone(e.postings) }

// Balance is the sum of one account.
type Balance struct {
	Account       string
	Debit, Credit money.Fen
}

// Difference is what debits exceed credits by over all accounts: zero, or the ledger is broken.
func Difference(balances []Balance) money.Fen {
	var d money.Fen
	for _, b := range balances {
		d += b.Debit - b.Credit
	}
	return d
}

// Clears is what the entry adds to the position between the two provinces: what the insured province owes for it. Only
// settlements and their reversals are cleared.
func (e Entry) Clears() money.Fen {
	if e.head.Kind != Settlement && e.head.Kind != Reversal {
		return 0
	}
	var sum money.Fen
	receivable, payable := ReceivableFrom(e.head.Province, e.head.Counterparty), PayableTo(e.head.Province, e.head.Counterparty)
	for _, p := range e.postings {
		switch p.Account {
		case receivable:
			sum += p.Debit - p.Credit
		case payable:
			sum += p.Credit - p.Debit
		}
	}
	return sum
}

// Fund is an insured province's fund: what it spends is debited.
func Fund(province, payer string) string { return "fund:" + province + ":" + payer }

// PayableTo is what an insured province owes a treatment province.
func PayableTo(province, treatment string) string { return "payable:" + province + ":" + treatment }

// ReceivableFrom is what a treatment province is owed by an insured province.
func ReceivableFrom(province, insured string) string { return "receivable:" + province + ":" + insured }

// HospitalPayable is what a treatment province owes a hospital for a whole bill.
func HospitalPayable(province, center string) string { return "hospital:" + province + ":" + center }

// PatientCash is what patients paid at a hospital.
func PatientCash(province, center string) string { return "patient_cash:" + province + ":" + center }

// Bank is a province's money.
func Bank(province string) string { return "bank:" + province }

// PrepaidTo is what an insured province has paid ahead to a treatment province.
func PrepaidTo(province, treatment string) string { return "prepaid:" + province + ":" + treatment }

// PrepaidBy is what a treatment province holds of an insured province's prepayments.
func PrepaidBy(province, insured string) string { return "prepaid_by:" + province + ":" + insured }

// Position is what a month's netting made of a province's claims and debts: a debit is to be received.
func Position(province, month string) string { return "position:" + province + ":" + month }

// RiskShare is the part of the other province's claims or debts that an agreement moves to the treatment province.
func RiskShare(province, other string) string { return "risk_share:" + province + ":" + other }

// Waived is what a decided dispute took from the other province's claims or debts.
func Waived(province, other string) string { return "waived:" + province + ":" + other }

func invalid(what string) error {
	return fault.New(fault.Internal, fault.ReasonInternal, "", "Something broke on our side.", "系统内部出错。").
		Cause(fmt.Errorf("ledger: %s", what))
}
