package clearing

import (
	"context"
	"slices"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/ledger"
)

const (
	itemPage = 2000
	// mostItems bounds what one comparison of a day holds.
	mostItems = 400_000
)

// Reconciliation is the outcome of comparing one business day with one province (对账).
type Reconciliation struct {
	Side         ledger.Side `json:"side"`
	Counterparty string      `json:"counterparty"`
	Day          string      `json:"day"`
	Here         Total       `json:"here"`
	There        Total       `json:"there"`
	// Detailed says that totals differed and items were compared; Differences is how many did, Followed how many only had
	// to take the treatment province's window.
	Detailed    bool      `json:"detailed"`
	Differences int       `json:"differences"`
	Followed    int       `json:"followed"`
	At          time.Time `json:"at"`
}

// Compared is what a comparison found, before it is written down.
type Compared struct {
	at    Book
	r     Reconciliation
	found []Difference
	err   error
}

// Compare asks the other province for its totals of a day (3201), and for its items only where the totals differ or items
// says so (3202). It writes nothing.
func (s *Service) Compare(ctx context.Context, at Book, counterparty, day string, items bool) (c Compared) {
	c.at = at
	if !access.From(ctx).Has(access.Service) {
		if c.err = s.acts(ctx, at.Province); c.err != nil {
			return c
		}
	}
	if _, err := time.Parse(time.DateOnly, day); err != nil || day >= s.today() {
		c.err = fault.New(fault.InvalidArgument, fault.TimeInvalid, "day", "A day is compared once it is over.", "当日结束后方可对账。")
		return c
	}
	if c.err = s.SealBook(ctx, at); c.err != nil {
		return c
	}
	c.r = Reconciliation{Side: at.Side, Counterparty: counterparty, Day: day, At: s.clock.Now()}
	q := TotalQuery{Counterparty: counterparty, Day: day}
	if c.r.Here, c.err = s.sum(ctx, at, q); c.err != nil {
		return c
	}
	there := Book{counterparty, Other(at.Side)}
	rows, err := s.peers.Totals(ctx, there, at.Province, TotalQuery{Day: day})
	if err != nil {
		c.err = err
		return c
	}
	for _, r := range rows {
		c.r.There = Total{c.r.There.Items + r.Items, c.r.There.Clears + r.Clears}
	}
	if c.r.Here == c.r.There && !items {
		return c
	}
	c.r.Detailed = true
	own, err := allItems(func(after Item) ([]Item, error) { return s.store.Items(ctx, at, counterparty, day, after, itemPage) })
	if err != nil {
		c.err = err
		return c
	}
	theirs, err := allItems(func(after Item) ([]Item, error) {
		return s.peers.Items(ctx, there, at.Province, day, after, itemPage)
	})
	c.err = err
	c.found = Differ(own, theirs)
	return c
}

func allItems(page func(after Item) ([]Item, error)) (all []Item, err error) {
	for len(all) < mostItems {
		var after Item
		if n := len(all); n > 0 {
			after = all[n-1]
		}
		some, err := page(after)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
		if len(some) < itemPage {
			// Engines may sort text differently.
			slices.SortFunc(all, Item.Compare)
			return all, nil
		}
	}
	return nil, fault.New(fault.ResourceExhausted, fault.BodyTooLarge, "day", "The day has more items than can be compared at once.", "当日明细过多，无法一次对账。")
}

// Reconcile writes down what Compare found: a task for each difference, and the end of tasks whose difference is gone. An
// insured province's item takes the treatment province's window by itself.
func (s *Service) Reconcile(ctx context.Context, c Compared) (Reconciliation, error) {
	if c.err != nil {
		return Reconciliation{}, c.err
	}
	r := c.r
	err := s.store.Atomically(ctx, func(ctx context.Context) error {
		r = c.r
		open, err := s.openTasks(ctx, c)
		if err != nil {
			return err
		}
		for _, d := range c.found {
			if d.What == Windows {
				if c.at.Side == ledger.Treatment {
					continue // it is the insured province's to follow
				}
				moved, err := s.follow(ctx, c, d)
				if err != nil {
					return err
				}
				if moved {
					r.Followed++
					continue
				}
			}
			r.Differences++
			id := taskID(c, d)
			if _, is := open[id]; is {
				delete(open, id)
				continue
			}
			if err := s.raise(ctx, c, d, id); err != nil {
				return err
			}
		}
		for id := range open {
			if err := s.resolved(ctx, c.at.Province, id, "", "reconciliation", "The difference is gone."); err != nil {
				return err
			}
		}
		return s.note(ctx, c.at.Province, r)
	})
	return r, err
}

// follow moves an insured province's item to the window the treatment province has it in, while neither is confirmed.
func (s *Service) follow(ctx context.Context, c Compared, d Difference) (bool, error) {
	// Locks the book.
	if _, err := s.store.Seal(ctx, c.at, 1); err != nil {
		return false, err
	}
	closed, err := s.store.Closed(ctx, c.at, c.r.Counterparty)
	if err != nil || d.Here.Month <= closed || d.There.Month <= closed {
		return false, err
	}
	return true, s.store.MoveItem(ctx, c.at, c.r.Counterparty, d.Here, d.There.Month)
}

func taskID(c Compared, d Difference) string {
	k := d.Key()
	return "tsk_" + c.at.Province + "_" + string(c.at.Side) + "_" + c.r.Counterparty + "_" + c.r.Day + "_" + k.Source + "_" + k.Kind + "_" + string(d.What)
}

func (s *Service) openTasks(ctx context.Context, c Compared) (map[string]bool, error) {
	all, _, err := list[Task](ctx, s, Query{Holder: c.at.Province, B: c.r.Counterparty, Status: string(TaskOpen)})
	open := map[string]bool{}
	for _, t := range all {
		if t.Day == c.r.Day && t.Side == c.at.Side && t.What != Warning {
			open[t.ID] = true
		}
	}
	return open, err
}

// raise opens a task, or opens it again.
func (s *Service) raise(ctx context.Context, c Compared, d Difference, id string) error {
	k := d.Key()
	t := &Task{
		ID: id, Province: c.at.Province, Counterparty: c.r.Counterparty, Month: MonthOf(c.r.Day), Status: TaskOpen, Side: c.at.Side, What: d.What,
		Day: c.r.Day, Source: k.Source, Kind: k.Kind, Here: d.Here.Clears, There: d.There.Clears, Owner: owner(c.at.Province), Created: s.clock.Now(),
	}
	return s.openTask(ctx, t)
}

func (s *Service) openTask(ctx context.Context, t *Task) error {
	isNew, err := put(ctx, s, t.Province, t)
	if err != nil || isNew {
		return err
	}
	_, err = update(ctx, s, t.Province, t.ID, "", func(_ context.Context, kept *Task) error {
		if kept.Status == TaskOpen {
			return ErrUnchanged
		}
		kept.Status, kept.Resolved, kept.ResolvedBy, kept.Resolution = TaskOpen, time.Time{}, "", ""
		kept.Here, kept.There = t.Here, t.There
		return nil
	})
	return err
}

// owner is the agency that has to clear up what concerns a province.
func owner(province string) string { return "A-" + province }

func (s *Service) note(ctx context.Context, province string, r Reconciliation) error {
	status := "EQUAL"
	if r.Differences > 0 {
		status = "DIFFERENT"
	}
	n := &reconciled{ID: reconciledID(r.Side, r.Counterparty, r.Day), Status: status, Reconciliation: r}
	isNew, err := put(ctx, s, province, n)
	if err != nil || isNew {
		return err
	}
	_, err = update(ctx, s, province, n.ID, "", func(_ context.Context, kept *reconciled) error {
		kept.Status, kept.Reconciliation = status, r
		return nil
	})
	return err
}

func reconciledID(side ledger.Side, counterparty, day string) string {
	return string(side) + "_" + counterparty + "_" + day
}

// compareMonth compares the totals of a declared month's days at its insured province, and leaves those that differ to a job each.
func (s *Service) compareMonth(ctx context.Context, province, treatment string, m Month) error {
	at := Book{province, ledger.Insured}
	if err := s.SealBook(ctx, at); err != nil {
		return err
	}
	own, err := s.store.Totals(ctx, at, TotalQuery{Counterparty: treatment, Month: m})
	if err != nil {
		return err
	}
	theirs, err := s.peers.Totals(ctx, Book{treatment, ledger.Treatment}, province, TotalQuery{Month: m})
	if err != nil {
		return err
	}
	days := map[string][2]Total{}
	for i, rows := range [][]TotalRow{own, theirs} {
		for _, r := range rows {
			d := days[r.Day]
			d[i] = Total{d[i].Items + r.Items, d[i].Clears + r.Clears}
			days[r.Day] = d
		}
	}
	return s.store.Atomically(ctx, func(ctx context.Context) error {
		for day, d := range days {
			if d[0] == d[1] {
				continue
			}
			if err := s.store.Later(ctx, Job{Do: "compare_day", Province: province, Other: treatment, ID: day}); err != nil {
				return err
			}
		}
		return nil
	})
}

// BookTotals and BookItems are what one province tells another of their common business.
func (s *Service) BookTotals(ctx context.Context, at Book, asker string, q TotalQuery) ([]TotalRow, error) {
	if err := s.serves(at.Province); err != nil {
		return nil, err
	}
	if err := s.SealBook(ctx, at); err != nil {
		return nil, err
	}
	q.Counterparty = asker
	return s.store.Totals(ctx, at, q)
}

// BookItems lists a day's items with the asker.
func (s *Service) BookItems(ctx context.Context, at Book, asker, day string, after Item, limit int) ([]Item, error) {
	if err := s.serves(at.Province); err != nil {
		return nil, err
	}
	return s.store.Items(ctx, at, asker, day, after, limit)
}

// ListTasks returns a province's tasks.
func (s *Service) ListTasks(ctx context.Context, province string, status TaskStatus, after string, limit int) ([]*Task, string, error) {
	if err := s.reads(ctx, province); err != nil {
		return nil, "", err
	}
	return list[Task](ctx, s, Query{Holder: province, Status: string(status), After: after, Limit: limit})
}

// ResolveTask lets a person of the owning agency say what became of a difference.
func (s *Service) ResolveTask(ctx context.Context, province, id, etag, resolution string) (*Task, error) {
	if err := s.acts(ctx, province); err != nil {
		return nil, err
	}
	if err := s.resolved(ctx, province, id, etag, by(ctx), resolution); err != nil {
		return nil, err
	}
	return get[Task](ctx, s, province, id)
}

func (s *Service) resolved(ctx context.Context, province, id, etag, who, resolution string) error {
	_, err := update(ctx, s, province, id, etag, func(_ context.Context, t *Task) error {
		if t.Status != TaskOpen {
			return wrongState(string(t.Status))
		}
		t.Status, t.Resolved, t.ResolvedBy, t.Resolution = TaskResolved, s.clock.Now(), who, resolution
		return nil
	})
	return err
}

// outstanding is what an account of a province has, credits less debits.
func outstanding(balances []ledger.Balance, account string) money.Fen {
	for _, b := range balances {
		if b.Account == account {
			return b.Credit - b.Debit
		}
	}
	return 0
}
