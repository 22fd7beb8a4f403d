package idempotency_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"google.golang.org/protobuf/proto"

	patientv1 "huhang.example/gen/huhang/patient/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/audit"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/idempotency"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
)

var (
	tables = fstest.MapFS{"0001_effect.sql": {Data: []byte("CREATE TABLE effect (id TEXT NOT NULL PRIMARY KEY);")}}
	errNo  = errors.New("refused")
)

const requestID = "request-0123456789"

func hospital(ctx context.Context, code string) context.Context {
	return access.With(ctx, access.Caller{Subject: "zhang", Organisation: code, Roles: []access.Role{access.Coordinator}})
}

func request(id, name string) *patientv1.RegisterPatientRequest {
	return &patientv1.RegisterPatientRequest{RequestId: id, Name: name}
}

// register has an effect on the database and an answer that tells which run it came from.
func register(db *sqldb.DB, runs *atomic.Int64) func(ctx context.Context) (*patientv1.RegisterPatientResponse, error) {
	return func(ctx context.Context) (*patientv1.RegisterPatientResponse, error) {
		id := fmt.Sprintf("pat_%d", runs.Add(1))
		err := db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := tx.Exec(ctx, "INSERT INTO effect (id) VALUES ($1)", id)
			return err
		})
		return &patientv1.RegisterPatientResponse{Patient: &patientv1.Patient{PatientId: id, Name: "示范"}}, err
	}
}

func rows(t *testing.T, db *sqldb.DB, table string) int {
	t.Helper()
	var n int
	err := db.Read(t.Context(), func(ctx context.Context, q sqldb.Querier) error {
		return q.QueryRow(ctx, "SELECT count(*) FROM "+table).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestParallelDuplicatesHaveOneEffect(t *testing.T) {
	const callers = 64
	sqldbtest.Each(t, tables, func(t *testing.T, db *sqldb.DB) {
		ctx := hospital(t.Context(), "H-HF-01")
		var runs atomic.Int64
		answers := make([]*patientv1.RegisterPatientResponse, callers)
		var wait sync.WaitGroup
		for i := range callers {
			wait.Go(func() {
				var err error
				answers[i], err = idempotency.Once(ctx, db, request(requestID, "a"), register(db, &runs))
				if err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		for _, answer := range answers {
			if !proto.Equal(answer, answers[0]) || answer.GetPatient().GetPatientId() == "" {
				t.Fatalf("answers differ: %v and %v", answers[0], answer)
			}
		}
		if n := rows(t, db, "effect"); n != 1 {
			t.Fatalf("%d effects", n)
		}
		var entries []audit.Record
		err := db.Read(t.Context(), func(ctx context.Context, q sqldb.Querier) (err error) {
			entries, err = audit.List(ctx, q, audit.Filter{Resource: answers[0].GetPatient().GetPatientId()})
			return err
		})
		if err != nil || len(entries) != 1 {
			t.Fatalf("audit = %+v, %v", entries, err)
		}
		entry := entries[0]
		if entry.Action != "huhang.patient.v1.RegisterPatientRequest" || entry.Organisation != "H-HF-01" || entry.Subject != "zhang" ||
			entry.Outcome != audit.Done || len(entry.RequestHash) != 32 || entry.At.IsZero() {
			t.Fatalf("audit = %+v", entry)
		}
	})
}

func TestOtherPayloadIsRefused(t *testing.T) {
	sqldbtest.Each(t, tables, func(t *testing.T, db *sqldb.DB) {
		ctx := hospital(t.Context(), "H-HF-01")
		var runs atomic.Int64
		if _, err := idempotency.Once(ctx, db, request(requestID, "a"), register(db, &runs)); err != nil {
			t.Fatal(err)
		}
		answer, err := idempotency.Once(ctx, db, request(requestID, "b"), register(db, &runs))
		if !fault.Is(err, fault.RequestIDReused) || answer != nil {
			t.Fatalf("answer %v, err %v", answer, err)
		}
		if n := rows(t, db, "effect"); n != 1 {
			t.Fatalf("%d effects", n)
		}
	})
}

func TestKeysAreTheCallersOwn(t *testing.T) {
	sqldbtest.Each(t, tables, func(t *testing.T, db *sqldb.DB) {
		var runs atomic.Int64
		contexts := []context.Context{
			hospital(t.Context(), "H-HF-01"), hospital(t.Context(), "H-NC-01"),
			access.With(t.Context(), access.Caller{Service: "H-HF-01"}),
		}
		for i, ctx := range contexts {
			answer, err := idempotency.Once(ctx, db, request(requestID, "a"), register(db, &runs))
			if err != nil || answer.GetPatient().GetPatientId() != fmt.Sprintf("pat_%d", i+1) {
				t.Fatalf("caller %d: %v, %v", i, answer, err)
			}
		}
		// The same request id in another method is another request.
		_, err := idempotency.Once(contexts[0], db, &patientv1.GiveConsentRequest{RequestId: requestID, PatientId: "pat_1"},
			func(context.Context) (*patientv1.GiveConsentResponse, error) {
				return &patientv1.GiveConsentResponse{}, nil
			})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestErrorLeavesNoTrace(t *testing.T) {
	sqldbtest.Each(t, tables, func(t *testing.T, db *sqldb.DB) {
		ctx := hospital(t.Context(), "H-HF-01")
		var runs atomic.Int64
		run := register(db, &runs)
		_, err := idempotency.Once(ctx, db, request(requestID, "a"), func(ctx context.Context) (*patientv1.RegisterPatientResponse, error) {
			if _, err := run(ctx); err != nil {
				return nil, err
			}
			return nil, errNo
		})
		if !errors.Is(err, errNo) {
			t.Fatal(err)
		}
		for _, table := range []string{"effect", "idempotency", "audit"} {
			if n := rows(t, db, table); n != 0 {
				t.Errorf("%d rows in %s", n, table)
			}
		}
		// The same id may be used for a corrected payload.
		if _, err := idempotency.Once(ctx, db, request(requestID, "b"), run); err != nil {
			t.Fatal(err)
		}
	})
}

func TestRefusals(t *testing.T) {
	db := sqldbtest.Open(t, sqldbtest.SQLite(t), tables)
	var runs atomic.Int64
	ctx := hospital(t.Context(), "H-HF-01")
	if _, err := idempotency.Once(ctx, db, request("", "a"), register(db, &runs)); !fault.Is(err, fault.FieldInvalid) {
		t.Errorf("no request id: %v", err)
	}
	if _, err := idempotency.Once(ctx, db, request(strings.Repeat("x", 200), "a"), register(db, &runs)); !fault.Is(err, fault.FieldInvalid) {
		t.Errorf("long request id: %v", err)
	}
	if _, err := idempotency.Once(t.Context(), db, request(requestID, "a"), register(db, &runs)); !fault.Is(err, fault.IdentityMissing) {
		t.Errorf("nobody: %v", err)
	}
	_, err := idempotency.Once(ctx, db, request(requestID, "a"), func(context.Context) (*patientv1.RegisterPatientResponse, error) { return nil, nil })
	if err == nil {
		t.Error("no answer and no error was accepted")
	}
	if runs.Load() != 0 {
		t.Error("a refused call ran")
	}
}

// reversed stands for an AEAD: it shows whether what is stored went through it, bound to its row.
type reversed struct{}

func (reversed) Encrypt(plain, data []byte) ([]byte, error) {
	return append(flip(plain), data...), nil
}

func (reversed) Decrypt(sealed, data []byte) ([]byte, error) {
	plain, bound := bytes.CutSuffix(sealed, data)
	if !bound {
		return nil, errNo
	}
	return flip(plain), nil
}

func flip(b []byte) []byte {
	out := bytes.Clone(b)
	for i := range out {
		out[i] ^= 0xff
	}
	return out
}

func TestSealedAnswer(t *testing.T) {
	sqldbtest.Each(t, tables, func(t *testing.T, db *sqldb.DB) {
		ctx := hospital(t.Context(), "H-HF-01")
		var runs atomic.Int64
		for range 2 {
			answer, err := idempotency.Once(ctx, db, request(requestID, "a"), register(db, &runs), idempotency.Sealed(reversed{}))
			if err != nil || answer.GetPatient().GetPatientId() != "pat_1" {
				t.Fatalf("%v, %v", answer, err)
			}
		}
		var stored []byte
		err := db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
			return q.QueryRow(ctx, "SELECT answer FROM idempotency").Scan(&stored)
		})
		if err != nil || bytes.Contains(stored, []byte("示范")) {
			t.Fatalf("stored %q, %v", stored, err)
		}
	})
}

func TestPurge(t *testing.T) {
	now := clock.NewFake(time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC))
	sqldbtest.Each(t, tables, func(t *testing.T, db *sqldb.DB) {
		ctx := hospital(t.Context(), "H-HF-01")
		var runs atomic.Int64
		for i := range 3 {
			if _, err := idempotency.Once(ctx, db, request(fmt.Sprintf("%s-%d", requestID, i), "a"), register(db, &runs)); err != nil {
				t.Fatal(err)
			}
			now.Advance(24 * time.Hour)
		}
		if n, err := idempotency.Purge(t.Context(), db, 36*time.Hour); err != nil || n != 2 {
			t.Fatalf("purged %d, %v", n, err)
		}
		if rows(t, db, "idempotency") != 1 || rows(t, db, "audit") != 3 {
			t.Fatal("wrong rows are left")
		}
		// As a job.
		now.Advance(2 * idempotency.Keep)
		w := sqldb.NewWorkers()
		idempotency.SchedulePurge(w, db)
		if err := db.StartJobs(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		sqldbtest.Eventually(t, "the job purges", func() bool { return rows(t, db, "idempotency") == 0 })
	}, sqldbtest.Clock(now))
}

// Recall knows what Once did, and refuses another payload under its id before anything is done.
func TestRecall(t *testing.T) {
	sqldbtest.Each(t, tables, func(t *testing.T, db *sqldb.DB) {
		ctx := hospital(t.Context(), "H-HF-01")
		recall := func(ctx context.Context, name string) (*patientv1.RegisterPatientResponse, bool, error) {
			return idempotency.Recall[*patientv1.RegisterPatientResponse](ctx, db, request(requestID, name))
		}
		if _, known, err := recall(ctx, "a"); known || err != nil {
			t.Fatal(known, err)
		}
		var runs atomic.Int64
		first, err := idempotency.Once(ctx, db, request(requestID, "a"), register(db, &runs))
		if err != nil {
			t.Fatal(err)
		}
		if again, known, err := recall(ctx, "a"); !known || err != nil || !proto.Equal(again, first) {
			t.Error(again, known, err)
		}
		if _, _, err := recall(ctx, "b"); !fault.Is(err, fault.RequestIDReused) {
			t.Error(err)
		}
		if _, known, err := recall(hospital(t.Context(), "H-NC-01"), "a"); known || err != nil {
			t.Error("a stranger's", known, err)
		}
	})
}
