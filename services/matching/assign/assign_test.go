package assign_test

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"huhang.example/services/matching/assign"
	"huhang.example/services/matching/assign/certificate"
)

// small draws a problem that can be tried out whole: few cases, columns of few places, centers that bind several columns.
func small(t *rapid.T) *assign.Problem {
	p := &assign.Problem{}
	for range rapid.IntRange(0, 3).Draw(t, "centers") {
		p.Quotas = append(p.Quotas, rapid.SampledFrom([]int32{0, 1, 1, 2, 3, assign.Unbounded}).Draw(t, "quota"))
	}
	for range rapid.IntRange(1, 5).Draw(t, "columns") {
		center := int32(rapid.IntRange(-1, len(p.Quotas)-1).Draw(t, "center"))
		p.Columns = append(p.Columns, assign.Column{Capacity: rapid.SampledFrom([]int32{0, 1, 1, 2, 2, 3, assign.Unbounded}).Draw(t, "capacity"), Center: center})
	}
	// Values lie close together, so that ties are common.
	value := rapid.Int32Range(-4, 12)
	p.Columns = append(p.Columns, assign.Column{Capacity: assign.Unbounded, Center: assign.NoCenter})
	for range rapid.IntRange(0, 6).Draw(t, "cases") {
		var options []assign.Option
		for j := range len(p.Columns) - 1 {
			if rapid.IntRange(0, 3).Draw(t, "may") > 0 {
				options = append(options, assign.Option{Column: int32(j), Value: value.Draw(t, "value")})
			}
		}
		p.Cases = append(p.Cases, append(options, assign.Option{Column: int32(len(p.Columns) - 1), Value: value.Draw(t, "waiting")}))
	}
	return p
}

// brute tries every assignment; forced, when not negative, holds that case to that column.
func brute(p *assign.Problem, forced int, to int32) (best int64, possible bool) {
	left := make([]int32, len(p.Columns))
	for j, c := range p.Columns {
		left[j] = c.Capacity
	}
	quota := append([]int32(nil), p.Quotas...)
	var try func(i int, sum int64)
	try = func(i int, sum int64) {
		if i == len(p.Cases) {
			if !possible || sum > best {
				best, possible = sum, true
			}
			return
		}
		for _, o := range p.Cases[i] {
			g := p.Columns[o.Column].Center
			if i == forced && o.Column != to || left[o.Column] == 0 || g != assign.NoCenter && quota[g] == 0 {
				continue
			}
			left[o.Column]--
			if g != assign.NoCenter {
				quota[g]--
			}
			try(i+1, sum+int64(o.Value))
			left[o.Column]++
			if g != assign.NoCenter {
				quota[g]++
			}
		}
	}
	try(0, 0)
	return best, possible
}

// Thousands of small problems against trying everything, each with its certificate.
func TestOptimalAgainstBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for range 40 { // rapid runs this a hundred times
			p := small(t)
			s, err := assign.Solve(t.Context(), p, nil)
			if err != nil {
				t.Fatal(err)
			}
			if best, _ := brute(p, -1, 0); s.Value != best {
				t.Fatalf("worth %d, the best is %d: %+v", s.Value, best, p)
			}
			if _, err := certificate.Verify(p, s); err != nil {
				t.Fatalf("%v: %+v %+v", err, p, s)
			}
		}
	})
}

// What another column would cost, for every case and column, against trying everything; asking changes nothing.
func TestCostOfAnotherColumn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for range 8 {
			p := small(t)
			plan, err := assign.Work(t.Context(), p, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i, options := range p.Cases {
				for _, o := range options {
					best, possible := brute(p, i, o.Column)
					cost, may := plan.Cost(i, o.Column)
					if may != possible || may && plan.Solution.Value-cost != best {
						t.Fatalf("case %d to column %d costs %d (%t), the best left is %d (%t) of %d: %+v %+v",
							i, o.Column, cost, may, best, possible, plan.Solution.Value, p, plan.Solution)
					}
				}
			}
		}
	})
}

// random makes a larger problem: programs of several organs in centers, some bound by a quota.
func random(r *rand.Rand, cases, centers, organs int) *assign.Problem {
	p := &assign.Problem{}
	for range centers {
		quota := int32(assign.Unbounded)
		if r.IntN(3) == 0 {
			quota = int32(1 + r.IntN(1+cases/centers))
		}
		p.Quotas = append(p.Quotas, quota)
	}
	for range organs {
		for g := range centers {
			p.Columns = append(p.Columns, assign.Column{Capacity: int32(r.IntN(2 + cases/centers/organs)), Center: int32(g)})
		}
	}
	p.Columns = append(p.Columns, assign.Column{Capacity: assign.Unbounded, Center: assign.NoCenter})
	for range cases {
		var options []assign.Option
		organ, urgency := r.IntN(organs), 1+r.Int32N(3)
		for g := range centers {
			if r.IntN(4) > 0 {
				options = append(options, assign.Option{Column: int32(organ*centers + g), Value: urgency * r.Int32N(10_000)})
			}
		}
		p.Cases = append(p.Cases, append(options, assign.Option{Column: int32(len(p.Columns) - 1), Value: 0}))
	}
	return p
}

func solved(t *testing.T, p *assign.Problem) *assign.Solution {
	t.Helper()
	s, err := assign.Solve(t.Context(), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := certificate.Verify(p, s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestLargerProblemsAreProved(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 11))
	for range 12 {
		p := random(r, 300+r.IntN(700), 5+r.IntN(30), 1+r.IntN(4))
		if first, again := solved(t, p), solved(t, p); !reflect.DeepEqual(first, again) {
			t.Fatal("the same problem had two outcomes")
		}
	}
}

// The order in which cases come changes no value.
func TestOrderChangesNoValue(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	p := random(r, 400, 12, 3)
	value := solved(t, p).Value
	for range 5 {
		r.Shuffle(len(p.Cases), func(a, b int) { p.Cases[a], p.Cases[b] = p.Cases[b], p.Cases[a] })
		if v := solved(t, p).Value; v != value {
			t.Fatalf("%d and %d", v, value)
		}
	}
}

// Whatever is changed in a solution, the checker notices: it rests on nothing the solver says.
func TestCertificateRejectsPerturbedSolutions(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	rejected := map[string]int{}
	for range 60 {
		p := random(r, 60, 6, 2)
		for name, perturb := range map[string]func(s *assign.Solution) bool{
			"another column": func(s *assign.Solution) bool {
				i := r.IntN(len(p.Cases))
				o := p.Cases[i][r.IntN(len(p.Cases[i]))]
				was, _ := p.Worth(i, s.Column[i])
				s.Value += int64(o.Value) - int64(was)
				s.Column[i] = o.Column
				return o.Value != was
			},
			"a column that is no option": func(s *assign.Solution) bool {
				s.Column[r.IntN(len(s.Column))] = int32(len(p.Columns))
				return true
			},
			"another value":    func(s *assign.Solution) bool { s.Value++; return true },
			"a higher price":   func(s *assign.Solution) bool { return bump(p, s.ColumnPrice, 1+r.Int64N(50), r) },
			"a lower price":    func(s *assign.Solution) bool { return bump(p, s.ColumnPrice, -1-r.Int64N(50), r) },
			"a negative quota": func(s *assign.Solution) bool { s.QuotaPrice[r.IntN(len(s.QuotaPrice))] = -1; return true },
			"a column less":    func(s *assign.Solution) bool { s.ColumnPrice = s.ColumnPrice[1:]; return true },
			"a case less":      func(s *assign.Solution) bool { s.Column = s.Column[1:]; return true },
		} {
			s := solved(t, p)
			if !perturb(s) {
				continue
			}
			if _, err := certificate.Verify(p, s); err == nil {
				t.Fatalf("%s passed", name)
			}
			rejected[name]++
		}
	}
	if len(rejected) != 8 {
		t.Fatalf("%v", rejected)
	}
}

// bump changes one price of a column that has both cases and places, by more than any tie allows.
func bump(p *assign.Problem, prices []int64, by int64, r *rand.Rand) bool {
	for range 50 {
		j := r.IntN(len(prices))
		if by < 0 && prices[j] > 0 {
			prices[j] = -1 // below zero whatever it was
			return true
		}
		if by > 0 && p.Columns[j].Capacity > 0 && p.Columns[j].Capacity != assign.Unbounded {
			prices[j] += by * 1_000_000
			return true
		}
	}
	return false
}

func TestWhatIsNoProblem(t *testing.T) {
	column := []assign.Column{{Capacity: 1, Center: assign.NoCenter}, {Capacity: assign.Unbounded, Center: assign.NoCenter}}
	always := assign.Option{Column: 1}
	for name, p := range map[string]*assign.Problem{
		"no such center":    {Columns: []assign.Column{{Capacity: 1, Center: 0}}},
		"negative capacity": {Columns: []assign.Column{{Capacity: -1, Center: assign.NoCenter}}},
		"negative quota":    {Quotas: []int32{-1}},
		"out of order":      {Columns: column, Cases: [][]assign.Option{{always, {Column: 0}}}},
		"twice":             {Columns: column, Cases: [][]assign.Option{{{Column: 0}, {Column: 0}, always}}},
		"no such column":    {Columns: column, Cases: [][]assign.Option{{always, {Column: 2}}}},
		"too valuable":      {Columns: column, Cases: [][]assign.Option{{{Column: 0, Value: assign.MostValue + 1}, always}}},
		"no way out":        {Columns: column, Cases: [][]assign.Option{{{Column: 0}}}},
	} {
		if _, err := assign.Solve(t.Context(), p, nil); err == nil {
			t.Errorf("%s passed", name)
		}
	}
}

func BenchmarkAssign10000(b *testing.B) {
	p := random(rand.New(rand.NewPCG(7, 11)), 10_000, 188, 5)
	for b.Loop() {
		if _, err := assign.Solve(b.Context(), p, nil); err != nil {
			b.Fatal(err)
		}
	}
}
