// Package id makes the names of records: a prefix that says what kind, and a lower-case ULID that says nothing else.
//
// Invariant: the ids of one Source sort in the order they were made, even when the clock stands still or goes back, and
// no id is made from anything about a person.
package id

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"huhang.example/services/internal/clock"
)

// Source makes new ids such as "pat_01jd2m6q8x4v7n0c5t9w3e1r6k".
type Source interface {
	New(prefix string) string
}

const (
	alphabet = "0123456789abcdefghjkmnpqrstvwxyz" // Crockford, without i, l, o, u
	length   = 26
)

// Random returns a source over the machine's clock and its random numbers.
func Random() Source { return NewSource(clock.System(), rand.Reader) }

// NewSource returns a source over the given clock and entropy. New panics if entropy fails: an id that might repeat is
// worse than none.
func NewSource(c clock.Clock, entropy io.Reader) Source {
	return &source{clock: c, entropy: entropy}
}

type source struct {
	mu      sync.Mutex
	clock   clock.Clock
	entropy io.Reader
	millis  uint64 // 48 bits
	high    uint16 // upper 16 of the 80 random bits
	low     uint64
}

func (s *source) New(prefix string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := uint64(max(s.clock.Now().UnixMilli(), 0))
	if now > s.millis {
		s.millis = now
		s.draw()
	} else {
		s.step()
	}
	return prefix + "_" + encode(s.millis<<16|uint64(s.high), s.low)
}

func (s *source) draw() {
	var b [10]byte
	s.read(b[:])
	// The topmost bit stays free, so that a burst within one millisecond has room to count up.
	s.high, s.low = binary.BigEndian.Uint16(b[:2])&0x7fff, binary.BigEndian.Uint64(b[2:])
}

// step counts up by a random amount: ids stay in order without the next one being guessable from the last.
func (s *source) step() {
	var b [4]byte
	s.read(b[:])
	before := s.low
	s.low += uint64(binary.BigEndian.Uint32(b[:])) + 1
	if s.low >= before {
		return
	}
	s.high++
	if s.high == 0 {
		s.millis++
		s.draw()
	}
}

func (s *source) read(b []byte) {
	if _, err := io.ReadFull(s.entropy, b); err != nil {
		panic(fmt.Sprintf("id: no entropy: %v", err))
	}
}

// Least is the least id of a prefix that a source makes at a time: ids below it are older.
func Least(prefix string, at time.Time) string {
	return prefix + "_" + encode(uint64(max(at.UnixMilli(), 0))<<16, 0)
}

// Sequence returns a source for tests: each prefix counts 1, 2, 3 ... in well-formed ids of the first millisecond of 2026.
func Sequence() Source { return &sequence{next: map[string]uint64{}} }

type sequence struct {
	mu   sync.Mutex
	next map[string]uint64
}

var sequenceMillis = uint64(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli())

func (s *sequence) New(prefix string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next[prefix]++
	return prefix + "_" + encode(sequenceMillis<<16, s.next[prefix])
}

// Valid reports whether s is an id with the given prefix.
func Valid(prefix, s string) bool {
	rest, found := strings.CutPrefix(s, prefix+"_")
	if !found || prefix == "" || len(rest) != length || rest[0] > '7' {
		return false
	}
	for i := range len(rest) {
		if strings.IndexByte(alphabet, rest[i]) < 0 {
			return false
		}
	}
	return true
}

// encode writes 128 bits as 26 digits of five bits; the first digit holds the topmost three.
func encode(high, low uint64) string {
	var out [length]byte
	for i := length - 1; i >= 0; i-- {
		out[i] = alphabet[low&31]
		low = low>>5 | high<<59
		high >>= 5
	}
	return string(out[:])
}
