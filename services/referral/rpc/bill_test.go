package rpc_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	moneyv1 "huhang.example/gen/huhang/money/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/access"
)

const (
	stay1 = "clm_310000_00000000000000000000000001"
	stay2 = "clm_310000_00000000000000000000000002"
)

// claims tells a case of claims whose versions count.
type claims struct {
	*line
	versions map[string]int64
}

func (c *claims) told(claimID, kind string, pay int64) bool {
	c.t.Helper()
	c.versions[claimID]++
	return c.as(claimID, kind, pay, c.versions[claimID], c.clock.Now())
}

// stays tells of a claim as settlement does: with the stay's days, its center and its total.
func (c *claims) stays(claimID, kind, from, to, center string, total, pay int64) {
	c.t.Helper()
	c.versions[claimID]++
	e := &referralv1.ClaimEvent{
		ClaimId: claimID, Kind: kind, Version: c.versions[claimID], AdmissionDate: from, DischargeDate: to, CenterId: center, Total: &moneyv1.Money{Fen: total},
	}
	if pay > 0 {
		e.SelfPay = &moneyv1.Money{Fen: pay}
	}
	if _, ignored := c.tell(&referralv1.RecordCaseEventRequest{Event: &referralv1.RecordCaseEventRequest_Claim{Claim: e}}); ignored {
		c.t.Fatalf("%s of %s was ignored", kind, claimID)
	}
}

func (c *claims) as(claimID, kind string, pay, version int64, at time.Time) bool {
	c.t.Helper()
	_, ignored := c.tell(&referralv1.RecordCaseEventRequest{OccurTime: timestamppb.New(at), Event: &referralv1.RecordCaseEventRequest_Claim{Claim: &referralv1.ClaimEvent{
		ClaimId: claimID, Kind: kind, SelfPay: &moneyv1.Money{Fen: pay}, Version: version,
	}}})
	return ignored
}

// shows asks what the case shows to everybody: its state, the bill and its stage, what is paid, whether it is on the list of
// bills that fail, and what the center can do about it.
func (c *claims) shows(state referralv1.State, claimID string, paid int64, failing bool, action string) {
	c.t.Helper()
	for _, who := range []access.Caller{hospital, shanghai, desk} {
		r := c.get(who)
		if r.GetState() != state || r.GetClaimId() != claimID || r.GetSelfPay().GetFen() != paid {
			c.t.Fatalf("%s sees %s %s, paid %d", who.Organisation, r.GetState(), r.GetClaimId(), r.GetSelfPay().GetFen())
		}
		if n := c.counts(who)["SETTLEMENTS_FAILING"]; (n == 1) != failing {
			c.t.Fatalf("%s has %d bills that fail", who.Organisation, n)
		}
	}
	got := actions(c.get(shanghai))
	for _, call := range []string{"OpenClaim", "DischargeClaim", "SettleClaim"} {
		if slices.Contains(got, call) != (call == action) {
			c.t.Fatalf("the center is offered %v, want %q", got, action)
		}
	}
}

// What a center takes back of a stay is taken back in the case: an admission, after which the patient is registered anew, and a
// discharge, after which the bill is completed and settled again.
func TestAnAdmissionAndADischargeAreTakenBack(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		l.toArrived()
		c := &claims{l, map[string]int64{}}
		due := l.get(desk).GetDeadline().AsTime()
		c.shows(referralv1.State_STATE_ARRIVED, "", 0, false, "OpenClaim")
		c.told(stay1, "OPENED", 0)
		c.shows(referralv1.State_STATE_EVALUATING, stay1, 0, false, "")
		c.told(stay1, "CANCELLED", 0)
		c.shows(referralv1.State_STATE_ARRIVED, "", 0, true, "OpenClaim")
		if got := l.get(desk); !got.GetDeadline().AsTime().Equal(due) || len(got.GetBills()) != 0 {
			t.Errorf("%v", got)
		}
		c.told(stay2, "OPENED", 0)
		c.shows(referralv1.State_STATE_EVALUATING, stay2, 0, false, "")
		c.told(stay2, "DISCHARGED", 0)
		c.told(stay2, "SETTLED", 100)
		c.shows(referralv1.State_STATE_EVALUATING, stay2, 100, false, "OpenClaim") // of another stay
		c.told(stay2, "REVERSED", 0)
		c.shows(referralv1.State_STATE_EVALUATING, stay2, 0, true, "SettleClaim")
		c.told(stay2, "REOPENED", 0)
		c.shows(referralv1.State_STATE_EVALUATING, stay2, 0, true, "")
		for _, kind := range []string{"CLAIM_CANCELLED", "CLAIM_REOPENED"} {
			if e := l.entry(kind); e.GetTextZh() == "" || e.GetTextEn() == "" || !l.followed(hospital.Organisation, kind) || !l.followed(shanghai.Organisation, kind) {
				t.Errorf("%s is not told: %v", kind, e)
			}
		}
		c.told(stay2, "DISCHARGED", 0)
		c.shows(referralv1.State_STATE_EVALUATING, stay2, 0, true, "SettleClaim") // what was reversed is owed until it is settled again
		c.told(stay2, "SETTLED", 200)
		c.shows(referralv1.State_STATE_EVALUATING, stay2, 200, false, "OpenClaim")
		// What was told already, and what comes after something later, changes nothing.
		if !c.as(stay2, "UNANSWERED", 0, 5, l.clock.Now()) || l.entry("CLAIM_UNANSWERED").GetReasonCode() != "LATE" {
			t.Error("an older event moved the bill")
		}
		c.shows(referralv1.State_STATE_EVALUATING, stay2, 200, false, "OpenClaim")
		// The clock of the instance that tells may be behind; the claim's own count is not.
		c.versions[stay2]++
		if c.as(stay2, "REVERSED", 0, c.versions[stay2], l.clock.Now().Add(-time.Hour)) {
			t.Error("a later event of an instance whose clock is behind was ignored")
		}
		c.shows(referralv1.State_STATE_EVALUATING, stay2, 0, true, "SettleClaim")
	})
}

// A case has as many bills as stays. None hides another that waits for somebody, and all of them are final before the case ends
// as completed.
func TestSeveralStays(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		l.toArrived()
		c := &claims{l, map[string]int64{}}
		c.told(stay1, "OPENED", 0)
		c.told(stay1, "DISCHARGED", 0)
		c.told(stay1, "UNANSWERED", 0)
		c.shows(referralv1.State_STATE_EVALUATING, stay1, 0, true, "")
		c.told(stay2, "OPENED", 0)
		c.shows(referralv1.State_STATE_EVALUATING, stay2, 0, true, "")
		c.told(stay1, "SETTLED", 100)
		c.shows(referralv1.State_STATE_EVALUATING, stay2, 100, false, "")
		c.told(stay2, "DISCHARGED", 0)
		c.told(stay2, "SETTLED", 30)
		c.shows(referralv1.State_STATE_EVALUATING, stay2, 130, false, "OpenClaim")
		c.told(stay1, "REVERSED", 0)
		c.shows(referralv1.State_STATE_EVALUATING, stay1, 30, true, "SettleClaim")
		l.does(func(etag string) error {
			_, err := l.server.RecordEvaluation(l.as(shanghai), &referralv1.RecordEvaluationRequest{RequestId: l.key(), ReferralId: l.id, Etag: etag, Suitable: true})
			return err
		})
		l.operated()
		l.back()
		l.taken()
		completed := func(etag string) error { return l.close(hospital, etag, referralv1.CloseReason_CLOSE_REASON_COMPLETED) }
		l.refused("WRONG_STATE", completed)
		c.told(stay1, "MANUAL", 0)
		c.shows(referralv1.State_STATE_FOLLOW_UP, stay2, 30, true, "")
		if bills := l.get(hospital).GetBills(); len(bills) != 2 || bills[0].GetClaimId() != stay1 || bills[0].GetStage() != "MANUAL" || bills[1].GetSelfPay().GetFen() != 30 {
			t.Errorf("%v", bills)
		}
		c.told(stay1, "MANUAL_ACCEPTED", 0)
		c.shows(referralv1.State_STATE_FOLLOW_UP, stay2, 30, false, "")
		e := l.entry("CLAIM_MANUAL_ACCEPTED")
		if e.GetTextZh() == "" || e.GetTextEn() == "" || e.GetRecordId() != stay1 || !l.followed(hospital.Organisation, "CLAIM_MANUAL_ACCEPTED") || !l.followed(shanghai.Organisation, "CLAIM_MANUAL_ACCEPTED") {
			t.Errorf("an acceptance is not told: %v", e)
		}
		if !c.as(stay1, "MANUAL", 0, c.versions[stay1]-1, l.clock.Now().Add(time.Hour)) || l.get(hospital).GetBills()[0].GetStage() != "MANUAL_ACCEPTED" {
			t.Errorf("what came before the acceptance counts after it: %v", l.get(hospital).GetBills())
		}
		l.must(completed(l.etag()))
		c.shows(referralv1.State_STATE_CLOSED, stay2, 30, false, "")
	})
}

// A patient who is back and is taken into the hospital again has a bill of that stay too: it is watched as the first was, and the
// case does not end before it. What was not registered while the patient was there can be later.
func TestABillAfterTheWayBack(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		l.toListed()
		c := &claims{l, map[string]int64{}}
		l.operated()
		c.shows(referralv1.State_STATE_REHABILITATION, "", 0, false, "OpenClaim")
		c.told(stay1, "OPENED", 0)
		c.told(stay1, "CANCELLED", 0)
		l.back()
		l.taken()
		c.shows(referralv1.State_STATE_FOLLOW_UP, "", 0, true, "OpenClaim")
		first := stay1[:len(stay1)-1] + "3"
		c.told(first, "OPENED", 0)
		c.told(first, "DISCHARGED", 0)
		c.told(first, "SETTLED", 100)
		c.shows(referralv1.State_STATE_FOLLOW_UP, first, 100, false, "")
		c.told(stay2, "OPENED", 0)
		c.told(stay2, "DISCHARGED", 0)
		c.told(stay2, "UNANSWERED", 0)
		c.shows(referralv1.State_STATE_FOLLOW_UP, stay2, 100, true, "")
		l.refused("WRONG_STATE", func(etag string) error { return l.close(hospital, etag, referralv1.CloseReason_CLOSE_REASON_COMPLETED) })
		c.told(stay2, "SETTLED", 7)
		c.shows(referralv1.State_STATE_FOLLOW_UP, stay2, 107, false, "")
	})
}

// Every bill of a case is shown with its stay, what it came to and what the patient paid of it; while fee lines arrive there is no
// sum yet, and what an instance of before did not tell is left as it was.
func TestEveryBillShowsItsStay(t *testing.T) {
	each(t, func(t *testing.T, l *line) {
		l.toArrived()
		c := &claims{l, map[string]int64{}}
		shows := func(want ...string) {
			t.Helper()
			var got []string
			for _, b := range l.get(hospital).GetBills() {
				total := "-"
				if b.GetTotal() != nil {
					total = strconv.FormatInt(b.GetTotal().GetFen(), 10)
				}
				got = append(got, strings.Join([]string{b.GetStage(), b.GetAdmissionDate(), b.GetDischargeDate(), b.GetCenterId(), total, strconv.FormatInt(b.GetSelfPay().GetFen(), 10)}, " "))
			}
			if !slices.Equal(got, want) {
				t.Errorf("shown %q, want %q", got, want)
			}
		}
		c.stays(stay1, "OPENED", "2026-11-20", "", "C-SH-01", 0, 0)
		shows("OPENED 2026-11-20  C-SH-01 - 0")
		c.stays(stay1, "DISCHARGED", "2026-11-20", "2026-11-28", "C-SH-01", 9000, 0)
		c.stays(stay1, "SETTLED", "2026-11-20", "2026-11-28", "C-SH-01", 9000, 2000)
		c.stays(stay2, "OPENED", "2026-12-05", "", "C-NJ-01", 0, 0)
		shows("SETTLED 2026-11-20 2026-11-28 C-SH-01 9000 2000", "OPENED 2026-12-05  C-NJ-01 - 0")
		c.stays(stay1, "REVERSED", "2026-11-20", "2026-11-28", "C-SH-01", 9000, 0)
		c.stays(stay1, "REOPENED", "2026-11-20", "", "C-SH-01", 9000, 0)
		c.stays(stay2, "DISCHARGED", "2026-12-05", "2026-12-06", "C-NJ-01", 70, 0)
		c.told(stay2, "UNANSWERED", 0)
		shows("REOPENED 2026-11-20  C-SH-01 - 0", "UNANSWERED 2026-12-05 2026-12-06 C-NJ-01 70 0")
	})
}
