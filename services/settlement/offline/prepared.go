package offline

import (
	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/policy"
	"huhang.example/services/settlement/split"
)

// Prepared is a claim whose files were read and found in order: it can be split again and again, for figures.
type Prepared struct {
	policy    *policy.Policy
	catalogue *policy.Catalogue
	claim     *Claim
	level     int
	person    split.Person
	stay      split.Stay
	lines     []split.Line
	adder     split.Adder
	outcome   split.Outcome
}

// Prepare reads the files.
func Prepare(f Files) (*Prepared, error) {
	p, err := parse(f.Policy, policy.ParsePolicy)
	if err != nil {
		return nil, err
	}
	c, err := parse(f.Catalogue, policy.ParseCatalogue)
	if err != nil {
		return nil, err
	}
	claim, err := parse(f.Claim, ParseClaim)
	if err != nil {
		return nil, err
	}
	return prepare(p, c, claim)
}

// Lines is how many lines the claim has.
func (s *Prepared) Lines() int { return len(s.lines) }

// Compute sums the lines and divides the sum, and returns what is left to the patient.
func (s *Prepared) Compute() (cash money.Fen, err error) {
	totals, err := s.adder.Add(s.lines, s.catalogue, s.level)
	if err != nil {
		return 0, err
	}
	if err := s.outcome.Compute(s.policy, &s.person, &s.stay, &totals, &s.claim.Counters.Counters); err != nil {
		return 0, err
	}
	return s.outcome.Cash(), nil
}

// Explain writes out what Compute computed last.
func (s *Prepared) Explain() split.Result { return s.outcome.Explain() }
