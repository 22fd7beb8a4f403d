package rpc

import (
	"context"
	"strings"
	"time"

	placev1 "huhang.example/gen/huhang/place/v1"
	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/idempotency"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/transfer"
	"huhang.example/services/transfer/planner"
	"huhang.example/services/transfer/timetable"
)

// MoveServer implements the service that follows transfers.
type MoveServer struct {
	transferv1.UnimplementedMoveServiceServer
	service *transfer.Service
	db      *sqldb.DB
}

// NewMoves returns the server that follows transfers.
func NewMoves(service *transfer.Service, db *sqldb.DB) *MoveServer {
	return &MoveServer{service: service, db: db}
}

// RecordLeg tells that a leg has begun or ended.
func (s *MoveServer) RecordLeg(ctx context.Context, req *transferv1.RecordLegRequest) (*transferv1.RecordLegResponse, error) {
	var at time.Time
	if req.GetTime() != nil {
		var err error
		if at, err = instant(req.GetTime(), "time"); err != nil {
			return nil, err
		}
	}
	step := transfer.Step(strings.TrimPrefix(req.GetStep().String(), "LEG_STEP_"))
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*transferv1.RecordLegResponse, error) {
		t, err := s.service.RecordLeg(ctx, req.GetTransferId(), req.GetEtag(), int(req.GetLeg()), step, at)
		return &transferv1.RecordLegResponse{Transfer: transferTo(t)}, err
	})
}

// ReportLegTrouble tells that one leg is late or lost.
func (s *MoveServer) ReportLegTrouble(ctx context.Context, req *transferv1.ReportLegTroubleRequest) (*transferv1.ReportLegTroubleResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*transferv1.ReportLegTroubleResponse, error) {
		t, err := s.service.ReportLegTrouble(ctx, req.GetTransferId(), req.GetEtag(), transfer.Trouble{
			Leg: int(req.GetLeg()), Lost: req.GetLost(), Late: time.Duration(req.GetLateMinutes()) * time.Minute,
		})
		return &transferv1.ReportLegTroubleResponse{Transfer: transferTo(t)}, err
	})
}

// ReportPosition tells where the patient is.
func (s *MoveServer) ReportPosition(ctx context.Context, req *transferv1.ReportPositionRequest) (*transferv1.ReportPositionResponse, error) {
	p := transfer.Position{Lat: req.GetPoint().GetLatitude(), Lon: req.GetPoint().GetLongitude()}
	if err := onEarth(req.GetPoint(), "point"); err != nil {
		return nil, err
	}
	if req.GetTime() != nil {
		var err error
		if p.At, err = instant(req.GetTime(), "time"); err != nil {
			return nil, err
		}
	}
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*transferv1.ReportPositionResponse, error) {
		kept, err := s.service.ReportPosition(ctx, req.GetTransferId(), p)
		return &transferv1.ReportPositionResponse{Time: stamp(kept.At)}, err
	})
}

func onEarth(p *placev1.Point, field string) error {
	if lat, lon := p.GetLatitude(), p.GetLongitude(); !(lat >= -90 && lat <= 90 && lon >= -180 && lon <= 180) {
		return fault.New(fault.InvalidArgument, fault.FieldInvalid, field, "The point is not on the earth.", "坐标无效。")
	}
	return nil
}

// ArriveAtDoor tells that the patient is at the door.
func (s *MoveServer) ArriveAtDoor(ctx context.Context, req *transferv1.ArriveAtDoorRequest) (*transferv1.ArriveAtDoorResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*transferv1.ArriveAtDoorResponse, error) {
		t, err := s.service.ArriveAtDoor(ctx, req.GetTransferId(), req.GetEtag())
		return &transferv1.ArriveAtDoorResponse{Transfer: transferTo(t)}, err
	})
}

// SignHandOver records the sending side's signature.
func (s *MoveServer) SignHandOver(ctx context.Context, req *transferv1.SignHandOverRequest) (*transferv1.SignHandOverResponse, error) {
	var at time.Time // unset: signed as it is recorded
	if req.GetSignTime() != nil {
		var err error
		if at, err = instant(req.GetSignTime(), "sign_time"); err != nil {
			return nil, err
		}
	}
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*transferv1.SignHandOverResponse, error) {
		t, err := s.service.SignHandOver(ctx, req.GetTransferId(), req.GetEtag(), req.GetSignedBy(), at)
		return &transferv1.SignHandOverResponse{Transfer: transferTo(t)}, err
	})
}

// RefuseAtDoor ends a transfer whose patient is not taken.
func (s *MoveServer) RefuseAtDoor(ctx context.Context, req *transferv1.RefuseAtDoorRequest) (*transferv1.RefuseAtDoorResponse, error) {
	code := strings.TrimPrefix(req.GetCode().String(), "REFUSAL_CODE_")
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*transferv1.RefuseAtDoorResponse, error) {
		t, err := s.service.RefuseAtDoor(ctx, req.GetTransferId(), req.GetEtag(), code, req.GetComment())
		return &transferv1.RefuseAtDoorResponse{Transfer: transferTo(t)}, err
	})
}

// DivertTransfer ends a transfer whose patient is taken elsewhere.
func (s *MoveServer) DivertTransfer(ctx context.Context, req *transferv1.DivertTransferRequest) (*transferv1.DivertTransferResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*transferv1.DivertTransferResponse, error) {
		t, err := s.service.Divert(ctx, req.GetTransferId(), req.GetEtag(), req.GetToOrganisation(), req.GetCity(), req.GetComment())
		return &transferv1.DivertTransferResponse{Transfer: transferTo(t)}, err
	})
}

// ReplanTransfer plans the rest of the way again.
func (s *MoveServer) ReplanTransfer(ctx context.Context, req *transferv1.ReplanTransferRequest) (*transferv1.ReplanTransferResponse, error) {
	var at *planner.Place
	if p := req.GetFromPoint(); p != nil {
		if err := onEarth(p, "from_point"); err != nil {
			return nil, err
		}
		at = &planner.Place{Name: req.GetFromName(), Lat: p.GetLatitude(), Lon: p.GetLongitude()}
	}
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*transferv1.ReplanTransferResponse, error) {
		t, err := s.service.Replan(ctx, req.GetTransferId(), req.GetEtag(), req.GetOptionKey(), at)
		return &transferv1.ReplanTransferResponse{Transfer: transferTo(t)}, err
	})
}

// PlanOnward answers the ways on.
func (s *MoveServer) PlanOnward(ctx context.Context, req *transferv1.PlanOnwardRequest) (*transferv1.PlanOnwardResponse, error) {
	options, none, err := s.service.PlanOnward(ctx, req.GetTransferId())
	if err != nil {
		return nil, err
	}
	answer := &transferv1.PlanOnwardResponse{NoneBecauseZh: none.Zh, NoneBecauseEn: none.En}
	for _, option := range options {
		answer.Options = append(answer.Options, itineraryTo(option))
	}
	return answer, nil
}

// CreateBackTransfer plans the way back to the local hospital.
func (s *MoveServer) CreateBackTransfer(ctx context.Context, req *transferv1.CreateBackTransferRequest) (*transferv1.CreateBackTransferResponse, error) {
	notBefore, err := instant(req.GetNotBefore(), "not_before")
	if err != nil {
		return nil, err
	}
	wanted := transfer.NewTransfer{
		ReferralID: req.GetReferralId(), PatientID: req.GetPatientId(), From: req.GetFromOrganisation(), To: req.GetToOrganisation(),
		OriginCity: req.GetOriginCity(), DestinationCity: req.GetDestinationCity(), NotBefore: notBefore,
		Fitness: fitnessFrom(req.GetFitness()), OptionKey: req.GetOptionKey(), Back: true,
	}
	prepared := s.service.Prepare(ctx, wanted)
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*transferv1.CreateBackTransferResponse, error) {
		t, err := s.service.CreateTransfer(ctx, wanted, prepared)
		return &transferv1.CreateBackTransferResponse{Transfer: transferTo(t)}, err
	})
}

// ReportDisruption tells that a run is late or cancelled.
func (s *MoveServer) ReportDisruption(ctx context.Context, req *transferv1.ReportDisruptionRequest) (*transferv1.ReportDisruptionResponse, error) {
	change := timetable.Change{
		Number: req.GetServiceNumber(), Day: strings.ReplaceAll(req.GetServiceDay(), "-", ""), Cancelled: req.GetCancelled(),
		Delay: time.Duration(req.GetDelayMinutes()) * time.Minute,
	}
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*transferv1.ReportDisruptionResponse, error) {
		d, transfers, err := s.service.ReportDisruption(ctx, change)
		return &transferv1.ReportDisruptionResponse{Disruption: disruptionTo(d), Transfers: int32(transfers)}, err
	})
}

// ImportRealtime takes a GTFS-realtime feed.
func (s *MoveServer) ImportRealtime(ctx context.Context, req *transferv1.ImportRealtimeRequest) (*transferv1.ImportRealtimeResponse, error) {
	changes, passedOver, err := readRealtime(req.GetFeed())
	if err != nil {
		return nil, err
	}
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*transferv1.ImportRealtimeResponse, error) {
		got, err := s.service.ImportChanges(ctx, changes)
		return &transferv1.ImportRealtimeResponse{
			Runs: int32(got.Runs), Unknown: int32(got.Unknown), PassedOver: int32(passedOver), Transfers: int32(got.Transfers),
		}, err
	})
}

// ListDisruptions returns a page of what is known of a day.
func (s *MoveServer) ListDisruptions(ctx context.Context, req *transferv1.ListDisruptionsRequest) (*transferv1.ListDisruptionsResponse, error) {
	list, next, err := s.service.ListDisruptions(ctx, strings.ReplaceAll(req.GetServiceDay(), "-", ""), req.GetPageSize(), req.GetPageToken())
	if err != nil {
		return nil, err
	}
	answer := &transferv1.ListDisruptionsResponse{NextPageToken: next}
	for _, d := range list {
		answer.Disruptions = append(answer.Disruptions, disruptionTo(d))
	}
	return answer, nil
}

func disruptionTo(d transfer.Disruption) *transferv1.Disruption {
	out := &transferv1.Disruption{
		ServiceNumber: d.Number, Cancelled: d.Cancelled, DelayMinutes: int32(d.Delay / time.Minute), ReportTime: stamp(d.Reported),
	}
	if len(d.Day) == 8 {
		out.ServiceDay = d.Day[:4] + "-" + d.Day[4:6] + "-" + d.Day[6:]
	}
	for _, stop := range d.Stops {
		out.Calls = append(out.Calls, &transferv1.DisruptedCall{
			Stop: stop.Stop, ArriveMinutes: int32(stop.Arrive / time.Minute), DepartMinutes: int32(stop.Depart / time.Minute), Skipped: stop.Skipped,
		})
	}
	return out
}
