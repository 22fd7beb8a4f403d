package rpc_test

import (
	"slices"
	"testing"
	"time"

	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb/sqldbtest"
)

func sqldbtestEventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	sqldbtest.Eventually(t, what, condition)
}

func count(kinds []string, kind string) (n int) {
	for _, k := range kinds {
		if k == kind {
			n++
		}
	}
	return n
}

func TestReturnedLapses(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		l.open()
		l.submit()
		l.refused(fault.CommentRequired, func(string) error { return l.screen(referralv1.ScreeningDecision_SCREENING_DECISION_RETURN, "  ") })
		l.must(l.screen(referralv1.ScreeningDecision_SCREENING_DECISION_RETURN, "影像资料"))
		l.clock.Advance(7*24*time.Hour + time.Minute)
		c := l.until(referralv1.State_STATE_CLOSED)
		if c.GetCloseReason() != referralv1.CloseReason_CLOSE_REASON_LAPSED {
			t.Fatal(c.GetCloseReason())
		}
	})
}

func TestClockStopsAndOverdueIsToldOnce(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		l.open()
		l.submit()
		suspend := func(reason string) error {
			_, err := l.server.SuspendClock(l.as(hospital), &referralv1.SuspendClockRequest{RequestId: l.key(), ReferralId: l.id, Etag: l.etag(), Reason: reason})
			return err
		}
		l.refused(fault.WrongState, func(string) error { return suspend("") })
		l.clock.Advance(4 * time.Hour)
		l.must(suspend("等待患者家属"))
		l.refused(fault.WrongState, func(string) error { return suspend("again") })
		if c := l.get(desk); c.GetDeadline() != nil || c.GetClockSuspended() == "" {
			t.Fatalf("%v", c)
		}
		l.clock.Advance(72 * time.Hour)
		sqldbtest.Idle(t, l.db)
		if slices.Contains(l.kinds(), "OVERDUE") {
			t.Fatal("overdue while the clock stood")
		}
		l.must(suspend(""))
		if due := l.clock.Now().Add(20 * time.Hour); !l.get(desk).GetDeadline().AsTime().Equal(due) {
			t.Fatalf("%s, want %s", l.get(desk).GetDeadline().AsTime(), due)
		}
		l.clock.Advance(21 * time.Hour)
		l.eventually("OVERDUE")
		l.clock.Advance(48 * time.Hour)
		sqldbtest.Idle(t, l.db)
		if n := count(l.kinds(), "OVERDUE"); n != 1 {
			t.Fatalf("told %d times", n)
		}
		got, err := l.server.ListWorklist(l.as(hospital), &referralv1.ListWorklistRequest{Kind: referralv1.WorklistKind_WORKLIST_KIND_OVERDUE})
		if err != nil || len(got.GetReferrals()) != 1 {
			t.Fatalf("%v, %v", got, err)
		}
	})
}

func TestNobodyCanTakeTheCase(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		l.played.set(func() { l.played.ranked = nil })
		l.open()
		l.submit()
		l.must(l.screen(referralv1.ScreeningDecision_SCREENING_DECISION_PASS, ""))
		l.until(referralv1.State_STATE_EXHAUSTED)
		got, err := l.server.ListTimeline(l.as(hospital), &referralv1.ListTimelineRequest{ReferralId: l.id})
		l.must(err)
		if e := got.GetEntries(); e[len(e)-1].GetTextEn() != "No center can take the case; operations decide: BMI 2" {
			t.Fatalf("%q", e[len(e)-1].GetTextEn())
		}
		// The desk ranks again, once somebody can.
		l.played.set(func() { l.played.ranked = []string{"C-SH-01"} })
		l.must(l.screen(referralv1.ScreeningDecision_SCREENING_DECISION_PASS, ""))
		l.until(referralv1.State_STATE_MATCHED)
		if l.played.called("match 2") != 1 {
			t.Fatal("the second run has the first one's request id")
		}
		l.must(l.choose("C-SH-01"))
		c := l.until(referralv1.State_STATE_OFFERED)
		if state, _ := l.offer("EXPIRED", "C-SH-01", c.GetOfferId()); state != referralv1.State_STATE_EXHAUSTED {
			t.Fatal(state)
		}
		sqldbtestEventually(t, "the center's access has ended", func() bool { return l.played.called("revoke C-SH-01") == 1 })
	})
}

func TestPeerAwayIsToldAndTriedAgain(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		away := fault.New(fault.Unavailable, fault.PeerUnavailable, "", "away", "暂不可用")
		l.played.set(func() { l.played.fail["match"] = away })
		l.open()
		l.submit()
		l.must(l.screen(referralv1.ScreeningDecision_SCREENING_DECISION_PASS, ""))
		for n := 1; n <= 5; n++ {
			// When the next is due counts from when the failure was noted, which may be later than the call.
			sqldbtestEventually(t, "another attempt", func() bool {
				l.clock.Advance(10 * time.Second)
				return l.played.called("match 1") >= n
			})
		}
		l.eventually("NEEDS_ATTENTION")
		l.played.set(func() { delete(l.played.fail, "match") })
		sqldbtestEventually(t, "matched", func() bool {
			l.clock.Advance(time.Minute)
			return l.get(desk).GetState() == referralv1.State_STATE_MATCHED
		})
		if n := count(l.kinds(), "NEEDS_ATTENTION"); n != 1 {
			t.Fatalf("told %d times", n)
		}
	})
}

func TestFilingWaitsForConsent(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		l.played.set(func() { l.played.consents = false })
		l.toAccepted()
		l.eventually("FILING_WAITING")
		if got := actions(l.get(hospital)); !slices.Contains(got, "GiveConsent") {
			t.Fatalf("%v", got)
		}
		l.played.set(func() { l.played.consents = true })
		sqldbtestEventually(t, "filed", func() bool {
			l.clock.Advance(10 * time.Second)
			return l.get(desk).GetFilingId() != ""
		})
		if n := count(l.kinds(), "FILING_WAITING"); n != 1 {
			t.Fatalf("told %d times", n)
		}
	})
}

func TestClosingUndoesWhatWasBegun(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		l.toOffered()
		offer := l.get(desk).GetOfferId()
		l.must(l.close(hospital, l.etag(), referralv1.CloseReason_CLOSE_REASON_WITHDRAWN))
		sqldbtestEventually(t, "the offer is withdrawn", func() bool { return l.played.called("withdraw "+offer) > 0 })

		l.toAccepted()
		l.eventually("FILED")
		sqldbtest.Idle(t, l.db)
		if l.played.called("revoke C-SH-01") > 0 {
			t.Error("the center that accepted lost its access")
		}
		_, err := l.server.BookAdmission(l.as(shanghai), &referralv1.BookAdmissionRequest{RequestId: l.key(), ReferralId: l.id, Etag: l.etag()})
		l.must(err)
		l.transfer("PLANNED", move1)
		l.must(l.close(desk, l.etag(), referralv1.CloseReason_CLOSE_REASON_DIED))
		sqldbtestEventually(t, "bed and move are freed", func() bool {
			return l.played.called("release "+hold) > 0 && l.played.called("abort "+move1) > 0
		})
	})
}
