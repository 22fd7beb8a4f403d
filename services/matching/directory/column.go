package directory

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"huhang.example/services/internal/place"
)

// entry is one row of a directory table: a center and one of its programs, or none.
type entry struct {
	center  Center
	program Program
	etag    string
	// Capacity's three columns, until the row is whole.
	free, asOf, declaredBy string
}

// kind is how JSON writes a column's values.
type kind int

const (
	text kind = iota
	number
	boolean
)

// column is one column of the table, and the only place that knows how its value is written.
type column struct {
	name string
	kind kind
	// of the center, not of its program
	own bool
	get func(*entry) string
	set func(*entry, string) error
}

var errRequired = errors.New("required|必填")

// columns are the table's, in the order an export writes them.
var columns = []column{
	own("center_id", func(e *entry) *string { return &e.center.ID }, func(s string) error {
		return when(!centerID.MatchString(s), "a center's code, such as C-SH-01|须为中心代码，如C-SH-01")
	}),
	own("name_zh", func(e *entry) *string { return &e.center.NameZh }, checkName),
	own("name_en", func(e *entry) *string { return &e.center.NameEn }, checkName),
	own("line", func(e *entry) *string { return &e.center.Line }, func(s string) error {
		return when(!known(Lines, s), "one of jjj, csj, zsj|须为jjj、csj、zsj之一")
	}),
	own("city", func(e *entry) *string { return &e.center.City }, func(s string) error {
		_, ok := place.City(s)
		return when(!ok, "a city's GB/T 2260 code|须为城市的行政区划代码")
	}),
	own("etag", func(e *entry) *string { return &e.etag }, func(s string) error {
		n, err := strconv.ParseInt(s, 10, 64)
		return when(s != "" && (err != nil || n < 1 || strconv.FormatInt(n, 10) != s), "a version as exported, or nothing for a new center|须为导出时的版本号，新中心留空")
	}),
	{"reserve_quotas", text, true, func(e *entry) string { return formatQuotas(e.center.Quotas) }, func(e *entry, s string) (err error) {
		e.center.Quotas, err = parseQuotas(s)
		return err
	}},
	word("organ", func(e *entry) *string { return &e.program.Organ }, func(s string) error {
		return when(s != "" && !known(Organs, s), "one of "+strings.Join(Organs, ", ")+"|须为"+strings.Join(Organs, "、")+"之一")
	}),
	word("licence_from", func(e *entry) *string { return &e.program.Licence.ValidFrom }, checkDay),
	word("licence_to", func(e *entry) *string { return &e.program.Licence.ValidTo }, checkDay),
	flag("licence_suspended", func(e *entry) *bool { return &e.program.Licence.Suspended }),
	flag("licence_revoked", func(e *entry) *bool { return &e.program.Licence.Revoked }),
	flag("adults", func(e *entry) *bool { return &e.program.Adults }),
	flag("children", func(e *entry) *bool { return &e.program.Children }),
	flag("open", func(e *entry) *bool { return &e.program.Open }),
	limit("min_age", func(e *entry) **int32 { return &e.program.Criteria.MinAge }),
	limit("max_age", func(e *entry) **int32 { return &e.program.Criteria.MaxAge }),
	{"max_bmi", number, false, func(e *entry) string {
		if e.program.Criteria.MaxBMI == nil {
			return ""
		}
		return strconv.FormatFloat(*e.program.Criteria.MaxBMI, 'f', -1, 64)
	}, func(e *entry, s string) error {
		if s == "" {
			return nil
		}
		v, err := strconv.ParseFloat(s, 64)
		if err != nil || math.IsNaN(v) || v < 10 || v > 100 {
			return errors.New("a number from 10 to 100, or nothing|须为10至100，或留空")
		}
		e.program.Criteria.MaxBMI = &v
		return nil
	}},
	flag("retransplant", func(e *entry) *bool { return &e.program.Criteria.Retransplant }),
	flag("abo_incompatible", func(e *entry) *bool { return &e.program.Criteria.ABOIncompatible }),
	flag("living_donor", func(e *entry) *bool { return &e.program.Criteria.LivingDonor }),
	flag("hiv", func(e *entry) *bool { return &e.program.Criteria.HIV }),
	{"infections", text, false, func(e *entry) string { return formatInfections(e.program.Criteria.Infections) }, func(e *entry, s string) (err error) {
		e.program.Criteria.Infections, err = parseInfections(s)
		return err
	}},
	word("hcc_set", func(e *entry) *string { return &e.program.Criteria.HCCSet }, func(s string) error {
		return when(s != "" && !known(HCCSets, s), "one of "+strings.Join(HCCSets, ", ")+", or nothing|须为"+strings.Join(HCCSets, "、")+"之一，或留空")
	}),
	count("call_in_minutes", func(e *entry) *int32 { return &e.program.Criteria.CallInMinutes }, 10080),
	count("survival_tier", func(e *entry) *int32 { return &e.program.SurvivalTier }, 5),
	count("volume", func(e *entry) *int32 { return &e.program.Volume }, maxCount),
	count("median_wait_days", func(e *entry) *int32 { return &e.program.MedianWaitDays }, maxCount),
	{"free_places", number, false, func(e *entry) string { return e.free }, func(e *entry, s string) error {
		e.free = s
		n, err := strconv.Atoi(s)
		return when(s != "" && (err != nil || n < 0 || n > 1000 || strconv.Itoa(n) != s), "a whole number from 0 to 1000, or nothing|须为0至1000的整数，或留空")
	}},
	word("capacity_as_of", func(e *entry) *string { return &e.asOf }, func(s string) error {
		_, err := time.Parse(time.RFC3339Nano, s)
		return when(s != "" && err != nil, "a time such as 2026-11-22T04:00:00Z, or nothing|须为时间，如2026-11-22T04:00:00Z，或留空")
	}),
	word("capacity_declared_by", func(e *entry) *string { return &e.declaredBy }, func(s string) error {
		return when(s != "" && !organisation.MatchString(s), "an organisation's code, or nothing|须为机构代码，或留空")
	}),
}

// Columns are the names of the table's columns.
func Columns() []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return names
}

// when makes an error of both languages, "en|zh".
func when(bad bool, both string) error {
	if bad {
		return errors.New(both)
	}
	return nil
}

func word(name string, field func(*entry) *string, check func(string) error) column {
	return column{name, text, false, func(e *entry) string { return *field(e) }, func(e *entry, s string) error {
		*field(e) = s
		return check(s)
	}}
}

func own(name string, field func(*entry) *string, check func(string) error) column {
	c := word(name, field, check)
	c.own = true
	return c
}

func flag(name string, field func(*entry) *bool) column {
	return column{name, boolean, false, func(e *entry) string { return strconv.FormatBool(*field(e)) }, func(e *entry, s string) error {
		*field(e) = s == "true"
		return when(s != "true" && s != "false", "true or false|须为true或false")
	}}
}

func limit(name string, field func(*entry) **int32) column {
	return column{name, number, false, func(e *entry) string {
		if v := *field(e); v != nil {
			return strconv.Itoa(int(*v))
		}
		return ""
	}, func(e *entry, s string) error {
		if s == "" {
			return nil
		}
		v, err := whole(s, 150)
		if err == nil {
			*field(e) = &v
		}
		return err
	}}
}

func count(name string, field func(*entry) *int32, most int32) column {
	return column{name, number, false, func(e *entry) string { return strconv.Itoa(int(*field(e))) }, func(e *entry, s string) (err error) {
		*field(e), err = whole(s, most)
		return err
	}}
}

func whole(s string, most int32) (int32, error) {
	if s == "" {
		return 0, errRequired
	}
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil || n < 0 || n > int64(most) || strconv.FormatInt(n, 10) != s {
		return 0, fmt.Errorf("a whole number from 0 to %d|须为0至%d的整数", most, most)
	}
	return int32(n), nil
}

// checkName refuses what a spreadsheet would run or a reader not see.
func checkName(s string) error {
	switch {
	case s == "":
		return errRequired
	case !utf8.ValidString(s) || utf8.RuneCountInString(s) > maxName || strings.TrimSpace(s) != s:
		return fmt.Errorf("at most %d characters, no space at the ends|最多%d个字符，首尾不含空格", maxName, maxName)
	case strings.ContainsAny(s[:1], "=+-@") || strings.ContainsFunc(s, unicode.IsControl):
		return errors.New("begins with = + - @, or holds a control character|不得以= + - @开头，不得含控制字符")
	}
	return nil
}

func checkDay(s string) error {
	if s == "" {
		return nil // asked of rows with a program, as a whole
	}
	t, err := time.Parse(time.DateOnly, s)
	return when(err != nil || t.Year() < 1900, "a day such as 2026-11-22|须为日期，如2026-11-22")
}

func formatInfections(m map[string]string) string {
	var parts []string
	for _, infection := range Infections {
		if policy, ok := m[infection]; ok {
			parts = append(parts, infection+":"+policy)
		}
	}
	return strings.Join(parts, ";")
}

func parseInfections(s string) (map[string]string, error) {
	if s == "" {
		return nil, nil
	}
	m := map[string]string{}
	for part := range strings.SplitSeq(s, ";") {
		infection, policy, _ := strings.Cut(part, ":")
		if _, twice := m[infection]; twice || !known(Infections, infection) || !known(Policies, policy) {
			return nil, errors.New("such as ACTIVE:EXCLUDES;HBV:ACCEPTS, each infection once|格式如ACTIVE:EXCLUDES;HBV:ACCEPTS，每种感染一次")
		}
		m[infection] = policy
	}
	return m, nil
}

func formatQuotas(quotas []Quota) string {
	parts := make([]string, 0, len(quotas))
	for _, q := range quotas {
		parts = append(parts, fmt.Sprintf("%s:%s:%s:%d:%d:%s:%s", q.Resource, q.Organ, q.Period, q.Units, q.Share, q.ValidFrom, q.ValidTo))
	}
	return strings.Join(parts, ";")
}

func parseQuotas(s string) ([]Quota, error) {
	if s == "" {
		return nil, nil
	}
	shape := errors.New("such as BED:LIVER:MONTH:40:2000:2026-01-01:2026-12-31, several with ;|格式如BED:LIVER:MONTH:40:2000:2026-01-01:2026-12-31，多项以;分隔")
	var quotas []Quota
	for part := range strings.SplitSeq(s, ";") {
		f := strings.Split(part, ":")
		if len(f) != 7 || len(quotas) == maxQuotas {
			return nil, shape
		}
		units, bad := whole(f[3], maxCount)
		share, worse := whole(f[4], basisPoints)
		if bad != nil || worse != nil {
			return nil, shape
		}
		quotas = append(quotas, Quota{f[0], f[1], f[2], units, share, f[5], f[6]})
	}
	if err := CheckQuotas(quotas); err != nil {
		return nil, fmt.Errorf("%w|预留资源无效：%w", err, err)
	}
	return slices.Clip(quotas), nil
}
