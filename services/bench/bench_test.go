package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/pprof/profile"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && children[os.Args[1]] != nil {
		exit(beChild(os.Args[1], os.Args[2]))
	}
	os.Exit(m.Run())
}

// The figures themselves, too short to mean anything: what they compare has to be right all the same.
func TestFigures(t *testing.T) {
	var out bytes.Buffer
	err := run(t.Context(), &out, []string{"-round", "500ms", "-rounds", "1", "-patients", "2000", "registrations", "profile", "reads", "duplicates", "splits"})
	if err != nil {
		t.Fatal(err)
	}
	for _, said := range []string{"PostgreSQL fsync", "REST : pgbench", "INSERT INTO audit", "GetPatient : echo", "| all ", "computed and explained"} {
		if !strings.Contains(out.String(), said) {
			t.Errorf("%q is not printed:\n%s", said, out.String())
		}
	}
}

func TestUnknownFigure(t *testing.T) {
	if err := run(t.Context(), &bytes.Buffer{}, []string{"speed"}); err == nil || !strings.Contains(err.Error(), "registrations") {
		t.Error(err)
	}
}

func TestLoadIsBounded(t *testing.T) {
	var calls atomic.Int64
	count := func(context.Context, int) error { calls.Add(1); return nil }
	got, err := load{callers: 3, during: time.Minute, most: 100}.run(t.Context(), count)
	if err != nil || got.calls != 100 || calls.Load() != 100 || len(got.waits) != 100 {
		t.Errorf("%d calls counted, %d made: %v", got.calls, calls.Load(), err)
	}
	if got, err = (load{callers: 2, during: 0, most: 100}).run(t.Context(), count); err != nil || got.calls != 0 {
		t.Errorf("%d calls in no time: %v", got.calls, err)
	}
	wrong := errors.New("wrong answer")
	if _, err := (load{callers: 2, during: time.Minute, most: 1000}).run(t.Context(), func(_ context.Context, caller int) error {
		if caller == 1 {
			return wrong
		}
		return nil
	}); !errors.Is(err, wrong) {
		t.Errorf("a wrong answer: %v", err)
	}
}

func TestStoredIsCompared(t *testing.T) {
	before := stored{patients: 10, indexed: 20, answers: 11, audited: 12}
	if err := (stored{15, 30, 16, 17}).grewBy(before, 5); err != nil {
		t.Error(err)
	}
	for _, wrong := range []stored{{14, 30, 16, 17}, {15, 29, 16, 17}, {15, 30, 15, 17}, {15, 30, 16, 18}} {
		if wrong.grewBy(before, 5) == nil {
			t.Errorf("%+v was taken for 5 registrations", wrong)
		}
	}
	if distinct([]registered{{id: "pat_1"}, {id: "pat_2"}, {id: "pat_1"}}) == nil {
		t.Error("one id for two people")
	}
}

func TestSeries(t *testing.T) {
	if got := (series{4, 1, 3}).spread("%.0f"); got != "3 (1 to 4)" {
		t.Error(got)
	}
	if got := (series{4, 1, 3, 10}).median(); got != 3.5 {
		t.Error(got)
	}
	if got := (series{10, 20}).over(series{100, 100}).spread("%.2f"); got != "0.15 (0.10 to 0.20)" {
		t.Error(got)
	}
	waits := []time.Duration{5, 1, 4, 2, 3}
	if quantile(waits, 0.5) != 3 || quantile(waits, 0.99) != 5 || quantile(nil, 0.5) != 0 {
		t.Error("quantiles")
	}
}

func TestScript(t *testing.T) {
	const insert = "INSERT INTO t (id, hash, sealed, at, kind, none, empty) VALUES ($1, $2, $3, $4, $5, $6, $7)"
	formats := []int16{0, 1, 1, 1, 0, 0, 0}
	values := func(id string, index byte, at byte) [][]byte {
		return [][]byte{
			[]byte("pat_" + strings.Repeat(id, 4)), bytes.Repeat([]byte{index}, 16), bytes.Repeat([]byte{index}, 40),
			{0, 0, 0, 0, 0, 0, 1, at},
			[]byte("number"), nil,
			{},
		}
	}
	transaction := func(id string, index, at byte) []statement {
		return []statement{
			{sql: "begin"},
			{sql: insert, values: values(id, index, at), formats: formats},
			{sql: "UPDATE t SET n = 1 WHERE id = $1", values: [][]byte{[]byte("pat_" + strings.Repeat(id, 4))}},
			{sql: "commit"},
		}
	}
	types := func(sql string) ([]uint32, error) {
		if sql == insert {
			return []uint32{pgtype.TextOID, pgtype.ByteaOID, pgtype.ByteaOID, pgtype.Int8OID, pgtype.TextOID, pgtype.TextOID, pgtype.TextOID}, nil
		}
		return []uint32{pgtype.TextOID}, nil
	}
	got, err := newScript(transaction("a", 1, 7), transaction("b", 2, 9), 1, nil, types)
	if err != nil {
		t.Fatal(err)
	}
	const want = counters + `begin;
INSERT INTO t (id, hash, sealed, at, kind, none, empty) VALUES (('pat_' || lpad(:n || '000', 4, '0')), decode(md5('1-' || :n), 'hex'), :v2, (263 + :n), :v4, NULL, '');
UPDATE t SET n = 1 WHERE id = ('pat_' || lpad(:n || '000', 4, '0'));
commit;
`
	if got.text != want {
		t.Errorf("got %s", got.text)
	}
	if want := []string{`v2=\x` + strings.Repeat("01", 40), "v4=number"}; strings.Join(got.variables, " ") != strings.Join(want, " ") {
		t.Errorf("got %q", got.variables)
	}
	if _, err := newScript(transaction("a", 1, 7), transaction("b", 2, 9)[1:], 1, nil, types); err == nil {
		t.Error("transactions of different statements were taken for the same")
	}
}

func TestObserved(t *testing.T) {
	var sent []byte
	for _, m := range []pgproto3.FrontendMessage{
		&pgproto3.Parse{Name: "s1", Query: "SELECT $1"},
		&pgproto3.Bind{PreparedStatement: "s1", Parameters: [][]byte{[]byte("x")}, ParameterFormatCodes: []int16{0}},
		&pgproto3.Sync{}, &pgproto3.Query{String: "commit"},
	} {
		var err error
		if sent, err = m.Encode(sent); err != nil {
			t.Fatal(err)
		}
	}
	from, prepared := bytes.NewReader(sent), map[string]string{}
	var seen []string
	for from.Len() > 0 {
		kind, _ := from.ReadByte()
		body, err := message(from)
		if err != nil {
			t.Fatal(err)
		}
		s, complete, err := read(kind, body, prepared)
		if err != nil {
			t.Fatal(err)
		}
		if complete {
			seen = append(seen, s.sql+string(bytes.Join(s.values, nil)))
		}
	}
	if strings.Join(seen, ";") != "SELECT $1x;commit" {
		t.Error(seen)
	}
	for _, wrong := range [][]byte{nil, {0, 0, 0, 3}, {255, 255, 255, 255}, {0, 0, 0, 8, 1}} {
		if _, err := message(bytes.NewReader(wrong)); err == nil {
			t.Errorf("%v was taken for a message", wrong)
		}
	}
}

func TestPartOfASample(t *testing.T) {
	modules := []string{"github.com/jackc/pgx/v5", "google.golang.org/grpc"}
	for want, stack := range map[string][]string{
		"github.com/jackc/pgx/v5":     {"syscall.write", "net.(*conn).Write", "github.com/jackc/pgx/v5/pgconn.(*PgConn).Exec", "huhang.example/services/internal/sqldb.(*Tx).Exec"},
		"services/internal/sqldb":     {"runtime.mallocgc", "huhang.example/services/internal/sqldb.(*DB).Write[...]", "google.golang.org/grpc.(*Server).serve"},
		"google.golang.org/grpc":      {"crypto/tls.(*Conn).Write", "google.golang.org/grpc/internal/transport.(*loopyWriter).run"},
		"net/http":                    {"internal/poll.(*FD).Read", "net/http.(*conn).serve"},
		"encoding/json":               {"encoding/json.Marshal", "huhang.example/services/patient/store.(*Store).seal"},
		collecting:                    {"runtime.scanobject", "runtime.gcDrain", "runtime.gcBgMarkWorker"},
		scheduling:                    {"runtime.futex", "runtime.findRunnable", "runtime.schedule"},
		"example.org/other/sub/thing": {"example.org/other/sub/thing.f"},
	} {
		sample := &profile.Sample{}
		for _, function := range stack {
			sample.Location = append(sample.Location, &profile.Location{Line: []profile.Line{{Function: &profile.Function{Name: function}}}})
		}
		if got := partOf(sample, modules); got != want {
			t.Errorf("%v counts for %s, not %s", stack, got, want)
		}
	}
}
