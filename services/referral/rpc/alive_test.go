package rpc_test

import (
	"slices"
	"testing"
	"time"

	organv1 "huhang.example/gen/huhang/organ/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/referral"
	"huhang.example/services/referral/store"
)

const formerRecord = "pat_00000000000000000000000007"

// create opens one more case and returns its id.
func (l *line) create(patientID string, organ organv1.Organ) string {
	l.t.Helper()
	got, err := l.server.CreateReferral(l.as(hospital), &referralv1.CreateReferralRequest{
		RequestId: l.key(), PatientId: patientID, Organ: organ, Urgency: organv1.Urgency_URGENCY_ROUTINE,
	})
	l.must(err)
	return got.GetReferral().GetReferralId()
}

func (l *line) died(etag string) error {
	return l.close(hospital, etag, referralv1.CloseReason_CLOSE_REASON_DIED)
}

func (l *line) correctDeath(comment string) func(string) error {
	return func(etag string) error {
		_, err := l.server.CorrectDeath(l.as(desk), &referralv1.CorrectDeathRequest{RequestId: l.key(), ReferralId: l.id, Etag: etag, Comment: comment})
		return err
	}
}

// A death closes every case of the person, under whichever record; taken back by operations, each goes on where it was.
func TestADeathRecordedByMistake(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		kidney, heart, lung := l.create(patient, organv1.Organ_ORGAN_KIDNEY), l.create(formerRecord, organv1.Organ_ORGAN_HEART), l.create(patient, organv1.Organ_ORGAN_LUNG)
		l.id = lung
		l.must(l.close(hospital, l.etag(), referralv1.CloseReason_CLOSE_REASON_WITHDRAWN)) // over before
		l.toListed()
		liver := l.id
		l.played.set(func() { l.played.merged = []string{formerRecord} })
		l.refused(fault.WrongState, l.correctDeath("it goes on"))
		l.does(l.died)
		for _, id := range []string{kidney, heart} {
			l.id = id
			if c := l.until(referralv1.State_STATE_CLOSED); c.GetCloseReason() != referralv1.CloseReason_CLOSE_REASON_DIED {
				t.Fatalf("%v", c)
			}
		}
		l.id = liver
		if got := actions(l.get(desk)); !slices.Contains(got, "CorrectDeath") {
			t.Errorf("the desk is not shown that it may correct: %v", got)
		}
		l.refused(fault.CommentRequired, l.correctDeath(" "))
		l.refused(fault.RightMissing, func(etag string) error {
			_, err := l.server.CorrectDeath(l.as(hospital), &referralv1.CorrectDeathRequest{RequestId: l.key(), ReferralId: l.id, Etag: etag, Comment: "seen"})
			return err
		})
		l.clock.Advance(40 * 24 * time.Hour)
		sqldbtest.Idle(t, l.db)
		l.does(l.correctDeath("the ward confused two patients"))
		c := l.get(shanghai)
		if due := l.clock.Now().Add(30 * 24 * time.Hour); c.GetState() != referralv1.State_STATE_LISTED || c.GetCloseReason() != 0 || !c.GetDeadline().AsTime().Equal(due) {
			t.Errorf("it goes on as %s until %s, want %s", c.GetState(), c.GetDeadline().AsTime(), due)
		}
		if l.entry("DEATH_CORRECTED").GetActorOrganisation() != desk.Organisation {
			t.Errorf("%v", l.entry("DEATH_CORRECTED"))
		}
		for _, id := range []string{kidney, heart} {
			l.id = id
			l.until(referralv1.State_STATE_DRAFT)
		}
		l.id = lung
		sqldbtest.Idle(t, l.db)
		if c := l.get(desk); c.GetState() != referralv1.State_STATE_CLOSED {
			t.Errorf("what ended for another reason goes on: %s", c.GetState())
		}
		l.refused(fault.WrongState, l.correctDeath("it was withdrawn"))
		// The line tells the parties.
		l.id = liver
		for _, who := range []string{hospital.Organisation, shanghai.Organisation} {
			if !l.followed(who, "DEATH_CORRECTED") {
				t.Errorf("%s is not told", who)
			}
		}
	})
}

// What closing gave back is asked for anew: a case whose bed was held goes on at the patient's choice, a panel is asked again.
func TestADeathTakenBackOnTheWay(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		l.toAccepted()
		l.eventually("FILED")
		l.book()
		l.transfer("PLANNED", move1)
		l.does(l.died)
		sqldbtest.Eventually(t, "bed and move are freed", func() bool {
			return l.played.called("release "+hold) > 0 && l.played.called("abort "+move1) > 0
		})
		l.does(l.correctDeath("seen"))
		c := l.get(hospital)
		if c.GetState() != referralv1.State_STATE_MATCHED || c.GetCenterId() != "" || c.GetTransferId() != "" || !slices.Contains(actions(c), "ChooseCenters") {
			t.Errorf("%v", c)
		}
		l.must(l.choose("C-SH-01"))
		l.until(referralv1.State_STATE_OFFERED)
	})
	each(t, func(t *testing.T, l *line) {
		l.open()
		l.submit()
		l.does(l.consult(referralv1.ConsultationKind_CONSULTATION_KIND_MDT, "zhou"))
		sqldbtest.Eventually(t, "the panel's access", func() bool { return l.played.called("grant C-BJ-01") == 1 })
		l.does(l.died)
		sqldbtest.Eventually(t, "the panel is dismissed", func() bool { return l.played.called("revoke C-BJ-01") == 1 })
		l.does(l.correctDeath("seen"))
		sqldbtest.Eventually(t, "the panel sees the patient again", func() bool { return l.played.called("grant C-BJ-01") == 2 })
		l.does(l.opine(zhou, referralv1.Opinion_OPINION_INDICATED, ""))
		l.does(l.conclude(desk, referralv1.Opinion_OPINION_INDICATED, ""))
		sqldbtest.Eventually(t, "and no longer", func() bool { return l.played.called("revoke C-BJ-01") == 2 })
	})
}

// followed reports whether an organisation finds such an entry of the case on its feed.
func (l *line) followed(organisation, kind string) bool {
	l.t.Helper()
	return slices.ContainsFunc(l.feedOf(organisation), func(e referral.Event) bool { return e.Entry.Kind == kind })
}

// feedOf are the case's entries that an organisation finds on its feed.
func (l *line) feedOf(organisation string) []referral.Event {
	l.t.Helper()
	kept := store.New(l.db)
	head, err := kept.Head(l.t.Context())
	l.must(err)
	events, err := kept.Feed(l.t.Context(), referral.Scope{Organisation: organisation}, 0, head, 1000)
	l.must(err)
	return slices.DeleteFunc(events, func(e referral.Event) bool { return e.ReferralID != l.id })
}
