// Package spanstore keeps the spans of a development line and answers for them as Jaeger's query service does, so that
// a case's trace is read in the same way on one machine and in production.
//
// Invariant: a span that a provider has ended is found by the next query. The store holds at most its bound; the oldest
// spans go first.
package spanstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	_ "modernc.org/sqlite" // the driver
)

const (
	// maxSpans is about 300 MiB.
	maxSpans   = 500_000
	pruneEvery = 5_000
	batchWait  = time.Second
	queue      = 16_384
)

// Store is an open store that serves.
type Store struct {
	db        *sql.DB
	processor sdktrace.SpanProcessor
	server    *http.Server
	url       string
	max       int
	written   int
}

// Open opens the file and serves queries on a loopback port of its own.
func Open(ctx context.Context, path string) (*Store, error) { return open(ctx, path, maxSpans) }

func open(ctx context.Context, path string, most int) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	// Spans are no records: what a power cut takes along is not missed, so no commit waits for the disk.
	settings := url.Values{"_pragma": {"journal_mode(WAL)", "synchronous(OFF)", "busy_timeout(5000)"}, "_txlock": {"immediate"}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+settings.Encode())
	if err != nil {
		return nil, err
	}
	s := &Store{db: db, max: most}
	if _, err := db.ExecContext(ctx, schema); err != nil {
		return nil, errors.Join(fmt.Errorf("span store: %w", err), db.Close())
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s.url = "http://" + listener.Addr().String()
	s.processor = sdktrace.NewBatchSpanProcessor(exporter{s}, sdktrace.WithBatchTimeout(batchWait), sdktrace.WithMaxQueueSize(queue))
	s.server = &http.Server{Handler: s.handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, MaxHeaderBytes: 16 << 10}
	go func() { _ = s.server.Serve(listener) }() // its only end is Close
	return s, nil
}

const schema = `
CREATE TABLE IF NOT EXISTS spans (
	trace_id TEXT NOT NULL,
	span_id TEXT NOT NULL,
	referral_id TEXT NOT NULL,
	service TEXT NOT NULL,
	start_us INTEGER NOT NULL,
	doc TEXT NOT NULL,
	process_id TEXT NOT NULL,
	process TEXT NOT NULL,
	PRIMARY KEY (trace_id, span_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS spans_of_case ON spans (referral_id, service, start_us) WHERE referral_id <> '';
CREATE INDEX IF NOT EXISTS spans_by_age ON spans (start_us);`

// URL is the address of the queries.
func (s *Store) URL() string { return s.url }

// Processor takes the spans of any number of providers.
func (s *Store) Processor() sdktrace.SpanProcessor { return s.processor }

// Close writes what is pending and ends the store.
func (s *Store) Close(ctx context.Context) error {
	return errors.Join(s.processor.Shutdown(ctx), s.server.Close(), s.db.Close())
}

// exporter writes batches; the processor calls it from one goroutine at a time.
type exporter struct{ s *Store }

func (exporter) Shutdown(context.Context) error { return nil }

func (e exporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	tx, err := e.s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	insert, err := tx.PrepareContext(ctx, `INSERT INTO spans (trace_id, span_id, referral_id, service, start_us, doc, process_id, process) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`)
	if err != nil {
		return err
	}
	for _, span := range spans {
		k, err := describe(span)
		if err != nil {
			return err
		}
		id := span.SpanContext()
		if _, err := insert.ExecContext(ctx, id.TraceID().String(), id.SpanID().String(), k.referral, k.service, span.StartTime().UnixMicro(), k.doc, k.processID, k.process); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	return e.s.prune(ctx, len(spans))
}

// prune keeps the store within its bound, now and then.
func (s *Store) prune(ctx context.Context, wrote int) error {
	if s.written += wrote; s.written < min(pruneEvery, s.max) {
		return nil
	}
	s.written = 0
	_, err := s.db.ExecContext(ctx, `DELETE FROM spans WHERE start_us < (SELECT start_us FROM spans ORDER BY start_us DESC LIMIT 1 OFFSET $1)`, s.max-1)
	return err
}
