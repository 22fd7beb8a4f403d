package referral

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/telemetry"
)

// FollowUpVisit is one visit of the schedule (随访).
type FollowUpVisit struct {
	Number int
	// Due is the day in China, Overdue the end of what counts as in time.
	Due     string
	Overdue time.Time
	Items   []string
	// Time is zero while the visit is open.
	Time                  time.Time
	Organisation, Outcome string
	Results               []string
}

// Schedule says how often a patient is seen after the surgery (随访间隔).
type Schedule struct {
	Version   string  `json:"version"`
	Source    string  `json:"source"`
	GraceDays int     `json:"grace_days"`
	Phases    []Phase `json:"phases"`
}

// Phase is a time with one interval; it begins where the one before ends.
type Phase struct {
	UntilDay  int      `json:"until_day"`
	EveryDays int      `json:"every_days"`
	Items     []string `json:"items"`
}

//go:embed schedule.json
var scheduleText []byte

// followUps is the schedule in force.
var followUps = mustSchedule(scheduleText)

func mustSchedule(text []byte) Schedule {
	s, err := parseSchedule(text)
	if err != nil {
		panic("referral: the embedded schedule: " + err.Error())
	}
	return s
}

const maxVisits = 100

func parseSchedule(text []byte) (Schedule, error) {
	var s Schedule
	strict := json.NewDecoder(bytes.NewReader(text))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&s); err != nil {
		return s, err
	}
	if s.Version == "" || s.GraceDays < 0 || s.GraceDays > 90 || len(s.Phases) == 0 {
		return s, fmt.Errorf("schedule: it needs a version, a grace of 0 to 90 days and a phase")
	}
	from := 0
	for i, p := range s.Phases {
		if p.EveryDays < 1 || p.UntilDay < from+p.EveryDays || len(p.Items) == 0 {
			return s, fmt.Errorf("schedule: phase %d ends before its first visit, or has nothing to look at", i+1)
		}
		from = p.UntilDay
	}
	if n := len(s.plan(time.Unix(0, 0).UTC(), time.Unix(0, 0).UTC())); n > maxVisits {
		return s, fmt.Errorf("schedule: %d visits, at most %d", n, maxVisits)
	}
	return s, nil
}

// plan lists the visits after since of a patient operated on at surgery, numbered from 1.
func (s Schedule) plan(surgery, since time.Time) []FollowUpVisit {
	var visits []FollowUpVisit
	midnight := func(days int) time.Time {
		y, m, d := surgery.In(clock.Shanghai).Date()
		return time.Date(y, m, d+days, 0, 0, 0, 0, clock.Shanghai)
	}
	day := 0
	for _, p := range s.Phases {
		for day+p.EveryDays <= p.UntilDay {
			day += p.EveryDays
			if due := midnight(day); due.After(since) {
				visits = append(visits, FollowUpVisit{
					Number: len(visits) + 1, Due: clock.Day(due), Overdue: midnight(day + s.GraceDays + 1).UTC(), Items: p.Items,
				})
			}
		}
	}
	return visits
}

// schedule makes the visits that are still to come; those that took place stay.
func (r *Referral) schedule(s Schedule, now time.Time) {
	begin := now
	if r.Surgery != nil {
		begin = r.Surgery.Time
	}
	kept := slices.DeleteFunc(slices.Clone(r.Visits), func(v FollowUpVisit) bool { return v.Time.IsZero() })
	for _, v := range s.plan(begin, now) {
		if len(kept) == maxVisits {
			break
		}
		kept = append(kept, v)
	}
	for i := range kept {
		kept[i].Number = i + 1
	}
	r.Visits, r.Schedule = kept, s.Version
}

// openVisit is the first visit that has not taken place; nil after the last.
func (r *Referral) openVisit() *FollowUpVisit {
	for i := range r.Visits {
		if r.Visits[i].Time.IsZero() {
			return &r.Visits[i]
		}
	}
	return nil
}

// nextVisit is the clock of follow-up: it is asked before the change, and looks past the visit that the change records.
func nextVisit(r *Referral, a Act) time.Time {
	visits := r.Visits
	if r.State != FollowUp {
		fresh := *r
		fresh.schedule(followUps, a.At)
		visits = fresh.Visits
	}
	for _, v := range visits {
		if v.Time.IsZero() && v.Number != a.Number {
			return v.Overdue
		}
	}
	return time.Time{}
}

// yearBack is how late a visit may be recorded.
const yearBack = 366 * day

// RecordFollowUp records a visit, and starts the clock of the next; faults TIME_INVALID, WRONG_STATE, RIGHT_MISSING,
// STALE_VERSION, NOT_FOUND.
func (s *Service) RecordFollowUp(ctx context.Context, referralID, etag string, v FollowUpVisit) (*Referral, error) {
	return s.update(ctx, referralID, etag, func(r *Referral, a Act) error {
		a.Number, a.Occurred, a.Reason = v.Number, v.Time, v.Outcome
		if _, err := r.pick(Visit, a); err != nil {
			return err
		}
		if v.Time.After(a.At.Add(clock.Skew)) || v.Time.Before(a.At.Add(-yearBack)) {
			return fault.New(fault.InvalidArgument, fault.TimeInvalid, "visit_time",
				"A visit took place at most a year ago, and not in the future.", "随访时间不能晚于现在，也不能早于一年前。")
		}
		return r.apply(Visit, a, func() {
			visit := &r.Visits[v.Number-1]
			visit.Time, visit.Organisation, visit.Outcome, visit.Results = v.Time, a.By.Organisation, v.Outcome, v.Results
		})
	})
}

// Readmit brings the patient back to the center's evaluation; the visits to come are planned anew when the local hospital
// takes the patient back again. Faults WRONG_STATE, RIGHT_MISSING, STALE_VERSION, NOT_FOUND.
func (s *Service) Readmit(ctx context.Context, referralID, etag, comment string) (*Referral, error) {
	return s.update(ctx, referralID, etag, func(r *Referral, a Act) error {
		a.Note = comment
		return r.apply(Readmit, a, nil)
	})
}

// FollowUps are a case's schedule and prescriptions; fault NOT_FOUND.
func (s *Service) FollowUps(ctx context.Context, referralID string) (*Referral, error) {
	return s.visible(telemetry.WithReferral(ctx, referralID), referralID)
}
