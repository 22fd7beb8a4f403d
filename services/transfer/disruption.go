package transfer

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/page"
	"huhang.example/services/transfer/timetable"
)

// ReportDisruption tells that a run is late or cancelled, and leaves a job for every transfer that rides it.
//
// Faults: CODE_UNKNOWN for a run that the timetable does not have that day; TIME_INVALID for a day long past or far ahead.
func (s *Service) ReportDisruption(ctx context.Context, c timetable.Change) (Disruption, int, error) {
	now := s.clock.Now()
	if err := checkServiceDay(c.Day, now); err != nil {
		return Disruption{}, 0, err
	}
	if c.Cancelled && c.Delay != 0 {
		return Disruption{}, 0, fault.New(fault.InvalidArgument, fault.FieldInvalid, "delay_minutes",
			"A cancelled run is not late.", "已停运的班次不应有晚点。")
	}
	if !s.planner.Table().Knows(c.Number, c.Day) {
		return Disruption{}, 0, fault.New(fault.InvalidArgument, fault.CodeUnknown, "service_number",
			"The timetable has no such run on that day.", "时刻表中当日没有该班次。").With("service_day", c.Day)
	}
	transfers, err := s.store.Disrupt(ctx, []timetable.Change{c}, now)
	return Disruption{c, now}, transfers, err
}

func checkServiceDay(day string, now time.Time) error {
	at, err := time.ParseInLocation("20060102", day, clock.Shanghai)
	if err != nil || at.Before(now.Add(-3*24*time.Hour)) || at.After(now.Add(60*24*time.Hour)) {
		return fault.New(fault.InvalidArgument, fault.TimeInvalid, "service_day",
			"The service day is not a day of the last three or the next sixty.", "运行日须在前三日至后六十日之内。")
	}
	return nil
}

// Imported is what came of a feed.
type Imported struct{ Runs, Unknown, PassedOver, Transfers int }

// FeedChange is a change as a feed names it: by trip.
type FeedChange struct {
	Entity, TripID, Day string
	timetable.Change
	// Calls are the change's stops of which the feed tells the number in the trip alone.
	Calls []FeedCall
	// Times are what the feed says as times of day.
	Times []FeedTime
}

// FeedCall is a call by its number in the trip (stop_sequence); Call is the place among the change's stops.
type FeedCall struct {
	Call     int
	Sequence int32
}

// named finds the stops of which the feed tells the number alone.
func (c *FeedChange) named(schedule *timetable.Schedule) error {
	for _, at := range c.Calls {
		stop, found := schedule.StopAt(c.TripID, c.Day, at.Sequence)
		if !found {
			return fault.New(fault.InvalidArgument, fault.FeedInvalid, "feed",
				"The timetable has no call with that number in the trip; name the stop.", "时刻表中该行程没有此序号的停站，请给出 stop_id。").
				With("entity", c.Entity).With("field", fmt.Sprintf("stop_time_update[%d].stop_sequence", at.Call))
		}
		c.Stops[at.Call].Stop = stop
	}
	return nil
}

// FeedTime is when a run is at a stop by what a feed says; Call is the place among the change's stops. A zero time is not
// told so. Alone: nothing is said of the other of the two.
type FeedTime struct {
	Call           int
	Arrive, Depart time.Time
	Alone          bool
}

// late turns a feed's times into delays.
func (c *FeedChange) late(schedule *timetable.Schedule) error {
	for _, at := range c.Times {
		stop := &c.Stops[at.Call]
		refuse := func(column, en, zh string) error {
			return fault.New(fault.InvalidArgument, fault.FeedInvalid, "feed", en, zh).
				With("entity", c.Entity).With("field", fmt.Sprintf("stop_time_update[%d].%s", at.Call, column))
		}
		arrive, depart, found := schedule.At(c.TripID, c.Day, stop.Stop)
		if !found {
			return refuse("stop_id", "The trip does not call there, so a time says no delay.", "该行程在此不停站，无法由时间计算晚点。")
		}
		if !at.Arrive.IsZero() {
			stop.Arrive = at.Arrive.Sub(arrive)
		}
		if !at.Depart.IsZero() {
			stop.Depart = at.Depart.Sub(depart)
		}
		switch {
		case at.Alone && at.Depart.IsZero():
			stop.Depart = stop.Arrive
		case at.Alone:
			stop.Arrive = stop.Depart
		}
		if max(stop.Arrive.Abs(), stop.Depart.Abs()) > longestLate {
			return refuse("time", "The time is more than 48 hours from the timetable's.", "时间与时刻表相差超过 48 小时。")
		}
	}
	return nil
}

// longestLate is more than any run is late.
const longestLate = 48 * time.Hour

// ImportChanges takes a feed's changes: those of trips that the timetable has, by number. FEED_INVALID names the entity.
func (s *Service) ImportChanges(ctx context.Context, list []FeedChange) (Imported, error) {
	var out Imported
	now := s.clock.Now()
	var known []timetable.Change
	var schedule *timetable.Schedule
	table := s.planner.Table()
	for _, one := range list {
		if one.Day == "" {
			one.Day = timetable.Midnight(now).Format("20060102")
		}
		if checkServiceDay(one.Day, now) != nil {
			return Imported{}, fault.New(fault.InvalidArgument, fault.FeedInvalid, "feed",
				"The feed holds a start date out of bounds.", "数据中的运行日超出范围。").With("entity", one.Entity).With("field", "start_date")
		}
		number, found := table.NumberOf(one.TripID)
		if !found || !table.Knows(number, one.Day) {
			out.Unknown++
			continue
		}
		if len(one.Times)+len(one.Calls) > 0 {
			if schedule == nil {
				schedule = table.Schedule()
			}
			if err := one.named(schedule); err != nil {
				return Imported{}, err
			}
			if err := one.late(schedule); err != nil {
				return Imported{}, err
			}
		}
		one.Number, one.Change.Day = number, one.Day
		known = append(known, one.Change)
	}
	out.Runs = len(known)
	transfers, err := s.store.Disrupt(ctx, known, now)
	out.Transfers = transfers
	return out, err
}

// ListDisruptions returns a page of what is known of a day (YYYYMMDD; empty: today).
func (s *Service) ListDisruptions(ctx context.Context, day string, size int32, token string) ([]Disruption, string, error) {
	if day == "" {
		day = timetable.Midnight(s.clock.Now()).Format("20060102")
	}
	key := page.Filter("disruptions", day)
	after, err := page.Parse(key, token)
	if err != nil {
		return nil, "", err
	}
	limit := page.Size(size, 50, 200)
	list, err := s.store.Disruptions(ctx, day, day, after, limit+1)
	if err != nil || len(list) <= limit {
		return list, "", err
	}
	return list[:limit], page.Token(key, list[limit-1].Number), nil
}

// cursorPrefix tells a cursor of ours from anything else.
const cursorPrefix = "c1-"

// ListChanges returns what changed since a cursor in the transfers the caller may see. INVALID_PAGE_TOKEN.
func (s *Service) ListChanges(ctx context.Context, cursor string, size int32) (list []Change, next string, more bool, err error) {
	caller := access.From(ctx)
	organisation := caller.Organisation
	if caller.Has(access.Operations) || caller.Has(access.Service) {
		organisation = ""
	} else if organisation == "" {
		return nil, "", false, rightMissing("", "The caller acts for no organisation.", "调用者未归属任何机构。")
	}
	var after int64
	if cursor != "" {
		text, ours := strings.CutPrefix(cursor, cursorPrefix)
		if after, err = strconv.ParseInt(text, 10, 64); err != nil || !ours || after < 0 {
			return nil, "", false, fault.New(fault.InvalidArgument, fault.InvalidPageToken, "cursor", "The cursor is not one of ours.", "游标无效。")
		}
	}
	limit := page.Size(size, 50, 200)
	list, err = s.store.Changes(ctx, organisation, after, limit+1)
	if err != nil {
		return nil, "", false, err
	}
	if more = len(list) > limit; more {
		list = list[:limit]
	}
	if len(list) > 0 {
		after = list[len(list)-1].Position
	}
	return list, cursorPrefix + strconv.FormatInt(after, 10), more, nil
}
