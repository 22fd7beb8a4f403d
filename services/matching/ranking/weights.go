package ranking

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"huhang.example/services/internal/clock"
)

// The terms of a score.
const (
	TermCapacity   = "capacity"
	TermWait       = "wait"
	TermSurvival   = "survival"
	TermDoor       = "door_to_door"
	TermDirect     = "direct_settlement"
	TermSelfPay    = "self_pay"
	TermPreference = "preference"
)

// Their places.
const (
	termCapacity = iota
	termWait
	termSurvival
	termDoor
	termDirect
	termSelfPay
	termPreference
	termCount
)

// Keys are the terms in the order they are shown.
var Keys = []string{TermCapacity, TermWait, TermSurvival, TermDoor, TermDirect, TermSelfPay, TermPreference}

const whole = 10000

// Weights (权重) say how much each term counts, in basis points, and where its scale begins and ends. A version never
// changes; the one whose day came last is in force.
type Weights struct {
	Version string `json:"version"`
	// EffectiveFrom is the first day, in Shanghai.
	EffectiveFrom string           `json:"effective_from"`
	Terms         map[string]int32 `json:"terms"`
	Scales        Scales           `json:"scales"`
}

// Scales turn a figure into 0..10000.
type Scales struct {
	// PlacesFull free places and more are worth everything.
	PlacesFull int32 `json:"places_full"`
	// WaitZeroDays of median wait and more are worth nothing.
	WaitZeroDays    int32 `json:"wait_zero_days"`
	DoorFullMinutes int32 `json:"door_full_minutes"`
	DoorZeroMinutes int32 `json:"door_zero_minutes"`
	SelfPayZeroFen  int64 `json:"self_pay_zero_fen"`
	// PreferenceStep is how much less each further choice is worth.
	PreferenceStep int32 `json:"preference_step"`
	// StaleHours after which declared capacity is marked; SmallVolume under which a tier is.
	StaleHours  int32 `json:"stale_hours"`
	SmallVolume int32 `json:"small_volume"`
}

//go:embed weights.json
var weightsJSON []byte

// Embedded are the versions this binary carries, by their first day.
func Embedded() []*Weights { return embedded }

var embedded = func() []*Weights {
	all, err := ParseWeights(weightsJSON)
	if err != nil {
		panic("ranking: weights.json: " + err.Error()) // embedded and tested
	}
	return all
}()

// InForce is the version in force at the time: of those whose day has come the last. Nil before the first.
func InForce(versions []*Weights, at time.Time) *Weights {
	var found *Weights
	for _, w := range versions {
		if w.EffectiveFrom <= clock.Day(at) && (found == nil || order(found, w) < 0) {
			found = w
		}
	}
	return found
}

// order is by day; of two for one day the later name wins, so that every instance chooses alike.
func order(a, b *Weights) int {
	return cmp.Or(cmp.Compare(a.EffectiveFrom, b.EffectiveFrom), cmp.Compare(a.Version, b.Version))
}

// ParseWeights reads versions strictly: every term, no other, and together 10000; no version twice.
func ParseWeights(data []byte) ([]*Weights, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var all []*Weights
	if err := decoder.Decode(&all); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one document")
	}
	if len(all) == 0 {
		return nil, errors.New("no version")
	}
	seen := map[string]bool{}
	for i, w := range all {
		if w == nil || seen[w.Version] {
			return nil, fmt.Errorf("[%d]: empty, or its version is there already", i)
		}
		seen[w.Version] = true
		if err := w.Check(); err != nil {
			return nil, fmt.Errorf("[%d] %q: %w", i, w.Version, err)
		}
	}
	slices.SortFunc(all, order)
	return all, nil
}

// Bad is what is wrong with weights, and where.
type Bad struct{ Field, Why string }

func (b *Bad) Error() string { return b.Field + ": " + b.Why }

const maxVersion = 40

// Check says what is wrong with the weights, as a *Bad. A term this binary does not know would silently count for
// nothing: it is refused.
func (w *Weights) Check() error {
	if w.Version == "" || len(w.Version) > maxVersion {
		return &Bad{"version", "missing or too long"}
	}
	if _, err := time.Parse(time.DateOnly, w.EffectiveFrom); err != nil {
		return &Bad{"effective_from", "no day"}
	}
	var sum int64
	for _, key := range Keys {
		weight, ok := w.Terms[key]
		if !ok {
			return &Bad{"terms." + key, "missing"}
		}
		if weight < 0 || weight > whole {
			return &Bad{"terms." + key, "not 0 to 10000"}
		}
		sum += int64(weight)
	}
	for key := range w.Terms {
		if !slices.Contains(Keys, key) {
			return &Bad{"terms." + key, "no such term"}
		}
	}
	if sum != whole {
		return &Bad{"terms", fmt.Sprintf("together %d, not %d", sum, whole)}
	}
	s := w.Scales
	for _, bound := range []struct {
		field     string
		v, lo, hi int64
	}{
		{"places_full", int64(s.PlacesFull), 1, 1000},
		{"wait_zero_days", int64(s.WaitZeroDays), 1, 100_000},
		{"door_full_minutes", int64(s.DoorFullMinutes), 0, 100_000},
		{"door_zero_minutes", int64(s.DoorZeroMinutes), int64(s.DoorFullMinutes) + 1, 100_001},
		{"self_pay_zero_fen", s.SelfPayZeroFen, 1, 1e12},
		{"preference_step", int64(s.PreferenceStep), 1, whole},
		{"stale_hours", int64(s.StaleHours), 1, 100_000},
		{"small_volume", int64(s.SmallVolume), 0, 100_000},
	} {
		if bound.v < bound.lo || bound.v > bound.hi {
			return &Bad{"scales." + bound.field, fmt.Sprintf("not %d to %d", bound.lo, bound.hi)}
		}
	}
	return nil
}
