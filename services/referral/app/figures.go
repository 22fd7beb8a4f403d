package app

import (
	"context"
	"encoding/hex"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fleet"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/referral/figures"
)

// foldEvery is how often the feed is looked at for figures.
const foldEvery = 5 * time.Second

type foldArgs struct{}

func (foldArgs) Kind() string { return "referral_figures" }

// scheduleFigures folds the feed while jobs run. Of several instances one does it.
func scheduleFigures(w *sqldb.Workers, s *figures.Service) {
	sqldb.Handle(w, func(ctx context.Context, _ foldArgs) error { return s.Advance(ctx) })
	sqldb.Every(w, foldEvery, foldArgs{})
}

// meters are the figures as metrics (指标). Labels are states, outcomes, reasons, payers, lines and provinces, and centers up
// to a bound; nothing names a case or a person. An observation carries the trace in which it came about as its exemplar.
type meters struct {
	stays, answers, delays              metric.Float64Histogram
	suspended                           metric.Float64Counter
	cases, offers, moves, bills, paidBy metric.Int64Counter
	centers                             bounded
}

// maxCenters bounds the label: the network plans for fewer.
const maxCenters = 200

var (
	daysOfSeconds = metric.WithExplicitBucketBoundaries(60, 300, 900, 3600, 7200, 14400, 28800, 86400, 172800, 259200, 432000, 604800, 1209600,
		2592000, 5184000, 7776000, 15552000, 31536000)
	hoursOfSeconds = metric.WithExplicitBucketBoundaries(300, 900, 1800, 3600, 7200, 14400, 28800, 43200, 86400, 172800, 432000, 604800)
)

func newMeters(m metric.Meter) (*meters, error) {
	var x meters
	var failed []error
	keep := func(err error) { failed = append(failed, err) }
	var err error
	x.stays, err = m.Float64Histogram("huhang.case.state.duration", metric.WithUnit("s"), daysOfSeconds,
		metric.WithDescription("Time a case's clock ran in a state, when it left it; by state and line."))
	keep(err)
	x.suspended, err = m.Float64Counter("huhang.case.state.suspended", metric.WithUnit("s"),
		metric.WithDescription("Time the clocks of cases were suspended, when they left the state; by state and line."))
	keep(err)
	x.cases, err = m.Int64Counter("huhang.cases", metric.WithDescription("Cases opened, and closed by reason; by line."))
	keep(err)
	x.offers, err = m.Int64Counter("huhang.offers.ended", metric.WithDescription("Offers that ended, by outcome, reason, line and center."))
	keep(err)
	x.answers, err = m.Float64Histogram("huhang.offer.answer.duration", metric.WithUnit("s"), hoursOfSeconds,
		metric.WithDescription("From an offer to its end, by outcome and line."))
	keep(err)
	x.moves, err = m.Int64Counter("huhang.transfers.ended", metric.WithDescription("Moves that ended, by outcome and the two provinces."))
	keep(err)
	x.delays, err = m.Float64Histogram("huhang.transfer.delay", metric.WithUnit("s"), hoursOfSeconds,
		metric.WithDescription("How much later than planned late moves arrived, by line."))
	keep(err)
	x.bills, err = m.Int64Counter("huhang.bills.settled", metric.WithDescription("Bills settled, by line and the two provinces; a reversal is not taken off."))
	keep(err)
	x.paidBy, err = m.Int64Counter("huhang.bill.paid", metric.WithUnit("{fen}"),
		metric.WithDescription("What payers paid of settled bills in fen, by payer and line; a reversal is not taken off."))
	keep(err)
	return &x, errors.Join(failed...)
}

// Ended counts what ended newly.
func (x *meters) Ended(ctx context.Context, facts []figures.Fact) {
	for _, f := range facts {
		ctx := exemplar(ctx, f.Trace)
		line := attribute.String("line", f.Line)
		seconds := float64(f.Measure) / 1e6
		switch f.Kind {
		case figures.Stay:
			state := attribute.String("state", f.Name)
			x.stays.Record(ctx, seconds, metric.WithAttributes(state, line))
			x.suspended.Add(ctx, f.Paused.Seconds(), metric.WithAttributes(state, line))
		case figures.Life:
			x.cases.Add(ctx, 1, metric.WithAttributes(attribute.String("outcome", f.Name), line))
		case figures.Offer:
			outcome := attribute.String("outcome", f.Name)
			x.offers.Add(ctx, 1, metric.WithAttributes(outcome, attribute.String("reason", f.Reason), line, attribute.String("center", x.centers.name(f.Center))))
			x.answers.Record(ctx, seconds, metric.WithAttributes(outcome, line))
		case figures.Transfer:
			x.moves.Add(ctx, 1, metric.WithAttributes(append(provinces(f), attribute.String("outcome", f.Name))...))
			if f.Name == figures.Late {
				x.delays.Record(ctx, seconds, metric.WithAttributes(line))
			}
		case figures.Bill:
			x.bills.Add(ctx, 1, metric.WithAttributes(append(provinces(f), line)...))
		case figures.Share:
			x.paidBy.Add(ctx, int64(f.Total), metric.WithAttributes(attribute.String("payer", f.Name), line))
		}
	}
}

func provinces(f figures.Fact) []attribute.KeyValue {
	return []attribute.KeyValue{attribute.String("insured_province", f.Insured), attribute.String("treatment_province", f.Treatment)}
}

// exemplar makes the trace in which something ended the one the observation points to.
func exemplar(ctx context.Context, traceID string) context.Context {
	var id trace.TraceID
	if n, err := hex.Decode(id[:], []byte(traceID)); err != nil || n != len(id) {
		return ctx
	}
	return trace.ContextWithSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
		// No span of that trace is this one: its first bytes stand for one, for an exemplar has to name a span.
		TraceID: id, SpanID: trace.SpanID(id[:8]), TraceFlags: trace.FlagsSampled,
	}))
}

// bounded are the first names of a label; the further ones are "other".
type bounded struct {
	mu   sync.Mutex
	seen map[string]bool
}

func (b *bounded) name(s string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.seen == nil {
		b.seen = map[string]bool{}
	}
	if !b.seen[s] && len(b.seen) >= maxCenters {
		return "other"
	}
	b.seen[s] = true
	return s
}

// standing reads how the cases stand when metrics are asked for. Every instance tells the same: sums over instances are no sums.
func standing(m metric.Meter, store figures.Store, clock clock.Clock) error {
	open, err := m.Int64ObservableGauge("huhang.cases.open", metric.WithDescription("Cases that go on, by state. Every instance tells all of them."))
	failed := []error{err}
	late, err := m.Int64ObservableGauge("huhang.cases.overdue", metric.WithDescription("Cases past the deadline of their state, by state. Every instance tells all of them."))
	failed = append(failed, err)
	behind, err := m.Int64ObservableGauge("huhang.figures.behind", metric.WithDescription("Events of the feed that figures do not count yet."))
	failed = append(failed, err)
	lag, err := m.Float64ObservableGauge("huhang.figures.lag", metric.WithUnit("s"), metric.WithDescription("Age of the oldest event that figures do not count yet."))
	failed = append(failed, err)
	if err := errors.Join(failed...); err != nil {
		return err
	}
	_, err = m.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		ctx, cancel := context.WithTimeout(ctx, askWithin)
		defer cancel()
		now := clock.Now()
		states, err := store.OpenCases(ctx, now)
		if err != nil {
			return err
		}
		for state, n := range states {
			by := metric.WithAttributes(attribute.String("state", string(state)))
			o.ObserveInt64(open, n.Open, by)
			o.ObserveInt64(late, n.Late, by)
		}
		events, since, err := store.Behind(ctx)
		if err != nil {
			return err
		}
		o.ObserveInt64(behind, events)
		age := 0.0
		if events > 0 {
			age = max(now.Sub(since).Seconds(), 0)
		}
		o.ObserveFloat64(lag, age)
		return nil
	}, open, late, behind, lag)
	return err
}

// askWithin bounds what one scrape may cost the database.
const askWithin = 3 * time.Second

// newFigures wires the figures; without telemetry they are not metrics.
func newFigures(store figures.Store, peers figures.Peers, d fleet.Deps) (*figures.Service, error) {
	var watch figures.Watcher
	if d.Telemetry != nil {
		m := d.Telemetry.Meter("huhang.example/referral/figures")
		x, err := newMeters(m)
		if err != nil {
			return nil, err
		}
		if err := standing(m, store, d.Clock); err != nil {
			return nil, err
		}
		watch = x
	}
	return figures.New(store, peers, d.Clock, figures.SampleLines(), watch), nil
}
