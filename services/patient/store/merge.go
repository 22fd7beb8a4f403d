package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/patient"
)

// mergeDoc is what nobody looks a merge up by.
type mergeDoc struct {
	By        string `json:"by"`
	Subject   string `json:"subject"`
	Reason    string `json:"reason"`
	EndedBy   string `json:"ended_by,omitempty"`
	EndReason string `json:"end_reason,omitempty"`
	Death     string `json:"carries_death_of,omitempty"`
}

func (d mergeDoc) encode() (string, error) {
	b, err := json.Marshal(d)
	return string(b), err
}

// Merge keeps one record under another. Locks go by id, so that two merges of the same records wait for one another.
func (s *Store) Merge(ctx context.Context, m *patient.Merge, etag, mergedEtag string, check func(survivor, merged *patient.Patient) error) (p *patient.Patient, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		locked := map[string]*patient.Patient{}
		for _, id := range []string{min(m.Survivor, m.Merged), max(m.Survivor, m.Merged)} {
			if locked[id], err = s.lock(ctx, tx, id); err != nil {
				return err
			}
		}
		survivor, merged := locked[m.Survivor], locked[m.Merged]
		if err := check(survivor, merged); err != nil {
			return err
		}
		if survivor.Etag() != etag {
			return fault.Stale(survivor.Etag())
		}
		if merged.Etag() != mergedEtag {
			return fault.Stale(merged.Etag())
		}
		doc, err := mergeDoc{By: m.By, Subject: m.Subject, Reason: m.Reason, Death: m.CarriesDeathOf}.encode()
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO patient_merge (merge_id, survivor, merged, merged_at, ended_at, doc) VALUES ($1, $2, $3, $4, 0, $5)`,
			m.ID, m.Survivor, m.Merged, clock.Micros(m.At), doc); err != nil {
			return err
		}
		// What was kept under the merged record is from now on kept under its survivor; the rows of patient_merge remember the way.
		if _, err := tx.Exec(ctx, "UPDATE patient SET merged_into = $1 WHERE patient_id = $2 OR (merged_into = $2 AND merged_into <> '')", m.Survivor, m.Merged); err != nil {
			return err
		}
		if err := tellRegroup(ctx, tx, m); err != nil {
			return err
		}
		p, err = s.scan(tx.QueryRow(ctx, "SELECT "+columns+" FROM patient p WHERE p.patient_id = $1", m.Survivor))
		return err
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

const mergeColumns = "merge_id, survivor, merged, merged_at, ended_at, doc"

func scanMerge(row interface{ Scan(...any) error }) (*patient.Merge, error) {
	var (
		m         patient.Merge
		at, ended int64
		text      string
		d         mergeDoc
	)
	if err := row.Scan(&m.ID, &m.Survivor, &m.Merged, &at, &ended, &text); err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return nil, fmt.Errorf("stored merge: %w", err)
	}
	m.At, m.EndedAt = clock.FromMicros(at), clock.FromMicros(ended)
	m.By, m.Subject, m.Reason, m.EndedBy, m.EndReason = d.By, d.Subject, d.Reason, d.EndedBy, d.EndReason
	m.CarriesDeathOf = d.Death
	return &m, nil
}

// Unmerge ends a merge: the merged record, and what had been merged into it before, stand by themselves again.
func (s *Store) Unmerge(ctx context.Context, mergeID string, end func(m *patient.Merge, survivor, merged *patient.Patient) error) (m *patient.Merge, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var survivor string
		err := tx.QueryRow(ctx, "SELECT survivor FROM patient_merge WHERE merge_id = $1", mergeID).Scan(&survivor)
		if errors.Is(err, sqldb.ErrNoRows) {
			return fault.NotFoundf("merge", mergeID)
		}
		if err != nil {
			return err
		}
		// Whoever merges or separates in this group goes through its survivor's row.
		keep, err := s.lock(ctx, tx, survivor)
		if err != nil {
			return err
		}
		if m, err = scanMerge(tx.QueryRow(ctx, "SELECT "+mergeColumns+" FROM patient_merge WHERE merge_id = $1", mergeID)); err != nil {
			return err
		}
		merged, err := s.scan(tx.QueryRow(ctx, "SELECT "+columns+" FROM patient p WHERE p.patient_id = $1", m.Merged))
		if err != nil {
			return err
		}
		if err := end(m, keep, merged); err != nil {
			return err
		}
		doc, err := mergeDoc{m.By, m.Subject, m.Reason, m.EndedBy, m.EndReason, m.CarriesDeathOf}.encode()
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE patient_merge SET ended_at = $1, doc = $2 WHERE merge_id = $3", clock.Micros(m.EndedAt), doc, mergeID); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `WITH RECURSIVE under (patient_id) AS (
				SELECT merged FROM patient_merge WHERE survivor = $1 AND ended_at = 0
				UNION SELECT m.merged FROM patient_merge m JOIN under u ON m.survivor = u.patient_id WHERE m.ended_at = 0)
			UPDATE patient SET merged_into = $1 WHERE patient_id IN (SELECT patient_id FROM under)`, m.Merged)
		if err != nil {
			return err
		}
		if _, err = tx.Exec(ctx, "UPDATE patient SET merged_into = '', version = version + 1 WHERE patient_id = $1", m.Merged); err != nil {
			return err
		}
		return tellRegroup(ctx, tx, m)
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// Merges returns the merges of a record.
func (s *Store) Merges(ctx context.Context, id string, limit int) (merges []*patient.Merge, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		merges = nil
		rows, err := q.Query(ctx, "SELECT "+mergeColumns+" FROM patient_merge WHERE survivor = $1 OR merged = $1 ORDER BY merged_at DESC, merge_id DESC LIMIT $2", id, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			m, err := scanMerge(rows)
			if err != nil {
				return err
			}
			merges = append(merges, m)
		}
		return rows.Err()
	})
	return merges, err
}
