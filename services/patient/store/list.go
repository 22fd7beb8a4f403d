package store

import (
	"context"
	"time"

	"huhang.example/services/internal/sqldb"
	"huhang.example/services/patient"
)

// visible is the condition that the organisation $2 may see the patient p: it registered one of its records, or a case gave it access to one. Empty: all.
const visible = `($2 = '' OR p.registered_by = $2
			OR p.patient_id IN (SELECT CASE WHEN g.merged_into = '' THEN g.patient_id ELSE g.merged_into END FROM patient g
				WHERE g.patient_id IN (SELECT patient_id FROM access_grant WHERE organisation = $2 AND revoked_at = 0)
					OR (g.registered_by = $2 AND g.merged_into <> '')))`

// List returns a page of patients; a merged record is listed as its survivor.
func (s *Store) List(ctx context.Context, organisation, before string, limit int) ([]*patient.Patient, error) {
	if before == "" {
		before = "~" // behind every id
	}
	return s.read(ctx, "SELECT "+columns+" FROM patient p WHERE p.patient_id < $1 AND p.merged_into = '' AND "+visible+
		" ORDER BY p.patient_id DESC LIMIT $3", before, organisation, limit)
}

const byName = "name"

// FindName returns the patients of a name; a merged record's name finds its survivor.
func (s *Store) FindName(ctx context.Context, name, organisation string, limit int) ([]*patient.Patient, error) {
	values, err := s.sealer.Indexes(byName, name)
	if err != nil {
		return nil, err
	}
	var found []*patient.Patient
	for _, value := range values {
		list, err := s.read(ctx, "SELECT "+columns+` FROM patient p WHERE p.patient_id IN (SELECT CASE WHEN m.merged_into = '' THEN m.patient_id ELSE m.merged_into END
			FROM patient_name n JOIN patient m ON m.patient_id = n.patient_id WHERE n.value = $1) AND `+visible+
			" ORDER BY p.patient_id DESC LIMIT $3", value, organisation, limit-len(found))
		if err != nil {
			return nil, err
		}
		found = append(found, list...)
	}
	return found, nil
}

func (s *Store) read(ctx context.Context, sql string, args ...any) (patients []*patient.Patient, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		patients = nil
		rows, err := q.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			p, err := s.scan(rows)
			if err != nil {
				return err
			}
			patients = append(patients, p)
		}
		return rows.Err()
	})
	return patients, err
}

func (s *Store) indexName(ctx context.Context, tx *sqldb.Tx, p *patient.Patient) error {
	values, err := s.sealer.Indexes(byName, patient.IndexName(p.Identity.Name))
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO patient_name (value, patient_id) VALUES ($1, $2) ON CONFLICT DO NOTHING", values[0], p.ID)
	return err
}

type indexNamesJob struct{}

func (indexNamesJob) Kind() string { return "patient_index_names" }

// nameBatch is how many records one transaction brings into the index of names.
const nameBatch = 500

// IndexNamesWith makes w bring into the index of names whoever was registered before there was one.
func IndexNamesWith(w *sqldb.Workers, s *Store) {
	sqldb.Handle(w, func(ctx context.Context, _ indexNamesJob) error { return s.IndexNames(ctx) })
	sqldb.Every(w, 24*time.Hour, indexNamesJob{})
}

// IndexNames brings every record into the index of names that is not in it.
func (s *Store) IndexNames(ctx context.Context) error {
	for {
		missing, err := s.read(ctx, "SELECT "+columns+` FROM patient p WHERE NOT EXISTS (SELECT 1 FROM patient_name n WHERE n.patient_id = p.patient_id)
			ORDER BY p.patient_id LIMIT $1`, nameBatch)
		if err != nil || len(missing) == 0 {
			return err
		}
		err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			for _, p := range missing {
				if err := s.indexName(ctx, tx, p); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}
