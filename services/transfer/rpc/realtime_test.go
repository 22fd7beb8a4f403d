package rpc

import (
	"testing"
	"time"

	"github.com/MobilityData/gtfs-realtime-bindings/golang/gtfs"
	"google.golang.org/protobuf/proto"

	"huhang.example/services/internal/fault"
)

func feed(entities ...*gtfs.FeedEntity) *gtfs.FeedMessage {
	return &gtfs.FeedMessage{Header: &gtfs.FeedHeader{GtfsRealtimeVersion: proto.String("2.0")}, Entity: entities}
}

func update(id string, change func(*gtfs.TripUpdate)) *gtfs.FeedEntity {
	u := &gtfs.TripUpdate{Trip: &gtfs.TripDescriptor{TripId: proto.String("T1"), StartDate: proto.String("20260302")}}
	change(u)
	return &gtfs.FeedEntity{Id: proto.String(id), TripUpdate: u}
}

func bytesOf(t testing.TB, m *gtfs.FeedMessage) []byte {
	text, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func call(stop string, arrive, depart int32) *gtfs.TripUpdate_StopTimeUpdate {
	return &gtfs.TripUpdate_StopTimeUpdate{
		StopId: proto.String(stop), Arrival: &gtfs.TripUpdate_StopTimeEvent{Delay: proto.Int32(arrive)}, Departure: &gtfs.TripUpdate_StopTimeEvent{Delay: proto.Int32(depart)},
	}
}

func TestARealtimeFeed(t *testing.T) {
	changes, passedOver, err := readRealtime(bytesOf(t, feed(
		update("late", func(u *gtfs.TripUpdate) {
			u.Delay = proto.Int32(60)
			u.StopTimeUpdate = []*gtfs.TripUpdate_StopTimeUpdate{call("A", 120, 180), {
				StopId: proto.String("B"), ScheduleRelationship: gtfs.TripUpdate_StopTimeUpdate_SKIPPED.Enum(),
			}}
		}),
		update("gone", func(u *gtfs.TripUpdate) {
			u.Trip.ScheduleRelationship = gtfs.TripDescriptor_CANCELED.Enum()
		}),
		&gtfs.FeedEntity{Id: proto.String("alert"), Alert: &gtfs.Alert{Effect: gtfs.Alert_NO_SERVICE.Enum(), InformedEntity: []*gtfs.EntitySelector{
			{Trip: &gtfs.TripDescriptor{TripId: proto.String("T2")}}, {RouteId: proto.String("R")},
		}}},
		&gtfs.FeedEntity{Id: proto.String("where"), Vehicle: &gtfs.VehiclePosition{}},
	)))
	if err != nil || len(changes) != 3 || passedOver != 1 {
		t.Fatalf("%+v, %d passed over, %v", changes, passedOver, err)
	}
	late := changes[0]
	if late.TripID != "T1" || late.Day != "20260302" || late.Delay != time.Minute || len(late.Stops) != 2 || late.Stops[0].Depart != 3*time.Minute || !late.Stops[1].Skipped {
		t.Errorf("%+v", late)
	}
	if !changes[1].Cancelled || !changes[2].Cancelled || changes[2].TripID != "T2" {
		t.Errorf("%+v", changes[1:])
	}
}

func TestABadRealtimeFeedIsRefusedWithItsEntity(t *testing.T) {
	nothing := func(*gtfs.TripUpdate) {}
	old := feed()
	old.Header.GtfsRealtimeVersion = proto.String("0.9")
	partial := feed()
	partial.Header.Incrementality = gtfs.FeedHeader_DIFFERENTIAL.Enum()
	for name, c := range map[string]struct {
		feed          *gtfs.FeedMessage
		entity, field string
	}{
		"version":      {old, "", "header.gtfs_realtime_version"},
		"partial":      {partial, "", "header.incrementality"},
		"twice":        {feed(update("a", nothing), update("a", nothing)), "a", "id"},
		"no trip":      {feed(update("a", func(u *gtfs.TripUpdate) { u.Trip.TripId = nil })), "a", "trip.trip_id"},
		"no day":       {feed(update("a", func(u *gtfs.TripUpdate) { u.Trip.StartDate = proto.String("tomorrow") })), "a", "trip.start_date"},
		"an extra":     {feed(update("a", func(u *gtfs.TripUpdate) { u.Trip.ScheduleRelationship = gtfs.TripDescriptor_UNSCHEDULED.Enum() })), "a", "trip.schedule_relationship"},
		"far too late": {feed(update("a", func(u *gtfs.TripUpdate) { u.Delay = proto.Int32(1 << 30) })), "a", "delay"},
		"no stop": {feed(update("a", func(u *gtfs.TripUpdate) {
			u.StopTimeUpdate = []*gtfs.TripUpdate_StopTimeUpdate{call("A", 0, 0), call("", 0, 0)}
		})), "a", "stop_time_update[1].stop_id"},
		"neither": {feed(update("a", func(u *gtfs.TripUpdate) {
			u.StopTimeUpdate = []*gtfs.TripUpdate_StopTimeUpdate{{StopId: proto.String("A"), Arrival: &gtfs.TripUpdate_StopTimeEvent{Uncertainty: proto.Int32(1)}}}
		})), "a", "stop_time_update[0].delay"},
	} {
		changes, _, err := readRealtime(bytesOf(t, c.feed))
		f, ok := fault.As(err)
		if !ok || f.Reason != fault.FeedInvalid || f.Meta["entity"] != c.entity || f.Meta["field"] != c.field || changes != nil {
			t.Errorf("%s: %v, %v", name, changes, err)
		}
	}
}

func FuzzRealtime(f *testing.F) {
	f.Add([]byte("nonsense"))
	f.Add(bytesOf(f, feed(update("a", func(u *gtfs.TripUpdate) { u.StopTimeUpdate = []*gtfs.TripUpdate_StopTimeUpdate{call("A", 60, 90)} }))))
	f.Fuzz(func(t *testing.T, text []byte) {
		changes, passedOver, err := readRealtime(text)
		if err != nil && (changes != nil || passedOver != 0 || !fault.Is(err, fault.FeedInvalid)) {
			t.Fatalf("%v with %v", err, changes)
		}
		for _, c := range changes {
			if c.TripID == "" || c.Delay.Abs() > 48*time.Hour {
				t.Fatalf("%+v", c)
			}
		}
	})
}
