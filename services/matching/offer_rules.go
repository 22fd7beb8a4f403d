package matching

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/workday"
)

//go:embed offer_rules.json
var offerRulesJSON []byte

// OfferRules (邀约规则) are one version of how long an offer runs, how many run at once, and with which codes it may be declined.
type OfferRules struct {
	Version string `json:"version"`
	// From is the first day of this version, in Shanghai; it is in force until the next one's.
	From   string               `json:"from"`
	Limits map[string]OfferTime `json:"limits"`
	// AtOnce is how many centers are asked at the same time; one means one after another.
	AtOnce map[string]int32 `json:"at_once"`
	Codes  []DeclineCode    `json:"decline_codes"`
}

// OfferTime is how long a center has to answer: one of the two.
type OfferTime struct {
	Hours       int `json:"hours"`
	WorkingDays int `json:"working_days"`
}

// DeclineCode is a reason to decline (拒绝代码). From and To are its first and last day; empty: as long as its version.
type DeclineCode struct {
	Code    string `json:"code"`
	Comment bool   `json:"comment"`
	From    string `json:"from,omitempty"`
	To      string `json:"to,omitempty"`
}

// AllOfferRules are the versions, the oldest first.
type AllOfferRules []*OfferRules

var embeddedRules = func() AllOfferRules {
	r, err := ParseOfferRules(offerRulesJSON)
	if err != nil {
		panic("matching: offer_rules.json: " + err.Error()) // embedded and tested
	}
	return r
}()

// mostAtOnce bounds how many centers can be asked at once; mostHours and mostDays how long an offer can run.
const (
	mostAtOnce = 10
	mostHours  = 24 * 30
	mostDays   = 30
)

var (
	urgencies   = []string{"ROUTINE", "URGENT", "EMERGENCY"}
	codePattern = regexp.MustCompile(`^[A-Z_]{2,40}$`)
)

// ParseOfferRules reads the versions strictly; an error names its place.
func ParseOfferRules(data []byte) (AllOfferRules, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var doc struct {
		Rules AllOfferRules `json:"rules"`
	}
	if err := decoder.Decode(&doc); err != nil {
		return nil, err
	}
	if len(doc.Rules) == 0 {
		return nil, errors.New("rules: none")
	}
	for i, r := range doc.Rules {
		if r == nil {
			return nil, fmt.Errorf("rules[%d]: null", i)
		}
		if err := r.check(); err != nil {
			return nil, fmt.Errorf("rules[%d]: %w", i, err)
		}
		if i > 0 && r.From <= doc.Rules[i-1].From {
			return nil, fmt.Errorf("rules[%d].from: not after the version before", i)
		}
	}
	return doc.Rules, nil
}

func isDay(s string) bool { _, err := time.Parse(time.DateOnly, s); return err == nil }

func (r *OfferRules) check() error {
	if r.Version == "" || len(r.Version) > 64 || !isDay(r.From) || len(r.Codes) == 0 {
		return errors.New("version, from or decline_codes missing")
	}
	for _, urgency := range urgencies {
		l := r.Limits[urgency]
		if (l.Hours > 0) == (l.WorkingDays > 0) || l.Hours < 0 || l.Hours > mostHours || l.WorkingDays < 0 || l.WorkingDays > mostDays {
			return fmt.Errorf("limits.%s: hours or working_days", urgency)
		}
		if n := r.AtOnce[urgency]; n < 1 || n > mostAtOnce {
			return fmt.Errorf("at_once.%s: 1 to %d", urgency, mostAtOnce)
		}
	}
	if len(r.Limits) != len(urgencies) || len(r.AtOnce) != len(urgencies) {
		return errors.New("limits, at_once: an urgency that does not exist")
	}
	seen := map[string]bool{}
	for i, c := range r.Codes {
		if !codePattern.MatchString(c.Code) || seen[c.Code] {
			return fmt.Errorf("decline_codes[%d]: no code, or twice", i)
		}
		seen[c.Code] = true
		if c.From != "" && !isDay(c.From) || c.To != "" && (!isDay(c.To) || c.To < c.From) {
			return fmt.Errorf("decline_codes[%d]: its days", i)
		}
	}
	return nil
}

// inForce is the version of a time; before the first one, the first.
func (all AllOfferRules) inForce(at time.Time) *OfferRules {
	day, found := clock.Day(at), all[0]
	for _, r := range all {
		if r.From <= day {
			found = r
		}
	}
	return found
}

// expires tells when an offer made at the time ends.
func (r *OfferRules) expires(at time.Time, urgency string) (time.Time, error) {
	limit, ok := r.Limits[urgency]
	if !ok {
		return time.Time{}, fault.New(fault.InvalidArgument, fault.CodeUnknown, "urgency", "There is no such urgency.", "没有此紧急程度。")
	}
	if limit.Hours > 0 {
		return at.Add(time.Duration(limit.Hours) * time.Hour), nil
	}
	return workday.China().Add(at, limit.WorkingDays), nil
}

// declines checks a code, its days and its comment.
func (r *OfferRules) declines(code, comment string, at time.Time) error {
	day := clock.Day(at)
	for _, c := range r.Codes {
		if c.Code != code || c.From > day || c.To != "" && c.To < day {
			continue
		}
		if c.Comment && comment == "" {
			return fault.New(fault.InvalidArgument, fault.CommentRequired, "comment", "This code needs a comment.", "该代码须附说明。")
		}
		return nil
	}
	return fault.New(fault.InvalidArgument, fault.CodeUnknown, "code", "The code is not in the published list of decline codes today.", "该代码不在今日有效的拒绝代码表中。").
		With("version", r.Version)
}
