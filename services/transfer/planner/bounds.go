package planner

import "huhang.example/services/transfer/timetable"

// bound is the least that is still to come on any way to the ward: each number for itself, maybe by different ways.
type bound struct {
	seconds     int32
	price, risk int64
}

var never = bound{seconds: unreachable, price: 1 << 60, risk: 1 << 60}

func (b *bound) lower(seconds int32, price, risk int64) {
	b.seconds, b.price, b.risk = min(b.seconds, seconds), min(b.price, price), min(b.risk, risk)
}

func (b *bound) cell() cell { return cellOf(b.seconds, b.price, b.risk) }

// cell is a bound as it is kept, rounded down: 11 bits of time, 11 of price and 10 of risk in half a word, for what a search
// waits for is memory.
type cell uint32

const (
	cellSeconds = 120
	cellPrice   = 2 * 100_000 // yuan
	cellRisk    = riskUnit / 4
	// nowhere is in the time of a bound when there is no way.
	nowhere = cell11
	cell11  = 1<<11 - 1
	cell10  = 1<<10 - 1
)

func cellOf(seconds int32, price, risk int64) cell {
	if seconds >= unreachable {
		return nowhere
	}
	return cell(min(max(seconds, 0)/cellSeconds, nowhere-1)) | cell(min(max(price, 0)/cellPrice, cell11))<<11 | cell(min(max(risk, 0)/cellRisk, cell10))<<22
}

func (c cell) any() bool      { return c&cell11 != nowhere }
func (c cell) seconds() int32 { return int32(c&cell11) * cellSeconds }
func (c cell) price() int64   { return int64(c>>11&cell11) * cellPrice }
func (c cell) risk() int64    { return int64(c>>22) * cellRisk }

// bounds are lower bounds by number of further rides, so that a search towards one destination leaves alone what leads away
// from it or would wait too long. They hold on every day: all trips count as if they ran daily.
type bounds struct {
	rides int
	stops int
	guide *guide // nil: there is none
	// by holds, for each connection of the timetable side by side, of who is at it: boards it or is aboard as it departs, may
	// board it or wait, gets off at its end, goes on from there to another stop; each [j-1] with j rides more, but of who gets off
	// [j]. In a large network there is none.
	by   []cell
	open []cell // in its place
	// The others are by slot of the day and stop, times and risks counted from the beginning of the slot: of who may board or
	// wait, and where by is none of who gets off and of who goes on.
	slots                    int
	width                    int32 // seconds of a slot
	riding, staying, leaving []cell
}

// What one does at a connection, in the order of bounds.by.
const (
	atBoarding = iota
	atWaiting
	atStaying
	atLeaving
	doings
)

// ahead is what is still to come from a stop at a time.
type ahead struct {
	now   []cell
	rides int32 // more, of the first of them
	past  int32 // of the slot
}

// slot is the part of the day in which a time is, and how much of it has gone.
func (b *bounds) slot(at int32) (slot, past int32) {
	at %= timetable.DaySeconds
	return at / b.width, at % b.width
}

// at is what by holds of the connection, if it does.
func (b *bounds) at(ref int32, doing int) ([]cell, bool) {
	if i := (int(ref)*doings + doing) * b.rides; i < len(b.by) {
		return b.by[i:][:b.rides], true
	}
	return b.open, false
}

func (b *bounds) in(list []cell, stop, at int32) ahead {
	if len(list) == 0 {
		return ahead{now: b.open, rides: 1}
	}
	slot, past := b.slot(at)
	return ahead{now: list[(int(slot)*b.stops+int(stop))*b.rides:][:b.rides], rides: 1, past: past}
}

// aboard is of who boards the connection or is aboard as it departs.
func (b *bounds) aboard(ref int32) ahead {
	now, _ := b.at(ref, atBoarding)
	return ahead{now: now, rides: 1}
}

// ride is of who is ready to board at the stop.
func (b *bounds) ride(stop, at int32) ahead { return b.in(b.riding, stop, at) }

// wait is of who is ready as the connection departs from the stop.
func (b *bounds) wait(ref, stop, at int32) ahead {
	if now, ok := b.at(ref, atWaiting); ok {
		return ahead{now: now, rides: 1}
	}
	return b.ride(stop, at)
}

// stay is of who gets off where the connection ends.
func (b *bounds) stay(ref, stop, at int32) ahead {
	now, ok := b.at(ref, atStaying)
	out := ahead{now: now}
	if !ok {
		out = b.in(b.staying, stop, at)
		out.rides = 0
	}
	return out
}

// leave is of who goes on from there to another stop.
func (b *bounds) leave(ref, stop, at int32) ahead {
	if now, ok := b.at(ref, atLeaving); ok {
		return ahead{now: now, rides: 1}
	}
	return b.in(b.leaving, stop, at)
}
