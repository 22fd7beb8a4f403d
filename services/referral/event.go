package referral

import (
	"context"
	"slices"
	"strconv"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
)

// Happening is what another service tells the case.
type Happening struct {
	Move Move
	// Record is the offer, transfer, claim or hold it is about.
	Record                string
	Occurred              time.Time
	Organisation, Subject string
	Reason                string
	// Of offers.
	Center, City, Hold string
	Admission, Expire  time.Time
	AtOnce             int
	// Of conditions: which, how many are open, and when the first is due.
	Condition, OpenConditions int
	ConditionsDue             time.Time
	// Version is the patient's or the claim's after it. Of patients: the names of the data.
	Version int64
	Data    []string
	// Of transfers: planned or real.
	Depart, Arrive time.Time
	// Told is an organisation without a part in the case that is told of this event alone.
	Told string
	// Of claims.
	SelfPay, Total *money.Fen
	Bill           *Bill
	Stay           Stay
}

// late marks entries of events that came after the case had moved on.
const late = "LATE"

// RecordCaseEvent moves the case where the table says so. An event that was applied before is ignored; one that came too
// late is written to the timeline and ignored, and what it left behind is undone. Fault NOT_FOUND.
func (s *Service) RecordCaseEvent(ctx context.Context, referralID string, h Happening) (State, bool, error) {
	ignored := false
	r, err := s.update(ctx, referralID, "", func(r *Referral, a Act) (err error) {
		ignored, err = r.happen(a, h)
		return err
	})
	if err != nil {
		return "", false, err
	}
	return r.State, ignored, nil
}

func (r *Referral) happen(a Act, h Happening) (ignored bool, err error) {
	a.Occurred, a.Record, a.Center, a.Ends = h.Occurred, h.Record, h.Center, h.Expire
	a.Reason, a.Organisation, a.Subject = h.Reason, h.Organisation, h.Subject
	a.City, a.Cause, a.Depart, a.Arrive, a.Bill, a.Told = h.City, h.Reason, h.Depart, h.Arrive, h.Bill, h.Told
	switch h.Move {
	case TransferPlan:
		a.Ends = h.Depart
	case TransferDeparted:
		a.Ends = h.Arrive
	}
	kind := string(h.Move)
	switch h.Move {
	case FactsChanged:
		if regrouped[h.Reason] != "" {
			return r.regroup(a, h), nil
		}
		return r.factsChanged(a, h), nil
	case ConditionFulfilled, ConditionLapsed:
		kind += strconv.Itoa(h.Condition)
	}
	if slices.Contains(onlyTold, h.Move) {
		// It moves no case, may come again, and stands in the timeline whatever the state.
		kind += "@" + strconv.FormatInt(h.Occurred.UnixMicro(), 10)
		if r.saw(h.Record, kind) {
			return true, nil
		}
		r.see(h.Record, kind)
		r.note(string(h.Move), a)
		r.wayBack(h)
		if r.State == InTransit && r.TransferID == h.Record && !h.Arrive.IsZero() {
			a.Ends = h.Arrive
			r.Deadline, r.OverdueTold = arrival(r, a), false
			r.watch(a.At)
		}
		return false, nil
	}
	claim := aboutClaim(h.Move)
	if claim {
		// A claim may be settled and reversed several times.
		if kind += "@" + strconv.FormatInt(h.Occurred.UnixMicro(), 10); h.Version > 0 {
			kind = string(h.Move) + "#" + strconv.FormatInt(h.Version, 10)
		}
	}
	if r.saw(h.Record, kind) {
		return true, nil
	}
	if b := r.stay(h.Record); claim && b != nil && b.after(h) {
		r.see(h.Record, kind)
		a.Reason = late
		r.note(string(h.Move), a)
		return true, nil
	}
	err = r.apply(h.Move, a, func() { r.take(h) })
	if fault.Is(err, fault.WrongState) {
		ignored, err = true, nil
		a.Reason = late
		r.note(string(h.Move), a)
		r.undo(h)
	}
	if err != nil {
		return false, err
	}
	r.see(h.Record, kind)
	if !ignored && r.State == Exhausted && slices.Contains(offerOver, h.Move) {
		line := Act{By: theLine, Trace: a.Trace, At: a.At}
		r.note("EXHAUSTED", line)
	}
	return ignored, nil
}

// take keeps what an event that moves the case brings. It sees the state before the move.
func (r *Referral) take(h Happening) {
	switch h.Move {
	case OfferCreated:
		if asksBeside(r, Act{Center: h.Center, Record: h.Record}) {
			return
		}
		r.OfferID, r.AtOnce = h.Record, h.AtOnce
		r.askBeside()
	case OfferAccepted:
		r.passOver(h)
		r.OfferID, r.CenterID, r.CenterCity, r.HoldID = h.Record, h.Center, h.City, h.Hold
		r.Admission, r.AcceptTime, r.HoldConfirmed = h.Admission, h.Occurred, false
		r.FilingID, r.FilingWaits, r.TransferID, r.Anew = "", false, "", ""
		r.OpenConditions, r.ConditionsDue = h.OpenConditions, h.ConditionsDue
		r.enqueue(Job{Do: JobFile, Record: h.Record})
	case ConditionFulfilled, ConditionLapsed:
		r.OpenConditions, r.ConditionsDue = h.OpenConditions, h.ConditionsDue
	case OfferDeclined, OfferExpired, OfferWithdrawn, OfferRefused:
		r.over(h)
	case HoldExpired, HoldReleased:
		r.HoldID, r.HoldConfirmed = "", false
		if r.OfferID != "" && (r.State == Accepted || r.State == Booked) {
			// The offer was about this bed: without it, another center may be asked.
			r.enqueue(Job{Do: JobWithdraw, Record: r.OfferID})
		}
		if r.State == Accepted || r.State == Booked {
			if r.TransferID != "" {
				r.enqueue(Job{Do: JobAbort, Record: r.TransferID})
				r.TransferID = ""
			}
			r.stopAsking()
			r.CenterID, r.CenterCity, r.Admission, r.FilingWaits = "", "", time.Time{}, false
			r.OpenConditions, r.ConditionsDue = 0, time.Time{}
		}
	case TransferPlan, TransferDeparted, TransferArrived:
		r.TransferID = h.Record
	case TransferAborted:
		r.TransferID = ""
	}
	if aboutClaim(h.Move) && !contains(r.Outpatient, h.Record) {
		if h.Move == ClaimOpened && r.State == Arrived {
			r.Admitted = h.Record
		}
		r.bill(h)
	}
}

func aboutClaim(m Move) bool { return m == ClaimOpened || slices.Contains(claimChanged, m) }

// undo owes the undoing of what a late event left behind: an offer nobody waits for, a bed held for nobody.
func (r *Referral) undo(h Happening) {
	switch {
	case slices.Contains(offerOver, h.Move) && h.Center != "":
		r.revoke(h.Center, h.Record, h.Occurred)
	case h.Move == OfferCreated && h.Record != r.OfferID && !r.offerEnded(h.Record):
		r.enqueue(Job{Do: JobWithdraw, Record: h.Record})
	case h.Move == OfferAccepted && h.Hold != "" && h.Hold != r.HoldID:
		r.enqueue(Job{Do: JobRelease, Record: h.Hold})
		r.enqueue(Job{Do: JobWithdraw, Record: h.Record})
	case h.Move == TransferPlan && r.State == Closed:
		r.enqueue(Job{Do: JobAbort, Record: h.Record})
	}
}

// revoke owes the end of the access that a center had for an offer which is over; the job looks again whether it is.
func (r *Referral) revoke(center, record string, ended time.Time) {
	r.enqueue(Job{Do: JobRevoke, Organisation: center, Record: record, Due: clock.Micros(ended)})
}

func (r *Referral) offerEnded(offerID string) bool {
	return slices.ContainsFunc(append(do(OfferAccepted), offerOver...), func(m Move) bool { return r.saw(offerID, string(m)) })
}
