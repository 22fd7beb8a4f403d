// Package show draws a transfer and writes it as a calendar, for everybody concerned (转运看板).
//
// Invariant: what is shown is the legs, their times and places, and now: nothing that identifies the patient, no state of
// health; a family's calendar does not even tell an ambulance from a car. A picture loads nothing from anywhere, and says
// in its title and description what it shows.
package show

import (
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/transfer"
	"huhang.example/services/transfer/planner"
)

// Language is that of a picture or a calendar.
type Language int

// The languages.
const (
	Chinese Language = iota
	English
)

func (l Language) pick(zh, en string) string {
	if l == English {
		return en
	}
	return zh
}

func (l Language) mode(m planner.Mode) string {
	switch m {
	case planner.Transfer:
		return l.pick("站内", "at the station")
	case planner.Taxi:
		return l.pick("汽车", "car")
	case planner.Rail:
		return l.pick("高铁", "rail")
	case planner.Flight:
		return l.pick("航班", "flight")
	case planner.RoadAmbulance:
		return l.pick("救护车", "ambulance")
	case planner.AirAmbulance:
		return l.pick("航空救援", "air ambulance")
	}
	return string(m)
}

func (l Language) status(live transfer.Live) string {
	t := live.Transfer
	switch {
	case t.Attention != nil && !t.Status.Ended():
		return l.pick("需人工处理", "waits for a person")
	case t.Status == transfer.Planned:
		return l.pick("已安排", "planned")
	case t.Status == transfer.Ready:
		return l.pick("可出发", "ready")
	case t.Status == transfer.InTransit && !t.DoorTime.IsZero():
		return l.pick("已到院，待交接", "at the door")
	case t.Status == transfer.InTransit:
		return l.pick("途中", "on the way")
	case t.Status == transfer.Arrived:
		return l.pick("已到达", "arrived")
	}
	return l.pick("已中止", "ended")
}

func hour(t time.Time) string { return t.In(clock.Shanghai).Format("01-02 15:04") }

// name is what a leg is called: its number, or how one travels.
func (l Language) name(leg planner.Leg) string {
	if leg.Number != "" {
		return leg.Number
	}
	return l.mode(leg.Mode)
}

func short(text string, most int) string {
	letters := []rune(text)
	if len(letters) <= most {
		return text
	}
	return string(letters[:most-1]) + "…"
}
