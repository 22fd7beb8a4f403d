package timetable

import "slices"

// readCalls reads stop_times.txt and makes the connections.
func (r *reader) readCalls() {
	const file = "stop_times.txt"
	calls := make([][]call, len(r.table.Trips))
	needed := []string{"trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence"}
	r.read(file, true, needed, func(in row) {
		trip, known := r.trips[in.get("trip_id")]
		if !known {
			if !r.skipped[in.get("trip_id")] {
				in.complain("trip_id", "is not in trips.txt")
			}
			return
		}
		if one, ok := r.readCall(in); ok {
			calls[trip] = append(calls[trip], one)
		}
	})
	if len(r.bad.rows) > 0 {
		return
	}
	for trip := range calls {
		sortCalls(calls[trip])
		r.connect(int32(trip), calls[trip])
	}
}

func (r *reader) readCall(in row) (call, bool) {
	one := call{row: in.number}
	var ok bool
	one.stop, ok = r.stops[in.get("stop_id")]
	if !ok {
		in.complain("stop_id", "is not in stops.txt")
	}
	sequence, numbered := in.number64("stop_sequence", 0, 1_000_000)
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

func (r *reader) connect(trip int32, calls []call) {
	const file = "stop_times.txt"
	if len(calls) < 2 {
		r.bad.add(file, 0, "trip_id", "trip %s calls at fewer than two stops", clip(r.table.Trips[trip].ID))
		return
	}
	for i := 1; i < len(calls); i++ {
		if calls[i].sequence == calls[i-1].sequence {
			r.bad.add(file, calls[i].row, "stop_sequence", "stands twice in the trip")
			return
		}
	}
	if !calls[0].timed || !calls[len(calls)-1].timed {
		r.bad.add(file, calls[0].row, "departure_time", "the first and the last stop of a trip need times")
		return
	}
	calls = slices.DeleteFunc(calls, func(c call) bool { return !c.timed })
	metres := int64(0)
	for i := 1; i < len(calls); i++ {
		a, b := calls[i-1], calls[i]
		if b.arrive < a.depart {
			r.bad.add(file, b.row, "arrival_time", "is before the departure from the stop before")
			return
		}
		from, to := r.table.Stops[a.stop], r.table.Stops[b.stop]
		end := metres + int64(Metres(from.Lat, from.Lon, to.Lat, to.Lon))
		r.table.Connections = append(r.table.Connections, Connection{
			From: a.stop, To: b.stop, Depart: a.depart, Arrive: b.arrive, Trip: trip, StartMetres: metres, EndMetres: end,
		})
		metres = end
	}
}
