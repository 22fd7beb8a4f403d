package timetable

import (
	"fmt"
	"slices"
)

// frequency is one row of frequencies.txt.
type frequency struct {
	row      int
	from, to int32
	headway  int32
	exact    bool
}

func (r *reader) readFrequencies() {
	columns := []string{"trip_id", "start_time", "end_time", "headway_secs"}
	r.read("frequencies.txt", false, columns, func(in row) {
		trip, known := refer(in, "trip_id", "trips.txt", r.trips)
		one := frequency{row: in.number}
		var fromOK, toOK bool
		if one.from, fromOK = clockTime(in.get("start_time")); !fromOK {
			in.complain("start_time", "is not a time H:MM:SS of at most %d hours", maxHour)
		}
		if one.to, toOK = clockTime(in.get("end_time")); !toOK {
			in.complain("end_time", "is not a time H:MM:SS of at most %d hours", maxHour)
		}
		headway, spaced := in.number64("headway_secs", 1, DaySeconds)
		exact, exactOK := int64(0), true
		if in.get("exact_times") != "" {
			exact, exactOK = in.number64("exact_times", 0, 1)
		}
		if fromOK && toOK && one.to <= one.from {
			in.complain("end_time", "is not after start_time")
			return
		}
		if !known || trip < 0 || !fromOK || !toOK || !spaced || !exactOK {
			return
		}
		one.headway, one.exact = int32(headway), exact == 1
		for _, other := range r.frequencies[trip] {
			if one.from < other.to && other.from < one.to {
				in.complain("start_time", "overlaps with row %d of the same trip", other.row)
				return
			}
		}
		r.frequencies[trip] = append(r.frequencies[trip], one)
	})
}

// repeat makes a trip of its own of every departure of a trip that runs at intervals. Where the times are not exact, all
// that is known is that one comes within an interval: it may leave as early as said, and arrive an interval later.
func (r *reader) repeat(template int32, calls []call, times []frequency) {
	slices.SortFunc(times, func(a, b frequency) int { return int(a.from - b.from) })
	like, used := r.table.Trips[template], false
	for _, f := range times {
		late := f.headway
		if f.exact {
			late = 0
		}
		for depart := f.from; depart < f.to; depart += f.headway {
			shift := depart - calls[0].depart
			if calls[len(calls)-1].depart+shift >= (maxHour+1)*3600 {
				r.bad.add("frequencies.txt", f.row, "end_time", "runs past hour %d", maxHour)
				return
			}
			trip := template
			if used {
				if len(r.table.Trips) >= r.limits.Trips {
					r.bad.add("frequencies.txt", f.row, "", "makes more than %d trips", r.limits.Trips)
					return
				}
				trip = int32(len(r.table.Trips))
				r.table.Trips = append(r.table.Trips, like)
			}
			used = true
			r.table.Trips[trip].ID = fmt.Sprintf("%s@%d:%02d:%02d", like.ID, depart/3600, depart/60%60, depart%60)
			r.connect(trip, calls, shift, late)
		}
	}
}
