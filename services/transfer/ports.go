package transfer

import (
	"context"
	"time"

	"huhang.example/services/internal/fault"
	"huhang.example/services/transfer/pool"
	"huhang.example/services/transfer/timetable"
)

// Store keeps transfers and the pool. Its methods join the transaction of ctx, if it carries one.
type Store interface {
	// Atomically runs fn in one transaction; fn may be run again and touches nothing but the store.
	Atomically(ctx context.Context, fn func(ctx context.Context) error) error
	Transfers
	Timetables
	Pool
	Following
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

// Following keeps what becomes of transfers on their way.
type Following interface {
	// Note adds to what both ends can follow; positions commit in their order.
	Note(ctx context.Context, c Change) error
	// Changes returns at most limit changes after the position, of the organisation's transfers; empty: of all.
	Changes(ctx context.Context, organisation string, after int64, limit int) ([]Change, error)
	// SetPosition keeps the newest position and returns the one kept; Position has a zero time when there is none.
	SetPosition(ctx context.Context, transferID string, p Position) (Position, error)
	Position(ctx context.Context, transferID string) (Position, error)
	// Disrupt keeps what is known of runs, and leaves a job for every transfer that rides one of them.
	Disrupt(ctx context.Context, changes []timetable.Change, now time.Time) (transfers int, err error)
	// Disruptions returns at most limit, of days from to to (YYYYMMDD), with a number after the cursor, by day and number.
	Disruptions(ctx context.Context, from, to, after string, limit int) ([]Disruption, error)
	// Revise leaves a job that looks at a transfer again.
	Revise(ctx context.Context, t Transfer) error
}

// Change is one thing that happened to a transfer.
type Change struct {
	Position               int64
	TransferID, ReferralID string
	From, To               string
	Kind, Detail           string
	At, Arrive             time.Time
	Version                int64
}

// Position is where a patient was.
type Position struct {
	Lat, Lon float64
	At       time.Time
}

// Disruption is what is known of a run, since when.
type Disruption struct {
	timetable.Change
	Reported time.Time
}

// ListFilter narrows a list; empty fields do not.
type ListFilter struct {
	// Organisation is one of the two ends, or where the patient was diverted to.
	Organisation string
	Status       Status
	ReferralID   string
}

// Pool keeps units and their reservations.
type Pool interface {
	Holds
	Loans
	// AddResource adds a unit. FIELD_INVALID (already exists) when the owner has one of that kind and label.
	AddResource(ctx context.Context, r pool.Resource) error
	// EnsureResource adds a unit unless the owner has one of that kind and label.
	EnsureResource(ctx context.Context, r pool.Resource) error
	// Resource returns one unit and its live reservations not over by now. NOT_FOUND.
	Resource(ctx context.Context, resourceID string, now time.Time) (pool.Resource, error)
	// Resources returns at most limit units with an id after the cursor, and their live reservations not over by now.
	Resources(ctx context.Context, organisation string, kind pool.Kind, after string, limit int, now time.Time) ([]pool.Resource, error)
	// UpdateResource changes what its owner says of a unit. NOT_FOUND; what fn returns; STALE_VERSION.
	UpdateResource(ctx context.Context, resourceID, etag string, fn func(*pool.Resource) error) (pool.Resource, error)
	// CountFree counts the units free for the whole interval, by organisation in the order asked.
	CountFree(ctx context.Context, organisations []string, kind pool.Kind, interval pool.Interval, now time.Time) ([]int, error)
	// Capacity counts one owner's units over an interval.
	Capacity(ctx context.Context, organisation string, kind pool.Kind, interval pool.Interval, now time.Time) (pool.Capacity, error)
	// AddQuota adds a quota. FIELD_INVALID (already exists) when its days overlap another's of that owner and kind.
	AddQuota(ctx context.Context, quota pool.Quota) (pool.Quota, error)
	// WithdrawQuota ends a quota. NOT_FOUND, also for another's; STALE_VERSION.
	WithdrawQuota(ctx context.Context, organisation, quotaID, etag string) error
	// Quotas returns at most limit quotas with an id after the cursor, and what is used of each.
	Quotas(ctx context.Context, organisation string, kind pool.Kind, after string, limit int, now time.Time) ([]pool.Quota, []pool.Used, error)
}

// Holds keeps holds.
type Holds interface {
	// Hold takes a free unit for every need, or none: RESOURCE_TAKEN; QUOTA_RESERVED and QUOTA_USED. It leaves a job for the
	// expiry. Holds whose time was over by now and whose units it takes are ended.
	Hold(ctx context.Context, h pool.Hold, needs []pool.Need, now time.Time) (pool.Hold, error)
	// TryHold is Hold in a transaction that goes on without it: refused is Hold's refusal, and then nothing was taken.
	TryHold(ctx context.Context, h pool.Hold, needs []pool.Need, now time.Time) (held pool.Hold, refused *fault.Fault, err error)
	// GetHold: NOT_FOUND.
	GetHold(ctx context.Context, holdID string) (pool.Hold, error)
	// UpdateHold changes the status of a hold, and its reservations with it. NOT_FOUND; what fn returns.
	UpdateHold(ctx context.Context, holdID string, fn func(*pool.Hold) error) (pool.Hold, error)
	// Move gives live holds other needs, all or none; a missing need says that nothing has changed. NOT_FOUND; HOLD_EXPIRED for
	// one that has ended; QUOTA_USED, QUOTA_RESERVED.
	Move(ctx context.Context, moves []pool.Move, now time.Time) (moved []pool.Hold, missing *pool.Need, err error)
	// GoHome ends a transfer's hold; who is on the way home stays taken until then, or until somebody else has taken them.
	GoHome(ctx context.Context, holdID string, way pool.WayHome, now time.Time) error
	// HoldsOf returns the live holds of a case that are not a transfer's; HeldBy those of a transfer.
	HoldsOf(ctx context.Context, referralID string, now time.Time) ([]pool.Hold, error)
	HeldBy(ctx context.Context, transferID string, now time.Time) ([]pool.Hold, error)
	// Override takes the picked units, the owner's if one is named, from whatever reservations stand in the way. NOT_FOUND;
	// WRONG_STATE for a unit that is lent or with a patient; TIME_INVALID for picks that overlap each other.
	Override(ctx context.Context, h pool.Hold, owner string, picks []pool.Pick, by pool.Override, now time.Time) (pool.Hold, []pool.Override, error)
}

// Loans keeps loans and what is owed for them.
type Loans interface {
	// Lend adds an offered loan. NOT_FOUND for a unit that is not the lender's; RESOURCE_TAKEN; QUOTA_RESERVED.
	Lend(ctx context.Context, l pool.Loan, now time.Time) (pool.Loan, error)
	// GetLoan: NOT_FOUND.
	GetLoan(ctx context.Context, loanID string) (pool.Loan, error)
	// UpdateLoan changes one. NOT_FOUND; STALE_VERSION; what fn returns; RESOURCE_TAKEN where an earlier end leaves reservations behind.
	UpdateLoan(ctx context.Context, loanID, etag string, now time.Time, fn func(*pool.Loan) error) (pool.Loan, error)
	// Loans returns at most limit loans with an id before the cursor, the newest first.
	Loans(ctx context.Context, organisation string, status pool.LoanStatus, before string, limit int) ([]pool.Loan, error)
	// Balances sums by other institution and kind.
	Balances(ctx context.Context, organisation string) ([]pool.Balance, error)
}

// Peers are the other services.
type Peers interface {
	// Patient tells what planning a transfer needs to know. NOT_FOUND, PEER_UNAVAILABLE.
	Patient(ctx context.Context, patientID string) (Patient, error)
	// Case tells of the case that a transfer is for. NOT_FOUND, PEER_UNAVAILABLE.
	Case(ctx context.Context, referralID string) (Case, error)
	// VisibleCase is Case as the caller of ctx may see it. NOT_FOUND also for a foreign one, PEER_UNAVAILABLE.
	VisibleCase(ctx context.Context, referralID string) (Case, error)
	// RecordCaseEvent tells the case; once per event's RequestID, however often it is called.
	RecordCaseEvent(ctx context.Context, event CaseEvent) error
}

// Patient is what the line's patient service tells of a patient.
type Patient struct {
	RegisteredBy      string
	ConsentToTransfer bool
}

// Case is what the case itself tells of its patient's way.
type Case struct {
	PatientID string
	State     string
	// Center is where it has its place, LocalHospital whom it was referred back to; empty while there is none.
	Center, LocalHospital string
	Closed                bool
}

// Kinds of events.
const (
	EventPlanned  = "PLANNED"
	EventDeparted = "DEPARTED"
	EventArrived  = "ARRIVED"
	EventAborted  = "ABORTED"

	EventDelayed   = "DELAYED"
	EventReplanned = "REPLANNED"
	EventAttention = "ATTENTION"
	EventAtDoor    = "AT_DOOR"
	EventSigned    = "SIGNED" // by one side of the hand-over
	// Only for the two ends, not for the case.
	changeChecked  = "CHECKED"
	changeLeg      = "LEG"
	changeResolved = "RESOLVED"
	changeDiverted = "DIVERTED" // only for the hospital that a diverted patient is taken to

	EventHoldExpired  = "EXPIRED"
	EventHoldReleased = "RELEASED"
	// EventHoldOverridden tells the owner of an own use that it gave way, by the case that has its units.
	EventHoldOverridden = "OVERRIDDEN"
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
	DepartTime time.Time `json:"depart_time,omitzero"`
	// Told is an organisation without a part in the case that is told of this alone.
	Told string `json:"told,omitempty"`
}

// HoldEvent makes the event of a hold.
func HoldEvent(h pool.Hold, kind string, at time.Time) CaseEvent {
	return CaseEvent{RequestID: "evt-" + h.ID + "-" + kind, ReferralID: h.ReferralID, At: at, HoldID: h.ID, Kind: kind}
}
