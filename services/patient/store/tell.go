package store

import (
	"context"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/patient"
)

// tellJob carries an edit to the patient's cases; it is written with the edit.
type tellJob struct{ patient.Edit }

func (tellJob) Kind() string { return "patient_tell_cases" }

// regroupJob carries a merge, or its end, to the cases of the records; it is written with the merge.
type regroupJob struct{ patient.Regroup }

func (regroupJob) Kind() string { return "patient_tell_regroup" }

// TellWith makes w tell cases of edits, and of merges.
func TellWith(w *sqldb.Workers, use *patient.Service) {
	sqldb.Handle(w, func(ctx context.Context, args tellJob) error { return use.TellCases(ctx, args.Edit) })
	sqldb.Handle(w, func(ctx context.Context, args regroupJob) error { return use.TellRegroup(ctx, args.Regroup) })
}

// tellRegroup owes the cases what a merge, or its end, means for them.
func tellRegroup(ctx context.Context, tx *sqldb.Tx, m *patient.Merge) error {
	g := patient.Regroup{MergeID: m.ID, Survivor: m.Survivor, Merged: m.Merged, At: m.At, Organisation: m.By, Subject: m.Subject}
	if !m.EndedAt.IsZero() {
		g.Ended, g.At, g.Organisation, g.Subject = true, m.EndedAt, m.EndedBy, access.From(ctx).Subject
	}
	return tx.Enqueue(ctx, regroupJob{g})
}

func tellEdits(ctx context.Context, tx *sqldb.Tx, before, after *patient.Patient) error {
	by := access.From(ctx)
	for _, e := range after.Edits(before, by.Organisation, by.Subject, tx.Clock().Now()) {
		if err := tx.Enqueue(ctx, tellJob{e}); err != nil {
			return err
		}
	}
	return nil
}
