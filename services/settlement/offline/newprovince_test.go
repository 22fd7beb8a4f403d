package offline_test

import (
	"os"
	"testing"

	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/offline"
	"huhang.example/services/settlement/policy"
	"huhang.example/services/settlement/split"
)

func bookOf(t *testing.T, folder string) *policy.Book {
	t.Helper()
	book, err := policy.Load(os.DirFS(folder))
	if err != nil {
		t.Fatal(err)
	}
	return book
}

// A province that no line of code has heard of is insured, and treats, by its files alone.
func TestANewProvinceIsAFile(t *testing.T) {
	book := bookOf(t, "testdata/newprovince")
	for _, test := range []struct {
		name, claim, treatment string
		basic, second, aid     string
		cash                   string
		refused                bool
	}{
		// Bed at level 3 has no limit; the drug's limit is 100 of 120, 10 % of that first: in scope 10,000 + 90,000.
		// Local: nothing off. 99,100 by the bands: 11,000 + 26,000 + 29,325. Of the 33,675 and the class-B 10,000,
		// above 6,000, 70 %: 26,372.50. Aid on the rest of 17,302.50: 75 %; tilt aid nothing below its threshold.
		{"local region", claimOf("C-XX-03", "980000", "2026-07-01", "referral", ""), "980000", "66325", "26372.50", "12976.88", "24325.62", false},
		// Elsewhere ten points off each band: 9,000 + 22,000 + 25,415. Second layer 70 % of 43,585 + 10,000 - 6,000.
		// Aid 75 % of the 20,275.50 left, half a fen to the even one; tilt aid half of what 5,068.88 exceed 5,000 by.
		{"elsewhere", claimOf("C-YY-03", "960000", "2026-07-01", "referral", ""), "960000", "56415", "33309.50", "15241.06", "25034.44", false},
		// A referral goes on: 300 were charged at the first hospital, 600 are left of 900.
		{"continuous", claimOf("C-XX-03", "980000", "2026-07-01", "referral", "referral_deductible: 300\n"), "980000", "66550", "26215", "12926.25", "24308.75", false},
		// The catalogue before July takes 20 % first: in scope 10,000 + 80,000.
		{"earlier catalogue", claimOf("C-XX-03", "980000", "2026-06-30", "referral", ""), "980000", "58825", "31622.50", "14664.38", "24888.12", false},
		// 25 points off: 41,550, no second layer; aid 75 % of 68,450, tilt aid half of 17,112.50 less 5,000.
		{"unfiled", claimOf("C-YY-03", "960000", "2026-07-01", "unfiled", ""), "960000", "41550", "0", "57393.75", "31056.25", false},
		// Its own deductible, bands and cap, nothing of the second layer; aid 52,500 and tilt aid 6,250.
		{"outpatient", claimOf("C-XX-03", "980000", "2026-07-01", "other", "disease: anti_rejection\n"), "980000", "40000", "0", "58750", "31250", false},
		{"a level without terms is refused", claimOf("C-XX-09", "980000", "2026-07-01", "other", ""), "980000", "", "", "", "", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			claim, err := offline.ParseClaim([]byte(test.claim))
			if err != nil {
				t.Fatal(err)
			}
			day := string(claim.DischargeDate)
			p, ok := book.Policy("990000", day)
			c, has := book.Catalogue(test.treatment, day)
			if !ok || !has {
				t.Fatal("no documents")
			}
			r, err := offline.Split(p, c, claim)
			if (err != nil) != test.refused {
				t.Fatal(err)
			}
			if test.refused {
				return
			}
			for payer, want := range map[split.Payer]string{
				split.Basic: test.basic, split.SecondLayer: test.second, split.Assistance: test.aid, split.Cash: test.cash,
			} {
				if amount, err := money.Parse(want); err != nil || r.Pays(payer) != amount {
					t.Errorf("%s pays %s, want %s", payer, r.Pays(payer), want)
				}
			}
			if r.Check() != nil || r.Total != 13_000_000 || r.PolicyDigest != p.Digest || r.CatalogueDigest != c.Digest {
				t.Errorf("%+v", r)
			}
		})
	}
}

// claimOf is a bill of 130,000: a bed for 10,000 and 1,000 drugs at 120.
func claimOf(center, province, day, filing, more string) string {
	return `person: {scheme: resident, groups: [subsistence]}
filing: ` + filing + `
treatment_province: "` + province + `"
center: ` + center + `
discharge_date: "` + day + `"
` + more + `lines:
  - {number: 1, item: N-BED, price: 1000, quantity_milli: 10000}
  - {number: 2, item: N-DRUG, price: 120, quantity_milli: 1000000}
`
}
