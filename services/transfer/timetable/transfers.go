package timetable

// Types in transfers.txt.
const (
	changeMinTime   = 2
	changeForbidden = 3
	changeInSeat    = 4 // and 5: between two trips that are one vehicle
)

// readTransfers takes what the feed says of changes. It only ever makes a change longer or forbids it: where a row is for
// single routes or trips, its bound holds for all. In-seat changes (4, 5) are planned as ordinary ones.
func (r *reader) readTransfers() {
	r.read("transfers.txt", false, []string{"transfer_type"}, func(in row) {
		kind := int64(0)
		if in.get("transfer_type") != "" {
			var ok bool
			if kind, ok = in.number64("transfer_type", 0, 5); !ok {
				return
			}
		}
		seconds := int64(0)
		if in.get("min_transfer_time") != "" || kind == changeMinTime {
			var ok bool
			if seconds, ok = in.number64("min_transfer_time", 0, DaySeconds); !ok {
				return
			}
		}
		if kind >= changeInSeat {
			return
		}
		from, fromOK := refer(in, "from_stop_id", "stops.txt", r.stops)
		to, toOK := refer(in, "to_stop_id", "stops.txt", r.stops)
		if !fromOK || !toOK || from < 0 || to < 0 {
			return
		}
		if from == to && kind != changeForbidden {
			stop := &r.table.Stops[from]
			stop.MinChange = max(stop.MinChange, int32(seconds))
			return
		}
		r.table.Footpaths = append(r.table.Footpaths, Footpath{
			From: from, To: to, Seconds: int32(seconds), Forbidden: kind == changeForbidden,
		})
	})
}
