package show

import (
	"fmt"
	"strings"

	ics "github.com/arran4/golang-ical"

	"huhang.example/services/transfer"
	"huhang.example/services/transfer/planner"
)

// Audience is for whom a calendar is.
type Audience int

// The audiences.
const (
	Crew Audience = iota + 1
	Family
)

// Calendar writes the legs as iCalendar (RFC 5545). A later one of the same transfer replaces the entries of an earlier.
func Calendar(live transfer.Live, l Language, whose Audience) []byte {
	t := live.Transfer
	cal := ics.NewCalendarFor("huhang.example")
	cal.SetMethod(ics.MethodPublish)
	cal.SetProductId("-//huhang.example//transfer//ZH")
	for i, leg := range live.Legs {
		if leg.Mode == planner.Transfer && leg.From == leg.To && whose == Family {
			continue
		}
		event := cal.AddEvent(fmt.Sprintf("%s-%d@huhang.example", t.ID, i))
		event.SetDtStampTime(live.AsOf.UTC())
		event.SetSequence(int(t.Version))
		event.SetStartAt(leg.Depart.UTC())
		event.SetEndAt(leg.Arrive.UTC())
		event.SetLocation(leg.From.Name)
		event.SetProperty(ics.ComponentPropertyGeo, fmt.Sprintf("%.6f;%.6f", leg.From.Lat, leg.From.Lon))
		status := ics.ObjectStatusConfirmed
		if t.Status == transfer.Aborted {
			status = ics.ObjectStatusCancelled
		}
		event.SetStatus(status)
		if whose == Family {
			event.SetSummary(fmt.Sprintf("%s %s → %s", l.plain(leg), leg.From.Name, leg.To.Name))
			continue
		}
		event.SetSummary(fmt.Sprintf("%s %s → %s", l.name(leg), leg.From.Name, leg.To.Name))
		event.SetDescription(crewNotes(live, leg, l))
	}
	return []byte(cal.Serialize(ics.WithNewLineWindows))
}

// plain tells no more of a leg than which train, or that one goes by road or air.
func (l Language) plain(leg planner.Leg) string {
	switch {
	case leg.Number != "":
		return leg.Number
	case leg.Mode == planner.AirAmbulance:
		return l.pick("飞行", "by air")
	case leg.Mode == planner.Transfer:
		return l.pick("步行", "on foot")
	}
	return l.pick("乘车", "by road")
}

func crewNotes(live transfer.Live, leg planner.Leg, l Language) string {
	t := live.Transfer
	lines := []string{
		fmt.Sprintf("%s %s", l.pick("转运编号", "Transfer"), t.ID),
		fmt.Sprintf("%s %s → %s", l.pick("机构", "From and to"), t.From, t.To),
		fmt.Sprintf("%s E%d", l.pick("护送等级", "Escort"), int(t.Itinerary.Escort)-1),
	}
	if leg.Km > 0 {
		lines = append(lines, fmt.Sprintf("%.0f km", leg.Km))
	}
	if t.HoldID != "" {
		lines = append(lines, fmt.Sprintf("%s %s", l.pick("团队与车辆预占", "Crew and vehicle hold"), t.HoldID))
	}
	return strings.Join(lines, "\n")
}
