package assign

import "context"

// Plan is a solved problem that can be asked about single cases. It is not for several goroutines.
type Plan struct {
	n *network
	// Solution is what was found; it does not change.
	Solution *Solution
	// chains are the least costs of chains from a column that was asked about to every other.
	chains map[int32][]int64
	// fromSink is how far everything is from the sink.
	fromSink []int64
}

// Work solves a problem and keeps what is needed to answer questions about it.
func Work(ctx context.Context, p *Problem, told func(placed int)) (*Plan, error) {
	s, err := solve(ctx, p, told)
	if err != nil {
		return nil, err
	}
	return &Plan{n: s.network, Solution: s.solution(), chains: map[int32][]int64{}}, nil
}

// Cost is what all cases together lose if the case must take another column, everything else arranged as well as then
// possible; exact, never negative. It is false where the case may not take the column, or cannot.
//
// The case leaves one place and needs another: a chain of displacements leads from the new column, which then has one
// case too many, to the old one. What the chain costs does not depend on the case, so that each column is searched from once,
// however many cases are asked about.
func (w *Plan) Cost(i int, column int32) (int64, bool) {
	there, may := w.n.p.Worth(i, column)
	if !may {
		return 0, false
	}
	from := w.n.column[i]
	if from == column {
		return 0, true
	}
	here, _ := w.n.p.Worth(i, from)
	chains, known := w.chains[column]
	if !known {
		chains = w.chainsFrom(column)
		w.chains[column] = chains
	}
	if chains[from] == far {
		return 0, false
	}
	return int64(here) - int64(there) + chains[from], true
}

// chainsFrom is the least cost of a chain from one column to each other one. It may pass through the sink: one end
// fills room, and somebody who stays elsewhere comes instead. Those are known from the sink's own search, and what is no
// better than through the sink is not followed.
func (w *Plan) chainsFrom(column int32) []int64 {
	n := w.n
	sink := int32(len(n.price) - 1)
	if w.fromSink == nil {
		w.fromSink = n.distances(sink, nil)
	}
	dist := n.distances(column, w.fromSink)
	out := make([]int64, n.columns)
	for v := range out {
		if dist[sink] != far && w.fromSink[v] != far {
			dist[v] = min(dist[v], dist[sink]+w.fromSink[v])
		}
		if out[v] = dist[v]; dist[v] != far {
			out[v] += n.price[column] - n.price[v]
		}
	}
	return out
}

// distances are Dijkstra's, under the potentials. With fromSink, nodes nearer through the sink keep any distance.
func (n *network) distances(from int32, fromSink []int64) []int64 {
	sink := int32(len(n.price) - 1)
	dist := make([]int64, len(n.price))
	for v := range dist {
		dist[v] = far
	}
	done := make([]bool, len(dist))
	dist[from] = 0
	queue := nearest{{from, 0}}
	for len(queue) > 0 {
		at := queue.pop()
		if done[at.node] {
			continue
		}
		done[at.node] = true
		if fromSink != nil && (at.node == sink || dist[sink] != far && fromSink[at.node] != far && at.dist >= dist[sink]+fromSink[at.node]) {
			continue
		}
		n.arcs(at.node, func(to int32, cost int64) {
			// Under the potentials no arc is negative.
			if d := at.dist + cost + n.price[to] - n.price[at.node]; d < dist[to] {
				dist[to] = d
				queue.push(step{to, d})
			}
		})
	}
	return dist
}

// arcs are all arcs of the residual graph out of a node.
func (n *network) arcs(v int32, arc func(to int32, cost int64)) {
	sink := int32(len(n.price) - 1)
	switch {
	case v == sink:
		for g, taken := range n.ofCenter {
			if taken > 0 {
				arc(int32(g+n.columns), 0)
			}
		}
		for j, c := range n.p.Columns {
			if c.Center == NoCenter && len(n.cases[j]) > 0 {
				arc(int32(j), 0)
			}
		}
	case int(v) >= n.columns:
		g := v - int32(n.columns)
		if n.hasQuota(g) {
			arc(sink, 0)
		}
		for _, k := range n.members[g] {
			if len(n.cases[k]) > 0 {
				arc(k, 0)
			}
		}
	default:
		if g := n.p.Columns[v].Center; n.hasPlace(v) && g != NoCenter {
			arc(g+int32(n.columns), 0)
		} else if n.hasPlace(v) {
			arc(sink, 0)
		}
		n.refresh(v)
		for _, w := range n.ways[v] {
			if w.best >= 0 {
				arc(w.to, w.cost)
			}
		}
	}
}

type step struct {
	node int32
	dist int64
}

// nearest is a binary heap of steps.
type nearest []step

func (h *nearest) push(s step) {
	*h = append(*h, s)
	q := *h
	for i := len(q) - 1; i > 0; {
		up := (i - 1) / 2
		if q[up].dist <= q[i].dist {
			break
		}
		q[up], q[i] = q[i], q[up]
		i = up
	}
}

func (h *nearest) pop() step {
	q := *h
	top, last := q[0], len(q)-1
	q[0] = q[last]
	q = q[:last]
	for i := 0; ; {
		down := 2*i + 1
		if down+1 < last && q[down+1].dist < q[down].dist {
			down++
		}
		if down >= last || q[i].dist <= q[down].dist {
			break
		}
		q[i], q[down] = q[down], q[i]
		i = down
	}
	*h = q
	return top
}
