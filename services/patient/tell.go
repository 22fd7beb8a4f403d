package patient

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Edit is a change of data that a ranking may have used. It names the data, never their values.
type Edit struct {
	PatientID string `json:"patient_id"`
	// Kind is CLINICAL, COVERAGE or RESIDENCE; Organ is that of clinical data.
	Kind    string `json:"kind"`
	Organ   string `json:"organ,omitempty"`
	Version int64  `json:"version"`
	// Data are the names of what changed.
	Data                  []string  `json:"data,omitempty"`
	At                    time.Time `json:"at"`
	Organisation, Subject string
}

// mostNamed bounds the names of data in one edit.
const mostNamed = 100

// TellCases is the job that tells a patient's live cases of an edit, each once; which of them were ranked before it, they know.
func (s *Service) TellCases(ctx context.Context, e Edit) error {
	p, err := s.store.Get(ctx, e.PatientID)
	if err != nil {
		return err
	}
	for _, id := range append([]string{p.ID}, p.MergedIDs...) {
		live, err := s.peers.LiveCases(ctx, id)
		if err != nil {
			return err
		}
		for _, c := range live {
			if e.Organ != "" && e.Organ != c.Organ {
				continue
			}
			if err := s.peers.FactsChanged(ctx, fmt.Sprintf("facts-%s-%s-%d", c.ReferralID, e.Kind[:2], e.Version), c.ReferralID, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// Regroup is that a merge was made or undone: records are one person's from now on, or two people's again.
type Regroup struct {
	MergeID, Survivor, Merged string
	Ended                     bool
	At                        time.Time
	Organisation, Subject     string
}

// TellRegroup is the job that tells the cases of the records that they are one person's now, or no longer, each once,
// also those that were closed: it may have been by a death that is known of the other record, or that was another person's.
func (s *Service) TellRegroup(ctx context.Context, g Regroup) error {
	e := Edit{Kind: "MERGED", At: g.At, Organisation: g.Organisation, Subject: g.Subject}
	if g.Ended {
		e.Kind = "SEPARATED"
	}
	told := map[string]bool{}
	for _, record := range []string{g.Survivor, g.Merged} {
		p, err := s.store.Get(ctx, record)
		if err != nil {
			return err
		}
		e.PatientID, e.Version = p.ID, p.Version
		for _, id := range append([]string{p.ID}, p.MergedIDs...) {
			if told[id] {
				continue
			}
			told[id] = true
			of, err := s.peers.Cases(ctx, id)
			if err != nil {
				return err
			}
			for _, c := range of {
				if err := s.peers.FactsChanged(ctx, c.ReferralID+"-"+g.MergeID+"-"+e.Kind[:1], c.ReferralID, e); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// edits are what a change of a patient's own record touches of what rankings use.
func edits(before, after *Patient) []string {
	var kinds []string
	if before.ResidenceCity != after.ResidenceCity {
		kinds = append(kinds, "RESIDENCE")
	}
	b, a := before.Coverage, after.Coverage
	if b.Province != a.Province || b.PoolingArea != a.PoolingArea || b.Scheme != a.Scheme || b.Retired != a.Retired ||
		b.CivilServant != a.CivilServant || !slices.Equal(b.Groups, a.Groups) {
		kinds = append(kinds, "COVERAGE")
	}
	return kinds
}

// Edits are the edits that a change from one state of a record to the next makes.
func (p *Patient) Edits(before *Patient, organisation, subject string, at time.Time) []Edit {
	var all []Edit
	for _, kind := range edits(before, p) {
		all = append(all, Edit{PatientID: p.ID, Kind: kind, Version: p.Version, At: at, Organisation: organisation, Subject: subject})
	}
	return all
}

// Edit is what a version of clinical data changed; nil for the first, before which nothing was ranked.
func (r *Record) Edit(patientID string) *Edit {
	if r.Version < 2 {
		return nil
	}
	e := &Edit{
		PatientID: patientID, Kind: "CLINICAL", Organ: r.Clinical.Organ, Version: int64(r.Version), At: r.RecordedAt,
		Organisation: r.RecordedBy, Subject: r.Subject,
	}
	for path, changed := range r.Changed {
		if changed.Version == r.Version {
			e.Data = append(e.Data, path)
		}
	}
	if len(e.Data) == 0 {
		return nil
	}
	slices.Sort(e.Data)
	e.Data = e.Data[:min(len(e.Data), mostNamed)]
	return e
}
