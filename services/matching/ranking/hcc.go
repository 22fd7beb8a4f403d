package ranking

import (
	"math"
	"slices"
)

// Tumour is hepatocellular carcinoma (肝细胞癌) as far as it is known; nil and 0 are "not known".
type Tumour struct {
	Present            *bool     `json:"present,omitempty"`
	NodulesCm          []float64 `json:"nodules_cm,omitempty"`
	VascularInvasion   *bool     `json:"vascular_invasion,omitempty"`
	ExtrahepaticSpread *bool     `json:"extrahepatic_spread,omitempty"`
	Grade              int32     `json:"grade,omitempty"`
	AFP                *float64  `json:"afp,omitempty"`
}

// verdict of a rule whose data may be missing.
type verdict int

const (
	no verdict = iota
	unknown
	yes
)

func is(b bool) verdict {
	if b {
		return yes
	}
	return no
}

func and(vs ...verdict) verdict { return slices.Min(vs) }
func or(vs ...verdict) verdict  { return slices.Max(vs) }

func absent(b *bool) verdict {
	if b == nil {
		return unknown
	}
	return is(!*b)
}

// Within reports whether the tumour lies within the set (肝癌标准). The sizes are compared in tenths of a millimetre, for
// sums of decimals are not exact.
func (t *Tumour) within(set string) verdict {
	if len(t.NodulesCm) == 0 {
		return unknown
	}
	n := len(t.NodulesCm)
	var largest, total int64
	for _, cm := range t.NodulesCm {
		size := int64(math.Round(cm * 100))
		largest, total = max(largest, size), total+size
	}
	switch set {
	case "MILAN":
		return and(is(n == 1 && largest <= 500 || n <= 3 && largest <= 300), absent(t.VascularInvasion), absent(t.ExtrahepaticSpread))
	case "UCSF":
		return and(is(n == 1 && largest <= 650 || n <= 3 && largest <= 450 && total <= 800), absent(t.VascularInvasion))
	case "HANGZHOU":
		grade, afp := unknown, unknown
		if t.Grade != 0 {
			grade = is(t.Grade <= 2)
		}
		if t.AFP != nil {
			afp = is(*t.AFP <= 400)
		}
		return or(is(total <= 800), and(grade, afp))
	case "FUDAN":
		return is(n == 1 && largest <= 900 || n <= 3 && largest <= 500 && total <= 900)
	}
	return no
}

// lacks names what the verdict of the set hangs on.
func (t *Tumour) lacks(set string) []string {
	if len(t.NodulesCm) == 0 {
		return []string{gapNodules}
	}
	var names []string
	if t.VascularInvasion == nil && (set == "MILAN" || set == "UCSF") {
		names = append(names, gapVascular)
	}
	if t.ExtrahepaticSpread == nil && set == "MILAN" {
		names = append(names, gapSpread)
	}
	if set == "HANGZHOU" {
		if t.Grade == 0 {
			names = append(names, gapGrade)
		}
		if t.AFP == nil {
			names = append(names, gapAFP)
		}
	}
	return names
}
