package timetable

import (
	"slices"
	"strconv"
	"strings"
)

// readCalls reads stop_times.txt and makes the connections.
func (r *reader) readCalls() {
	const file = "stop_times.txt"
	calls := make([][]call, len(r.table.Trips))
	whole := make([]bool, len(calls))
	for i := range whole {
		whole[i] = true
	}
	needed := []string{"trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence"}
	r.read(file, true, needed, func(in row) {
		trip, known := refer(in, "trip_id", "trips.txt", r.trips)
		if !known || trip == leftOut {
			return
		}
		one, ok := r.readCall(in)
		if trip == spoilt {
			return
		}
		if !ok {
			whole[trip] = false
			return
		}
		calls[trip] = append(calls[trip], one)
	})
	for trip := range calls {
		if !whole[trip] {
			continue // what is wrong has been told
		}
		sortCalls(calls[trip])
		timed, ok := r.checked(int32(trip), calls[trip])
		if !ok || r.bad.full() {
			continue
		}
		if times, often := r.frequencies[int32(trip)]; often {
			r.repeat(int32(trip), timed, times)
			continue
		}
		r.connect(int32(trip), timed, 0, 0)
	}
}

// mostSequence is the greatest number of a call.
const mostSequence = 1_000_000

func (r *reader) readCall(in row) (call, bool) {
	one := call{row: in.number}
	var ok bool
	one.stop, ok = refer(in, "stop_id", "stops.txt", r.stops)
	if ok && one.stop == spoilt {
		if r.stations[in.get("stop_id")] {
			in.complain("stop_id", "is a station as a whole: trips call at its stops")
		}
		ok = false
	}
	var boardOK, alightOK bool
	one.noBoard, boardOK = in.refused("pickup_type")
	one.noAlight, alightOK = in.refused("drop_off_type")
	ok = ok && boardOK && alightOK
	sequence, numbered := in.number64("stop_sequence", 0, mostSequence)
	one.sequence = sequence
	arrive, depart := in.get("arrival_time"), in.get("departure_time")
	if arrive == "" && depart == "" {
		return one, ok && numbered // passed at no published time: nobody can be told to board here
	}
	if arrive == "" {
		arrive = depart
	}
	if depart == "" {
		depart = arrive
	}
	var arriveOK, departOK bool
	if one.arrive, arriveOK = clockTime(arrive); !arriveOK {
		in.complain("arrival_time", "is not a time H:MM:SS of at most %d hours", maxHour)
	}
	if one.depart, departOK = clockTime(depart); !departOK {
		in.complain("departure_time", "is not a time H:MM:SS of at most %d hours", maxHour)
	}
	if arriveOK && departOK && one.depart < one.arrive {
		in.complain("departure_time", "is before the arrival at the same stop")
		return one, false
	}
	one.timed = true
	return one, ok && numbered && arriveOK && departOK
}

// refused reads a pickup or drop-off type: 1 is none; by arrangement, 2 and 3, counts as possible.
func (r row) refused(column string) (bool, bool) {
	if r.get(column) == "" {
		return false, true
	}
	n, ok := r.number64(column, 0, 3)
	return n == 1, ok
}

// checked returns the calls at which there is a time, or tells what is wrong with them.
func (r *reader) checked(trip int32, calls []call) ([]call, bool) {
	const file = "stop_times.txt"
	if len(calls) < 2 {
		r.bad.add(file, 0, "trip_id", "trip %s calls at fewer than two stops", clip(r.table.Trips[trip].ID))
		return nil, false
	}
	for i := 1; i < len(calls); i++ {
		if calls[i].sequence == calls[i-1].sequence {
			r.bad.add(file, calls[i].row, "stop_sequence", "stands twice in the trip")
			return nil, false
		}
	}
	if !calls[0].timed || !calls[len(calls)-1].timed {
		r.bad.add(file, calls[0].row, "departure_time", "the first and the last stop of a trip need times")
		return nil, false
	}
	calls = slices.DeleteFunc(calls, func(c call) bool { return !c.timed })
	for i := 1; i < len(calls); i++ {
		if calls[i].arrive < calls[i-1].depart {
			r.bad.add(file, calls[i].row, "arrival_time", "is before the departure from the stop before")
			return nil, false
		}
	}
	return calls, true
}

// connect makes the connections of a trip, shifted by so many seconds, which may arrive later by as many.
func (r *reader) connect(trip int32, calls []call, shift, late int32) {
	if len(r.table.Connections)+len(calls) > r.limits.Rows {
		r.bad.add("stop_times.txt", 0, "", "makes more than %d connections", r.limits.Rows)
		return
	}
	metres := int64(0)
	for i := 1; i < len(calls); i++ {
		a, b := calls[i-1], calls[i]
		end := metres + r.table.hop(a.stop, b.stop)
		r.table.Connections = append(r.table.Connections, Connection{
			From: a.stop, To: b.stop, Depart: a.depart + shift, Arrive: b.arrive + shift + late, Trip: trip, StartMetres: metres, EndMetres: end,
			FromSequence: int32(a.sequence), ToSequence: int32(b.sequence), NoBoard: a.noBoard, NoAlight: b.noAlight,
		})
		metres = end
	}
}

// hop is the way from one stop to the next.
func (t *Timetable) hop(from, to int32) int64 {
	a, b := &t.Stops[from], &t.Stops[to]
	return int64(Metres(a.Lat, a.Lon, b.Lat, b.Lon))
}

type call struct {
	row            int
	sequence       int64
	stop           int32
	arrive, depart int32
	timed          bool

	noBoard, noAlight bool
}

// clockTime reads H:MM:SS, hours past 24 being the following days.
func clockTime(text string) (int32, bool) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 || len(parts[0]) == 0 || len(parts[0]) > 3 || len(parts[1]) != 2 || len(parts[2]) != 2 {
		return 0, false
	}
	total := int32(0)
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 16)
		if err != nil || i > 0 && n > 59 || i == 0 && n > maxHour {
			return 0, false
		}
		total = total*60 + int32(n)
	}
	return total, true
}

// maxHour is four days on the way: more than the longest train of China.
const maxHour = 96

func sortCalls(calls []call) {
	slices.SortStableFunc(calls, func(a, b call) int { return int(a.sequence - b.sequence) })
}
