package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"huhang.example/services/internal/clock"
)

// The forms in which an entry and a link are hashed. They are part of every book ever written: a golden test holds them.
const (
	entryForm = "huhang ledger entry 1"
	linkForm  = "huhang ledger link 1"
)

// Digest is the hash of all that an entry says, and of when it was posted.
func (e Entry) Digest(at time.Time) string {
	h := e.head
	var b strings.Builder
	for _, part := range []string{
		entryForm, h.ID, h.Province, string(h.Side), string(h.Kind), h.Source, h.Counterparty, h.Day, strconv.FormatInt(clock.Micros(at), 10),
	} {
		b.WriteString(part)
		b.WriteByte('\n')
	}
	for _, p := range e.postings {
		b.WriteString(p.Account + " " + strconv.FormatInt(int64(p.Debit), 10) + " " + strconv.FormatInt(int64(p.Credit), 10) + "\n")
	}
	return sum(b.String())
}

// Head of a book: how many entries are chained, and the hash of the last. The zero Chain is the beginning.
type Chain struct {
	Seq  int64
	Hash string
}

// Next chains an entry, by its digest, to the one before.
func (c Chain) Next(digest string) Chain {
	n := Chain{Seq: c.Seq + 1}
	n.Hash = sum(linkForm + "\n" + c.Hash + "\n" + strconv.FormatInt(n.Seq, 10) + "\n" + digest + "\n")
	return n
}

func sum(text string) string {
	s := sha256.Sum256([]byte(text))
	return hex.EncodeToString(s[:])
}

// Link is one place of a book as it is stored: its number, its hash, and the entry found there now.
type Link struct {
	Chain   Chain
	EntryID string
	// Found is false where the entry is not there any more.
	Found bool
	Entry Entry
	// Malformed says that what is stored is no balanced entry.
	Malformed bool
	At        time.Time
}

// Damage is what is wrong with a book.
type Damage string

// What may be wrong.
const (
	Removed   Damage = "REMOVED"   // an entry, or its place in the chain, is not there any more
	Altered   Damage = "ALTERED"   // an entry is not what it was, or stands where it did not stand
	Cut       Damage = "CUT"       // the book ends before its head
	Unchained Damage = "UNCHAINED" // an entry was put in beside the chain
	Balances  Damage = "BALANCES"  // a checkpoint is not the sum of its postings
)

// Break is the first place where a book is not what was written.
type Break struct {
	Seq     int64
	EntryID string
	Damage  Damage
}

// Check follows the chain over one more link, which must be the next.
func (c Chain) Check(l Link) (Chain, *Break) {
	next := c.Seq + 1
	switch {
	case l.Chain.Seq != next:
		return c, &Break{Seq: next, Damage: Removed}
	case !l.Found:
		return c, &Break{Seq: next, EntryID: l.EntryID, Damage: Removed}
	case l.Malformed:
		return c, &Break{Seq: next, EntryID: l.EntryID, Damage: Altered}
	}
	want := c.Next(l.Entry.Digest(l.At))
	if want != l.Chain {
		return c, &Break{Seq: next, EntryID: l.EntryID, Damage: Altered}
	}
	return want, nil
}
