package patient

import (
	"context"
	"strconv"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
)

// Merge keeps one record under another (合并). Nothing is moved: ids are answered with the survivor while it holds, and
// ending it restores both records exactly.
type Merge struct {
	ID, Survivor, Merged string
	At                   time.Time
	By, Subject, Reason  string
	EndedAt              time.Time
	EndedBy, EndReason   string
	// CarriesDeathOf is the record whose recorded death the merge carried to the other; empty where it carried none.
	CarriesDeathOf string
}

// LiveCase is a case of a patient, one that goes on where nothing else is said.
type LiveCase struct {
	ReferralID, PatientID, Organ string
	// Closed, and whether the patient's death is recorded on it.
	Closed, Death bool
}

// Cases carries what the referral service tells into MergePatients.
type Cases struct {
	all []LiveCase
	err error
}

// maxGroup bounds how many records are kept under one.
const maxGroup = 20

// PrepareMerge asks for the cases of both records, outside the transaction that merges them.
func (s *Service) PrepareMerge(ctx context.Context, survivor, merged string) Cases {
	var all Cases
	for _, id := range []string{survivor, merged} {
		p, err := s.mergeable(ctx, id)
		if err != nil {
			return Cases{err: err}
		}
		for _, of := range append([]string{p.ID}, p.MergedIDs...) {
			cases, err := s.peers.Cases(ctx, of)
			if err != nil {
				return Cases{err: err}
			}
			for _, c := range cases {
				c.PatientID = p.ID
				all.all = append(all.all, c)
			}
		}
	}
	return all
}

// mergeable returns a record the caller may merge: operations any, a coordinator those of the own organisation.
func (s *Service) mergeable(ctx context.Context, id string) (*Patient, error) {
	p, err := s.store.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	if caller := access.From(ctx); !caller.MaySee(p.RegisteredBy) {
		return nil, access.NotVisible(kind, id)
	}
	return p, nil
}

// MergePatients keeps the merged record under the survivor. A death that is recorded of one of the two alone must be named: it
// ends the other's cases. Faults: NOT_FOUND, STALE_VERSION, MERGE_REFUSED for records that are one already or that both have a
// live case for an organ, DEATH_UNCONFIRMED, and what asking for the cases failed with.
func (s *Service) MergePatients(ctx context.Context, survivor, etag, merged, mergedEtag, reason, carriesDeathOf string, cases Cases) (*Merge, View, error) {
	if cases.err != nil {
		return nil, View{}, cases.err
	}
	caller := access.From(ctx)
	m := &Merge{
		ID: s.ids.New("mrg"), Survivor: survivor, Merged: merged, At: s.clock.Now(), By: caller.Organisation, Subject: caller.Subject, Reason: reason,
		CarriesDeathOf: carriesDeathOf,
	}
	p, err := s.store.Merge(ctx, m, etag, mergedEtag, func(keep, under *Patient) error {
		for _, p := range []*Patient{keep, under} {
			if !caller.MaySee(p.RegisteredBy) {
				return access.NotVisible(kind, p.ID)
			}
		}
		switch {
		case keep.ID == under.ID:
			return mergeRefused("SAME_RECORD", "Both ids are one record already.", "两个编号已是同一档案。")
		case keep.ID != survivor || under.ID != merged:
			return mergeRefused("MERGED_ALREADY", "One of the ids is kept under another record: name that one.", "其中一个编号已并入其他档案，请使用其现档案。")
		case len(keep.MergedIDs)+len(under.MergedIDs)+1 > maxGroup:
			return mergeRefused("TOO_MANY", "Too many records would be kept under one.", "并入同一档案的记录过多。")
		}
		if err := conflict(cases.all, keep.ID, under.ID); err != nil {
			return err
		}
		return confirmed(cases.all, keep.ID, under.ID, carriesDeathOf)
	})
	if err != nil {
		return nil, View{}, err
	}
	return m, p.For(caller), nil
}

// conflict refuses two live cases for one organ: a person has at most one.
func conflict(cases []LiveCase, survivor, merged string) error {
	organs := map[string]bool{}
	for _, c := range cases {
		if c.PatientID == survivor && !c.Closed {
			organs[c.Organ] = true
		}
	}
	for _, c := range cases {
		if c.PatientID == merged && !c.Closed && organs[c.Organ] {
			return mergeRefused("LIVE_CASES", "Both records have a live case for the same organ.", "两份档案对同一器官均有在办病例。").With("referral_id", c.ReferralID)
		}
	}
	return nil
}

// carried is the record whose death a merge carries to the other, and how many cases of that one go on; empty where the death of
// both is recorded, or of neither.
func carried(cases []LiveCase, survivor, merged string) (deathOf string, goOn int) {
	died, live := map[string]bool{}, map[string]int{}
	for _, c := range cases {
		died[c.PatientID] = died[c.PatientID] || c.Death
		if !c.Closed {
			live[c.PatientID]++
		}
	}
	switch {
	case died[survivor] == died[merged]:
		return "", 0
	case died[survivor]:
		return survivor, live[merged]
	}
	return merged, live[survivor]
}

// confirmed refuses a merge that carries a death nobody named: of a living person by mistake it would give away the bed. What is
// named must be so as well.
func confirmed(cases []LiveCase, survivor, merged, named string) error {
	deathOf, goOn := carried(cases, survivor, merged)
	switch {
	case deathOf == named:
		return nil
	case deathOf == "":
		f := mergeRefused("NO_DEATH", "No death is recorded of one of the two records alone: the merge carries none.", "并非仅有一份档案登记了死亡，合并不涉及死亡。")
		f.Field = "carries_death_of"
		return f
	}
	n := strconv.Itoa(goOn)
	return fault.New(fault.FailedPrecondition, fault.DeathUnconfirmed, "carries_death_of",
		"A death is recorded of one of the two records alone. Merged, it counts for both: the other's live cases ("+n+") are closed, their offers, beds and moves given back, and no case is opened any more.",
		"仅一份档案登记了死亡。合并后视为同一人已死亡：另一档案的在办病例（"+n+"例）将结案，其邀约、床位和转运随之释放，且不能再建立病例。").
		With("carries_death_of", deathOf).With("live_cases", n)
}

func mergeRefused(why, en, zh string) *fault.Fault {
	return fault.New(fault.FailedPrecondition, fault.MergeRefused, "merged_id", en, zh).With("why", why)
}

// Unmerge ends a merge. Faults: NOT_FOUND, MERGE_REFUSED when it ended already.
func (s *Service) Unmerge(ctx context.Context, patientID, mergeID, reason string) (*Merge, error) {
	caller := access.From(ctx)
	now := s.clock.Now()
	return s.store.Unmerge(ctx, mergeID, func(m *Merge, survivor, merged *Patient) error {
		if patientID != m.Merged && patientID != m.Survivor || !caller.MaySee(survivor.RegisteredBy) || !caller.MaySee(merged.RegisteredBy) {
			return access.NotVisible("merge", mergeID)
		}
		if !m.EndedAt.IsZero() {
			return mergeRefused("ENDED", "This merge was undone already.", "该合并已撤销。")
		}
		m.EndedAt, m.EndedBy, m.EndReason = now, caller.Organisation, reason
		return nil
	})
}

// Merges returns the merges a record took part in, newest first.
func (s *Service) Merges(ctx context.Context, patientID string) ([]*Merge, error) {
	if _, err := s.mergeable(ctx, patientID); err != nil {
		return nil, err
	}
	return s.store.Merges(ctx, patientID, 200)
}
