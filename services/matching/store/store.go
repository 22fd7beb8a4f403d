// Package store keeps the directory, match runs and offers in SQL, on SQLite and PostgreSQL alike.
//
// Invariant: an offer, its events and its jobs change in one transaction, under the offer's row lock; the partial unique
// indexes decide whatever the race.
package store

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/matching"
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

// Cipher seals what holds clinical data; a Tink AEAD is one.
type Cipher interface {
	Encrypt(plaintext, associatedData []byte) ([]byte, error)
	Decrypt(ciphertext, associatedData []byte) ([]byte, error)
}

// Store is matching.Store over a database.
type Store struct {
	db     *sqldb.DB
	cipher Cipher
}

var _ matching.Store = (*Store)(nil)

// New returns the store; runs are sealed with the cipher.
func New(db *sqldb.DB, cipher Cipher) *Store { return &Store{db, cipher} }

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
