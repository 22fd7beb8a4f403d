package patient

import (
	"context"
	"maps"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/patient/clinical"
)

// Judged is a clinical record with what is missing of it.
type Judged struct {
	*Record
	Missing []clinical.Missing
}

// Profile is a patient without identity, for ranking, planning and settling.
type Profile struct {
	*Patient
	Age    int
	Judged *Judged
}

// Version is a version of a clinical record with what it changed.
type Version struct {
	*Record
	Changes []clinical.Change
}

// RecordClinical stores the next version of the clinical data for one organ. A missing datum refuses nothing. Faults:
// NOT_FOUND, STALE_VERSION, and those of clinical.Check.
func (s *Service) RecordClinical(ctx context.Context, patientID, etag string, c clinical.Clinical) (*Judged, error) {
	p, err := s.visible(ctx, patientID)
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	if err := clinical.Check(&c, p.BirthDate, now); err != nil {
		return nil, err
	}
	caller := access.From(ctx)
	r, err := s.store.AddClinical(ctx, p.ID, c.Organ, etag, func(before *Record) (*Record, error) {
		r := &Record{
			Clinical: c, RecordedAt: now, RecordedBy: caller.Organisation, Subject: caller.Subject, Version: 1,
			Rules: clinical.RulesVersion, Scores: clinical.Scores(&c, p.person(&c, now)), Changed: map[string]DatumTime{},
		}
		var old *clinical.Clinical
		if before != nil {
			old, r.Version = &before.Clinical, before.Version+1
			maps.Copy(r.Changed, before.Changed)
			if before.Changed == nil { // a version from before this was kept: its own time is the earliest known
				for path := range clinical.Data(old) {
					r.Changed[path] = DatumTime{before.RecordedAt, before.Version}
				}
			}
		}
		for _, change := range clinical.Changes(old, &c) {
			r.Changed[change.Path] = DatumTime{now, r.Version}
		}
		return r, nil
	})
	if err != nil {
		return nil, err
	}
	return judge(p, r), nil
}

// CheckClinical refuses what RecordClinical would refuse of a person born that day, and stores nothing. Faults: FIELD_INVALID
// for the day, and those of clinical.Check.
func (s *Service) CheckClinical(birthDate string, c clinical.Clinical) error {
	born, err := tidyDay("birth_date", birthDate)
	if err != nil {
		return err
	}
	return clinical.Check(&c, born, s.clock.Now())
}

// Clinical returns the latest clinical data for one organ.
func (s *Service) Clinical(ctx context.Context, patientID, organ string) (*Judged, error) {
	p, err := s.visible(ctx, patientID)
	if err != nil {
		return nil, err
	}
	r, err := s.store.LatestClinical(ctx, p.ID, organ)
	if err != nil {
		return nil, err
	}
	return judge(p, r), nil
}

// Versions returns a page of the versions of a record, newest first, each with what it changed.
func (s *Service) Versions(ctx context.Context, patientID, organ string, before int32, limit int) ([]Version, error) {
	p, err := s.visible(ctx, patientID)
	if err != nil {
		return nil, err
	}
	records, err := s.store.ClinicalVersions(ctx, p.ID, organ, before, limit+1)
	if err != nil {
		return nil, err
	}
	versions := make([]Version, 0, limit)
	for i, r := range records[:min(limit, len(records))] {
		var old *clinical.Clinical
		if i+1 < len(records) {
			old = &records[i+1].Clinical
		}
		versions = append(versions, Version{r, clinical.Changes(old, &r.Clinical)})
	}
	return versions, nil
}

// Profile returns what a service needs of a patient; the record is nil when none was stored.
func (s *Service) Profile(ctx context.Context, patientID, organ string) (*Profile, error) {
	p, err := s.store.Get(ctx, patientID)
	if err != nil {
		return nil, err
	}
	profile := &Profile{Patient: p, Age: p.Age(s.clock.Now())}
	r, err := s.store.LatestClinical(ctx, p.ID, organ)
	switch {
	case fault.Is(err, fault.ReasonNotFound):
	case err != nil:
		return nil, err
	default:
		profile.Judged = judge(p, r)
	}
	return profile, nil
}

// judge adds what is missing. A record from before scores were kept has them computed for the day it was recorded.
func judge(p *Patient, r *Record) *Judged {
	person := p.person(&r.Clinical, r.RecordedAt)
	if r.Rules == "" {
		r.Scores = clinical.Scores(&r.Clinical, person)
	}
	return &Judged{Record: r, Missing: clinical.MissingData(&r.Clinical, person)}
}

// person is what the formulas need of a patient on a day.
func (p *Patient) person(c *clinical.Clinical, day time.Time) clinical.Person {
	registered := p.CreatedAt
	if first, err := time.ParseInLocation(time.DateOnly, c.FirstRegistered, clock.Shanghai); err == nil && first.Before(registered) {
		registered = first
	}
	return clinical.Person{Months: MonthsOn(p.BirthDate, day), RegisteredMonths: MonthsOn(p.BirthDate, registered), Female: p.Sex == Female}
}
