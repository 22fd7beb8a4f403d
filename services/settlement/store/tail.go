package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/money"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/settlement/clearing"
	"huhang.example/services/settlement/ledger"
)

// waiting is an entry that has no place yet.
type waiting struct {
	id, digest string
	clears     money.Fen
	told
}

// told is what giving a place has to know of an entry.
type told struct {
	Kind         ledger.Kind      `json:"kind"`
	Source       string           `json:"source"`
	Counterparty string           `json:"counterparty,omitempty"`
	Day          string           `json:"day"`
	Postings     []ledger.Posting `json:"postings,omitempty"`
}

func tell(e ledger.Entry, at time.Time) told {
	h := e.Head()
	if h.Day == "" {
		h.Day = clock.Day(at)
	}
	return told{Kind: h.Kind, Source: h.Source, Counterparty: h.Counterparty, Day: h.Day, Postings: e.Postings()}
}

func (t told) cleared() bool {
	return t.Counterparty != "" && (t.Kind == ledger.Settlement || t.Kind == ledger.Reversal)
}

// TailColumns are those of TailRow.
var TailColumns = []string{"entry_id", "province", "side", "clears", "digest", "entry"}

// TailRow is what waits until an entry has its place. It has all that giving it takes: a place is given to a thousand
// entries at once, and looking up each of them again took most of the time (measured).
func TailRow(e ledger.Entry, at time.Time) ([]any, error) {
	doc, err := json.Marshal(tell(e, at))
	if err != nil {
		return nil, fmt.Errorf("settlement/store: %w", err)
	}
	h := e.Head()
	return []any{h.ID, h.Province, string(h.Side), int64(e.Clears()), e.Digest(at), string(doc)}, nil
}

// tailOf reads what waits in a book, in the order it gets its places.
func tailOf(ctx context.Context, q sqldb.Querier, at clearing.Book, limit int) ([]waiting, error) {
	tail := make([]waiting, 0, limit)
	var bare []int
	err := each(ctx, q, "SELECT entry_id, clears, digest, entry FROM ledger_tail WHERE province = $1 AND side = $2 ORDER BY entry_id LIMIT $3",
		[]any{at.Province, string(at.Side), limit}, func(rows sqldb.Rows) error {
			var w waiting
			var doc string
			if err := rows.Scan(&w.id, &w.clears, &w.digest, &doc); err != nil {
				return err
			}
			tail = append(tail, w)
			if doc == "" {
				bare = append(bare, len(tail)-1)
				return nil
			}
			return json.Unmarshal([]byte(doc), &tail[len(tail)-1].told)
		})
	// Posted before the tail told all of it.
	for _, i := range bare {
		if err != nil {
			break
		}
		var e ledger.Entry
		var posted time.Time
		w := &tail[i]
		e, posted, err = entry(ctx, q, "entry_id = $1", w.id)
		w.digest, w.clears, w.told = e.Digest(posted), e.Clears(), tell(e, posted)
	}
	return tail, err
}
