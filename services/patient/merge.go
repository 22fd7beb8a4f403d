package patient

import (
	"context"
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
}

// LiveCase is a case of a patient, one that goes on where nothing else is said.
type LiveCase struct{ ReferralID, PatientID, Organ string }

// Cases carries what the referral service tells into MergePatients.
type Cases struct {
	live []LiveCase
	err  error
}

// maxGroup bounds how many records are kept under one.
const maxGroup = 20

// PrepareMerge asks for the live cases of both records, outside the transaction that merges them.
func (s *Service) PrepareMerge(ctx context.Context, survivor, merged string) Cases {
	var all Cases
	for _, id := range []string{survivor, merged} {
		p, err := s.mergeable(ctx, id)
		if err != nil {
			return Cases{err: err}
		}
		for _, of := range append([]string{p.ID}, p.MergedIDs...) {
			live, err := s.peers.LiveCases(ctx, of)
			if err != nil {
				return Cases{err: err}
			}
			for _, c := range live {
				c.PatientID = p.ID
				all.live = append(all.live, c)
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

// MergePatients keeps the merged record under the survivor. Faults: NOT_FOUND, STALE_VERSION, MERGE_REFUSED for records
// that are one already or that both have a live case for an organ, and what asking for the cases failed with.
func (s *Service) MergePatients(ctx context.Context, survivor, etag, merged, mergedEtag, reason string, cases Cases) (*Merge, View, error) {
	if cases.err != nil {
		return nil, View{}, cases.err
	}
	caller := access.From(ctx)
	m := &Merge{ID: s.ids.New("mrg"), Survivor: survivor, Merged: merged, At: s.clock.Now(), By: caller.Organisation, Subject: caller.Subject, Reason: reason}
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
		return conflict(cases.live, keep.ID, under.ID)
	})
	if err != nil {
		return nil, View{}, err
	}
	return m, p.For(caller), nil
}

// conflict refuses two live cases for one organ: a person has at most one.
func conflict(live []LiveCase, survivor, merged string) error {
	organs := map[string]bool{}
	for _, c := range live {
		if c.PatientID == survivor {
			organs[c.Organ] = true
		}
	}
	for _, c := range live {
		if c.PatientID == merged && organs[c.Organ] {
			return mergeRefused("LIVE_CASES", "Both records have a live case for the same organ.", "两份档案对同一器官均有在办病例。").With("referral_id", c.ReferralID)
		}
	}
	return nil
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
