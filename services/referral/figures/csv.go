package figures

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Section is one table of an answer.
type Section string

// The sections.
const (
	Cases        Section = "CASES"
	States       Section = "STATES"
	Offers       Section = "OFFERS"
	Transfers    Section = "TRANSFERS"
	Bills        Section = "BILLS"
	Recognitions Section = "RECOGNITIONS"
)

var keyColumns = []string{"month", "line", "insured_province", "treatment_province", "center_id"}

// columns are a section's after those of the key. They are a contract: what is new is added at the end.
var columns = map[Section][]string{
	Cases:        {"outcome", "count", "median_seconds", "p90_seconds", "mean_seconds", "withheld"},
	States:       {"state", "count", "open", "overdue", "median_seconds", "p90_seconds", "mean_seconds", "suspended_seconds", "withheld"},
	Offers:       {"outcome", "reason", "count", "median_seconds", "p90_seconds", "mean_seconds", "withheld"},
	Transfers:    {"outcome", "reason", "count", "late_median_seconds", "late_p90_seconds", "late_mean_seconds", "withheld"},
	Bills:        append(append([]string{"count", "total_fen"}, payerColumns()...), "other_fen", "self_pay_bp", "self_pay_median_bp", "self_pay_p90_bp", "withheld"),
	Recognitions: {"recognised", "repeated", "avoided_fen"},
}

func payerColumns() []string {
	var names []string
	for _, p := range Payers {
		names = append(names, p+"_fen")
	}
	return names
}

// CSV writes a section in UTF-8 with a byte order mark, by which spreadsheets know it. Its words are codes, the same in
// every language; a cell that is withheld or has no value is empty.
func CSV(a Answer, section Section) ([]byte, error) {
	head, known := columns[section]
	if !known {
		return nil, fmt.Errorf("figures: no section %q", section)
	}
	var b bytes.Buffer
	b.WriteString("\ufeff")
	w := csv.NewWriter(&b)
	records := append([][]string{slices.Concat(keyColumns, head)}, a.records(section)...)
	if err := w.WriteAll(records); err != nil {
		return nil, fmt.Errorf("figures: csv: %w", err)
	}
	return b.Bytes(), nil
}

func (a Answer) records(section Section) [][]string {
	var out [][]string
	add := func(k Key, cells ...string) {
		out = append(out, append([]string{k.Month, k.Line, k.Insured, k.Treatment, k.Center}, cells...))
	}
	switch section {
	case Cases:
		for _, r := range a.Of(Life) {
			add(r.Key, slices.Concat([]string{r.Name, r.told(r.Count)}, r.seconds(r.Name != Opened), []string{withheld(r)})...)
		}
	case States:
		for _, r := range a.Of(Stay) {
			add(r.Key, slices.Concat([]string{r.Name, r.told(r.Count), r.told(r.Open), r.told(r.Late)}, r.seconds(r.Count > 0),
				[]string{r.told(int64(r.Paused / time.Second)), withheld(r)})...)
		}
	case Offers:
		for _, r := range a.Of(Offer) {
			add(r.Key, slices.Concat([]string{r.Name, r.Reason, r.told(r.Number())}, r.seconds(r.Count > 0), []string{withheld(r)})...)
		}
	case Transfers:
		for _, r := range a.Of(Transfer) {
			add(r.Key, slices.Concat([]string{r.Name, r.Reason, r.told(r.Number())}, r.seconds(r.Name == Late), []string{withheld(r)})...)
		}
	case Bills:
		for _, bill := range a.Bills() {
			add(bill.Key, bill.cells()...)
		}
	case Recognitions:
		for _, r := range a.Recognitions {
			add(r.Key, number(r.Recognised), number(r.Repeated), number(int64(r.Avoided)))
		}
	}
	return out
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

func (r Row) told(n int64) string {
	if r.Withheld {
		return ""
	}
	return number(n)
}

func withheld(r Row) string {
	if r.Withheld {
		return "1"
	}
	return ""
}

// Number is how many facts the row has, whether they have ended or not.
func (r Row) Number() int64 { return r.Count + r.Open }

// seconds are median, p90 and mean, or nothing where there is none.
func (r Row) seconds(has bool) []string {
	if r.Withheld || !has {
		return []string{"", "", ""}
	}
	s := r.Spread.Seconds()
	return []string{number(s.Median), number(s.P90), number(s.Mean)}
}

// Seconds is a spread of microseconds in whole seconds.
func (s Spread) Seconds() Spread {
	const second = int64(time.Second / time.Microsecond)
	return Spread{s.Median / second, s.P90 / second, s.Mean / second}
}

func (b BillRow) cells() []string {
	cells := []string{b.told(b.Count), b.told(int64(b.Total))}
	var other int64
	of := map[string]int64{}
	for _, p := range b.Payers {
		of[p.Payer] = int64(p.Amount)
		if !slices.Contains(Payers, p.Payer) {
			other += int64(p.Amount)
		}
	}
	for _, payer := range Payers {
		cells = append(cells, b.told(of[payer]))
	}
	return append(cells, b.told(other), b.told(b.SelfPay), b.told(b.Spread.Median), b.told(b.Spread.P90), withheld(b.Row))
}
