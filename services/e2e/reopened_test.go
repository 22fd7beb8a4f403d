package e2e

import (
	"net/http"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	referralv1 "huhang.example/gen/huhang/referral/v1"
	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/sqldb/sqldbtest"
)

// A center takes a discharge back, and after it the admission: the case follows, and its list says that the bill waits for the
// center.
func TestADischargeAndAnAdmissionAreTakenBack(t *testing.T) {
	l := start(t, &devLine{state: t.TempDir()})
	result := l.drive(t, "reopen-00000001", 81, "discharged")
	var now referralv1.GetReferralResponse
	read := func() *referralv1.Referral {
		t.Helper()
		if err := l.as(t, "H-HF-01", "coordinator", "").Do(t.Context(), http.MethodGet, "/v1/referrals/"+result.ReferralID, nil, &now); err != nil {
			t.Fatal(err)
		}
		return now.GetReferral()
	}
	center := l.as(t, read().GetCenterId(), "center", "")
	claim := func() *settlementv1.Claim {
		t.Helper()
		var got settlementv1.GetClaimResponse
		if err := center.Do(t.Context(), http.MethodGet, "/v1/claims/"+result.ClaimID, nil, &got); err != nil {
			t.Fatal(err)
		}
		return got.GetClaim()
	}
	do := func(verb string, in proto.Message) {
		t.Helper()
		if err := center.Do(t.Context(), http.MethodPost, "/v1/claims/"+result.ClaimID+verb, in, nil); err != nil {
			t.Fatal(err)
		}
	}
	shows := func(stage, action string) {
		t.Helper()
		sqldbtest.Eventually(t, stage, func() bool {
			bills := read().GetBills()
			return len(bills) == 1 && bills[0].GetStage() == stage || len(bills) == 0 && stage == "CANCELLED"
		})
		var list referralv1.ListWorklistResponse
		if err := center.Do(t.Context(), http.MethodGet, "/v1/worklists/WORKLIST_KIND_SETTLEMENTS_FAILING", nil, &list); err != nil {
			t.Fatal(err)
		}
		failing := len(list.GetReferrals()) == 1
		if failing != slices.Contains([]string{"REOPENED", "CANCELLED"}, stage) {
			t.Errorf("%s: the center's list has it: %t", stage, failing)
		}
		if err := center.Do(t.Context(), http.MethodGet, "/v1/referrals/"+result.ReferralID, nil, &now); err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(now.GetReferral().GetAvailableActions(), func(a *referralv1.AvailableAction) bool { return a.GetAction() == action }) {
			t.Errorf("%s: the center is not offered %s: %v", stage, action, now.GetReferral().GetAvailableActions())
		}
	}
	shows("DISCHARGED", "SettleClaim")
	do(":cancelDischarge", &settlementv1.CancelDischargeRequest{RequestId: "reopen-back-00001", ClaimId: result.ClaimID, Etag: claim().GetEtag()})
	shows("REOPENED", "DischargeClaim")
	do(":discharge", &settlementv1.DischargeClaimRequest{
		RequestId: "reopen-leave-0001", ClaimId: result.ClaimID, Etag: claim().GetEtag(), DischargeDate: clock.Day(clock.System().Now()),
	})
	shows("DISCHARGED", "SettleClaim")
	do(":cancelDischarge", &settlementv1.CancelDischargeRequest{RequestId: "reopen-back-00002", ClaimId: result.ClaimID, Etag: claim().GetEtag()})
	do("/lines:recall", &settlementv1.RecallFeeLinesRequest{RequestId: "reopen-lines-0001", ClaimId: result.ClaimID, Etag: claim().GetEtag()})
	do(":cancelAdmission", &settlementv1.CancelAdmissionRequest{RequestId: "reopen-admit-0001", ClaimId: result.ClaimID, Etag: claim().GetEtag()})
	shows("CANCELLED", "OpenClaim")

	// Another patient's bill is not settled directly, and the insured province's agency takes it: the case tells both, in this order.
	result = l.drive(t, "reopen-00000002", 82, "discharged")
	do(":manual", &settlementv1.FallToManualRequest{RequestId: "reopen-manual-0001", ClaimId: result.ClaimID, Etag: claim().GetEtag()})
	if err := l.as(t, "A-340000", "agency", "340000").Do(t.Context(), http.MethodPost, "/v1/manual-claims", &settlementv1.AcceptManualClaimRequest{
		RequestId: "reopen-taken-00001", Province: "340000", ClaimId: result.ClaimID, PatientId: result.PatientID, Total: claim().GetTotal(),
	}, nil); err != nil {
		t.Fatal(err)
	}
	sqldbtest.Eventually(t, "the case knows that it was taken", func() bool {
		bills := read().GetBills()
		return len(bills) == 1 && bills[0].GetStage() == "MANUAL_ACCEPTED"
	})
	var timeline referralv1.ListTimelineResponse
	if err := center.Do(t.Context(), http.MethodGet, "/v1/referrals/"+result.ReferralID+"/timeline?pageSize=200", nil, &timeline); err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, e := range timeline.GetEntries() {
		if e.GetRecordId() == result.ClaimID {
			told = append(told, e.GetKind()+" "+e.GetActorOrganisation())
		}
	}
	if last := told[max(0, len(told)-2):]; !slices.Equal(last, []string{"CLAIM_MANUAL " + center.Organisation, "CLAIM_MANUAL_ACCEPTED A-340000"}) {
		t.Errorf("the case tells %v", told)
	}
	if taken := claim().GetManualAcceptance(); taken.GetOrganisation() != "A-340000" || taken.GetAcceptTime() == nil || taken.GetTotal().GetFen() != claim().GetTotal().GetFen() {
		t.Errorf("the claim keeps %v", taken)
	}
}
