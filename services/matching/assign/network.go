package assign

// network is the residual graph, contracted to columns and centers. Node j < columns means "column j has one case too
// many", node columns+g "center g has one too many"; the last node is the sink, where there is room: its price stays zero.
type network struct {
	p       *Problem
	columns int
	// price is the node potential: what getting rid of one case too many costs at least.
	price []int64
	// cases are those of a column, at is where a case stands in its column's list.
	cases    [][]int32
	at       []int32
	column   []int32
	worth    []int64 // of a case's column to it
	ofCenter []int32
	// members are the columns of a center.
	members [][]int32
	// ways are the columns that cases of a column could move to; where is a column's place among the ways of another.
	ways  [][]way
	where []int32
	// doubted columns have stale ways.
	doubted []bool
}

// way is the cheapest case to move from a column to another one, and what the move itself costs. A column's lie side by side:
// going over them is most of the work.
type way struct {
	cost     int64
	to, best int32
}

const (
	noWay = int32(-1) // not among the ways
	stale = int32(-2) // the cheapest case left: to be looked for again
	empty = int32(-3) // nobody there could move
	alone = int32(-1) // a case without a column
)

func newNetwork(p *Problem) *network {
	m := len(p.Columns)
	n := &network{
		p: p, columns: m, price: make([]int64, m+len(p.Quotas)+1), cases: make([][]int32, m), at: make([]int32, len(p.Cases)),
		column: make([]int32, len(p.Cases)), worth: make([]int64, len(p.Cases)), ofCenter: make([]int32, len(p.Quotas)), members: make([][]int32, len(p.Quotas)),
		ways: make([][]way, m), where: make([]int32, m*m), doubted: make([]bool, m),
	}
	for i := range n.where {
		n.where[i] = noWay
	}
	for i := range n.column {
		n.column[i] = alone
	}
	for j, c := range p.Columns {
		if c.Center != NoCenter {
			n.members[c.Center] = append(n.members[c.Center], int32(j))
		}
	}
	return n
}

func (n *network) hasPlace(j int32) bool {
	c := n.p.Columns[j].Capacity
	return c == Unbounded || len(n.cases[j]) < int(c)
}

func (n *network) hasQuota(g int32) bool {
	q := n.p.Quotas[g]
	return q == Unbounded || n.ofCenter[g] < q
}

// hasRoom reports whether one more case can stay in the column as things are.
func (n *network) hasRoom(j int32) bool {
	if !n.hasPlace(j) {
		return false
	}
	g := n.p.Columns[j].Center
	return g == NoCenter || n.hasQuota(g)
}

// add puts a case into a column and keeps the cheapest moves.
func (n *network) add(i, j int32) {
	n.column[i], n.at[i] = j, int32(len(n.cases[j]))
	n.cases[j] = append(n.cases[j], i)
	if g := n.p.Columns[j].Center; g != NoCenter {
		n.ofCenter[g]++
	}
	value, _ := n.p.Worth(int(i), j)
	here := int64(value)
	n.worth[i] = here
	where := n.row(j)
	for _, o := range n.p.Cases[i] {
		if o.Column == j {
			continue
		}
		move := here - int64(o.Value)
		if where[o.Column] == noWay {
			where[o.Column] = int32(len(n.ways[j]))
			n.ways[j] = append(n.ways[j], way{move, o.Column, i})
			continue
		}
		if w := &n.ways[j][where[o.Column]]; w.best == empty || w.best >= 0 && move < w.cost {
			w.best, w.cost = i, move
		}
	}
}

// row is where the columns stand among the ways of one.
func (n *network) row(j int32) []int32 { return n.where[int(j)*n.columns:][:n.columns] }

// remove takes a case out of its column; the moves it was the cheapest for are looked for when next needed.
func (n *network) remove(i int32) {
	j := n.column[i]
	list := n.cases[j]
	last := list[len(list)-1]
	list[n.at[i]], n.at[last] = last, n.at[i]
	n.cases[j] = list[:len(list)-1]
	n.column[i] = alone
	if g := n.p.Columns[j].Center; g != NoCenter {
		n.ofCenter[g]--
	}
	for k := range n.ways[j] {
		if w := &n.ways[j][k]; w.best == i {
			w.best = stale
			n.doubted[j] = true
		}
	}
}

// refresh looks for the cheapest moves out of a column that are not known.
func (n *network) refresh(j int32) {
	if !n.doubted[j] {
		return
	}
	n.doubted[j] = false
	ways, missing := n.ways[j], 0
	for k := range ways {
		if ways[k].best == stale {
			missing++
		}
	}
	if missing*8 > len(ways) {
		n.relist(j)
		return
	}
	for k := range ways {
		if ways[k].best == stale {
			n.look(j, &ways[k])
		}
	}
}

// relist goes through all options of the column's cases once.
func (n *network) relist(j int32) {
	ways, where := n.ways[j], n.row(j)
	for k := range ways {
		ways[k].best = empty
	}
	for _, i := range n.cases[j] {
		here := n.worth[i]
		for _, o := range n.p.Cases[i] {
			if o.Column == j {
				continue
			}
			w := &ways[where[o.Column]]
			if move := here - int64(o.Value); w.best < 0 || move < w.cost {
				w.best, w.cost = i, move
			}
		}
	}
}

func (n *network) look(j int32, w *way) {
	w.best = empty
	for _, i := range n.cases[j] {
		there, may := n.p.Worth(int(i), w.to)
		if !may {
			continue
		}
		if move := n.worth[i] - int64(there); w.best < 0 || move < w.cost {
			w.best, w.cost = i, move
		}
	}
}
