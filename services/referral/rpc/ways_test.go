package rpc_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	organv1 "huhang.example/gen/huhang/organ/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/referral/notify"
)

func (l *line) book() {
	l.t.Helper()
	_, err := l.server.BookAdmission(l.as(shanghai), &referralv1.BookAdmissionRequest{RequestId: l.key(), ReferralId: l.id, Etag: l.etag()})
	l.must(err)
}

// entry is the latest of a kind.
func (l *line) entry(kind string) *referralv1.TimelineEntry {
	l.t.Helper()
	got, err := l.server.ListTimeline(l.as(desk), &referralv1.ListTimelineRequest{ReferralId: l.id, PageSize: 200})
	l.must(err)
	for _, e := range slices.Backward(got.GetEntries()) {
		if e.GetKind() == kind {
			return e
		}
	}
	l.t.Fatalf("no %s among %v", kind, l.kinds())
	return nil
}

func TestPatientTakesNoCenter(t *testing.T) {
	const declined = referralv1.CourseStep_COURSE_STEP_PATIENT_DECLINED
	each(t, func(t *testing.T, l *line) {
		l.open()
		l.submit()
		l.must(l.screen(referralv1.ScreeningDecision_SCREENING_DECISION_PASS, ""))
		l.until(referralv1.State_STATE_MATCHED)
		l.refused(fault.RightMissing, l.course(desk, declined, "too far"))
		l.refused(fault.CommentRequired, l.course(hospital, declined, ""))
		l.does(l.course(hospital, declined, "too far from home"))
		if c := l.get(desk); c.GetState() != referralv1.State_STATE_EXHAUSTED || l.counts(desk)["EXHAUSTED"] != 1 {
			t.Fatalf("%v", c)
		}
		l.must(l.choose("C-NJ-01")) // the patient thinks again
		l.until(referralv1.State_STATE_OFFERED)
	})
}

// Another day moves bed and operating room first and ends the planned move; what cannot be moved changes nothing.
func TestRescheduled(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		l.toAccepted()
		l.eventually("FILED")
		to := l.clock.Now().Add(96 * time.Hour)
		again := func(at time.Time, comment string) func(string) error {
			return func(etag string) error {
				_, err := l.server.RescheduleAdmission(l.as(shanghai), &referralv1.RescheduleAdmissionRequest{
					RequestId: l.key(), ReferralId: l.id, Etag: etag, AdmissionTime: timestamppb.New(at), Comment: comment,
				})
				return err
			}
		}
		l.refused(fault.WrongState, again(to, "not booked yet"))
		l.book()
		if c := l.get(hospital); !c.GetDeadline().AsTime().Equal(c.GetAdmissionTime().AsTime()) {
			t.Fatalf("a booked case is due %s, the admission is %s", c.GetDeadline().AsTime(), c.GetAdmissionTime().AsTime())
		}
		l.transfer("PLANNED", move1)
		l.refused(fault.TimeInvalid, again(l.clock.Now(), "yesterday"))
		l.refused(fault.TimeInvalid, again(l.clock.Now().Add(200*24*time.Hour), "next year"))
		l.refused(fault.CommentRequired, again(to, "  "))
		if l.played.called("move "+hold) != 0 {
			t.Fatal("a refused call moved the bed")
		}
		l.played.set(func() {
			l.played.fail["move"] = fault.New(fault.FailedPrecondition, fault.ResourceTaken, "", "taken", "已占用")
		})
		l.refused(fault.ResourceTaken, again(to, "fever"))
		l.played.set(func() { delete(l.played.fail, "move") })
		l.does(again(to, "fever"))
		c := l.get(hospital)
		if c.GetState() != referralv1.State_STATE_BOOKED || !c.GetAdmissionTime().AsTime().Equal(to) || !c.GetDeadline().AsTime().Equal(to) || c.GetTransferId() != "" {
			t.Fatalf("%v", c)
		}
		sqldbtestEventually(t, "the planned move is ended", func() bool { return l.played.called("abort "+move1) > 0 })
	})
}

func TestUnfitAndDivertedAreTold(t *testing.T) {
	abort := func(l *line, id, reason string) referralv1.State {
		state, ignored := l.tell(&referralv1.RecordCaseEventRequest{Event: &referralv1.RecordCaseEventRequest_Transfer{
			Transfer: &referralv1.TransferEvent{TransferId: id, Kind: "ABORTED", ReasonCode: reason},
		}})
		if ignored {
			l.t.Fatal("ignored")
		}
		return state
	}
	each(t, func(t *testing.T, l *line) {
		l.toAccepted()
		l.book()
		l.transfer("PLANNED", move1)
		if state := abort(l, move1, "UNFIT"); state != referralv1.State_STATE_BOOKED || l.entry("ABORTED_UNFIT").GetReasonCode() != "UNFIT" {
			t.Fatal(state)
		}
		l.transfer("PLANNED", move2)
		l.transfer("DEPARTED", move2)
		if state := abort(l, move2, "DIVERTED"); state != referralv1.State_STATE_BOOKED || l.entry("DIVERTED") == nil {
			t.Fatal(state)
		}
		if c := l.get(desk); !c.GetDeadline().AsTime().Equal(l.clock.Now().Add(24 * time.Hour)) {
			t.Fatalf("how to go on is due %s", c.GetDeadline().AsTime())
		}
	})
}

// Who plays no part in the case is told of the one event that concerns them, with its webhook and inbox, and sees nothing else.
func TestWhoIsToldOfOneEventAlone(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		l.toAccepted()
		l.book()
		l.transfer("PLANNED", move1)
		l.transfer("DEPARTED", move1)
		l.tell(&referralv1.RecordCaseEventRequest{Event: &referralv1.RecordCaseEventRequest_Transfer{
			Transfer: &referralv1.TransferEvent{TransferId: move1, Kind: "ABORTED", ReasonCode: "DIVERTED", DivertedTo: "C-SJZ-01"},
		}})
		overridden := &referralv1.RecordCaseEventRequest{
			ActorOrganisation: "OPS", ActorSubject: "ops-1", Event: &referralv1.RecordCaseEventRequest_Hold{
				Hold: &referralv1.HoldEvent{HoldId: "hld_" + strings.Repeat("7", 26), Kind: "OVERRIDDEN", Organisation: "C-TJ-01", ReasonCode: "MOVED"},
			},
		}
		before := l.get(desk)
		if _, ignored := l.tell(overridden); ignored {
			t.Fatal("ignored")
		}
		if after := l.get(desk); after.GetState() != before.GetState() || !after.GetDeadline().AsTime().Equal(before.GetDeadline().AsTime()) {
			t.Errorf("%v, then %v", before, after)
		}
		if e := l.entry("HOLD_OVERRIDDEN"); e.GetActorOrganisation() != "OPS" || e.GetActorSubject() != "ops-1" || e.GetReasonCode() != "MOVED" {
			t.Errorf("%v", e)
		}
		l.transfer("PLANNED", move2)
		for organisation, kind := range map[string]string{"C-SJZ-01": "DIVERTED", "C-TJ-01": "HOLD_OVERRIDDEN"} {
			found := l.feedOf(organisation)
			if len(found) != 1 || found[0].Entry.Kind != kind {
				t.Fatalf("%s finds %v on its feed", organisation, found)
			}
			if !slices.ContainsFunc(notify.DefaultTable().Of(found[0]), func(n notify.Notice) bool { return n.Organisation == organisation }) {
				t.Errorf("%s has nothing in its inbox", organisation)
			}
			_, err := l.server.GetReferral(l.as(access.Caller{Subject: "s", Organisation: organisation, Roles: []access.Role{access.Center}}), &referralv1.GetReferralRequest{ReferralId: before.GetReferralId()})
			if !fault.Is(err, fault.ReasonNotFound) {
				t.Errorf("%s sees the case: %v", organisation, err)
			}
		}
	})
}

// What an acceptance still waits for is an action with its own deadline, for both sides, until it has come.
func TestConditionalAcceptance(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		l.toOffered()
		due := l.clock.Now().Add(20 * time.Hour)
		tell := func(kind string, open, number int32, due time.Time) {
			e := &referralv1.OfferEvent{
				OfferId: l.get(desk).GetOfferId(), CenterId: "C-SH-01", CenterCity: "310100", Kind: kind, HoldId: hold,
				AdmissionTime: timestamppb.New(l.clock.Now().Add(48 * time.Hour)), OpenConditions: open, Condition: number,
			}
			if !due.IsZero() {
				e.ConditionsDueTime = timestamppb.New(due)
			}
			if _, ignored := l.tell(&referralv1.RecordCaseEventRequest{Event: &referralv1.RecordCaseEventRequest_Offer{Offer: e}}); ignored {
				t.Fatalf("%s was ignored", kind)
			}
		}
		tell("ACCEPTED", 2, 0, due)
		c := l.get(hospital)
		i := slices.Index(actions(c), "RecordClinical")
		if c.GetOpenConditions() != 2 || i < 0 || !c.GetAvailableActions()[i].GetDeadline().AsTime().Equal(due) || !slices.Contains(actions(l.get(shanghai)), "FulfilCondition") {
			t.Fatalf("%v", c)
		}
		tell("CONDITION_LAPSED", 2, 1, due)
		tell("CONDITION_FULFILLED", 1, 2, due)
		tell("CONDITION_FULFILLED", 0, 1, time.Time{})
		if c := l.get(hospital); c.GetOpenConditions() != 0 || slices.Contains(actions(c), "RecordClinical") || count(l.kinds(), "CONDITION_FULFILLED") != 2 {
			t.Fatalf("%v, %v", c, l.kinds())
		}
	})
}

// A surgery that was broken off is evaluated again; one that is reported late is shown as such.
func TestSurgeryBrokenOffAndReportedLate(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		l.toListed()
		at := l.clock.Now()
		l.clock.Advance(25 * time.Hour)
		_, err := l.server.RecordSurgery(l.as(shanghai), &referralv1.RecordSurgeryRequest{
			RequestId: l.key(), ReferralId: l.id, Etag: l.etag(), SurgeryTime: timestamppb.New(at), CotrsReference: "COTRS-DEMO-1", ProcedureCode: "50.5900",
		})
		l.must(err)
		if e := l.entry("SURGERY"); e.GetReasonCode() != "REPORTED_LATE" || e.GetRecordId() != "COTRS-DEMO-1" || !e.GetOccurTime().AsTime().Equal(at) {
			t.Fatalf("%v", e)
		}
		l.does(l.course(shanghai, referralv1.CourseStep_COURSE_STEP_SURGERY_ABORTED, "not resectable"))
		if c := l.get(hospital); c.GetState() != referralv1.State_STATE_EVALUATING || c.GetSurgery() != nil || c.GetDeadline() == nil {
			t.Fatalf("%v", c)
		}
	})
}

// A former hospital's case, under a record merged into the patient's, never blocks the present hospital's; while the patient
// is with a center it is that center's.
func TestFormerHospital(t *testing.T) {
	const merged = "pat_00000000000000000000000009"
	each(t, func(t *testing.T, l *line) {
		l.open()
		l.submit()
		former := l.id
		// The record that the former hospital opened its case under is merged into another's.
		l.played.set(func() { l.played.merged = []string{patient} })
		create := func() (*referralv1.CreateReferralResponse, error) {
			return l.server.CreateReferral(l.as(other), &referralv1.CreateReferralRequest{
				RequestId: l.key(), PatientId: merged, Organ: organv1.Organ_ORGAN_LIVER, Urgency: organv1.Urgency_URGENCY_ROUTINE,
			})
		}
		l.played.set(func() { l.played.registrar = "H-NC-01" })
		got, err := create()
		l.must(err)
		if c := l.get(hospital); c.GetState() != referralv1.State_STATE_CLOSED || c.GetCloseReason() != referralv1.CloseReason_CLOSE_REASON_SUPERSEDED {
			t.Fatalf("%v", c)
		}
		if e := l.entry("CLOSED"); e.GetReasonCode() != "SUPERSEDED" || e.GetActorOrganisation() != "H-NC-01" {
			t.Fatalf("%v", e)
		}
		l.id = got.GetReferral().GetReferralId()
		if l.id == former || l.get(other).GetPatientId() != merged {
			t.Fatal("no case of the present hospital's own")
		}
	})
	each(t, func(t *testing.T, l *line) {
		l.toListed()
		l.played.set(func() { l.played.merged, l.played.registrar = []string{patient}, "H-NC-01" })
		l.refused(fault.LiveCaseExists, func(string) error {
			_, err := l.server.CreateReferral(l.as(other), &referralv1.CreateReferralRequest{
				RequestId: l.key(), PatientId: merged, Organ: organv1.Organ_ORGAN_LIVER, Urgency: organv1.Urgency_URGENCY_ROUTINE,
			})
			return err
		})
	})
}

// Who died needs no other organ: the patient's other cases close and tell their referrers.
func TestDeathClosesTheOtherCases(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		l.open()
		got, err := l.server.CreateReferral(l.as(hospital), &referralv1.CreateReferralRequest{
			RequestId: l.key(), PatientId: patient, Organ: organv1.Organ_ORGAN_KIDNEY, Urgency: organv1.Urgency_URGENCY_ROUTINE,
		})
		l.must(err)
		l.must(l.close(desk, l.etag(), referralv1.CloseReason_CLOSE_REASON_DIED))
		l.id = got.GetReferral().GetReferralId()
		if c := l.until(referralv1.State_STATE_CLOSED); c.GetCloseReason() != referralv1.CloseReason_CLOSE_REASON_DIED {
			t.Fatalf("%v", c)
		}
		l.id = got.GetReferral().GetReferralId()
		if l.entry("CLOSED").GetReasonCode() != "DIED" {
			t.Fatal("the reason is not told")
		}
	})
}

// An edit after the ranking is shown as late, with the names of the data; before it there is nothing to show.
func TestLateEdits(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		edit := func(version int64) bool {
			_, ignored := l.tell(&referralv1.RecordCaseEventRequest{ActorOrganisation: "H-HF-01", Event: &referralv1.RecordCaseEventRequest_Patient{
				Patient: &referralv1.PatientEvent{Kind: "CLINICAL", Version: version, Data: []string{"liver.creatinine", "weight_kg"}},
			}})
			return ignored
		}
		l.open()
		l.submit()
		if !edit(2) || slices.Contains(l.kinds(), "FACTS_CHANGED") {
			t.Fatal("an edit before the ranking is shown as late")
		}
		l.must(l.screen(referralv1.ScreeningDecision_SCREENING_DECISION_PASS, ""))
		run := l.until(referralv1.State_STATE_MATCHED).GetMatchRunId()
		if edit(3) || !edit(3) {
			t.Fatal("an edit counts once")
		}
		if e := l.entry("FACTS_CHANGED"); e.GetRecordId() != run || e.GetReasonCode() != "CLINICAL" || e.GetActorOrganisation() != "H-HF-01" {
			t.Fatalf("%v", e)
		}
	})
}

// At half of its time a clock reminds once; one that was answered or stopped reminds nobody.
func TestReminder(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		l.open()
		l.submit()
		l.clock.Advance(12*time.Hour + time.Minute)
		l.eventually("REMINDER")
		l.must(l.screen(referralv1.ScreeningDecision_SCREENING_DECISION_PASS, ""))
		l.until(referralv1.State_STATE_MATCHED)
		l.must(l.choose("C-SH-01"))
		l.until(referralv1.State_STATE_OFFERED)
		l.clock.Advance(30 * time.Hour)
		l.eventually("OVERDUE")
		if n := count(l.kinds(), "REMINDER"); n != 1 {
			t.Fatalf("reminded %d times", n)
		}
	})
}

// A step that failed for long stands on a list of its own and on the case until it is done.
func TestAttentionUntilDone(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		away := fault.New(fault.Unavailable, fault.PeerUnavailable, "", "away", "暂不可用")
		l.toAccepted()
		l.eventually("FILED")
		l.played.set(func() { l.played.fail["release"] = away })
		l.must(l.close(hospital, l.etag(), referralv1.CloseReason_CLOSE_REASON_WITHDRAWN))
		sqldbtestEventually(t, "it is told", func() bool {
			l.clock.Advance(time.Minute)
			return slices.Contains(l.kinds(), "NEEDS_ATTENTION")
		})
		got := l.get(desk).GetAttention()
		if len(got) != 1 || got[0].GetStep() != "release" || got[0].GetRecordId() != hold || got[0].GetReasonCode() != "PEER_UNAVAILABLE" || l.counts(desk)["NEEDS_ATTENTION"] != 1 {
			t.Fatalf("%v", got)
		}
		if l.counts(hospital)["NEEDS_ATTENTION"] != 0 {
			t.Fatal("the desk's list is shown to a hospital")
		}
		l.played.set(func() { delete(l.played.fail, "release") })
		sqldbtestEventually(t, "it is done", func() bool {
			l.clock.Advance(time.Minute)
			return len(l.get(desk).GetAttention()) == 0
		})
		if l.counts(desk)["NEEDS_ATTENTION"] != 0 || !slices.Contains(l.kinds(), "ATTENDED") {
			t.Fatalf("%v", l.kinds())
		}
	})
}

// A name finds the cases of whoever has it, masked, and asks on behalf of the caller's organisation alone.
func TestSearchByPerson(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		l.toAccepted()
		search := func(query string) *referralv1.SearchReferralsResponse {
			got, err := l.server.SearchReferrals(l.as(hospital), &referralv1.SearchReferralsRequest{Query: query})
			l.must(err)
			return got
		}
		got := search("示范甲")
		if len(got.GetReferrals()) != 1 || len(got.GetMatches()) != 1 || got.GetMatches()[0].GetPatientNameMasked() != "示**" || got.GetMatches()[0].GetMatchedBy() != "PERSON" {
			t.Fatalf("%v", got)
		}
		if l.played.called("find H-HF-01") != 1 || len(search("示范乙").GetReferrals()) != 0 {
			t.Fatal("another name finds the case")
		}
		// Who may not see the case does not find it, whatever the patient service says.
		if got, err := l.server.SearchReferrals(l.as(nanjing), &referralv1.SearchReferralsRequest{Query: "示范甲"}); err != nil || len(got.GetReferrals()) != 0 {
			t.Fatalf("%v, %v", got, err)
		}
		// The line's own ids are looked up here alone, also while the patient service is away.
		l.played.set(func() {
			l.played.fail["find"] = fault.New(fault.Unavailable, fault.PeerUnavailable, "", "away", "暂不可用")
		})
		if got := search(l.id); got.GetMatches()[0].GetMatchedBy() != "NUMBER" {
			t.Fatalf("%v", got)
		}
		l.refused(fault.PeerUnavailable, func(string) error {
			_, err := l.server.SearchReferrals(l.as(hospital), &referralv1.SearchReferralsRequest{Query: "示范甲"})
			return err
		})
	})
}
