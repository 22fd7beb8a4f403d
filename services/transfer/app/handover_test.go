package app

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/transfer"
)

// signature is the sending side's, received the receiving side's with nothing typed for the other.
func (w *world) signature(t *transferv1.Transfer) *transferv1.SignHandOverRequest {
	return &transferv1.SignHandOverRequest{RequestId: w.request(), TransferId: t.GetTransferId(), Etag: t.GetEtag()}
}

func (w *world) received(t *transferv1.Transfer) *transferv1.HandOverRequest {
	return &transferv1.HandOverRequest{
		RequestId: w.request(), TransferId: t.GetTransferId(), Etag: t.GetEtag(), HandOver: &transferv1.HandOverRecord{Items: nine()},
	}
}

const (
	onTheWay = transferv1.TransferStatus_TRANSFER_STATUS_IN_TRANSIT
	there    = transferv1.TransferStatus_TRANSFER_STATUS_ARRIVED
)

func TestTheSendingSideSignsBeforehand(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.startJobs()
		left := w.departed()
		w.clock.Advance(2 * time.Hour)
		signed := w.clock.Now()
		request := w.signature(left)
		got, err := w.moves.SignHandOver(w.sender(), request)
		if err != nil || got.GetTransfer().GetStatus() != onTheWay || got.GetTransfer().GetHandOver() != nil || got.GetTransfer().GetHandOverWaiting().GetSignedBySender() != "示范工号-1" {
			t.Fatalf("%v, %v", got, err)
		}
		if again, err := w.moves.SignHandOver(w.sender(), request); err != nil || !proto.Equal(again, got) {
			t.Fatalf("a retry got %v, %v", again, err)
		}
		w.clock.Advance(time.Minute)
		arrived, err := w.server.HandOver(w.receiver(), w.received(got.GetTransfer()))
		if err != nil || arrived.GetTransfer().GetStatus() != there || arrived.GetTransfer().GetHandOverWaiting() != nil {
			t.Fatalf("%v, %v", arrived, err)
		}
		want := &transferv1.HandOverRecord{
			Items: nine(), SignedBySender: "示范工号-1", SignedByReceiver: "示范工号-1", // each an institution's own number
			SenderSignTime: timestamppb.New(signed), SignTime: timestamppb.New(w.clock.Now()),
		}
		if kept := w.get(left.GetTransferId()).GetHandOver(); !proto.Equal(kept, want) {
			t.Errorf("kept %v", kept)
		}
		w.toldExactly(transfer.EventPlanned, transfer.EventDeparted, transfer.EventSigned, transfer.EventArrived)
		if got := strings.Join(w.changes("C-BJ-01"), " "); got != "PLANNED CHECKED DEPARTED SIGNED ARRIVED" {
			t.Errorf("followed: %s", got)
		}
	})
}

// Where the receiving side signs first, the patient is at its door and no train moves them any more; the sending side's
// signature completes it, and crew and vehicle have been on their way home since the patient was taken over.
func TestTheReceivingSideSignsFirst(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.startJobs()
		left := w.departed()
		w.clock.Advance(2 * time.Hour)
		received := w.clock.Now()
		got, err := w.server.HandOver(w.receiver(), w.received(left))
		if now := got.GetTransfer(); err != nil || now.GetStatus() != onTheWay || now.GetHandOver() != nil || len(now.GetHandOverWaiting().GetItems()) != 9 || now.GetHandOverWaiting().GetSignedBySender() != "" {
			t.Fatalf("%v, %v", got, err)
		}
		live, err := w.live.GetTransferLive(w.sender(), &transferv1.GetTransferLiveRequest{TransferId: left.GetTransferId()})
		if err != nil || !live.GetDoorTime().AsTime().Equal(received) {
			t.Fatalf("%v, %v", live, err)
		}
		before := w.snapshot()
		_, err = w.server.HandOver(w.receiver(), w.received(got.GetTransfer()))
		w.refused("signed twice", before, err, fault.WrongState)
		w.clock.Advance(3 * time.Hour)
		arrived, err := w.moves.SignHandOver(w.sender(), w.signature(got.GetTransfer()))
		if now := arrived.GetTransfer(); err != nil || now.GetStatus() != there || !now.GetArrivedTime().AsTime().Equal(received) || now.GetHandOver().GetSenderAttested() {
			t.Fatalf("%v, %v", arrived, err)
		}
		hours := int(w.clock.Now().Sub(begin) / time.Hour)
		if n := w.crews(hours, hours+1); n != 2 {
			t.Errorf("%d crews free an hour after they were home", n)
		}
		w.toldExactly(transfer.EventPlanned, transfer.EventDeparted, transfer.EventSigned, transfer.EventAtDoor, transfer.EventArrived)
		if got := strings.Join(w.changes("H-BD-01"), " "); got != "PLANNED CHECKED DEPARTED SIGNED AT_DOOR ARRIVED" {
			t.Errorf("followed: %s", got)
		}
	})
}

// Where nobody of the sending side can sign, the receiving side says who handed over, at once or after it has waited; the
// record says whose word it is.
func TestTheReceivingSideAttests(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		got, err := w.server.HandOver(w.receiver(), w.handOver(w.departed()))
		if err != nil || got.GetTransfer().GetStatus() != there || !got.GetTransfer().GetHandOver().GetSenderAttested() {
			t.Fatalf("%v, %v", got, err)
		}
	})
	each(t, func(t *testing.T, w *world) {
		waits, err := w.server.HandOver(w.receiver(), w.received(w.departed()))
		if err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(time.Hour)
		request := w.received(waits.GetTransfer())
		request.HandOver = &transferv1.HandOverRecord{SignedBySender: "示范工号-7"}
		colleague := access.With(t.Context(), access.Caller{Subject: "示范工号-3", Organisation: "C-BJ-01", Roles: []access.Role{access.Center}})
		got, err := w.server.HandOver(colleague, request)
		if h := got.GetTransfer().GetHandOver(); err != nil || !h.GetSenderAttested() || h.GetSignedByReceiver() != "示范工号-1" || h.GetSignedBySender() != "示范工号-7" {
			t.Fatalf("%v, %v", got, err)
		}
	})
}

func TestNobodySignsForAnother(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		planned := w.create()
		before := w.snapshot()
		_, err := w.moves.SignHandOver(w.sender(), w.signature(planned))
		w.refused("not left", before, err, fault.WrongState)
		if _, err := w.server.AbortTransfer(w.sender(), &transferv1.AbortTransferRequest{RequestId: w.request(), TransferId: planned.GetTransferId(), Etag: planned.GetEtag(), Code: "CANCELLED"}); err != nil {
			t.Fatal(err)
		}
		left := w.departed()
		before = w.snapshot()
		both := []access.Role{access.Coordinator, access.Center, access.Operations}
		for name, c := range map[string]struct {
			caller access.Caller
			reason fault.Reason
		}{
			"the receiving side":   {access.Caller{Subject: "r", Organisation: "C-BJ-01", Roles: both[:2]}, fault.RightMissing},
			"another role of it":   {access.Caller{Subject: "s", Organisation: "H-BD-01", Roles: []access.Role{access.Center}}, fault.RightMissing},
			"another hospital":     {access.Caller{Subject: "s", Organisation: "H-HF-01", Roles: both[:2]}, fault.ReasonNotFound},
			"who runs the line":    {access.Caller{Subject: "o", Organisation: "OPS", Roles: both}, fault.RightMissing},
			"a system without one": {access.Caller{Subject: access.OwnSystem, Organisation: "H-BD-01", Roles: both[:2]}, fault.FieldInvalid},
		} {
			_, err := w.moves.SignHandOver(access.With(t.Context(), c.caller), w.signature(left))
			w.refused(name, before, err, c.reason)
		}
		_, err = w.server.HandOver(access.With(t.Context(), access.Caller{Subject: "o", Organisation: "OPS", Roles: both}), w.handOver(left))
		w.refused("operations receive nobody", before, err, fault.RightMissing)
		as := w.signature(left)
		as.SignedBy = "示范工号-2"
		_, err = w.moves.SignHandOver(w.sender(), as)
		w.refused("as a colleague", before, err, fault.FieldInvalid)
		for name, hours := range map[string]int{"before leaving": 3, "in the future": 99} {
			early := w.signature(left)
			early.SignTime = at(hours)
			_, err = w.moves.SignHandOver(w.sender(), early)
			w.refused(name, before, err, fault.TimeInvalid)
		}
		stale := w.signature(left)
		stale.Etag = "1"
		_, err = w.moves.SignHandOver(w.sender(), stale)
		w.refused("stale", before, err, fault.StaleVersion)

		system := access.With(t.Context(), access.Caller{Subject: access.OwnSystem, Organisation: "H-BD-01", Roles: both[:2]})
		as.RequestId = w.request()
		signed, err := w.moves.SignHandOver(system, as)
		if err != nil || signed.GetTransfer().GetHandOverWaiting().GetSignedBySender() != "示范工号-2" {
			t.Fatalf("%v, %v", signed, err)
		}
		before = w.snapshot()
		_, err = w.moves.SignHandOver(w.sender(), w.signature(signed.GetTransfer()))
		w.refused("signed twice", before, err, fault.WrongState)
		retyped := w.received(signed.GetTransfer())
		retyped.HandOver.SignedBySender = "示范工号-9"
		_, err = w.server.HandOver(w.receiver(), retyped)
		if f := w.refused("typed over it", before, err, fault.FieldInvalid); f.Field != "hand_over.signed_by_sender" {
			t.Errorf("%+v", f)
		}
		// A signature binds nobody to take the patient.
		refused, err := w.moves.RefuseAtDoor(w.receiver(), &transferv1.RefuseAtDoorRequest{
			RequestId: w.request(), TransferId: left.GetTransferId(), Etag: signed.GetTransfer().GetEtag(), Code: transferv1.RefusalCode_REFUSAL_CODE_NO_BED, Comment: "示范：无床",
		})
		if err != nil || refused.GetTransfer().GetAbortCode() != "REFUSED_AT_DOOR" || refused.GetTransfer().GetHandOver() != nil {
			t.Fatalf("%v, %v", refused, err)
		}
	})
}
