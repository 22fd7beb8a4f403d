package referral

import (
	"slices"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/workday"
)

func contains(list []string, s string) bool { return slices.Contains(list, s) }

// Party is a set of parts played in a case.
type Party uint8

// The parts. The line is its own services: their events, and this service's jobs.
const (
	TheReferrer Party = 1 << iota
	TheAskedCenter
	TheCenter
	TheLocalHospital
	TheDesk
	TheLine
	// ThePanel are the experts of an open consultation.
	ThePanel
)

// partOf tells which parts the caller plays in the case.
func partOf(r *Referral, caller access.Caller) Party {
	var p Party
	own := func(organisation string) bool { return organisation != "" && organisation == caller.Organisation }
	if caller.Has(access.Coordinator) {
		if own(r.Referrer) {
			p |= TheReferrer
		}
		if own(r.LocalHospital) {
			p |= TheLocalHospital
		}
	}
	if caller.Has(access.Center) {
		if caller.Organisation != "" && contains(r.AskedCenters(), caller.Organisation) {
			p |= TheAskedCenter
		}
		if own(r.CenterID) {
			p |= TheCenter
		}
	}
	if c := r.OpenConsultation(); c != nil && (caller.Has(access.Coordinator) || caller.Has(access.Center)) && c.expert(caller) {
		p |= ThePanel
	}
	if caller.Has(access.Operations) {
		p |= TheDesk
	}
	if caller.Has(access.Service) {
		p |= TheLine
	}
	return p
}

// partsOf are the parts a caller's roles let its organisation play.
func partsOf(caller access.Caller) Party {
	var p Party
	if caller.Has(access.Coordinator) {
		p |= TheReferrer | TheLocalHospital | ThePanel
	}
	if caller.Has(access.Center) {
		p |= TheAskedCenter | TheCenter | ThePanel
	}
	return p
}

// WaitsIn reports whether a case in a state may wait for a part: a center that was asked has an offer to answer, and experts
// of a consultation an opinion to give, in one state only.
func (p Party) WaitsIn(s State) bool {
	switch p {
	case TheAskedCenter:
		return s == Offered
	case ThePanel:
		return s == Consultation
	}
	return true
}

// Guard is a condition of a row beyond the state. It is pure.
type Guard func(r *Referral, a Act) bool

func undecided(r *Referral, _ Act) bool   { return !r.Matching }
func matching(r *Referral, _ Act) bool    { return r.Matching }
func nobodyAsked(r *Referral, _ Act) bool { return r.Asking == "" }
func ranked(r *Referral, _ Act) bool      { return r.MatchRunID != "" }

func asksThisCenter(r *Referral, a Act) bool {
	return a.Center != "" && a.Center == r.Asking && (r.OfferID == "" || r.OfferID == a.Record) || asksBeside(r, a)
}

// asksBeside reports whether the center is one of several asked at once, and not the last.
func asksBeside(r *Referral, a Act) bool {
	return a.Center != "" && slices.Contains(r.Beside, Asked{a.Center, a.Record})
}

// asksOthersToo reports whether somebody still has an offer when this one is over.
func asksOthersToo(r *Referral, a Act) bool {
	return asksThisCenter(r, a) && (asksBeside(r, a) && r.OfferID != "" || len(r.Beside) > 1 || len(r.Beside) == 1 && !asksBeside(r, a))
}

func asksThisCenterThenAnother(r *Referral, a Act) bool {
	return asksThisCenter(r, a) && (r.next() != "" || asksBeside(r, a))
}
func thisOffer(r *Referral, a Act) bool { return r.OfferID == a.Record || asksBeside(r, a) }

func noTransfer(r *Referral, _ Act) bool { return r.TransferID == "" }
func held(r *Referral, _ Act) bool       { return r.HoldID != "" }
func notBooked(r *Referral, _ Act) bool  { return r.HoldID != "" && !r.HoldConfirmed }
func ourHold(r *Referral, a Act) bool    { return r.HoldID != "" && r.HoldID == a.Record }
func ourHoldUnbooked(r *Referral, a Act) bool {
	return ourHold(r, a) && !r.HoldConfirmed
}

// goingOn keeps a transfer that ended from coming back by an event that was overtaken.
func goingOn(r *Referral, a Act) bool {
	return !r.saw(a.Record, string(TransferAborted)) && !r.saw(a.Record, string(TransferArrived))
}
func thisTransfer(r *Referral, a Act) bool { return r.TransferID == a.Record }
func thisTransferBooked(r *Referral, a Act) bool {
	return thisTransfer(r, a) && (r.State == TransferPlanned || r.HoldConfirmed)
}

func diverted(r *Referral, a Act) bool { return a.Reason == "DIVERTED" && thisTransfer(r, a) }
func divertedBooked(r *Referral, a Act) bool {
	return a.Reason == "DIVERTED" && thisTransferBooked(r, a)
}
func unfitBooked(r *Referral, a Act) bool { return a.Reason == "UNFIT" && thisTransferBooked(r, a) }

func conditionsOpen(r *Referral, _ Act) bool { return r.OpenConditions > 0 }
func conditionsDue(r *Referral) time.Time    { return r.ConditionsDue }

// diedIn: only a case that was closed because the patient died, in one of the states.
func diedIn(states ...State) Guard {
	return func(r *Referral, _ Act) bool { return r.CloseReason == Died && slices.Contains(states, r.ClosedIn) }
}

func filingWaits(r *Referral, _ Act) bool { return r.FilingWaits }

// operated: whoever comes back to the center after the surgery may be discharged without another.
func operated(r *Referral, _ Act) bool { return r.Surgery != nil }

func clockRuns(r *Referral, _ Act) bool   { return !r.Deadline.IsZero() }
func clockStands(r *Referral, _ Act) bool { return r.ClockSuspended != "" }

const day = 24 * time.Hour

// Limit says when a state's clock runs out. It is called with the case as it was before the move.
type Limit func(r *Referral, a Act) time.Time

// after is a limit of a fixed length.
func after(d time.Duration) Limit { return func(_ *Referral, a Act) time.Time { return a.At.Add(d) } }

// screening: the desk has 2 hours for what is urgent, 1 working day otherwise.
func screening(r *Referral, a Act) time.Time {
	if r.Urgency == Routine {
		return workday.China().Add(a.At, 1)
	}
	return a.At.Add(2 * time.Hour)
}

// consulting: a panel has 24 hours for what is urgent, 5 days otherwise.
func consulting(r *Referral, a Act) time.Time {
	if r.Urgency == Routine {
		return a.At.Add(5 * day)
	}
	return a.At.Add(day)
}

// admission: who is booked comes by then.
func admission(r *Referral, _ Act) time.Time { return r.Admission }

// departure: a planned move is due when it is to leave; without a plan's time no clock runs.
func departure(_ *Referral, a Act) time.Time { return a.Ends }

// arrival: who is on the way is missed two hours after the planned arrival, or a day after leaving.
func arrival(_ *Referral, a Act) time.Time {
	if a.Ends.IsZero() {
		return a.At.Add(day)
	}
	return a.Ends.Add(2 * time.Hour)
}

func visitOpen(r *Referral, a Act) bool {
	return a.Number == 0 && r.openVisit() != nil || a.Number > 0 && a.Number <= len(r.Visits) && r.Visits[a.Number-1].Time.IsZero()
}

// given is a clock another service runs.
func given(_ *Referral, a Act) time.Time { return a.Ends }
