package offline

import (
	"fmt"
	"io"
	"slices"

	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/policy"
	"huhang.example/services/settlement/split"
)

// Finding is what a check has to say of a policy that is valid.
type Finding struct {
	// Objection: not to be put into force without a second look; a remark otherwise.
	Objection bool   `json:"objection"`
	Zh        string `json:"zh"`
	En        string `json:"en"`
}

// Check tries a policy out: where a better filing costs a person more, where a hospital level has no terms.
func Check(p *policy.Policy) []Finding {
	var out []Finding
	if p.Standing != "sourced" {
		out = append(out, Finding{Zh: "数据并非全部有出处（standing: " + p.Standing + "）。", En: "Not every number is sourced (standing: " + p.Standing + ")."})
	}
	for i := range p.Schemes {
		s := &p.Schemes[i]
		for level := 1; level <= 3; level++ {
			if _, ok := s.Basic.Term(level, false); !ok {
				out = append(out, Finding{
					Zh: fmt.Sprintf("%s：未规定 %d 级医院的待遇，此类医院不能直接结算。", s.Scheme, level),
					En: fmt.Sprintf("%s: no terms for hospitals of level %d; nothing is settled directly there.", s.Scheme, level),
				})
			}
		}
		out = append(out, filings(p, s)...)
	}
	return out
}

// elsewhere is a province that no policy treats as local: there is none with this code.
const elsewhere = "990000"

// filings looks for bills on which a better filing leaves the person more to pay, over levels, states and identities.
func filings(p *policy.Policy, s *policy.SchemeTerms) []Finding {
	worst := map[[2]policy.Filing]*dearer{}
	for _, t := range s.Basic.Terms {
		for _, retired := range []bool{false, true} {
			if t.Retired != nil && *t.Retired != retired {
				continue
			}
			for _, groups := range identities(p) {
				who := split.Person{Scheme: s.Scheme, Retired: retired, Groups: groups}
				for _, amount := range trials {
					compare(p, who, t.Levels[0], amount, worst)
				}
			}
		}
	}
	var out []Finding
	for _, pair := range pairs() {
		if d := worst[pair]; d != nil {
			out = append(out, Finding{
				Objection: !slices.Contains(p.Accepted, policy.BetterFilingCostsMore),
				Zh:        fmt.Sprintf("%s：范围内费用 %s 元时，备案类型 %s 比 %s 让患者多付 %s 元。", s.Scheme, d.amount, pair[0], pair[1], d.more),
				En:        fmt.Sprintf("%s: with %s in scope, the filing %s costs the patient %s more than %s.", s.Scheme, d.amount, pair[0], d.more, pair[1]),
			})
		}
	}
	return out
}

type dearer struct{ amount, more money.Fen }

// pairs are the kinds of filing, the better first.
func pairs() [][2]policy.Filing {
	var out [][2]policy.Filing
	for i, better := range policy.Filings() {
		for _, worse := range policy.Filings()[i+1:] {
			out = append(out, [2]policy.Filing{better, worse})
		}
	}
	return out
}

func compare(p *policy.Policy, who split.Person, level int, amount money.Fen, worst map[[2]policy.Filing]*dearer) {
	totals := split.Totals{Total: amount, InScope: amount, HospitalLevel: level}
	cash := map[policy.Filing]money.Fen{}
	for _, f := range policy.Filings() {
		var o split.Outcome
		if err := o.Compute(p, &who, &split.Stay{Filing: f, Province: elsewhere}, &totals, &split.Counters{}); err != nil {
			return
		}
		cash[f] = o.Cash()
	}
	for _, pair := range pairs() {
		more := cash[pair[0]] - cash[pair[1]]
		if more <= 0 {
			continue
		}
		if d := worst[pair]; d == nil || more > d.more {
			worst[pair] = &dearer{amount, more}
		}
	}
}

func identities(p *policy.Policy) [][]policy.Group {
	out := [][]policy.Group{nil}
	if p.Assistance != nil {
		for _, g := range p.Assistance.Groups {
			out = append(out, []policy.Group{g.Group})
		}
	}
	return out
}

// trials are the amounts tried: every round sum from 100 to 10,000,000 yuan at steps of about a fiftieth.
var trials = func() (all []money.Fen) {
	for x := money.Fen(10_000); x <= 1_000_000_000; x += x/50 + 1 {
		all = append(all, x)
	}
	return all
}()

// CheckFiles checks documents together: each for itself, and their dates. It reports an objection or an invalid document
// as an error, after everything has been written.
func CheckFiles(w io.Writer, files []string) error {
	var heads []policy.Head
	objections := 0
	for _, file := range files {
		head, p, err := document(file)
		if err != nil {
			return err
		}
		heads = append(heads, head)
		if _, err := fmt.Fprintf(w, "%s: %s %s, %s, in force from %s to %s, sha256 %s\n", file, head.Kind, head.Version, head.Standing,
			head.ValidFrom, orOpen(head.ValidTo), head.Digest); err != nil {
			return err
		}
		if p == nil {
			continue
		}
		for _, f := range Check(p) {
			kind := "remark"
			if f.Objection {
				kind, objections = "OBJECTION", objections+1
			}
			if _, err := fmt.Fprintf(w, "  %s: %s\n    %s\n", kind, f.En, f.Zh); err != nil {
				return err
			}
		}
	}
	if err := policy.Dates(heads...); err != nil {
		return err
	}
	if objections > 0 {
		return fmt.Errorf("%d objections; a policy that means it says so: accepted: [%s]", objections, policy.BetterFilingCostsMore)
	}
	return nil
}

func orOpen(d policy.Date) string {
	if d == "" {
		return "further notice"
	}
	return string(d)
}
