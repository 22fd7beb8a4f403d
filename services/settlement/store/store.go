// Package store keeps settlement's records in SQL, on SQLite and PostgreSQL alike.
//
// Invariant: what must hold however many callers there are is a key of a table: one settlement of a claim stands, a
// claim is paid for once, a settlement is posted once. Postings are inserted and never touched again.
package store

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"huhang.example/services/internal/sqldb"
	"huhang.example/services/settlement"
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

// Store is settlement.Store over a database.
type Store struct{ db *sqldb.DB }

var _ settlement.Store = (*Store)(nil)

// New returns the store.
func New(db *sqldb.DB) *Store { return &Store{db: db} }

// Atomically runs fn in one transaction.
func (s *Store) Atomically(ctx context.Context, fn func(ctx context.Context) error) error {
	return s.db.Write(ctx, func(ctx context.Context, _ *sqldb.Tx) error { return fn(ctx) })
}

func encode(v any) (string, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("settlement store: %w", err)
	}
	return string(text), nil
}

func decode(what, text string, v any) error {
	if err := json.Unmarshal([]byte(text), v); err != nil {
		return fmt.Errorf("settlement store: stored %s: %w", what, err)
	}
	return nil
}

func notFound(err, fault error) error {
	if errors.Is(err, sqldb.ErrNoRows) {
		return fault
	}
	return err
}

// each reads all rows of a query.
func each(ctx context.Context, q sqldb.Querier, sql string, args []any, scan func(sqldb.Rows) error) error {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// row is what a Row and Rows have in common.
type row interface{ Scan(dest ...any) error }

// page cuts what was read one beyond the limit, and returns the cursor to go on with.
func page[T any](all []T, limit int, id func(T) string) ([]T, string) {
	if len(all) <= limit {
		return all, ""
	}
	return all[:limit], id(all[limit-1])
}
