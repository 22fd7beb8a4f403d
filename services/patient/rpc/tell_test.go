package rpc_test

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	patientv1 "huhang.example/gen/huhang/patient/v1"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/patient"
	"huhang.example/services/patient/rpc"
)

// What changes after the first version is told to the cases it is about, by the names of the data; no value leaves the service.
func TestEditsAreToldToCases(t *testing.T) {
	each(t, func(l *line) {
		p := l.register(l.hefei(), 1)
		l.live[p.GetPatientId()] = []patient.LiveCase{
			{ReferralID: referral1, PatientID: p.GetPatientId(), Organ: "LIVER"},
			{ReferralID: "ref_00000000000000000000000002", PatientID: p.GetPatientId(), Organ: "KIDNEY"},
		}
		record := func(etag string, height float64) {
			_, err := l.server.RecordClinical(l.hefei(), &patientv1.RecordClinicalRequest{
				RequestId: l.key(), PatientId: p.GetPatientId(), Etag: etag, Clinical: &patientv1.Clinical{Organ: liver, HeightCm: proto.Float64(height)},
			})
			l.must(err)
		}
		told := func() []string {
			sqldbtest.Idle(t, l.db)
			l.mu.Lock()
			defer l.mu.Unlock()
			return slices.Clone(l.told)
		}
		record("", 170)
		if got := told(); len(got) != 0 {
			t.Fatalf("the first version was told: %v", got)
		}
		record("1", 171)
		if got := told(); len(got) != 1 || got[0] != referral1+" CLINICAL 2 [height_cm] H-HF-01" {
			t.Fatalf("%q", got)
		}
		_, err := l.server.UpdatePatient(l.hefei(), &patientv1.UpdatePatientRequest{
			RequestId: l.key(), PatientId: p.GetPatientId(), Etag: p.GetEtag(), ResidenceCity: "340200", UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"residence_city"}},
		})
		l.must(err)
		if got := told(); len(got) != 3 || !strings.Contains(strings.Join(got, ";"), "RESIDENCE 2") {
			t.Fatalf("%q", got)
		}
	})
}

// A merge, and its end, is told to all cases of both records, each once.
func TestMergesAreToldToCases(t *testing.T) {
	each(t, func(l *line) {
		merges := rpc.Merges{Server: l.server}
		a, b := l.register(l.hefei(), 1), l.register(l.hefei(), 2)
		l.live[a.GetPatientId()] = []patient.LiveCase{{ReferralID: "ref_a", Organ: "LIVER"}}
		l.live[b.GetPatientId()] = []patient.LiveCase{{ReferralID: "ref_b", Organ: "KIDNEY"}}
		l.closed[b.GetPatientId()] = []patient.LiveCase{{ReferralID: "ref_over", Organ: "HEART"}}
		told := func(want ...string) {
			t.Helper()
			sqldbtest.Idle(t, l.db)
			l.mu.Lock()
			defer l.mu.Unlock()
			slices.Sort(l.told)
			if !slices.Equal(l.told, want) {
				t.Errorf("told %q, want %q", l.told, want)
			}
			l.told = nil
		}
		done, err := merges.MergePatients(l.desk(), &patientv1.MergePatientsRequest{
			RequestId: l.key(), PatientId: a.GetPatientId(), Etag: a.GetEtag(), MergedId: b.GetPatientId(), MergedEtag: b.GetEtag(), Reason: "重复登记",
		})
		l.must(err)
		told("ref_a MERGED 2 [] OPS", "ref_b MERGED 2 [] OPS", "ref_over MERGED 2 [] OPS")
		_, err = merges.UnmergePatients(l.hefei(), &patientv1.UnmergePatientsRequest{RequestId: l.key(), PatientId: b.GetPatientId(), MergeId: done.GetMerge().GetMergeId(), Reason: "误合并"})
		l.must(err)
		told("ref_a SEPARATED 3 [] H-HF-01", "ref_b SEPARATED 3 [] H-HF-01", "ref_over SEPARATED 3 [] H-HF-01")
	})
}
