// Package storetest is what every patient.Store must do.
package storetest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/id"
	"huhang.example/services/patient"
	"huhang.example/services/patient/clinical"
)

var now = time.Date(2026, 11, 22, 4, 0, 0, 123456000, time.UTC)

// Person makes the n-th invented patient.
func Person(ids id.Source, n int) *patient.Patient {
	return &patient.Patient{
		ID: ids.New("pat"), Sex: patient.Male, BirthDate: "1979-03-12", ResidenceCity: "340100", RegisteredBy: "H-HF-01", CreatedAt: now,
		Identity: patient.Identity{Name: "示范患者", Number: patient.IdentityNumber(fmt.Sprintf("34010419790312%04d", n)), Phone: fmt.Sprintf("139%08d", n)},
		Coverage: patient.Coverage{Province: "340000", PoolingArea: "340100", Scheme: "RESIDENT", Groups: []string{"SUBSISTENCE"}},
		Consents: []patient.Consent{{Purpose: patient.ForReferral, GivenAt: now}},
	}
}

// Run holds a store to the suite.
func Run(t *testing.T, store patient.Store) {
	ctx := t.Context()
	ids := id.Random()
	insert := func(t *testing.T, n int) *patient.Patient {
		t.Helper()
		p := Person(ids, n)
		if err := store.Insert(ctx, p); err != nil {
			t.Fatal(err)
		}
		return p
	}

	t.Run("what was stored comes back", func(t *testing.T) {
		p := insert(t, 1)
		got, err := store.Get(ctx, p.ID)
		if err != nil {
			t.Fatal(err)
		}
		if got.Identity != p.Identity || !got.CreatedAt.Equal(now) || got.Coverage.Groups[0] != "SUBSISTENCE" || !got.Consented(patient.ForReferral) || got.Etag() != "1" {
			t.Errorf("got %+v", got)
		}
		for want, find := range map[string]func() (string, error){
			"number": func() (string, error) { return store.FindNumber(ctx, p.Identity.Number) },
			"person": func() (string, error) { return store.FindPerson(ctx, p.Identity.Name, p.BirthDate, p.Identity.Phone) },
		} {
			if id, err := find(); err != nil || id != p.ID {
				t.Errorf("by %s: %q %v", want, id, err)
			}
		}
		if id, err := store.FindNumber(ctx, "340104197903129999"); err != nil || id != "" {
			t.Errorf("an unknown number: %q %v", id, err)
		}
		if _, err := store.Get(ctx, ids.New("pat")); !fault.Is(err, fault.ReasonNotFound) {
			t.Errorf("an absent id: %v", err)
		}
	})

	t.Run("one person registers once, whatever the race", func(t *testing.T) {
		var won atomic.Int32
		var wg sync.WaitGroup
		for range 32 {
			wg.Go(func() {
				switch err := store.Insert(ctx, Person(ids, 2)); {
				case err == nil:
					won.Add(1)
				case !fault.Is(err, fault.PatientDuplicate):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Errorf("%d registrations of one person", won.Load())
		}
	})

	t.Run("an update needs the version it saw", func(t *testing.T) {
		p := insert(t, 3)
		var won atomic.Int32
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				_, err := store.Update(ctx, p.ID, "1", func(p *patient.Patient) error {
					p.Identity.Phone = fmt.Sprintf("138%08d", i)
					return nil
				})
				switch {
				case err == nil:
					won.Add(1)
				case !fault.Is(err, fault.StaleVersion):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		got, err := store.Get(ctx, p.ID)
		if err != nil || won.Load() != 1 || got.Etag() != "2" || !strings.HasPrefix(got.Identity.Phone, "138") {
			t.Fatalf("%d updates, etag %s, %v", won.Load(), got.Etag(), err)
		}
		if id, err := store.FindPerson(ctx, p.Identity.Name, p.BirthDate, got.Identity.Phone); err != nil || id != p.ID {
			t.Errorf("not found by the new phone: %q %v", id, err)
		}
		if id, err := store.FindNumber(ctx, p.Identity.Number); err != nil || id != p.ID {
			t.Errorf("not found by number any more: %q %v", id, err)
		}
		refused := fault.New(fault.InvalidArgument, fault.FieldInvalid, "phone", "no", "否")
		if _, err := store.Update(ctx, p.ID, "2", func(p *patient.Patient) error { p.ResidenceCity = "310100"; return refused }); !fault.Is(err, fault.FieldInvalid) {
			t.Errorf("a refused change: %v", err)
		}
		if got, _ := store.Get(ctx, p.ID); got.Etag() != "2" || got.ResidenceCity != "340100" {
			t.Error("a refused change left something behind")
		}
	})

	t.Run("a case gives access and the list shows it", func(t *testing.T) {
		p := insert(t, 4)
		other := insert(t, 5)
		if see, err := store.MaySee(ctx, p.ID, "C-SH-01"); err != nil || see {
			t.Errorf("before: %v %v", see, err)
		}
		for range 2 {
			if err := store.Grant(ctx, p.ID, "C-SH-01", ids.New("ref"), now); err != nil {
				t.Fatal(err)
			}
		}
		if see, err := store.MaySee(ctx, p.ID, "C-SH-01"); err != nil || !see {
			t.Errorf("after: %v %v", see, err)
		}
		if err := store.Grant(ctx, ids.New("pat"), "C-SH-01", ids.New("ref"), now); !fault.Is(err, fault.ReasonNotFound) {
			t.Errorf("an absent patient: %v", err)
		}
		list, err := store.List(ctx, "C-SH-01", "", 10)
		if err != nil || len(list) != 1 || list[0].ID != p.ID {
			t.Errorf("the center's list: %v %v", list, err)
		}
		newest, err := store.List(ctx, "H-HF-01", "", 1)
		if err != nil || len(newest) != 1 || newest[0].ID != other.ID {
			t.Errorf("the newest: %v %v", newest, err)
		}
		next, err := store.List(ctx, "", newest[0].ID, 1)
		if err != nil || len(next) != 1 || next[0].ID != p.ID {
			t.Errorf("the page after: %v %v", next, err)
		}
	})

	t.Run("clinical data are versions", func(t *testing.T) {
		p := insert(t, 6)
		add := func(ctx context.Context, etag, code string) error {
			_, err := store.AddClinical(ctx, p.ID, "LIVER", etag, func(before *patient.Record) (*patient.Record, error) {
				r := &patient.Record{
					Clinical: clinical.Clinical{Organ: "LIVER", DiagnosisCode: code}, RecordedAt: now, RecordedBy: "H-HF-01", Subject: "zhang", Version: 1,
					Rules: clinical.RulesVersion, Changed: map[string]patient.DatumTime{"diagnosis_code": {At: now, Version: 1}},
				}
				if before != nil {
					r.Version = before.Version + 1
				}
				return r, nil
			})
			return err
		}
		if _, err := store.LatestClinical(ctx, p.ID, "LIVER"); !fault.Is(err, fault.ReasonNotFound) {
			t.Errorf("before the first: %v", err)
		}
		if err := add(ctx, "", "K74.600"); err != nil {
			t.Fatal(err)
		}
		if err := add(ctx, "", "C22.000"); !fault.Is(err, fault.StaleVersion) {
			t.Errorf("a second first: %v", err)
		}
		if err := add(ctx, "1", "C22.000"); err != nil {
			t.Fatal(err)
		}
		r, err := store.LatestClinical(ctx, p.ID, "LIVER")
		if err != nil || r.Version != 2 || r.Clinical.DiagnosisCode != "C22.000" || !r.RecordedAt.Equal(now) || r.Subject != "zhang" ||
			r.Rules != clinical.RulesVersion || !r.Changed["diagnosis_code"].At.Equal(now) {
			t.Errorf("got %+v %v", r, err)
		}
		all, err := store.ClinicalVersions(ctx, p.ID, "LIVER", 0, 10)
		if err != nil || len(all) != 2 || all[0].Version != 2 || all[1].Clinical.DiagnosisCode != "K74.600" {
			t.Errorf("the versions: %v %v", all, err)
		}
		if older, err := store.ClinicalVersions(ctx, p.ID, "LIVER", 2, 10); err != nil || len(older) != 1 || older[0].Version != 1 {
			t.Errorf("before 2: %v %v", older, err)
		}
	})
	runAccess(t, store, ids)
	runMerge(t, store, ids)
}
