package supervision

import (
	"context"
	"time"

	"huhang.example/services/internal/money"
	"huhang.example/services/settlement"
)

// Query narrows a worklist; empty fields do not.
type Query struct {
	Province string
	State    State
	Rule     Rule
	Holding  bool
}

// Contact is what is kept of a person's numbers: their keyed hashes, empty where none is known.
type Contact struct {
	Province, PatientID, Phone, Identity string
	Version                              int64
}

// Kept is a stay that the insured province committed, as history needs it.
type Kept struct {
	Stay
	MessageID, Province string
	// Year is that of the discharge; SelfPay what the person paid.
	Year    string
	SelfPay money.Fen
	// At is when it was committed.
	At time.Time
}

// Store keeps what supervision found and what it goes by. Every method joins the transaction its context carries.
type Store interface {
	// PutHit stores a finding if its rule, claim, person and cause are new, and returns the one that stands.
	PutHit(ctx context.Context, h *Hit) (*Hit, error)
	// HasHit reports whether there is a finding of a rule about a claim with a cause.
	HasHit(ctx context.Context, province string, side Side, rule Rule, claimID, cause string) (bool, error)
	// Hit returns a finding; fault NOT_FOUND.
	Hit(ctx context.Context, id string) (*Hit, error)
	// UpdateHit locks a finding, runs change and stores it as the next version. Faults NOT_FOUND, STALE_VERSION after
	// may, and whatever may and change return.
	UpdateHit(ctx context.Context, id, etag string, may, change func(h *Hit) error) (*Hit, error)
	// Hits returns findings older than the cursor, the newest first, and the cursor to go on with, "" at the end.
	Hits(ctx context.Context, q Query, cursor string, limit int) ([]*Hit, string, error)

	// Keep stores a stay, once a message.
	Keep(ctx context.Context, k Kept) error
	// History returns a person's stays that stand, and manual claims, the newest 200.
	History(ctx context.Context, province, patientID string) ([]Stay, error)
	// Burden sums what a person paid themselves for the stays of a year that stand.
	Burden(ctx context.Context, province, patientID, year string) (money.Fen, error)
	// Costs sums the stays of a province that stand and ended from the one day to the other.
	Costs(ctx context.Context, province, from, to string) (Costs, error)
	// KeptOn returns what was committed in a span of time and stands, by message id after the cursor.
	KeptOn(ctx context.Context, province string, from, to time.Time, cursor string, limit int) ([]Kept, error)

	// BillsOf returns a person's claims of a treatment province that were not cancelled, the newest 50; outpatients' with
	// their lines.
	BillsOf(ctx context.Context, province, patientID string) ([]Bill, error)
	// Lines returns a claim's lines by number.
	Lines(ctx context.Context, claimID string) ([]settlement.FeeLine, error)
	// SettledOn returns the claims of a treatment province settled in a span of time, by id after the cursor.
	SettledOn(ctx context.Context, province string, from, to time.Time, cursor string, limit int) ([]*settlement.Claim, error)

	// Contact returns what is kept of a person's numbers; zero where nothing is.
	Contact(ctx context.Context, province, patientID string) (Contact, error)
	// PutContact stores c as the next version; etag is the version seen, "" for the first. Fault STALE_VERSION.
	PutContact(ctx context.Context, c Contact, etag string) (Contact, error)
	// SamePhone counts the people of a province with a telephone.
	SamePhone(ctx context.Context, province, phone string) (int64, error)

	// Watched reports whether a day of a province was looked through, MarkWatched that it was.
	Watched(ctx context.Context, province, day string) (bool, error)
	MarkWatched(ctx context.Context, province, day string) error
}

// Bill is a claim with its lines.
type Bill struct {
	Claim *settlement.Claim
	Lines []settlement.FeeLine
}
