package store

import (
	"encoding/json"
	"fmt"
	"time"

	"huhang.example/services/internal/money"
	"huhang.example/services/transfer"
	"huhang.example/services/transfer/planner"
)

// document is what of a transfer nothing is looked up by, as it stands in the column doc. Names are never changed: rows
// of older versions are read for as long as there are any.
type document struct {
	Itinerary        itinerary `json:"itinerary"`
	RulesVersion     string    `json:"rules_version"`
	TimetableVersion string    `json:"timetable_version"`
	Fitness          fitness   `json:"fitness"`
	HoldID           string    `json:"hold_id,omitempty"`
	FitnessTime      time.Time `json:"fitness_time,omitzero"`
	DepartedTime     time.Time `json:"departed_time,omitzero"`
	ArrivedTime      time.Time `json:"arrived_time,omitzero"`
	HandOver         *handOver `json:"hand_over,omitempty"`
	Waiting          *handOver `json:"hand_over_waiting,omitempty"`
	AbortCode        string    `json:"abort_code,omitempty"`

	OriginCity      string     `json:"origin_city,omitempty"`
	DestinationCity string     `json:"destination_city,omitempty"`
	NotBefore       time.Time  `json:"not_before,omitzero"`
	Back            bool       `json:"back,omitempty"`
	Tracks          []track    `json:"tracks,omitempty"`
	Rides           []ride     `json:"rides,omitempty"`
	Troubles        []trouble  `json:"troubles,omitempty"`
	DoorTime        time.Time  `json:"door_time,omitzero"`
	Comment         string     `json:"comment,omitempty"`
	DivertedTo      string     `json:"diverted_to,omitempty"`
	DivertedToCity  string     `json:"diverted_to_city,omitempty"`
	DivertedBed     string     `json:"diverted_bed,omitempty"`
	DivertedHoldID  string     `json:"diverted_hold_id,omitempty"`
	Attention       *attention `json:"attention,omitempty"`
	Outside         []string   `json:"outside,omitempty"`
	BookedFor       time.Time  `json:"booked_for,omitzero"`
}

type track struct {
	Departed time.Time `json:"departed,omitzero"`
	Arrived  time.Time `json:"arrived,omitzero"`
}

type ride struct {
	Leg    int    `json:"leg"`
	Number string `json:"number"`
	Day    string `json:"day"`
}

type trouble struct {
	Leg         int   `json:"leg"`
	Lost        bool  `json:"lost,omitempty"`
	LateSeconds int64 `json:"late_seconds,omitempty"`
}

type attention struct {
	Code  string    `json:"code"`
	Since time.Time `json:"since"`
	Zh    string    `json:"zh"`
	En    string    `json:"en"`
}

type itinerary struct {
	Key       string    `json:"key"`
	Legs      []leg     `json:"legs"`
	Depart    time.Time `json:"depart"`
	Arrive    time.Time `json:"arrive"`
	Changes   int       `json:"changes"`
	CostFen   int64     `json:"cost_fen"`
	Risk      int64     `json:"risk,omitempty"`
	Escort    int       `json:"escort"`
	BecauseZh string    `json:"because_zh"`
	BecauseEn string    `json:"because_en"`
}

type leg struct {
	Mode   string    `json:"mode"`
	From   point     `json:"from"`
	To     point     `json:"to"`
	Depart time.Time `json:"depart"`
	Arrive time.Time `json:"arrive"`
	Number string    `json:"number,omitempty"`
	Km     float64   `json:"km"`

	TripID     string    `json:"trip_id,omitempty"`
	ServiceDay string    `json:"service_day,omitempty"`
	FromStop   string    `json:"from_stop,omitempty"`
	ToStop     string    `json:"to_stop,omitempty"`
	BoardCall  int       `json:"board_call,omitempty"`
	AlightCall int       `json:"alight_call,omitempty"`
	BookFrom   time.Time `json:"book_from,omitzero"`
	BookUntil  time.Time `json:"book_until,omitzero"`
}

type point struct {
	Name string  `json:"name"`
	Lat  float64 `json:"lat"`
	Lon  float64 `json:"lon"`
}

type fitness struct {
	Oxygen               bool `json:"oxygen,omitempty"`
	Infusion             bool `json:"infusion,omitempty"`
	Ventilated           bool `json:"ventilated,omitempty"`
	ECMO                 bool `json:"ecmo,omitempty"`
	Vasoactive           bool `json:"vasoactive,omitempty"`
	Stretcher            bool `json:"stretcher,omitempty"`
	ReducedConsciousness bool `json:"reduced_consciousness,omitempty"`

	HeartRate       int32  `json:"heart_rate,omitempty"`
	RespiratoryRate int32  `json:"respiratory_rate,omitempty"`
	Systolic        int32  `json:"systolic,omitempty"`
	SpO2            int32  `json:"spo2,omitempty"`
	GCS             int32  `json:"gcs,omitempty"`
	Problem         string `json:"problem,omitempty"`

	DaysSinceInfarction   int32 `json:"days_since_infarction,omitempty"`
	DaysSincePneumothorax int32 `json:"days_since_pneumothorax,omitempty"`
}

type handOver struct {
	Items            []string  `json:"items"`
	SignedBySender   string    `json:"signed_by_sender"`
	SignedByReceiver string    `json:"signed_by_receiver"`
	SignTime         time.Time `json:"sign_time,omitzero"`
	SenderSignTime   time.Time `json:"sender_sign_time,omitzero"`
	Attested         bool      `json:"attested,omitempty"`
}

func encodeHandOver(h *transfer.HandOver) *handOver {
	if h == nil {
		return nil
	}
	d := &handOver{
		SignedBySender: h.SignedBySender, SignedByReceiver: h.SignedByReceiver, SignTime: h.SignTime, SenderSignTime: h.SenderSignTime, Attested: h.Attested,
	}
	for _, item := range h.Items {
		d.Items = append(d.Items, string(item))
	}
	return d
}

func decodeHandOver(d *handOver) *transfer.HandOver {
	if d == nil {
		return nil
	}
	h := &transfer.HandOver{
		SignedBySender: d.SignedBySender, SignedByReceiver: d.SignedByReceiver, SignTime: d.SignTime, SenderSignTime: d.SenderSignTime, Attested: d.Attested,
	}
	for _, item := range d.Items {
		h.Items = append(h.Items, transfer.Item(item))
	}
	return h
}

func encode(t transfer.Transfer) (string, error) {
	way := t.Itinerary
	d := document{
		Itinerary: itinerary{
			Key: way.Key, Depart: way.Depart, Arrive: way.Arrive, Changes: way.Changes, CostFen: int64(way.Cost), Risk: way.Risk,
			Escort: int(way.Escort), BecauseZh: way.Because.Zh, BecauseEn: way.Because.En,
		},
		RulesVersion: t.RulesVersion, TimetableVersion: t.TimetableVersion, Fitness: fitness(t.Fitness), HoldID: t.HoldID,
		FitnessTime: t.FitnessTime, DepartedTime: t.DepartedTime, ArrivedTime: t.ArrivedTime, AbortCode: t.AbortCode,
	}
	encodeMove(t, &d)
	for _, l := range way.Legs {
		d.Itinerary.Legs = append(d.Itinerary.Legs, leg{
			Mode: string(l.Mode), From: point(l.From), To: point(l.To), Depart: l.Depart, Arrive: l.Arrive, Number: l.Number, Km: l.Km,
			TripID: l.Run.TripID, ServiceDay: l.Run.ServiceDay, FromStop: l.FromStop, ToStop: l.ToStop,
			BoardCall: l.BoardCall, AlightCall: l.AlightCall, BookFrom: l.BookFrom, BookUntil: l.BookUntil,
		})
	}
	d.HandOver, d.Waiting = encodeHandOver(t.HandOver), encodeHandOver(t.Waiting)
	text, err := json.Marshal(d)
	return string(text), err
}

func decode(text string, t *transfer.Transfer) error {
	var d document
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return fmt.Errorf("store: transfer %s: %w", t.ID, err)
	}
	way := d.Itinerary
	t.Itinerary = planner.Itinerary{
		Key: way.Key, Depart: way.Depart.UTC(), Arrive: way.Arrive.UTC(), Changes: way.Changes, Cost: money.Fen(way.CostFen), Risk: way.Risk,
		Escort: planner.Escort(way.Escort), Because: planner.Text{Zh: way.BecauseZh, En: way.BecauseEn},
	}
	for _, l := range way.Legs {
		t.Itinerary.Legs = append(t.Itinerary.Legs, planner.Leg{
			Mode: planner.Mode(l.Mode), From: planner.Place(l.From), To: planner.Place(l.To),
			Depart: l.Depart.UTC(), Arrive: l.Arrive.UTC(), Number: l.Number, Km: l.Km,
			Run: planner.Run{TripID: l.TripID, ServiceDay: l.ServiceDay}, FromStop: l.FromStop, ToStop: l.ToStop,
			BoardCall: l.BoardCall, AlightCall: l.AlightCall, BookFrom: l.BookFrom.UTC(), BookUntil: l.BookUntil.UTC(),
		})
	}
	t.RulesVersion, t.TimetableVersion, t.Fitness, t.HoldID = d.RulesVersion, d.TimetableVersion, planner.Fitness(d.Fitness), d.HoldID
	t.FitnessTime, t.DepartedTime, t.ArrivedTime, t.AbortCode = d.FitnessTime, d.DepartedTime, d.ArrivedTime, d.AbortCode
	decodeMove(d, t)
	t.HandOver, t.Waiting = decodeHandOver(d.HandOver), decodeHandOver(d.Waiting)
	return nil
}

func encodeMove(t transfer.Transfer, d *document) {
	d.OriginCity, d.DestinationCity, d.NotBefore, d.Back, d.DoorTime = t.OriginCity, t.DestinationCity, t.NotBefore, t.Back, t.DoorTime
	d.DivertedBed, d.DivertedHoldID = t.DivertedBed, t.DivertedHoldID
	d.Comment, d.DivertedTo, d.DivertedToCity, d.Outside, d.BookedFor = t.Comment, t.DivertedTo, t.DivertedToCity, t.Outside, t.BookedFor
	for _, one := range t.Tracks {
		d.Tracks = append(d.Tracks, track(one))
	}
	for _, one := range t.Rides {
		d.Rides = append(d.Rides, ride(one))
	}
	for _, one := range t.Troubles {
		d.Troubles = append(d.Troubles, trouble{one.Leg, one.Lost, int64(one.Late / time.Second)})
	}
	if a := t.Attention; a != nil {
		d.Attention = &attention{a.Code, a.Since, a.Detail.Zh, a.Detail.En}
	}
}

func decodeMove(d document, t *transfer.Transfer) {
	t.OriginCity, t.DestinationCity, t.NotBefore, t.Back, t.DoorTime = d.OriginCity, d.DestinationCity, d.NotBefore, d.Back, d.DoorTime
	t.DivertedBed, t.DivertedHoldID = d.DivertedBed, d.DivertedHoldID
	t.Comment, t.DivertedTo, t.DivertedToCity, t.Outside, t.BookedFor = d.Comment, d.DivertedTo, d.DivertedToCity, d.Outside, d.BookedFor
	for _, one := range d.Tracks {
		t.Tracks = append(t.Tracks, transfer.Track(one))
	}
	for _, one := range d.Rides {
		t.Rides = append(t.Rides, transfer.Ride(one))
	}
	for _, one := range d.Troubles {
		t.Troubles = append(t.Troubles, transfer.Trouble{Leg: one.Leg, Lost: one.Lost, Late: time.Duration(one.LateSeconds) * time.Second})
	}
	if a := d.Attention; a != nil {
		t.Attention = &transfer.Attention{Code: a.Code, Since: a.Since, Detail: planner.Text{Zh: a.Zh, En: a.En}}
	}
}
