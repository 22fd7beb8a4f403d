package clearing

import (
	"cmp"

	"huhang.example/services/internal/money"
)

// Item is one settlement or reversal as it is cleared (清算明细).
type Item struct {
	Source, Kind, Day string
	Month             Month
	Clears            money.Fen
}

// Compare orders items as both provinces list them.
func (i Item) Compare(j Item) int {
	return cmp.Or(cmp.Compare(i.Source, j.Source), cmp.Compare(i.Kind, j.Kind))
}

// What is how two provinces differ about an item.
type What string

// The differences.
const (
	OnlyHere  What = "ONLY_HERE"  // 对方无此结算
	OnlyThere What = "ONLY_THERE" // 本方无此结算
	Amounts   What = "AMOUNT"     // 金额不符
	Windows   What = "WINDOW"     // 清算期不符
	Warning   What = "PREPAYMENT" // 预付金预警: no difference, but a task as well
)

// Difference is one item about which two provinces' books do not agree (对账差异).
type Difference struct {
	What        What
	Here, There Item
}

// Key is the item's own.
func (d Difference) Key() Item {
	if d.What == OnlyThere {
		return d.There
	}
	return d.Here
}

// Differ compares two lists in Compare's order, and passes every difference on.
func Differ(here, there []Item) []Difference {
	var out []Difference
	for len(here) > 0 || len(there) > 0 {
		order := -1
		switch {
		case len(here) == 0:
			order = 1
		case len(there) > 0:
			order = here[0].Compare(there[0])
		}
		switch {
		case order < 0:
			out, here = append(out, Difference{What: OnlyHere, Here: here[0]}), here[1:]
		case order > 0:
			out, there = append(out, Difference{What: OnlyThere, There: there[0]}), there[1:]
		default:
			if here[0].Clears != there[0].Clears {
				out = append(out, Difference{Amounts, here[0], there[0]})
			} else if here[0].Month != there[0].Month {
				out = append(out, Difference{Windows, here[0], there[0]})
			}
			here, there = here[1:], there[1:]
		}
	}
	return out
}
