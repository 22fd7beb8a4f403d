package supervision

import (
	"slices"
	"strconv"

	"huhang.example/services/internal/money"
)

// Treatment looks at a bill at its treatment province, against the person's other bills there. today ends a stay that
// goes on.
func (r *Rules) Treatment(s Stay, others []Stay, today string) []Finding {
	var out []Finding
	for _, h := range others {
		if h.ClaimID == s.ClaimID {
			continue
		}
		if f, hit := r.overlap(s, h, today); hit {
			out = append(out, f)
		}
	}
	if f, hit := r.hangingBed(s); hit {
		out = append(out, f)
	}
	if f, hit := r.costOutlier(s); hit {
		out = append(out, f)
	}
	return append(out, r.quantities(s, others)...)
}

// hangingBed finds the longest run of days of a stay without items. The day of discharge is not counted: one leaves on it.
func (r *Rules) hangingBed(s Stay) (Finding, bool) {
	if !s.inpatient() || s.Discharge == "" {
		return Finding{}, false
	}
	stay, ok := between(s.Admission, s.Discharge)
	if !ok || stay <= 0 {
		return Finding{}, false
	}
	// What was taken back whole on its day was not there.
	given := map[string]int64{}
	for _, i := range s.Items {
		given[i.Day+i.Code] += i.Quantity
	}
	busy := []int64{-1, stay}
	for _, i := range s.Items {
		if day, ok := between(s.Admission, i.Day); ok && day >= 0 && day < stay && given[i.Day+i.Code] > 0 {
			busy = append(busy, day)
		}
	}
	slices.Sort(busy)
	var longest int64
	for i := 1; i < len(busy); i++ {
		longest = max(longest, busy[i]-busy[i-1]-1)
	}
	if longest < r.HangingBed.Days {
		return Finding{}, false
	}
	return r.found(HangingBed, strconv.FormatInt(longest, 10), Evidence{"days_without_items", longest}, Evidence{"days_of_stay", stay}), true
}

// costOutlier finds a stay whose cost is further from its group's mean than so many deviations, above or below.
func (r *Rules) costOutlier(s Stay) (Finding, bool) {
	if !s.inpatient() {
		return Finding{}, false
	}
	for _, g := range r.CostOutlier.Groups {
		if g.Organ != s.Organ {
			continue
		}
		away := s.Total - g.Mean.Fen
		if away < 0 {
			away = -away
		}
		if away <= g.Deviation.Fen*money.Fen(r.CostOutlier.Sigma) {
			return Finding{}, false
		}
		return r.found(CostOutlier, strconv.FormatInt(int64(s.Total), 10), Evidence{"total_fen", int64(s.Total)}, Evidence{"mean_fen", int64(g.Mean.Fen)},
			Evidence{"deviation_fen", int64(g.Deviation.Fen)}, Evidence{"sigma_hundredths", int64(away * 100 / g.Deviation.Fen)}), true
	}
	return Finding{}, false
}

// quantities sums the month's drugs of outpatient bills, this one among them. Only what this bill holds is found here.
func (r *Rules) quantities(s Stay, others []Stay) []Finding {
	if !s.Outpatient {
		return nil
	}
	var out []Finding
	for _, g := range r.OverLimitDrugs.Guideline {
		sum := int64(0)
		add := func(v Stay) {
			for _, i := range v.Items {
				if i.Code == g.Item {
					sum += min(i.Quantity, 1_000_000_000_000)
				}
			}
		}
		add(s)
		here := sum > 0
		for _, h := range others {
			if h.Outpatient && h.ClaimID != s.ClaimID && h.PatientID == s.PatientID && h.month() == s.month() {
				add(h)
			}
		}
		// More than the percentage, exactly: no rounding decides.
		if !here || sum*100 <= g.Monthly*r.OverLimitDrugs.Percent {
			continue
		}
		out = append(out, r.found(DrugQuantity, s.month()+"-"+g.Item, Evidence{"percent_of_guideline", sum * 100 / g.Monthly},
			Evidence{"quantity_milli", sum}, Evidence{"guideline_milli", g.Monthly}).of(s.month()))
	}
	return out
}
