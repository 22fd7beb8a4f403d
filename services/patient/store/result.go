package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/patient/recognition"
)

// resultDoc is what is kept of a result in the clear, findings what is sealed.
type resultDoc struct {
	PerformedBy string    `json:"performed_by"`
	Mark        string    `json:"mark,omitempty"`
	ValidUntil  string    `json:"valid_until"`
	DocumentID  string    `json:"document_id,omitempty"`
	RecordedBy  string    `json:"recorded_by"`
	RecordedAt  time.Time `json:"recorded_at"`
	Catalogue   string    `json:"catalogue"`
}

type findings struct {
	Method string   `json:"method,omitempty"`
	Value  *float64 `json:"value,omitempty"`
	Unit   string   `json:"unit,omitempty"`
	Text   string   `json:"text,omitempty"`
}

// InsertResult adds a result.
func (s *Store) InsertResult(ctx context.Context, r *recognition.Result) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		sealed, err := s.seal(findings{r.Method, r.Value, r.Unit, r.Text}, r.ID)
		if err != nil {
			return err
		}
		doc, err := json.Marshal(resultDoc{r.PerformedBy, r.Mark, r.ValidUntil, r.DocumentID, r.RecordedBy, r.RecordedAt, r.Catalogue})
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "INSERT INTO result (result_id, patient_id, item_code, performed_on, doc, sealed) VALUES ($1, $2, $3, $4, $5, $6)",
			r.ID, r.PatientID, r.ItemCode, r.PerformedOn, string(doc), sealed)
		return err
	})
}

const resultColumns = "result_id, patient_id, item_code, performed_on, doc, sealed"

func (s *Store) scanResult(row interface{ Scan(...any) error }) (*recognition.Result, error) {
	var (
		r      recognition.Result
		text   string
		sealed []byte
		d      resultDoc
		f      findings
	)
	if err := row.Scan(&r.ID, &r.PatientID, &r.ItemCode, &r.PerformedOn, &text, &sealed); err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return nil, fmt.Errorf("stored result: %w", err)
	}
	if err := s.open(sealed, r.ID, &f); err != nil {
		return nil, err
	}
	r.PerformedBy, r.Mark, r.ValidUntil, r.DocumentID = d.PerformedBy, d.Mark, d.ValidUntil, d.DocumentID
	r.RecordedBy, r.RecordedAt, r.Catalogue = d.RecordedBy, d.RecordedAt, d.Catalogue
	r.Method, r.Value, r.Unit, r.Text = f.Method, f.Value, f.Unit, f.Text
	return &r, nil
}

// Results returns a page of results with their judgements.
func (s *Store) Results(ctx context.Context, id, item, after string, limit int) (results []*recognition.Result, err error) {
	day, last, _ := strings.Cut(after, " ")
	err = s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		results = nil
		rows, err := q.Query(ctx, "SELECT "+resultColumns+" FROM result WHERE patient_id IN ("+group+`) AND ($2 = '' OR item_code = $2)
			AND ($3 = '' OR (performed_on, result_id) < ($3, $4)) ORDER BY performed_on DESC, result_id DESC LIMIT $5`, id, item, day, last, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			r, err := s.scanResult(rows)
			if err != nil {
				return err
			}
			results = append(results, r)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		rows.Close()
		for _, r := range results {
			if r.Judgements, err = s.judgements(ctx, q, r.ID); err != nil {
				return err
			}
		}
		return nil
	})
	return results, err
}

type remark struct {
	Comment string `json:"comment,omitempty"`
	Subject string `json:"subject,omitempty"`
}

func (s *Store) judgements(ctx context.Context, q sqldb.Querier, resultID string) ([]recognition.Judgement, error) {
	rows, err := q.Query(ctx, `SELECT organisation, decision, reason, judged_at, avoided_fen, catalogue, replaced, sealed FROM judgement
		WHERE result_id = $1 ORDER BY judged_at DESC, organisation, number DESC`, resultID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []recognition.Judgement
	for rows.Next() {
		var (
			j       recognition.Judgement
			at, fen int64
			sealed  []byte
			r       remark
		)
		if err := rows.Scan(&j.Organisation, &j.Decision, &j.Reason, &at, &fen, &j.Catalogue, &j.Replaced, &sealed); err != nil {
			return nil, err
		}
		if err := s.open(sealed, judgementOwner(resultID, j.Organisation), &r); err != nil {
			return nil, err
		}
		j.At, j.Avoided, j.Comment, j.Subject = clock.FromMicros(at), money.Fen(fen), r.Comment, r.Subject
		all = append(all, j)
	}
	return all, rows.Err()
}

func judgementOwner(resultID, organisation string) string { return resultID + "/" + organisation }

// Judge adds a judgement and marks the hospital's earlier one as replaced. Two at the same time go one after the other:
// the number is part of the key.
func (s *Store) Judge(ctx context.Context, id, resultID string, decide func(*recognition.Result) (recognition.Judgement, error)) (r *recognition.Result, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		r, err = s.scanResult(tx.QueryRow(ctx, "SELECT "+resultColumns+" FROM result WHERE result_id = $2 AND patient_id IN ("+group+")", id, resultID))
		if errors.Is(err, sqldb.ErrNoRows) {
			return fault.NotFoundf("result", resultID)
		}
		if err != nil {
			return err
		}
		j, err := decide(r)
		if err != nil {
			return err
		}
		var number int64
		if err := tx.QueryRow(ctx, "SELECT coalesce(max(number), 0) + 1 FROM judgement WHERE result_id = $1 AND organisation = $2", resultID, j.Organisation).Scan(&number); err != nil {
			return err
		}
		sealed, err := s.seal(remark{j.Comment, j.Subject}, judgementOwner(resultID, j.Organisation))
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE judgement SET replaced = TRUE WHERE result_id = $1 AND organisation = $2", resultID, j.Organisation); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `INSERT INTO judgement (result_id, organisation, number, replaced, decision, reason, judged_at, month, avoided_fen, catalogue, sealed)
			VALUES ($1, $2, $3, FALSE, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`, resultID, j.Organisation, number, j.Decision, j.Reason,
			clock.Micros(j.At), clock.Day(j.At)[:7], int64(j.Avoided), j.Catalogue, sealed)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Aborted, fault.StaleVersion, "result_id", "Another judgement of your hospital came first.", "本机构的另一判断已先登记。")
		}
		r.Judgements, err = s.judgements(ctx, tx, resultID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// SumAvoided sums judgements that were not replaced.
func (s *Store) SumAvoided(ctx context.Context, from, to, organisation string, limit int) (sums []recognition.Sum, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		sums = nil
		rows, err := q.Query(ctx, `SELECT organisation, month, CAST(sum(CASE WHEN decision = 'RECOGNISED' THEN 1 ELSE 0 END) AS BIGINT),
				CAST(sum(CASE WHEN decision = 'RECOGNISED' THEN 0 ELSE 1 END) AS BIGINT), CAST(sum(avoided_fen) AS BIGINT)
			FROM judgement WHERE NOT replaced AND ($1 = '' OR month >= $1) AND ($2 = '' OR month <= $2) AND ($3 = '' OR organisation = $3)
			GROUP BY organisation, month ORDER BY month, organisation LIMIT $4`, from, to, organisation, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var x recognition.Sum
			var fen int64
			if err := rows.Scan(&x.Organisation, &x.Month, &x.Recognised, &x.Repeated, &fen); err != nil {
				return err
			}
			x.Avoided = money.Fen(fen)
			sums = append(sums, x)
		}
		return rows.Err()
	})
	return sums, err
}
