package figures

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"huhang.example/services/internal/money"
	"huhang.example/services/referral"
)

// Rules is the version of what Fold makes of a timeline. A change of it makes all facts anew.
const Rules = 1

// Fold makes the facts of a case from its timeline. The entries may come in any order and more than once.
func Fold(r *referral.Referral, entries []referral.Entry, lines *Lines) []Fact {
	entries = slices.Clone(entries)
	slices.SortStableFunc(entries, func(a, b referral.Entry) int { return cmp.Compare(a.Sequence, b.Sequence) })
	entries = slices.CompactFunc(entries, func(a, b referral.Entry) bool { return a.Sequence == b.Sequence })
	if len(entries) == 0 {
		return nil
	}
	f := folding{insured: r.InsuredProvince, entries: entries, where: whereabouts(entries)}
	f.stays()
	f.offers()
	f.transfers()
	f.bills()
	f.life()
	for i := range f.facts {
		fact := &f.facts[i]
		fact.Month, fact.Insured = monthOf(fact.Ended), f.insured
		fact.Line = lines.Of(fact.Month, fact.Insured, fact.Treatment)
	}
	slices.SortFunc(f.facts, func(a, b Fact) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Item, b.Item)) })
	return f.facts
}

type folding struct {
	insured string
	entries []referral.Entry
	// where the case belongs at each entry.
	where []whereabout
	facts []Fact
}

// whereabout is the center answerable for a case and the province it is treated in, or will be.
type whereabout struct{ center, treatment string }

// beforeAcceptance are the states of a case that no center answers for.
var beforeAcceptance = []referral.State{
	referral.Draft, referral.Submitted, referral.Screening, referral.Returned, referral.Consultation, referral.Matched,
	referral.Offered, referral.Exhausted,
}

const late = "LATE"

func whereabouts(entries []referral.Entry) []whereabout {
	where := make([]whereabout, len(entries))
	var now whereabout
	for i, e := range entries {
		if e.Kind == string(referral.OfferAccepted) && e.Reason != late {
			now = whereabout{e.Center, provinceOf(e.City)}
		}
		if slices.Contains(beforeAcceptance, e.State) {
			now.center = ""
		}
		where[i] = now
	}
	// What came before an acceptance belongs to where it led; what came after the last one, to where that had led.
	next := ""
	for i := len(entries) - 1; i >= 0; i-- {
		switch {
		case where[i].center != "":
			next = where[i].treatment
		case next != "":
			where[i].treatment = next
		}
	}
	return where
}

func provinceOf(city string) string {
	if len(city) != 6 {
		return ""
	}
	return city[:2] + "0000"
}

func (f *folding) add(fact Fact, at whereabout) {
	fact.Center, fact.Treatment = at.center, at.treatment
	f.facts = append(f.facts, fact)
}

type span struct{ from, to time.Time }

// stays cuts the timeline where the state changes. A boundary never lies before the one before it: an event that tells of
// an earlier time than the one that was told first cannot make a stay shorter than nothing.
func (f *folding) stays() {
	paused := f.suspensions()
	begin, began := 0, f.entries[0].Occurred
	overdue := false
	for i := 1; i <= len(f.entries); i++ {
		if i < len(f.entries) && f.entries[i].State == f.entries[begin].State {
			overdue = overdue || f.entries[i].Kind == "OVERDUE"
			continue
		}
		first := f.entries[begin]
		stay := Fact{Kind: Stay, Item: strconv.FormatInt(first.Sequence, 10), Name: string(first.State), Began: began, Late: overdue}
		if i < len(f.entries) {
			stay.Ended, stay.Trace = latest(began, f.entries[i].Occurred), f.entries[i].TraceID
			stay.Paused = overlap(paused, stay.Began, stay.Ended)
			stay.Measure = (stay.Ended.Sub(stay.Began) - stay.Paused).Microseconds()
		}
		// Nothing is waited for in a closed case.
		if first.State != referral.Closed {
			f.add(stay, f.where[begin])
		}
		begin, began, overdue = i, stay.Ended, false
	}
}

// suspensions are the times in which the clock stood, one after the other.
func (f *folding) suspensions() []span {
	var spans []span
	for i, e := range f.entries {
		before := i > 0 && f.entries[i-1].Suspended
		switch {
		case e.Suspended && !before:
			spans = append(spans, span{from: e.Occurred})
		case !e.Suspended && before:
			spans[len(spans)-1].to = latest(spans[len(spans)-1].from, e.Occurred)
		}
	}
	return spans
}

func overlap(spans []span, from, to time.Time) (sum time.Duration) {
	covered := from
	for _, s := range spans {
		begin, end := latest(covered, s.from), to
		if !s.to.IsZero() && s.to.Before(to) {
			end = s.to
		}
		if end.After(begin) {
			sum += end.Sub(begin)
			covered = end
		}
	}
	return sum
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// told are the entries about each record of one of the kinds, each record's in the order in which things happened.
func (f *folding) told(kinds ...string) (records []string, of map[string][]int) {
	of = map[string][]int{}
	for i, e := range f.entries {
		if e.RecordID == "" || !slices.Contains(kinds, e.Kind) {
			continue
		}
		if of[e.RecordID] == nil {
			records = append(records, e.RecordID)
		}
		of[e.RecordID] = append(of[e.RecordID], i)
	}
	for _, indices := range of {
		slices.SortStableFunc(indices, func(a, b int) int { return f.entries[a].Occurred.Compare(f.entries[b].Occurred) })
	}
	return records, of
}

// offers: what counts of an offer is how it was answered first; one that was taken back after its acceptance stays accepted.
func (f *folding) offers() {
	records, of := f.told("OFFER_CREATED", "OFFER_ACCEPTED", "OFFER_DECLINED", "OFFER_EXPIRED", "OFFER_WITHDRAWN", "OFFER_REFUSED")
	for _, record := range records {
		offer := Fact{Kind: Offer, Item: record, Name: Open}
		at := f.where[of[record][0]]
		at.center = ""
		for _, i := range of[record] {
			e := f.entries[i]
			if at.center == "" {
				at.center = e.Center
			}
			if p := provinceOf(e.City); p != "" {
				at.treatment = p
			}
			outcome := strings.TrimPrefix(e.Kind, "OFFER_")
			switch {
			case outcome == "CREATED":
				offer.Began = e.Occurred
			case offer.Ended.IsZero():
				offer.Name, offer.Ended, offer.Trace = outcome, e.Occurred, e.TraceID
				if outcome == "DECLINED" || outcome == "REFUSED" {
					offer.Reason = e.Cause
				}
			}
		}
		if offer.Began.IsZero() {
			offer.Began = offer.Ended
		}
		if !offer.Ended.IsZero() {
			offer.Ended = latest(offer.Began, offer.Ended)
			offer.Measure = offer.Ended.Sub(offer.Began).Microseconds()
		}
		f.add(offer, at)
	}
}

// transfers: late is what arrived after the arrival that was planned when the patient left, the way back as well.
func (f *folding) transfers() {
	records, of := f.told("TRANSFER_PLANNED", "TRANSFER_REPLANNED", "TRANSFER_DEPARTED", "TRANSFER_ARRIVED", "TRANSFER_ABORTED",
		"BACK_TRANSFER_PLANNED", "BACK_TRANSFER_DEPARTED", "BACK_TRANSFER_ARRIVED", "BACK_TRANSFER_ABORTED")
	for _, record := range records {
		move := Fact{Kind: Transfer, Item: record, Name: Open}
		var planned time.Time
		left := false
		for _, i := range of[record] {
			e := f.entries[i]
			if move.Began.IsZero() {
				move.Began = e.Occurred
			}
			switch strings.TrimPrefix(e.Kind, "BACK_") {
			case "TRANSFER_PLANNED", "TRANSFER_REPLANNED":
				if !left && !e.Arrive.IsZero() {
					planned = e.Arrive
				}
			case "TRANSFER_DEPARTED":
				left = true
			case "TRANSFER_ARRIVED":
				arrived := e.Arrive
				if arrived.IsZero() {
					arrived = e.Occurred
				}
				move.Ended, move.Trace = arrived, e.TraceID
				switch {
				case planned.IsZero():
					move.Name = Unplanned
				case arrived.After(planned):
					move.Name, move.Measure = Late, arrived.Sub(planned).Microseconds()
				default:
					move.Name = InTime
				}
			case "TRANSFER_ABORTED":
				move.Name, move.Reason, move.Ended, move.Trace = Aborted, e.Cause, e.Occurred, e.TraceID
			}
		}
		f.add(move, f.where[of[record][0]])
	}
}

// bills: what a claim came to last.
func (f *folding) bills() {
	records, of := f.told("CLAIM_SETTLED", "CLAIM_REVERSED")
	for _, record := range records {
		last := of[record][len(of[record])-1]
		e := f.entries[last]
		if e.Kind != "CLAIM_SETTLED" || e.Bill == nil {
			continue
		}
		bill := Fact{Kind: Bill, Item: record, Name: Settled, Began: e.Occurred, Ended: e.Occurred, Total: e.Bill.Total, Trace: e.TraceID}
		if e.Bill.Total > 0 {
			// Beyond the bound of a bill nothing is told, rather than something wrong.
			if part, err := e.Bill.SelfPay.Portion(Whole, int64(e.Bill.Total), money.HalfUp); err == nil {
				bill.Measure = int64(part)
			}
		}
		f.add(bill, f.where[last])
		for payer, amount := range shares(e.Bill) {
			f.add(Fact{Kind: Share, Item: record + " " + payer, Name: payer, Began: e.Occurred, Ended: e.Occurred, Total: amount}, f.where[last])
		}
	}
}

// shares are a bill's by payer. Where only the patient's part is known, it is the only one.
func shares(b *referral.Bill) map[string]money.Fen {
	of := map[string]money.Fen{}
	for _, s := range b.Shares {
		of[s.Payer] += s.Amount
	}
	if len(of) == 0 {
		of[Cash] = b.SelfPay
	}
	return of
}

// life is the case itself: opened once, and closed once at the most.
func (f *folding) life() {
	first, last := f.entries[0], f.entries[len(f.entries)-1]
	at := f.where[len(f.where)-1]
	for i := len(f.where) - 1; i >= 0 && at.center == ""; i-- {
		at = f.where[i]
	}
	f.add(Fact{Kind: Life, Item: "opened", Name: Opened, Began: first.Occurred, Ended: first.Occurred, Trace: first.TraceID}, at)
	if last.State != referral.Closed {
		return
	}
	// A case whose death was corrected was closed before: the last closing counts.
	from := 0
	for i, e := range f.entries {
		if e.State != referral.Closed {
			from = i + 1
		}
	}
	for _, e := range f.entries[from:] {
		if e.State == referral.Closed {
			ended := latest(first.Occurred, e.Occurred)
			f.add(Fact{
				Kind: Life, Item: "closed", Name: cmp.Or(e.Reason, "UNKNOWN"), Began: first.Occurred, Ended: ended, Trace: e.TraceID,
				Measure: ended.Sub(first.Occurred).Microseconds(),
			}, at)
			return
		}
	}
}
