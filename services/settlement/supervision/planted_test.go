package supervision

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"huhang.example/services/internal/money"
)

func plus(day string, n int) string {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		panic(err)
	}
	return at.AddDate(0, 0, n).Format(time.DateOnly)
}

// world is a year of generated bills, in the order in which they are settled, and what was planted in them.
type world struct {
	random  *rand.Rand
	bills   []Stay
	people  map[string]Person
	planted map[string]map[Rule]bool
	next    int
}

var (
	diagnoses = map[string][]string{"kidney": {"N18.5", "N18.0"}, "liver": {"K74.6", "C22.0"}, "heart": {"I42.0", "I50.9"}, "lung": {"J84.1", "J44.9"}}
	organs    = []string{"kidney", "liver", "heart", "lung"}
	centers   = map[string][]string{"310000": {"C-SH-01", "C-SH-02"}, "110000": {"C-BJ-01", "C-BJ-02"}}
)

func (w *world) pick(all []string) string { return all[w.random.IntN(len(all))] }

func (w *world) id() string { w.next++; return fmt.Sprintf("clm-%06d", w.next) }

func (w *world) plant(id string, rule Rule) {
	if w.planted[id] == nil {
		w.planted[id] = map[Rule]bool{}
	}
	w.planted[id][rule] = true
}

// ordinary makes a stay as most are: a normal cost, items on nearly every day, a diagnosis that is missing now and then.
func (w *world) ordinary(r *Rules, person, admission string) Stay {
	province := w.pick([]string{"310000", "110000"})
	s := Stay{
		ClaimID: w.id(), PatientID: person, ReferralID: "ref-" + person, CenterID: w.pick(centers[province]), Treatment: province,
		Admission: admission, Discharge: plus(admission, 8+w.random.IntN(25)), Organ: w.pick(organs), Identity: w.people[person].Identity,
	}
	if w.random.IntN(20) > 0 {
		s.Diagnosis = w.pick(diagnoses[s.Organ])
	}
	for _, g := range r.CostOutlier.Groups {
		if g.Organ == s.Organ {
			s.Total = max(g.Mean.Fen+money.Fen(w.random.NormFloat64()*float64(g.Deviation.Fen)), 1000)
		}
	}
	quiet := 0
	for day := s.Admission; day < s.Discharge; day = plus(day, 1) {
		if quiet < 2 && w.random.IntN(25) == 0 {
			quiet++ // a weekend without items
			continue
		}
		quiet = 0
		s.Items = append(s.Items, Item{"S-BED", day, 1000})
	}
	return s
}

func (w *world) visit(person, day string) Stay {
	id := w.id()
	return Stay{
		ClaimID: id, PatientID: person, ReferralID: "ref-" + person, CenterID: "C-SH-01", Treatment: "310000", Outpatient: true, Admission: day, Discharge: day,
		Total: money.Fen(100_000 + w.random.IntN(400_000)), Items: []Item{{"XL04AD02", day, int64(20_000 + w.random.IntN(40_000))}}, Identity: w.people[person].Identity,
	}
}

// generate makes the bills of n people, and plants one fault in one of ten.
func generate(r *Rules, seed uint64, n int) *world {
	w := &world{random: rand.New(rand.NewPCG(seed, 180)), people: map[string]Person{}, planted: map[string]map[Rule]bool{}}
	kinds := []Rule{SplitAdmission, OverlappingStays, HangingBed, DrugPurchases, DrugQuantity, CostOutlier, SharedPhone, DuplicatePayment, IdentityMismatch}
	for i := range n {
		person := fmt.Sprintf("pat-%05d", i)
		w.people[person] = Person{Identity: "id-" + person, SamePhone: int64(1 + w.random.IntN(2))}
		s := w.ordinary(r, person, plus("2026-01-01", w.random.IntN(150)))
		fault := Rule("")
		if i%10 == 0 {
			fault = kinds[(i/10)%len(kinds)]
		}
		w.person(r, person, s, fault)
	}
	return w
}

// person adds a person's year: the stay, what honest people do besides, and the fault.
func (w *world) person(r *Rules, person string, s Stay, fault Rule) {
	switch fault { // in the stay itself
	case HangingBed:
		s = idle(s, plus(s.Admission, 2), 3+w.random.IntN(3))
		w.plant(s.ClaimID, HangingBed)
	case CostOutlier:
		for _, g := range r.CostOutlier.Groups {
			if g.Organ == s.Organ {
				s.Total = g.Mean.Fen + g.Deviation.Fen*3 + money.Fen(1+w.random.IntN(10_000_000))
			}
		}
		w.plant(s.ClaimID, CostOutlier)
	case IdentityMismatch:
		s.Identity = "id-somebody-else"
		w.plant(s.ClaimID, IdentityMismatch)
	case SharedPhone:
		p := w.people[person]
		p.SamePhone = int64(3 + w.random.IntN(5))
		w.people[person] = p
		w.plant(s.ClaimID, SharedPhone)
	}
	w.bills = append(w.bills, s)
	switch fault { // in another bill
	case SplitAdmission:
		b := w.again(r, s, 1+w.random.IntN(7), s.Diagnosis)
		w.plant(b.ClaimID, SplitAdmission)
		w.bills = append(w.bills, b)
		return
	case OverlappingStays:
		b := w.again(r, s, -1-w.random.IntN(6), "S72.0")
		for b.CenterID == s.CenterID {
			b.CenterID = w.pick(centers[b.Treatment])
		}
		w.plant(b.ClaimID, OverlappingStays)
		w.bills = append(w.bills, b)
		return
	case DuplicatePayment:
		b := Stay{ClaimID: w.id(), PatientID: person, Manual: true, Total: s.Total}
		if w.random.IntN(2) == 0 {
			b = s
			b.ClaimID = w.id()
		}
		w.plant(b.ClaimID, DuplicatePayment)
		w.bills = append(w.bills, b)
		return
	case DrugPurchases, DrugQuantity:
		w.drugs(person, plus(s.Discharge, 40), fault)
		return
	case "":
	default:
		return
	}
	w.honest(r, s)
}

// again is a later stay of the same organ at the same center.
func (w *world) again(r *Rules, s Stay, after int, diagnosis string) Stay {
	b := w.ordinary(r, s.PatientID, plus(s.Discharge, after))
	for b.Organ != s.Organ {
		b = w.ordinary(r, s.PatientID, plus(s.Discharge, after))
	}
	b.CenterID, b.Treatment, b.Diagnosis = s.CenterID, s.Treatment, diagnosis
	return b
}

func (w *world) honest(r *Rules, s Stay) {
	switch w.random.IntN(6) {
	case 0: // a planned follow-up, soon
		b := w.again(r, s, 3+w.random.IntN(20), "Z94.0")
		b.Planned = true
		w.bills = append(w.bills, b)
	case 1: // something else, soon; now and then nobody wrote down what
		diagnosis := "S72.0"
		if w.random.IntN(10) == 0 {
			diagnosis = ""
		}
		w.bills = append(w.bills, w.again(r, s, 2+w.random.IntN(20), diagnosis))
	case 2: // the same again, later
		w.bills = append(w.bills, w.again(r, s, 16+w.random.IntN(60), s.Diagnosis))
	case 3: // moved to another hospital on the day, of another disease
		b := w.again(r, s, 0, "S72.0")
		for b.CenterID == s.CenterID {
			b.CenterID = w.pick(centers[b.Treatment])
		}
		w.bills = append(w.bills, b)
	case 4: // drugs as they should be
		w.drugs(s.PatientID, plus(s.Discharge, 40), "")
	}
}

// drugs are the purchases of some months; the fault is in the last.
func (w *world) drugs(person, from string, fault Rule) {
	for m := range 3 {
		month := plus(from[:7]+"-01", 0)
		for range m {
			month = plus(month, 32)[:7] + "-01"
		}
		most := 4
		if fault == DrugQuantity {
			most = 3 // with the last one, as many as are allowed
		}
		for n := range 1 + w.random.IntN(most) {
			w.bills = append(w.bills, w.visit(person, plus(month, 5*n+w.random.IntN(4))))
		}
		if m < 2 || fault == "" {
			continue
		}
		last := w.visit(person, plus(month, 25))
		if fault == DrugQuantity {
			last.Items[0].Quantity = 360_001 + int64(w.random.IntN(200_000))
		} else {
			for n := 0; w.inMonth(person, month) < 4; n++ {
				w.bills = append(w.bills, w.visit(person, plus(month, 20+n)))
			}
		}
		w.plant(last.ClaimID, fault)
		w.bills = append(w.bills, last)
	}
}

func (w *world) inMonth(person, month string) (n int) {
	for _, b := range w.bills[max(0, len(w.bills)-20):] { // a person's bills stand together
		if b.PatientID == person && b.Outpatient && b.Admission[:7] == month[:7] {
			n++
		}
	}
	return n
}

// Every planted fault is found; what is found besides is counted, told and bounded.
func TestPlantedFaults(t *testing.T) {
	r := rules(t)
	const mostFalse = 0.015
	for _, seed := range []uint64{1, 2} {
		w := generate(r, seed, 4500)
		history := map[string][]Stay{}
		planted, found, falsely := map[Rule]int{}, map[Rule]int{}, map[Rule]int{}
		alarmed := 0
		for _, b := range w.bills {
			all := r.Insured(b, history[b.PatientID], w.people[b.PatientID])
			var beside []Stay
			for _, h := range history[b.PatientID] {
				if h.Treatment == b.Treatment {
					beside = append(beside, h)
				}
			}
			all = append(all, r.Treatment(b, beside, "2026-12-31")...)
			history[b.PatientID] = append(history[b.PatientID], b)
			for rule := range w.planted[b.ClaimID] {
				planted[rule]++
				if has(all, rule) {
					found[rule]++
				} else {
					t.Errorf("seed %d: %s was planted in %+v and not found", seed, rule, b)
				}
			}
			wrong := map[Rule]bool{}
			for _, f := range all {
				// Of a person whose telephone is shared, every bill says so.
				if !w.planted[b.ClaimID][f.Rule] && !(f.Rule == SharedPhone && w.people[b.PatientID].SamePhone > 2) {
					wrong[f.Rule] = true
				}
			}
			for rule := range wrong {
				falsely[rule]++
			}
			if len(wrong) > 0 {
				alarmed++
			}
		}
		var table strings.Builder
		for _, rule := range All() {
			if planted[rule] == 0 && falsely[rule] == 0 {
				continue
			}
			fmt.Fprintf(&table, "| %s | %d | %d | %d | %.3f %% |\n", rule, planted[rule], found[rule], falsely[rule], 100*float64(falsely[rule])/float64(len(w.bills)))
		}
		rate := float64(alarmed) / float64(len(w.bills))
		t.Logf("seed %d: %d bills, false alarms on %d (%.2f %%)\n%s", seed, len(w.bills), alarmed, 100*rate, table.String())
		if rate > mostFalse {
			t.Errorf("seed %d: false alarms on %.2f %% of bills", seed, 100*rate)
		}
		for _, rule := range []Rule{SplitAdmission, OverlappingStays, HangingBed, DrugPurchases, DrugQuantity, CostOutlier, SharedPhone, DuplicatePayment, IdentityMismatch} {
			if planted[rule] < 50 || found[rule] != planted[rule] {
				t.Errorf("seed %d: of %s, %d were planted and %d found", seed, rule, planted[rule], found[rule])
			}
		}
		// A rule that holds must be nearly always right: these never are wrong here.
		for rule, n := range falsely {
			if r.Action(rule) == Hold {
				t.Errorf("seed %d: %s would have held %d bills for nothing", seed, rule, n)
			}
		}
	}
	if !slices.Contains(All(), RegionalAlarm) {
		t.Error("a rule is not listed")
	}
}
