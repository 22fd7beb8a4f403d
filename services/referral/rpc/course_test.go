package rpc_test

import (
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb/sqldbtest"
)

var (
	zhou = access.Caller{Subject: "zhou", Organisation: "C-BJ-01", Roles: []access.Role{access.Center}}
	shen = access.Caller{Subject: "shen", Organisation: "C-BJ-01", Roles: []access.Role{access.Center}}
)

func (l *line) consult(kind referralv1.ConsultationKind, panel ...string) func(etag string) error {
	return func(etag string) error {
		req := &referralv1.OpenConsultationRequest{RequestId: l.key(), ReferralId: l.id, Etag: etag, Kind: kind, Agenda: "indication"}
		for _, subject := range panel {
			req.Panel = append(req.Panel, &referralv1.Expert{Organisation: "C-BJ-01", Subject: subject, Discipline: "hepatology"})
		}
		_, err := l.server.OpenConsultation(l.as(desk), req)
		return err
	}
}

func (l *line) opine(by access.Caller, o referralv1.Opinion, comment string) func(string) error {
	return func(etag string) error {
		_, err := l.server.RecordOpinion(l.as(by), &referralv1.RecordOpinionRequest{RequestId: l.key(), ReferralId: l.id, Etag: etag, Opinion: o, Comment: comment})
		return err
	}
}

func (l *line) conclude(by access.Caller, o referralv1.Opinion, comment string) func(string) error {
	return func(etag string) error {
		_, err := l.server.ConcludeConsultation(l.as(by), &referralv1.ConcludeConsultationRequest{RequestId: l.key(), ReferralId: l.id, Etag: etag, Conclusion: o, Comment: comment})
		return err
	}
}

func (l *line) course(by access.Caller, step referralv1.CourseStep, comment string) func(string) error {
	return func(etag string) error {
		_, err := l.server.RecordCourse(l.as(by), &referralv1.RecordCourseRequest{RequestId: l.key(), ReferralId: l.id, Etag: etag, Step: step, Comment: comment})
		return err
	}
}

// does what a person does: reads, acts, and does both again where the line itself changed the case in between.
func (l *line) does(try func(etag string) error) {
	l.t.Helper()
	err := try(l.etag())
	for range 20 {
		if !fault.Is(err, fault.StaleVersion) {
			break
		}
		err = try(l.etag())
	}
	l.must(err)
}

// A panel sees the case while it is asked, and no longer; what it holds decides, and who differs is not passed over in silence.
func TestConsultation(t *testing.T) {
	const mdt, second = referralv1.ConsultationKind_CONSULTATION_KIND_MDT, referralv1.ConsultationKind_CONSULTATION_KIND_SECOND_OPINION
	const yes, early = referralv1.Opinion_OPINION_INDICATED, referralv1.Opinion_OPINION_TOO_EARLY
	each(t, func(t *testing.T, l *line) {
		l.open()
		l.refused(fault.WrongState, l.consult(mdt, "zhou"))
		l.submit()
		l.refused(fault.FieldInvalid, l.consult(mdt, "zhou", "zhou"))
		l.refused(fault.FieldInvalid, l.consult(second, "zhou"))
		l.does(l.consult(mdt, "zhou", "wen"))
		c := l.get(zhou)
		if due := start.Add(5 * 24 * time.Hour); c.GetState() != referralv1.State_STATE_CONSULTATION || !c.GetDeadline().AsTime().Equal(due) || !slices.Contains(actions(c), "RecordOpinion") {
			t.Fatalf("the expert sees %v", c)
		}
		sqldbtest.Eventually(t, "the panel's access", func() bool { return l.played.called("grant C-BJ-01") == 1 })
		if counts := l.counts(zhou); counts["AWAITING_CONSULTATION"] != 1 {
			t.Fatalf("the expert's lists: %v", counts)
		}
		l.refused(fault.CommentRequired, l.opine(zhou, early, ""))
		l.refused(fault.RightMissing, l.opine(shen, yes, "")) // of the organisation, not of the panel
		l.refused(fault.RightMissing, l.opine(hospital, yes, ""))
		l.does(l.opine(zhou, early, "repeat the tests"))
		l.does(l.opine(zhou, yes, "")) // in place of the first
		waits := func(want map[*access.Caller]int32) {
			t.Helper()
			for who, n := range want {
				if counts := l.counts(*who); counts["AWAITING_CONSULTATION"] != n || counts["OVERDUE"] != 0 {
					t.Errorf("on the lists of %s: %v, want %d", who.Subject, counts, n)
				}
			}
		}
		// Who gave an opinion has nothing left to do; the other expert's house and the desk have.
		waits(map[*access.Caller]int32{&zhou: 0, &shen: 1, &desk: 1})
		if _, err := l.server.GetReferral(l.as(zhou), &referralv1.GetReferralRequest{ReferralId: l.id}); err != nil {
			t.Errorf("the expert no longer sees the case: %v", err)
		}
		l.refused(fault.CommentRequired, l.conclude(desk, yes, ""))
		l.refused(fault.RightMissing, l.conclude(zhou, yes, "all agree"))
		l.does(l.conclude(desk, yes, "the second expert was away"))
		l.until(referralv1.State_STATE_MATCHED)
		list, err := l.server.ListConsultations(l.as(hospital), &referralv1.ListConsultationsRequest{ReferralId: l.id})
		if err != nil || len(list.GetConsultations()) != 1 || len(list.GetConsultations()[0].GetOpinions()) != 1 || list.GetConsultations()[0].GetConclusion() != yes {
			t.Fatalf("%v %v", list, err)
		}
		if _, err := l.server.GetReferral(l.as(zhou), &referralv1.GetReferralRequest{ReferralId: l.id}); !fault.Is(err, fault.ReasonNotFound) {
			t.Fatalf("the expert after the conclusion: %v", err)
		}
		sqldbtest.Eventually(t, "the end of the panel's access", func() bool { return l.played.called("revoke C-BJ-01") == 1 })
	})
	each(t, func(t *testing.T, l *line) {
		l.played.ranked = nil
		l.open()
		l.submit()
		l.must(l.screen(referralv1.ScreeningDecision_SCREENING_DECISION_PASS, ""))
		l.until(referralv1.State_STATE_EXHAUSTED)
		l.refused(fault.FieldInvalid, l.consult(mdt, "zhou"))
		l.does(l.consult(second, "zhou"))
		l.does(l.opine(zhou, early, "come back in spring"))
		if l.counts(shen)["AWAITING_CONSULTATION"] != 0 || l.counts(desk)["AWAITING_CONSULTATION"] != 1 {
			t.Errorf("all opinions are there: %v, %v", l.counts(shen), l.counts(desk))
		}
		l.does(l.conclude(desk, early, "as the panel"))
		if c := l.get(hospital); c.GetState() != referralv1.State_STATE_CLOSED || c.GetCloseReason() != referralv1.CloseReason_CLOSE_REASON_TOO_EARLY {
			t.Fatalf("%s %s", c.GetState(), c.GetCloseReason())
		}
	})
}

func (l *line) toArrived() {
	l.t.Helper()
	l.toAccepted()
	l.eventually("FILED")
	l.does(func(etag string) error {
		_, err := l.server.BookAdmission(l.as(shanghai), &referralv1.BookAdmissionRequest{RequestId: l.key(), ReferralId: l.id, Etag: etag})
		return err
	})
	l.transfer("PLANNED", move1)
	l.transfer("ARRIVED", move1)
}

func (l *line) toListed() {
	l.t.Helper()
	l.toArrived()
	l.does(func(etag string) error {
		_, err := l.server.RecordEvaluation(l.as(shanghai), &referralv1.RecordEvaluationRequest{RequestId: l.key(), ReferralId: l.id, Etag: etag, Suitable: true})
		return err
	})
}

func (l *line) operated() {
	l.t.Helper()
	l.does(func(etag string) error {
		_, err := l.server.RecordSurgery(l.as(shanghai), &referralv1.RecordSurgeryRequest{
			RequestId: l.key(), ReferralId: l.id, Etag: etag, SurgeryTime: timestamppb.New(l.clock.Now()), CotrsReference: "COTRS-DEMO-1", ProcedureCode: "50.5900",
		})
		return err
	})
	l.discharged()
}

func (l *line) discharged() {
	l.t.Helper()
	l.does(func(etag string) error {
		_, err := l.server.RecordDischarge(l.as(shanghai), &referralv1.RecordDischargeRequest{RequestId: l.key(), ReferralId: l.id, Etag: etag, RehabilitationPlan: "PLAN-1"})
		return err
	})
}

func (l *line) back() {
	l.t.Helper()
	l.does(func(etag string) error {
		_, err := l.server.BackRefer(l.as(shanghai), &referralv1.BackReferRequest{RequestId: l.key(), ReferralId: l.id, Etag: etag})
		return err
	})
}

func (l *line) taken() {
	l.t.Helper()
	l.does(func(etag string) error {
		_, err := l.server.AcceptBackReferral(l.as(hospital), &referralv1.AcceptBackReferralRequest{RequestId: l.key(), ReferralId: l.id, Etag: etag})
		return err
	})
}

func TestTurnsOfTheCourse(t *testing.T) {
	const (
		suspend, delist = referralv1.CourseStep_COURSE_STEP_SUSPEND_LISTING, referralv1.CourseStep_COURSE_STEP_DELIST
		noShow, worse   = referralv1.CourseStep_COURSE_STEP_NO_SHOW, referralv1.CourseStep_COURSE_STEP_COMPLICATION
	)
	each(t, func(t *testing.T, l *line) {
		l.toListed()
		l.refused(fault.WrongState, l.course(shanghai, noShow, "too late"))
		l.refused(fault.RightMissing, l.course(hospital, suspend, "not theirs"))
		l.refused(fault.CommentRequired, l.course(shanghai, suspend, " "))
		l.does(l.course(shanghai, suspend, "an infection"))
		if c := l.get(shanghai); c.GetState() != referralv1.State_STATE_SUSPENDED || c.GetDeadline() == nil || l.counts(shanghai)["LISTED"] != 0 {
			t.Fatalf("%v", c)
		}
		l.clock.Advance(24 * 24 * time.Hour)
		if l.counts(shanghai)["LISTED"] != 1 {
			t.Fatal("a listing to reconfirm within a week stands on no list")
		}
		l.does(func(etag string) error {
			_, err := l.server.RecordEvaluation(l.as(shanghai), &referralv1.RecordEvaluationRequest{RequestId: l.key(), ReferralId: l.id, Etag: etag, Suitable: true})
			return err
		})
		l.does(l.course(shanghai, referralv1.CourseStep_COURSE_STEP_SURGERY_ABORTED, "fever"))
		l.operated()
		l.does(l.course(shanghai, worse, "bleeding"))
		l.discharged() // a second surgery is not needed
		l.back()
		l.does(l.course(hospital, referralv1.CourseStep_COURSE_STEP_LOCAL_DECLINED, "no bed"))
		if c := l.get(shanghai); c.GetState() != referralv1.State_STATE_REHABILITATION || c.GetLocalHospital() != "" {
			t.Fatalf("%v", c)
		}
	})
	each(t, func(t *testing.T, l *line) {
		l.toListed()
		l.does(l.course(shanghai, delist, "the family decided against it"))
		if c := l.get(desk); c.GetState() != referralv1.State_STATE_EXHAUSTED || c.GetCenterId() != "" {
			t.Fatalf("%v", c)
		}
		sqldbtest.Eventually(t, "the bed is free", func() bool { return l.played.called("release "+hold) > 0 })
	})
	each(t, func(t *testing.T, l *line) {
		l.toAccepted()
		l.eventually("FILED")
		l.does(func(etag string) error {
			_, err := l.server.BookAdmission(l.as(shanghai), &referralv1.BookAdmissionRequest{RequestId: l.key(), ReferralId: l.id, Etag: etag})
			return err
		})
		l.transfer("PLANNED", move1)
		l.does(l.course(shanghai, noShow, "nobody came"))
		sqldbtest.Eventually(t, "bed and move are free", func() bool { return l.played.called("release "+hold) > 0 && l.played.called("abort "+move1) > 0 })
		if c := l.get(hospital); c.GetState() != referralv1.State_STATE_MATCHED || c.GetCenterId() != "" {
			t.Fatalf("%v", c)
		}
		l.transfer("ABORTED", move1)
		l.must(l.choose("C-NJ-01")) // the case goes on
		l.until(referralv1.State_STATE_OFFERED)
	})
}

// Who is on the way is missed two hours after the planned arrival, which a delay moves.
func TestArrivalIsMissed(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		l.toAccepted()
		l.eventually("FILED")
		l.does(func(etag string) error {
			_, err := l.server.BookAdmission(l.as(shanghai), &referralv1.BookAdmissionRequest{RequestId: l.key(), ReferralId: l.id, Etag: etag})
			return err
		})
		tell := func(kind string, depart, arrive time.Time) {
			l.tell(&referralv1.RecordCaseEventRequest{Event: &referralv1.RecordCaseEventRequest_Transfer{Transfer: &referralv1.TransferEvent{
				TransferId: move1, Kind: kind, DepartTime: timestamppb.New(depart), ArriveTime: timestamppb.New(arrive),
			}}})
		}
		leave := start.Add(30 * time.Hour)
		tell("PLANNED", leave, leave.Add(4*time.Hour))
		if l.counts(hospital)["TRANSFERS"] != 0 {
			t.Error("tomorrow's move stands on today's list")
		}
		l.clock.Set(leave.Add(-time.Hour))
		if l.counts(hospital)["TRANSFERS"] != 1 {
			t.Error("today's move stands on no list")
		}
		l.clock.Set(leave)
		tell("DEPARTED", leave, leave.Add(4*time.Hour))
		tell("DELAYED", leave, leave.Add(6*time.Hour))
		l.clock.Set(leave.Add(7 * time.Hour))
		if n := l.counts(shanghai)["ARRIVALS_NOT_CONFIRMED"]; n != 0 {
			t.Errorf("%d arrivals are missed before their time", n)
		}
		l.clock.Set(leave.Add(8*time.Hour + time.Minute))
		l.eventually("OVERDUE")
		if n := l.counts(shanghai)["ARRIVALS_NOT_CONFIRMED"]; n != 1 {
			t.Errorf("%d arrivals are missed after it", n)
		}
	})
}

func (l *line) counts(by access.Caller) map[string]int32 {
	l.t.Helper()
	got, err := l.server.CountWorklists(l.as(by), &referralv1.CountWorklistsRequest{})
	l.must(err)
	counts := map[string]int32{}
	for _, c := range got.GetCounts() {
		kind := c.GetKind()
		name := kind.String()[len("WORKLIST_KIND_"):]
		counts[name] = c.GetCount()
		// The list itself holds as many.
		list, err := l.server.ListWorklist(l.as(by), &referralv1.ListWorklistRequest{Kind: kind})
		l.must(err)
		if int32(len(list.GetReferrals())) != c.GetCount() {
			l.t.Fatalf("%s counts %d and lists %d", name, c.GetCount(), len(list.GetReferrals()))
		}
	}
	if len(counts) != len(referralv1.WorklistKind_value)-1 {
		l.t.Fatalf("%d lists are counted", len(counts))
	}
	return counts
}
