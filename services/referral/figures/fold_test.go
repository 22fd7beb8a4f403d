package figures_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/money"
	"huhang.example/services/referral"
	"huhang.example/services/referral/figures"
)

// at is a moment in hours after the case was opened, ten o'clock in China on the first of November.
func at(hours float64) time.Time {
	return time.Date(2026, 11, 1, 10, 0, 0, 0, clock.Shanghai).UTC().Add(time.Duration(hours * float64(time.Hour)))
}

// story numbers entries and fills in what each inherits.
func story(entries ...referral.Entry) []referral.Entry {
	state := referral.Draft
	for i := range entries {
		e := &entries[i]
		e.Sequence, e.TraceID = int64(i+1), fmt.Sprintf("%032x", i+1)
		if e.State == "" {
			e.State = state
		}
		state = e.State
	}
	return entries
}

func entry(hours float64, kind string, state referral.State) referral.Entry {
	return referral.Entry{Occurred: at(hours), Kind: kind, State: state}
}

func about(e referral.Entry, record, center, city, cause string) referral.Entry {
	e.RecordID, e.Center, e.City, e.Cause = record, center, city, cause
	return e
}

func fold(entries []referral.Entry) []figures.Fact {
	return figures.Fold(&referral.Referral{ID: "ref_1", Organ: "LIVER", Referrer: "H-HF-01", InsuredProvince: "340000"}, entries, figures.SampleLines())
}

func find(t *testing.T, facts []figures.Fact, kind figures.Kind, item string) figures.Fact {
	t.Helper()
	for _, f := range facts {
		if f.Kind == kind && f.Item == item {
			return f
		}
	}
	t.Fatalf("no %s %q in %+v", kind, item, facts)
	return figures.Fact{}
}

const hour = int64(time.Hour / time.Microsecond)

// A case that was declined, accepted, lost its bed, was accepted elsewhere, moved late and was billed twice.
func whole() []referral.Entry {
	bill := &referral.Bill{Total: 100_000, SelfPay: 30_000, Shares: []referral.BillShare{{Payer: "basic", Amount: 70_000}, {Payer: "cash", Amount: 30_000}}}
	settled := about(entry(400, "CLAIM_SETTLED", ""), "clm_1", "", "", "")
	settled.Bill = bill
	again := about(entry(402, "CLAIM_SETTLED", ""), "clm_1", "", "", "")
	again.Bill = &referral.Bill{Total: 100_000, SelfPay: 25_000, Shares: []referral.BillShare{{Payer: "basic", Amount: 75_000}, {Payer: "cash", Amount: 25_000}}}
	planned := about(entry(60, "TRANSFER_PLANNED", referral.TransferPlanned), "trf_1", "", "", "")
	planned.Arrive = at(80)
	arrived := about(entry(83, "TRANSFER_ARRIVED", referral.Arrived), "trf_1", "", "", "")
	arrived.Arrive = at(82)
	standing := entry(4, "CLOCK_SUSPENDED", "")
	standing.Suspended = true
	noted := entry(5, "NEEDS_ATTENTION", "")
	noted.Suspended = true
	return story(
		entry(0, "CREATED", referral.Draft),
		entry(1, "SUBMITTED", referral.Submitted),
		entry(1, "SCREENING", referral.Screening),
		standing, noted,
		entry(7, "CLOCK_RESUMED", ""),
		entry(8, "OVERDUE", ""),
		entry(11, "MATCHED", referral.Matched),
		about(entry(12, "OFFER_CREATED", referral.Offered), "off_1", "C-SH-01", "", ""),
		about(entry(14, "OFFER_DECLINED", referral.Matched), "off_1", "C-SH-01", "310100", "NO_BED"),
		about(entry(15, "OFFER_CREATED", referral.Offered), "off_2", "C-NJ-01", "", ""),
		about(entry(16, "OFFER_ACCEPTED", referral.Accepted), "off_2", "C-NJ-01", "320100", ""),
		entry(40, "HOLD_EXPIRED", referral.Matched),
		about(entry(41, "OFFER_CREATED", referral.Offered), "off_3", "C-GZ-01", "", ""),
		about(entry(44, "OFFER_ACCEPTED", referral.Accepted), "off_3", "C-GZ-01", "440100", ""),
		entry(50, "BOOKED", referral.Booked),
		planned,
		about(entry(70, "TRANSFER_DEPARTED", referral.InTransit), "trf_1", "", "", ""),
		arrived,
		about(entry(90, "CLAIM_OPENED", referral.Evaluating), "clm_1", "", "", ""),
		settled,
		about(entry(401, "CLAIM_REVERSED", ""), "clm_1", "", "", ""),
		again,
	)
}

func TestWhatATimelineComesTo(t *testing.T) {
	facts := fold(whole())
	for _, want := range []figures.Fact{
		// The clock stood from 4 to 7: ten hours, three of them suspended, and its deadline passed.
		{Kind: figures.Stay, Item: "3", Name: "SCREENING", Measure: 7 * hour, Paused: 3 * time.Hour, Late: true, Line: "csj", Treatment: "320000"},
		{Kind: figures.Stay, Item: "8", Name: "MATCHED", Measure: 1 * hour, Line: "csj", Treatment: "320000"},
		{Kind: figures.Stay, Item: "10", Name: "MATCHED", Measure: 1 * hour, Line: "csj", Treatment: "320000"},
		{Kind: figures.Stay, Item: "12", Name: "ACCEPTED", Measure: 24 * hour, Line: "csj", Treatment: "320000", Center: "C-NJ-01"},
		// Back at the choice: it belongs to where it led next, which is beyond the line.
		{Kind: figures.Stay, Item: "13", Name: "MATCHED", Measure: 1 * hour, Line: "cross", Treatment: "440000"},
		{Kind: figures.Stay, Item: "15", Name: "ACCEPTED", Measure: 6 * hour, Line: "cross", Treatment: "440000", Center: "C-GZ-01"},
		{Kind: figures.Stay, Item: "18", Name: "IN_TRANSIT", Measure: 13 * hour, Line: "cross", Treatment: "440000", Center: "C-GZ-01"},
		{Kind: figures.Stay, Item: "20", Name: "EVALUATING", Line: "cross", Treatment: "440000", Center: "C-GZ-01"},
		{Kind: figures.Offer, Item: "off_1", Name: "DECLINED", Reason: "NO_BED", Measure: 2 * hour, Line: "csj", Treatment: "310000", Center: "C-SH-01"},
		{Kind: figures.Offer, Item: "off_2", Name: "ACCEPTED", Measure: 1 * hour, Line: "csj", Treatment: "320000", Center: "C-NJ-01"},
		{Kind: figures.Offer, Item: "off_3", Name: "ACCEPTED", Measure: 3 * hour, Line: "cross", Treatment: "440000", Center: "C-GZ-01"},
		// Handed over at 83, arrived at 82, planned for 80.
		{Kind: figures.Transfer, Item: "trf_1", Name: "LATE", Measure: 2 * hour, Line: "cross", Treatment: "440000", Center: "C-GZ-01"},
		{Kind: figures.Bill, Item: "clm_1", Name: "SETTLED", Measure: 2500, Total: 100_000, Line: "cross", Treatment: "440000", Center: "C-GZ-01"},
		{Kind: figures.Share, Item: "clm_1 cash", Name: "cash", Total: 25_000, Line: "cross", Treatment: "440000", Center: "C-GZ-01"},
		{Kind: figures.Life, Item: "opened", Name: "OPENED", Line: "cross", Treatment: "440000", Center: "C-GZ-01"},
	} {
		got := find(t, facts, want.Kind, want.Item)
		if open := want.Name == "EVALUATING"; open != got.Ended.IsZero() || open != (got.Month == "") {
			t.Errorf("%s %s ended %v in %q", want.Kind, want.Item, got.Ended, got.Month)
		}
		got.Began, got.Ended, got.Month, got.Insured, got.Trace = time.Time{}, time.Time{}, "", "", ""
		if got != want {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
	if n := len(facts); n != 24 {
		for _, f := range facts {
			t.Log(f.Kind, f.Item, f.Name)
		}
		t.Errorf("%d facts", n)
	}
}

func TestMonthsEndInChina(t *testing.T) {
	// 23:30 and 00:30 in China are the same day in UTC.
	end := time.Date(2026, 11, 30, 15, 30, 0, 0, time.UTC)
	for add, want := range map[time.Duration]string{0: "2026-11", time.Hour: "2026-12"} {
		facts := fold(story(entry(0, "CREATED", referral.Draft), referral.Entry{Occurred: end.Add(add), Kind: "SUBMITTED", State: referral.Submitted}))
		if got := find(t, facts, figures.Stay, "1").Month; got != want {
			t.Errorf("%v: %s", end.Add(add), got)
		}
	}
}

// What is told late, out of order, or of a time before what was told first, leaves no stay shorter than nothing.
func TestLateAndEarlierEvents(t *testing.T) {
	lateAccept := about(entry(20, "OFFER_ACCEPTED", ""), "off_1", "C-SH-01", "310100", "")
	lateAccept.Reason = "LATE"
	facts := fold(story(
		entry(0, "CREATED", referral.Draft), entry(5, "SUBMITTED", referral.Submitted),
		entry(3, "SCREENING", referral.Screening), // happened before it was handed in, by another clock
		about(entry(6, "OFFER_WITHDRAWN", referral.Screening), "off_1", "C-SH-01", "", ""),
		about(entry(4, "OFFER_CREATED", referral.Screening), "off_1", "C-SH-01", "", ""), lateAccept,
		entry(30, "CLOSED", referral.Closed), about(entry(29, "TRANSFER_ABORTED", ""), "trf_9", "", "", "UNFIT"),
	))
	if s := find(t, facts, figures.Stay, "2"); s.Measure != 0 || !s.Ended.Equal(at(5)) {
		t.Errorf("%+v", s)
	}
	if s := find(t, facts, figures.Stay, "3"); s.Measure != 25*hour || s.Center != "" || s.Treatment != "" {
		t.Errorf("a late acceptance made a center answerable: %+v", s)
	}
	if o := find(t, facts, figures.Offer, "off_1"); o.Name != "WITHDRAWN" || o.Measure != 2*hour {
		t.Errorf("%+v", o)
	}
	if m := find(t, facts, figures.Transfer, "trf_9"); m.Name != "ABORTED" || m.Reason != "UNFIT" {
		t.Errorf("%+v", m)
	}
	if l := find(t, facts, figures.Life, "closed"); l.Measure != 30*hour || l.Name != "UNKNOWN" {
		t.Errorf("%+v", l)
	}
}

// any draws a timeline of no sense at all: states, suspensions and times jump as they like.
func anyStory(t *rapid.T) []referral.Entry {
	kinds := []string{
		"SCREENING", "OVERDUE", "CLOCK_SUSPENDED", "OFFER_CREATED", "OFFER_ACCEPTED", "OFFER_DECLINED", "OFFER_EXPIRED", "TRANSFER_PLANNED",
		"TRANSFER_DEPARTED", "TRANSFER_ARRIVED", "TRANSFER_ABORTED", "CLAIM_SETTLED", "CLAIM_REVERSED", "CLOSED",
	}
	n := rapid.IntRange(1, 40).Draw(t, "entries")
	entries := make([]referral.Entry, n)
	for i := range entries {
		e := entry(float64(rapid.IntRange(0, 2000).Draw(t, "hours")), rapid.SampledFrom(kinds).Draw(t, "kind"), rapid.SampledFrom(referral.States).Draw(t, "state"))
		e = about(e, fmt.Sprintf("rec_%d", rapid.IntRange(0, 3).Draw(t, "record")), rapid.SampledFrom([]string{"C-SH-01", "C-GZ-01"}).Draw(t, "center"),
			rapid.SampledFrom([]string{"", "310100", "440100"}).Draw(t, "city"), "X")
		e.Suspended = rapid.Bool().Draw(t, "suspended")
		if e.Kind == "CLAIM_SETTLED" {
			self := money.Fen(rapid.Int64Range(0, 1000).Draw(t, "self"))
			e.Bill = &referral.Bill{Total: 1000, SelfPay: self, Shares: []referral.BillShare{{Payer: "basic", Amount: 1000 - self}, {Payer: "cash", Amount: self}}}
		}
		entries[i] = e
	}
	return story(entries...)
}

// Figures from any order of the events, any of them told again, equal the figures from the sorted ones; and whatever the
// timeline, stays neither overlap nor leave a gap, and what payers paid is the bill.
func TestAnyOrderAndReplays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sorted := anyStory(t)
		want := fold(sorted)
		shuffled := slices.Clone(sorted)
		for range rapid.IntRange(0, 10).Draw(t, "again") {
			shuffled = append(shuffled, shuffled[rapid.IntRange(0, len(sorted)-1).Draw(t, "which")])
		}
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if got := fold(shuffled); !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %+v\nwant %+v", got, want)
		}
		var stayed, bills, paid int64
		for _, f := range want {
			if f.Measure < 0 || f.Paused < 0 || !f.Ended.IsZero() && f.Ended.Before(f.Began) {
				t.Fatalf("%+v", f)
			}
			switch f.Kind {
			case figures.Stay:
				if !f.Ended.IsZero() {
					if stayed += f.Measure + f.Paused.Microseconds(); f.Ended.Sub(f.Began).Microseconds() != f.Measure+f.Paused.Microseconds() {
						t.Fatalf("%+v", f)
					}
				}
			case figures.Bill:
				bills += int64(f.Total)
			case figures.Share:
				paid += int64(f.Total)
			}
		}
		if bills != paid {
			t.Fatalf("bills %d, paid %d", bills, paid)
		}
	})
}

func TestLinesAreDataWithVersions(t *testing.T) {
	lines, err := figures.ParseLines([]byte(`{"versions": [
		{"version": "a", "from": "2026-01", "lines": [{"code": "csj", "zh": "长", "en": "C", "provinces": ["310000", "320000"]}]},
		{"version": "b", "from": "2026-06", "lines": [{"code": "csj", "zh": "长", "en": "C", "provinces": ["310000", "340000"]}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct{ month, insured, treatment, want string }{
		{"2026-05", "340000", "310000", "cross"},
		{"2026-06", "340000", "310000", "csj"},
		{"2025-01", "320000", "310000", "csj"},
		{"2026-07", "320000", "310000", "cross"},
		{"", "340000", "310000", "csj"},
		{"2026-07", "", "310000", ""},
		{"2026-07", "340000", "", ""},
	} {
		if got := lines.Of(x.month, x.insured, x.treatment); got != x.want {
			t.Errorf("%+v: %q", x, got)
		}
	}
	if lines.Version() != "b" {
		t.Error(lines.Version())
	}
	for name, text := range map[string]string{
		"no JSON": "{", "no version": `{}`, "order": `{"versions":[{"version":"a","from":"2026-02"},{"version":"b","from":"2026-02"}]}`,
		"month": `{"versions":[{"version":"a","from":"2026-13"}]}`,
		"twice": `{"versions":[{"version":"a","from":"2026-01","lines":[{"code":"x","zh":"x","en":"x","provinces":["310000"]},{"code":"y","zh":"y","en":"y","provinces":["310000"]}]}]}`,
		"cross": `{"versions":[{"version":"a","from":"2026-01","lines":[{"code":"cross","zh":"x","en":"x","provinces":["310000"]}]}]}`,
	} {
		if _, err := figures.ParseLines([]byte(text)); err == nil {
			t.Errorf("%s passed", name)
		}
	}
	if figures.SampleLines().Of("2026-11", "130000", "110000") != "jjj" {
		t.Error("the sample's lines")
	}
}
