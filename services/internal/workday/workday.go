// Package workday knows the working days of China (工作日): Monday to Friday, but for public holidays, and with the weekend
// days worked in exchange.
//
// Invariant: a day is Shanghai's. A year whose arrangement is not loaded counts weekends only: a limit then ends a little
// early, never late.
package workday

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"time"

	"huhang.example/services/internal/clock"
)

//go:embed calendar.json
var data []byte

// Calendar (工作日历) is one published arrangement of holidays.
type Calendar struct {
	Version string
	days    map[string]bool // the days that differ from their weekday: true is worked
	known   map[int]bool
}

var china = func() *Calendar {
	c, err := parse(data)
	if err != nil {
		panic("workday: " + err.Error()) // the file is embedded and tested
	}
	return c
}()

// China is the calendar this binary carries.
func China() *Calendar { return china }

func parse(data []byte) (*Calendar, error) {
	var file struct {
		Version string `json:"version"`
		Years   []struct {
			Year     int      `json:"year"`
			Holidays []string `json:"holidays"`
			Workdays []string `json:"workdays"`
		} `json:"years"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, err
	}
	c := &Calendar{Version: file.Version, days: map[string]bool{}, known: map[int]bool{}}
	for _, y := range file.Years {
		c.known[y.Year] = true
		for worked, days := range map[bool][]string{false: y.Holidays, true: y.Workdays} {
			for _, day := range days {
				if t, err := time.Parse(time.DateOnly, day); err != nil || t.Year() != y.Year {
					return nil, fmt.Errorf("%s is no day of %d", day, y.Year)
				}
				c.days[day] = worked
			}
		}
	}
	return c, nil
}

// Knows reports whether the year's holidays are loaded.
func (c *Calendar) Knows(year int) bool { return c.known[year] }

// Working reports whether the day of t in Shanghai is a working day.
func (c *Calendar) Working(t time.Time) bool {
	if worked, special := c.days[clock.Day(t)]; special {
		return worked
	}
	weekday := t.In(clock.Shanghai).Weekday()
	return weekday != time.Saturday && weekday != time.Sunday
}

// Add returns the time n working days after t. What begins on a day off begins with the next working day.
func (c *Calendar) Add(t time.Time, n int) time.Time {
	at := t.In(clock.Shanghai)
	if !c.Working(at) {
		at = time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, clock.Shanghai)
		for !c.Working(at) {
			at = at.AddDate(0, 0, 1)
		}
	}
	for n > 0 {
		at = at.AddDate(0, 0, 1)
		if c.Working(at) {
			n--
		}
	}
	return at.UTC()
}
