package patient

import (
	"context"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/patient/clinical"
)

// Judged is a clinical record with what follows from it.
type Judged struct {
	*Record
	Scores  []clinical.Score
	Missing []clinical.Missing
}

// Profile is a patient without identity, for ranking, planning and settling.
type Profile struct {
	*Patient
	Age    int
	Judged *Judged
}

// RecordClinical stores the next version of the clinical data for one organ. Faults: NOT_FOUND, STALE_VERSION,
// TIME_INVALID for a test in the future.
func (s *Service) RecordClinical(ctx context.Context, patientID, etag string, c clinical.Clinical) (*Judged, error) {
	p, err := s.visible(ctx, patientID)
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	if c.Labs != nil {
		if err := pastDay("clinical.labs.test_date", c.Labs.TestDate, now); err != nil {
			return nil, err
		}
	}
	if c.Kidney != nil {
		if err := pastDay("clinical.kidney.dialysis_start", c.Kidney.DialysisStart, now); err != nil {
			return nil, err
		}
	}
	r := &Record{Clinical: c, RecordedAt: now, RecordedBy: access.From(ctx).Organisation}
	if err := s.store.AddClinical(ctx, patientID, etag, r); err != nil {
		return nil, err
	}
	return s.judge(p, r), nil
}

// Clinical returns the latest clinical data for one organ.
func (s *Service) Clinical(ctx context.Context, patientID, organ string) (*Judged, error) {
	p, err := s.visible(ctx, patientID)
	if err != nil {
		return nil, err
	}
	r, err := s.store.LatestClinical(ctx, patientID, organ)
	if err != nil {
		return nil, err
	}
	return s.judge(p, r), nil
}

// Profile returns what a service needs of a patient; the record is nil when none was stored.
func (s *Service) Profile(ctx context.Context, patientID, organ string) (*Profile, error) {
	p, err := s.store.Get(ctx, patientID)
	if err != nil {
		return nil, err
	}
	profile := &Profile{Patient: p, Age: p.Age(s.clock.Now())}
	r, err := s.store.LatestClinical(ctx, patientID, organ)
	switch {
	case fault.Is(err, fault.ReasonNotFound):
	case err != nil:
		return nil, err
	default:
		profile.Judged = s.judge(p, r)
	}
	return profile, nil
}

func (s *Service) judge(p *Patient, r *Record) *Judged {
	return &Judged{
		Record: r, Missing: clinical.MissingData(&r.Clinical),
		Scores: clinical.Scores(&r.Clinical, AgeOn(p.BirthDate, r.RecordedAt), p.Sex == Female),
	}
}

func pastDay(field, day string, now time.Time) error {
	if day == "" {
		return nil
	}
	t, err := time.ParseInLocation(time.DateOnly, day, clock.Shanghai)
	if err != nil || t.After(now) {
		return fault.New(fault.InvalidArgument, fault.TimeInvalid, field, "The day is no day of the past.", "日期无效或在将来。")
	}
	return nil
}
