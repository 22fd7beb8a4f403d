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
	ofCenter []int32
	// members are the columns of a center.
	members [][]int32
	// best and cost are the cheapest case to move from one column to another, and what the move itself costs.
	best []int32
	cost []int64
	// ways are the columns that cases of a column could move to.
	ways [][]int32
	// doubted columns have stale ways.
	doubted []bool
}

const (
	noWay = int32(-1) // never one: not among the ways
	stale = int32(-2) // the cheapest case left: to be looked for again
	empty = int32(-3) // among the ways, but nobody there could move
	alone = int32(-1) // a case without a column
)

func newNetwork(p *Problem) *network {
	m := len(p.Columns)
	n := &network{
		p: p, columns: m, price: make([]int64, m+len(p.Quotas)+1), cases: make([][]int32, m), at: make([]int32, len(p.Cases)),
		column: make([]int32, len(p.Cases)), ofCenter: make([]int32, len(p.Quotas)), members: make([][]int32, len(p.Quotas)),
		best: make([]int32, m*m), cost: make([]int64, m*m), ways: make([][]int32, m), doubted: make([]bool, m),
	}
	for i := range n.best {
		n.best[i] = noWay
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
	here, _ := n.p.Worth(int(i), j)
	row := int(j) * n.columns
	for _, o := range n.p.Cases[i] {
		if o.Column == j {
			continue
		}
		k := row + int(o.Column)
		move := int64(here) - int64(o.Value)
		switch b := n.best[k]; {
		case b == stale, b >= 0 && move >= n.cost[k]:
			continue
		case b == noWay:
			n.ways[j] = append(n.ways[j], o.Column)
		}
		n.best[k], n.cost[k] = i, move
	}
}

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
	row := int(j) * n.columns
	for _, o := range n.p.Cases[i] {
		if k := row + int(o.Column); n.best[k] == i {
			n.best[k] = stale
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
	row := int(j) * n.columns
	missing := 0
	for _, k := range n.ways[j] {
		if n.best[row+int(k)] == stale {
			missing++
		}
	}
	if missing*8 > len(n.ways[j]) {
		n.relist(j)
	} else {
		for _, k := range n.ways[j] {
			if n.best[row+int(k)] == stale {
				n.look(j, k)
			}
		}
	}
}

// relist goes through all options of the column's cases once.
func (n *network) relist(j int32) {
	row := int(j) * n.columns
	for _, k := range n.ways[j] {
		n.best[row+int(k)] = empty
	}
	for _, i := range n.cases[j] {
		here, _ := n.p.Worth(int(i), j)
		for _, o := range n.p.Cases[i] {
			if o.Column == j {
				continue
			}
			k := row + int(o.Column)
			if move := int64(here) - int64(o.Value); n.best[k] < 0 || move < n.cost[k] {
				n.best[k], n.cost[k] = i, move
			}
		}
	}
}

func (n *network) look(j, k int32) {
	at := int(j)*n.columns + int(k)
	n.best[at] = empty
	for _, i := range n.cases[j] {
		there, may := n.p.Worth(int(i), k)
		if !may {
			continue
		}
		here, _ := n.p.Worth(int(i), j)
		if move := int64(here) - int64(there); n.best[at] < 0 || move < n.cost[at] {
			n.best[at], n.cost[at] = i, move
		}
	}
}
