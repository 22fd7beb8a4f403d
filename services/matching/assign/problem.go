package assign

import (
	"errors"
	"fmt"
	"math"
)

// Bounds of a problem.
const (
	MostCases   = 200_000
	MostColumns = 2_000
	MostCenters = 1_000
	// MostValue bounds a value on either side of zero, so that no sum of a whole problem leaves an int64.
	MostValue = 1 << 30
	// Unbounded is the capacity of a column, or the quota of a center, that binds nobody.
	Unbounded = math.MaxInt32
	// NoCenter is the center of a column that belongs to none: waiting.
	NoCenter = -1
)

// Column is something a case can be given: a program's places, or waiting.
type Column struct {
	Capacity int32
	// Center is an index into Quotas, or NoCenter.
	Center int32
}

// Option is what a column is worth to a case.
type Option struct {
	Column int32
	Value  int32
}

// Problem is cases, columns and the centers' quotas. The options of a case are in ascending order of their columns, each
// column once, and at least one option is unbounded and of no center, so that there always is a solution.
type Problem struct {
	Columns []Column
	Quotas  []int32
	Cases   [][]Option
}

// Solution is the column of each case, and the prices that prove it: what one place of a column, and one of a center's
// quota, is worth at the margin.
type Solution struct {
	Column       []int32
	ColumnPrice  []int64
	QuotaPrice   []int64
	Value        int64
	Augmentation int64 // chains of displacements searched; for measurements
}

// Check refuses what is no problem.
func (p *Problem) Check() error {
	if len(p.Cases) > MostCases || len(p.Columns) > MostColumns || len(p.Quotas) > MostCenters {
		return fmt.Errorf("at most %d cases, %d columns, %d centers", MostCases, MostColumns, MostCenters)
	}
	for j, c := range p.Columns {
		if c.Capacity < 0 || c.Center < NoCenter || int(c.Center) >= len(p.Quotas) {
			return fmt.Errorf("column %d: a negative capacity, or no such center", j)
		}
	}
	for g, q := range p.Quotas {
		if q < 0 {
			return fmt.Errorf("center %d: a negative quota", g)
		}
	}
	for i, options := range p.Cases {
		if err := p.checkOptions(options); err != nil {
			return fmt.Errorf("case %d: %w", i, err)
		}
	}
	return nil
}

func (p *Problem) checkOptions(options []Option) error {
	last, always := int32(-1), false
	for _, o := range options {
		if o.Column <= last || int(o.Column) >= len(p.Columns) {
			return fmt.Errorf("column %d: unknown, twice, or out of order", o.Column)
		}
		if o.Value > MostValue || o.Value < -MostValue {
			return fmt.Errorf("column %d: value %d", o.Column, o.Value)
		}
		last = o.Column
		c := p.Columns[o.Column]
		always = always || c.Center == NoCenter && c.Capacity == Unbounded
	}
	if !always {
		return errors.New("no option is always there")
	}
	return nil
}

// Worth is the value of a column to a case, and whether the case may take it.
func (p *Problem) Worth(i int, column int32) (int32, bool) {
	options := p.Cases[i]
	lo, hi := 0, len(options)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if options[mid].Column < column {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(options) && options[lo].Column == column {
		return options[lo].Value, true
	}
	return 0, false
}
