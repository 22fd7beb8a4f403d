package transfer

import (
	"context"
	"slices"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/telemetry"
	"huhang.example/services/transfer/planner"
	"huhang.example/services/transfer/pool"
)

const (
	// furthestTransfer keeps the expiry of the crew's hold within the pool's bound.
	furthestTransfer = 25 * 24 * time.Hour
	// crewWaits is how long after the planned departure the crew is kept for a patient who has not left.
	crewWaits = 12 * time.Hour
)

// NewTransfer is what a transfer is made from.
type NewTransfer struct {
	ReferralID, PatientID string
	From, To              string
	OriginCity            string
	DestinationCity       string
	NotBefore             time.Time
	Fitness               planner.Fitness
	OptionKey             string
}

// Prepared is a transfer's facts from other services, gathered before the transaction.
type Prepared struct {
	patient Patient
	err     error
}

// Prepare asks the patient service. Its failure is kept for CreateTransfer: a repeated request gets its first answer even
// while the other service is away.
func (s *Service) Prepare(ctx context.Context, n NewTransfer) Prepared {
	if err := mayCreate(ctx, n); err != nil {
		return Prepared{err: err}
	}
	patient, err := s.peers.Patient(ctx, n.PatientID)
	return Prepared{patient: patient, err: err}
}

func mayCreate(ctx context.Context, n NewTransfer) error {
	if caller := access.From(ctx); !caller.Has(access.Operations) && caller.Organisation != n.From {
		return rightMissing("from_organisation", "A hospital sends its own patients only.", "医院只能转送本院患者。")
	}
	if n.From == n.To {
		return fault.New(fault.InvalidArgument, fault.FieldInvalid, "to_organisation",
			"A transfer leads to another organisation.", "接收机构须与转出机构不同。")
	}
	return nil
}

// CreateTransfer plans the move, takes a crew where the escort needs one, and tells the case.
//
// Faults: RIGHT_MISSING for another hospital's patient, NOT_FOUND for one it did not register, CONSENT_MISSING,
// CODE_UNKNOWN, TIME_INVALID, NO_ITINERARY, RESOURCE_TAKEN for the crew, WRONG_STATE when the case has a live transfer.
func (s *Service) CreateTransfer(ctx context.Context, n NewTransfer, prepared Prepared) (Transfer, error) {
	ctx = telemetry.WithReferral(ctx, n.ReferralID)
	if prepared.err != nil {
		return Transfer{}, prepared.err
	}
	if !access.From(ctx).Has(access.Operations) && prepared.patient.RegisteredBy != n.From {
		return Transfer{}, fault.NotFoundf("patient", n.PatientID)
	}
	if !prepared.patient.ConsentToTransfer {
		return Transfer{}, fault.New(fault.FailedPrecondition, fault.ConsentMissing, "",
			"The patient has not consented to a transfer.", "患者尚未签署转运知情同意。").With("purpose", "TRANSFER")
	}
	question, err := s.question(PlanQuery{
		OriginCity: n.OriginCity, DestinationCity: n.DestinationCity, NotBefore: n.NotBefore, Fitness: n.Fitness,
	}, furthestTransfer)
	if err != nil {
		return Transfer{}, err
	}
	plan := s.planner.Plan(question)
	way, err := pick(plan, n.OptionKey)
	if err != nil {
		return Transfer{}, err
	}
	planned := Transfer{
		ID: s.ids.New("trf"), ReferralID: n.ReferralID, PatientID: n.PatientID, From: n.From, To: n.To, Status: Planned,
		Itinerary: way, RulesVersion: plan.RulesVersion, TimetableVersion: plan.TimetableVersion, Fitness: n.Fitness,
	}
	var t Transfer
	err = s.store.Atomically(ctx, func(ctx context.Context) error {
		made := planned
		if way.Escort.NeedsCrew() {
			hold, err := s.holdCrew(ctx, made)
			if err != nil {
				return err
			}
			made.HoldID = hold.ID
		}
		var err error
		if made, err = s.store.Insert(ctx, made); err != nil {
			return err
		}
		t = made
		return s.report(ctx, made, EventPlanned, way.Arrive)
	})
	if err != nil {
		return Transfer{}, err
	}
	return t, nil
}

func pick(plan planner.Plan, key string) (planner.Itinerary, error) {
	field := ""
	if key != "" {
		field = "option_key"
	}
	i := slices.IndexFunc(plan.Options, func(o planner.Itinerary) bool { return key == "" || o.Key == key })
	if i < 0 {
		f := fault.New(fault.FailedPrecondition, fault.NoItinerary, field,
			"No such way is allowed and runs at that time.", "没有符合条件的行程。")
		for _, refused := range plan.Refused {
			f = f.With("refused_"+string(refused.Mode), refused.Because.En)
		}
		return planner.Itinerary{}, f
	}
	return plan.Options[i], nil
}

// holdCrew takes a crew of the sending hospital for the way there and as long for the way back.
func (s *Service) holdCrew(ctx context.Context, t Transfer) (pool.Hold, error) {
	way, now := t.Itinerary, s.clock.Now()
	need := pool.Need{Organisation: t.From, Kind: pool.Crew, Interval: pool.Interval{
		Start: way.Depart, End: way.Arrive.Add(way.Arrive.Sub(way.Depart)),
	}}
	if need.Start.Before(now) {
		need.Start = now
	}
	expire := way.Depart.Add(crewWaits)
	if err := pool.CheckNeeds([]pool.Need{need}, expire, now); err != nil {
		return pool.Hold{}, err
	}
	return s.store.Hold(ctx, pool.Hold{
		ID: s.ids.New("hld"), ReferralID: t.ReferralID, TransferID: t.ID, Organisation: t.From, Status: pool.Held, Expire: expire,
	}, []pool.Need{need}, now)
}

// freeCrew gives back what an aborted transfer held.
func (s *Service) freeCrew(ctx context.Context, t Transfer) error {
	if t.HoldID == "" {
		return nil
	}
	_, err := s.store.UpdateHold(ctx, t.HoldID, func(h *pool.Hold) error {
		h.Release("transfer " + t.AbortCode)
		return nil
	})
	return err
}
