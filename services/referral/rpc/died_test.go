package rpc_test

import (
	"strings"
	"testing"
	"time"

	organv1 "huhang.example/gen/huhang/organ/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/sqldb/sqldbtest"
)

// regrouped tells the case at hand that its patient's record was merged with the former one, or separated from it.
func (l *line) regrouped(kind string, records ...string) {
	l.t.Helper()
	l.played.set(func() { l.played.merged = records })
	l.tell(&referralv1.RecordCaseEventRequest{Event: &referralv1.RecordCaseEventRequest_Patient{Patient: &referralv1.PatientEvent{Kind: kind, Version: 2}}})
}

// dies opens a case under the former record and closes it by a death.
func (l *line) dies() string {
	l.t.Helper()
	l.id = l.create(formerRecord, organv1.Organ_ORGAN_HEART)
	l.does(l.died)
	sqldbtest.Idle(l.t, l.db)
	return l.id
}

// Records merged after a death end what goes on under the other one as the death itself would have: what was held is freed, both
// sides are told. Taken back, it goes on and says what has to be asked for anew.
func TestRecordsMergedAfterADeath(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		dead := l.dies()
		l.toAccepted()
		l.eventually("FILED")
		l.book()
		l.transfer("PLANNED", move1)
		l.transfer("DEPARTED", move1)
		liver := l.id
		l.regrouped("MERGED", patient, formerRecord)
		if c := l.until(referralv1.State_STATE_CLOSED); c.GetCloseReason() != referralv1.CloseReason_CLOSE_REASON_DIED {
			t.Fatalf("%v", c)
		}
		sqldbtest.Eventually(t, "bed and move are freed", func() bool {
			return l.played.called("release "+hold) > 0 && l.played.called("abort "+move1) > 0
		})
		for _, who := range []string{hospital.Organisation, shanghai.Organisation} {
			for _, kind := range []string{"RECORDS_MERGED", "CLOSED"} {
				if !l.followed(who, kind) {
					t.Errorf("%s is not told of %s", who, kind)
				}
			}
		}
		if e := l.entry("CLOSED"); e.GetRecordId() != dead || e.GetReasonCode() != "DIED" {
			t.Errorf("%v", e)
		}
		// The death was a mistake.
		l.id = dead
		l.does(l.correctDeath("the ward confused two patients"))
		l.id = liver
		c := l.until(referralv1.State_STATE_MATCHED)
		if due := l.clock.Now().Add(2 * time.Hour); !c.GetDeadline().AsTime().Equal(due) {
			t.Errorf("who may be on the road is missed at %s, not %s", c.GetDeadline().AsTime(), due)
		}
		if e := l.entry("MOVE_TO_REPEAT"); e.GetTextEn() == "" || !strings.HasSuffix(e.GetTextZh(), "C-SH-01") {
			t.Errorf("%v", e)
		}
		for _, who := range []string{hospital.Organisation, shanghai.Organisation} {
			if !l.followed(who, "MOVE_TO_REPEAT") {
				t.Errorf("%s is not told what has to be done", who)
			}
		}
		if n := l.counts(hospital)["AWAITING_CHOICE"]; n != 1 {
			t.Errorf("%d cases wait for a choice", n)
		}
		to := func() string {
			for _, a := range l.get(hospital).GetAvailableActions() {
				if a.GetAction() == "ChooseCenters" {
					return a.GetLabelEn()
				}
			}
			return ""
		}
		anew := to()
		l.must(l.choose("C-SH-01"))
		offered := l.until(referralv1.State_STATE_OFFERED)
		l.offer("ACCEPTED", "C-SH-01", offered.GetOfferId())
		l.does(func(etag string) error {
			_, err := l.server.BookAdmission(l.as(shanghai), &referralv1.BookAdmissionRequest{RequestId: l.key(), ReferralId: l.id, Etag: etag})
			return err
		})
		l.does(l.course(shanghai, referralv1.CourseStep_COURSE_STEP_NO_SHOW, "示范"))
		if later := to(); anew == "" || later == "" || later == anew {
			t.Errorf("the choice after the correction reads %q, a later one %q", anew, later)
		}
	})
}

// A merge without a death moves nothing, and of an offer that is open the center is told; the same merge told twice counts once.
func TestAMergeIsShown(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		l.toOffered()
		offer := l.get(desk).GetOfferId()
		l.regrouped("MERGED", patient, formerRecord)
		l.regrouped("MERGED", patient, formerRecord)
		sqldbtest.Idle(t, l.db)
		if c := l.get(desk); c.GetState() != referralv1.State_STATE_OFFERED || count(l.kinds(), "RECORDS_MERGED") != 1 {
			t.Fatalf("%s %v", c.GetState(), l.kinds())
		}
		liver := l.id
		l.dies() // recorded on the merged record, after the merge
		l.id = liver
		l.until(referralv1.State_STATE_CLOSED)
		sqldbtest.Eventually(t, "the offer is withdrawn", func() bool { return l.played.called("withdraw "+offer) > 0 })
	})
}

// Merged by mistake: separated again, the case that was closed by another person's death goes on, the dead person's does not.
func TestAMergeByMistakeIsUndone(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		dead := l.dies()
		l.toListed()
		liver := l.id
		kidney := l.create(patient, organv1.Organ_ORGAN_KIDNEY)
		l.regrouped("MERGED", patient, formerRecord)
		for _, id := range []string{liver, kidney} {
			l.id = id
			l.until(referralv1.State_STATE_CLOSED)
		}
		l.id = kidney
		l.regrouped("SEPARATED")
		l.until(referralv1.State_STATE_DRAFT)
		l.id = liver
		if c := l.until(referralv1.State_STATE_LISTED); c.GetCloseReason() != 0 || c.GetCenterId() != shanghai.Organisation {
			t.Errorf("%v", c)
		}
		if !l.followed(hospital.Organisation, "DEATH_CORRECTED") || !l.followed(shanghai.Organisation, "DEATH_CORRECTED") {
			t.Error("the parties are not told that it goes on")
		}
		l.id = dead
		sqldbtest.Idle(t, l.db)
		if c := l.get(desk); c.GetState() != referralv1.State_STATE_CLOSED {
			t.Errorf("the dead person's case is %s", c.GetState())
		}
	})
}

// Who dies before the way back has ended needs it no more, whether the case learns of it before the death or after.
func TestAWayBackEndsWithTheDeath(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		l.toListed()
		l.operated()
		l.transfer("BACK_PLANNED", move1)
		l.transfer("BACK_ARRIVED", move1)
		l.transfer("BACK_PLANNED", move2)
		l.does(l.died)
		move3 := move1[:len(move1)-1] + "3"
		sqldbtest.Eventually(t, "the way back is ended", func() bool { return l.played.called("abort "+move2) > 0 })
		l.transfer("BACK_PLANNED", move3)
		sqldbtest.Eventually(t, "and one that is told late", func() bool { return l.played.called("abort "+move3) > 0 })
		if l.played.called("abort "+move1) > 0 {
			t.Error("a way back that had ended was ended again")
		}
	})
}
