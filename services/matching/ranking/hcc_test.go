package ranking

import "testing"

func TestSets(t *testing.T) {
	no0, yes0 := new(bool), ptr(true)
	clear := func(nodules ...float64) *Tumour {
		return &Tumour{Present: ptr(true), NodulesCm: nodules, VascularInvasion: no0, ExtrahepaticSpread: no0}
	}
	with := func(t *Tumour, change func(*Tumour)) *Tumour { change(t); return t }
	for _, test := range []struct {
		name                         string
		tumour                       *Tumour
		milan, ucsf, hangzhou, fudan verdict
	}{
		{"one of 5", clear(5), yes, yes, yes, yes},
		{"one of 5.1", clear(5.1), no, yes, yes, yes},
		{"one of 6.5", clear(6.5), no, yes, yes, yes},
		{"one of 6.6", clear(6.6), no, no, yes, yes},
		{"one of 9, grade and AFP not known", clear(9), no, no, unknown, yes},
		{"one of 9, grade 2, AFP 400", with(clear(9), func(t *Tumour) { t.Grade, t.AFP = 2, ptr(400.0) }), no, no, yes, yes},
		{"one of 9, grade 2, AFP 401", with(clear(9), func(t *Tumour) { t.Grade, t.AFP = 2, ptr(401.0) }), no, no, no, yes},
		{"one of 9, grade 3, AFP not known", with(clear(9), func(t *Tumour) { t.Grade = 3 }), no, no, no, yes},
		{"one of 9.1", with(clear(9.1), func(t *Tumour) { t.Grade = 3 }), no, no, no, no},
		{"the sample's 3.4 and 2.1", clear(3.4, 2.1), no, yes, yes, yes},
		{"three of 3", clear(3, 3, 3), yes, no, unknown, yes}, // 9 in total
		{"three of 2.5", clear(2.5, 2.5, 2.5), yes, yes, yes, yes},
		{"4.5, 2.0 and 1.5: exactly 8 in total", clear(4.5, 2.0, 1.5), no, yes, yes, yes},
		{"4.4, 2.2 and 1.5: 8.1 in total", with(clear(4.4, 2.2, 1.5), func(t *Tumour) { t.Grade = 3 }), no, no, no, yes},
		{"sums of decimals that floats miss: 2.7, 2.7 and 2.6", clear(2.7, 2.7, 2.6), yes, yes, yes, yes},
		{"four of 1", clear(1, 1, 1, 1), no, no, yes, no},
		{"sizes not known", clear(), unknown, unknown, unknown, unknown},
		{"invasion", with(clear(3), func(t *Tumour) { t.VascularInvasion = yes0 }), no, no, yes, yes},
		{"invasion not known", with(clear(3), func(t *Tumour) { t.VascularInvasion = nil }), unknown, unknown, yes, yes},
		{"too large whatever the invasion", with(clear(7), func(t *Tumour) { t.VascularInvasion = nil }), no, no, yes, yes},
		{"spread not known", with(clear(3), func(t *Tumour) { t.ExtrahepaticSpread = nil }), unknown, yes, yes, yes},
	} {
		for set, want := range map[string]verdict{"MILAN": test.milan, "UCSF": test.ucsf, "HANGZHOU": test.hangzhou, "FUDAN": test.fudan, "OTHER": no} {
			if set == "OTHER" && len(test.tumour.NodulesCm) == 0 {
				continue
			}
			if got := test.tumour.within(set); got != want {
				t.Errorf("%s: %s %d, want %d", test.name, set, got, want)
			}
		}
	}
}

func ptr[T any](v T) *T { return &v }
