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
	// Language of the text: "zh", "en", or both when empty.
	Language string
}

// Run splits the claim in a file by the policy and the catalogue in two others, and writes who pays what and why.
// What is wrong in a file is told with its name and line.
func Run(w io.Writer, f Files) error {
	if f.Language != "" && f.Language != "zh" && f.Language != "en" {
		return errors.New("the language is zh or en")
	}
	s, err := Prepare(f)
	if err != nil {
		return err
	}
	if _, err := s.Compute(); err != nil {
		return err
	}
	r := s.Explain()
	if f.JSON {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	}
	return write(w, r, f.Language)
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
	s, err := prepare(p, c, claim)
	if err != nil {
		return split.Result{}, err
	}
	if _, err := s.Compute(); err != nil {
		return split.Result{}, err
	}
	return s.Explain(), nil
}

func prepare(p *policy.Policy, c *policy.Catalogue, claim *Claim) (*Prepared, error) {
	day := string(claim.DischargeDate)
	switch {
	case c.Province != claim.TreatmentProvince:
		return nil, errors.New("the catalogue is of another province than treatment_province")
	case !p.InForce(day):
		return nil, errors.New("the policy is not in force on discharge_date")
	case !c.InForce(day):
		return nil, errors.New("the catalogue is not in force on discharge_date")
	}
	level, ok := c.Level(claim.Center)
	if !ok {
		return nil, errors.New("the center is not in the catalogue's hospitals")
	}
	lines, err := claim.lines()
	if err != nil {
		return nil, err
	}
	if err := claim.enrolled(p); err != nil {
		return nil, err
	}
	return &Prepared{policy: p, catalogue: c, claim: claim, level: level, person: claim.person(), stay: claim.stay(), lines: lines}, nil
}

func write(w io.Writer, r split.Result, language string) error {
	if _, err := fmt.Fprintf(w, "policy    %s  sha256 %s\ncatalogue %s  sha256 %s\n\n", r.PolicyVersion, r.PolicyDigest, r.CatalogueVersion, r.CatalogueDigest); err != nil {
		return err
	}
	for _, s := range r.Steps {
		if _, err := fmt.Fprintf(w, "  %-24s %14s -> %14s\n", s.Rule, s.Input, s.Result); err != nil {
			return err
		}
		for _, words := range []struct{ language, text string }{{"zh", s.Zh}, {"en", s.En}} {
			if language != "" && language != words.language {
				continue
			}
			if _, err := fmt.Fprintf(w, "      %s\n", words.text); err != nil {
				return err
			}
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
