package planner

import (
	"fmt"
	"slices"
	"time"
)

// check refuses rules that are incomplete, unknown or out of bounds.
func (r *Rules) check() error {
	if _, err := time.Parse(time.DateOnly, r.Effective); err != nil || r.Version == "" {
		return fmt.Errorf("version or effective date is missing")
	}
	numbers := map[string]int64{
		"walk_kmh": r.WalkKmh, "search_hours": r.SearchHours, "slack_hours": r.SlackHours,
		"most_options": int64(r.MostOptions), "air_ambulance.kmh": r.AirAmbulance.Kmh,
		"board_minutes.rail": r.BoardMinutes.Rail, "board_minutes.flight": r.BoardMinutes.Flight,
	}
	if len(r.Road.Profile) == 0 {
		numbers["inside_percent"], numbers["inside_kmh"] = r.Road.InsidePercent, r.Road.InsideKmh
		numbers["between_percent"], numbers["between_kmh"] = r.Road.BetweenPercent, r.Road.BetweenKmh
	}
	for i, band := range r.Road.Profile {
		numbers[fmt.Sprintf("road.profile[%d].percent", i)] = band.Percent
		numbers[fmt.Sprintf("road.profile[%d].kmh", i)] = band.Kmh
		last := i == len(r.Road.Profile)-1
		if last != (band.ToKm == 0) || i > 0 && !last && band.ToKm <= r.Road.Profile[i-1].ToKm || band.ToKm < 0 {
			return fmt.Errorf("road.profile: the bands do not follow one another up to one without end")
		}
	}
	for name, n := range numbers {
		if n <= 0 || n > 1000 {
			return fmt.Errorf("%s is not from 1 to 1000", name)
		}
	}
	for name, n := range map[string]int64{
		"alight_minutes.rail": r.AlightMinutes.Rail, "alight_minutes.flight": r.AlightMinutes.Flight,
		"stretcher_minutes": r.StretcherMinutes, "risk.move": r.Risk.Move, "risk.stretcher": r.Risk.Stretcher,
		"round_fen": r.RoundFen, "help_desk.earliest_minutes": r.HelpDesk.EarliestMinutes, "help_desk.latest_minutes": r.HelpDesk.LatestMinutes,
	} {
		if n < 0 || n > 10_000 {
			return fmt.Errorf("%s is not from 0 to 10000", name)
		}
	}
	if r.MostRides < 1 || r.MostRides > 6 {
		return fmt.Errorf("most_rides is not from 1 to 6")
	}
	for mode, n := range r.Risk.PerHour {
		if n < 0 || n > 1000 || mode != Transfer && !slices.Contains(Modes, mode) {
			return fmt.Errorf("risk.per_hour.%s: unknown mode, or not from 0 to 1000", mode)
		}
	}
	for name, n := range r.Hours {
		if grades[name] == 0 && !slices.Contains(Modes, Mode(name)) || n <= 0 || n > 240 {
			return fmt.Errorf("hours.%s: unknown grade or mode, or not from 1 to 240", name)
		}
	}
	if err := r.checkModes(); err != nil {
		return err
	}
	return r.checkEscorts()
}

func (r *Rules) checkModes() error {
	seen := map[Mode]bool{}
	for _, m := range r.Modes {
		seen[m.Mode] = true
		if m.Allowed.Zh == "" || m.Allowed.En == "" {
			return fmt.Errorf("%s does not say why it is allowed", m.Mode)
		}
		names := slices.Concat(m.NeedsAny, m.NeedsOnLongRoad, r.HelpDesk.NeededFor)
		for _, c := range m.Refuse {
			if c.When != "" {
				names = append(names, c.When)
			}
			if (c.When == "") != (measures[c.Measure] != nil && c.Below > 0) {
				return fmt.Errorf("%s: a refusal by item %q and measure %q", m.Mode, c.When, c.Measure)
			}
			if c.Zh == "" || c.En == "" || c.OverKm < 0 {
				return fmt.Errorf("%s does not say why %s%s refuses it", m.Mode, c.When, c.Measure)
			}
		}
		for _, name := range names {
			if items[name] == nil {
				return fmt.Errorf("%s: unknown item %q", m.Mode, name)
			}
		}
		if m.MostEscort != "" && (grades[m.MostEscort] == 0 || m.BeyondEscort.Zh == "" || m.BeyondEscort.En == "") {
			return fmt.Errorf("%s: unknown grade %q, or no reason beyond it", m.Mode, m.MostEscort)
		}
	}
	for _, m := range Modes {
		if fare, ok := r.Fares[m]; !seen[m] || !ok || fare.Base < 0 || fare.PerKm < 0 {
			return fmt.Errorf("%s has no rule or no fare", m)
		}
	}
	return nil
}

func (r *Rules) checkEscorts() error {
	for _, row := range r.Escorts {
		byItem, byMeasure := items[row.When] != nil, measures[row.Measure] != nil
		if grades[row.Grade] == 0 || byItem == byMeasure || row.When != "" && !byItem || row.Measure != "" && !byMeasure ||
			byMeasure && row.Below <= 0 && row.Above <= 0 {
			return fmt.Errorf("escort: unknown item %q, measure %q or grade %q", row.When, row.Measure, row.Grade)
		}
		if row.Dimension != "" && !slices.Contains(dimensions, row.Dimension) {
			return fmt.Errorf("escort: unknown dimension %q", row.Dimension)
		}
	}
	for _, p := range r.Problems {
		if p.Code == "" || grades[p.Grade] == 0 || p.Zh == "" || p.En == "" {
			return fmt.Errorf("problems: %q has no known grade or no text", p.Code)
		}
	}
	return nil
}
