package matching

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/workday"
)

//go:embed offer_rules.json
var offerRulesJSON []byte

// offerRules are how long an offer runs and with which codes it may be declined.
type offerRules struct {
	Version string               `json:"version"`
	Limits  map[string]offerTime `json:"limits"`
	Codes   []declineCode        `json:"decline_codes"`
}

type offerTime struct {
	Hours       int `json:"hours"`
	WorkingDays int `json:"working_days"`
}

type declineCode struct {
	Code    string `json:"code"`
	Comment bool   `json:"comment"`
}

var rules = func() *offerRules {
	r, err := parseOfferRules(offerRulesJSON)
	if err != nil {
		panic("matching: offer_rules.json: " + err.Error()) // embedded and tested
	}
	return r
}()

func parseOfferRules(data []byte) (*offerRules, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	r := new(offerRules)
	if err := decoder.Decode(r); err != nil {
		return nil, err
	}
	if r.Version == "" || len(r.Codes) == 0 {
		return nil, errors.New("version or decline_codes missing")
	}
	for _, urgency := range []string{"ROUTINE", "URGENT", "EMERGENCY"} {
		if l := r.Limits[urgency]; (l.Hours > 0) == (l.WorkingDays > 0) {
			return nil, fmt.Errorf("limits.%s: hours or working_days", urgency)
		}
	}
	return r, nil
}

// expires tells when an offer made at the time ends.
func (r *offerRules) expires(at time.Time, urgency string) (time.Time, error) {
	limit, ok := r.Limits[urgency]
	if !ok {
		return time.Time{}, fault.New(fault.InvalidArgument, fault.CodeUnknown, "urgency", "There is no such urgency.", "没有此紧急程度。")
	}
	if limit.Hours > 0 {
		return at.Add(time.Duration(limit.Hours) * time.Hour), nil
	}
	return workday.China().Add(at, limit.WorkingDays), nil
}

// declines checks a code and its comment.
func (r *offerRules) declines(code, comment string) error {
	for _, c := range r.Codes {
		if c.Code != code {
			continue
		}
		if c.Comment && comment == "" {
			return fault.New(fault.InvalidArgument, fault.CommentRequired, "comment", "This code needs a comment.", "该代码须附说明。")
		}
		return nil
	}
	return fault.New(fault.InvalidArgument, fault.CodeUnknown, "code", "The code is not in the published list of decline codes.", "该代码不在已公布的拒绝代码表中。").
		With("version", r.Version)
}
