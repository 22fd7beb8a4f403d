package clock

import (
	"time"
	_ "time/tzdata" // the zone must not depend on what the machine has installed
)

// Shanghai is the zone in which days and deadlines are computed. The real zone rather than a fixed offset: China kept
// summer time from 1986 to 1991, in which patients were born.
var Shanghai = mustZone("Asia/Shanghai")

func mustZone(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		panic("clock: " + err.Error())
	}
	return zone
}

// Micros returns t as microseconds since the Unix epoch, the form times have in storage; 0 for the zero time.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// FromMicros is the inverse of Micros.
func FromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// Day returns the day of t in Shanghai as "2006-01-02".
func Day(t time.Time) string { return t.In(Shanghai).Format(time.DateOnly) }

// Year returns the year of t in Shanghai.
func Year(t time.Time) int { return t.In(Shanghai).Year() }
