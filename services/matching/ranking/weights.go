package ranking

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// The terms of a score, in the order they are shown.
const (
	TermCapacity   = "capacity"
	TermWait       = "wait"
	TermSurvival   = "survival"
	TermDoor       = "door_to_door"
	TermDirect     = "direct_settlement"
	TermSelfPay    = "self_pay"
	TermPreference = "preference"
)

// Keys are the terms in order.
var Keys = []string{TermCapacity, TermWait, TermSurvival, TermDoor, TermDirect, TermSelfPay, TermPreference}

const whole = 10000

// Weights (权重) say how much each term counts, in basis points, and where its scale begins and ends.
type Weights struct {
	Version string           `json:"version"`
	Terms   map[string]int32 `json:"terms"`
	Scales  Scales           `json:"scales"`
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

var current = func() *Weights {
	w, err := ParseWeights(weightsJSON)
	if err != nil {
		panic("ranking: weights.json: " + err.Error()) // embedded and tested
	}
	return w
}()

// Current are the weights this binary carries.
func Current() *Weights { return current }

// ParseWeights reads weights strictly: every term, no other, and together 10000.
func ParseWeights(data []byte) (*Weights, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	w := new(Weights)
	if err := decoder.Decode(w); err != nil {
		return nil, err
	}
	if w.Version == "" {
		return nil, errors.New("version: missing")
	}
	var sum int64
	for key, weight := range w.Terms {
		if !slices.Contains(Keys, key) || weight < 0 || weight > whole {
			return nil, fmt.Errorf("terms.%s: unknown, or not 0 to %d", key, whole)
		}
		sum += int64(weight)
	}
	if len(w.Terms) != len(Keys) || sum != whole {
		return nil, fmt.Errorf("terms: all of %d, together %d", len(Keys), whole)
	}
	s := w.Scales
	if s.PlacesFull < 1 || s.WaitZeroDays < 1 || s.DoorFullMinutes < 0 || s.DoorZeroMinutes <= s.DoorFullMinutes || s.SelfPayZeroFen < 1 ||
		s.PreferenceStep < 1 || s.PreferenceStep > whole || s.StaleHours < 1 || s.SmallVolume < 0 {
		return nil, errors.New("scales: out of bounds")
	}
	return w, nil
}
