package planner

import (
	"fmt"
	"math"
	"strings"
	"time"
)

func say(zh, en string, args ...any) Text {
	return Text{Zh: fmt.Sprintf(zh, args...), En: fmt.Sprintf(en, args...)}
}

func hoursMinutes(d time.Duration) string {
	minutes := int(d.Round(time.Minute) / time.Minute)
	return fmt.Sprintf("%d:%02d", minutes/60, minutes%60)
}

func joined(texts []Text) Text {
	var zh, en []string
	for _, t := range texts {
		zh, en = append(zh, t.Zh), append(en, t.En)
	}
	return Text{Zh: strings.Join(zh, "；"), En: strings.Join(en, "; ")}
}

func (r *Rules) rule(mode Mode) *ModeRule {
	for i := range r.Modes {
		if r.Modes[i].Mode == mode {
			return &r.Modes[i]
		}
	}
	return &ModeRule{}
}

// Judge decides about one mode by the patient's state alone, for as short a way as one likes: why it is allowed, or why
// not.
func (r *Rules) Judge(mode Mode, f Fitness) (because Text, allowed bool) {
	return r.judgeOver(mode, f, 0)
}

func (r *Rules) judgeOver(mode Mode, f Fitness, km int64) (Text, bool) {
	rule := r.rule(mode)
	var against []Text
	for _, c := range rule.Refuse {
		if c.holds(f, km) {
			against = append(against, c.Text)
		}
	}
	if most := grades[rule.MostEscort]; most > 0 && r.Escort(f) > most {
		against = append(against, rule.BeyondEscort)
	}
	if len(against) > 0 {
		return joined(against), false
	}
	return rule.Allowed, true
}

// judgeDirect decides about a mode that goes the whole way, whose length counts too.
func (r *Rules) judgeDirect(mode Mode, f Fitness, road way) (Text, bool) {
	km := int64(math.Ceil(road.km()))
	because, allowed := r.judgeOver(mode, f, km)
	if !allowed {
		return because, false
	}
	rule := r.rule(mode)
	if rule.MostRoadKm > 0 && km > rule.MostRoadKm {
		return say("公路约 %d 公里，超过 %d 公里的上限", "the road is about %d km, over the limit of %d km", km, rule.MostRoadKm), false
	}
	if len(rule.NeedsAny) == 0 || anyOf(rule.NeedsAny, f) ||
		road.seconds > rule.LongRoadMinutes*60 && anyOf(rule.NeedsOnLongRoad, f) {
		return because, true
	}
	return rule.Unneeded, false
}

// StillAllowed decides whether an itinerary planned before may be travelled in today's state; because says why not.
func (r *Rules) StillAllowed(legs []Leg, f Fitness) (because Text, allowed bool) {
	for _, leg := range legs {
		if leg.Mode == Transfer {
			continue
		}
		if text, ok := r.judgeOver(leg.Mode, f, int64(math.Ceil(leg.Km))); !ok {
			return text, false
		}
	}
	return Text{}, true
}

func anyOf(names []string, f Fitness) bool {
	for _, name := range names {
		if items[name](f) {
			return true
		}
	}
	return false
}
