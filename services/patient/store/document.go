package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/patient/document"
)

// pieceSize is how much of a document one row holds.
const pieceSize = 256 << 10

// scanAgain is how long a document waits for a scanner that was away.
const scanAgain = 30 * time.Second

type scanJob struct {
	DocumentID string `json:"document_id"`
}

func (scanJob) Kind() string { return "document_scan" }

// ScanWith makes w have documents scanned. While the scanner is away a document waits in quarantine without end.
func ScanWith(w *sqldb.Workers, scan func(ctx context.Context, documentID string) error) {
	sqldb.Handle(w, func(ctx context.Context, args scanJob) error {
		err := scan(ctx, args.DocumentID)
		if fault.Is(err, fault.PeerUnavailable) {
			return sqldb.Snooze(scanAgain)
		}
		return err
	})
}

type documentDoc struct {
	Kind           string    `json:"kind"`
	ContentType    string    `json:"content_type"`
	SHA256         string    `json:"sha256"`
	Scanner        string    `json:"scanner,omitempty"`
	Finding        string    `json:"finding,omitempty"`
	ScannedAt      time.Time `json:"scanned_at,omitzero"`
	UploadedBy     string    `json:"uploaded_by"`
	Subject        string    `json:"subject"`
	WithdrawReason string    `json:"withdraw_reason,omitempty"`
}

func encodeDocument(d *document.Document) (string, error) {
	b, err := json.Marshal(documentDoc{d.Kind, d.ContentType, d.SHA256, d.Scanner, d.Finding, d.ScannedAt, d.UploadedBy, d.Subject, d.WithdrawReason})
	return string(b), err
}

const documentColumns = "document_id, patient_id, status, size, uploaded_at, doc"

func scanDocument(row interface{ Scan(...any) error }) (*document.Document, error) {
	var (
		d    document.Document
		at   int64
		text string
		in   documentDoc
	)
	if err := row.Scan(&d.ID, &d.PatientID, &d.Status, &d.Size, &at, &text); err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(text), &in); err != nil {
		return nil, fmt.Errorf("stored document: %w", err)
	}
	d.Kind, d.ContentType, d.SHA256, d.Scanner, d.Finding = in.Kind, in.ContentType, in.SHA256, in.Scanner, in.Finding
	d.ScannedAt, d.UploadedBy, d.Subject, d.WithdrawReason = in.ScannedAt, in.UploadedBy, in.Subject, in.WithdrawReason
	d.UploadedAt = clock.FromMicros(at)
	return &d, nil
}

// pieceOwner binds a piece to its place in its document and to the number of pieces: none can be left out or moved.
func pieceOwner(id string, number, of int) []byte {
	return fmt.Appendf(nil, "%s/%d/%d", id, number, of)
}

func pieces(size int64) int { return int((size + pieceSize - 1) / pieceSize) }

// InsertDocument keeps a document and owes its scan. The patient's row is locked first, so that of two uploads at the same
// time the second sees the first.
func (s *Store) InsertDocument(ctx context.Context, d *document.Document, content []byte, fits func(count, total, size int64) error) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if _, err := tx.Exec(ctx, "UPDATE patient SET created_at = created_at WHERE patient_id = $1", d.PatientID); err != nil {
			return err
		}
		var count, total int64
		if err := tx.QueryRow(ctx, `SELECT count(*), CAST(coalesce(sum(size), 0) AS BIGINT) FROM document
			WHERE patient_id = $1 AND status IN ('QUARANTINED', 'CLEAN')`, d.PatientID).Scan(&count, &total); err != nil {
			return err
		}
		if err := fits(count, total, d.Size); err != nil {
			return err
		}
		doc, err := encodeDocument(d)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "INSERT INTO document (document_id, patient_id, status, size, uploaded_at, doc) VALUES ($1, $2, $3, $4, $5, $6)",
			d.ID, d.PatientID, d.Status, d.Size, clock.Micros(d.UploadedAt), doc); err != nil {
			return err
		}
		of := pieces(d.Size)
		for n := range of {
			sealed, err := s.sealer.Encrypt(content[n*pieceSize:min((n+1)*pieceSize, len(content))], pieceOwner(d.ID, n, of))
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "INSERT INTO document_piece (document_id, number, sealed) VALUES ($1, $2, $3)", d.ID, int64(n), sealed); err != nil {
				return err
			}
		}
		return tx.Enqueue(ctx, scanJob{d.ID})
	})
}

// Document returns a document.
func (s *Store) Document(ctx context.Context, id string) (d *document.Document, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		d, err = scanDocument(q.QueryRow(ctx, "SELECT "+documentColumns+" FROM document WHERE document_id = $1", id))
		return err
	})
	if errors.Is(err, sqldb.ErrNoRows) {
		return nil, fault.NotFoundf("document", id)
	}
	return d, err
}

// Documents returns a patient's documents.
func (s *Store) Documents(ctx context.Context, id string, limit int) (all []*document.Document, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		all = nil
		rows, err := q.Query(ctx, "SELECT "+documentColumns+" FROM document WHERE patient_id IN ("+group+") ORDER BY uploaded_at DESC, document_id DESC LIMIT $2", id, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			d, err := scanDocument(rows)
			if err != nil {
				return err
			}
			all = append(all, d)
		}
		return rows.Err()
	})
	return all, err
}

// Content returns what a document contains, whole or not at all.
func (s *Store) Content(ctx context.Context, d *document.Document) (content []byte, err error) {
	of := pieces(d.Size)
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		content = make([]byte, 0, d.Size)
		rows, err := q.Query(ctx, "SELECT number, sealed FROM document_piece WHERE document_id = $1 ORDER BY number", d.ID)
		if err != nil {
			return err
		}
		defer rows.Close()
		for n := 0; rows.Next(); n++ {
			var number int64
			var sealed []byte
			if err := rows.Scan(&number, &sealed); err != nil {
				return err
			}
			piece, err := s.sealer.Decrypt(sealed, pieceOwner(d.ID, n, of))
			if err != nil {
				return fmt.Errorf("a stored piece does not open: %w", err)
			}
			content = append(content, piece...)
		}
		return rows.Err()
	})
	if err == nil && int64(len(content)) != d.Size {
		return nil, fmt.Errorf("stored document has %d bytes of %d", len(content), d.Size)
	}
	return content, err
}

// UpdateDocument changes a document; what it contained is deleted when it became infected or withdrawn.
func (s *Store) UpdateDocument(ctx context.Context, id string, change func(*document.Document) error) (d *document.Document, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		n, err := tx.Exec(ctx, "UPDATE document SET size = size WHERE document_id = $1", id)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.NotFoundf("document", id)
		}
		if d, err = scanDocument(tx.QueryRow(ctx, "SELECT "+documentColumns+" FROM document WHERE document_id = $1", id)); err != nil {
			return err
		}
		if err := change(d); err != nil {
			return err
		}
		doc, err := encodeDocument(d)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE document SET status = $1, doc = $2 WHERE document_id = $3", d.Status, doc, id); err != nil {
			return err
		}
		if d.Status != document.Infected && d.Status != document.Withdrawn {
			return nil
		}
		_, err = tx.Exec(ctx, "DELETE FROM document_piece WHERE document_id = $1", id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}
