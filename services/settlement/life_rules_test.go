package settlement

import (
	"strings"
	"testing"
	"time"

	"huhang.example/services/settlement/policy"
	"huhang.example/services/settlement/split"
)

// The rules that come with the line hold; a number out of its range, an unknown key and a missing type do not.
func TestLifeRules(t *testing.T) {
	sample := string(sampleLifeRules)
	for name, change := range map[string][2]string{
		"an unknown key":         {`"stuck_after_seconds"`, `"stuck_after"`},
		"never manual":           {`"manual_after_hours": 72`, `"manual_after_hours": 0`},
		"a longest below first":  {`"longest_seconds": 600`, `"longest_seconds": 1`},
		"half a year of papers":  {`"past_days": 30`, `"past_days": 400`},
		"no such standing":       {`"illustrative"`, `"guessed"`},
		"a type is missing":      {`"emergency": {"documents": []},`, ``},
		"an unknown type":        {`"emergency"`, `"holiday"`},
		"a paper of nobody":      {`"from": "patient"`, `"from": "nobody"`},
		"no amount":              {`"most_total": "10000000"`, `"most_total": "much"`},
		"something follows":      {`"papers": [`, `"papers": [`},
		"a negative time before": {`"ahead_days": 90,`, `"ahead_days": -1,`},
	} {
		text := strings.Replace(sample, change[0], change[1], 1)
		if name == "something follows" {
			text += "{}"
		}
		if _, err := ParseLifeRules([]byte(text)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	r := SampleLifeRules()
	for n, want := range map[int32]time.Duration{1: 5 * time.Second, 2: 10 * time.Second, 5: 80 * time.Second, 9: 10 * time.Minute, 1000: 10 * time.Minute} {
		if got := r.pause(n); got != want {
			t.Errorf("after %d tries in vain %s, want %s", n, got, want)
		}
	}
	for kind, want := range map[policy.Filing]string{policy.LongTerm: "", policy.Referral: "2027-05-22", policy.Emergency: "2026-11-22", policy.Other: "2027-05-22"} {
		if got := r.validTo(kind, "2026-11-22"); got != want {
			t.Errorf("%s holds to %q, want %q", kind, got, want)
		}
	}
}

func TestCompletePapers(t *testing.T) {
	r := SampleLifeRules()
	for name, test := range map[string]struct {
		kind      policy.Filing
		documents []FilingDocument
		complete  bool
	}{
		"long-term":                  {policy.LongTerm, []FilingDocument{"e_voucher", "form", "pledge"}, true},
		"long-term without a proof":  {policy.LongTerm, []FilingDocument{"e_voucher", "form"}, false},
		"referral":                   {policy.Referral, []FilingDocument{"form", "proof"}, true},
		"a pledge for a referral":    {policy.Referral, []FilingDocument{"form", "pledge"}, false},
		"an emergency needs nothing": {policy.Emergency, nil, true},
		"another stay":               {policy.Other, []FilingDocument{"form", "id_card"}, true},
		"another stay without form":  {policy.Other, []FilingDocument{"id_card"}, false},
	} {
		if err := r.complete(test.kind, test.documents); (err == nil) != test.complete {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A filing made by the day of the discharge opens direct settlement; one made later does not, however far back it begins.
func TestLateFiling(t *testing.T) {
	at := func(day string) time.Time {
		t.Helper()
		got, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for made, covers := range map[string]bool{"2026-11-01": true, "2026-11-20": true, "2026-11-21": false} {
		f := &Filing{TreatmentCity: "310100", Status: FilingActive, ValidFrom: "2026-11-01", ValidTo: "2027-05-01", Created: at(made)}
		if f.Covers("310100", "2026-11-05", "2026-11-20") != covers {
			t.Errorf("made on %s", made)
		}
	}
}

// What one bill sees of the year: what was paid, and what other stays of that year have reserved and still hold.
func TestSeen(t *testing.T) {
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	reserved := func(change func(*Preauthorisation)) []*Preauthorisation {
		p := &Preauthorisation{
			ReferralID: "ref_other", CenterID: "C", PatientID: "pat", Year: "2026", Status: PreauthorisationActive, Expires: now.Add(time.Hour),
			Reserved: split.Counters{Basic: 70},
		}
		change(p)
		return []*Preauthorisation{p}
	}
	in := SplitInput{ReferralID: "ref", CenterID: "C", PatientID: "pat"}
	for name, test := range map[string]struct {
		change func(*Preauthorisation)
		in     SplitInput
		keeps  bool
	}{
		"another stay's":                {func(*Preauthorisation) {}, in, true},
		"its own":                       {func(p *Preauthorisation) { p.ReferralID = "ref" }, in, false},
		"its case's, for an outpatient": {func(p *Preauthorisation) { p.ReferralID = "ref" }, SplitInput{ReferralID: "ref", CenterID: "C", PatientID: "pat", Kind: Outpatient}, true},
		"another year's":                {func(p *Preauthorisation) { p.Year = "2027" }, in, false},
		"run out, its job still to run": {func(p *Preauthorisation) { p.Expires = now }, in, false},
		"spent":                         {func(p *Preauthorisation) { p.Status = PreauthorisationUsed }, in, false},
	} {
		got := seen(split.Counters{Basic: 5}, reserved(test.change), test.in, "2026", now).Basic
		if (got == 75) != test.keeps || got != 75 && got != 5 {
			t.Errorf("%s: %s", name, got)
		}
	}
}
