package e2e

import (
	"net/http"
	"testing"

	"google.golang.org/protobuf/proto"

	patientv1 "huhang.example/gen/huhang/patient/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/sqldb/sqldbtest"
)

// A person was registered twice and died under one of the records. Merged, the case under the other record, whose bed is held,
// ends too; the merge was a mistake, and it goes on and says what has to be asked for anew.
func TestAMergeCarriesADeath(t *testing.T) {
	l := start(t, &devLine{state: t.TempDir()})
	lives, dies := l.drive(t, "merge-00000001", 71, "filed"), l.drive(t, "merge-00000002", 72, "submitted")
	desk := l.as(t, "OPS", "operations", "")
	do := func(method, path string, in, out proto.Message) {
		t.Helper()
		if err := desk.Do(t.Context(), method, path, in, out); err != nil {
			t.Fatal(err)
		}
	}
	state := func(referralID string) *referralv1.Referral {
		t.Helper()
		var got referralv1.GetReferralResponse
		do(http.MethodGet, "/v1/referrals/"+referralID, nil, &got)
		return got.GetReferral()
	}
	etag := func(patientID string) string {
		t.Helper()
		var got patientv1.GetPatientResponse
		do(http.MethodGet, "/v1/patients/"+patientID, nil, &got)
		return got.GetPatient().GetEtag()
	}
	do(http.MethodPost, "/v1/referrals/"+dies.ReferralID+":close", &referralv1.CloseReferralRequest{
		RequestId: "merge-close-000001", ReferralId: dies.ReferralID, Etag: state(dies.ReferralID).GetEtag(), Reason: referralv1.CloseReason_CLOSE_REASON_DIED,
	}, nil)
	var merged patientv1.MergePatientsResponse
	merge := &patientv1.MergePatientsRequest{
		RequestId: "merge-merge-000001", PatientId: lives.PatientID, Etag: etag(lives.PatientID), MergedId: dies.PatientID, MergedEtag: etag(dies.PatientID), Reason: "重复登记",
	}
	refused{400, "DEATH_UNCONFIRMED", "carries_death_of"}.check(t, "a merge that carries a death nobody named", desk.Do(t.Context(), http.MethodPost, "/v1/patients/"+lives.PatientID+":merge", merge, nil))
	merge.CarriesDeathOf = dies.PatientID
	do(http.MethodPost, "/v1/patients/"+lives.PatientID+":merge", merge, &merged)
	sqldbtest.Eventually(t, "the other case ends", func() bool {
		c := state(lives.ReferralID)
		return c.GetState() == referralv1.State_STATE_CLOSED && c.GetCloseReason() == referralv1.CloseReason_CLOSE_REASON_DIED
	})
	sqldbtest.Eventually(t, "its bed is free", func() bool { return state(lives.ReferralID).GetHoldId() == "" })
	do(http.MethodPost, "/v1/patients/"+lives.PatientID+":unmerge", &patientv1.UnmergePatientsRequest{
		RequestId: "merge-unmerge-00001", PatientId: lives.PatientID, MergeId: merged.GetMerge().GetMergeId(), Reason: "误合并",
	}, nil)
	sqldbtest.Eventually(t, "it goes on", func() bool { return state(lives.ReferralID).GetState() == referralv1.State_STATE_MATCHED })
	if c := state(dies.ReferralID); c.GetState() != referralv1.State_STATE_CLOSED {
		t.Errorf("the dead person's case is %s", c.GetState())
	}
	var timeline referralv1.ListTimelineResponse
	do(http.MethodGet, "/v1/referrals/"+lives.ReferralID+"/timeline?pageSize=200", nil, &timeline)
	told := map[string]int{}
	for _, e := range timeline.GetEntries() {
		told[e.GetKind()]++
	}
	for _, kind := range []string{"RECORDS_MERGED", "CLOSED", "HOLD_RELEASED", "RECORDS_SEPARATED", "DEATH_CORRECTED", "PLACE_TO_REPEAT"} {
		if told[kind] != 1 {
			t.Errorf("%s is told %d times", kind, told[kind])
		}
	}
}
