package timetable

import "encoding/binary"

// unpacker reads the compact form. After the first fault it answers zeros, so that its caller comes to an end.
type unpacker struct {
	numbered bool // the calls have numbers
	bytes    []byte
	bad      string
}

func (u *unpacker) fail(why string) {
	if u.bad == "" {
		u.bad = why
	}
	u.bytes = nil
}

func (u *unpacker) number() int64 {
	n, size := binary.Varint(u.bytes)
	if size <= 0 {
		u.fail("ends early")
		return 0
	}
	u.bytes = u.bytes[size:]
	return n
}

func (u *unpacker) within(low, high int64) int64 {
	n := u.number()
	if n < low || n > high {
		u.fail("holds a number out of its bounds")
		return low
	}
	return n
}

// count reads how many follow; each takes a byte at least.
func (u *unpacker) count() int64 { return u.within(0, int64(len(u.bytes))) }

func (u *unpacker) index(length int) int32 { return int32(u.within(0, int64(length)-1)) }

func (u *unpacker) text() string {
	n := u.count()
	if u.bad != "" || n > int64(len(u.bytes)) {
		u.fail("ends early")
		return ""
	}
	s := string(u.bytes[:n])
	u.bytes = u.bytes[n:]
	return s
}

func (u *unpacker) flag() bool {
	if len(u.bytes) == 0 || u.bytes[0] > 1 {
		u.fail("holds a flag that is none")
		return false
	}
	b := u.bytes[0] == 1
	u.bytes = u.bytes[1:]
	return b
}

const maxSecond = (maxHour + 26) * 3600

func (u *unpacker) trip(t *Timetable, trip int32) {
	t.Trips = append(t.Trips, Trip{
		ID: u.text(), Number: u.text(), Kind: Kind(u.within(0, int64(kinds)-1)), Service: u.index(len(t.Services)),
		NoWheelchair: u.flag(),
	})
	now, metres := int64(0), int64(0)
	for range u.count() {
		c := Connection{From: u.index(len(t.Stops)), To: u.index(len(t.Stops)), Trip: trip, StartMetres: metres}
		depart := now + u.within(-DaySeconds, maxSecond) // a trip at intervals may leave before its latest arrival
		now = depart + u.within(0, maxSecond)
		c.NoBoard, c.NoAlight = u.flag(), u.flag()
		c.FromSequence, c.ToSequence = -1, -1
		if u.numbered {
			from := u.within(-1, mostSequence)
			c.FromSequence, c.ToSequence = int32(from), int32(from+u.within(0, mostSequence))
		}
		if depart < 0 || now > maxSecond {
			u.fail("holds a time out of its bounds")
		}
		if u.bad != "" {
			return
		}
		c.Depart, c.Arrive = int32(depart), int32(now)
		metres += t.hop(c.From, c.To)
		c.EndMetres = metres
		t.Connections = append(t.Connections, c)
	}
}
