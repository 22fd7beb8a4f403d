package clearing

import (
	"context"
	"errors"
	"time"

	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/ledger"
)

// ErrUnchanged returned by an update's change leaves the record as it was; the update then succeeds.
var ErrUnchanged = errors.New("clearing: unchanged")

// Kind is what a record holds.
type Kind string

// The kinds.
const (
	windowKind     Kind = "window"
	tableKind      Kind = "table"
	taskKind       Kind = "task"
	disputeKind    Kind = "dispute"
	netKind        Kind = "net"
	transferKind   Kind = "transfer"
	agreementKind  Kind = "agreement"
	prepaymentKind Kind = "prepayment"
	reconciledKind Kind = "reconciled"
)

// Record is one document of clearing: few, small, and all looked up alike. Holder is the province whose copy it is.
type Record struct {
	Kind       Kind
	Holder, ID string
	Month      Month
	// A and B are the provinces it is about; Status as the document says.
	A, B, Status string
	Version      int64
	Doc          string
}

// Query narrows a list of records; empty fields do not. Party is either of A and B.
type Query struct {
	Kind                             Kind
	Holder, A, B, Party, Status, Max string
	Month                            Month
	// After is the id to go on from, Limit at most how many.
	After string
	Limit int
}

// TotalQuery asks for sums of a book; empty fields do not narrow it.
type TotalQuery struct {
	Counterparty string
	Month        Month
	Day          string
}

// TotalRow is one sum.
type TotalRow struct {
	TotalKey
	Total
}

// Job is what is left to do after a transaction; it may be done more than once.
type Job struct {
	Do       string `json:"do"`
	Province string `json:"province"`
	Other    string `json:"other,omitempty"`
	Month    Month  `json:"month,omitempty"`
	ID       string `json:"id,omitempty"`
}

// Store keeps books and records of the provinces an instance serves. Every method joins its context's transaction.
type Store interface {
	// Atomically runs fn in one transaction; it may run several times.
	Atomically(ctx context.Context, fn func(ctx context.Context) error) error

	// Open lists the books with entries that have no place yet, Waiting how many a book has.
	Open(ctx context.Context) ([]Book, error)
	Waiting(ctx context.Context, at Book) (int64, error)
	// Seal gives at most limit entries their place, window and sums, and says how many.
	Seal(ctx context.Context, at Book, limit int) (int, error)
	// Verify follows the chain.
	Verify(ctx context.Context, at Book, from ledger.Chain, limit int) (Verified, error)
	// Head returns the end of a book.
	Head(ctx context.Context, at Book) (ledger.Chain, error)
	// Close lets a month take nothing any more, for one counterparty or ("") for all; Closed is the last such month.
	Close(ctx context.Context, at Book, counterparty string, m Month) error
	Closed(ctx context.Context, at Book, counterparty string) (Month, error)
	// Totals returns sums by counterparty, month and day.
	Totals(ctx context.Context, at Book, q TotalQuery) ([]TotalRow, error)
	// Items returns items of a day in Compare's order, after the one given.
	Items(ctx context.Context, at Book, counterparty, day string, after Item, limit int) ([]Item, error)
	// MoveItem puts an item into another window, with its sums; it does nothing where the item is not where it was.
	MoveItem(ctx context.Context, at Book, counterparty string, item Item, to Month) error
	// Post adds a ledger entry; a second one of the same source is an error.
	Post(ctx context.Context, e ledger.Entry, at time.Time) error
	// Balances returns every account of a province.
	Balances(ctx context.Context, province string) ([]ledger.Balance, error)

	// Record returns a record; fault NOT_FOUND.
	Record(ctx context.Context, kind Kind, holder, id string) (Record, error)
	// InsertRecord stores a record if its id is new, and says whether it was.
	InsertRecord(ctx context.Context, r Record) (bool, error)
	// UpdateRecord locks a record, runs change and stores it as the next version. An etag other than "" must be the
	// current one: fault STALE_VERSION.
	UpdateRecord(ctx context.Context, kind Kind, holder, id, etag string, change func(ctx context.Context, r *Record) error) (Record, error)
	// Records returns records by id, and the id to go on from, "" at the end.
	Records(ctx context.Context, q Query) ([]Record, string, error)

	// Later leaves a job.
	Later(ctx context.Context, j Job) error
}

// Peers are the settlement instances of other provinces and of the national center. Errors are the peers' own faults, or
// PEER_UNAVAILABLE and DEADLINE_EXCEEDED.
type Peers interface {
	// Totals and Items are those of another province's book with the asker.
	Totals(ctx context.Context, asked Book, asker string, q TotalQuery) ([]TotalRow, error)
	Items(ctx context.Context, asked Book, asker, day string, after Item, limit int) ([]Item, error)
	// SubmitTables hands a month's tables to the national center, ReceiveTable one to its insured province, ConfirmTable
	// its confirmation to the national center.
	SubmitTables(ctx context.Context, tables []*Table) error
	ReceiveTable(ctx context.Context, t *Table) error
	ConfirmTable(ctx context.Context, t *Table) error
	// Held is what disputes hold back of a table.
	Held(ctx context.Context, m Month, treatment, insured string) (money.Fen, error)
	// ReceiveNet hands a province its part of a net.
	ReceiveNet(ctx context.Context, province string, run *NetRun, transfers []*Transfer) error
	// ReportTransfer tells a province, or the national center, how far a transfer is.
	ReportTransfer(ctx context.Context, to string, t *Transfer) error
	// ReceivePrepayment tells a treatment province what was paid ahead.
	ReceivePrepayment(ctx context.Context, p *Prepayment) error
}
