package supervision

import (
	"fmt"

	"huhang.example/services/internal/money"
)

// Poverty finds a year's burden (what a person paid themselves) above its share of the year before's local income. Where
// that income is not known, it says nothing: silence here is the document's, and ListSupervisionRules shows it.
func (r *Rules) Poverty(province string, year int, burden money.Fen) (Finding, bool) {
	income, known := r.Income(province, year-1)
	if !known || !above(burden, income.Income.Fen, r.PovertyWarning.Percent) {
		return Finding{}, false
	}
	period := fmt.Sprintf("%04d", year)
	return r.found(PovertyWarning, period, Evidence{"burden_fen", int64(burden)}, Evidence{"income_fen", int64(income.Income.Fen)},
		Evidence{"burden_percent", int64(burden / max(income.Income.Fen/100, 1))}).of(period), true
}

// above reports whether a part is more than percent of a whole, without rounding.
func above(part, whole money.Fen, percent int64) bool {
	part = min(part, 10_000_000_000_000_000) // what no year comes to; the product stays in range
	return part*100 > whole*money.Fen(percent)
}

// Costs are a province's sums of a year up to a day of it.
type Costs struct {
	Total money.Fen
	Stays int64
}

// Regional finds a province whose cost grew faster than its income and the points allowed. growth of cost is against the
// same days of the year before; with few stays then it says nothing.
func (r *Rules) Regional(province, month string, now, before Costs) (Finding, bool) {
	if len(month) < 4 || before.Stays < r.RegionalAlarm.Stays || before.Total <= 0 {
		return Finding{}, false
	}
	var year int
	if _, err := fmt.Sscanf(month[:4], "%d", &year); err != nil {
		return Finding{}, false
	}
	income, known := r.Income(province, year-1)
	if !known {
		return Finding{}, false
	}
	// In basis points; sums are of fen, so the quotient is taken of yuan to stay in range.
	growth := int64((now.Total - before.Total) / 100 * 10_000 / max(before.Total/100, 1))
	if growth <= income.Growth+r.RegionalAlarm.Points*100 {
		return Finding{}, false
	}
	return r.found(RegionalAlarm, month, Evidence{"cost_growth_bp", growth}, Evidence{"income_growth_bp", income.Growth},
		Evidence{"points_allowed", r.RegionalAlarm.Points}, Evidence{"stays", now.Stays}).of(month), true
}
