package patient

import (
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
)

// What people type is read as what it stands for: full-width digits, spaces, hyphens and case never make another person.

// dashes and dots are written in many ways on identity documents and keyboards.
func separator(r rune) bool {
	return unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) || r == '_' || r == '−' || unicode.Is(unicode.Cf, r)
}

func dot(r rune) bool { return strings.ContainsRune("·•・‧∙⋅.。．", r) }

func without(s string, drop func(rune) bool) string {
	return strings.Map(func(r rune) rune {
		if drop(r) {
			return -1
		}
		return r
	}, s)
}

func tidyNumber(s string) string {
	return strings.ToUpper(without(norm.NFKC.String(s), separator))
}

// tidyName is a name as it is kept: its spaces single, none at the ends.
func tidyName(s string) string {
	return strings.Join(strings.Fields(without(norm.NFKC.String(s), func(r rune) bool { return unicode.Is(unicode.Cf, r) })), " ")
}

// IndexName is a name as it is compared: without spaces, dots, hyphens and case.
func IndexName(s string) string {
	return strings.ToLower(without(norm.NFKC.String(s), func(r rune) bool { return separator(r) || dot(r) || r == '\'' }))
}

// tidyPhone is a mobile phone's eleven digits, where there are eleven after a country code.
func tidyPhone(s string) string {
	s = without(norm.NFKC.String(s), func(r rune) bool { return separator(r) || strings.ContainsRune("()", r) })
	if len(s) > 11 {
		for _, code := range []string{"+86", "0086", "86"} {
			if rest, had := strings.CutPrefix(s, code); had {
				return rest
			}
		}
	}
	return s
}

var dayLayouts = []string{time.DateOnly, "2006-1-2", "2006/1/2", "2006.1.2", "20060102", "2006年1月2日"}

// tidyDay reads a day in the ways it is written. Faults: FIELD_INVALID.
func tidyDay(field, s string) (string, error) {
	s = without(norm.NFKC.String(s), unicode.IsSpace)
	for _, layout := range dayLayouts {
		if t, err := time.ParseInLocation(layout, s, clock.Shanghai); err == nil {
			return t.Format(time.DateOnly), nil
		}
	}
	return "", fault.New(fault.InvalidArgument, fault.FieldInvalid, field, "The day is not written as YYYY-MM-DD.", "日期应写作YYYY-MM-DD。")
}
