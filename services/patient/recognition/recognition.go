// Package recognition judges whether a result of another hospital may stand in for a new examination (检查检验结果互认).
//
// Invariant: items, windows, prices and reasons are versioned data, and a judgement keeps the version it was made by; a
// result is recognised within its window only, by another hospital than the one that performed it, and is counted once for
// each hospital.
package recognition

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
)

// The kinds of items.
const (
	Lab     = "LAB"
	Imaging = "IMAGING"
)

// Item is one examination of the catalogue.
type Item struct {
	Code  string    `json:"code"`
	Kind  string    `json:"kind"`
	Zh    string    `json:"zh"`
	En    string    `json:"en"`
	Units []string  `json:"units"` // empty: the result is a text
	Days  int       `json:"days"`  // how long after the examination it may be recognised
	Price money.Fen `json:"price_fen"`
}

// Reason is why an examination is repeated.
type Reason struct {
	Code    string `json:"code"`
	Zh      string `json:"zh"`
	En      string `json:"en"`
	Comment bool   `json:"comment"`
}

// Catalogue is a version of the list (互认项目目录).
type Catalogue struct {
	Version string   `json:"version"`
	From    string   `json:"effective_from"`
	Note    string   `json:"note"`
	Items   []Item   `json:"items"`
	Reasons []Reason `json:"reasons"`
}

//go:embed catalogue.json
var sample []byte

// Sample is the catalogue the line comes with.
func Sample() *Catalogue {
	c, err := Parse(sample)
	if err != nil {
		panic(err) // it is embedded, and tested
	}
	return c
}

// Open reads the operator's catalogue, which must be in force; without a file it is the sample.
func Open(file string, now time.Time) (*Catalogue, error) {
	if file == "" {
		return Sample(), nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	c, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if c.From > clock.Day(now) {
		return nil, fmt.Errorf("%s: catalogue: version %q is in force from %s only", file, c.Version, c.From)
	}
	return c, nil
}

// Parse reads a catalogue and says what is wrong with it.
func Parse(text []byte) (*Catalogue, error) {
	c := new(Catalogue)
	// A key that is mistyped would silently be a window of no days, or a price of nothing.
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(c); err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("catalogue: more than one document")
	}
	if _, err := time.Parse(time.DateOnly, c.From); err != nil || c.Version == "" || len(c.Items) == 0 {
		return nil, fmt.Errorf("catalogue: version, effective_from and items are required")
	}
	seen := map[string]bool{}
	for _, i := range c.Items {
		if seen[i.Code] || i.Code == "" || i.Zh == "" || i.En == "" || i.Kind != Lab && i.Kind != Imaging || i.Days < 1 || i.Days > 3650 || i.Price < 0 {
			return nil, fmt.Errorf("catalogue: item %q is double or not whole", i.Code)
		}
		seen[i.Code] = true
	}
	for _, r := range c.Reasons {
		if seen["reason "+r.Code] || r.Code == "" || r.Zh == "" || r.En == "" {
			return nil, fmt.Errorf("catalogue: reason %q is double or not whole", r.Code)
		}
		seen["reason "+r.Code] = true
	}
	return c, nil
}

// Item returns an item. Faults: CODE_UNKNOWN.
func (c *Catalogue) Item(code string) (Item, error) {
	i := slices.IndexFunc(c.Items, func(i Item) bool { return i.Code == code })
	if i < 0 {
		return Item{}, fault.New(fault.InvalidArgument, fault.CodeUnknown, "item_code",
			"The item is not in the catalogue.", "该项目不在互认目录中。").With("catalogue_version", c.Version)
	}
	return c.Items[i], nil
}

// Result is the result of an examination with its provenance.
type Result struct {
	ID, PatientID, ItemCode string
	PerformedBy             string
	PerformedOn             string // YYYY-MM-DD
	Method                  string
	Value                   *float64
	Unit, Text              string
	Mark                    string // CITY, PROVINCE, REGION, NATIONAL; empty: none
	ValidUntil              string // last day it may be recognised
	DocumentID              string
	RecordedBy              string
	RecordedAt              time.Time
	Catalogue               string
	Judgements              []Judgement // newest first
}

// The decisions.
const (
	Recognised   = "RECOGNISED"
	RepeatNeeded = "REPEAT_NEEDED"
)

// Judgement is what one hospital decided.
type Judgement struct {
	Organisation, Decision, Reason, Comment, Subject string
	At                                               time.Time
	Avoided                                          money.Fen
	Catalogue                                        string
	Replaced                                         bool
}

// Check completes a result by its item, or says what is wrong with it. Faults: CODE_UNKNOWN, FIELD_INVALID, TIME_INVALID.
func (c *Catalogue) Check(r *Result, born string, now time.Time) error {
	item, err := c.Item(r.ItemCode)
	if err != nil {
		return err
	}
	day, err := time.ParseInLocation(time.DateOnly, r.PerformedOn, clock.Shanghai)
	if err != nil || day.After(now) || r.PerformedOn < born {
		return fault.New(fault.InvalidArgument, fault.TimeInvalid, "performed_on",
			"The examination's day is no day of the patient's past.", "检查日期无效、在将来或早于出生日期。")
	}
	switch {
	case len(item.Units) == 0 && (r.Value != nil || r.Unit != ""):
		return invalid("value", "The result of this item is a text.", "该项目结果应为文字。")
	case len(item.Units) == 0 && r.Text == "":
		return invalid("text", "The result of this item is a text, which is missing.", "缺少文字结果。")
	case len(item.Units) > 0 && r.Value == nil:
		return invalid("value", "The result of this item is a number, which is missing.", "缺少数值结果。")
	case len(item.Units) > 0 && !slices.Contains(item.Units, r.Unit):
		return invalid("unit", "The item does not come in this unit.", "该项目不使用此单位。").With("units", fmt.Sprint(item.Units))
	}
	r.ValidUntil, r.Catalogue = day.AddDate(0, 0, item.Days).Format(time.DateOnly), c.Version
	return nil
}

func invalid(field, en, zh string) *fault.Fault {
	return fault.New(fault.InvalidArgument, fault.FieldInvalid, field, en, zh)
}

// Expired tells whether the last day of recognition is over.
func (r *Result) Expired(now time.Time) bool { return clock.Day(now) > r.ValidUntil }

// Judge makes the judgement of a hospital. Faults: WRONG_STATE for the hospital's own result, RESULT_EXPIRED, CODE_UNKNOWN,
// COMMENT_REQUIRED, FIELD_INVALID.
func (c *Catalogue) Judge(r *Result, j Judgement, now time.Time) (Judgement, error) {
	if j.Organisation == r.PerformedBy {
		return j, fault.New(fault.FailedPrecondition, fault.WrongState, "result_id",
			"A hospital does not recognise its own result.", "无需互认本机构的结果。").With("state", "OWN_RESULT")
	}
	item, err := c.Item(r.ItemCode)
	if err != nil {
		return j, err
	}
	j.At, j.Catalogue, j.Avoided = now, c.Version, 0
	if j.Decision == Recognised {
		if j.Reason != "" {
			return j, invalid("reason", "A reason belongs to a repetition.", "仅复查须填写原因。")
		}
		if r.Expired(now) {
			return j, fault.New(fault.FailedPrecondition, fault.ResultExpired, "result_id",
				"The result is older than its validity window.", "该结果已超过互认有效期。").With("valid_until", r.ValidUntil)
		}
		j.Avoided = item.Price
		return j, nil
	}
	k := slices.IndexFunc(c.Reasons, func(x Reason) bool { return x.Code == j.Reason })
	switch {
	case j.Decision != RepeatNeeded:
		return j, invalid("decision", "Recognise the result or ask for a repetition.", "请选择互认或复查。")
	case k < 0:
		return j, fault.New(fault.InvalidArgument, fault.CodeUnknown, "reason", "The reason is not in the catalogue.", "原因不在目录中。").With("catalogue_version", c.Version)
	case c.Reasons[k].Comment && j.Comment == "":
		return j, fault.New(fault.InvalidArgument, fault.CommentRequired, "comment", "This reason needs a comment.", "该原因须填写说明。")
	case j.Reason == "EXPIRED" && !r.Expired(now):
		return j, invalid("reason", "The result is within its window.", "该结果仍在有效期内。")
	}
	return j, nil
}

// Sum is what one hospital recognised in one month.
type Sum struct {
	Organisation, Month  string
	Recognised, Repeated int64
	Avoided              money.Fen
}
