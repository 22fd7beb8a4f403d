package app_test

import (
	"context"
	"testing"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/settlement"
	"huhang.example/services/settlement/policy"
)

// image counts everything that may not change when a call is refused.
func (p *pair) image() (rows [7]int) {
	for i, table := range []string{"claim", "fee_line", "settlement", "posting", "ledger_entry", "message", "river_job"} {
		rows[i] = p.count(p.db, table)
	}
	return rows
}

// Every refusal leaves everything as it was.
func TestRefusalsChangeNothing(t *testing.T) {
	eachPair(t, func(t *testing.T, p *pair) {
		c := p.open(treatment, "310100")
		ctx := as(t, center)
		c, err := p.here.AddFeeLines(ctx, c.ID, bill())
		if err != nil {
			t.Fatal(err)
		}
		added := func(who access.Caller, lines ...settlement.FeeLine) error {
			_, err := p.here.AddFeeLines(as(t, who), c.ID, lines)
			return err
		}
		line := func(change func(*settlement.FeeLine)) settlement.FeeLine {
			l := charge(100, "S-BED", 16_000, 1000)
			change(&l)
			return l
		}
		ask := func(who access.Caller, change func(*settlement.ClaimAsk)) error {
			a := p.ask(treatment, "310100")
			change(&a)
			ctx := as(t, who)
			_, err := p.here.OpenClaim(ctx, a, p.here.PrepareClaim(ctx, a))
			return err
		}
		good := charge(99, "S-BED", 16_000, 1000)
		cases := []struct {
			name string
			want fault.Reason
			do   func() error
		}{
			{"duplicate number", fault.FieldInvalid, func() error { return added(center, good, charge(1, "S-BED", 1, 1000)) }},
			{"number twice in the request", fault.FieldInvalid, func() error { return added(center, good, good) }},
			{"wrong amount", fault.FieldInvalid, func() error { return added(center, good, line(func(l *settlement.FeeLine) { l.Amount++ })) }},
			{"negative without refund", fault.FieldInvalid, func() error { return added(center, line(func(l *settlement.FeeLine) { l.Amount = -l.Amount })) }},
			{"negative price", fault.FieldInvalid, func() error { return added(center, line(func(l *settlement.FeeLine) { l.Price, l.Amount = -1, -1 })) }},
			{"no such day", fault.FieldInvalid, func() error { return added(center, line(func(l *settlement.FeeLine) { l.ServiceDate = "2026-02-30" })) }},
			{"before admission", fault.TimeInvalid, func() error { return added(center, line(func(l *settlement.FeeLine) { l.ServiceDate = "2026-10-31" })) }},
			{"in the future", fault.TimeInvalid, func() error { return added(center, line(func(l *settlement.FeeLine) { l.ServiceDate = "2026-11-23" })) }},
			{"refund of nothing", fault.RefundInvalid, func() error { return added(center, good, refund(101, 77, "S-BED", 16_000, 1000)) }},
			{"refund of a refund", fault.RefundInvalid, func() error { return added(center, refund(101, 4, "S-CONS", 1_100_000, 1000)) }},
			{"refund of another item", fault.RefundInvalid, func() error { return added(center, refund(101, 1, "S-BED", 4_500_000, 1000)) }},
			{"refund at another price", fault.RefundInvalid, func() error { return added(center, refund(101, 1, "S-SPECIAL", 4_000_000, 1000)) }},
			{"refund of more than was charged", fault.RefundInvalid, func() error { return added(center, refund(101, 3, "S-CONS", 1_100_000, 8001)) }},
			{"another center's lines", fault.ReasonNotFound, func() error { return added(otherCenter, good) }},
			{"lines by the referrer", fault.RightMissing, func() error { return added(referrer, good) }},
			{"an absent claim", fault.ReasonNotFound, func() error {
				_, err := p.here.AddFeeLines(ctx, ids.New("clm_"+treatment), []settlement.FeeLine{good})
				return err
			}},
			{"another instance's claim", fault.ProvinceNotServed, func() error { _, err := p.here.GetClaim(ctx, ids.New("clm_330000")); return err }},
			{"discharge before admission", fault.TimeInvalid, func() error { _, err := p.here.DischargeClaim(ctx, c.ID, c.Etag(), "2026-10-01"); return err }},
			{"discharge before the last line", fault.TimeInvalid, func() error { _, err := p.here.DischargeClaim(ctx, c.ID, c.Etag(), "2026-11-01"); return err }},
			{"discharge tomorrow", fault.TimeInvalid, func() error { _, err := p.here.DischargeClaim(ctx, c.ID, c.Etag(), "2026-11-23"); return err }},
			{"stale discharge", fault.StaleVersion, func() error { _, err := p.here.DischargeClaim(ctx, c.ID, "1", "2026-11-20"); return err }},
			{"settle before discharge", fault.WrongState, func() error { _, err := p.here.SettleClaim(ctx, c.ID, c.Etag()); return err }},
			{"reverse what is not settled", fault.WrongState, func() error { _, err := p.here.ReverseSettlement(ctx, c.ID, c.Etag(), "x"); return err }},
			{"statement of what is not settled", fault.WrongState, func() error { _, err := p.here.GetStatement(ctx, c.ID); return err }},
			{"a second open claim of the case", fault.WrongState, func() error { return ask(center, func(*settlement.ClaimAsk) {}) }},
			{"another center's claim", fault.RightMissing, func() error { return ask(otherCenter, func(*settlement.ClaimAsk) {}) }},
			{"a case of another center", fault.ReasonNotFound, func() error { return ask(otherCenter, func(a *settlement.ClaimAsk) { a.CenterID = "C-SH-02" }) }},
			{"another patient", fault.ReasonNotFound, func() error { return ask(center, func(a *settlement.ClaimAsk) { a.PatientID = ids.New("pat") }) }},
			{"admission tomorrow", fault.TimeInvalid, func() error { return ask(center, func(a *settlement.ClaimAsk) { a.AdmissionDate = "2026-11-23" }) }},
			{"a city of another province", fault.CodeUnknown, func() error { return ask(center, func(a *settlement.ClaimAsk) { a.TreatmentCity = "440100" }) }},
			{"an insured province that is none", fault.CodeUnknown, func() error { return ask(center, func(a *settlement.ClaimAsk) { a.InsuredProvince = "990000" }) }},
			{"a province of another instance", fault.ProvinceNotServed, func() error { return ask(center, func(a *settlement.ClaimAsk) { a.Province = "330000" }) }},
			{"without consent", fault.ConsentMissing, func() error {
				p.wire.profile.ConsentSettlement = false
				defer func() { p.wire.profile.ConsentSettlement = true }()
				return ask(center, func(*settlement.ClaimAsk) {})
			}},
		}
		for _, test := range cases {
			t.Run(test.name, func(t *testing.T) {
				before := p.image()
				reason(t, test.do(), test.want)
				if after := p.image(); after != before {
					t.Fatalf("rows %v became %v", before, after)
				}
				if now := p.claim(c); now.Version != c.Version || now.Status != c.Status || now.Total != c.Total || now.LineCount != c.LineCount {
					t.Fatalf("%+v became %+v", c, now)
				}
			})
		}
		if c.Total != 30_000_000 || c.LineCount != 5 {
			t.Fatalf("%+v", c)
		}
	})
}

func TestFilingRefusals(t *testing.T) {
	eachPair(t, func(t *testing.T, p *pair) {
		file := func(who access.Caller, change func(*settlement.FilingAsk)) error {
			a := settlement.FilingAsk{PatientID: p.patient, Province: insured, TreatmentCity: "310100", Type: policy.Other, Documents: []settlement.FilingDocument{"e_voucher", "form"}}
			change(&a)
			ctx := as(t, who)
			prepared := p.far.PrepareFiling(ctx, a)
			return p.farStore.Atomically(ctx, func(ctx context.Context) error {
				_, err := p.far.CreateFiling(ctx, a, prepared)
				return err
			})
		}
		for name, test := range map[string]struct {
			want fault.Reason
			do   func() error
		}{
			"another hospital's patient":     {fault.ReasonNotFound, func() error { return file(stranger, func(*settlement.FilingAsk) {}) }},
			"without papers":                 {fault.DatumMissing, func() error { return file(referrer, func(a *settlement.FilingAsk) { a.Documents = nil }) }},
			"half the papers":                {fault.DatumMissing, func() error { return file(referrer, func(a *settlement.FilingAsk) { a.Type = policy.Referral }) }},
			"on behalf of somebody":          {fault.RightMissing, func() error { return file(referrer, func(a *settlement.FilingAsk) { a.OnBehalfOf = "H-HF-01" }) }},
			"on behalf of nobody":            {fault.FieldInvalid, func() error { return file(line, func(*settlement.FilingAsk) {}) }},
			"no such city":                   {fault.CodeUnknown, func() error { return file(referrer, func(a *settlement.FilingAsk) { a.TreatmentCity = "990100" }) }},
			"too far back":                   {fault.TimeInvalid, func() error { return file(referrer, func(a *settlement.FilingAsk) { a.ValidFrom = "2026-10-22" }) }},
			"too far ahead":                  {fault.TimeInvalid, func() error { return file(referrer, func(a *settlement.FilingAsk) { a.ValidFrom = "2027-03-01" }) }},
			"no such day":                    {fault.FieldInvalid, func() error { return file(referrer, func(a *settlement.FilingAsk) { a.ValidFrom = "2026-02-30" }) }},
			"not insured":                    {fault.NotEntitled, func() error { return file(referrer, func(a *settlement.FilingAsk) { a.PatientID = ids.New("pat") }) }},
			"a province of another instance": {fault.ProvinceNotServed, func() error { return file(referrer, func(a *settlement.FilingAsk) { a.Province = "340000" }) }},
			"without consent": {fault.ConsentMissing, func() error {
				p.wire.profile.ConsentSettlement = false
				defer func() { p.wire.profile.ConsentSettlement = true }()
				return file(referrer, func(*settlement.FilingAsk) {})
			}},
		} {
			t.Run(name, func(t *testing.T) {
				reason(t, test.do(), test.want)
				if n := p.count(p.farDB, "filing"); n != 0 {
					t.Fatalf("%d filings", n)
				}
			})
		}
		if err := file(referrer, func(a *settlement.FilingAsk) { a.ValidFrom = "2026-10-23" }); err != nil {
			t.Fatal(err)
		}
	})
}

// Who sees what: foreign and absent look alike.
func TestScopes(t *testing.T) {
	eachPair(t, func(t *testing.T, p *pair) {
		filing := p.file()
		c := p.settle(p.discharged())
		if err := p.here.Complete(t.Context(), c.ID); err != nil {
			t.Fatal(err)
		}
		for name, test := range map[string]struct {
			who  access.Caller
			sees bool
		}{
			"the center": {center, true}, "the referrer": {referrer, true}, "operations": {operations, true},
			"the treatment province": {agency(treatment), true}, "the insured province": {agency(insured), true},
			"another center": {otherCenter, false}, "another referrer": {stranger, false}, "another province": {agency("340000"), false},
			"nobody": {access.Caller{}, false}, "an agency of nowhere": {access.Caller{Subject: "x", Roles: []access.Role{access.Agency}}, false},
		} {
			t.Run(name, func(t *testing.T) {
				ctx := as(t, test.who)
				_, err := p.here.GetStatement(ctx, c.ID)
				_, claimErr := p.here.GetClaim(ctx, c.ID)
				all, _, listErr := p.here.ListClaims(ctx, settlement.ClaimQuery{Province: treatment}, "", 10)
				if listErr != nil || (len(all) == 1) != test.sees {
					t.Errorf("lists %d claims, %v", len(all), listErr)
				}
				if test.sees {
					if err != nil || claimErr != nil {
						t.Fatal(err, claimErr)
					}
					return
				}
				reason(t, err, fault.ReasonNotFound)
				reason(t, claimErr, fault.ReasonNotFound)
				_, absent := p.here.GetClaim(ctx, ids.New("clm_"+treatment))
				reason(t, absent, fault.ReasonNotFound)
			})
		}
		for name, test := range map[string]struct {
			who  access.Caller
			sees bool
		}{
			"who filed": {referrer, true}, "the center of the case": {center, true}, "operations": {operations, true}, "the insured province": {agency(insured), true},
			"another center": {otherCenter, false}, "another referrer": {stranger, false}, "the treatment province": {agency(treatment), false},
		} {
			t.Run("filing, "+name, func(t *testing.T) {
				ctx := as(t, test.who)
				if _, err := p.far.GetFiling(ctx, filing.ID); (err == nil) != test.sees {
					t.Error(err)
				}
				all, _, err := p.far.ListFilings(ctx, settlement.FilingQuery{Province: insured, ReferralID: p.referral}, "", 10)
				if err != nil || (len(all) == 1) != test.sees {
					t.Errorf("lists %d, %v", len(all), err)
				}
				if _, _, err := p.far.CheckEntitlement(ctx, insured, p.patient, ""); (err == nil) != test.sees {
					t.Error(err)
				}
			})
		}
		_, err := p.far.GetCounters(as(t, agency("340000")), insured, p.patient, "2026")
		reason(t, err, fault.RightMissing)
		_, _, err = p.far.TrialBalance(as(t, agency("340000")), insured)
		reason(t, err, fault.RightMissing)
		_, err = p.far.PutEntitlement(as(t, agency("340000")), settlement.Entitlement{Province: insured, PatientID: p.patient, ValidFrom: today}, "1")
		reason(t, err, fault.RightMissing)
	})
}
