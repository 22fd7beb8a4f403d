package rpc

import (
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	moneyv1 "huhang.example/gen/huhang/money/v1"
	placev1 "huhang.example/gen/huhang/place/v1"
	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/fault"
	"huhang.example/services/transfer"
	"huhang.example/services/transfer/planner"
	"huhang.example/services/transfer/pool"
)

// Storage counts int64 microseconds; what lies far outside any plan is refused before it gets there.
var (
	earliest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

func instant(stamp *timestamppb.Timestamp, field string) (time.Time, error) {
	if stamp == nil || stamp.CheckValid() != nil {
		return time.Time{}, fault.New(fault.InvalidArgument, fault.FieldInvalid, field, "The time is missing or not valid.", "时间缺失或无效。")
	}
	t := stamp.AsTime().Truncate(time.Microsecond)
	if t.Before(earliest) || !t.Before(latest) {
		return time.Time{}, fault.New(fault.InvalidArgument, fault.TimeInvalid, field, "The time lies outside 2000 to 2199.", "时间须在 2000 至 2199 年之间。")
	}
	return t, nil
}

func intervalFrom(start, end *timestamppb.Timestamp, prefix string) (pool.Interval, error) {
	from, err := instant(start, prefix+"start_time")
	if err != nil {
		return pool.Interval{}, err
	}
	to, err := instant(end, prefix+"end_time")
	return pool.Interval{Start: from, End: to}, err
}

// lookFrom is the interval whose calendar is asked for; the zero interval when none is.
func lookFrom(req interface {
	GetStartTime() *timestamppb.Timestamp
	GetEndTime() *timestamppb.Timestamp
},
) (pool.Interval, error) {
	if req.GetStartTime() == nil && req.GetEndTime() == nil {
		return pool.Interval{}, nil
	}
	look, err := intervalFrom(req.GetStartTime(), req.GetEndTime(), "")
	if err != nil {
		return pool.Interval{}, err
	}
	return look, pool.CheckLook(look)
}

// The names of the domain are those of the proto without the prefix.
const (
	modePrefix   = "MODE_"
	statusPrefix = "TRANSFER_STATUS_"
	itemPrefix   = "HAND_OVER_ITEM_"
	kindPrefix   = "RESOURCE_KIND_"
	holdPrefix   = "HOLD_STATUS_"
)

func modeTo(m planner.Mode) transferv1.Mode {
	return transferv1.Mode(transferv1.Mode_value[modePrefix+string(m)])
}

// statusFrom returns "" for the unspecified: any.
func statusFrom(s transferv1.TransferStatus) transfer.Status {
	if s == transferv1.TransferStatus_TRANSFER_STATUS_UNSPECIFIED {
		return ""
	}
	return transfer.Status(strings.TrimPrefix(s.String(), statusPrefix))
}

// kindFrom returns "" for the unspecified: any.
func kindFrom(k transferv1.ResourceKind) pool.Kind {
	if k == transferv1.ResourceKind_RESOURCE_KIND_UNSPECIFIED {
		return ""
	}
	return pool.Kind(strings.TrimPrefix(k.String(), kindPrefix))
}

func kindTo(k pool.Kind) transferv1.ResourceKind {
	return transferv1.ResourceKind(transferv1.ResourceKind_value[kindPrefix+string(k)])
}

func fitnessFrom(f *transferv1.FitnessToTravel) planner.Fitness {
	return planner.Fitness{
		Oxygen: f.GetOxygen(), Infusion: f.GetInfusion(), Ventilated: f.GetVentilated(), ECMO: f.GetEcmo(),
		Vasoactive: f.GetVasoactive(), Stretcher: f.GetStretcher(), ReducedConsciousness: f.GetReducedConsciousness(),
		HeartRate: f.GetHeartRate(), RespiratoryRate: f.GetRespiratoryRate(), Systolic: f.GetSystolic(), SpO2: f.GetSpo2(),
		GCS: f.GetGcs(), Problem: f.GetMainProblem(),
		DaysSinceInfarction: f.GetDaysSinceInfarction(), DaysSincePneumothorax: f.GetDaysSincePneumothorax(),
	}
}

func handOverFrom(r *transferv1.HandOverRecord) (transfer.HandOver, error) {
	h := transfer.HandOver{SignedBySender: r.GetSignedBySender(), SignedByReceiver: r.GetSignedByReceiver()}
	for _, item := range r.GetItems() {
		h.Items = append(h.Items, transfer.Item(strings.TrimPrefix(item.String(), itemPrefix)))
	}
	// Unset: signed as it is recorded.
	for _, of := range []struct {
		field string
		given *timestamppb.Timestamp
		to    *time.Time
	}{
		{"hand_over.sign_time", r.GetSignTime(), &h.SignTime}, {"hand_over.sender_sign_time", r.GetSenderSignTime(), &h.SenderSignTime},
	} {
		if of.given == nil {
			continue
		}
		var err error
		if *of.to, err = instant(of.given, of.field); err != nil {
			return h, err
		}
	}
	return h, nil
}

func itineraryTo(i planner.Itinerary) *transferv1.Itinerary {
	out := &transferv1.Itinerary{
		OptionKey: i.Key, DepartTime: stamp(i.Depart), ArriveTime: stamp(i.Arrive), DoorToDoor: doorToDoor(i.Depart, i.Arrive),
		Changes: int32(i.Changes), Cost: &moneyv1.Money{Fen: int64(i.Cost)}, Escort: transferv1.Escort(i.Escort),
		AllowedBecauseZh: i.Because.Zh, AllowedBecauseEn: i.Because.En,
		ClinicalRisk: i.Risk,
	}
	for _, leg := range i.Legs {
		out.Legs = append(out.Legs, &transferv1.Leg{
			Mode: modeTo(leg.Mode), FromName: leg.From.Name, ToName: leg.To.Name,
			FromPoint: pointTo(leg.From), ToPoint: pointTo(leg.To),
			DepartTime: stamp(leg.Depart), ArriveTime: stamp(leg.Arrive), ServiceNumber: leg.Number, Kilometres: leg.Km,
			TripId: leg.Run.TripID, ServiceDay: leg.Run.ServiceDay, FromStopId: leg.FromStop, ToStopId: leg.ToStop,
			BookFromTime: stamp(leg.BookFrom), BookUntilTime: stamp(leg.BookUntil),
		})
	}
	return out
}

func pointTo(p planner.Place) *placev1.Point {
	return &placev1.Point{Latitude: p.Lat, Longitude: p.Lon}
}

func transferTo(t transfer.Transfer) *transferv1.Transfer {
	out := &transferv1.Transfer{
		TransferId: t.ID, ReferralId: t.ReferralID, PatientId: t.PatientID, FromOrganisation: t.From, ToOrganisation: t.To,
		Status:    transferv1.TransferStatus(transferv1.TransferStatus_value[statusPrefix+string(t.Status)]),
		Itinerary: itineraryTo(t.Itinerary), HoldId: t.HoldID, FitnessTime: stamp(t.FitnessTime), DepartedTime: stamp(t.DepartedTime),
		ArrivedTime: stamp(t.ArrivedTime), AbortCode: t.AbortCode, Etag: strconv.FormatInt(t.Version, 10),
		Back: t.Back, Comment: t.Comment, DivertedTo: t.DivertedTo, DivertedToCity: t.DivertedToCity,
		DivertedBed: t.DivertedBed, DivertedHoldId: t.DivertedHoldID,
	}
	if t.Attention != nil {
		out.AttentionCode = t.Attention.Code
	}
	out.HandOver, out.HandOverWaiting = handOverTo(t.HandOver), handOverTo(t.Waiting)
	return out
}

func handOverTo(h *transfer.HandOver) *transferv1.HandOverRecord {
	if h == nil {
		return nil
	}
	out := &transferv1.HandOverRecord{
		SignedBySender: h.SignedBySender, SignedByReceiver: h.SignedByReceiver, SignTime: stamp(h.SignTime),
		SenderSignTime: stamp(h.SenderSignTime), SenderAttested: h.Attested,
	}
	for _, item := range h.Items {
		out.Items = append(out.Items, transferv1.HandOverItem(transferv1.HandOverItem_value[itemPrefix+string(item)]))
	}
	return out
}

func reservationTo(r pool.Reservation) *transferv1.Reservation {
	out := &transferv1.Reservation{
		ResourceId: r.ResourceID, Kind: kindTo(r.Kind), Organisation: r.Organisation, StartTime: stamp(r.Start), EndTime: stamp(r.End),
		Confirmed: r.Confirmed, HoldId: r.HoldID, Overrides: overridesTo(r.Overrides), Purpose: purposeTo(r.Purpose),
	}
	if !r.Confirmed {
		out.ExpireTime = stamp(r.Expire)
	}
	return out
}

func resourceTo(r pool.Resource) *transferv1.Resource {
	out := &transferv1.Resource{
		ResourceId: r.ID, Organisation: r.Organisation, Kind: kindTo(r.Kind), Label: r.Label, ReportedTime: stamp(r.Reported),
		ReportedBy: r.ReportedBy, OutOfService: r.OutOfService, Calendar: calendarTo(r.Calendar), Etag: strconv.FormatInt(r.Edition, 10),
	}
	for _, v := range r.Reservations {
		out.Reservations = append(out.Reservations, reservationTo(v))
	}
	out.Closed = closuresTo(r.Closed)
	return out
}

func purposeTo(p pool.Purpose) transferv1.HoldPurpose {
	return transferv1.HoldPurpose(transferv1.HoldPurpose_value[purposePrefix+string(p)])
}

func holdTo(h pool.Hold) *transferv1.Hold {
	out := &transferv1.Hold{
		HoldId: h.ID, ReferralId: h.ReferralID, Organisation: h.Organisation, ExpireTime: stamp(h.Expire),
		Status: transferv1.HoldStatus(transferv1.HoldStatus_value[holdPrefix+string(h.Status)]), Etag: strconv.FormatInt(h.Version, 10),
		Purpose: purposeTo(h.Purpose), TransferId: h.TransferID,
	}
	for _, r := range h.Reservations {
		out.Reservations = append(out.Reservations, reservationTo(r))
	}
	return out
}
