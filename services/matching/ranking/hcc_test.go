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
		{"one of 8", clear(8), no, no, yes, yes},
		{"one of 9, grade and AFP not known", clear(9), no, no, unknown, yes},
		{"one of 9, grade 2, AFP 400", with(clear(9), func(t *Tumour) { t.Grade, t.AFP = 2, ptr(400.0) }), no, no, yes, yes},
		{"one of 9, grade 2, AFP 401", with(clear(9), func(t *Tumour) { t.Grade, t.AFP = 2, ptr(401.0) }), no, no, no, yes},
		{"one of 9, grade 2, AFP not known", with(clear(9), func(t *Tumour) { t.Grade = 2 }), no, no, unknown, yes},
		{"one of 9, grade 3, AFP not known", with(clear(9), func(t *Tumour) { t.Grade = 3 }), no, no, no, yes},
		{"one of 9.1", with(clear(9.1), func(t *Tumour) { t.Grade = 3 }), no, no, no, no},
		{"the sample's 3.4 and 2.1", clear(3.4, 2.1), no, yes, yes, yes},
		{"three of 3", clear(3, 3, 3), yes, no, unknown, yes}, // 9 in total
		{"one of them 3.1", clear(3.1, 2.5, 2.4), no, yes, yes, yes},
		{"three of 2.5", clear(2.5, 2.5, 2.5), yes, yes, yes, yes},
		{"4.5, 2.0 and 1.5: exactly 8 in total", clear(4.5, 2.0, 1.5), no, yes, yes, yes},
		{"4.6, 1.0 and 1.0", clear(4.6, 1.0, 1.0), no, no, yes, yes},
		{"4.4, 2.2 and 1.5: 8.1 in total", with(clear(4.4, 2.2, 1.5), func(t *Tumour) { t.Grade = 3 }), no, no, no, yes},
		{"5, 2 and 2: exactly 9 in total", with(clear(5, 2, 2), func(t *Tumour) { t.Grade = 3 }), no, no, no, yes},
		{"5.1 and 1", clear(5.1, 1), no, no, yes, no},
		{"5, 2 and 2.1: 9.1 in total", with(clear(5, 2, 2.1), func(t *Tumour) { t.Grade = 3 }), no, no, no, no},
		{"sums of decimals that floats miss: 2.7, 2.7 and 2.6", clear(2.7, 2.7, 2.6), yes, yes, yes, yes},
		{"four of 1", clear(1, 1, 1, 1), no, no, yes, no},
		{"sizes not known", clear(), unknown, unknown, unknown, unknown},
		{"invasion", with(clear(3), func(t *Tumour) { t.VascularInvasion = yes0 }), no, no, yes, yes},
		{"invasion not known", with(clear(3), func(t *Tumour) { t.VascularInvasion = nil }), unknown, unknown, yes, yes},
		{"too large whatever the invasion", with(clear(7), func(t *Tumour) { t.VascularInvasion = nil }), no, no, yes, yes},
		{"spread", with(clear(3), func(t *Tumour) { t.ExtrahepaticSpread = yes0 }), no, yes, yes, yes},
		{"spread not known", with(clear(3), func(t *Tumour) { t.ExtrahepaticSpread = nil }), unknown, yes, yes, yes},
	} {
		for name, want := range map[string]verdict{"": no, "MILAN": test.milan, "UCSF": test.ucsf, "HANGZHOU": test.hangzhou, "FUDAN": test.fudan} {
			got := test.tumour.within(setOf(name))
			if got != want {
				t.Errorf("%s: %s %d, want %d", test.name, name, got, want)
			}
			if lacks := test.tumour.lacks(setOf(name)); got == unknown && lacks == 0 {
				t.Errorf("%s: %s is not known, and it is not said why", test.name, name)
			}
		}
	}
	if setOf("MELBOURNE") != setNone {
		t.Error("a set nobody knows takes nobody")
	}
}
