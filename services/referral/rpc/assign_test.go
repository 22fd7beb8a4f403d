package rpc_test

import (
	"testing"

	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/fault"
)

const proposal = "asg_00000000000000000000000001"

func (l *line) waiting() []string {
	l.t.Helper()
	var ids []string
	for token, pages := "", 0; ; pages++ {
		got, err := l.server.ListWaitingCases(l.as(peer), &referralv1.ListWaitingCasesRequest{PageToken: token, PageSize: 1})
		l.must(err)
		for _, c := range got.GetCases() {
			ids = append(ids, c.GetReferralId())
			if c.GetMatchRunId() == "" || c.GetUrgency() == 0 || c.GetCreateTime() == nil {
				l.t.Fatalf("%v", c)
			}
		}
		if token = got.GetNextPageToken(); token == "" {
			return ids
		}
		if pages > 50 {
			l.t.Fatal("the pages do not end")
		}
	}
}

func (l *line) assign(center, run string) (*referralv1.AssignCenterRequest, error) {
	req := &referralv1.AssignCenterRequest{
		RequestId: l.key(), ReferralId: l.id, MatchRunId: run, CenterId: center, AssignmentId: proposal, ActorOrganisation: "OPS", ActorSubject: "ops",
	}
	_, err := l.server.AssignCenter(l.as(peer), req)
	return req, err
}

func TestAssignedCenterIsAsked(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		l.open()
		l.submit()
		if len(l.waiting()) != 0 {
			t.Fatal("a case at the desk waits for no center")
		}
		l.must(l.screen(referralv1.ScreeningDecision_SCREENING_DECISION_PASS, ""))
		run := l.until(referralv1.State_STATE_MATCHED).GetMatchRunId()
		if got := l.waiting(); len(got) != 1 || got[0] != l.id {
			t.Fatalf("%v", got)
		}
		l.refused(fault.StaleVersion, func(string) error {
			_, err := l.assign("C-NJ-01", "mat_00000000000000000000000009")
			return err
		})
		req, err := l.assign("C-NJ-01", run)
		l.must(err)
		if _, err := l.server.AssignCenter(l.as(peer), req); err != nil {
			t.Fatalf("the same again: %v", err)
		}
		c := l.until(referralv1.State_STATE_OFFERED)
		if l.played.called("offer C-NJ-01") != 1 || len(l.waiting()) != 0 {
			t.Fatalf("%v", l.waiting())
		}
		l.refused(fault.WrongState, func(string) error { _, err := l.assign("C-SH-01", run); return err })
		// Declined: the case is out of centers and waits again.
		l.offer("DECLINED", "C-NJ-01", c.GetOfferId())
		l.until(referralv1.State_STATE_EXHAUSTED)
		if got := l.waiting(); len(got) != 1 {
			t.Fatalf("%v", got)
		}
		_, err = l.assign("C-SH-01", run)
		l.must(err)
		l.until(referralv1.State_STATE_OFFERED)
		if n := count(l.kinds(), "CENTER_ASSIGNED"); n != 2 {
			t.Fatalf("told %d times", n)
		}
	})
}
