package assign

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// Solve finds an assignment of greatest value and the prices that prove it. told, when not nil, hears how many cases are
// placed; an ended context stops it with the context's error.
func Solve(ctx context.Context, p *Problem, told func(placed int)) (*Solution, error) {
	s, err := solve(ctx, p, told)
	if err != nil {
		return nil, err
	}
	return s.solution(), nil
}

// tellEvery so many cases the context is looked at.
const tellEvery = 256

func solve(ctx context.Context, p *Problem, told func(placed int)) (*search, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	s := newSearch(p)
	for n, i := range order(p) {
		if n%tellEvery == 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if told != nil {
				told(n)
			}
		}
		s.place(i)
	}
	if told != nil {
		told(len(p.Cases))
	}
	return s, nil
}

// order begins with the cases that have most to lose: fewer are displaced later. Any order gives the same value.
func order(p *Problem) []int32 {
	stake := make([]int64, len(p.Cases))
	list := make([]int32, len(p.Cases))
	for i, options := range p.Cases {
		low, high := int64(math.MaxInt64), int64(math.MinInt64)
		for _, o := range options {
			low, high = min(low, int64(o.Value)), max(high, int64(o.Value))
		}
		stake[i], list[i] = high-low, int32(i)
	}
	slices.SortFunc(list, func(a, b int32) int { return cmp.Or(cmp.Compare(stake[b], stake[a]), cmp.Compare(a, b)) })
	return list
}

// search is Dijkstra's search for a cheapest chain, under potentials that keep every arc from being negative.
type search struct {
	*network
	dist []int64
	// from is the node before, through the case that moves on the way, if one does.
	from    []int32
	through []int32
	done    []bool
	touched []int32
	end     int32
	length  int64
	chains  int64
	moves   []move
}

type move struct{ c, to int32 }

const far = int64(math.MaxInt64)

func newSearch(p *Problem) *search {
	n := newNetwork(p)
	nodes := len(n.price)
	s := &search{network: n, dist: make([]int64, nodes), from: make([]int32, nodes), through: make([]int32, nodes), done: make([]bool, nodes)}
	for v := range s.dist {
		s.dist[v] = far
	}
	return s
}

func (s *search) reset() {
	for _, v := range s.touched {
		s.dist[v], s.done[v] = far, false
	}
	s.touched, s.end, s.length = s.touched[:0], alone, far
}

// reach notes a way to a node, unless one at least as short is known.
func (s *search) reach(v int32, d int64, from, through int32) {
	if d >= s.dist[v] || d >= s.length {
		return
	}
	if s.dist[v] == far {
		s.touched = append(s.touched, v)
	}
	s.dist[v], s.from[v], s.through[v] = d, from, through
	if s.room(v) {
		s.end, s.length = v, d
	}
}

// room reports whether a chain can end at the node.
func (s *search) room(v int32) bool {
	if int(v) < s.columns {
		return s.hasRoom(v)
	}
	return s.hasQuota(v - int32(s.columns))
}

// next is the nearest node not done, nearer than the end.
func (s *search) next() int32 {
	nearest, at := s.length, alone
	for _, v := range s.touched {
		if d := s.dist[v]; d < nearest && !s.done[v] {
			nearest, at = d, v
		}
	}
	return at
}

// expand follows the arcs out of a node.
func (s *search) expand(v int32) {
	s.done[v] = true
	d, here := s.dist[v], s.price[v]
	if int(v) >= s.columns {
		for _, k := range s.members[v-int32(s.columns)] {
			if len(s.cases[k]) > 0 {
				s.reach(k, d+s.price[k]-here, v, alone)
			}
		}
		return
	}
	if g := s.p.Columns[v].Center; g != NoCenter && s.hasPlace(v) {
		s.reach(g+int32(s.columns), d+s.price[g+int32(s.columns)]-here, v, alone)
	}
	s.refresh(v)
	d -= here
	price, dist := s.price, s.dist
	for k := range s.ways[v] {
		// Most ways are too long; they are dropped before anything else of them is looked at.
		w := &s.ways[v][k]
		if to := d + w.cost + price[w.to]; to < s.length && to < dist[w.to] && w.best >= 0 {
			s.reach(w.to, to, v, w.best)
		}
	}
}

// place brings one more case in, along the cheapest chain.
func (s *search) place(i int32) {
	s.reset()
	s.chains++
	options := s.p.Cases[i]
	least := far
	for _, o := range options {
		least = min(least, s.price[o.Column]-int64(o.Value))
	}
	for _, o := range options {
		s.reach(o.Column, s.price[o.Column]-int64(o.Value)-least, alone, i)
	}
	for v := s.next(); v != alone; v = s.next() {
		s.expand(v)
	}
	for _, v := range s.touched {
		if s.dist[v] < s.length {
			s.price[v] += s.length - s.dist[v]
		}
	}
	s.moves = s.moves[:0]
	for v := s.end; v != alone; v = s.from[v] {
		if s.through[v] != alone {
			s.moves = append(s.moves, move{s.through[v], v})
		}
	}
	// From the room backwards: each case leaves its column before the one that displaces it comes.
	for _, m := range s.moves {
		if s.column[m.c] != alone {
			s.remove(m.c)
		}
		s.add(m.c, m.to)
	}
}

// solution reads the prices off the potentials: a column's is what it costs beyond its center's.
func (s *search) solution() *Solution {
	out := &Solution{
		Column: slices.Clone(s.column), ColumnPrice: make([]int64, s.columns), QuotaPrice: slices.Clone(s.price[s.columns : s.columns+len(s.p.Quotas)]), Augmentation: s.chains,
	}
	for j := range out.ColumnPrice {
		price := s.price[j]
		if g := s.p.Columns[j].Center; g != NoCenter {
			// A column without cases may stand below its center: its own price is then nothing.
			price = max(price-out.QuotaPrice[g], 0)
		}
		out.ColumnPrice[j] = price
	}
	for i, j := range out.Column {
		value, _ := s.p.Worth(i, j)
		out.Value += int64(value)
	}
	return out
}
