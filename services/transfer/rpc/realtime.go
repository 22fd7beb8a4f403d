package rpc

import (
	"math"
	"strconv"
	"time"

	"github.com/MobilityData/gtfs-realtime-bindings/golang/gtfs"
	"google.golang.org/protobuf/proto"

	"huhang.example/services/internal/fault"
	"huhang.example/services/transfer"
	"huhang.example/services/transfer/timetable"
)

// Bounds of a GTFS-realtime feed.
const (
	mostEntities = 20_000
	mostCalls    = 200
	longestDelay = 48 * 60 * 60 // seconds
)

func badFeed(entity, field, en, zh string) error {
	return fault.New(fault.InvalidArgument, fault.FeedInvalid, "feed", en, zh).With("entity", short(entity)).With("field", field)
}

func short(text string) string {
	if len(text) > 40 {
		return strconv.Quote(text[:40])
	}
	return text
}

// readRealtime reads what a GTFS-realtime feed says of trips: delays by stop, skipped stops, cancellations, and alerts of
// no service. passedOver counts entities of no trip. FEED_INVALID names the entity; nothing of a bad feed is taken.
func readRealtime(feed []byte) (changes []transfer.FeedChange, passedOver int, err error) {
	var message gtfs.FeedMessage
	if proto.Unmarshal(feed, &message) != nil {
		return nil, 0, badFeed("", "", "The feed is not a GTFS-realtime FeedMessage.", "数据不是 GTFS-realtime FeedMessage。")
	}
	if version := message.GetHeader().GetGtfsRealtimeVersion(); version != "1.0" && version != "2.0" {
		return nil, 0, badFeed("", "header.gtfs_realtime_version", "The version is neither 1.0 nor 2.0.", "版本既非 1.0 也非 2.0。")
	}
	if message.GetHeader().GetIncrementality() != gtfs.FeedHeader_FULL_DATASET {
		return nil, 0, badFeed("", "header.incrementality", "Only full datasets are taken.", "仅接收完整数据集。")
	}
	if len(message.GetEntity()) > mostEntities {
		return nil, 0, badFeed("", "entity", "The feed has more than 20,000 entities.", "数据项超过 20,000 个。")
	}
	seen := map[string]bool{}
	for _, entity := range message.GetEntity() {
		if id := entity.GetId(); id == "" || seen[id] {
			return nil, 0, badFeed(id, "id", "An entity has no id, or one that another has.", "数据项缺少编号或编号重复。")
		}
		seen[entity.GetId()] = true
		switch {
		case entity.GetTripUpdate() != nil:
			one, err := tripUpdate(entity.GetId(), entity.GetTripUpdate())
			if err != nil {
				return nil, 0, err
			}
			changes = append(changes, one)
		case entity.GetAlert() != nil && entity.GetAlert().GetEffect() == gtfs.Alert_NO_SERVICE:
			of := stopped(entity.GetId(), entity.GetAlert())
			if len(of) == 0 {
				passedOver++
			}
			changes = append(changes, of...)
		default:
			passedOver++
		}
	}
	return changes, passedOver, nil
}

// stopped are the trips of which an alert says that they do not run.
func stopped(entity string, alert *gtfs.Alert) (out []transfer.FeedChange) {
	for _, of := range alert.GetInformedEntity() {
		if of.GetTrip().GetTripId() != "" && of.GetStopId() == "" {
			out = append(out, transfer.FeedChange{
				Entity: entity, TripID: of.GetTrip().GetTripId(), Day: of.GetTrip().GetStartDate(), Change: timetable.Change{Cancelled: true},
			})
		}
	}
	return out
}

func tripUpdate(entity string, update *gtfs.TripUpdate) (transfer.FeedChange, error) {
	trip := update.GetTrip()
	one := transfer.FeedChange{Entity: entity, TripID: trip.GetTripId(), Day: trip.GetStartDate()}
	if one.TripID == "" {
		return one, badFeed(entity, "trip.trip_id", "A trip update names no trip.", "行程更新缺少 trip_id。")
	}
	if one.Day != "" {
		if _, err := time.Parse("20060102", one.Day); err != nil {
			return one, badFeed(entity, "trip.start_date", "The start date is not a day YYYYMMDD.", "运行日格式须为 YYYYMMDD。")
		}
	}
	switch trip.GetScheduleRelationship() {
	case gtfs.TripDescriptor_CANCELED:
		one.Cancelled = true
		return one, nil
	case gtfs.TripDescriptor_SCHEDULED:
	default:
		return one, badFeed(entity, "trip.schedule_relationship", "Only scheduled and cancelled trips are taken.", "仅接收计划内与停运的行程。")
	}
	if len(update.GetStopTimeUpdate()) > mostCalls {
		return one, badFeed(entity, "stop_time_update", "A trip has more than 200 stops.", "行程停站超过 200 个。")
	}
	one.Delay = time.Duration(update.GetDelay()) * time.Second
	if update.GetDelay() > longestDelay || update.GetDelay() < -longestDelay {
		return one, badFeed(entity, "delay", "The delay is more than 48 hours.", "晚点超过 48 小时。")
	}
	for i, call := range update.GetStopTimeUpdate() {
		stop, at, err := stopUpdate(entity, i, call)
		if err != nil {
			return one, err
		}
		one.Stops = append(one.Stops, stop)
		if stop.Stop == "" {
			one.Calls = append(one.Calls, transfer.FeedCall{Call: i, Sequence: int32(call.GetStopSequence())})
		}
		if at != (transfer.FeedTime{}) {
			at.Call = i
			one.Times = append(one.Times, at)
		}
	}
	return one, nil
}

// stopUpdate reads one stop; what it gives as times rather than delays comes beside it, for only the timetable knows how
// late that is.
func stopUpdate(entity string, i int, call *gtfs.TripUpdate_StopTimeUpdate) (timetable.StopChange, transfer.FeedTime, error) {
	field := "stop_time_update[" + strconv.Itoa(i) + "]"
	stop, at := timetable.StopChange{Stop: call.GetStopId()}, transfer.FeedTime{}
	if stop.Stop == "" && (call.StopSequence == nil || call.GetStopSequence() > math.MaxInt32) {
		return stop, at, badFeed(entity, field+".stop_id", "A stop is told neither by its id nor by its number in the trip.", "停站缺少 stop_id 或有效的 stop_sequence。")
	}
	if call.GetScheduleRelationship() == gtfs.TripUpdate_StopTimeUpdate_SKIPPED {
		stop.Skipped = true
		return stop, at, nil
	}
	for _, event := range []struct {
		given *gtfs.TripUpdate_StopTimeEvent
		delay *time.Duration
		time  *time.Time
	}{{call.GetArrival(), &stop.Arrive, &at.Arrive}, {call.GetDeparture(), &stop.Depart, &at.Depart}} {
		switch {
		case event.given == nil:
		case event.given.Delay != nil:
			if event.given.GetDelay() > longestDelay || event.given.GetDelay() < -longestDelay {
				return stop, at, badFeed(entity, field+".delay", "The delay is more than 48 hours.", "晚点超过 48 小时。")
			}
			*event.delay = time.Duration(event.given.GetDelay()) * time.Second
		case event.given.GetTime() > 0:
			*event.time = time.Unix(event.given.GetTime(), 0)
		default:
			return stop, at, badFeed(entity, field+".delay", "There is neither a delay nor a time.", "缺少晚点秒数或时间。")
		}
	}
	// Of one that is not told, the other is as good a guess.
	switch {
	case call.GetArrival() == nil && at.Depart.IsZero():
		stop.Arrive = stop.Depart
	case call.GetDeparture() == nil && at.Arrive.IsZero():
		stop.Depart = stop.Arrive
	}
	at.Alone = at != (transfer.FeedTime{}) && (call.GetArrival() == nil || call.GetDeparture() == nil)
	return stop, at, nil
}
