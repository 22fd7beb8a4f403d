package figures

import (
	"cmp"
	"slices"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
	"huhang.example/services/referral"
)

// Group is what figures are told apart by.
type Group string

// The groups.
const (
	ByLine      Group = "LINE"
	ByProvinces Group = "PROVINCES"
	ByCenter    Group = "CENTER"
	ByMonth     Group = "MONTH"
)

const (
	// SmallestCell is how many cases a figure has at least that an organisation is told.
	SmallestCell = 5
	// MaxMonths bounds the range of one question, and MaxRows its answer.
	MaxMonths = 36
	MaxRows   = 5000
)

// Query is a question (统计查询).
type Query struct {
	// From and To are months, YYYY-MM.
	From, To                                string
	By                                      []Group
	Line, Insured, Treatment, Center, Organ string
	// Own narrows it to cases of one organisation; empty: all.
	Own string
}

// Complete sets the months left open and the part of it that the caller may see. Faults FIELD_INVALID, RIGHT_MISSING.
func (q Query) Complete(caller access.Caller, now time.Time) (Query, error) {
	q.To = cmp.Or(q.To, monthOf(now))
	if !validMonth(q.To) || q.From != "" && !validMonth(q.From) {
		return q, invalid("filter.from_month", "A month is written YYYY-MM.", "月份格式为 YYYY-MM。")
	}
	last, _ := time.Parse("2006-01", q.To)
	q.From = cmp.Or(q.From, last.AddDate(0, -11, 0).Format("2006-01"))
	first, _ := time.Parse("2006-01", q.From)
	switch {
	case first.After(last):
		return q, invalid("filter.to_month", "The last month precedes the first.", "截止月份早于起始月份。")
	case last.After(first.AddDate(0, MaxMonths-1, 0)):
		return q, invalid("filter.from_month", "The range is longer than 36 months.", "统计区间超过 36 个月。")
	}
	q.Own = ""
	if !caller.MaySee() {
		if caller.Organisation == "" {
			return q, fault.New(fault.PermissionDenied, fault.RightMissing, "", "Figures are an organisation's own.", "统计数据仅限本机构。")
		}
		q.Own = caller.Organisation
	}
	return q, nil
}

func invalid(field, en, zh string) *fault.Fault {
	return fault.New(fault.InvalidArgument, fault.FieldInvalid, field, en, zh)
}

// TellsApart reports whether the figures are told apart by the group.
func (q Query) TellsApart(by Group) bool { return slices.Contains(q.By, by) }

// Key says what a row is of.
type Key struct{ Month, Line, Insured, Treatment, Center string }

// Spread is how a measure is spread, in the measure's unit: exact values of the nearest rank.
type Spread struct{ Median, P90, Mean int64 }

// Row is one figure: all facts of a kind with one name and reason under a key.
type Row struct {
	Key
	Kind         Kind
	Name, Reason string
	// Cases is how many different cases there are in it.
	Cases int64
	// Count is of what ended, Open of what goes on, Late of both.
	Count, Open, Late int64
	Spread            Spread
	Paused            time.Duration
	Total             money.Fen
	Withheld          bool
}

// Recognition is what a hospital recognised of others' results in a month.
type Recognition struct {
	Key
	Recognised, Repeated int64
	Avoided              money.Fen
}

// Answer is the answer to a query.
type Answer struct {
	Query        Query
	Rows         []Row
	Recognitions []Recognition
	// Missing are the sections that could not be told.
	Missing []string
	// Smallest is the smallest cell that is told; 0: all are.
	Smallest int
	Behind   int64
	Lines    string
	Read     time.Time
}

// Of are the rows of a kind.
func (a Answer) Of(kind Kind) []Row {
	var rows []Row
	for _, r := range a.Rows {
		if r.Kind == kind {
			rows = append(rows, r)
		}
	}
	return rows
}

// withhold leaves out what is too little to be told: who knows one of two cases would know the other one too.
func withhold(rows []Row, smallest int) {
	for i := range rows {
		if r := &rows[i]; r.Cases < int64(smallest) {
			*r = Row{Key: r.Key, Kind: r.Kind, Name: r.Name, Reason: r.Reason, Withheld: true}
		}
	}
}

// merge joins what ended and what goes on of the same thing, which the store tells apart, into one row.
func merge(rows []Row) []Row {
	type identity struct {
		Key
		kind         Kind
		name, reason string
	}
	at := map[identity]int{}
	var out []Row
	for _, r := range rows {
		id := identity{r.Key, r.Kind, r.Name, r.Reason}
		i, there := at[id]
		if !there {
			at[id] = len(out)
			out = append(out, r)
			continue
		}
		o := &out[i]
		// A case may be in both; it is counted once at the least.
		o.Cases = max(o.Cases, r.Cases)
		if r.Count > 0 {
			o.Spread, o.Paused = r.Spread, r.Paused
		}
		o.Count, o.Open, o.Late, o.Total = o.Count+r.Count, o.Open+r.Open, o.Late+r.Late, o.Total+r.Total
	}
	slices.SortStableFunc(out, compare)
	return out
}

func compare(a, b Row) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), a.Key.compare(b.Key), order(a)-order(b), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Reason, b.Reason))
}

func (k Key) compare(l Key) int {
	return cmp.Or(cmp.Compare(k.Month, l.Month), cmp.Compare(k.Line, l.Line), cmp.Compare(k.Insured, l.Insured),
		cmp.Compare(k.Treatment, l.Treatment), cmp.Compare(k.Center, l.Center))
}

// order puts states as a case passes them, and payers as they pay.
func order(r Row) int {
	switch r.Kind {
	case Stay:
		return slices.Index(referral.States, referral.State(r.Name))
	case Share:
		if i := slices.Index(Payers, r.Name); i >= 0 {
			return i
		}
		return len(Payers)
	case Life:
		if r.Name != Opened {
			return 1
		}
	}
	return 0
}
