package rpc_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	organv1 "huhang.example/gen/huhang/organ/v1"
	patientv1 "huhang.example/gen/huhang/patient/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/patient"
	"huhang.example/services/patient/document"
	"huhang.example/services/patient/rpc"
	"huhang.example/services/patient/scan"
	"huhang.example/services/patient/sealing"
	"huhang.example/services/patient/store"
)

// line is the service over one database, with the rest of the line played.
type line struct {
	*testing.T
	db     *sqldb.DB
	clock  *clock.Fake
	server *rpc.Server
	live   map[string][]patient.LiveCase
	closed map[string][]patient.LiveCase
	away   bool // the scanner is
	keys   int
	keyDir string
	mu     sync.Mutex
	told   []string // edits told to cases
}

func (l *line) LiveCases(_ context.Context, patientID string) ([]patient.LiveCase, error) {
	return l.live[patientID], nil
}

func (l *line) Cases(_ context.Context, patientID string) ([]patient.LiveCase, error) {
	return append(slices.Clone(l.live[patientID]), l.closed[patientID]...), nil
}

func (l *line) FactsChanged(_ context.Context, _, referralID string, e patient.Edit) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, fmt.Sprint(referralID, " ", e.Kind, " ", e.Version, " ", e.Data, " ", e.Organisation))
	return nil
}

func (l *line) Scan(ctx context.Context, content []byte) (document.Verdict, error) {
	if l.away {
		return document.Verdict{}, fault.New(fault.Unavailable, fault.PeerUnavailable, "", "away", "暂不可用")
	}
	return scan.Builtin{}.Scan(ctx, content)
}

func each(t *testing.T, test func(l *line)) {
	fake := clock.NewFake(time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC))
	sqldbtest.Each(t, store.Migrations(), func(t *testing.T, db *sqldb.DB) {
		dir := t.TempDir()
		sealer, err := sealing.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		l := &line{T: t, db: db, clock: fake, live: map[string][]patient.LiveCase{}, closed: map[string][]patient.LiveCase{}, keyDir: dir}
		use := patient.New(store.New(db, sealer), l, l, fake, id.Random())
		l.server = rpc.New(use, db, sealer)
		w := sqldb.NewWorkers()
		store.ScanWith(w, use.Scan)
		store.TellWith(w, use)
		if err := db.StartJobs(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.StopJobs(context.WithoutCancel(t.Context())) })
		test(l)
	}, sqldbtest.Clock(fake))
}

func (l *line) as(organisation string, role access.Role) context.Context {
	return access.With(l.Context(), access.Caller{Subject: "staff-1", Organisation: organisation, Roles: []access.Role{role}})
}

func (l *line) hefei() context.Context    { return l.as("H-HF-01", access.Coordinator) }
func (l *line) shanghai() context.Context { return l.as("C-SH-01", access.Center) }
func (l *line) desk() context.Context     { return l.as("OPS", access.Operations) }
func (l *line) service() context.Context {
	return access.With(l.Context(), access.Caller{Service: "referral", Roles: []access.Role{access.Service}})
}

func (l *line) key() string {
	l.keys++
	return fmt.Sprintf("request-%010d", l.keys)
}

// number makes the n-th invented, valid identity number of somebody born on 12 March 1979 in 合肥.
func number(n int) string {
	digits := fmt.Sprintf("34010419790312%03d", n)
	sum := 0
	for i, w := range []int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2} {
		sum += w * int(digits[i]-'0')
	}
	return digits + string("10X98765432"[sum%11])
}

func (l *line) register(ctx context.Context, n int) *patientv1.Patient {
	l.Helper()
	res, err := l.server.RegisterPatient(ctx, l.registration(n))
	if err != nil {
		l.Fatal(err)
	}
	return res.GetPatient()
}

func (l *line) registration(n int) *patientv1.RegisterPatientRequest {
	return &patientv1.RegisterPatientRequest{
		RequestId: l.key(), Name: fmt.Sprintf("示范患者%d", n), IdentityNumber: number(n), Phone: fmt.Sprintf("139%08d", n), ResidenceCity: "340100",
		Coverage: &patientv1.Coverage{Province: "340000", PoolingArea: "340100", Scheme: patientv1.Scheme_SCHEME_RESIDENT},
		Consents: []patientv1.Purpose{patientv1.Purpose_PURPOSE_REFERRAL},
	}
}

func (l *line) grant(patientID, organisation, referralID string) {
	l.Helper()
	_, err := l.server.GrantAccess(l.service(), &patientv1.GrantAccessRequest{RequestId: l.key(), PatientId: patientID, Organisation: organisation, ReferralId: referralID})
	l.must(err)
}

func (l *line) must(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

// told is what a refusal names.
type told struct {
	Field string
	Meta  map[string]string
}

// refused expects a fault, and that the call changed no table of the service.
func (l *line) refused(want fault.Reason, call func() error) told {
	l.Helper()
	before := l.content()
	err := call()
	if !fault.Is(err, want) {
		l.Errorf("got %v, want %s", err, want)
	}
	if !bytes.Equal(before, l.content()) {
		l.Errorf("%s changed something", want)
	}
	f, is := fault.As(err)
	if !is {
		return told{}
	}
	return told{f.Field, f.Meta}
}

// content is what the tables hold, as far as a refusal could change it.
func (l *line) content() []byte {
	l.Helper()
	var all bytes.Buffer
	err := l.db.Read(l.Context(), func(ctx context.Context, q sqldb.Querier) error {
		for _, table := range []string{
			"SELECT patient_id || version || doc || merged_into FROM patient ORDER BY patient_id", "SELECT kind || patient_id FROM patient_index ORDER BY kind, patient_id",
			"SELECT patient_id || organisation || granted_at || '/' || revoked_at FROM access_grant ORDER BY patient_id, organisation, referral_id",
			"SELECT patient_id || organ || version FROM clinical ORDER BY patient_id, organ, version", "SELECT merge_id || ended_at FROM patient_merge ORDER BY merge_id",
			"SELECT result_id || doc FROM result ORDER BY result_id", "SELECT result_id || organisation || number || decision FROM judgement ORDER BY result_id, organisation, number",
			"SELECT document_id || status || doc FROM document ORDER BY document_id", "SELECT document_id || number FROM document_piece ORDER BY document_id, number",
			"SELECT request_id FROM idempotency ORDER BY request_id",
		} {
			rows, err := q.Query(ctx, table)
			if err != nil {
				return err
			}
			for rows.Next() {
				var text string
				if err := rows.Scan(&text); err != nil {
					return err
				}
				all.WriteString(text + "\n")
			}
			if err := rows.Err(); err != nil {
				return err
			}
			rows.Close()
		}
		return nil
	})
	l.must(err)
	return all.Bytes()
}

const referral1 = "ref_00000000000000000000000001"

var liver = organv1.Organ_ORGAN_LIVER
