package offline

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/policy"
	"huhang.example/services/settlement/split"
)

// Files names what to split, and how to write the result.
type Files struct {
	Policy, Catalogue, Claim string
	JSON                     bool
}

// Run splits the claim in a file by the policy and the catalogue in two others, and writes who pays what and why.
// What is wrong in a file is told with its name and line.
func Run(w io.Writer, f Files) error {
	p, err := parse(f.Policy, policy.ParsePolicy)
	if err != nil {
		return err
	}
	c, err := parse(f.Catalogue, policy.ParseCatalogue)
	if err != nil {
		return err
	}
	claim, err := parse(f.Claim, ParseClaim)
	if err != nil {
		return err
	}
	r, err := Split(p, c, claim)
	if err != nil {
		return err
	}
	if f.JSON {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	}
	return write(w, r)
}

func parse[T any](file string, read func([]byte) (T, error)) (T, error) {
	var none T
	text, err := os.ReadFile(file)
	if err != nil {
		return none, err
	}
	out, err := read(text)
	if err != nil {
		return none, fmt.Errorf("%s: %w", file, err)
	}
	return out, nil
}

// Split splits a claim as the two provinces would.
func Split(p *policy.Policy, c *policy.Catalogue, claim *Claim) (split.Result, error) {
	day := string(claim.DischargeDate)
	switch {
	case c.Province != claim.TreatmentProvince:
		return split.Result{}, errors.New("the catalogue is of another province than treatment_province")
	case !p.InForce(day):
		return split.Result{}, errors.New("the policy is not in force on discharge_date")
	case !c.InForce(day):
		return split.Result{}, errors.New("the catalogue is not in force on discharge_date")
	}
	level, ok := c.Level(claim.Center)
	if !ok {
		return split.Result{}, errors.New("the center is not in the catalogue's hospitals")
	}
	lines, err := claim.lines()
	if err != nil {
		return split.Result{}, err
	}
	totals, err := split.Add(lines, c, level)
	if err != nil {
		return split.Result{}, err
	}
	who := split.Person{
		Scheme: claim.Person.Scheme, Retired: claim.Person.Retired, CivilServant: claim.Person.CivilServant, Groups: claim.Person.Groups,
	}
	return split.Split(p, who, split.Stay{Filing: claim.Filing, Province: claim.TreatmentProvince}, totals, claim.Counters.year())
}

func write(w io.Writer, r split.Result) error {
	if _, err := fmt.Fprintf(w, "policy %s, catalogue %s\n\n", r.PolicyVersion, r.CatalogueVersion); err != nil {
		return err
	}
	for _, s := range r.Steps {
		if _, err := fmt.Fprintf(w, "  %-24s %14s -> %14s\n      %s\n      %s\n", s.Rule, s.Input, s.Result, s.Zh, s.En); err != nil {
			return err
		}
	}
	var sum money.Fen
	for _, s := range r.Shares {
		sum += s.Amount
		if _, err := fmt.Fprintf(w, "\n  %-24s %14s", s.Payer, s.Amount); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\n  %-24s %14s\n", "total", sum)
	return err
}
