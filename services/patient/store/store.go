// Package store keeps patients in SQL, on SQLite and PostgreSQL alike.
//
// Invariant: identity fields and clinical data are written sealed only; a person's index values are unique, so that two
// registrations of one person cannot both commit.
package store

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/patient"
	"huhang.example/services/patient/sealing"
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

const (
	byNumber = "number"
	byPerson = "person"
)

// Store is patient.Store over a database.
type Store struct {
	db     *sqldb.DB
	sealer *sealing.Sealer
}

var _ patient.Store = (*Store)(nil)

// New returns the store.
func New(db *sqldb.DB, sealer *sealing.Sealer) *Store { return &Store{db: db, sealer: sealer} }

// doc is what is kept of a patient in the clear: nothing that names a person.
type doc struct {
	Sex           patient.Sex       `json:"sex"`
	BirthDate     string            `json:"birth_date"`
	ResidenceCity string            `json:"residence_city"`
	Coverage      patient.Coverage  `json:"coverage"`
	Consents      []patient.Consent `json:"consents"`
}

// columns are a patient's as p, with the ids of the records kept under it.
const columns = `p.patient_id, p.registered_by, p.created_at, p.version, p.sealed, p.doc, p.merged_into,
	coalesce((SELECT string_agg(m.patient_id, ',') FROM patient m WHERE m.merged_into = p.patient_id AND m.merged_into <> ''), '')`

// root is the record that answers for the id $1.
const root = "(SELECT CASE WHEN merged_into = '' THEN patient_id ELSE merged_into END FROM patient WHERE patient_id = $1)"

func (s *Store) scan(row interface{ Scan(...any) error }) (*patient.Patient, error) {
	var (
		p       patient.Patient
		created int64
		sealed  []byte
		text    string
		merged  string
		d       doc
	)
	if err := row.Scan(&p.ID, &p.RegisteredBy, &created, &p.Version, &sealed, &text, &p.MergedInto, &merged); err != nil {
		return nil, err
	}
	if merged != "" {
		p.MergedIDs = strings.Split(merged, ",")
		slices.Sort(p.MergedIDs)
	}
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return nil, fmt.Errorf("stored patient: %w", err)
	}
	if err := s.open(sealed, p.ID, &p.Identity); err != nil {
		return nil, err
	}
	p.CreatedAt = clock.FromMicros(created)
	p.Sex, p.BirthDate, p.ResidenceCity, p.Coverage, p.Consents = d.Sex, d.BirthDate, d.ResidenceCity, d.Coverage, d.Consents
	return &p, nil
}

// seal binds what it encrypts to its record, so that no row can be passed off as another's.
func (s *Store) seal(v any, owner string) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return s.sealer.Encrypt(b, []byte(owner))
}

func (s *Store) open(sealed []byte, owner string, v any) error {
	b, err := s.sealer.Decrypt(sealed, []byte(owner))
	if err != nil {
		return fmt.Errorf("stored record does not open with this key: %w", err)
	}
	return json.Unmarshal(b, v)
}

func (s *Store) encode(p *patient.Patient) (sealed []byte, text string, err error) {
	if sealed, err = s.seal(p.Identity, p.ID); err != nil {
		return nil, "", err
	}
	b, err := json.Marshal(doc{p.Sex, p.BirthDate, p.ResidenceCity, p.Coverage, p.Consents})
	return sealed, string(b), err
}

// Insert adds a patient.
func (s *Store) Insert(ctx context.Context, p *patient.Patient) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		p.Version = 1
		sealed, text, err := s.encode(p)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO patient (patient_id, registered_by, created_at, version, sealed, doc)
			VALUES ($1, $2, $3, $4, $5, $6)`, p.ID, p.RegisteredBy, clock.Micros(p.CreatedAt), p.Version, sealed, text); err != nil {
			return err
		}
		if err := s.indexName(ctx, tx, p); err != nil {
			return err
		}
		return s.index(ctx, tx, p)
	})
}

// index claims the person's index values. Faults: PATIENT_DUPLICATE when one is another record's.
func (s *Store) index(ctx context.Context, tx *sqldb.Tx, p *patient.Patient) error {
	for _, entry := range []struct{ kind, text string }{
		{byNumber, string(p.Identity.Number)}, {byPerson, personText(p)},
	} {
		values, err := s.sealer.Indexes(entry.kind, entry.text)
		if err != nil {
			return err
		}
		n, err := tx.Exec(ctx, "INSERT INTO patient_index (kind, value, patient_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
			entry.kind, values[0], p.ID)
		if err != nil {
			return err
		}
		if n > 0 {
			continue
		}
		holder := ""
		if err := tx.QueryRow(ctx, `SELECT CASE WHEN p.merged_into = '' THEN p.patient_id ELSE p.merged_into END
			FROM patient_index i JOIN patient p ON p.patient_id = i.patient_id WHERE i.kind = $1 AND i.value = $2`, entry.kind, values[0]).Scan(&holder); err != nil {
			return err
		}
		if holder != p.ID { // a record merged into this one is the same person
			return patient.Duplicate()
		}
	}
	return nil
}

func personText(p *patient.Patient) string {
	return joined(p.Identity.Name, p.BirthDate, p.Identity.Phone)
}

func joined(name, birthDate, phone string) string {
	return patient.IndexName(name) + "\x00" + birthDate + "\x00" + phone
}

// Get returns a patient.
func (s *Store) Get(ctx context.Context, id string) (p *patient.Patient, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		p, err = s.scan(q.QueryRow(ctx, "SELECT "+columns+" FROM patient p WHERE p.patient_id = "+root, id))
		return err
	})
	if errors.Is(err, sqldb.ErrNoRows) {
		return nil, fault.NotFoundf("patient", id)
	}
	return p, err
}

// FindNumber returns the id of the patient with this number.
func (s *Store) FindNumber(ctx context.Context, number patient.IdentityNumber) (string, error) {
	return s.find(ctx, byNumber, string(number))
}

// FindPerson returns the id of the patient with this name, birth date and phone.
func (s *Store) FindPerson(ctx context.Context, name, birthDate, phone string) (string, error) {
	return s.find(ctx, byPerson, joined(name, birthDate, phone))
}

func (s *Store) find(ctx context.Context, kind, text string) (id string, err error) {
	values, err := s.sealer.Indexes(kind, text)
	if err != nil {
		return "", err
	}
	for _, value := range values {
		err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
			return q.QueryRow(ctx, "SELECT patient_id FROM patient_index WHERE kind = $1 AND value = $2", kind, value).Scan(&id)
		})
		if !errors.Is(err, sqldb.ErrNoRows) {
			return id, err
		}
	}
	return "", nil
}

// Update changes a patient under its version.
func (s *Store) Update(ctx context.Context, id, etag string, change func(*patient.Patient) error) (p *patient.Patient, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		// The version goes up first: that locks the row on both engines.
		if p, err = s.lock(ctx, tx, id); err != nil {
			return err
		}
		if p.Etag() != etag {
			return fault.Stale(p.Etag())
		}
		before, was := personText(p), *p
		if err := change(p); err != nil {
			return err
		}
		p.Version++
		if personText(p) != before {
			if _, err := tx.Exec(ctx, "DELETE FROM patient_index WHERE patient_id = $1", p.ID); err != nil {
				return err
			}
			if err := s.index(ctx, tx, p); err != nil {
				return err
			}
		}
		sealed, text, err := s.encode(p)
		if err != nil {
			return err
		}
		if _, err = tx.Exec(ctx, "UPDATE patient SET sealed = $1, doc = $2 WHERE patient_id = $3", sealed, text, p.ID); err != nil {
			return err
		}
		return tellEdits(ctx, tx, &was, p)
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// lock raises the version of the record that answers for an id, which locks its row on both engines, and returns it as it
// was before.
func (s *Store) lock(ctx context.Context, tx *sqldb.Tx, id string) (*patient.Patient, error) {
	n, err := tx.Exec(ctx, "UPDATE patient SET version = version + 1 WHERE patient_id = "+root, id)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, fault.NotFoundf("patient", id)
	}
	p, err := s.scan(tx.QueryRow(ctx, "SELECT "+columns+" FROM patient p WHERE p.patient_id = "+root, id))
	if err != nil {
		return nil, err
	}
	p.Version--
	return p, nil
}
