package referral

import (
	"strconv"
	"strings"
)

// FactsChanged is told by the patient service when data that a ranking uses changed. It moves no case.
const FactsChanged Move = "FACTS_CHANGED"

// maxDataNamed bounds the names of data on one entry.
const maxDataNamed = 20

// factsChanged shows a late edit on the timeline of a case that was ranked by what was known before; it names the data, never
// their values, and the run that keeps them. Before the ranking there is nothing to show.
func (r *Referral) factsChanged(a Act, h Happening) (ignored bool) {
	version := strconv.FormatInt(h.Version, 10)
	if r.MatchRunID == "" || !r.Live() || r.saw(h.Reason, version) {
		return true
	}
	r.see(h.Reason, version)
	a.Record = r.MatchRunID
	named := h.Data
	if len(named) > maxDataNamed {
		named = append(named[:maxDataNamed:maxDataNamed], "...")
	}
	a.Note = strings.Join(named, ", ")
	r.note(string(FactsChanged), a)
	return false
}
