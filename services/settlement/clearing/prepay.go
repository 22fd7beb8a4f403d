package clearing

import "huhang.example/services/internal/money"

// Level is how much of a prepayment is used up (预付金预警).
type Level string

// The levels.
const (
	NoPrepayment Level = "NONE" // none was paid
	Green        Level = "GREEN"
	Yellow       Level = "YELLOW" // 黄色预警
	Red          Level = "RED"    // 红色预警
)

// Prepaid is the state of what an insured province paid ahead to a treatment province (预付金).
type Prepaid struct {
	// Proposed is what the year's prepayment comes to; Paid what was paid; Used what the treatment province has advanced
	// and was not yet cleared.
	Proposed, Paid, Used money.Fen
	// UsedShare is Used over Paid in basis points, rounded down.
	UsedShare int64
	Level     Level
	// TopUp is what brings it below the yellow warning again; zero while there is none.
	TopUp money.Fen
}

// Prepayment is the year's prepayment: so many monthly averages of last year's fourth quarter, in whole fen, half up.
func (r Rules) Prepayment(quarter money.Fen) (money.Fen, error) {
	return max(quarter, 0).Portion(r.PrepaidMonths, 3, money.HalfUp)
}

// Prepaid judges a prepayment.
func (r Rules) Prepaid(proposed, paid, used money.Fen) (Prepaid, error) {
	p := Prepaid{Proposed: proposed, Paid: paid, Used: max(used, 0), Level: Green}
	if paid <= 0 {
		p.Level = NoPrepayment
		return p, nil
	}
	share, err := p.Used.Portion(int64(money.Whole), int64(paid), money.Down)
	if err != nil {
		return p, err
	}
	p.UsedShare = int64(share)
	switch {
	case p.UsedShare >= r.RedAt:
		p.Level = Red
	case p.UsedShare >= r.YellowAt:
		p.Level = Yellow
	default:
		return p, nil
	}
	// The least payment after which the used share is below the yellow one.
	enough, err := p.Used.Portion(int64(money.Whole), r.YellowAt, money.Down)
	if err != nil {
		return p, err
	}
	p.TopUp = enough + 1 - paid
	return p, nil
}
