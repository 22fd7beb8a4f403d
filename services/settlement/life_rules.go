package settlement

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/policy"
)

//go:embed life_rules.json
var sampleLifeRules []byte

// LifeRules are the terms of a claim's life that an operator declares: none of them is decided in code.
type LifeRules struct {
	Version  string `json:"version"`
	Standing string `json:"standing"`
	// StuckAfter is when a claim without an outcome is listed as stuck; ManualAfter is when it falls to a manual claim.
	StuckAfterSeconds int `json:"stuck_after_seconds"`
	ManualAfterHours  int `json:"manual_after_hours"`
	Retry             struct {
		FirstSeconds   int `json:"first_seconds"`
		LongestSeconds int `json:"longest_seconds"`
	} `json:"retry"`
	Preauthorisation struct {
		// Days is how long one lasts after the planned admission; AheadDays how far ahead that may lie.
		Days      int    `json:"days"`
		AheadDays int    `json:"ahead_days"`
		MostTotal string `json:"most_total"`
	} `json:"preauthorisation"`
	Filing struct {
		// PastDays is how far back a filing may begin: a stay that is under way can still be filed.
		PastDays  int                          `json:"past_days"`
		AheadDays int                          `json:"ahead_days"`
		Types     map[policy.Filing]FilingTerm `json:"types"`
	} `json:"filing"`
	Papers []Paper `json:"papers"`
}

// FilingTerm is how long a filing of a type holds, and what must be handed in: of each set, one.
type FilingTerm struct {
	Months    int                `json:"months"`
	Documents [][]FilingDocument `json:"documents"`
}

// FilingDocument is a paper of a filing (备案材料).
type FilingDocument string

// Paper is one paper of a manual claim (手工报销材料), and who brings it.
type Paper struct {
	Code string `json:"code"`
	From string `json:"from"`
	Zh   string `json:"zh"`
	En   string `json:"en"`
}

// SampleLifeRules are those that come with the line.
func SampleLifeRules() *LifeRules {
	r, err := ParseLifeRules(sampleLifeRules)
	if err != nil {
		panic("settlement: life_rules.json: " + err.Error()) // embedded and tested
	}
	return r
}

// ParseLifeRules reads and checks rules; unknown keys are refused.
func ParseLifeRules(data []byte) (*LifeRules, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	r := new(LifeRules)
	if err := decoder.Decode(r); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the rules")
	}
	return r, r.check()
}

func (r *LifeRules) check() error {
	const aYear = 366
	for _, bound := range []struct {
		name             string
		value, low, high int
	}{
		{"stuck_after_seconds", r.StuckAfterSeconds, 1, 86_400},
		{"manual_after_hours", r.ManualAfterHours, 1, aYear * 24},
		{"retry.first_seconds", r.Retry.FirstSeconds, 1, 3600},
		{"retry.longest_seconds", r.Retry.LongestSeconds, r.Retry.FirstSeconds, 86_400},
		{"preauthorisation.days", r.Preauthorisation.Days, 1, aYear},
		{"preauthorisation.ahead_days", r.Preauthorisation.AheadDays, 0, aYear},
		{"filing.past_days", r.Filing.PastDays, 0, aYear},
		{"filing.ahead_days", r.Filing.AheadDays, 0, aYear},
	} {
		if bound.value < bound.low || bound.value > bound.high {
			return fmt.Errorf("%s: %d is not from %d to %d", bound.name, bound.value, bound.low, bound.high)
		}
	}
	if r.Version == "" || len(r.Version) > 64 || r.Standing != "sourced" && r.Standing != "illustrative" {
		return errors.New("version and standing: missing, or unknown")
	}
	if most, err := money.Parse(r.Preauthorisation.MostTotal); err != nil || most <= 0 {
		return errors.New("preauthorisation.most_total: not an amount in yuan")
	}
	for _, kind := range []policy.Filing{policy.LongTerm, policy.Referral, policy.Emergency, policy.Other} {
		term, has := r.Filing.Types[kind]
		if !has || term.Months < 0 || term.Months > 120 {
			return fmt.Errorf("filing.types.%s: missing, or its months are not from 0 to 120", kind)
		}
	}
	if len(r.Filing.Types) != 4 || len(r.Papers) == 0 {
		return errors.New("filing.types, papers: an unknown type, or no papers")
	}
	for i, p := range r.Papers {
		if p.Code == "" || p.Zh == "" || p.En == "" || !slices.Contains([]string{"line", "center", "patient"}, p.From) {
			return fmt.Errorf("papers[%d]: incomplete", i)
		}
	}
	return nil
}

func (r *LifeRules) stuckAfter() time.Duration {
	return time.Duration(r.StuckAfterSeconds) * time.Second
}

func (r *LifeRules) manualAfter() time.Duration { return time.Duration(r.ManualAfterHours) * time.Hour }

// pause is how long after the n-th vain try the next one comes: twice as long each time, up to the longest.
func (r *LifeRules) pause(n int32) time.Duration {
	longest := time.Duration(r.Retry.LongestSeconds) * time.Second
	first := time.Duration(r.Retry.FirstSeconds) * time.Second
	if n > 20 {
		return longest
	}
	return min(first<<max(n-1, 0), longest)
}

// validTo is the last day of a filing of the type that begins on from; an emergency is filed for the visit alone, and a
// type without months holds until changed.
func (r *LifeRules) validTo(kind policy.Filing, from string) string {
	if kind == policy.Emergency {
		return from
	}
	months := r.Filing.Types[kind].Months
	if months == 0 {
		return ""
	}
	day, err := time.Parse(time.DateOnly, from)
	if err != nil {
		return from
	}
	return day.AddDate(0, months, 0).Format(time.DateOnly)
}

// complete refuses a filing whose papers are not all there.
func (r *LifeRules) complete(kind policy.Filing, documents []FilingDocument) error {
	for _, oneOf := range r.Filing.Types[kind].Documents {
		if !slices.ContainsFunc(oneOf, func(d FilingDocument) bool { return slices.Contains(documents, d) }) {
			return fault.New(fault.FailedPrecondition, fault.DatumMissing, "documents",
				"A filing of this type needs a further document.", "该类备案还缺少材料。").With("missing", string(oneOf[0]))
		}
	}
	return nil
}
