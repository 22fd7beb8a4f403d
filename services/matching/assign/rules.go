package assign

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
)

// Rules (统筹分配规则) are the declared worth of a placement, in points.
type Rules struct {
	Version string `json:"version"`
	// Placed is the worth of any placement, to which the center's score for the case, 0 to 10000, is added.
	Placed int32 `json:"placed"`
	// Urgency multiplies that sum, in basis points.
	Urgency map[string]int32 `json:"urgency"`
	// DayWaited is added for each day since the case was ranked first, up to DaysMost.
	DayWaited int32 `json:"day_waited"`
	DaysMost  int32 `json:"days_most"`
	// A province's share of the places is in proportion to its waiting cases times its weight; BelowShare is what each
	// placement is worth on top while its province has less than its share.
	ProvinceWeights map[string]int32 `json:"province_weights"`
	OtherProvinces  int32            `json:"other_provinces"`
	BelowShare      int32            `json:"below_share"`
}

//go:embed rules.json
var rulesJSON []byte

var current = func() *Rules {
	r, err := ParseRules(rulesJSON)
	if err != nil {
		panic("assign: rules.json: " + err.Error()) // embedded and tested
	}
	return r
}()

// Current are the rules this binary carries.
func Current() *Rules { return current }

const (
	whole      = 10_000
	mostPoints = 1_000_000
	mostTimes  = 20 * whole
	mostWeight = 100_000
)

var province = regexp.MustCompile(`^[1-9][0-9]0000$`)

// ParseRules reads rules strictly.
func ParseRules(data []byte) (*Rules, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	r := new(Rules)
	if err := decoder.Decode(r); err != nil {
		return nil, err
	}
	if r.Version == "" || len(r.Version) > 64 {
		return nil, errors.New("version: missing or too long")
	}
	for name, points := range map[string]int32{"placed": r.Placed, "day_waited": r.DayWaited, "below_share": r.BelowShare} {
		if points < 0 || points > mostPoints {
			return nil, fmt.Errorf("%s: 0 to %d", name, mostPoints)
		}
	}
	if r.DaysMost < 0 || int64(r.DaysMost)*int64(r.DayWaited) > mostPoints {
		return nil, errors.New("days_most: out of bounds")
	}
	for _, urgency := range []string{"ROUTINE", "URGENT", "EMERGENCY"} {
		if times := r.Urgency[urgency]; times < 1 || times > mostTimes {
			return nil, fmt.Errorf("urgency.%s: 1 to %d", urgency, mostTimes)
		}
	}
	if len(r.Urgency) != 3 {
		return nil, errors.New("urgency: ROUTINE, URGENT, EMERGENCY and no other")
	}
	for code, weight := range r.ProvinceWeights {
		if !province.MatchString(code) || weight < 0 || weight > mostWeight {
			return nil, fmt.Errorf("province_weights.%s: no province, or not 0 to %d", code, mostWeight)
		}
	}
	if r.OtherProvinces < 0 || r.OtherProvinces > mostWeight {
		return nil, fmt.Errorf("other_provinces: 0 to %d", mostWeight)
	}
	return r, nil
}

func (r *Rules) weight(code string) int64 {
	if w, declared := r.ProvinceWeights[code]; declared {
		return int64(w)
	}
	return int64(r.OtherProvinces)
}

// Term is one part of what a placement is worth.
type Term struct {
	Key    string `json:"key"`
	Points int32  `json:"points"`
}

// worth is what placing the case where it has the score is worth; the terms sum to it. The greatest rules allow is
// 20 times 1,010,000 and a million.
func (r *Rules) worth(c *Case, score int32) (int32, [3]Term) {
	times := int64(r.Urgency[c.Urgency])
	base := int64(r.Placed) + int64(score)
	urgent := base*times/whole - base
	waited := int64(min(max(c.DaysWaited, 0), r.DaysMost)) * int64(r.DayWaited)
	return int32(base + urgent + waited), [3]Term{{"suitability", int32(base)}, {"urgency", int32(urgent)}, {"waited", int32(waited)}}
}
