package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	referralv1 "huhang.example/gen/huhang/referral/v1"
	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	"huhang.example/services/internal/clock"
	"huhang.example/services/sampleline"
)

// impatient writes life rules by which an answer of an insured province is missed after a second, and asked for again within
// two: whoever declares it chooses the time that counts.
func (f *processes) impatient() string {
	f.t.Helper()
	sample, err := os.ReadFile("../settlement/life_rules.json")
	if err != nil {
		f.t.Fatal(err)
	}
	var rules map[string]any
	if err := json.Unmarshal(sample, &rules); err != nil {
		f.t.Fatal(err)
	}
	rules["stuck_after_seconds"], rules["retry"] = 1, map[string]int{"first_seconds": 1, "longest_seconds": 2}
	text, err := json.Marshal(rules)
	if err != nil {
		f.t.Fatal(err)
	}
	file := filepath.Join(f.dir, "life_rules.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		f.t.Fatal(err)
	}
	return fmt.Sprintf("  life_rules: %q\n", file)
}

// unanswered settles a case while its insured province's instance is dead for longer than declared: the case, the lists of all
// who have to do with it, their inboxes and the treatment province's agency show it. The instance comes back, and it is settled
// and shown nowhere any more, without anybody's doing.
func (f *processes) unanswered(key string, serial int) {
	t := f.t
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), caseLimit)
	defer cancel()
	client := &sampleline.Client{Base: f.base, HTTP: &http.Client{Timeout: 30 * time.Second}, Patience: patience, Clock: clock.System()}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	as := func(organisation, province, role string) *sampleline.Session {
		t.Helper()
		s, err := client.As(ctx, sampleline.Person{Subject: "staff-1", Organisation: organisation, Province: province, Role: role})
		must(err)
		return s
	}
	driver := &sampleline.Driver{Client: client, Clock: clock.System(), Out: t.Output(), Key: key, Serial: serial, Until: "discharged"}
	result, err := driver.Run(ctx)
	must(err)
	referrer, desk, agency := as("H-HF-01", "", "coordinator"), as("OPS", "", "operations"), as("A-310000", "310000", "agency")
	state := func() *referralv1.Referral {
		t.Helper()
		var got referralv1.GetReferralResponse
		must(referrer.Do(ctx, http.MethodGet, "/v1/referrals/"+result.ReferralID, nil, &got))
		return got.GetReferral()
	}
	center := as(state().GetCenterId(), "", "center")

	f.kill("settlement-insured")
	var claim settlementv1.GetClaimResponse
	must(center.Do(ctx, http.MethodGet, "/v1/claims/"+result.ClaimID, nil, &claim))
	var sent settlementv1.SettleClaimResponse
	must(center.Do(ctx, http.MethodPost, "/v1/claims/"+result.ClaimID+":settle", &settlementv1.SettleClaimRequest{
		RequestId: "sample-settle-" + key, ClaimId: result.ClaimID, Etag: claim.GetClaim().GetEtag(),
	}, &sent))
	if status := sent.GetClaim().GetStatus(); status != settlementv1.ClaimStatus_CLAIM_STATUS_SETTLING {
		t.Fatalf("settled with nobody at the insured province: %s", status)
	}
	everybody := map[string]*sampleline.Session{"referrer": referrer, "center": center, "operations": desk}
	listed := func() (on []string) {
		t.Helper()
		for name, who := range everybody {
			var got referralv1.ListWorklistResponse
			must(who.Do(ctx, http.MethodGet, "/v1/worklists/WORKLIST_KIND_SETTLEMENTS_FAILING", nil, &got))
			if slices.ContainsFunc(got.GetReferrals(), func(r *referralv1.Referral) bool { return r.GetReferralId() == result.ReferralID }) {
				on = append(on, name)
			}
		}
		var stuck settlementv1.ListStuckClaimsResponse
		must(agency.Do(ctx, http.MethodGet, "/v1/stuck-claims?province=310000", nil, &stuck))
		if slices.ContainsFunc(stuck.GetClaims(), func(c *settlementv1.Claim) bool { return c.GetClaimId() == result.ClaimID }) {
			on = append(on, "agency")
		}
		return on
	}
	warned := func() bool {
		t.Helper()
		for _, who := range []*sampleline.Session{referrer, center} {
			var inbox referralv1.ListNotificationsResponse
			must(who.Do(ctx, http.MethodGet, "/v1/notifications?unreadOnly=true&referralId="+result.ReferralID, nil, &inbox))
			if !slices.ContainsFunc(inbox.GetNotifications(), func(n *referralv1.Notification) bool { return n.GetCode() == "SETTLEMENT_WAITS" }) {
				return false
			}
		}
		return true
	}
	f.until("everybody's list has the bill that waits", func() bool { return len(listed()) == 4 })
	f.until("referrer and center are warned", warned)
	waits := state()
	if waits.GetSelfPay() != nil || len(waits.GetBills()) != 1 || waits.GetBills()[0].GetStage() != "UNANSWERED" {
		t.Errorf("the case shows %v", waits.GetBills())
	}

	f.again("settlement-insured")
	f.until("it settles itself", func() bool { return state().GetSelfPay() != nil })
	f.until("no list has it any more", func() bool { return len(listed()) == 0 })
	var timeline referralv1.ListTimelineResponse
	must(referrer.Do(ctx, http.MethodGet, "/v1/referrals/"+result.ReferralID+"/timeline?pageSize=200", nil, &timeline))
	var told []string
	for _, e := range timeline.GetEntries() {
		if e.GetRecordId() == result.ClaimID {
			told = append(told, e.GetKind())
		}
	}
	if want := []string{"CLAIM_OPENED", "CLAIM_DISCHARGED", "CLAIM_UNANSWERED", "CLAIM_SETTLED"}; !slices.Equal(told, want) {
		t.Errorf("of its bill the case tells %v", told)
	}
	var bill settlementv1.GetStatementResponse
	must(center.Do(ctx, http.MethodGet, "/v1/claims/"+result.ClaimID+"/statement", nil, &bill))
	paysOnce(t, bill.GetStatement())
	if paid := state().GetSelfPay().GetFen(); paid != share(bill.GetStatement(), settlementv1.Payer_PAYER_CASH) {
		t.Errorf("the case shows that the patient pays %d", paid)
	}
}

// until awaits a condition, over processes that may have to find one another again first.
func (f *processes) until(what string, condition func() bool) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), patience)
	defer cancel()
	for !condition() {
		if clock.System().Sleep(ctx, 100*time.Millisecond) != nil {
			f.t.Fatalf("never: %s", what)
		}
	}
}
