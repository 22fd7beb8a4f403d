package referral

import (
	"context"
	"slices"
	"time"

	"huhang.example/services/internal/fault"
)

// CloseReferral ends a case. What was begun for it is undone by jobs: an open offer is withdrawn, a held or booked bed
// released, a move that has not ended is ended. The entry on the timeline tells the referrer. Faults FIELD_INVALID,
// RIGHT_MISSING, WRONG_STATE, STALE_VERSION, NOT_FOUND.
func (s *Service) CloseReferral(ctx context.Context, referralID, etag string, reason CloseReason, comment string) (*Referral, error) {
	return s.update(ctx, referralID, etag, func(r *Referral, a Act) error {
		move := Close
		if reason == Completed {
			move = CloseCompleted
		}
		if _, err := r.pick(move, a); err != nil {
			return err
		}
		switch {
		case reason == Lapsed || reason == Superseded:
			return fault.New(fault.InvalidArgument, fault.FieldInvalid, "reason",
				"The line alone closes a case for this reason.", "该结案原因由系统自动判定。")
		case reason == NotIndicated && partOf(r, a.By)&TheDesk == 0:
			return fault.New(fault.PermissionDenied, fault.RightMissing, "reason",
				"The desk decides that a case is not indicated.", "不适合移植由运营台判定。")
		}
		a.Reason, a.Note = string(reason), comment
		return r.apply(move, a, func() { r.end(reason, a.At) })
	})
}

// end marks the case as closed and owes what undoes it.
func (r *Referral) end(reason CloseReason, at time.Time) {
	r.CloseReason, r.ClosedIn, r.DiedWith = reason, r.State, ""
	r.dismissPanel(at)
	if slices.Contains(on(Matched, Offered, Accepted, Booked, TransferPlanned, InTransit), r.State) {
		r.withdrawOpen()
	}
	if slices.Contains(on(TransferPlanned, InTransit), r.State) && r.TransferID != "" {
		r.enqueue(Job{Do: JobAbort, Record: r.TransferID})
	}
	if slices.Contains(on(Accepted, Booked, TransferPlanned, InTransit, Arrived, Evaluating, Listed, Suspended, Operated), r.State) {
		r.release()
	}
	r.Matching, r.FilingWaits = false, false
	r.OpenConditions, r.ConditionsDue = 0, time.Time{}
	if reason == Died {
		r.endWayBack()
		r.enqueue(Job{Do: JobDied, Record: r.PatientID})
	}
}

// release owes the freeing of the case's units.
func (r *Referral) release() {
	if r.HoldID != "" {
		r.enqueue(Job{Do: JobRelease, Record: r.HoldID})
	}
}

// wayBack keeps the move to the local hospital while it has not ended; one of a patient who died does not go on.
func (r *Referral) wayBack(h Happening) {
	switch h.Move {
	case "BACK_TRANSFER_PLANNED", "BACK_TRANSFER_DEPARTED":
		if r.WayBack = h.Record; r.CloseReason == Died {
			r.endWayBack()
		}
	case "BACK_TRANSFER_ARRIVED", "BACK_TRANSFER_ABORTED":
		if r.WayBack == h.Record {
			r.WayBack = ""
		}
	}
}

// endWayBack owes the end of the way back: its crew and vehicle are free again.
func (r *Referral) endWayBack() {
	if r.WayBack != "" {
		r.enqueue(Job{Do: JobAbort, Record: r.WayBack})
		r.WayBack = ""
	}
}
