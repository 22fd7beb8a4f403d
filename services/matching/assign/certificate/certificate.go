// Package certificate checks that an assignment is optimal. It shares no code with the solver and believes none of it.
//
// By the weak duality of linear programs no assignment is worth more than what any feasible prices say: for prices that
// are not negative, the sum over the cases of the most that a case gets after paying, and over columns and centers of price times
// size. Whoever shows an assignment and prices of the same worth has shown that neither can be improved.
package certificate

import (
	"fmt"
	"math/big"

	"huhang.example/services/matching/assign"
)

// Certificate is what was verified: the two sides, in exact integers.
type Certificate struct {
	Primal, Dual *big.Int
}

// Gap is how much better another assignment could at most be; zero proves the optimum.
func (c Certificate) Gap() *big.Int { return new(big.Int).Sub(c.Dual, c.Primal) }

// Verify checks that the assignment keeps every bound, that the prices are a dual solution, and that the two are equal.
func Verify(p *assign.Problem, s *assign.Solution) (Certificate, error) {
	c := Certificate{Primal: new(big.Int), Dual: new(big.Int)}
	if err := p.Check(); err != nil {
		return c, err
	}
	if len(s.Column) != len(p.Cases) || len(s.ColumnPrice) != len(p.Columns) || len(s.QuotaPrice) != len(p.Quotas) {
		return c, fmt.Errorf("the solution is of another size")
	}
	if err := primal(p, s, c.Primal); err != nil {
		return c, err
	}
	if err := dual(p, s, c.Dual); err != nil {
		return c, err
	}
	if c.Primal.Cmp(c.Dual) != 0 {
		return c, fmt.Errorf("gap %s: the assignment is worth %s, the bound is %s", c.Gap(), c.Primal, c.Dual)
	}
	return c, nil
}

func primal(p *assign.Problem, s *assign.Solution, sum *big.Int) error {
	taken, ofCenter := make([]int64, len(p.Columns)), make([]int64, len(p.Quotas))
	for i, column := range s.Column {
		value, may := p.Worth(i, column)
		if !may {
			return fmt.Errorf("case %d may not take column %d", i, column)
		}
		sum.Add(sum, big.NewInt(int64(value)))
		taken[column]++
		if g := p.Columns[column].Center; g != assign.NoCenter {
			ofCenter[g]++
		}
	}
	for j, n := range taken {
		if most := p.Columns[j].Capacity; most != assign.Unbounded && n > int64(most) {
			return fmt.Errorf("column %d: %d cases for %d places", j, n, most)
		}
	}
	for g, n := range ofCenter {
		if most := p.Quotas[g]; most != assign.Unbounded && n > int64(most) {
			return fmt.Errorf("center %d: %d cases for a quota of %d", g, n, most)
		}
	}
	if sum.Cmp(big.NewInt(s.Value)) != 0 {
		return fmt.Errorf("the assignment is worth %s, not %d", sum, s.Value)
	}
	return nil
}

func dual(p *assign.Problem, s *assign.Solution, sum *big.Int) error {
	pay := func(price int64, size int32, what string, n int) error {
		if price < 0 {
			return fmt.Errorf("%s %d: a negative price", what, n)
		}
		if price > 0 && size == assign.Unbounded {
			return fmt.Errorf("%s %d: a price for what binds nobody", what, n)
		}
		sum.Add(sum, new(big.Int).Mul(big.NewInt(price), big.NewInt(int64(size))))
		return nil
	}
	for j, price := range s.ColumnPrice {
		if err := pay(price, p.Columns[j].Capacity, "column", j); err != nil {
			return err
		}
	}
	for g, price := range s.QuotaPrice {
		if err := pay(price, p.Quotas[g], "center", g); err != nil {
			return err
		}
	}
	left, most := new(big.Int), new(big.Int)
	for _, options := range p.Cases {
		for n, o := range options {
			left.SetInt64(int64(o.Value))
			left.Sub(left, big.NewInt(s.ColumnPrice[o.Column]))
			if g := p.Columns[o.Column].Center; g != assign.NoCenter {
				left.Sub(left, big.NewInt(s.QuotaPrice[g]))
			}
			if n == 0 || left.Cmp(most) > 0 {
				most.Set(left)
			}
		}
		sum.Add(sum, most)
	}
	return nil
}
