package transfer

import (
	"context"
	"time"

	"huhang.example/services/transfer/pool"
)

// Store keeps transfers and the pool. Its methods join the transaction of ctx, if it carries one.
type Store interface {
	// Atomically runs fn in one transaction; fn may be run again and touches nothing but the store.
	Atomically(ctx context.Context, fn func(ctx context.Context) error) error
	Transfers
	Pool
	// Report leaves a job that tells the case; it exists if and only if the transaction commits.
	Report(ctx context.Context, event CaseEvent) error
}

// Transfers keeps transfers.
type Transfers interface {
	// Insert adds a transfer at version 1. WRONG_STATE with the other's transfer_id when the case has one not ended.
	Insert(ctx context.Context, t Transfer) (Transfer, error)
	// Get: NOT_FOUND.
	Get(ctx context.Context, transferID string) (Transfer, error)
	// Update changes one in a transaction. NOT_FOUND; STALE_VERSION when etag is not the current version; what fn returns.
	Update(ctx context.Context, transferID, etag string, fn func(*Transfer) error) (Transfer, error)
	// List returns at most limit transfers after the cursor, those not ended first, then by departure.
	List(ctx context.Context, filter ListFilter, after string, limit int) ([]Transfer, string, error)
}

// ListFilter narrows a list; empty fields do not.
type ListFilter struct {
	// Organisation is one of the two ends.
	Organisation string
	Status       Status
	ReferralID   string
}

// Pool keeps units and their reservations.
type Pool interface {
	// AddResource adds a unit. FIELD_INVALID (already exists) when the owner has one of that kind and label.
	AddResource(ctx context.Context, r pool.Resource) error
	// EnsureResource adds a unit unless the owner has one of that kind and label.
	EnsureResource(ctx context.Context, r pool.Resource) error
	// Resources returns at most limit units with an id after the cursor, and their live reservations not over by now.
	Resources(ctx context.Context, organisation string, kind pool.Kind, after string, limit int, now time.Time) ([]pool.Resource, error)
	// CountFree counts the units free for the whole interval, by organisation in the order asked.
	CountFree(ctx context.Context, organisations []string, kind pool.Kind, interval pool.Interval, now time.Time) ([]int, error)
	// Hold takes a free unit for every need, or none: RESOURCE_TAKEN. It leaves a job for the expiry. Holds whose time was
	// over by now and whose units it takes are ended.
	Hold(ctx context.Context, h pool.Hold, needs []pool.Need, now time.Time) (pool.Hold, error)
	// GetHold: NOT_FOUND.
	GetHold(ctx context.Context, holdID string) (pool.Hold, error)
	// UpdateHold changes the status of a hold, and its reservations with it. NOT_FOUND; what fn returns.
	UpdateHold(ctx context.Context, holdID string, fn func(*pool.Hold) error) (pool.Hold, error)
}

// Peers are the other services.
type Peers interface {
	// Patient tells what planning a transfer needs to know. NOT_FOUND, PEER_UNAVAILABLE.
	Patient(ctx context.Context, patientID string) (Patient, error)
	// RecordCaseEvent tells the case; once per event's RequestID, however often it is called.
	RecordCaseEvent(ctx context.Context, event CaseEvent) error
}

// Patient is what the line's patient service tells of a patient.
type Patient struct {
	RegisteredBy      string
	ConsentToTransfer bool
}

// Kinds of events.
const (
	EventPlanned  = "PLANNED"
	EventDeparted = "DEPARTED"
	EventArrived  = "ARRIVED"
	EventAborted  = "ABORTED"

	EventHoldExpired  = "EXPIRED"
	EventHoldReleased = "RELEASED"
)

// CaseEvent is something the case has to know.
type CaseEvent struct {
	// RequestID follows from the record and the kind, so that telling it twice is telling it once.
	RequestID  string    `json:"request_id"`
	ReferralID string    `json:"referral_id"`
	At         time.Time `json:"at"`
	// Organisation and Subject are who did it; empty for the line itself.
	Organisation string `json:"organisation,omitempty"`
	Subject      string `json:"subject,omitempty"`
	// Exactly one of TransferID and HoldID is set.
	TransferID string    `json:"transfer_id,omitempty"`
	HoldID     string    `json:"hold_id,omitempty"`
	Kind       string    `json:"kind"`
	ReasonCode string    `json:"reason_code,omitempty"`
	ArriveTime time.Time `json:"arrive_time,omitzero"`
}

// HoldEvent makes the event of a hold.
func HoldEvent(h pool.Hold, kind string, at time.Time) CaseEvent {
	return CaseEvent{RequestID: "evt-" + h.ID + "-" + kind, ReferralID: h.ReferralID, At: at, HoldID: h.ID, Kind: kind}
}
