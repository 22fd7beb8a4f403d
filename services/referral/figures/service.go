package figures

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/money"
	"huhang.example/services/referral"
)

// Store keeps facts and sums them.
type Store interface {
	// Advance takes the next events of the feed, at most limit, folds every case they are of, and puts its facts in the place
	// of the old ones, together with how far it is. Of several who do it at once one does; the others take none. A version of
	// the rules other than the one before begins anew. It returns what ended newly, and whether there is more.
	Advance(ctx context.Context, rules string, limit int, fold func(*referral.Referral, []referral.Entry) []Fact) (ended []Fact, more bool, err error)
	// Sum answers a query, what ended and what goes on in rows of their own; at most limit rows, in any order.
	Sum(ctx context.Context, q Query, limit int) ([]Row, error)
	// Centers are the provinces of the centers that facts name.
	Centers(ctx context.Context) (map[string]string, error)
	// Behind is how many events of the feed are not folded yet, and when the first of them was recorded.
	Behind(ctx context.Context) (events int64, since time.Time, err error)
	// OpenCases counts the cases that go on by state, and how many of them are past their deadline.
	OpenCases(ctx context.Context, now time.Time) (map[referral.State]Standing, error)
}

// Standing is how many cases are in a state, and how many of them are late.
type Standing struct{ Open, Late int64 }

// Sum is what a hospital recognised in a month, as the patient service tells it.
type Sum struct {
	Organisation, Month  string
	Recognised, Repeated int64
	Avoided              money.Fen
}

// Peers are the other services.
type Peers interface {
	// Recognitions asks the patient service as the caller, whose own sums they are unless the caller is of operations.
	Recognitions(ctx context.Context, from, to, organisation string) ([]Sum, error)
}

// Watcher sees what ended newly, once as long as no process dies in between: metrics.
type Watcher interface {
	Ended(ctx context.Context, facts []Fact)
}

// Service answers questions about the line.
type Service struct {
	store Store
	peers Peers
	clock clock.Clock
	lines *Lines
	watch Watcher
}

// New returns the service; watch may be nil.
func New(store Store, peers Peers, clock clock.Clock, lines *Lines, watch Watcher) *Service {
	return &Service{store, peers, clock, lines, watch}
}

// batch bounds the events of one transaction, and rounds those of one run.
const (
	batch  = 200
	rounds = 500
)

// Advance folds what the feed has, and returns when nothing is left or after a bound; the next run goes on.
func (s *Service) Advance(ctx context.Context) error {
	for range rounds {
		ended, more, err := s.store.Advance(ctx, s.version(), batch, func(r *referral.Referral, entries []referral.Entry) []Fact {
			return Fold(r, entries, s.lines)
		})
		if err != nil {
			return err
		}
		if s.watch != nil {
			s.watch.Ended(ctx, ended)
		}
		if !more {
			return nil
		}
	}
	return nil
}

// version names what facts are made by.
func (s *Service) version() string { return fmt.Sprintf("fold-%d lines-%s", Rules, s.lines.Version()) }

// Figures answers a query as far as the caller may see. Faults FIELD_INVALID, RIGHT_MISSING.
func (s *Service) Figures(ctx context.Context, q Query) (Answer, error) {
	caller, now := access.From(ctx), s.clock.Now()
	q, err := q.Complete(caller, now)
	if err != nil {
		return Answer{}, err
	}
	a := Answer{Query: q, Lines: s.lines.Version(), Read: now}
	if a.Behind, _, err = s.store.Behind(ctx); err != nil {
		return Answer{}, err
	}
	rows, err := s.store.Sum(ctx, q, MaxRows+1)
	if err != nil {
		return Answer{}, err
	}
	if len(rows) > MaxRows {
		return Answer{}, invalid("filter.group_by", "The answer has more than 5000 rows: group or filter it more narrowly.", "结果超过 5000 行，请减少分组或缩小范围。")
	}
	a.Rows = merge(rows)
	if q.Own != "" {
		a.Smallest = SmallestCell
		withhold(a.Rows, SmallestCell)
	}
	a.Recognitions, err = s.recognitions(ctx, q)
	if err != nil {
		a.Missing = append(a.Missing, "RECOGNITIONS")
	}
	return a, nil
}

// recognitions are asked of their owner, each time: a copy could only be wrong. They know the hospital and the month,
// neither the organ nor where a patient is insured.
func (s *Service) recognitions(ctx context.Context, q Query) ([]Recognition, error) {
	if q.Insured != "" || q.Organ != "" {
		return nil, errors.New("figures: recognitions are not told apart by this")
	}
	sums, err := s.peers.Recognitions(ctx, q.From, q.To, q.Center)
	if err != nil {
		return nil, err
	}
	provinces, err := s.store.Centers(ctx)
	if err != nil {
		return nil, err
	}
	of := map[Key]*Recognition{}
	for _, sum := range sums {
		full := Key{Month: sum.Month, Treatment: provinces[sum.Organisation], Center: sum.Organisation}
		full.Line = s.lines.Of(sum.Month, full.Treatment, full.Treatment)
		if q.Line != "" && q.Line != full.Line || q.Treatment != "" && q.Treatment != full.Treatment {
			continue
		}
		key := q.narrow(full)
		if of[key] == nil {
			of[key] = &Recognition{Key: key}
		}
		of[key].Recognised += sum.Recognised
		of[key].Repeated += sum.Repeated
		of[key].Avoided += sum.Avoided
	}
	var out []Recognition
	for _, r := range of {
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b Recognition) int { return a.Key.compare(b.Key) })
	return out, nil
}

// narrow leaves of a key what the query tells apart.
func (q Query) narrow(k Key) Key {
	var out Key
	if q.TellsApart(ByMonth) {
		out.Month = k.Month
	}
	if q.TellsApart(ByLine) {
		out.Line = k.Line
	}
	if q.TellsApart(ByProvinces) {
		out.Insured, out.Treatment = k.Insured, k.Treatment
	}
	if q.TellsApart(ByCenter) {
		out.Center = k.Center
	}
	return out
}
