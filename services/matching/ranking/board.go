package ranking

import (
	"cmp"
	"slices"

	"huhang.example/services/matching/directory"
)

// Board is a directory made ready to rank for one organ: what depends on neither patient nor time is worked out once.
// It is read only, and may be asked by many at once.
type Board struct {
	organ   string
	weights [termCount]int64
	version string
	scales  Scales
	rows    []row // by center
}

type row struct {
	center  *directory.Center
	program *directory.Program // nil: none for this organ
	set     hccSet
	// The infections a program excludes, wants treated first, and has said anything of.
	excludes, treats, stated infectionSet
	// values of the terms that are the program's own; -1 unknown.
	wait, survival           int32
	waitWords, survivalWords Remark
}

// NewBoard makes a board of the directory's centers, whose ids differ.
func NewBoard(centers []*directory.Center, organ string, w *Weights) *Board {
	b := &Board{organ: organ, version: w.Version, scales: w.Scales, rows: make([]row, 0, len(centers))}
	for i, key := range Keys {
		b.weights[i] = int64(w.Terms[key])
	}
	for _, c := range slices.SortedFunc(slices.Values(centers), func(a, b *directory.Center) int { return cmp.Compare(a.ID, b.ID) }) {
		r := row{center: c, program: c.Program(organ)}
		if p := r.program; p != nil {
			r.set = setOf(p.Criteria.HCCSet)
			for i, infection := range directory.Infections {
				switch p.Criteria.Policy(infection) {
				case directory.Excludes:
					r.excludes |= 1 << i
					r.stated |= 1 << i
				case directory.NeedsTreatment:
					r.treats |= 1 << i
					r.stated |= 1 << i
				case directory.Accepts:
					r.stated |= 1 << i
				}
			}
			r.own(b.scales)
		}
		b.rows = append(b.rows, r)
	}
	return b
}

// Centers are the board's, in the order a question's findings stand in.
func (b *Board) Centers() []*directory.Center {
	centers := make([]*directory.Center, len(b.rows))
	for i := range b.rows {
		centers[i] = b.rows[i].center
	}
	return centers
}

// Version of the weights.
func (b *Board) Version() string { return b.version }

func (b *Board) find(centerID string) (int, bool) {
	return slices.BinarySearchFunc(b.rows, centerID, func(r row, id string) int { return cmp.Compare(r.center.ID, id) })
}

// infectionSet has a bit for each of directory.Infections.
type infectionSet uint16
