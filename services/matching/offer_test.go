package matching

import (
	"slices"
	"strings"
	"testing"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
)

var noon = time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)

// The clock counts even where its job has not come yet.
func TestAnswerable(t *testing.T) {
	for _, test := range []struct {
		status Status
		at     time.Time
		want   fault.Reason
	}{
		{Open, noon.Add(-time.Microsecond), ""},
		{Open, noon, fault.OfferExpired},
		{Expired, noon.Add(-time.Hour), fault.OfferExpired},
		{Accepting, noon.Add(-time.Hour), fault.WrongState},
		{Accepted, noon.Add(-time.Hour), fault.OfferDecided},
		{Declined, noon.Add(time.Hour), fault.OfferDecided},
		{Withdrawn, noon.Add(time.Hour), fault.OfferDecided},
	} {
		err := (&Offer{Status: test.status, ExpiresAt: noon}).answerable(test.at)
		if test.want == "" && err != nil || test.want != "" && !fault.Is(err, test.want) {
			t.Errorf("%s at %s: %v", test.status, test.at, err)
		}
	}
}

func TestDeclineCodes(t *testing.T) {
	published := strings.Fields(`NOT_LICENSED AGE BMI HCC_BEYOND_CRITERIA CONTRAINDICATION ACTIVE_INFECTION ABO_INCOMPATIBLE_NOT_OFFERED SENSITISED
		RETRANSPLANT NO_BED NO_OPERATING_ROOM NO_EXPERT QUOTA_USED INFORMATION_MISSING WRONG_PRIORITY TOO_EARLY UNFIT_TO_TRAVEL NO_DIRECT_SETTLEMENT OTHER`)
	rules := embeddedRules.inForce(noon)
	if len(rules.Codes) != len(published) {
		t.Errorf("%d codes, published are %d", len(rules.Codes), len(published))
	}
	for _, code := range published {
		if err := rules.declines(code, "because", noon); err != nil {
			t.Errorf("%s: %v", code, err)
		}
		demanded := code == "OTHER" || code == "CONTRAINDICATION"
		if err := rules.declines(code, "", noon); fault.Is(err, fault.CommentRequired) != demanded {
			t.Errorf("%s without a comment: %v", code, err)
		}
	}
}

func TestDeclineCodesHaveDays(t *testing.T) {
	r := &OfferRules{Version: "1", Codes: []DeclineCode{{Code: "OLD", To: "2026-11-21"}, {Code: "TODAY", From: "2026-11-22", To: "2026-11-22"}, {Code: "NEW", From: "2026-11-23"}}}
	for code, want := range map[string]bool{"OLD": false, "TODAY": true, "NEW": false} {
		if err := r.declines(code, "", noon); (err == nil) != want {
			t.Errorf("%s: %v", code, err)
		}
	}
	// The day is Shanghai's: noon there is the 22nd, and so is 16 hours earlier by UTC's clock on the 21st.
	if err := r.declines("TODAY", "", noon.Add(-11*time.Hour)); err != nil {
		t.Error(err)
	}
}

func TestRulesInForce(t *testing.T) {
	all := AllOfferRules{{Version: "1", From: "2026-01-01"}, {Version: "2", From: "2026-11-22"}, {Version: "3", From: "2026-11-23"}}
	for at, want := range map[time.Time]string{noon: "2", noon.AddDate(0, 0, -1): "1", noon.AddDate(0, 0, 1): "3", noon.AddDate(-9, 0, 0): "1"} {
		if got := all.inForce(at).Version; got != want {
			t.Errorf("%s: %s", at, got)
		}
	}
}

func TestParseOfferRules(t *testing.T) {
	const limits = `"limits":{"ROUTINE":{"hours":1},"URGENT":{"hours":1},"EMERGENCY":{"hours":1}}`
	const once = `"at_once":{"ROUTINE":1,"URGENT":1,"EMERGENCY":2}`
	const codes = `"decline_codes":[{"code":"OTHER"}]`
	one := func(parts ...string) string {
		return `{"version":"1","from":"2026-01-01",` + strings.Join(parts, ",") + `}`
	}
	doc := func(rules ...string) string { return `{"rules":[` + strings.Join(rules, ",") + `]}` }
	if _, err := ParseOfferRules([]byte(doc(one(limits, once, codes)))); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		`{}`, `{"surprise":1}`, doc(), doc("null"), doc(one(limits, once)), doc(one(limits, codes)), doc(one(once, codes)),
		doc(one(limits, once, codes), one(limits, once, codes)),
		doc(one(limits, `"at_once":{"ROUTINE":0,"URGENT":1,"EMERGENCY":1}`, codes)), doc(one(limits, `"at_once":{"ROUTINE":11,"URGENT":1,"EMERGENCY":1}`, codes)),
		doc(one(limits, `"at_once":{"ROUTINE":1,"URGENT":1,"EMERGENCY":1,"SOON":1}`, codes)),
		doc(one(limits, once, `"decline_codes":[{"code":"OTHER"},{"code":"OTHER"}]`)), doc(one(limits, once, `"decline_codes":[{"code":"other"}]`)),
		doc(one(limits, once, `"decline_codes":[{"code":"OTHER","from":"2026-13-01"}]`)), doc(one(limits, once, `"decline_codes":[{"code":"OTHER","from":"2026-02-01","to":"2026-01-01"}]`)),
		doc(one(`"limits":{"ROUTINE":{"hours":1,"working_days":1},"URGENT":{"hours":1},"EMERGENCY":{"hours":1}}`, once, codes)),
		doc(one(`"limits":{"ROUTINE":{"hours":721},"URGENT":{"hours":1},"EMERGENCY":{"hours":1}}`, once, codes)),
	} {
		if _, err := ParseOfferRules([]byte(text)); err == nil {
			t.Errorf("%s passed", text)
		}
	}
}

// The encoding of what is proved is kept for years: it is pinned.
func TestProofEncoding(t *testing.T) {
	bmi := 24.5
	o := &Offer{ID: "off_1", ReferralID: "ref_1", PatientID: "pat_1", MatchRunID: "mat_1", CenterID: "C-SH-01", Referrer: "H-HF-01", Organ: "LIVER", Urgency: "URGENT", CreatedAt: noon, ExpiresAt: noon.Add(time.Hour), RulesVersion: "1"}
	run := &Run{ClinicalVersion: 3}
	run.Input.Patient.Age, run.Input.Patient.BMI = 47, &bmi
	if err := o.show(run); err != nil {
		t.Fatal(err)
	}
	if got := string(o.shown); !strings.HasPrefix(got, `{"offer_id":"off_1","referral_id":"ref_1","patient_id":"pat_1","match_run_id":"mat_1","center_id":"C-SH-01",`+
		`"referring_organisation":"H-HF-01","organ":"LIVER","urgency":"URGENT","create_time":"2026-11-22T04:00:00Z","expire_time":"2026-11-22T05:00:00Z","rules_version":"1","clinical_version":3,"patient":{"age":47,"bmi":24.5,`) {
		t.Error(got)
	}
	o.DeclineCode = "NO_BED"
	o.decide(Declined, noon, access.Caller{Organisation: "C-SH-01", Subject: "wu"})
	want := `{"offer_id":"off_1","shown_sha256":"` + o.ShownHash + `","status":"DECLINED","time":"2026-11-22T04:00:00Z","organisation":"C-SH-01","subject":"wu","code":"NO_BED","rules_version":"1"}`
	if got := string(o.records[0]); got != want {
		t.Error(got)
	}
	p := Proof{Shown: o.shown, ShownHash: o.ShownHash, Decisions: []Decision{{1, o.records[0], Chained(o.ShownHash, o.records[0])}}}
	if err := p.Verify(); err != nil {
		t.Fatal(err)
	}
	for name, forge := range map[string]func(p *Proof){
		"another document": func(p *Proof) { p.Shown = []byte("{}") },
		"another decision": func(p *Proof) { p.Decisions[0].Record = []byte("{}") },
		"another number":   func(p *Proof) { p.Decisions[0].Number = 2 },
	} {
		forged := p
		forged.Decisions = slices.Clone(p.Decisions)
		forge(&forged)
		if forged.Verify() == nil {
			t.Errorf("%s passed", name)
		}
	}
}

func TestLasting(t *testing.T) {
	for _, code := range []fault.Code{fault.Unavailable, fault.DeadlineExceeded, fault.Internal, fault.Aborted, fault.ResourceExhausted, fault.Canceled, fault.Unauthenticated} {
		if lasting(fault.New(code, fault.ReasonInternal, "", "", "")) {
			t.Errorf("%s may have done something", code)
		}
	}
	if !lasting(fault.New(fault.FailedPrecondition, fault.ResourceTaken, "", "", "")) || lasting(Later{}) {
		t.Error("a refusal lasts, an unknown error does not")
	}
}

// A wish said again after its first attempt found no bed, and after the clock ran out: that is said, not that somebody decided.
func TestExpiredIsNotDecided(t *testing.T) {
	for status, reason := range map[Status]fault.Reason{Expired: fault.OfferExpired, Declined: fault.OfferDecided, Withdrawn: fault.OfferDecided} {
		if err := (&Offer{Status: status}).Accepted(Held{}); !fault.Is(err, reason) {
			t.Errorf("%s: %v", status, err)
		}
	}
}
