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

// hccSet is a set of criteria for HCC (肝癌肝移植标准).
type hccSet int

const (
	setNone hccSet = iota // takes no HCC
	setMilan
	setUCSF
	setHangzhou
	setFudan
	setCount
)

func setOf(name string) hccSet {
	return max(hccSet(slices.Index([]string{"", "MILAN", "UCSF", "HANGZHOU", "FUDAN"}, name)), setNone)
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

// sizes are in tenths of a millimetre, for sums of decimals are not exact.
func (t *Tumour) sizes() (n int, largest, total int64) {
	for _, cm := range t.NodulesCm {
		size := int64(math.Round(cm * 100))
		largest, total = max(largest, size), total+size
	}
	return len(t.NodulesCm), largest, total
}

// doubtful tells of a size that is no nodule's.
func (t *Tumour) doubtful() (float64, bool) {
	for _, cm := range t.NodulesCm {
		if !(cm > 0 && cm <= largestCm) { // NaN too
			return cm, true
		}
	}
	return 0, false
}

// within reports whether a tumour that is there lies within the set.
func (t *Tumour) within(set hccSet) verdict {
	if set == setNone {
		return no
	}
	n, largest, total := t.sizes()
	if n == 0 {
		return unknown
	}
	switch set {
	case setMilan:
		return and(is(n == 1 && largest <= 500 || n <= 3 && largest <= 300), absent(t.VascularInvasion), absent(t.ExtrahepaticSpread))
	case setUCSF:
		return and(is(n == 1 && largest <= 650 || n <= 3 && largest <= 450 && total <= 800), absent(t.VascularInvasion))
	case setHangzhou:
		grade, afp := unknown, unknown
		if t.Grade != 0 {
			grade = is(t.Grade <= 2)
		}
		if t.AFP != nil {
			afp = is(*t.AFP <= 400)
		}
		return or(is(total <= 800), and(grade, afp))
	case setFudan:
		return is(n == 1 && largest <= 900 || n <= 3 && largest <= 500 && total <= 900)
	}
	return no
}

// lacks names what an unknown verdict of the set hangs on.
func (t *Tumour) lacks(set hccSet) gapSet {
	if len(t.NodulesCm) == 0 {
		return gapNodules.set()
	}
	var gaps gapSet
	if t.VascularInvasion == nil && (set == setMilan || set == setUCSF) {
		gaps |= gapVascular.set()
	}
	if t.ExtrahepaticSpread == nil && set == setMilan {
		gaps |= gapSpread.set()
	}
	if set == setHangzhou {
		if t.Grade == 0 {
			gaps |= gapGrade.set()
		}
		if t.AFP == nil {
			gaps |= gapAFP.set()
		}
	}
	return gaps
}
