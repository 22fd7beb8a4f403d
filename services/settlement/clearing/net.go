package clearing

import (
	"cmp"
	"slices"

	"huhang.example/services/internal/money"
)

// National is the code under which the national clearing center is found, GB/T 2260's own for the whole country: it has
// the tables of all provinces, and none of their settlements.
const National = "100000"

// Debt is what one province owes another; a negative amount is owed the other way round.
type Debt struct {
	Debtor, Creditor string
	Amount           money.Fen
}

// Position is a province's net position (轧差净额): positive to receive, negative to pay.
type Position struct {
	Province string    `json:"province"`
	Amount   money.Fen `json:"amount"`
}

// Remittance is one transfer of money between two provinces.
type Remittance struct {
	Payer, Payee string
	Amount       money.Fen
}

// Net adds up what provinces owe one another into one position each, by province; those of nothing are left out. They sum
// to zero. It fails with AMOUNT_OVERFLOW.
func Net(debts []Debt) ([]Position, error) {
	sums := map[string]money.Fen{}
	for _, d := range debts {
		var err error
		if sums[d.Creditor], err = sums[d.Creditor].Add(d.Amount); err != nil {
			return nil, err
		}
		if sums[d.Debtor], err = sums[d.Debtor].Sub(d.Amount); err != nil {
			return nil, err
		}
	}
	var out []Position
	for province, amount := range sums {
		if amount != 0 {
			out = append(out, Position{province, amount})
		}
	}
	slices.SortFunc(out, func(a, b Position) int { return cmp.Compare(a.Province, b.Province) })
	return out, nil
}

// Remit settles positions that sum to zero with few transfers: a province only pays or only receives; two provinces whose
// positions are opposite need one transfer; and of n provinces at most n - 1 are needed. (The fewest of all would be a
// subset-sum problem.) The largest goes first; the order of equal ones is that of their codes.
func Remit(positions []Position) []Remittance {
	var pay, receive []Position
	for _, p := range positions {
		if p.Amount < 0 {
			pay = append(pay, Position{p.Province, -p.Amount})
		} else if p.Amount > 0 {
			receive = append(receive, p)
		}
	}
	largest := func(a, b Position) int {
		return cmp.Or(cmp.Compare(b.Amount, a.Amount), cmp.Compare(a.Province, b.Province))
	}
	slices.SortFunc(pay, largest)
	slices.SortFunc(receive, largest)
	out := opposite(pay, receive)
	for i, j := 0, 0; i < len(pay) && j < len(receive); {
		amount := min(pay[i].Amount, receive[j].Amount)
		if amount > 0 {
			out = append(out, Remittance{pay[i].Province, receive[j].Province, amount})
		}
		pay[i].Amount -= amount
		receive[j].Amount -= amount
		if pay[i].Amount == 0 {
			i++
		} else {
			j++
		}
	}
	return out
}

// opposite takes the pairs of equal amounts out.
func opposite(pay, receive []Position) []Remittance {
	var out []Remittance
	for i := range pay {
		for j := range receive {
			if pay[i].Amount == receive[j].Amount && pay[i].Amount > 0 {
				out = append(out, Remittance{pay[i].Province, receive[j].Province, pay[i].Amount})
				pay[i].Amount, receive[j].Amount = 0, 0
				break
			}
		}
	}
	return out
}
