package id_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/id"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestKnownEncoding(t *testing.T) {
	// The ULID specification's example: 01ARYZ6S41 is 1469918176385 ms.
	c := clock.NewFake(time.UnixMilli(1469918176385))
	got := id.NewSource(c, bytes.NewReader(make([]byte, 10))).New("pat")
	if got != "pat_01aryz6s410000000000000000" {
		t.Fatal(got)
	}
	full := id.NewSource(c, bytes.NewReader(bytes.Repeat([]byte{0xff}, 10))).New("pat")
	if full != "pat_01aryz6s41fzzzzzzzzzzzzzzz" {
		t.Fatal(full)
	}
}

func TestValid(t *testing.T) {
	good := "pat_01aryz6s41tsv4rrffq69g5fav"
	for _, test := range []struct {
		prefix, s string
		want      bool
	}{
		{"pat", good, true},
		{"pat", strings.ToUpper(good), false},
		{"ref", good, false},
		{"", good, false},
		{"", "_01aryz6s41tsv4rrffq69g5fav", false},
		{"pat", "", false},
		{"pat", "pat_", false},
		{"pat", good + "0", false},
		{"pat", good[:len(good)-1], false},
		{"pat", "pat_81aryz6s41tsv4rrffq69g5fav", false}, // beyond 128 bits
		{"pat", "pat_01aryz6s41tsv4rrffq69g5fai", false},
		{"pat", "pat_01aryz6s41tsv4rrffq69g5fa\n", false},
		{"pat", "pat_01aryz6s41tsv4rrffq69g5f中", false},
		{"pat_01", "pat_01_01aryz6s41tsv4rrffq69g5fav", true},
	} {
		if got := id.Valid(test.prefix, test.s); got != test.want {
			t.Errorf("Valid(%q, %q) = %v", test.prefix, test.s, got)
		}
	}
}

// Whatever the clock does, ids come in order, valid and unlike.
func TestOrderUnderAnyClock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := clock.NewFake(noon)
		seed := rapid.Byte().Draw(t, "seed")
		source := id.NewSource(c, rand.NewChaCha8([32]byte{seed}))
		last := ""
		for _, step := range rapid.SliceOfN(rapid.Int64Range(-5, 5), 1, 200).Draw(t, "milliseconds") {
			c.Advance(time.Duration(step) * time.Millisecond)
			next := source.New("ref")
			if !id.Valid("ref", next) || next <= last {
				t.Fatalf("%q after %q", next, last)
			}
			last = next
		}
	})
}

// With the greatest entropy every step is the longest: the count leaves its 80 bits and must borrow a millisecond.
func TestOrderWhenTheRandomPartOverflows(t *testing.T) {
	source := id.NewSource(clock.NewFake(noon), ones{})
	last := source.New("ref")
	for range 100_000 {
		next := source.New("ref")
		if next <= last {
			t.Fatalf("%q after %q", next, last)
		}
		last = next
	}
}

type ones struct{}

func (ones) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 0xff
	}
	return len(b), nil
}

func TestRandomIsUniqueAcrossGoroutines(t *testing.T) {
	source := id.Random()
	const workers, each = 8, 2000
	made := make([][]string, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for range each {
				made[w] = append(made[w], source.New("pat"))
			}
		})
	}
	wg.Wait()
	for _, mine := range made {
		if !slices.IsSorted(mine) {
			t.Fatal("one goroutine's ids are out of order")
		}
	}
	all := slices.Concat(made...)
	slices.Sort(all)
	if len(slices.Compact(all)) != workers*each {
		t.Fatal("an id was given twice")
	}
}

func TestSequence(t *testing.T) {
	first, second := id.Sequence(), id.Sequence()
	a, b, c := first.New("pat"), first.New("pat"), first.New("ref")
	if a != "pat_01kdvdna000000000000000001" || !id.Valid("pat", a) || b <= a || c != strings.Replace(a, "pat", "ref", 1) {
		t.Fatal(a, b, c)
	}
	if again := second.New("pat"); again != a {
		t.Fatal("a sequence is not the same each time:", again)
	}
}

func TestNoEntropyPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Fatal("an id was made without entropy")
		}
	}()
	id.NewSource(clock.NewFake(noon), iotest.ErrReader(errors.New("dry"))).New("pat")
}

func FuzzValid(f *testing.F) {
	f.Add("pat", "pat_01aryz6s41tsv4rrffq69g5fav")
	f.Add("", "_")
	f.Add("p", "p_\xff")
	f.Fuzz(func(t *testing.T, prefix, s string) {
		if !id.Valid(prefix, s) {
			return
		}
		rest := s[len(prefix)+1:]
		if len(rest) != 26 || rest != strings.ToLower(rest) || strings.ContainsAny(rest, "ilou_") {
			t.Fatalf("%q passed", s)
		}
	})
}
