// Package audit keeps who did what to which record, and how it ended (审计).
//
// Invariant: an entry commits with the change it tells of, and is never changed or removed; where somebody did so all the
// same, its log shows it (tree.go, verify.go). It holds ids, names of methods and a hash: no name, number, phone or diagnosis.
package audit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/trace"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/sqldb"
)

// How a call ended.
const (
	Done   = "done"
	Denied = "denied"
)

const (
	maxField = 200
	maxList  = 1000
)

// Entry is what the caller of Append tells; who and when follow from the context and the database.
type Entry struct {
	// Action is the full method, "/huhang.patient.v1.PatientService/RegisterPatient", or a job's kind.
	Action string
	// Resource is the id of the record, "" where there is none.
	Resource string
	// Outcome is Done or Denied.
	Outcome string
	// RequestHash identifies the request's payload; nil where there is none.
	RequestHash []byte
}

// Record is a stored entry.
type Record struct {
	Entry
	ID                             string
	At                             time.Time
	Subject, Organisation, Service string
	TraceID                        string
}

// ids come from the machine's clock and count up, so that one process's entries sort in the order they were made even
// while a test's clock stands still.
var ids = id.Random()

// Append adds an entry to the transaction, made by the context's caller.
func Append(ctx context.Context, tx *sqldb.Tx, entry Entry) error {
	if entry.Action == "" || entry.Outcome == "" {
		return errors.New("audit: an entry needs an action and an outcome")
	}
	for _, field := range []string{entry.Action, entry.Resource, entry.Outcome} {
		if len(field) > maxField {
			return fmt.Errorf("audit: a field of %d bytes", len(field))
		}
	}
	if entry.RequestHash == nil {
		entry.RequestHash = []byte{}
	}
	traceID := ""
	if span := trace.SpanContextFromContext(ctx); span.HasTraceID() {
		traceID = span.TraceID().String()
	}
	caller := access.From(ctx)
	err := tx.Send(ctx, `INSERT INTO audit (id, at, subject, organisation, service, action, resource, outcome, request_hash, trace_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		ids.New("aud"), clock.Micros(tx.Clock().Now()), caller.Subject, caller.Organisation, caller.Service,
		entry.Action, entry.Resource, entry.Outcome, entry.RequestHash, traceID)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}

// Filter narrows List; empty fields do not.
type Filter struct {
	Resource, Action string
	// Limit is at most, and by default, 1000.
	Limit int
}

// List returns entries, the newest first.
func List(ctx context.Context, q sqldb.Querier, filter Filter) ([]Record, error) {
	limit := filter.Limit
	if limit <= 0 || limit > maxList {
		limit = maxList
	}
	found, err := records(ctx, q, "WHERE ($1 = '' OR resource = $1) AND ($2 = '' OR action = $2) ORDER BY id DESC LIMIT $3", filter.Resource, filter.Action, limit)
	if err != nil {
		return nil, err
	}
	list := make([]Record, 0, len(found))
	for _, r := range found {
		list = append(list, r.Record)
	}
	return list, nil
}

// placed is a stored entry and its leaf, -1 where it has none yet.
type placed struct {
	Record
	leaf int64
}

// records reads entries.
func records(ctx context.Context, q sqldb.Querier, which string, args ...any) ([]placed, error) {
	rows, err := q.Query(ctx, "SELECT id, at, subject, organisation, service, action, resource, outcome, request_hash, trace_id, leaf FROM audit "+which, args...)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	defer rows.Close()
	var list []placed
	for rows.Next() {
		var r placed
		var at int64
		err := rows.Scan(&r.ID, &at, &r.Subject, &r.Organisation, &r.Service, &r.Action, &r.Resource, &r.Outcome, &r.RequestHash, &r.TraceID, &r.leaf)
		if err != nil {
			return nil, fmt.Errorf("audit: %w", err)
		}
		r.At = clock.FromMicros(at)
		list = append(list, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	return list, nil
}
