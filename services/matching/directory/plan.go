package directory

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"huhang.example/services/internal/clock"
)

// Plan is what a table would do to a directory: nothing is changed by making one.
type Plan struct {
	// New and Changed centers as they would be; a changed one has the version it was read with.
	New, Changed []*Center
	Rejected     []Rejected
	// Good rows by what they do.
	Added, Edited, Unchanged int
}

// Accepted rows.
func (p *Plan) Accepted() int { return p.Added + p.Edited + p.Unchanged }

type planner struct {
	Plan
	at     time.Time
	before map[string]*Center
	after  map[string]*Center
	first  map[string]int    // the first good row of a center
	rows   map[[2]string]int // the row a program was in
}

// MakePlan holds the table against the directory. Each row is judged by itself and against the good ones before it.
func MakePlan(t Table, centers []*Center, at time.Time) *Plan {
	p := &planner{at: at, before: map[string]*Center{}, after: map[string]*Center{}, first: map[string]int{}, rows: map[[2]string]int{}}
	for _, c := range centers {
		p.before[c.ID] = c
	}
	for i, l := range t.lines {
		p.take(i+1, l)
	}
	for id, c := range p.after {
		if before := p.before[id]; before == nil {
			p.New = append(p.New, c)
		} else if !same(before, c) {
			p.Changed = append(p.Changed, c)
		}
	}
	for _, list := range [][]*Center{p.New, p.Changed} {
		slices.SortFunc(list, func(a, b *Center) int { return strings.Compare(a.ID, b.ID) })
	}
	return &p.Plan
}

func same(a, b *Center) bool { return reflect.DeepEqual(records([]*Center{a}), records([]*Center{b})) }

func (p *planner) take(row int, l line) {
	id := l.record["center_id"]
	if !centerID.MatchString(id) {
		id = ""
	}
	for i := range l.faults {
		l.faults[i].CenterID = id
	}
	faults := l.faults
	fault := func(column, both string) { faults = append(faults, reject(row, column, id, both)) }
	var e entry
	if l.record != nil {
		for _, c := range columns {
			value := l.record[c.name]
			if l.record["organ"] == "" && !c.own {
				if value != "" {
					fault(c.name, "a row without an organ holds none|无器官的行不应填写")
				}
				continue
			}
			if err := c.set(&e, value); err != nil {
				fault(c.name, err.Error())
			}
		}
		p.whole(&e, &faults, fault)
	}
	if len(faults) > 0 {
		p.Rejected = append(p.Rejected, faults...)
		return
	}
	p.put(row, &e)
}

// whole checks what several columns say together, and the row against the directory and the rows before it.
func (p *planner) whole(e *entry, faults *[]Rejected, fault func(column, both string)) {
	id := e.center.ID
	before := p.before[id]
	switch broken := func(column string) bool {
		return slices.ContainsFunc(*faults, func(r Rejected) bool { return r.Column == column })
	}; {
	case broken("center_id") || broken("etag"):
	case e.etag == "" && before != nil:
		fault("etag", "the center is there already: give its version|中心已存在，须填写版本号")
	case e.etag != "" && before == nil:
		fault("etag", "no such center: leave the version out|无此中心，新中心不填版本号")
	case e.etag != "" && e.etag != before.Etag():
		fault("etag", "the center has changed since: its version is "+before.Etag()+"|中心已变更，当前版本为"+before.Etag())
	}
	if first, ok := p.first[id]; ok {
		mine, its := recordOf(&e.center, nil), recordOf(p.after[id], nil)
		for _, c := range columns {
			if c.own && c.name != "etag" && mine[c.name] != its[c.name] {
				fault(c.name, fmt.Sprintf("differs from row %d of the same center|与同一中心的第%d行不一致", first, first))
			}
		}
	}
	if other, twice := p.rows[[2]string{id, e.program.Organ}]; twice {
		fault("organ", fmt.Sprintf("is in row %d already|与第%d行重复", other, other))
	}
	if e.program.Organ == "" {
		return
	}
	l, c := e.program.Licence, e.program.Criteria
	switch {
	case l.ValidFrom == "":
		fault("licence_from", errRequired.Error())
	case l.ValidTo == "":
		fault("licence_to", errRequired.Error())
	case l.ValidTo < l.ValidFrom:
		fault("licence_to", "ends before it begins|早于起始日")
	}
	if c.MinAge != nil && c.MaxAge != nil && *c.MinAge > *c.MaxAge {
		fault("max_age", "below the youngest age|低于最小年龄")
	}
	if c.HCCSet != "" && e.program.Organ != "LIVER" {
		fault("hcc_set", "for the liver only|仅用于肝脏")
	}
	if e.center.ID != "" && before != nil {
		if old := before.Program(e.program.Organ); old != nil && !old.Licence.MayBecome(l) {
			fault("licence_revoked", "a revoked licence is not revived: give the new one's first day|已撤销的资质不能恢复，须填写新资质的起始日")
		}
	}
	p.capacity(e, fault)
}

func (p *planner) capacity(e *entry, fault func(column, both string)) {
	if e.free == "" && e.asOf == "" && e.declaredBy == "" {
		return
	}
	asOf, err := time.Parse(time.RFC3339Nano, e.asOf)
	free, bad := strconv.Atoi(e.free)
	switch {
	case e.free == "" || bad != nil:
		fault("free_places", "capacity is given with how much, as of when and by whom|接收能力须同时填写数量、时间和申报机构")
	case err != nil:
		fault("capacity_as_of", "capacity is given with how much, as of when and by whom|接收能力须同时填写数量、时间和申报机构")
	case asOf.After(p.at.Add(clock.Skew)) || asOf.Year() < 1900:
		fault("capacity_as_of", "in the future, or no time of ours|时间在将来，或不合理")
	case e.declaredBy == "":
		fault("capacity_declared_by", "capacity is given with how much, as of when and by whom|接收能力须同时填写数量、时间和申报机构")
	default:
		e.program.Capacity = &Capacity{FreePlaces: int32(free), AsOf: asOf.UTC().Truncate(time.Microsecond), DeclaredBy: e.declaredBy}
	}
}

// put takes a good row.
func (p *planner) put(row int, e *entry) {
	id := e.center.ID
	p.rows[[2]string{id, e.program.Organ}] = row
	before, c := p.before[id], p.after[id]
	if c == nil {
		c = &Center{ID: id, Version: 1}
		if before != nil {
			c.Version, c.Programs = before.Version, slices.Clone(before.Programs)
		}
		c.NameZh, c.NameEn, c.Line, c.City, c.Quotas = e.center.NameZh, e.center.NameEn, e.center.Line, e.center.City, e.center.Quotas
		p.after[id], p.first[id] = c, row
	}
	var old *Program
	if before != nil {
		old = before.Program(e.program.Organ)
	}
	if e.program.Organ != "" {
		if i := slices.IndexFunc(c.Programs, func(have Program) bool { return have.Organ == e.program.Organ }); i >= 0 {
			c.Programs[i] = e.program
		} else {
			c.Programs = append(c.Programs, e.program)
		}
	}
	switch {
	case before == nil || e.program.Organ != "" && old == nil:
		p.Added++
	case reflect.DeepEqual(recordOf(before, old), recordOf(c, c.Program(e.program.Organ))):
		p.Unchanged++
	default:
		p.Edited++
	}
}
