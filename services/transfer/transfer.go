package transfer

import (
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/transfer/planner"
)

// Status is the life of a transfer (转运状态).
type Status string

// The states of a transfer. Arrived and Aborted are final.
const (
	Planned   Status = "PLANNED"
	Ready     Status = "READY"
	InTransit Status = "IN_TRANSIT"
	Arrived   Status = "ARRIVED"
	Aborted   Status = "ABORTED"
)

// Ended reports whether nothing follows.
func (s Status) Ended() bool { return s == Arrived || s == Aborted }

// The reasons of an abort.
const (
	AbortUnfit         = "UNFIT"
	AbortCancelled     = "CANCELLED"
	AbortNoShow        = "NO_SHOW"
	AbortRefusedAtDoor = "REFUSED_AT_DOOR"
	AbortDiverted      = "DIVERTED"
)

// FitnessHolds is how long a fitness check lets the patient leave.
const FitnessHolds = 24 * time.Hour

// Transfer is the move of one patient (转运).
type Transfer struct {
	ID, ReferralID, PatientID string
	From, To                  string // organisations
	Status                    Status
	Itinerary                 planner.Itinerary
	// RulesVersion and TimetableVersion are those the itinerary was planned with.
	RulesVersion, TimetableVersion string
	Fitness                        planner.Fitness
	HoldID                         string // of the crew; empty when the escort needs none
	FitnessTime                    time.Time
	DepartedTime, ArrivedTime      time.Time
	// HandOver is complete; Waiting is what there is of one that one side has not signed yet.
	HandOver, Waiting *HandOver
	AbortCode         string
	Version           int64

	// OriginCity, DestinationCity and NotBefore are what was asked for; empty in transfers of before they were kept.
	OriginCity, DestinationCity string
	NotBefore                   time.Time
	// Back is a way back to the local hospital (下转).
	Back bool
	// Tracks are what is reported of the legs, in their order; Rides the service days of those by timetable.
	Tracks []Track
	Rides  []Ride
	// Troubles are reported of single legs of this transfer alone.
	Troubles []Trouble
	DoorTime time.Time
	// Comment is of a refusal or a diversion.
	Comment                    string
	DivertedTo, DivertedToCity string
	// DivertedBed says whether a bed is booked there, and DivertedHoldID by which hold.
	DivertedBed, DivertedHoldID string
	// Attention is set while it waits for a person.
	Attention *Attention
	// BookedFor is the arrival that the case's bookings fit, while they could not be moved behind a later one; zero: the itinerary's.
	BookedFor time.Time
	// Outside are those whose ambulance the way needs and who keep none in the pool.
	Outside []string
}

// Track is what was reported of one leg.
type Track struct{ Departed, Arrived time.Time }

// Ride says which run a leg rides.
type Ride struct {
	Leg         int
	Number, Day string // YYYYMMDD
}

// Trouble is what was reported of a leg beside the feed: it ends so much later, or will not go.
type Trouble struct {
	Leg  int
	Lost bool
	Late time.Duration
}

// Attention is why a transfer waits for a person.
type Attention struct {
	Code   string
	Since  time.Time
	Detail planner.Text
}

// The codes of an attention.
const (
	AttentionNoWay    = "NO_WAY"
	AttentionBookings = "BOOKINGS"
	AttentionStranded = "STRANDED"
)

func (t *Transfer) wrongState(en, zh string) error {
	return fault.New(fault.FailedPrecondition, fault.WrongState, "", en, zh).
		With("state", string(t.Status)).With("transfer_id", t.ID)
}

// CheckFitness records today's state. Where the patient is unfit, or the planned way is not for that state, the transfer
// is aborted as UNFIT: that is an outcome, not an error.
func (t *Transfer) CheckFitness(rules *planner.Rules, f planner.Fitness, unfit bool, now time.Time) error {
	if t.Status != Planned && t.Status != Ready {
		return t.wrongState("Fitness is checked before leaving.", "适宜性检查须在出发前进行。")
	}
	t.Fitness, t.FitnessTime = f, now
	if _, allowed := rules.StillAllowed(t.Itinerary.Legs, f); unfit || !allowed {
		t.Status, t.AbortCode = Aborted, AbortUnfit
		return nil
	}
	t.Status, t.Itinerary.Escort = Ready, rules.Escort(f)
	return nil
}

// Depart records the departure: DATUM_MISSING without a fitness check of the last 24 hours, WRONG_STATE when under way
// or ended.
func (t *Transfer) Depart(now time.Time) error {
	if t.Status != Planned && t.Status != Ready {
		return t.wrongState("The transfer has left already, or has ended.", "该转运已出发或已结束。")
	}
	if t.Status != Ready || now.Sub(t.FitnessTime) > FitnessHolds {
		return fault.New(fault.FailedPrecondition, fault.DatumMissing, "",
			"There is no fitness check of the last 24 hours.", "缺少 24 小时内的转运适宜性检查。").
			With("missing", "fitness_check").With("transfer_id", t.ID)
	}
	t.Status, t.DepartedTime = InTransit, now
	return nil
}

// during reports whether what a ward or a crew tells by its own clock lies between our two times.
func during(at, from, until time.Time) bool {
	return !at.Before(from.Add(-clock.Skew)) && !at.After(until.Add(clock.Skew))
}

// Abort ends a transfer before arrival. REFUSED_AT_DOOR needs a patient on the way, NO_SHOW one who should have left.
func (t *Transfer) Abort(code string, now time.Time) error {
	if t.Status.Ended() {
		return t.wrongState("The transfer has ended.", "该转运已结束。")
	}
	switch code {
	case AbortUnfit, AbortCancelled:
	case AbortNoShow:
		if t.Status == InTransit {
			return t.wrongState("A patient on the way has shown up.", "患者已在途中，不属于未到。")
		}
		if now.Before(t.Itinerary.Depart) {
			return t.wrongState("Nobody has failed to show up before the planned departure.", "未到计划出发时间，不能登记为未到。")
		}
	case AbortRefusedAtDoor:
		if t.Status != InTransit {
			return t.wrongState("A patient is refused at the door after the departure.", "出发后方可登记为到院被拒。")
		}
	default:
		return fault.New(fault.InvalidArgument, fault.CodeUnknown, "code", "The abort code is unknown.", "中止代码未知。")
	}
	t.Status, t.AbortCode = Aborted, code
	return nil
}
