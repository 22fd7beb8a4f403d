package rpc_test

import (
	"slices"
	"testing"

	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/access"
)

var beijing = access.Caller{Subject: "zh", Organisation: "C-BJ-01", Roles: []access.Role{access.Center}}

// toSeveral opens a case whose offers run two at once over three chosen centers.
func (l *line) toSeveral() map[string]string {
	l.t.Helper()
	l.played.set(func() { l.played.ranked, l.played.atOnce = []string{"C-SH-01", "C-NJ-01", "C-BJ-01"}, 2 })
	l.open()
	l.submit()
	l.must(l.screen(referralv1.ScreeningDecision_SCREENING_DECISION_PASS, ""))
	l.until(referralv1.State_STATE_MATCHED)
	l.must(l.choose("C-SH-01", "C-NJ-01", "C-BJ-01"))
	return l.bothAsked("C-SH-01", "C-NJ-01")
}

// bothAsked waits until these centers, and no other, have an open offer, and returns the offers by center.
func (l *line) bothAsked(centers ...string) map[string]string {
	l.t.Helper()
	offers := map[string]string{}
	sqldbtestEventually(l.t, "asked at once", func() bool {
		r, err := l.service.GetReferral(l.as(desk), l.id)
		l.must(err)
		clear(offers)
		if r.OfferID != "" {
			offers[r.Asking] = r.OfferID
		}
		for _, b := range r.Beside {
			offers[b.Center] = b.OfferID
		}
		got := r.AskedCenters()
		slices.Sort(got)
		want := slices.Sorted(slices.Values(centers))
		return slices.Equal(got, want)
	})
	return offers
}

func (l *line) worklist(by access.Caller) int {
	l.t.Helper()
	got, err := l.server.ListWorklist(l.as(by), &referralv1.ListWorklistRequest{Kind: referralv1.WorklistKind_WORKLIST_KIND_OFFERS_TO_ANSWER})
	l.must(err)
	return len(got.GetReferrals())
}

func TestSeveralCentersAreAskedAtOnce(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		offers := l.toSeveral()
		for by, want := range map[*access.Caller]int{&shanghai: 1, &nanjing: 1, &beijing: 0} {
			if n := l.worklist(*by); n != want {
				t.Fatalf("%s has %d offers to answer", by.Organisation, n)
			}
		}
		if got := actions(l.get(shanghai)); !slices.Contains(got, "AcceptOffer") {
			t.Fatalf("%v", got)
		}
		// One declines: the third is asked while the other still thinks.
		if state, ignored := l.offer("DECLINED", "C-SH-01", offers["C-SH-01"]); state != referralv1.State_STATE_OFFERED || ignored {
			t.Fatalf("%s %t", state, ignored)
		}
		offers = l.bothAsked("C-NJ-01", "C-BJ-01")
		if l.worklist(shanghai) != 0 || l.worklist(beijing) != 1 {
			t.Fatal("the worklists did not follow")
		}
		// The first to accept has the patient; the other's withdrawal comes late and changes nothing.
		if state, ignored := l.offer("ACCEPTED", "C-NJ-01", offers["C-NJ-01"]); state != referralv1.State_STATE_ACCEPTED || ignored {
			t.Fatalf("%s %t", state, ignored)
		}
		c := l.get(desk)
		if c.GetCenterId() != "C-NJ-01" || c.GetOfferId() != offers["C-NJ-01"] {
			t.Fatalf("%v", c)
		}
		if state, ignored := l.offer("WITHDRAWN", "C-BJ-01", offers["C-BJ-01"]); state != referralv1.State_STATE_ACCEPTED || !ignored {
			t.Fatalf("%s %t", state, ignored)
		}
		if l.worklist(beijing) != 0 {
			t.Fatal("still asked")
		}
	})
}

func TestAllOfSeveralDecline(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		offers := l.toSeveral()
		l.offer("EXPIRED", "C-NJ-01", offers["C-NJ-01"])
		offers = l.bothAsked("C-SH-01", "C-BJ-01")
		// The last in the order answers first: nobody who has answered is asked again.
		if state, _ := l.offer("DECLINED", "C-BJ-01", offers["C-BJ-01"]); state != referralv1.State_STATE_OFFERED {
			t.Fatal(state)
		}
		l.bothAsked("C-SH-01")
		if state, _ := l.offer("DECLINED", "C-SH-01", offers["C-SH-01"]); state != referralv1.State_STATE_EXHAUSTED {
			t.Fatal(state)
		}
		for _, center := range []string{"C-SH-01", "C-NJ-01", "C-BJ-01"} {
			if n := l.played.called("offer " + center); n != 1 {
				t.Errorf("%s was asked %d times", center, n)
			}
		}
	})
}

func TestClosingWithdrawsEveryOpenOffer(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		offers := l.toSeveral()
		l.must(l.close(hospital, l.etag(), referralv1.CloseReason_CLOSE_REASON_WITHDRAWN))
		sqldbtestEventually(t, "both are withdrawn", func() bool {
			return l.played.called("withdraw "+offers["C-SH-01"]) > 0 && l.played.called("withdraw "+offers["C-NJ-01"]) > 0
		})
	})
}

// A bed that was lost ends the offer too: otherwise no other center could ever be asked.
func TestLostHoldEndsTheOffer(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		l.toAccepted()
		offer := l.get(desk).GetOfferId()
		l.tell(&referralv1.RecordCaseEventRequest{Event: &referralv1.RecordCaseEventRequest_Hold{Hold: &referralv1.HoldEvent{HoldId: hold, Kind: "EXPIRED"}}})
		sqldbtestEventually(t, "the offer is withdrawn", func() bool { return l.played.called("withdraw "+offer) > 0 })
		l.must(l.choose("C-NJ-01"))
		l.until(referralv1.State_STATE_OFFERED)
	})
}
