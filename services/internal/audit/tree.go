package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/sqldb"
)

// entryForm is the form in which an entry is hashed. It is part of every log ever written: a golden test holds it.
const entryForm = "huhang audit entry 1"

// leafOf is the hash of all that a stored entry says.
func leafOf(r Record) (tlog.Hash, error) {
	text, err := json.Marshal([]any{
		entryForm, r.ID, clock.Micros(r.At), r.Subject, r.Organisation, r.Service, r.Action, r.Resource, r.Outcome, r.RequestHash, r.TraceID,
	})
	return tlog.RecordHash(text), err
}

// Head is the log as far as it has leaves: who keeps one outside the database can tell later whether anything before it was
// changed, by whomever.
type Head struct {
	Size int64
	Root tlog.Hash
	At   time.Time
}

// ErrNone says that a database is none of a service's, or of a line older than the log.
var ErrNone = errors.New("the database has no audit log")

func head(ctx context.Context, q sqldb.Querier) (h Head, err error) {
	var root []byte
	var at int64
	err = q.QueryRow(ctx, "SELECT size, root, at FROM audit_head WHERE id = 1").Scan(&h.Size, &root, &at)
	if sqldb.IsNoTable(err) {
		return h, ErrNone
	}
	if err != nil && !errors.Is(err, sqldb.ErrNoRows) {
		return h, fmt.Errorf("audit: %w", err)
	}
	if h.Size == 0 {
		h.Root, err = tlog.TreeHash(0, nil)
		return h, err
	}
	h.At = clock.FromMicros(at)
	copy(h.Root[:], root)
	return h, nil
}

// batch is how many entries get their leaves in one transaction: who writes on SQLite waits for no longer than that.
const batch = 500

// Extend gives the entries that have none their leaves, and returns the head then. Whoever else does this waits; nobody who
// appends does.
func Extend(ctx context.Context, db *sqldb.DB) (h Head, err error) {
	for {
		var n int
		err := db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			h, n, err = extend(ctx, tx)
			return err
		})
		if err != nil || n < batch {
			return h, err
		}
	}
}

func extend(ctx context.Context, tx *sqldb.Tx) (h Head, n int, err error) {
	if err := tx.Send(ctx, "INSERT INTO audit_head (id, size, root, at) VALUES (1, 0, $1, 0) ON CONFLICT DO NOTHING", []byte{}); err != nil {
		return h, 0, fmt.Errorf("audit: %w", err)
	}
	if _, err := tx.Exec(ctx, "UPDATE audit_head SET size = size WHERE id = 1"); err != nil {
		return h, 0, fmt.Errorf("audit: %w", err)
	}
	if h, err = head(ctx, tx); err != nil {
		return h, 0, err
	}
	entries, err := records(ctx, tx, "WHERE leaf < 0 ORDER BY id LIMIT $1", batch)
	if err != nil || len(entries) == 0 {
		return h, 0, err
	}
	t := tree{ctx: ctx, q: tx, made: map[int64]tlog.Hash{}}
	var nodes [][]any
	for _, r := range entries {
		leaf, err := leafOf(r.Record)
		if err != nil {
			return h, 0, err
		}
		hashes, err := tlog.StoredHashesForRecordHash(h.Size, leaf, t)
		if err != nil {
			return h, 0, fmt.Errorf("audit: %w", err)
		}
		first := tlog.StoredHashIndex(0, h.Size)
		for i, hash := range hashes {
			t.made[first+int64(i)] = hash
			nodes = append(nodes, []any{first + int64(i), hash[:]})
		}
		if err := tx.Send(ctx, "UPDATE audit SET leaf = $2 WHERE id = $1", r.ID, h.Size); err != nil {
			return h, 0, fmt.Errorf("audit: %w", err)
		}
		h.Size++
	}
	if h.Root, err = tlog.TreeHash(h.Size, t); err != nil {
		return h, 0, fmt.Errorf("audit: %w", err)
	}
	h.At = tx.Clock().Now()
	if err := tx.Insert(ctx, "audit_node", []string{"node", "hash"}, nodes); err != nil {
		return h, 0, fmt.Errorf("audit: %w", err)
	}
	if _, err := tx.Exec(ctx, "UPDATE audit_head SET size = $1, root = $2, at = $3 WHERE id = 1", h.Size, h.Root[:], clock.Micros(h.At)); err != nil {
		return h, 0, fmt.Errorf("audit: %w", err)
	}
	return h, len(entries), nil
}

// tree reads nodes: those made in this transaction, else those that are stored.
type tree struct {
	ctx  context.Context
	q    sqldb.Querier
	made map[int64]tlog.Hash
}

// ReadHashes is tlog's.
func (t tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, node := range indexes {
		if hash, ok := t.made[node]; ok {
			hashes[i] = hash
			continue
		}
		var stored []byte
		if err := t.q.QueryRow(t.ctx, "SELECT hash FROM audit_node WHERE node = $1", node).Scan(&stored); err != nil {
			return nil, fmt.Errorf("node %d: %w", node, err)
		}
		copy(hashes[i][:], stored)
		t.made[node] = hashes[i]
	}
	return hashes, nil
}

const extendEvery = time.Minute

type extendArgs struct{}

func (extendArgs) Kind() string { return "audit_extend" }

// ScheduleExtend makes w give leaves every minute. What the log says then is the copy of the head that lies outside the
// database.
func ScheduleExtend(w *sqldb.Workers, db *sqldb.DB, log *slog.Logger) {
	var told atomic.Int64
	sqldb.Handle(w, func(ctx context.Context, _ extendArgs) error {
		h, err := Extend(ctx, db)
		if err == nil && told.Swap(h.Size) != h.Size {
			log.InfoContext(ctx, "audit log", slog.String("head", Known{h.Size, h.Root}.String()))
		}
		return err
	})
	sqldb.Every(w, extendEvery, extendArgs{})
}
