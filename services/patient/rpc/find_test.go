package rpc_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	patientv1 "huhang.example/gen/huhang/patient/v1"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/patient/sealing"
	"huhang.example/services/patient/store"
)

func (l *line) find(text, organisation string) []*patientv1.FoundPatient {
	l.Helper()
	got, err := l.server.FindPatients(l.service(), &patientv1.FindPatientsRequest{Text: text, Organisation: organisation})
	l.must(err)
	return got.GetPatients()
}

// A name finds everybody who has it, among those the asking organisation may see, and tells nobody's whole name.
func TestFindPatients(t *testing.T) {
	each(t, func(l *line) {
		named := func(n int, name string) string {
			req := l.registration(n)
			req.Name = name
			got, err := l.server.RegisterPatient(l.hefei(), req)
			l.must(err)
			return got.GetPatient().GetPatientId()
		}
		first, second := named(1, "示范甲"), named(2, "示范甲")
		other := named(3, "买买提·示范")
		ids := func(found []*patientv1.FoundPatient) (ids []string) {
			for _, f := range found {
				ids = append(ids, f.GetPatientId())
			}
			return ids
		}
		both := []string{first, second}
		slices.Sort(both)
		for _, c := range []struct {
			text, organisation string
			want               []string
		}{
			{"示范甲", "H-HF-01", both},
			{" 示 范 甲 ", "H-HF-01", both},
			{"示范甲", "", both},
			{"示范甲", "H-NC-01", nil},
			{"示范", "H-HF-01", nil}, // part of a name is not a name
			{"%", "", nil},
			{"买买提示范", "H-HF-01", []string{other}},
			{number(3), "H-HF-01", []string{other}},
			{number(3), "H-NC-01", nil},
			{number(9), "", nil},
			{other, "", []string{other}},
			{other, "H-NC-01", nil},
			{"pat_" + strings.Repeat("0", 26), "", nil},
		} {
			got := ids(l.find(c.text, c.organisation))
			slices.Sort(got)
			if !slices.Equal(got, c.want) {
				l.Errorf("%q by %q: %v, want %v", c.text, c.organisation, got, c.want)
			}
		}
		if name := l.find(number(3), "")[0].GetNameMasked(); name != "买*****" {
			l.Errorf("the name is told as %q", name)
		}
		// A case opens one of the two to a center.
		l.grant(first, "C-SH-01", referral1)
		if got := ids(l.find("示范甲", "C-SH-01")); !slices.Equal(got, []string{first}) {
			l.Errorf("the center finds %v", got)
		}
	})
}

// Who was registered before there was an index is found once the job has run; a key that was added finds what older ones indexed.
func TestNamesRegisteredBeforeTheIndex(t *testing.T) {
	each(t, func(l *line) {
		p := l.register(l.hefei(), 5)
		err := l.db.Write(l.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := tx.Exec(ctx, "DELETE FROM patient_name")
			return err
		})
		l.must(err)
		if len(l.find("示范患者5", "")) != 0 {
			l.Fatal("found without an index")
		}
		sealer, err := sealing.Open(l.keyDir)
		l.must(err)
		l.must(store.New(l.db, sealer).IndexNames(l.Context()))
		if got := l.find("示范患者5", ""); len(got) != 1 || got[0].GetPatientId() != p.GetPatientId() {
			l.Fatalf("%v", got)
		}
	})
}
