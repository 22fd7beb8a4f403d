package referral

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
)

// alive are the ways back of a case that was closed because the patient died, when that was a mistake: to the state it was
// closed in, with its clock anew. What closing gave back, an offer, a bed, a move, has to be asked for anew: such a case goes
// on at the patient's choice.
var alive = []Row{
	backTo(Draft, nil, Draft),
	backTo(Screening, screening, Submitted, Screening),
	backTo(Returned, after(7*day), Returned),
	backTo(Consultation, consulting, Consultation),
	// Who was on the way is somewhere, and nobody awaits them any more.
	backTo(Matched, after(2*time.Hour), InTransit),
	backTo(Matched, after(48*time.Hour), Matched, Offered, Accepted, Booked, TransferPlanned),
	backTo(Arrived, after(30*day), Arrived),
	backTo(Evaluating, after(30*day), Evaluating),
	backTo(Listed, after(30*day), Listed),
	backTo(Suspended, after(30*day), Suspended),
	backTo(Operated, nil, Operated),
	backTo(Rehabilitation, nil, Rehabilitation),
	backTo(BackReferred, after(48*time.Hour), BackReferred),
	backTo(FollowUp, resumed, FollowUp),
	backTo(Exhausted, nil, Exhausted),
}

// backTo is the way back of a case that was closed in one of the states.
func backTo(to State, limit Limit, closedIn ...State) Row {
	return Row{
		From: on(Closed), Do: do(CorrectDeath), By: TheDesk | TheLine, When: diedIn(closedIn...), To: to, Limit: limit, Kind: "DEATH_CORRECTED",
		Call: "CorrectDeath", Zh: "更正误登记的死亡，恢复病例", En: "Correct a death recorded by mistake; the case goes on",
	}
}

// resumed is the next visit's clock, and a week at least: what passed while the case was closed is nobody's delay.
func resumed(r *Referral, a Act) time.Time {
	week := a.At.Add(7 * day)
	if v := r.openVisit(); v != nil && v.Overdue.After(week) {
		return v.Overdue
	}
	return week
}

// CorrectDeath takes back a death that was recorded by mistake: the case goes on where it was closed, its parties are told,
// and the other cases that were closed with it follow by a job. Faults COMMENT_REQUIRED, LIVE_CASE_EXISTS, RIGHT_MISSING,
// WRONG_STATE, STALE_VERSION, NOT_FOUND.
func (s *Service) CorrectDeath(ctx context.Context, referralID, etag, comment string) (*Referral, error) {
	if strings.TrimSpace(comment) == "" {
		return nil, fault.New(fault.InvalidArgument, fault.CommentRequired, "comment", "Say how it is known that the patient lives.", "请说明如何确认患者在世。")
	}
	r, err := s.update(ctx, referralID, etag, func(r *Referral, a Act) error {
		a.Note = comment
		with := r.DiedWith
		if err := r.revive(a); err != nil {
			return err
		}
		r.enqueue(Job{Do: JobAlive, Record: r.PatientID, Organisation: with})
		return nil
	})
	var live *LiveCaseError
	if errors.As(err, &live) {
		return nil, liveCase(live.Existing, access.From(ctx))
	}
	return r, err
}

// revive moves the case back and forgets what its closing gave back; what of it has to be done anew stands on the timeline.
func (r *Referral) revive(a Act) error {
	former, seen, parts := r.ClosedIn, r.Parties(), r.parts()
	again := a
	again.Center, again.Note = r.CenterID, ""
	if err := r.apply(CorrectDeath, a, r.forgetDeath); err != nil {
		return err
	}
	if r.Anew = anew[former]; r.Anew != "" {
		r.partsBefore = parts
		r.note(r.Anew, again, seen...)
	}
	return nil
}

// anew says what has to be done again of what closing gave back, by the state the case was closed in.
var anew = map[State]string{
	Offered: "OFFER_TO_REPEAT", Accepted: "PLACE_TO_REPEAT", Booked: "PLACE_TO_REPEAT", TransferPlanned: "MOVE_TO_REPEAT", InTransit: "MOVE_TO_REPEAT",
}

func toRepeat(r *Referral, a Act) bool { return r.Anew != "" && nobodyAsked(r, a) }

func (r *Referral) forgetDeath() {
	former := r.ClosedIn
	r.CloseReason, r.ClosedIn, r.DiedWith = "", "", ""
	switch former {
	case Matched, Offered, Accepted, Booked, TransferPlanned, InTransit:
		r.stopAsking()
		r.CenterID, r.CenterCity, r.Admission, r.TransferID, r.HoldConfirmed = "", "", time.Time{}, "", false
	case Consultation:
		c := &r.Consultations[len(r.Consultations)-1]
		c.Again++
		for _, organisation := range c.organisations() {
			r.enqueue(Job{Do: JobGrant, Organisation: organisation, Record: c.record()})
		}
	}
}

// Alive is the job that takes the patient's other cases back that were closed with the one whose death was corrected.
func (s *Service) Alive(ctx context.Context, j Job) error {
	origin := j.ReferralID
	if j.Organisation != "" {
		origin = j.Organisation
	}
	return s.reviveOthers(ctx, j.Record, origin)
}

func (s *Service) reviveOthers(ctx context.Context, patientID, origin string) error {
	cases, err := s.ofPerson(ctx, patientID)
	if err != nil {
		return err
	}
	for _, other := range cases {
		if other.ID != origin && other.DiedWith != origin {
			continue
		}
		if err := s.reviveOne(ctx, other.ID, origin); err != nil {
			return err
		}
	}
	return nil
}

// reviveOne takes a case back that was closed with the one whose death does not count for it; while another case of the
// person goes on for this organ it stays closed.
func (s *Service) reviveOne(ctx context.Context, referralID, origin string) error {
	_, err := s.update(ctx, referralID, "", func(r *Referral, a Act) error {
		if r.CloseReason != Died || r.ID != origin && r.DiedWith != origin {
			return nil
		}
		a.Record = origin
		return r.revive(a)
	})
	var live *LiveCaseError
	if errors.As(err, &live) {
		return nil
	}
	return err
}

// maxOfPerson bounds the cases of a person, over all of their records.
const maxOfPerson = 500

// ofPerson are the cases of a person, also under records merged into one another. A job asks: nobody's right to see the patient counts.
func (s *Service) ofPerson(ctx context.Context, patientID string) ([]*Referral, error) {
	ids, err := s.recordsOf(ctx, patientID)
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		ids = []string{patientID}
	}
	return s.store.OfPatients(ctx, Scope{All: true}, ids, maxOfPerson)
}

// recordsOf are the ids of all records of a person; none when the patient service knows no such record.
func (s *Service) recordsOf(ctx context.Context, patientID string) (ids []string, err error) {
	known, err := s.peers.FindPatients(ctx, patientID, "")
	if err != nil || len(known) == 0 {
		return nil, err
	}
	ids = []string{patientID}
	for _, k := range known {
		for _, id := range append([]string{k.PatientID}, k.Others...) {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids, nil
}
