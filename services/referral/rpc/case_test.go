package rpc_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	moneyv1 "huhang.example/gen/huhang/money/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
)

const move1, move2 = "trf_00000000000000000000000001", "trf_00000000000000000000000002"

func TestOneCaseFromEndToEnd(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		l.open()
		l.submit()
		c := l.get(desk)
		if due := start.Add(24 * time.Hour); c.GetState() != referralv1.State_STATE_SCREENING || !c.GetDeadline().AsTime().Equal(due) {
			t.Fatalf("%s by %s", c.GetState(), c.GetDeadline().AsTime())
		}
		if a := c.GetAvailableActions()[0]; a.GetAction() != "ScreenReferral" || a.GetDeadline() == nil || a.GetLabelZh() == "" {
			t.Fatalf("the desk may %v", a)
		}
		if got := actions(l.get(hospital)); slices.Contains(got, "ScreenReferral") {
			t.Fatalf("the referrer may %v", got)
		}
		l.must(l.screen(referralv1.ScreeningDecision_SCREENING_DECISION_PASS, ""))
		l.until(referralv1.State_STATE_MATCHED)
		f := l.refused(fault.NotRanked, func(string) error { return l.choose("C-SH-01", "C-GZ-01") })
		if f["center_id"] != "C-GZ-01" {
			t.Fatalf("%v", f)
		}
		l.must(l.choose("C-SH-01", "C-NJ-01"))
		c = l.until(referralv1.State_STATE_OFFERED)
		if got := actions(l.get(shanghai)); !slices.Contains(got, "AcceptOffer") || l.played.called("grant C-SH-01") == 0 {
			t.Fatalf("the asked center may %v", got)
		}
		if _, err := l.server.GetReferral(l.as(nanjing), &referralv1.GetReferralRequest{ReferralId: l.id}); !fault.Is(err, fault.ReasonNotFound) {
			t.Fatalf("a center not asked: %v", err)
		}
		l.offer("ACCEPTED", "C-SH-01", c.GetOfferId())
		l.eventually("FILED")
		if l.played.called("file 340000310100") == 0 || l.get(desk).GetFilingId() == "" {
			t.Fatal("not filed")
		}
		book := &referralv1.BookAdmissionRequest{RequestId: l.key(), ReferralId: l.id, Etag: l.etag()}
		booked, err := l.server.BookAdmission(l.as(shanghai), book)
		l.must(err)
		again, err := l.server.BookAdmission(l.as(shanghai), book)
		if err != nil || !proto.Equal(booked, again) || booked.GetReferral().GetState() != referralv1.State_STATE_BOOKED {
			t.Fatalf("the same call again: %v, %v", again, err)
		}
		if got := actions(l.get(hospital)); !slices.Contains(got, "CreateTransfer") {
			t.Fatalf("%v", got)
		}
		l.transfer("PLANNED", move1)
		l.transfer("DEPARTED", move1)
		if state, _ := l.transfer("ARRIVED", move1); state != referralv1.State_STATE_ARRIVED {
			t.Fatal(state)
		}
		_, err = l.server.RecordEvaluation(l.as(shanghai), &referralv1.RecordEvaluationRequest{RequestId: l.key(), ReferralId: l.id, Etag: l.etag(), Suitable: true})
		l.must(err)
		operate := func(at time.Time, cotrs, ethics string) func(string) error {
			return func(etag string) error {
				_, err := l.server.RecordSurgery(l.as(shanghai), &referralv1.RecordSurgeryRequest{
					RequestId: l.key(), ReferralId: l.id, Etag: etag, SurgeryTime: timestamppb.New(at), CotrsReference: cotrs,
					EthicsApproval: ethics, ProcedureCode: "50.5900",
				})
				return err
			}
		}
		l.refused(fault.AllocationReferenceRequired, operate(start, "", ""))
		l.refused(fault.AllocationReferenceRequired, operate(start, "COTRS-DEMO-1", "ETHICS-DEMO-1"))
		l.refused(fault.TimeInvalid, operate(start.Add(time.Hour), "COTRS-DEMO-1", ""))
		l.must(operate(start, "COTRS-DEMO-1", "")(l.etag()))
		claim := func(kind string, pay int64) {
			l.tell(&referralv1.RecordCaseEventRequest{Event: &referralv1.RecordCaseEventRequest_Claim{Claim: &referralv1.ClaimEvent{
				ClaimId: "clm_310000_00000000000000000000000001", Kind: kind, SelfPay: &moneyv1.Money{Fen: pay},
			}}})
		}
		claim("OPENED", 0)
		_, err = l.server.RecordDischarge(l.as(shanghai), &referralv1.RecordDischargeRequest{RequestId: l.key(), ReferralId: l.id, Etag: l.etag(), RehabilitationPlan: "PLAN-1"})
		l.must(err)
		back := func(to string) func(string) error {
			return func(etag string) error {
				_, err := l.server.BackRefer(l.as(shanghai), &referralv1.BackReferRequest{RequestId: l.key(), ReferralId: l.id, Etag: etag, LocalHospital: to})
				return err
			}
		}
		l.refused(fault.CodeUnknown, back("C-NJ-01"))
		l.must(back("")(l.etag()))
		_, err = l.server.AcceptBackReferral(l.as(hospital), &referralv1.AcceptBackReferralRequest{RequestId: l.key(), ReferralId: l.id, Etag: l.etag()})
		l.must(err)
		closing := func(etag string) error { return l.close(hospital, etag, referralv1.CloseReason_CLOSE_REASON_COMPLETED) }
		l.refused(fault.WrongState, closing)
		claim("DISCHARGED", 0)
		failing := func(want int32) {
			t.Helper()
			for _, who := range []access.Caller{hospital, shanghai, desk} {
				if n := l.counts(who)["SETTLEMENTS_FAILING"]; n != want {
					t.Errorf("%d settlements fail for %s, want %d", n, who.Organisation, want)
				}
			}
		}
		failing(0)
		claim("UNANSWERED", 0)
		failing(1)
		got, err := l.server.CountWorklists(l.as(desk), &referralv1.CountWorklistsRequest{})
		l.must(err)
		for _, c := range got.GetCounts() {
			if c.GetOverdue() != 0 {
				t.Errorf("%s: %d are late, and no clock has run out", c.GetKind(), c.GetOverdue())
			}
		}
		l.refused(fault.WrongState, closing)
		if got := actions(l.get(shanghai)); slices.Contains(got, "SettleClaim") {
			t.Errorf("what was sent is to be sent again: %v", got)
		}
		claim("SETTLED", 12345)
		failing(0)
		if pay := l.get(hospital).GetSelfPay().GetFen(); pay != 12345 {
			t.Fatalf("self pay %d", pay)
		}
		l.must(closing(l.etag()))
		if got := l.get(hospital); got.GetState() != referralv1.State_STATE_CLOSED || len(got.GetAvailableActions()) != 0 {
			t.Fatalf("%s %v", got.GetState(), actions(got))
		}
		want := []string{
			"CREATED", "SUBMITTED", "SCREENING", "SCREENING_PASSED", "MATCHED", "CENTERS_CHOSEN", "OFFER_CREATED", "OFFER_ACCEPTED",
			"FILED", "BOOKED", "TRANSFER_PLANNED", "TRANSFER_DEPARTED", "TRANSFER_ARRIVED", "EVALUATED_SUITABLE", "SURGERY", "CLAIM_OPENED",
			"DISCHARGED", "BACK_REFERRED", "BACK_ACCEPTED", "CLAIM_DISCHARGED", "CLAIM_UNANSWERED", "CLAIM_SETTLED", "CLOSED",
		}
		if got := l.kinds(); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("timeline %v", got)
		}
		agency := access.Caller{Subject: "yb", Organisation: "A-340000", Province: "340000", Roles: []access.Role{access.Agency}}
		if _, err := l.server.ListTimeline(l.as(agency), &referralv1.ListTimelineRequest{ReferralId: l.id}); err != nil {
			t.Fatalf("the insured province's agency: %v", err)
		}
		agency.Province = "110000"
		if _, err := l.server.ListTimeline(l.as(agency), &referralv1.ListTimelineRequest{ReferralId: l.id}); !fault.Is(err, fault.ReasonNotFound) {
			t.Fatalf("another province's agency: %v", err)
		}
	})
}

func (l *line) close(by access.Caller, etag string, reason referralv1.CloseReason) error {
	_, err := l.server.CloseReferral(l.as(by), &referralv1.CloseReferralRequest{RequestId: l.key(), ReferralId: l.id, Etag: etag, Reason: reason})
	return err
}

func TestRefusalsChangeNothing(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		l.toOffered()
		for _, by := range []access.Caller{other, nanjing} {
			l.refused(fault.ReasonNotFound, func(etag string) error { return l.close(by, etag, referralv1.CloseReason_CLOSE_REASON_DIED) })
		}
		l.refused(fault.StaleVersion, func(string) error { return l.close(hospital, "1", referralv1.CloseReason_CLOSE_REASON_DIED) })
		l.refused(fault.RightMissing, func(etag string) error {
			return l.close(hospital, etag, referralv1.CloseReason_CLOSE_REASON_NOT_INDICATED)
		})
		l.refused(fault.FieldInvalid, func(etag string) error { return l.close(desk, etag, referralv1.CloseReason_CLOSE_REASON_LAPSED) })
		f := l.refused(fault.WrongState, func(etag string) error {
			_, err := l.server.BookAdmission(l.as(shanghai), &referralv1.BookAdmissionRequest{RequestId: l.key(), ReferralId: l.id, Etag: etag})
			return err
		})
		if f["state"] != "OFFERED" || l.played.called("confirm ") != 0 {
			t.Fatalf("%v", f)
		}
		l.offer("ACCEPTED", "C-SH-01", l.get(desk).GetOfferId())
		l.eventually("FILED")
		l.played.set(func() {
			l.played.fail["confirm"] = fault.New(fault.FailedPrecondition, fault.HoldExpired, "", "gone", "已过期")
		})
		l.refused(fault.HoldExpired, func(etag string) error {
			_, err := l.server.BookAdmission(l.as(shanghai), &referralv1.BookAdmissionRequest{RequestId: l.key(), ReferralId: l.id, Etag: etag})
			return err
		})
	})
}

func TestEventsLateTwiceAndOutOfOrder(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		l.toOffered()
		first := l.get(desk).GetOfferId()
		// Declined: the next center is asked by itself; the same told twice changes nothing.
		if state, ignored := l.offer("DECLINED", "C-SH-01", first); state != referralv1.State_STATE_MATCHED || ignored {
			t.Fatalf("%s %t", state, ignored)
		}
		c := l.until(referralv1.State_STATE_OFFERED)
		if _, ignored := l.offer("DECLINED", "C-SH-01", first); !ignored || l.get(desk).GetEtag() != c.GetEtag() {
			t.Fatal("a repeated event changed the case")
		}
		// The first center's acceptance comes too late: its bed is freed.
		if state, ignored := l.offer("ACCEPTED", "C-SH-01", first); state != referralv1.State_STATE_OFFERED || !ignored {
			t.Fatalf("%s %t", state, ignored)
		}
		sqldbtestEventually(t, "the late hold is released", func() bool { return l.played.called("release "+hold) > 0 })
		if state, ignored := l.offer("ACCEPTED", "C-NJ-01", c.GetOfferId()); state != referralv1.State_STATE_ACCEPTED || ignored {
			t.Fatalf("%s %t", state, ignored)
		}
		l.eventually("FILED")
		_, err := l.server.BookAdmission(l.as(nanjing), &referralv1.BookAdmissionRequest{RequestId: l.key(), ReferralId: l.id, Etag: l.etag()})
		l.must(err)
		// A move that was ended before it was told as planned does not come back.
		if state, _ := l.transfer("ABORTED", move1); state != referralv1.State_STATE_BOOKED {
			t.Fatal(state)
		}
		if state, ignored := l.transfer("PLANNED", move1); state != referralv1.State_STATE_BOOKED || !ignored {
			t.Fatalf("%s %t", state, ignored)
		}
		// Arrival before departure: the patient is there.
		if state, ignored := l.transfer("ARRIVED", move2); state != referralv1.State_STATE_ARRIVED || ignored {
			t.Fatalf("%s %t", state, ignored)
		}
		if state, ignored := l.transfer("DEPARTED", move2); state != referralv1.State_STATE_ARRIVED || !ignored {
			t.Fatalf("%s %t", state, ignored)
		}
		got, err := l.server.ListTimeline(l.as(desk), &referralv1.ListTimelineRequest{ReferralId: l.id, PageSize: 200})
		l.must(err)
		if e := got.GetEntries(); e[len(e)-1].GetReasonCode() != "LATE" {
			t.Fatalf("%v", e[len(e)-1])
		}
		// An event of a case that does not exist is an error, for nobody could ever take it.
		_, err = l.server.RecordCaseEvent(l.as(peer), &referralv1.RecordCaseEventRequest{
			RequestId: l.key(), ReferralId: "ref_00000000000000000000000000", OccurTime: timestamppb.New(start),
			Event: &referralv1.RecordCaseEventRequest_Hold{Hold: &referralv1.HoldEvent{HoldId: hold, Kind: "EXPIRED"}},
		})
		if !fault.Is(err, fault.ReasonNotFound) {
			t.Fatal(err)
		}
	})
}
