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

// TellWith makes w tell cases of edits.
func TellWith(w *sqldb.Workers, tell func(ctx context.Context, e patient.Edit) error) {
	sqldb.Handle(w, func(ctx context.Context, args tellJob) error { return tell(ctx, args.Edit) })
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
