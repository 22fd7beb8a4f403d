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

// furthestTransfer keeps the expiry of the crew's hold within the pool's bound.
const furthestTransfer = 25 * 24 * time.Hour

// NewTransfer is what a transfer is made from.
type NewTransfer struct {
	ReferralID, PatientID string
	From, To              string
	OriginCity            string
	DestinationCity       string
	NotBefore             time.Time
	Fitness               planner.Fitness
	OptionKey             string
	// Back is the way back to the hospital that registered the patient (下转); the center sends.
	Back bool
}

// Prepared is a transfer's facts from other services, gathered before the transaction.
type Prepared struct {
	patient Patient
	of      Case
	err     error
}

// Prepare asks the patient service and the case. A failure is kept for CreateTransfer: a repeated request gets its first
// answer even while another service is away.
func (s *Service) Prepare(ctx context.Context, n NewTransfer) Prepared {
	if err := mayCreate(ctx, n); err != nil {
		return Prepared{err: err}
	}
	patient, err := s.peers.Patient(ctx, n.PatientID)
	if err != nil {
		return Prepared{err: err}
	}
	of, err := s.peers.Case(ctx, n.ReferralID)
	return Prepared{patient: patient, of: of, err: err}
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

// leads checks a transfer against its case: the case's own patient, to the center that it is at, or from there home.
func (n NewTransfer) leads(prepared Prepared, operations bool) error {
	of, home := prepared.of, n.From
	if n.Back {
		home = n.To
	}
	if of.PatientID != n.PatientID {
		return fault.New(fault.InvalidArgument, fault.FieldInvalid, "patient_id",
			"The case is another patient's.", "该病例不属于此患者。").With("referral_id", n.ReferralID)
	}
	if (n.Back || !operations) && prepared.patient.RegisteredBy != home && !(n.Back && home == of.LocalHospital) {
		return fault.NotFoundf("patient", n.PatientID)
	}
	if n.Back {
		if of.Center == n.From || operations {
			return nil
		}
		return fault.NotFoundf("referral", n.ReferralID) // another center's
	}
	if of.Closed || of.Center != n.To {
		return fault.New(fault.FailedPrecondition, fault.WrongState, "to_organisation",
			"The case has no place at that center.", "该病例在该中心没有预约。").With("state", of.State)
	}
	return nil
}

// CreateTransfer plans the move, takes a crew where the escort needs one, and tells the case.
//
// Faults: RIGHT_MISSING for another hospital's patient, NOT_FOUND for one it did not register and for another center's case,
// FIELD_INVALID for another patient's case, WRONG_STATE for a center that the case is not at and when the case has a live
// transfer, CONSENT_MISSING, CODE_UNKNOWN, TIME_INVALID, NO_ITINERARY, RESOURCE_TAKEN for the crew.
func (s *Service) CreateTransfer(ctx context.Context, n NewTransfer, prepared Prepared) (Transfer, error) {
	ctx = telemetry.WithReferral(ctx, n.ReferralID)
	if prepared.err != nil {
		return Transfer{}, prepared.err
	}
	if err := n.leads(prepared, access.From(ctx).Has(access.Operations)); err != nil {
		return Transfer{}, err
	}
	if !prepared.patient.ConsentToTransfer {
		return Transfer{}, fault.New(fault.FailedPrecondition, fault.ConsentMissing, "",
			"The patient has not consented to a transfer.", "患者尚未签署转运知情同意。").With("purpose", "TRANSFER")
	}
	question, err := s.question(ctx, PlanQuery{
		OriginCity: n.OriginCity, DestinationCity: n.DestinationCity, NotBefore: n.NotBefore, Fitness: n.Fitness,
	}, furthestTransfer)
	if err != nil {
		return Transfer{}, err
	}
	live, err := s.today(ctx, s.clock.Now())
	if err != nil {
		return Transfer{}, err
	}
	plan := live.Plan(question)
	way, err := pick(plan, n.OptionKey)
	if err != nil {
		return Transfer{}, err
	}
	planned := Transfer{
		ID: s.ids.New("trf"), ReferralID: n.ReferralID, PatientID: n.PatientID, From: n.From, To: n.To, Status: Planned,
		RulesVersion: plan.RulesVersion, TimetableVersion: plan.TimetableVersion, Fitness: n.Fitness,
		OriginCity: n.OriginCity, DestinationCity: n.DestinationCity, NotBefore: n.NotBefore, Back: n.Back,
		Rides: ridesOf(s.planner, live, way, nil),
	}
	var t Transfer
	err = s.store.Atomically(ctx, func(ctx context.Context) error {
		made := planned
		missing, err := s.book(ctx, &made, way)
		if err != nil {
			return err
		}
		if missing != nil {
			return pool.Taken(*missing)
		}
		made.Itinerary = way
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
