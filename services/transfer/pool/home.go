package pool

import (
	"slices"
	"time"
)

// WayHome is how the crew and the vehicles of a transfer that has ended come home.
type WayHome struct {
	// Home is when those can be back who went all the way.
	Home time.Time
	// Arrived: the patient was handed over. Aboard: the patient is still with them and bound elsewhere.
	// AtDoor: they are at the receiver's door.
	Arrived, Aboard, AtDoor bool
	// Receiver has the ambulances that set out to fetch the patient for the last road. What of them stays taken becomes its own
	// hold ReceiverHold, so that it says itself when they are free.
	Receiver, ReceiverHold string
}

// Fetches reports whether a reservation is of the receiver's ambulance, which drives to the station and back.
func (w WayHome) Fetches(r Reservation) bool {
	return r.Kind == Ambulance && w.Receiver != "" && r.For == w.Receiver
}

// Stays is until when a reservation among all of the transfer stays taken, whatever else: not after now, it is free. It stays
// until most as far as nobody else has the unit then.
//
// Who went all the way comes home with the crew; with a patient aboard nobody is free before the time they were held for.
// The receiver's ambulance has fetched the patient when half of its time is over, or they are at the door; then it is with the
// patient as the crew is, and after a hand-over it stands at its own door.
func (w WayHome) Stays(r Reservation, all []Reservation, now time.Time) (until, most time.Time) {
	with := slices.ContainsFunc(all, func(crew Reservation) bool { return crew.Kind == Crew && crew.End.Equal(r.End) })
	if w.Fetches(r) {
		if w.Arrived {
			return now, now
		}
		with = w.Aboard && (w.AtDoor || !now.Before(r.Start.Add(r.End.Sub(r.Start)/2)))
	}
	switch {
	case !r.Start.Before(now):
		return now, now
	case r.End.Before(w.Home) && with:
		return r.End, w.Home
	case r.End.Before(w.Home) || w.Aboard:
		return r.End, r.End
	}
	return w.Home, w.Home
}
