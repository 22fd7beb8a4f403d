package ranking

import (
	"math/bits"

	"huhang.example/services/internal/clock"
	"huhang.example/services/matching/directory"
)

// reasonKind is one way to be left out; reasons are told in this order.
type reasonKind int

const (
	patientRefuses reasonKind = iota
	noProgram
	notLicensed
	suspended
	revoked
	closed
	noAdults
	noChildren
	tooYoung
	tooOld
	tooHeavy
	retransplant
	acrossABO
	livingDonor
	infected                   // one for each of directory.Infections
	hccBeyond   = infected + 8 // infections
	callIn      = hccBeyond + 1
	reasonCount = int(callIn) + 1
	adultAge    = 18
	leastBMI    = 8.0 // below and above, the datum cannot be true: a height in metres, a weight in grams
	mostBMI     = 100.0
	largestCm   = 25.0 // a nodule above is a diameter in millimetres
)

type reasonSet uint32

func (s reasonSet) has(k int) bool { return s&(1<<k) != 0 }

// asked is a question made ready: what depends on the patient alone is worked out once.
type asked struct {
	day     string
	age     int32
	adult   bool
	bmi     float64
	bmiSeen bool

	recorded, needsABO, living bool
	previous                   int32
	// The infections that are positive and untreated, positive at all, and not known.
	untreated, positive, unknown infectionSet
	liver                        bool
	hcc                          [setCount]verdict
	hccGaps                      [setCount]gapSet
	doubts                       []doubt
	// By row: refused, and which choice it is, from 1.
	refused []bool
	choice  []int32
	// Named centers that the directory does not have.
	strangers [2][]string
}

func (a *asked) prepare(b *Board, q *Question) {
	p := &q.Patient
	a.day, a.age, a.adult = clock.Day(q.At), p.Age, p.Age >= adultAge
	a.recorded, a.previous, a.needsABO, a.living = p.Recorded, p.PreviousTransplants, p.NeedsABOIncompat, p.LivingDonorRoute
	if p.BMI != nil {
		if a.bmi, a.bmiSeen = *p.BMI, *p.BMI >= leastBMI && *p.BMI <= mostBMI; !a.bmiSeen {
			a.doubts = append(a.doubts, doubtBMI(*p.BMI))
		}
	}
	for i, infection := range directory.Infections {
		bit := infectionSet(1) << i
		switch result, known := p.infection(infection); {
		case !known:
			a.unknown |= bit
		case result.Positive:
			a.positive |= bit
			if !result.Treated {
				a.untreated |= bit
			}
		}
	}
	if a.liver = b.organ == "LIVER"; a.liver {
		a.tumour(p.Tumour)
	}
	a.refused, a.choice = make([]bool, len(b.rows)), make([]int32, len(b.rows))
	for _, id := range q.Refused {
		if i, ok := b.find(id); ok {
			a.refused[i] = true
		} else {
			a.strangers[1] = append(a.strangers[1], id)
		}
	}
	for n, id := range q.Preferred {
		if i, ok := b.find(id); !ok {
			a.strangers[0] = append(a.strangers[0], id)
		} else if a.choice[i] == 0 {
			a.choice[i] = int32(n + 1)
		}
	}
}

func (p *Patient) infection(name string) (Infection, bool) {
	if result, known := p.Infections[name]; known {
		return result, true
	}
	var flag *bool
	switch name {
	case "ACTIVE":
		flag = p.ActiveInfection
	case "HIV":
		flag = p.HIV
	}
	if flag == nil {
		return Infection{}, false
	}
	return Infection{Positive: *flag}, true
}

// tumour works out the verdict of each set, and what it hangs on.
func (a *asked) tumour(t *Tumour) {
	switch {
	case t == nil || t.Present == nil:
		for set := range a.hcc {
			a.hcc[set], a.hccGaps[set] = unknown, gapHCC.set()
		}
		return
	case !*t.Present:
		for set := range a.hcc {
			a.hcc[set] = yes
		}
		return
	}
	if size, odd := t.doubtful(); odd {
		a.doubts = append(a.doubts, doubtNodule(size))
		known := *t
		known.NodulesCm, t = nil, &known
	}
	for set := range setCount {
		if a.hcc[set] = t.within(set); a.hcc[set] == unknown {
			a.hccGaps[set] = t.lacks(set)
		}
	}
}

// judge finds every reason why the center may not take the patient, and what could not be judged.
func (a *asked) judge(r *row, f *Found, i int) (out reasonSet, gaps gapSet) {
	if a.refused[i] {
		out |= 1 << patientRefuses
	}
	p := r.program
	if p == nil {
		return out | 1<<noProgram, 0
	}
	if !p.Licence.Dated(a.day) {
		out |= 1 << notLicensed
	}
	if p.Licence.Suspended {
		out |= 1 << suspended
	}
	if p.Licence.Revoked {
		out |= 1 << revoked
	}
	if !p.Open {
		out |= 1 << closed
	}
	switch {
	case a.adult && !p.Adults:
		out |= 1 << noAdults
	case !a.adult && !p.Children:
		out |= 1 << noChildren
	}
	return a.limits(r, f, out)
}

// limits are the program's own criteria.
func (a *asked) limits(r *row, f *Found, out reasonSet) (reasonSet, gapSet) {
	var gaps gapSet
	limits := &r.program.Criteria
	if limits.MinAge != nil && a.age < *limits.MinAge {
		out |= 1 << tooYoung
	}
	if limits.MaxAge != nil && a.age > *limits.MaxAge {
		out |= 1 << tooOld
	}
	if limits.MaxBMI != nil {
		switch {
		case !a.bmiSeen:
			gaps |= gapBMI.set()
		case a.bmi > *limits.MaxBMI:
			out |= 1 << tooHeavy
		}
	}
	if !limits.Retransplant {
		switch {
		case !a.recorded:
			gaps |= gapPrevious.set()
		case a.previous > 0:
			out |= 1 << retransplant
		}
	}
	if a.needsABO && !limits.ABOIncompatible {
		out |= 1 << acrossABO
	}
	if a.living && !limits.LivingDonor {
		out |= 1 << livingDonor
	}
	for s := r.excludes & a.positive; s != 0; s &= s - 1 {
		out |= 1 << (int(infected) + bits.TrailingZeros16(uint16(s)))
	}
	// What a program would exclude or want treated is missing where it is not known; what it accepts is not.
	gaps |= gapSet((r.excludes|r.treats)&a.unknown) << gapInfection
	gaps |= gapSet(a.positive&^r.stated) << gapPolicy
	if a.liver {
		switch a.hcc[r.set] {
		case no:
			out |= 1 << hccBeyond
		case unknown:
			gaps |= a.hccGaps[r.set]
		}
	}
	if window := limits.CallInMinutes; window > 0 {
		switch {
		case f.NoWay || f.DoorToDoor != nil && *f.DoorToDoor > window:
			out |= 1 << callIn
		case f.DoorToDoor == nil:
			gaps |= gapCallIn.set()
		}
	}
	return out, gaps
}
