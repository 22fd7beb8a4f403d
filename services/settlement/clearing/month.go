package clearing

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"gopkg.in/yaml.v3"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/workday"
)

// Month is a clearing month (清算月), "2026-11". Months compare as text.
type Month string

// MonthOf returns the month of a day such as "2026-11-22".
func MonthOf(day string) Month {
	if len(day) < 7 {
		return ""
	}
	return Month(day[:7])
}

// ParseMonth reads a month, or fails with FIELD_INVALID.
func ParseMonth(text string) (Month, error) {
	if _, err := time.Parse("2006-01", text); err != nil || text < "2000-01" || text > "2199-12" {
		return "", fault.New(fault.InvalidArgument, fault.FieldInvalid, "month", "A month is written as 2026-11.", "月份格式应为 2026-11。")
	}
	return Month(text), nil
}

// first is the first moment of the month in Shanghai.
func (m Month) first() time.Time {
	t, err := time.ParseInLocation("2006-01", string(m), clock.Shanghai)
	if err != nil {
		return time.Time{}
	}
	return t
}

// Plus returns the month n months later.
func (m Month) Plus(n int) Month { return Month(m.first().AddDate(0, n, 0).Format("2006-01")) }

// Next returns the month after.
func (m Month) Next() Month { return m.Plus(1) }

// Year is the month's year.
func (m Month) Year() int {
	year, _ := strconv.Atoi(string(m[:4])) // a Month has four digits there
	return year
}

// endOf is the last moment of a day of the month, the 31st being the last of any.
func (m Month) endOf(day int) time.Time {
	first := m.first()
	end := first.AddDate(0, 0, day)
	if next := first.AddDate(0, 1, 0); end.After(next) {
		end = next
	}
	return end.Add(-time.Microsecond).UTC()
}

// WindowOf chooses the window of a settlement: its business month, or the first after the last one closed when that is
// over already. closed is empty while none was.
func WindowOf(day string, closed Month) Month {
	m := MonthOf(day)
	if closed != "" && m <= closed {
		return closed.Next()
	}
	return m
}

// Rules are the dates of the clearing year as an operator loads them (清算规则).
type Rules struct {
	Version string `yaml:"version"`
	// DeclareBy is the day of the next month by which a month is declared; NationalBy that of the national tables.
	DeclareBy  int `yaml:"declare_by"`
	NationalBy int `yaml:"national_by"`
	// MostDelay is how many months a table may be late.
	MostDelay int `yaml:"most_delay"`
	// TransferWithin, AnswerWithin and DecideWithin are working days.
	TransferWithin int `yaml:"transfer_within"`
	AnswerWithin   int `yaml:"answer_within"`
	DecideWithin   int `yaml:"decide_within"`
	// PrepaidMonths is how many monthly averages a prepayment holds.
	PrepaidMonths int64 `yaml:"prepaid_months"`
	// YellowAt and RedAt are the used share of a prepayment, in basis points, at which it warns.
	YellowAt int64 `yaml:"yellow_at"`
	RedAt    int64 `yaml:"red_at"`
}

//go:embed rules.yaml
var chinaRules []byte

// ChinaRules are those that come with the line.
func ChinaRules() Rules {
	r, err := ParseRules(chinaRules)
	if err != nil {
		panic(err) // embedded, and tested
	}
	return r
}

// ParseRules reads a document of rules: one, with known keys and sensible values.
func ParseRules(text []byte) (r Rules, err error) {
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&r); err != nil {
		return Rules{}, fmt.Errorf("clearing rules: %w", err)
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return Rules{}, errors.New("clearing rules: more than one document")
	}
	switch {
	case r.Version == "":
		err = errors.New("version is missing")
	case r.DeclareBy < 1 || r.NationalBy < r.DeclareBy || r.NationalBy > 31:
		err = errors.New("declare_by and national_by are days of a month, in this order")
	case r.MostDelay < 0 || r.MostDelay > 12:
		err = errors.New("most_delay is 0 to 12 months")
	case min(r.TransferWithin, r.AnswerWithin, r.DecideWithin) < 1 || max(r.TransferWithin, r.AnswerWithin, r.DecideWithin) > 250:
		err = errors.New("transfer_within, answer_within and decide_within are 1 to 250 working days")
	case r.PrepaidMonths < 1 || r.PrepaidMonths > 24:
		err = errors.New("prepaid_months is 1 to 24")
	case r.YellowAt < 1 || r.RedAt <= r.YellowAt || r.RedAt > 10_000:
		err = errors.New("yellow_at and red_at are basis points, in this order")
	}
	if err != nil {
		return Rules{}, fmt.Errorf("clearing rules: %w", err)
	}
	return r, nil
}

// Deadlines are the dates of one month's window.
type Deadlines struct {
	// Ends is the month's own end; nothing is declared before.
	Ends time.Time
	// Declare, National and Last are when it is to be declared, when the national tables are made, and when the window is
	// over for good, disputes included.
	Declare, National, Last time.Time
	// YearCloses is when the month's year is closed.
	YearCloses time.Time
}

// Of returns the dates of a month.
func (r Rules) Of(m Month) Deadlines {
	next := m.Next()
	d := Deadlines{
		Ends: m.endOf(31), Declare: next.endOf(r.DeclareBy), National: next.endOf(r.NationalBy),
		Last:       next.Plus(r.MostDelay).endOf(r.NationalBy),
		YearCloses: Month(strconv.Itoa(m.Year()+1) + "-03").endOf(31),
	}
	if d.Last.After(d.YearCloses) {
		d.Last = d.YearCloses
	}
	return d
}

// TransferBy is when a transfer ordered at t has to have been made.
func (r Rules) TransferBy(t time.Time) time.Time { return workday.China().Add(t, r.TransferWithin) }
