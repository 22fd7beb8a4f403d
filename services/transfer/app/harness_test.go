package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/transfer"
	"huhang.example/services/transfer/planner"
	"huhang.example/services/transfer/rpc"
	"huhang.example/services/transfer/store"
	"huhang.example/services/transfer/timetable"
)

var begin = time.Date(2026, 3, 2, 6, 0, 0, 0, clock.Shanghai)

// world is the service with its jobs over one database, a clock of the test's own, and peers that remember.
type world struct {
	t      *testing.T
	clock  *clock.Fake
	db     *sqldb.DB
	server *rpc.Server
	pool   *rpc.PoolServer
	moves  *rpc.MoveServer
	live   *rpc.LiveServer
	core   *transfer.Service
	tables *rpc.TimetableServer
	peers  *memory
	ids    id.Source
	jobs   *sqldb.Workers
}

type memory struct {
	mu      sync.Mutex
	patient transfer.Patient
	cases   map[string]transfer.Case
	err     error
	events  []transfer.CaseEvent
}

func (m *memory) Patient(context.Context, string) (transfer.Patient, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.patient, m.err
}

func (m *memory) Case(_ context.Context, referralID string) (transfer.Case, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if found, there := m.cases[referralID]; there || m.err != nil {
		return found, m.err
	}
	return transfer.Case{}, fault.NotFoundf("referral", referralID)
}

func (m *memory) VisibleCase(ctx context.Context, referralID string) (transfer.Case, error) {
	found, err := m.Case(ctx, referralID)
	if err == nil && !access.From(ctx).MaySee(found.Center) {
		return transfer.Case{}, fault.NotFoundf("referral", referralID)
	}
	return found, err
}

func (m *memory) RecordCaseEvent(_ context.Context, e transfer.CaseEvent) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	m.events = append(m.events, e)
	return nil
}

// kinds are the kinds of the events told, once each however often they were told.
func (m *memory) kinds() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	seen := map[string]bool{}
	var out []string
	for _, e := range m.events {
		if !seen[e.RequestID] {
			seen[e.RequestID] = true
			out = append(out, e.Kind)
		}
	}
	slices.Sort(out)
	return out
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": sqldbtest.SQLite, "postgres": sqldbtest.Postgres} {
		t.Run(name, func(t *testing.T) {
			c := clock.NewFake(begin)
			w := &world{t: t, clock: c, ids: id.Random(), peers: &memory{cases: map[string]transfer.Case{}, patient: transfer.Patient{RegisteredBy: "H-BD-01", ConsentToTransfer: true}}}
			w.db = sqldbtest.Open(t, dsn(t), store.Migrations, sqldbtest.Clock(c))
			kept := store.New(w.db)
			for range 2 { // as at a second start
				if err := seed(t.Context(), kept, w.ids); err != nil {
					t.Fatal(err)
				}
			}
			service := transfer.New(kept, w.peers, planner.New(timetable.Sample(), planner.CurrentRules()), c, w.ids)
			w.server, w.core = rpc.New(service, w.db), service
			w.pool, w.moves, w.live = rpc.NewPool(service, w.db), rpc.NewMoves(service, w.db), rpc.NewLive(service)
			w.tables = rpc.NewTimetable(service, w.db)
			w.jobs = sqldb.NewWorkers()
			handle(w.jobs, service)
			test(t, w)
		})
	}
}

func (w *world) startJobs() {
	w.t.Helper()
	if err := w.db.StartJobs(w.t.Context(), w.jobs); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) as(organisation string, role access.Role) context.Context {
	return access.With(w.t.Context(), access.Caller{Subject: "示范工号-1", Organisation: organisation, Roles: []access.Role{role}})
}

func (w *world) sender() context.Context   { return w.as("H-BD-01", access.Coordinator) }
func (w *world) receiver() context.Context { return w.as("C-BJ-01", access.Center) }
func (w *world) service() context.Context {
	return access.With(w.t.Context(), access.Caller{Service: "matching", Roles: []access.Role{access.Service}})
}

func (w *world) request() string { return w.ids.New("req") }

func at(hours int) *timestamppb.Timestamp {
	return timestamppb.New(begin.Add(time.Duration(hours) * time.Hour))
}

// opens makes a case of a new patient at a center.
func (w *world) opens(center string) (referralID, patientID string) {
	referralID, patientID = w.ids.New("ref"), w.ids.New("pat")
	w.peers.mu.Lock()
	defer w.peers.mu.Unlock()
	w.peers.cases[referralID] = transfer.Case{PatientID: patientID, State: "BOOKED", Center: center}
	return referralID, patientID
}

// newTransfer needs a nurse: from Baoding to Beijing with oxygen, by ambulance.
func (w *world) newTransfer() *transferv1.CreateTransferRequest {
	ref, pat := w.opens("C-BJ-01")
	return &transferv1.CreateTransferRequest{
		RequestId: w.request(), ReferralId: ref, PatientId: pat, FromOrganisation: "H-BD-01", ToOrganisation: "C-BJ-01",
		OriginCity: "130600", DestinationCity: "110100", NotBefore: at(4), Fitness: &transferv1.FitnessToTravel{Oxygen: true},
	}
}

func (w *world) create() *transferv1.Transfer {
	w.t.Helper()
	made, err := w.server.CreateTransfer(w.sender(), w.newTransfer())
	if err != nil {
		w.t.Fatal(err)
	}
	return made.GetTransfer()
}

func (w *world) fitness(t *transferv1.Transfer, f *transferv1.FitnessToTravel, unfit bool) *transferv1.CheckFitnessRequest {
	return &transferv1.CheckFitnessRequest{RequestId: w.request(), TransferId: t.GetTransferId(), Etag: t.GetEtag(), Fitness: f, Unfit: unfit}
}

func (w *world) departed() *transferv1.Transfer {
	w.t.Helper()
	made := w.create()
	w.clock.Advance(4 * time.Hour)
	checked, err := w.server.CheckFitness(w.sender(), w.fitness(made, &transferv1.FitnessToTravel{Oxygen: true}, false))
	if err != nil {
		w.t.Fatal(err)
	}
	left, err := w.server.Depart(w.sender(), &transferv1.DepartRequest{
		RequestId: w.request(), TransferId: made.GetTransferId(), Etag: checked.GetTransfer().GetEtag(),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return left.GetTransfer()
}

func (w *world) holdRequest(from, to int) *transferv1.HoldResourcesRequest {
	ref, _ := w.opens("C-BJ-01")
	return &transferv1.HoldResourcesRequest{
		RequestId: w.request(), ReferralId: ref, Organisation: "C-BJ-01", ExpireTime: at(72),
		Needs: []*transferv1.Need{
			{Organisation: "C-BJ-01", Kind: transferv1.ResourceKind_RESOURCE_KIND_BED, StartTime: at(from), EndTime: at(to)},
			{Organisation: "C-BJ-01", Kind: transferv1.ResourceKind_RESOURCE_KIND_OPERATING_ROOM, StartTime: at(from + 1), EndTime: at(from + 2)},
		},
	}
}

func (w *world) hold(from, to int) *transferv1.Hold {
	w.t.Helper()
	made, err := w.server.HoldResources(w.service(), w.holdRequest(from, to))
	if err != nil {
		w.t.Fatal(err)
	}
	return made.GetHold()
}

func (w *world) free(organisation string, kind transferv1.ResourceKind, from, to int) int {
	w.t.Helper()
	got, err := w.server.CountFree(w.service(), &transferv1.CountFreeRequest{
		Organisations: []string{organisation}, Kind: kind, StartTime: at(from), EndTime: at(to),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return int(got.GetFree()[0])
}

func (w *world) crews(from, to int) int {
	return w.free("H-BD-01", transferv1.ResourceKind_RESOURCE_KIND_CREW, from, to)
}

// snapshot is everything the database keeps, to see that a refusal changed nothing.
func (w *world) snapshot() string {
	w.t.Helper()
	var out strings.Builder
	err := w.db.Read(w.t.Context(), func(ctx context.Context, q sqldb.Querier) error {
		for _, query := range []string{
			"SELECT transfer_id || ' ' || status || ' ' || doc, version FROM transfer ORDER BY transfer_id",
			"SELECT hold_id || ' ' || status, version FROM hold ORDER BY hold_id",
			"SELECT hold_id || ' ' || resource_id, CASE WHEN live THEN 1 ELSE 0 END FROM reservation ORDER BY hold_id, position",
			"SELECT resource_id, version FROM resource ORDER BY resource_id",
			"SELECT quota_id, version FROM quota ORDER BY quota_id",
			"SELECT loan_id || ' ' || status, version FROM loan ORDER BY loan_id",
			"SELECT day || ' ' || number || ' ' || doc, reported_at FROM disruption ORDER BY day, number",
			"SELECT 'changes', count(*) FROM transfer_change",
			"SELECT transfer_id, at FROM transfer_position ORDER BY transfer_id",
			"SELECT resource_id || ' ' || calendar, edition FROM resource ORDER BY resource_id",
			"SELECT 'answers', count(*) FROM idempotency",
			"SELECT 'audit', count(*) FROM audit",
			"SELECT 'jobs', count(*) FROM river_job",
		} {
			rows, err := q.Query(ctx, query)
			if err != nil {
				return err
			}
			for rows.Next() {
				var text string
				var n int64
				if err := rows.Scan(&text, &n); err != nil {
					return err
				}
				fmt.Fprintln(&out, text, n)
			}
			if err := rows.Err(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out.String()
}

// refused checks that err has the reason and that nothing was changed since before.
func (w *world) refused(name, before string, err error, reason fault.Reason) fault.Fault {
	w.t.Helper()
	f, ok := fault.As(err)
	if !ok || f.Reason != reason {
		w.t.Errorf("%s: %v, want %s", name, err, reason)
		return fault.Fault{}
	}
	if f.En == "" || f.Zh == "" {
		w.t.Errorf("%s: no text", name)
	}
	if after := w.snapshot(); after != before {
		w.t.Errorf("%s: changed\n%s\nto\n%s", name, before, after)
	}
	return *f
}

func (w *world) toldExactly(kinds ...string) {
	w.t.Helper()
	slices.Sort(kinds)
	sqldbtest.Eventually(w.t, fmt.Sprintf("told %v", kinds), func() bool { return slices.Equal(w.peers.kinds(), kinds) })
}
