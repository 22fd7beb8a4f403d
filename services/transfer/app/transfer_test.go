package app

import (
	"errors"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/transfer"
)

func nine() []transferv1.HandOverItem {
	var items []transferv1.HandOverItem
	for i := int32(1); i <= 9; i++ {
		items = append(items, transferv1.HandOverItem(i))
	}
	return items
}

func (w *world) handOver(t *transferv1.Transfer) *transferv1.HandOverRequest {
	return &transferv1.HandOverRequest{
		RequestId: w.request(), TransferId: t.GetTransferId(), Etag: t.GetEtag(),
		HandOver: &transferv1.HandOverRecord{Items: nine(), SignedBySender: "示范工号-1", SignedByReceiver: "示范工号-2"},
	}
}

func TestATransferFromDoorToWard(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.startJobs()
		left := w.departed()
		if left.GetStatus() != transferv1.TransferStatus_TRANSFER_STATUS_IN_TRANSIT || left.GetItinerary().GetEscort() != transferv1.Escort_ESCORT_NURSE {
			t.Fatalf("%v", left)
		}
		hold, err := w.server.GetHold(w.sender(), &transferv1.GetHoldRequest{HoldId: left.GetHoldId()})
		if err != nil || hold.GetHold().GetStatus() != transferv1.HoldStatus_HOLD_STATUS_CONFIRMED {
			t.Fatalf("the crew's hold: %v, %v", hold, err)
		}
		w.clock.Advance(3 * time.Hour)
		request := w.handOver(left)
		request.HandOver.SignTime, request.HandOver.SenderSignTime = timestamppb.New(w.clock.Now().Add(-time.Minute)), timestamppb.New(w.clock.Now().Add(-2*time.Minute))
		arrived, err := w.server.HandOver(w.receiver(), request)
		if err != nil || arrived.GetTransfer().GetStatus() != transferv1.TransferStatus_TRANSFER_STATUS_ARRIVED {
			t.Fatal(err)
		}
		again, err := w.server.HandOver(w.receiver(), request)
		if err != nil || !proto.Equal(again, arrived) {
			t.Fatalf("a retry got %v, %v", again, err)
		}
		request.HandOver.SenderAttested = true // the receiving side has said so
		if kept := w.get(left.GetTransferId()).GetHandOver(); !proto.Equal(kept, request.GetHandOver()) {
			t.Errorf("signed %v, kept %v", request.GetHandOver(), kept)
		}
		w.toldExactly(transfer.EventPlanned, transfer.EventDeparted, transfer.EventArrived)
		for _, e := range w.peers.events {
			if len(e.RequestID) < 16 || len(e.RequestID) > 64 || e.ReferralID != left.GetReferralId() || e.ArriveTime.IsZero() {
				t.Errorf("event %+v", e)
			}
		}
	})
}

func TestUnfitAbortsAndFreesTheCrew(t *testing.T) {
	for name, c := range map[string]struct {
		fitness *transferv1.FitnessToTravel
		unfit   bool
	}{
		"judged unfit":                  {&transferv1.FitnessToTravel{Oxygen: true}, true},
		"the way is no longer for them": {&transferv1.FitnessToTravel{Ecmo: true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				w.startJobs()
				made := w.create()
				if n := w.crews(4, 6); n != 1 {
					t.Fatalf("%d crews free", n)
				}
				got, err := w.server.CheckFitness(w.sender(), w.fitness(made, c.fitness, c.unfit))
				if err != nil || got.GetTransfer().GetStatus() != transferv1.TransferStatus_TRANSFER_STATUS_ABORTED || got.GetTransfer().GetAbortCode() != "UNFIT" {
					t.Fatalf("%v, %v", got, err)
				}
				if n := w.crews(4, 6); n != 2 {
					t.Errorf("%d crews free after the abort", n)
				}
				w.toldExactly(transfer.EventPlanned, transfer.EventAborted)
				again := w.newTransfer()
				again.ReferralId, again.PatientId = made.GetReferralId(), made.GetPatientId()
				if _, err := w.server.CreateTransfer(w.sender(), again); err != nil {
					t.Errorf("no second transfer after the abort: %v", err)
				}
			})
		})
	}
}

func TestAWorsePatientTakesACrewAtTheCheck(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		request := w.newTransfer()
		request.Fitness = &transferv1.FitnessToTravel{Stretcher: true}
		request.OptionKey = "ambulance-1"
		made, err := w.server.CreateTransfer(w.sender(), request)
		if err != nil || w.crews(4, 6) != 2 {
			t.Fatalf("%v, %v", made, err) // only an ambulance is held
		}
		got, err := w.server.CheckFitness(w.sender(), w.fitness(made.GetTransfer(), &transferv1.FitnessToTravel{ReducedConsciousness: true}, false))
		if err != nil || got.GetTransfer().GetHoldId() == "" || got.GetTransfer().GetItinerary().GetEscort() != transferv1.Escort_ESCORT_DOCTOR {
			t.Fatalf("%v, %v", got, err)
		}
		if n := w.crews(4, 6); n != 1 {
			t.Errorf("%d crews free", n)
		}
	})
}

func TestCreateTransferRefusalsChangeNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		busy := w.create()
		before := w.snapshot()
		for name, c := range map[string]struct {
			change func(*transferv1.CreateTransferRequest)
			caller access.Role
			org    string
			peer   transfer.Patient
			err    error
			reason fault.Reason
			field  string
		}{
			"unknown origin":      {change: func(r *transferv1.CreateTransferRequest) { r.OriginCity = "999999" }, reason: fault.CodeUnknown, field: "origin_city"},
			"unknown destination": {change: func(r *transferv1.CreateTransferRequest) { r.DestinationCity = "110000" }, reason: fault.CodeUnknown, field: "destination_city"},
			"past":                {change: func(r *transferv1.CreateTransferRequest) { r.NotBefore = at(-1) }, reason: fault.TimeInvalid, field: "not_before"},
			"far ahead":           {change: func(r *transferv1.CreateTransferRequest) { r.NotBefore = at(24 * 26) }, reason: fault.TimeInvalid, field: "not_before"},
			"absurd time": {change: func(r *transferv1.CreateTransferRequest) {
				r.NotBefore = &timestamppb.Timestamp{Seconds: 1 << 60}
			}, reason: fault.FieldInvalid, field: "not_before"},
			"unknown option":    {change: func(r *transferv1.CreateTransferRequest) { r.OptionKey = "rail-1" }, reason: fault.NoItinerary, field: "option_key"},
			"to itself":         {change: func(r *transferv1.CreateTransferRequest) { r.ToOrganisation = "H-BD-01" }, reason: fault.FieldInvalid, field: "to_organisation"},
			"another's name":    {change: func(r *transferv1.CreateTransferRequest) { r.FromOrganisation = "H-HF-01" }, reason: fault.RightMissing, field: "from_organisation"},
			"another's patient": {org: "H-BD-01", peer: transfer.Patient{RegisteredBy: "H-HF-01", ConsentToTransfer: true}, reason: fault.ReasonNotFound},
			"no consent":        {peer: transfer.Patient{RegisteredBy: "H-BD-01"}, reason: fault.ConsentMissing},
			"absent patient":    {err: fault.NotFoundf("patient", "pat_x"), reason: fault.ReasonNotFound},
			"second transfer": {change: func(r *transferv1.CreateTransferRequest) {
				r.ReferralId, r.PatientId = busy.GetReferralId(), busy.GetPatientId()
			}, reason: fault.WrongState, field: "referral_id"},
			"no such case":           {change: func(r *transferv1.CreateTransferRequest) { r.ReferralId = w.ids.New("ref") }, reason: fault.ReasonNotFound},
			"another patient's case": {change: func(r *transferv1.CreateTransferRequest) { r.PatientId = busy.GetPatientId() }, reason: fault.FieldInvalid, field: "patient_id"},
			"to another center":      {change: func(r *transferv1.CreateTransferRequest) { r.ToOrganisation = "C-BJ-02" }, reason: fault.WrongState, field: "to_organisation"},
			"a closed case": {change: func(r *transferv1.CreateTransferRequest) {
				closed := w.peers.cases[r.GetReferralId()]
				closed.Closed = true
				w.peers.cases[r.GetReferralId()] = closed
			}, reason: fault.WrongState, field: "to_organisation"},
		} {
			request := w.newTransfer()
			if c.change != nil {
				c.change(request)
			}
			w.peers.patient, w.peers.err = transfer.Patient{RegisteredBy: "H-BD-01", ConsentToTransfer: true}, c.err
			if c.peer.RegisteredBy != "" {
				w.peers.patient = c.peer
			}
			_, err := w.server.CreateTransfer(w.sender(), request)
			if f := w.refused(name, before, err, c.reason); f.Field != c.field {
				t.Errorf("%s: field %q", name, f.Field)
			}
		}
		w.peers.patient, w.peers.err = transfer.Patient{RegisteredBy: "H-BD-01", ConsentToTransfer: true}, nil
		if _, err := w.server.CreateTransfer(w.sender(), w.newTransfer()); err != nil {
			t.Fatal(err)
		}
		before = w.snapshot()
		_, err := w.server.CreateTransfer(w.sender(), w.newTransfer())
		if f := w.refused("no crew left", before, err, fault.ResourceTaken); f.Meta["kind"] != "CREW" || f.Meta["organisation"] != "H-BD-01" {
			t.Errorf("names %v", f.Meta)
		}
	})
}

func TestARetryGetsTheFirstAnswerWhileThePatientServiceIsAway(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		request := w.newTransfer()
		first, err := w.server.CreateTransfer(w.sender(), request)
		if err != nil {
			t.Fatal(err)
		}
		w.peers.err = errors.New("away")
		w.clock.Advance(48 * time.Hour)
		again, err := w.server.CreateTransfer(w.sender(), request)
		if err != nil || !proto.Equal(first, again) {
			t.Fatalf("%v, %v", again, err)
		}
		request.NotBefore = at(5)
		before := w.snapshot()
		_, err = w.server.CreateTransfer(w.sender(), request)
		w.refused("another payload", before, err, fault.RequestIDReused)
	})
}

func TestStepsRefuseAndChangeNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		made := w.create()
		oxygen := &transferv1.FitnessToTravel{Oxygen: true}
		depart := func() *transferv1.DepartRequest {
			return &transferv1.DepartRequest{RequestId: w.request(), TransferId: made.GetTransferId(), Etag: made.GetEtag()}
		}
		before := w.snapshot()
		_, err := w.server.Depart(w.sender(), depart())
		if f := w.refused("no check", before, err, fault.DatumMissing); f.Meta["missing"] != "fitness_check" {
			t.Errorf("missing %q", f.Meta["missing"])
		}
		stale := w.fitness(made, oxygen, false)
		stale.Etag = "7"
		_, err = w.server.CheckFitness(w.sender(), stale)
		if f := w.refused("stale", before, err, fault.StaleVersion); f.Meta["current_etag"] != "1" {
			t.Errorf("current %q", f.Meta["current_etag"])
		}
		_, err = w.server.CheckFitness(w.as("H-HF-01", access.Coordinator), w.fitness(made, oxygen, false))
		w.refused("foreign", before, err, fault.ReasonNotFound)
		_, err = w.server.Depart(w.as("C-BJ-01", access.Coordinator), depart())
		w.refused("the other end", before, err, fault.RightMissing)
		_, err = w.server.HandOver(w.receiver(), w.handOver(made))
		w.refused("not left", before, err, fault.WrongState)
		_, err = w.server.AbortTransfer(w.sender(), &transferv1.AbortTransferRequest{
			RequestId: w.request(), TransferId: made.GetTransferId(), Etag: made.GetEtag(), Code: "REFUSED_AT_DOOR",
		})
		w.refused("no door yet", before, err, fault.WrongState)
		_, err = w.server.AbortTransfer(w.sender(), &transferv1.AbortTransferRequest{
			RequestId: w.request(), TransferId: made.GetTransferId(), Etag: made.GetEtag(), Code: "NO_SHOW",
		})
		w.refused("nobody is late yet", before, err, fault.WrongState)

		checked, err := w.server.CheckFitness(w.sender(), w.fitness(made, oxygen, false))
		if err != nil {
			t.Fatal(err)
		}
		made = checked.GetTransfer()
		w.clock.Advance(24*time.Hour + time.Microsecond)
		before = w.snapshot()
		_, err = w.server.Depart(w.sender(), depart())
		w.refused("an old check", before, err, fault.DatumMissing)
		if checked, err = w.server.CheckFitness(w.sender(), w.fitness(made, oxygen, false)); err != nil {
			t.Fatal(err)
		}
		made = checked.GetTransfer()
		before = w.snapshot()
		_, err = w.server.Depart(w.sender(), depart())
		w.refused("the crew was given back", before, err, fault.HoldExpired)
	})
}

func TestHandOverNeedsEverything(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		left := w.departed()
		before := w.snapshot()
		request := w.handOver(left)
		request.HandOver.Items = append(nine()[:4], nine()[5:8]...)
		_, err := w.server.HandOver(w.receiver(), request)
		if f := w.refused("items", before, err, fault.ChecklistIncomplete); f.Meta["missing"] != "ABO_TWICE,BELONGINGS" {
			t.Errorf("missing %q", f.Meta["missing"])
		}
		request = w.handOver(left)
		request.HandOver.SignedByReceiver = " " + request.HandOver.SignedBySender
		_, err = w.server.HandOver(w.receiver(), request)
		w.refused("one person", before, err, fault.FieldInvalid)
		for _, blank := range []func(*transferv1.HandOverRecord){
			func(r *transferv1.HandOverRecord) { r.SignedBySender = " " }, func(r *transferv1.HandOverRecord) { r.SignedByReceiver = "\u3000" },
		} {
			request = w.handOver(left)
			blank(request.GetHandOver())
			_, err = w.server.HandOver(w.receiver(), request)
			w.refused("a blank signature", before, err, fault.FieldInvalid)
		}
		for name, hours := range map[string]int{"before leaving": 3, "in the future": 9} {
			request = w.handOver(left)
			request.HandOver.SignTime = at(hours)
			_, err = w.server.HandOver(w.receiver(), request)
			w.refused(name, before, err, fault.TimeInvalid)
			request = w.handOver(left)
			request.HandOver.SenderSignTime = at(hours)
			_, err = w.server.HandOver(w.receiver(), request)
			if f := w.refused(name+", the sending side", before, err, fault.TimeInvalid); f.Field != "hand_over.sender_sign_time" {
				t.Errorf("%+v", f)
			}
		}
		_, err = w.server.HandOver(w.as("C-BJ-02", access.Center), w.handOver(left))
		w.refused("another center", before, err, fault.ReasonNotFound)
		_, err = w.server.HandOver(w.as("H-BD-01", access.Center), w.handOver(left))
		w.refused("the sender", before, err, fault.RightMissing)
		aborted, err := w.server.AbortTransfer(w.sender(), &transferv1.AbortTransferRequest{
			RequestId: w.request(), TransferId: left.GetTransferId(), Etag: left.GetEtag(), Code: "REFUSED_AT_DOOR",
		})
		if err != nil || aborted.GetTransfer().GetAbortCode() != "REFUSED_AT_DOOR" {
			t.Fatal(err)
		}
	})
}

func TestTransfersAreSeenByTheirEnds(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		made := w.create()
		get := &transferv1.GetTransferRequest{TransferId: made.GetTransferId()}
		absent := &transferv1.GetTransferRequest{TransferId: w.ids.New("trf")}
		for _, c := range []struct {
			org  string
			role access.Role
			sees bool
		}{
			{"H-BD-01", access.Coordinator, true},
			{"C-BJ-01", access.Center, true},
			{"OPS", access.Operations, true},
			{"C-BJ-02", access.Center, false},
			{"H-HF-01", access.Coordinator, false},
		} {
			ctx := w.as(c.org, c.role)
			got, err := w.server.GetTransfer(ctx, get)
			if c.sees != (err == nil) || c.sees && !proto.Equal(got.GetTransfer(), made) {
				t.Errorf("%s: %v", c.org, err)
			}
			list, listErr := w.server.ListTransfers(ctx, &transferv1.ListTransfersRequest{})
			if listErr != nil || (len(list.GetTransfers()) == 1) != c.sees {
				t.Errorf("%s lists %d: %v", c.org, len(list.GetTransfers()), listErr)
			}
			if !c.sees {
				_, other := w.server.GetTransfer(ctx, absent)
				a, _ := fault.As(err)
				b, _ := fault.As(other)
				if a == nil || b == nil || a.En != b.En || a.Zh != b.Zh || a.Code != b.Code {
					t.Errorf("foreign %v, absent %v", err, other)
				}
			}
		}
	})
}
