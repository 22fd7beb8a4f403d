package patient

import (
	"context"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/patient/recognition"
)

// Catalogue is the list of items that results are recorded and recognised by.
func (s *Service) Catalogue() *recognition.Catalogue { return s.catalogue }

// RecordResult records the result of an examination. Faults: NOT_FOUND, and those of recognition.Check.
func (s *Service) RecordResult(ctx context.Context, r recognition.Result) (*recognition.Result, error) {
	p, err := s.visible(ctx, r.PatientID)
	if err != nil {
		return nil, err
	}
	if r.DocumentID != "" {
		if _, err := s.document(ctx, p, r.DocumentID); err != nil {
			return nil, err
		}
	}
	caller := access.From(ctx)
	r.ID, r.PatientID, r.RecordedBy, r.RecordedAt = s.ids.New("rst"), p.ID, caller.Organisation, s.clock.Now()
	if r.PerformedBy == "" {
		r.PerformedBy = caller.Organisation
	}
	if err := s.catalogue.Check(&r, p.BirthDate, r.RecordedAt); err != nil {
		return nil, err
	}
	return &r, s.store.InsertResult(ctx, &r)
}

// Results returns a page of a patient's results, newest examination first, behind the cursor.
func (s *Service) Results(ctx context.Context, patientID, item, after string, limit int) ([]*recognition.Result, error) {
	p, err := s.visible(ctx, patientID)
	if err != nil {
		return nil, err
	}
	return s.store.Results(ctx, p.ID, item, after, limit)
}

// JudgeResult records what the caller's hospital makes of a result. Faults: NOT_FOUND, and those of recognition.Judge.
func (s *Service) JudgeResult(ctx context.Context, patientID, resultID string, j recognition.Judgement) (*recognition.Result, error) {
	p, err := s.visible(ctx, patientID)
	if err != nil {
		return nil, err
	}
	caller := access.From(ctx)
	j.Organisation, j.Subject = caller.Organisation, caller.Subject
	now := s.clock.Now()
	return s.store.Judge(ctx, p.ID, resultID, func(r *recognition.Result) (recognition.Judgement, error) {
		return s.catalogue.Judge(r, j, now)
	})
}

// SumAvoided sums what recognition saved, by month and hospital; the caller sees its own, operations all. Faults:
// NOT_FOUND for another hospital's.
func (s *Service) SumAvoided(ctx context.Context, from, to, organisation string) ([]recognition.Sum, error) {
	caller := access.From(ctx)
	if !caller.MaySee() {
		if organisation != "" && organisation != caller.Organisation {
			return nil, access.NotVisible("organisation", organisation)
		}
		organisation = caller.Organisation
	}
	if from != "" && to != "" && from > to {
		return nil, fault.New(fault.InvalidArgument, fault.FieldInvalid, "to_month", "The last month precedes the first.", "截止月份早于起始月份。")
	}
	return s.store.SumAvoided(ctx, from, to, organisation, 2400)
}
