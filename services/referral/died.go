package referral

import (
	"context"
	"slices"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
)

// Died is the job that closes the person's other live cases when one was closed because the patient died, also those under
// records merged into one another. Each tells its own referrer. A death that was corrected meanwhile closes nothing.
func (s *Service) Died(ctx context.Context, j Job) error {
	stands := func() (bool, error) {
		origin, err := s.store.Get(ctx, j.ReferralID)
		return err == nil && origin.CloseReason == Died, err
	}
	if died, err := stands(); err != nil || !died {
		return err
	}
	if err := s.closeOthers(ctx, j.Record, j.ReferralID); err != nil {
		return err
	}
	// Corrected while this went on, some cases may have been closed after the others were taken back.
	died, err := stands()
	if err != nil || died {
		return err
	}
	return s.reviveOthers(ctx, j.Record, j.ReferralID)
}

// closeOthers closes what of the person goes on beside the case that told of the death.
func (s *Service) closeOthers(ctx context.Context, patientID, origin string) error {
	cases, err := s.ofPerson(ctx, patientID)
	if err != nil {
		return err
	}
	var closed []string
	for _, other := range cases {
		if !other.Live() || other.ID == origin {
			continue
		}
		_, err := s.update(ctx, other.ID, "", func(r *Referral, a Act) error {
			if !r.Live() {
				return nil
			}
			a.Reason, a.Record = string(Died), origin
			closed = append(closed, r.ID)
			return r.apply(CloseDied, a, func() {
				r.end(Died, a.At)
				r.DiedWith = origin
			})
		})
		if err != nil {
			return err
		}
	}
	if len(closed) == 0 {
		return nil
	}
	// Records may have been separated while this went on: what is another person's by now goes on.
	cases, err = s.ofPerson(ctx, patientID)
	if err != nil {
		return err
	}
	for _, id := range closed {
		if among(cases, id) {
			continue
		}
		if err := s.reviveOne(ctx, id, origin); err != nil {
			return err
		}
	}
	return nil
}

func among(cases []*Referral, id string) bool {
	return slices.ContainsFunc(cases, func(r *Referral) bool { return r.ID == id })
}

// deathOf is the case of a person on which their death is recorded; nil while none is. A case that was closed with another one's
// death tells nothing of its own: that one may be another person's, or be taken back already.
func deathOf(cases []*Referral) *Referral {
	i := slices.IndexFunc(cases, func(r *Referral) bool { return r.CloseReason == Died && r.DiedWith == "" })
	if i < 0 {
		return nil
	}
	return cases[i]
}

// Living refuses what is opened for a person whose death is recorded, under whichever of their records. Faults DEATH_RECORDED,
// and what asking who the patient is failed with.
func (s *Service) Living(ctx context.Context, registrar Registrar) error {
	if registrar.err != nil {
		return registrar.err
	}
	cases, err := s.store.OfPatients(ctx, Scope{All: true}, append([]string{registrar.PatientID}, registrar.Others...), maxOfPerson)
	if err != nil {
		return err
	}
	dead := deathOf(cases)
	if dead == nil {
		return nil
	}
	f := fault.New(fault.FailedPrecondition, fault.DeathRecorded, "patient_id",
		"The patient's death is recorded: no case is opened.", "该患者已登记死亡，不能新建病例。")
	if dead.VisibleTo(access.From(ctx)) {
		f = f.With("referral_id", dead.ID)
	}
	return f
}

// regrouped are the events of records that became one person's, or two people's again.
var regrouped = map[string]string{"MERGED": "RECORDS_MERGED", "SEPARATED": "RECORDS_SEPARATED"}

// regroup shows on the timeline that the patient's records were merged or separated, and owes a look at what that means for
// the case: whose death is known ends it, whose death was another person's does not.
func (r *Referral) regroup(a Act, h Happening) (ignored bool) {
	kind := h.Reason + "@" + h.Occurred.UTC().Format("20060102T150405.000000")
	if !r.Live() && (r.CloseReason != Died || r.DiedWith == "") || r.saw(r.PatientID, kind) {
		return true
	}
	r.see(r.PatientID, kind)
	a.Reason = ""
	r.note(regrouped[h.Reason], a)
	r.enqueue(Job{Do: JobPerson, Record: r.PatientID})
	return false
}

// Person is the job that looks at all cases of a person after records were merged or separated. A death that one of them was
// closed with closes those that go on; one that was closed with a case which is not the person's goes on again.
func (s *Service) Person(ctx context.Context, j Job) error {
	ids, err := s.recordsOf(ctx, j.Record)
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		return fault.NotFoundf("patient", j.Record)
	}
	cases, err := s.store.OfPatients(ctx, Scope{All: true}, ids, maxOfPerson)
	if err != nil {
		return err
	}
	var parted []*Referral
	for _, r := range cases {
		switch {
		case r.CloseReason != Died:
		case r.DiedWith == "":
			return s.Died(ctx, Job{ReferralID: r.ID, Record: j.Record})
		case among(cases, r.DiedWith):
		default:
			parted = append(parted, r)
		}
	}
	for _, r := range parted {
		if err := s.reviveOne(ctx, r.ID, r.DiedWith); err != nil {
			return err
		}
	}
	return nil
}
