package patient

import (
	"context"
	"time"

	"huhang.example/services/patient/clinical"
)

// Store keeps patients, access and clinical versions. Every method that changes something runs in the transaction its
// context carries, or in one of its own.
type Store interface {
	// Insert adds a patient. Faults: PATIENT_DUPLICATE, with patient_id in its metadata, when the number or the person is known.
	Insert(ctx context.Context, p *Patient) error
	// Get returns a patient. Faults: NOT_FOUND.
	Get(ctx context.Context, id string) (*Patient, error)
	// FindNumber and FindPerson return the id of the registered patient, empty when there is none.
	FindNumber(ctx context.Context, number IdentityNumber) (string, error)
	FindPerson(ctx context.Context, name, birthDate, phone string) (string, error)
	// Update changes a patient. Faults: NOT_FOUND, STALE_VERSION; and what change returns, with nothing written.
	Update(ctx context.Context, id, etag string, change func(*Patient) error) (*Patient, error)
	// List returns at most limit patients with an id before the cursor (newest first); organisation empty: all.
	List(ctx context.Context, organisation, before string, limit int) ([]*Patient, error)
	// MaySee tells whether a case gave the organisation access.
	MaySee(ctx context.Context, id, organisation string) (bool, error)
	// Grant gives access; repeating it changes nothing. Faults: NOT_FOUND.
	Grant(ctx context.Context, id, organisation, referralID string, at time.Time) error
	// AddClinical stores the next version. Faults: STALE_VERSION when etag is not the present version ("" for the first).
	AddClinical(ctx context.Context, id, etag string, r *Record) error
	// LatestClinical returns the latest version. Faults: NOT_FOUND.
	LatestClinical(ctx context.Context, id, organ string) (*Record, error)
}

// Record is a stored version of clinical data.
type Record struct {
	Clinical   clinical.Clinical
	Version    int32
	RecordedAt time.Time
	RecordedBy string
}
