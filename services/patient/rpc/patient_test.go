package rpc_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	organv1 "huhang.example/gen/huhang/organ/v1"
	patientv1 "huhang.example/gen/huhang/patient/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/patient"
	"huhang.example/services/patient/rpc"
)

// A duplicate is found before the form is filled, however it is typed; a stranger learns the fact and nothing else.
func TestDuplicatesAreFoundAsTheyAreTyped(t *testing.T) {
	each(t, func(l *line) {
		p := l.register(l.hefei(), 1)
		n := number(1)
		for _, q := range []*patientv1.CheckRegistrationRequest{
			{IdentityNumber: n},
			{IdentityNumber: " " + n[:6] + " " + n[6:14] + "-" + n[14:] + "　"},
			{IdentityNumber: fullWidth(n)},
			{Name: "示范患者1", BirthDate: "1979-03-12", Phone: "13900000001"},
			{Name: " 示范 患者１ ", BirthDate: "1979/3/12", Phone: "+86 139-0000-0001"},
			{Name: "示范·患者1", BirthDate: "19790312", Phone: "１３９００００００01"},
		} {
			got, err := l.server.CheckRegistration(l.hefei(), q)
			if err != nil || !got.GetRegistered() || got.GetPatientId() != p.GetPatientId() || got.GetPatient().GetName() != "示范患者1" || got.GetNoticeZh() == "" {
				t.Errorf("%v: %v %v", q, got, err)
			}
			stranger, err := l.server.CheckRegistration(l.as("H-NC-01", access.Coordinator), q)
			want := &patientv1.CheckRegistrationResponse{Registered: true, NoticeZh: stranger.GetNoticeZh(), NoticeEn: stranger.GetNoticeEn()}
			if err != nil || !proto.Equal(stranger, want) || stranger.GetNoticeEn() == "" {
				t.Errorf("a stranger learns %v %v", stranger, err)
			}
		}
		for _, q := range []*patientv1.CheckRegistrationRequest{
			{IdentityNumber: number(2)}, {Name: "示范患者1", BirthDate: "1979-03-12", Phone: "13900000002"}, {Name: "示范患者1", BirthDate: "1979-03-13", Phone: "13900000001"},
		} {
			if got, err := l.server.CheckRegistration(l.hefei(), q); err != nil || !proto.Equal(got, &patientv1.CheckRegistrationResponse{}) {
				t.Errorf("%v: %v %v", q, got, err)
			}
		}
		again := l.registration(1)
		again.IdentityNumber, again.Phone = fullWidth(n), "+8613900000001"
		f := l.refused(fault.PatientDuplicate, func() error { _, err := l.server.RegisterPatient(l.hefei(), again); return err })
		if f.Meta["patient_id"] != p.GetPatientId() {
			t.Errorf("%v", f.Meta)
		}
		other := l.registration(3)
		other.Name, other.Phone = "示范患者１", "13900000001" // another number, the same person
		f = l.refused(fault.PatientDuplicate, func() error {
			_, err := l.server.RegisterPatient(l.as("H-NC-01", access.Coordinator), other)
			return err
		})
		if f.Meta["patient_id"] != "" {
			t.Errorf("a stranger learns %v", f.Meta)
		}
		for _, q := range []*patientv1.CheckRegistrationRequest{{}, {Name: "示范患者1", BirthDate: "1979-03-12"}, {IdentityNumber: " - "}} {
			l.refused(fault.DatumMissing, func() error { _, err := l.server.CheckRegistration(l.hefei(), q); return err })
		}
		l.refused(fault.FieldInvalid, func() error {
			_, err := l.server.CheckRegistration(l.hefei(), &patientv1.CheckRegistrationRequest{Name: "示范患者1", BirthDate: "12.31.1979", Phone: "13900000001"})
			return err
		})
		l.refused(fault.IdentityNumberInvalid, func() error {
			_, err := l.server.CheckRegistration(l.hefei(), &patientv1.CheckRegistrationRequest{IdentityNumber: n[:17] + "?"})
			return err
		})
	})
}

func fullWidth(s string) string {
	var out []rune
	for _, r := range s {
		out = append(out, r-0x21+0xff01)
	}
	return string(out)
}

func clinicalOf(inr *float64) *patientv1.Clinical {
	return &patientv1.Clinical{
		Organ: liver, DiagnosisCode: "K74.600", Labs: &patientv1.Labs{
			TestDate: "2026-11-20", Creatinine: &patientv1.Labs_CreatinineUmolL{CreatinineUmolL: 97}, Bilirubin: &patientv1.Labs_BilirubinUmolL{BilirubinUmolL: 96},
			Albumin: &patientv1.Labs_AlbuminGL{AlbuminGL: 29}, Inr: inr, SodiumMmolL: proto.Float64(133),
		},
	}
}

// What is missing is told and refuses nothing; a late edit is kept with who, when and what stood there before.
func TestClinicalVersionsTellWhatChanged(t *testing.T) {
	each(t, func(l *line) {
		p := l.register(l.hefei(), 1)
		record := func(ctx context.Context, etag string, c *patientv1.Clinical) (*patientv1.ClinicalRecord, error) {
			got, err := l.server.RecordClinical(ctx, &patientv1.RecordClinicalRequest{RequestId: l.key(), PatientId: p.GetPatientId(), Etag: etag, Clinical: c})
			return got.GetRecord(), err
		}
		first, err := record(l.hefei(), "", clinicalOf(nil))
		l.must(err)
		lacks := func(r *patientv1.ClinicalRecord, path string) bool {
			return slices.ContainsFunc(r.GetMissing(), func(m *patientv1.MissingDatum) bool { return m.GetPath() == path && len(m.GetBlocked()) > 0 })
		}
		if !lacks(first, "labs.inr") || len(first.GetScores()) != 0 {
			t.Errorf("missing %v, scores %v", first.GetMissing(), first.GetScores())
		}
		began := l.clock.Now()
		l.clock.Advance(time.Hour)
		l.grant(p.GetPatientId(), "C-SH-01", referral1)
		second, err := record(l.shanghai(), first.GetEtag(), clinicalOf(proto.Float64(1.9)))
		l.must(err)
		if lacks(second, "labs.inr") || len(second.GetScores()) != 3 || second.GetScores()[2].GetFormula() != "MELD 3.0, Kim et al. 2021" || second.GetScores()[2].GetTestDate() != "2026-11-20" {
			t.Errorf("missing %v, scores %v", second.GetMissing(), second.GetScores())
		}
		profile, err := l.server.GetMatchingProfile(l.service(), &patientv1.GetMatchingProfileRequest{PatientId: p.GetPatientId(), Organ: liver})
		l.must(err)
		for _, d := range profile.GetRecord().GetChanged() {
			want := began
			if d.GetPath() == "labs.inr" {
				want = l.clock.Now()
			}
			if !d.GetChangedAt().AsTime().Equal(want) {
				t.Errorf("%s changed at %s, want %s", d.GetPath(), d.GetChangedAt().AsTime(), want)
			}
		}
		if profile.GetRecord().GetVersion() != 2 || profile.GetRegisteredOn() != "2026-11-22" || profile.GetPatientId() != p.GetPatientId() {
			t.Errorf("%v", profile)
		}
		history, err := l.server.ListClinicalVersions(l.hefei(), &patientv1.ListClinicalVersionsRequest{PatientId: p.GetPatientId(), Organ: liver, PageSize: 1})
		l.must(err)
		v := history.GetVersions()[0]
		if v.GetRecordedBy() != "C-SH-01" || v.GetSubject() != "staff-1" || len(v.GetChanges()) != 1 || v.GetChanges()[0].GetPath() != "labs.inr" ||
			v.GetChanges()[0].GetBefore() != "" || v.GetChanges()[0].GetAfter() != "1.9" {
			t.Errorf("%v", v)
		}
		rest, err := l.server.ListClinicalVersions(l.hefei(), &patientv1.ListClinicalVersionsRequest{PatientId: p.GetPatientId(), Organ: liver, PageSize: 1, PageToken: history.GetNextPageToken()})
		if err != nil || len(rest.GetVersions()) != 1 || rest.GetVersions()[0].GetVersion() != 1 || rest.GetNextPageToken() != "" {
			t.Errorf("%v %v", rest, err)
		}
		implausible := clinicalOf(proto.Float64(1.9))
		implausible.Labs.Creatinine = &patientv1.Labs_CreatinineMgDl{CreatinineMgDl: 97}
		f := l.refused(fault.ValueImplausible, func() error { _, err := record(l.hefei(), "2", implausible); return err })
		if f.Field != "clinical.labs.creatinine_mg_dl" || f.Meta["suspected_unit"] != "umol/L" {
			t.Errorf("%+v", f)
		}
		l.refused(fault.StaleVersion, func() error { _, err := record(l.hefei(), "1", clinicalOf(nil)); return err })
		l.refused(fault.ReasonNotFound, func() error {
			_, err := record(l.as("C-BJ-01", access.Center), "2", clinicalOf(nil))
			return err
		})
		l.refused(fault.ReasonNotFound, func() error {
			_, err := l.server.ListClinicalVersions(l.as("C-BJ-01", access.Center), &patientv1.ListClinicalVersionsRequest{PatientId: p.GetPatientId(), Organ: liver})
			return err
		})
	})
}

// A center whose offer ended without the patient sees nothing any more; consents keep who gave and withdrew them.
func TestAccessEndsAndConsentsAreKept(t *testing.T) {
	each(t, func(l *line) {
		p := l.register(l.hefei(), 1)
		get := func(ctx context.Context) error {
			_, err := l.server.GetPatient(ctx, &patientv1.GetPatientRequest{PatientId: p.GetPatientId()})
			return err
		}
		l.refused(fault.ReasonNotFound, func() error { return get(l.shanghai()) })
		l.grant(p.GetPatientId(), "C-SH-01", referral1)
		l.must(get(l.shanghai()))
		revoke := &patientv1.RevokeAccessRequest{RequestId: l.key(), PatientId: p.GetPatientId(), Organisation: "C-SH-01", ReferralId: referral1, Reason: "OFFER_ENDED"}
		for range 2 {
			if got, err := l.server.RevokeAccess(l.service(), revoke); err != nil || !got.GetRevoked() {
				t.Errorf("%v %v", got, err)
			}
		}
		l.refused(fault.ReasonNotFound, func() error { return get(l.shanghai()) })
		grants, err := l.server.ListAccess(l.hefei(), &patientv1.ListAccessRequest{PatientId: p.GetPatientId()})
		if err != nil || len(grants.GetGrants()) != 1 || grants.GetGrants()[0].GetReason() != "OFFER_ENDED" || grants.GetGrants()[0].GetRevokeTime() == nil {
			t.Errorf("%v %v", grants, err)
		}
		l.refused(fault.ReasonNotFound, func() error {
			_, err := l.server.ListAccess(l.as("H-NC-01", access.Coordinator), &patientv1.ListAccessRequest{PatientId: p.GetPatientId()})
			return err
		})
		gone, err := l.server.WithdrawConsent(l.hefei(), &patientv1.WithdrawConsentRequest{RequestId: l.key(), PatientId: p.GetPatientId(), Etag: "1", Purpose: patientv1.Purpose_PURPOSE_REFERRAL})
		l.must(err)
		back, err := l.server.GiveConsent(l.hefei(), &patientv1.GiveConsentRequest{RequestId: l.key(), PatientId: p.GetPatientId(), Etag: "2", Purpose: patientv1.Purpose_PURPOSE_REFERRAL})
		l.must(err)
		history := back.GetPatient().GetConsents()
		if len(gone.GetEffects()) == 0 || len(history) != 2 || history[0].GetWithdrawnBy() != "H-HF-01" || history[1].GetGivenBy() != "H-HF-01" || history[1].GetWithdrawTime() != nil {
			t.Errorf("%v %v", gone.GetEffects(), history)
		}
		l.refused(fault.ConsentMissing, func() error {
			_, err := l.server.WithdrawConsent(l.hefei(), &patientv1.WithdrawConsentRequest{RequestId: l.key(), PatientId: p.GetPatientId(), Etag: "3", Purpose: patientv1.Purpose_PURPOSE_TRANSFER})
			return err
		})
	})
}

// Records of one person are joined by those who may, unless both have a live case; separated, each is as it was.
func TestMergeAndUnmerge(t *testing.T) {
	each(t, func(l *line) {
		merges := rpc.Merges{Server: l.server}
		a, b, foreign := l.register(l.hefei(), 1), l.register(l.hefei(), 2), l.register(l.as("H-NC-01", access.Coordinator), 3)
		ask := func(into, from *patientv1.Patient) *patientv1.MergePatientsRequest {
			return &patientv1.MergePatientsRequest{RequestId: l.key(), PatientId: into.GetPatientId(), Etag: into.GetEtag(), MergedId: from.GetPatientId(), MergedEtag: from.GetEtag(), Reason: "重复登记"}
		}
		merge := func(ctx context.Context, r *patientv1.MergePatientsRequest) error {
			_, err := merges.MergePatients(ctx, r)
			return err
		}
		l.refused(fault.ReasonNotFound, func() error { return merge(l.hefei(), ask(a, foreign)) })
		l.refused(fault.ReasonNotFound, func() error { return merge(l.as("H-NC-01", access.Coordinator), ask(a, b)) })
		l.refused(fault.MergeRefused, func() error { return merge(l.hefei(), ask(a, a)) })
		stale := ask(a, b)
		stale.MergedEtag = "7"
		l.refused(fault.StaleVersion, func() error { return merge(l.hefei(), stale) })
		l.live[a.GetPatientId()] = []patient.LiveCase{{ReferralID: referral1, Organ: "LIVER"}}
		l.live[b.GetPatientId()] = []patient.LiveCase{{ReferralID: "ref_2", Organ: "LIVER"}}
		if f := l.refused(fault.MergeRefused, func() error { return merge(l.hefei(), ask(a, b)) }); f.Meta["why"] != "LIVE_CASES" || f.Meta["referral_id"] != "ref_2" {
			t.Errorf("%v", f.Meta)
		}
		l.live[b.GetPatientId()] = []patient.LiveCase{{ReferralID: "ref_2", Organ: "KIDNEY"}} // another organ is no conflict
		kidney := &patientv1.Clinical{Organ: organv1.Organ_ORGAN_KIDNEY, DiagnosisCode: "N18.000"}
		_, err := l.server.RecordClinical(l.hefei(), &patientv1.RecordClinicalRequest{RequestId: l.key(), PatientId: b.GetPatientId(), Clinical: kidney})
		l.must(err)
		request := ask(a, b)
		done, err := merges.MergePatients(l.desk(), request)
		l.must(err)
		if again, err := merges.MergePatients(l.desk(), request); err != nil || !proto.Equal(again, done) {
			t.Errorf("a retry: %v %v", again, err)
		}
		for _, id := range []string{a.GetPatientId(), b.GetPatientId()} {
			got, err := l.server.GetPatient(l.hefei(), &patientv1.GetPatientRequest{PatientId: id})
			if err != nil || got.GetPatient().GetPatientId() != a.GetPatientId() || !slices.Equal(got.GetPatient().GetMergedIds(), []string{b.GetPatientId()}) {
				t.Errorf("%v %v", got, err)
			}
			record, err := l.server.GetClinical(l.hefei(), &patientv1.GetClinicalRequest{PatientId: id, Organ: organv1.Organ_ORGAN_KIDNEY})
			if err != nil || record.GetRecord().GetClinical().GetDiagnosisCode() != "N18.000" {
				t.Errorf("the merged record's data: %v %v", record, err)
			}
		}
		if got, err := l.server.CheckRegistration(l.hefei(), &patientv1.CheckRegistrationRequest{IdentityNumber: number(2)}); err != nil || got.GetPatientId() != a.GetPatientId() {
			t.Errorf("by the merged number: %v %v", got, err)
		}
		l.refused(fault.MergeRefused, func() error { return merge(l.hefei(), ask(done.GetPatient(), b)) })
		undo := func(ctx context.Context, id string) error {
			_, err := merges.UnmergePatients(ctx, &patientv1.UnmergePatientsRequest{RequestId: l.key(), PatientId: id, MergeId: done.GetMerge().GetMergeId(), Reason: "误合并"})
			return err
		}
		l.refused(fault.ReasonNotFound, func() error { return undo(l.as("H-NC-01", access.Coordinator), b.GetPatientId()) })
		l.refused(fault.ReasonNotFound, func() error { return undo(l.hefei(), foreign.GetPatientId()) })
		l.must(undo(l.hefei(), b.GetPatientId()))
		l.refused(fault.MergeRefused, func() error { return undo(l.hefei(), b.GetPatientId()) })
		for _, was := range []*patientv1.Patient{a, b} {
			got, err := l.server.GetPatient(l.hefei(), &patientv1.GetPatientRequest{PatientId: was.GetPatientId()})
			l.must(err)
			got.Patient.Etag = was.GetEtag()
			if !proto.Equal(got.GetPatient(), was) {
				t.Errorf("%v became %v", was, got.GetPatient())
			}
		}
		l.refused(fault.ReasonNotFound, func() error {
			_, err := l.server.GetClinical(l.hefei(), &patientv1.GetClinicalRequest{PatientId: a.GetPatientId(), Organ: organv1.Organ_ORGAN_KIDNEY})
			return err
		})
		history, err := merges.ListMerges(l.desk(), &patientv1.ListMergesRequest{PatientId: a.GetPatientId()})
		if err != nil || len(history.GetMerges()) != 1 || history.GetMerges()[0].GetMergedBy() != "OPS" || history.GetMerges()[0].GetUnmergedBy() != "H-HF-01" {
			t.Errorf("%v %v", history, err)
		}
	})
}
