package store

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/matching"
	"huhang.example/services/matching/ranking"
)

// largestRun is more than a run over the largest directory takes, opened.
const largestRun = 64 << 20

// seal closes a run, bound to its id so that it opens in no other's place.
func (s *Store) seal(r *matching.Run) ([]byte, error) {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestSpeed)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(json.NewEncoder(w).Encode(r), w.Close()); err != nil {
		return nil, err
	}
	return s.cipher.Encrypt(b.Bytes(), []byte("match_run "+r.ID))
}

func (s *Store) open(id string, sealed []byte) (*matching.Run, error) {
	packed, err := s.cipher.Decrypt(sealed, []byte("match_run "+id))
	if err != nil {
		return nil, fmt.Errorf("stored run: %w", err)
	}
	r := new(matching.Run)
	if err := json.NewDecoder(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), largestRun)).Decode(r); err != nil {
		return nil, fmt.Errorf("stored run: %w", err)
	}
	return r, nil
}

// InsertRun keeps a run.
func (s *Store) InsertRun(ctx context.Context, r *matching.Run) error {
	sealed, err := s.seal(r)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO match_run (match_run_id, referral_id, referrer, run_at, doc, sealed, organ) VALUES ($1, $2, $3, $4, '', $5, $6)",
			r.ID, r.ReferralID, r.Referrer, clock.Micros(r.Input.At), sealed, r.Input.Organ)
		return err
	})
}

// Run returns a run.
func (s *Store) Run(ctx context.Context, matchRunID string) (r *matching.Run, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		r, err = s.scanRun(q.QueryRow(ctx, "SELECT match_run_id, doc, sealed FROM match_run WHERE match_run_id = $1", matchRunID))
		return err
	})
	return r, absent(err, "match run", matchRunID)
}

// LastRun returns the case's latest run for an organ, nil when there is none.
func (s *Store) LastRun(ctx context.Context, referralID, organ string) (r *matching.Run, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		r, err = s.scanRun(q.QueryRow(ctx, `SELECT match_run_id, doc, sealed FROM match_run WHERE referral_id = $1 AND organ = $2
			ORDER BY run_at DESC, match_run_id DESC LIMIT 1`, referralID, organ))
		return err
	})
	if errors.Is(err, sqldb.ErrNoRows) {
		return nil, nil
	}
	return r, err
}

func (s *Store) scanRun(row sqldb.Row) (*matching.Run, error) {
	var id, doc string
	var sealed []byte
	if err := row.Scan(&id, &doc, &sealed); err != nil {
		return nil, err
	}
	if sealed != nil {
		return s.open(id, sealed)
	}
	r := new(matching.Run)
	if err := json.Unmarshal([]byte(doc), r); err != nil {
		return nil, fmt.Errorf("stored run: %w", err)
	}
	return r, nil
}

// AddWeights keeps a version of the weights; one that is there is left as it is, and told.
func (s *Store) AddWeights(ctx context.Context, w *ranking.Weights) (added bool, err error) {
	doc, err := encode(w)
	if err != nil {
		return false, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		n, err := tx.Exec(ctx, "INSERT INTO weights (version, effective_from, doc) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", w.Version, w.EffectiveFrom, doc)
		if added = n == 1; err != nil || !added {
			return err
		}
		return revise(ctx, tx)
	})
	return added, err
}

// maxWeights versions are read; more than anybody makes.
const maxWeights = 1000

// Weights returns the versions by their first day.
func (s *Store) Weights(ctx context.Context) (all []*ranking.Weights, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		all = nil
		rows, err := q.Query(ctx, "SELECT doc FROM weights ORDER BY effective_from DESC, version DESC LIMIT $1", maxWeights)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			w, err := decode[ranking.Weights](rows)
			if err != nil {
				return err
			}
			// A term this binary does not know counted for nothing if it were let through.
			if err := w.Check(); err != nil {
				return fmt.Errorf("stored weights %q: %w", w.Version, err)
			}
			all = append([]*ranking.Weights{w}, all...)
		}
		return rows.Err()
	})
	return all, err
}
