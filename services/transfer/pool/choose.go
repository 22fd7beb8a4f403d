package pool

import "slices"

// Slot is where a need looks for its unit.
type Slot struct {
	Organisation string
	Kind         Kind
}

// Slot returns where the need looks.
func (n Need) Slot() Slot { return Slot{n.Organisation, n.Kind} }

// Unit is a candidate with the times at which it is taken.
type Unit struct {
	ID           string
	Busy         []Interval
	Calendar     Calendar
	OutOfService bool
	// Away is when it is lent to others. Within is set for a unit on loan: only there it is to be had.
	Away, Within []Interval
}

// Free reports whether the unit is to be had for the whole interval.
func (u Unit) Free(i Interval) bool {
	return u.Usable(i) && !slices.ContainsFunc(u.Busy, u.near(i))
}

// Usable reports whether nothing but reservations stands in the way.
func (u Unit) Usable(i Interval) bool {
	inside := func(w Interval) bool { return !i.Start.Before(w.Start) && !i.End.After(w.End) }
	return !u.OutOfService && !slices.ContainsFunc(u.Away, i.Overlaps) && (u.Within == nil || slices.ContainsFunc(u.Within, inside)) &&
		u.Calendar.Open(i)
}

// near tells what comes closer to i than the unit's rest allows.
func (u Unit) near(i Interval) func(Interval) bool {
	return func(other Interval) bool {
		return i.Start.Before(other.End.Add(u.Calendar.Rest)) && other.Start.Before(i.End.Add(u.Calendar.Rest))
	}
}

// mostSteps bounds the search for a choice. Sixteen needs over an ordinary ward take a few dozen steps.
const mostSteps = 20_000

// Choose finds a unit for every need so that no unit is taken twice at a time, the needs among themselves included. It
// returns the units in the order of the needs. Where there is no choice, missing is the index of a need that cannot be
// met beside those before it.
func Choose(needs []Need, units map[Slot][]Unit) (chosen []string, missing int) {
	c := &choice{needs: needs, units: units, chosen: make([]string, len(needs)), steps: mostSteps}
	if !c.from(0) {
		return nil, c.furthest
	}
	return c.chosen, -1
}

type choice struct {
	needs    []Need
	units    map[Slot][]Unit
	chosen   []string
	furthest int
	steps    int
}

func (c *choice) from(i int) bool {
	if i == len(c.needs) {
		return true
	}
	c.furthest = max(c.furthest, i)
	need := c.needs[i]
	for _, unit := range c.units[need.Slot()] {
		if c.steps--; c.steps < 0 {
			return false
		}
		if need.Unit != "" && need.Unit != unit.ID || !unit.Free(need.Interval) || c.takenBefore(i, unit) {
			continue
		}
		c.chosen[i] = unit.ID
		if c.from(i + 1) {
			return true
		}
	}
	return false
}

func (c *choice) takenBefore(i int, unit Unit) bool {
	for j := range i {
		if c.chosen[j] == unit.ID && unit.near(c.needs[i].Interval)(c.needs[j].Interval) {
			return true
		}
	}
	return false
}
