// Package store keeps the directory, match runs and offers in SQL, on SQLite and PostgreSQL alike.
//
// Invariant: an offer, its events and its jobs change in one transaction, under the offer's row lock; the partial unique
// indexes decide whatever the race.
package store

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/matching"
	"huhang.example/services/matching/directory"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations are the tables of this store.
func Migrations() fs.FS {
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return sub
}

// Store is matching.Store over a database.
type Store struct{ db *sqldb.DB }

var _ matching.Store = (*Store)(nil)

// New returns the store.
func New(db *sqldb.DB) *Store { return &Store{db} }

func encode(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

func decode[T any](row interface{ Scan(...any) error }, more ...any) (*T, error) {
	var doc string
	if err := row.Scan(append([]any{&doc}, more...)...); err != nil {
		return nil, err
	}
	v := new(T)
	if err := json.Unmarshal([]byte(doc), v); err != nil {
		return nil, fmt.Errorf("stored record: %w", err)
	}
	return v, nil
}

func absent(err error, kind, id string) error {
	if errors.Is(err, sqldb.ErrNoRows) {
		return fault.NotFoundf(kind, id)
	}
	return err
}

// Seed adds the centers that are not there.
func (s *Store) Seed(ctx context.Context, centers []*directory.Center) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		for _, c := range centers {
			doc, err := encode(c)
			if err != nil {
				return err
			}
			n, err := tx.Exec(ctx, "INSERT INTO center (center_id, line, version, doc) VALUES ($1, $2, 1, $3) ON CONFLICT DO NOTHING", c.ID, c.Line, doc)
			if err != nil {
				return err
			}
			if n == 0 {
				continue
			}
			for _, organ := range c.Organs() {
				if _, err := tx.Exec(ctx, "INSERT INTO center_organ (center_id, organ) VALUES ($1, $2)", c.ID, organ); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func scanCenter(row interface{ Scan(...any) error }) (*directory.Center, error) {
	var version int64
	c, err := decode[directory.Center](row, &version)
	if err != nil {
		return nil, err
	}
	c.Version = version
	return c, nil
}

// Center returns one center.
func (s *Store) Center(ctx context.Context, centerID string) (c *directory.Center, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		c, err = scanCenter(q.QueryRow(ctx, "SELECT doc, version FROM center WHERE center_id = $1", centerID))
		return err
	})
	return c, absent(err, "center", centerID)
}

// Centers returns a page of centers.
func (s *Store) Centers(ctx context.Context, f matching.CenterFilter, after string, limit int) (centers []*directory.Center, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		centers = nil
		rows, err := q.Query(ctx, `SELECT doc, version FROM center WHERE center_id > $1 AND ($2 = '' OR line = $2)
			AND ($3 = '' OR center_id IN (SELECT center_id FROM center_organ WHERE organ = $3)) ORDER BY center_id LIMIT $4`,
			after, f.Line, f.Organ, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			c, err := scanCenter(rows)
			if err != nil {
				return err
			}
			centers = append(centers, c)
		}
		return rows.Err()
	})
	return centers, err
}

// UpdateCenter changes a center under its version.
func (s *Store) UpdateCenter(ctx context.Context, centerID, etag string, change func(*directory.Center) error) (c *directory.Center, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		// The version goes up first: that locks the row on both engines.
		if _, err := tx.Exec(ctx, "UPDATE center SET version = version + 1 WHERE center_id = $1", centerID); err != nil {
			return err
		}
		if c, err = scanCenter(tx.QueryRow(ctx, "SELECT doc, version FROM center WHERE center_id = $1", centerID)); err != nil {
			return err
		}
		c.Version--
		if etag != c.Etag() {
			return fault.Stale(c.Etag())
		}
		if err := change(c); err != nil {
			return err
		}
		c.Version++
		doc, err := encode(c)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "UPDATE center SET doc = $2 WHERE center_id = $1", centerID, doc)
		return err
	})
	if err != nil {
		return nil, absent(err, "center", centerID)
	}
	return c, nil
}

// InsertRun keeps a run.
func (s *Store) InsertRun(ctx context.Context, r *matching.Run) error {
	doc, err := encode(r)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO match_run (match_run_id, referral_id, referrer, run_at, doc) VALUES ($1, $2, $3, $4, $5)",
			r.ID, r.ReferralID, r.Referrer, clock.Micros(r.Input.At), doc)
		return err
	})
}

// Run returns a run.
func (s *Store) Run(ctx context.Context, matchRunID string) (r *matching.Run, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		r, err = decode[matching.Run](q.QueryRow(ctx, "SELECT doc FROM match_run WHERE match_run_id = $1", matchRunID))
		return err
	})
	return r, absent(err, "match run", matchRunID)
}
