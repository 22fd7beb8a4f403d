package rpc_test

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	patientv1 "huhang.example/gen/huhang/patient/v1"
	"huhang.example/services/internal/fault"
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
		l.closed[b.GetPatientId()] = []patient.LiveCase{{ReferralID: "ref_over", Organ: "HEART", Closed: true}}
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

// A merge that would carry a death says so and does nothing until the record is named; who names it finds it in the history.
func TestAMergeThatCarriesADeath(t *testing.T) {
	each(t, func(l *line) {
		merges := rpc.Merges{Server: l.server}
		lives, died := l.register(l.hefei(), 1), l.register(l.hefei(), 2)
		l.live[lives.GetPatientId()] = []patient.LiveCase{{ReferralID: "ref_a", Organ: "LIVER"}}
		l.closed[died.GetPatientId()] = []patient.LiveCase{{ReferralID: "ref_over", Organ: "LIVER", Closed: true, Death: true}}
		request := &patientv1.MergePatientsRequest{
			RequestId: l.key(), PatientId: lives.GetPatientId(), Etag: lives.GetEtag(), MergedId: died.GetPatientId(), MergedEtag: died.GetEtag(), Reason: "重复登记",
		}
		merge := func() error { _, err := merges.MergePatients(l.hefei(), request); return err }
		for _, named := range []string{"", lives.GetPatientId()} {
			request.CarriesDeathOf = named
			refused := l.refused(fault.DeathUnconfirmed, merge)
			if refused.Field != "carries_death_of" || refused.Meta["carries_death_of"] != died.GetPatientId() || refused.Meta["live_cases"] != "1" {
				l.Errorf("%v", refused)
			}
		}
		request.CarriesDeathOf = died.GetPatientId()
		done, err := merges.MergePatients(l.hefei(), request)
		l.must(err)
		l.closed[died.GetPatientId()] = nil // what was done is answered as it was, whatever is so by now
		if again, err := merges.MergePatients(l.hefei(), request); err != nil || !proto.Equal(again, done) {
			l.Errorf("a retry: %v %v", again, err)
		}
		_, err = merges.UnmergePatients(l.hefei(), &patientv1.UnmergePatientsRequest{RequestId: l.key(), PatientId: died.GetPatientId(), MergeId: done.GetMerge().GetMergeId(), Reason: "误合并"})
		l.must(err)
		history, err := merges.ListMerges(l.desk(), &patientv1.ListMergesRequest{PatientId: lives.GetPatientId()})
		if err != nil || len(history.GetMerges()) != 1 || history.GetMerges()[0].GetCarriesDeathOf() != died.GetPatientId() || history.GetMerges()[0].GetUnmergedBy() == "" {
			l.Errorf("%v %v", history, err)
		}
	})
}
