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
	ID   string
	Busy []Interval
}

func (u Unit) free(i Interval) bool {
	return !slices.ContainsFunc(u.Busy, i.Overlaps)
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
		if !unit.free(need.Interval) || c.takenBefore(i, unit.ID) {
			continue
		}
		c.chosen[i] = unit.ID
		if c.from(i + 1) {
			return true
		}
	}
	return false
}

func (c *choice) takenBefore(i int, unit string) bool {
	for j := range i {
		if c.chosen[j] == unit && c.needs[j].Overlaps(c.needs[i].Interval) {
			return true
		}
	}
	return false
}
