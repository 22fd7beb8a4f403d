package audit

import (
	"context"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"huhang.example/services/internal/sqldb"
)

// Damage is what is wrong with a log.
type Damage string

// What may be wrong.
const (
	Altered   Damage = "ALTERED"   // an entry is not what it was
	Removed   Damage = "REMOVED"   // an entry is not there any more
	Added     Damage = "ADDED"     // an entry has a leaf that the head does not know
	Inside    Damage = "INSIDE"    // the entries and their leaves agree, the tree above them or its head does not
	Rewritten Damage = "REWRITTEN" // the log agrees with itself, not with a head that was kept outside
	Cut       Damage = "CUT"       // the log is shorter than a head that was kept outside
)

// Break is the first place where a log is not what was written.
type Break struct {
	Damage Damage
	// Leaf is where, EntryID which entry, "" where none is there or all are meant.
	Leaf    int64
	EntryID string
}

func (b Break) String() string {
	return strings.TrimSpace(fmt.Sprintf("%s at leaf %d %s", b.Damage, b.Leaf, b.EntryID))
}

// Verified is what Verify found.
type Verified struct {
	Head Head
	// Waiting is how many entries have no leaf yet, Oldest when the first of them was made.
	Waiting int64
	Oldest  time.Time
	// Break is nil where every entry with a leaf is as it was.
	Break *Break
}

// Known is a head that was kept outside the database.
type Known struct {
	Size int64
	Root tlog.Hash
}

// String is what ParseKnown reads: the size, a colon, the root.
func (k Known) String() string { return strconv.FormatInt(k.Size, 10) + ":" + k.Root.String() }

// ParseKnown reads a head as it stands in the service's log: size and root with a colon between.
func ParseKnown(text string) (k Known, err error) {
	size, root, _ := strings.Cut(text, ":")
	if k.Size, err = strconv.ParseInt(size, 10, 64); err == nil && k.Size >= 0 {
		if k.Root, err = tlog.ParseHash(root); err == nil {
			return k, nil
		}
	}
	return k, fmt.Errorf("audit: %q is no head: a size, a colon and the root, as 512:nxJ4...=", text)
}

// Verify reads the whole log and computes its tree anew from the entries alone. With a known head it also tells whether the
// log then was a beginning of the log now. Entries may be added meanwhile.
func Verify(ctx context.Context, db *sqldb.DB, known *Known) (v Verified, err error) {
	if err := db.Read(ctx, func(ctx context.Context, q sqldb.Querier) (err error) {
		if v.Head, err = head(ctx, q); err != nil {
			return err
		}
		waiting, err := records(ctx, q, "WHERE leaf < 0 ORDER BY id LIMIT 1")
		if err != nil || len(waiting) == 0 {
			return err
		}
		v.Oldest = waiting[0].At
		return q.QueryRow(ctx, "SELECT count(*) FROM audit WHERE leaf < 0").Scan(&v.Waiting)
	}); err != nil {
		return v, err
	}
	var edge frontier
	check := func(leaf int64) {
		if known != nil && known.Size == leaf && v.Break == nil && edge.root() != known.Root {
			v.Break = &Break{Damage: Rewritten, Leaf: leaf}
		}
	}
	check(0)
	for next := int64(0); next < v.Head.Size && v.Break == nil; {
		if err := db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
			list, err := leaves(ctx, q, next, min(v.Head.Size-next, 1000))
			if err != nil {
				return err
			}
			for _, l := range list {
				if l.leaf != next {
					break
				}
				if l.now != l.then {
					v.Break = &Break{Damage: Altered, Leaf: next, EntryID: l.id}
					return nil
				}
				edge.add(l.now)
				next++
				check(next)
			}
			if len(list) == 0 || list[len(list)-1].leaf+1 != next {
				v.Break = &Break{Damage: Removed, Leaf: next}
			}
			return nil
		}); err != nil {
			return v, err
		}
	}
	switch {
	case v.Break != nil:
	case known != nil && known.Size > v.Head.Size:
		v.Break = &Break{Damage: Cut, Leaf: v.Head.Size}
	case edge.root() != v.Head.Root:
		v.Break = &Break{Damage: Inside, Leaf: v.Head.Size}
	default:
		v.Break, err = beyond(ctx, db, v.Head.Size)
	}
	return v, err
}

// beyond looks for entries whose leaf is behind the head; the log may have grown meanwhile.
func beyond(ctx context.Context, db *sqldb.DB, size int64) (b *Break, err error) {
	err = db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		now, err := head(ctx, q)
		if err != nil {
			return err
		}
		added, err := records(ctx, q, "WHERE leaf >= $1 ORDER BY leaf LIMIT 1", max(size, now.Size))
		if err == nil && len(added) > 0 {
			b = &Break{Damage: Added, Leaf: max(size, now.Size), EntryID: added[0].ID}
		}
		return err
	})
	return b, err
}

// stored is an entry as it is now, beside the leaf it was given.
type stored struct {
	leaf      int64
	id        string
	now, then tlog.Hash
}

// leaves reads n leaves and what stands there.
func leaves(ctx context.Context, q sqldb.Querier, from, n int64) (list []stored, err error) {
	entries, err := records(ctx, q, "WHERE leaf >= $1 AND leaf < $2 ORDER BY leaf", from, from+n)
	if err != nil {
		return nil, err
	}
	nodes := map[int64]tlog.Hash{}
	rows, err := q.Query(ctx, "SELECT node, hash FROM audit_node WHERE node >= $1 AND node <= $2", tlog.StoredHashIndex(0, from), tlog.StoredHashIndex(0, from+n-1))
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var node int64
		var hash []byte
		if err := rows.Scan(&node, &hash); err != nil {
			return nil, fmt.Errorf("audit: %w", err)
		}
		var h tlog.Hash
		copy(h[:], hash)
		nodes[node] = h
	}
	for _, r := range entries {
		s := stored{leaf: r.leaf, id: r.ID, then: nodes[tlog.StoredHashIndex(0, r.leaf)]}
		if s.now, err = leafOf(r.Record); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, rows.Err()
}

// frontier is the right edge of a growing tree: the roots of its complete subtrees, the largest first.
type frontier struct {
	size  int64
	edges []tlog.Hash
}

func (f *frontier) add(leaf tlog.Hash) {
	for range bits.TrailingZeros64(uint64(f.size + 1)) {
		last := len(f.edges) - 1
		leaf, f.edges = tlog.NodeHash(f.edges[last], leaf), f.edges[:last]
	}
	f.edges, f.size = append(f.edges, leaf), f.size+1
}

func (f *frontier) root() tlog.Hash {
	if f.size == 0 {
		empty, _ := tlog.TreeHash(0, nil)
		return empty
	}
	root := f.edges[len(f.edges)-1]
	for i := len(f.edges) - 2; i >= 0; i-- {
		root = tlog.NodeHash(f.edges[i], root)
	}
	return root
}
