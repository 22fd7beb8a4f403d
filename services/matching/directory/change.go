package directory

// MayBecome reports whether a licence may be replaced by another: a revoked one only by one that begins later.
func (l Licence) MayBecome(next Licence) bool {
	return !l.Revoked || next.Revoked || next.ValidFrom > l.ValidFrom
}

// Change is one value of a center before and after (变更), as a table writes it.
type Change struct {
	Organ  string `json:"organ,omitempty"`
	Column string `json:"column"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// Changes are the values that differ; before is nil for a new center.
func Changes(before, after *Center) []Change {
	var out []Change
	differ := func(organ string, own bool, was, is Record) {
		for _, c := range columns {
			if c.own == own && c.name != "etag" && c.name != "organ" && was[c.name] != is[c.name] {
				out = append(out, Change{organ, c.name, was[c.name], is[c.name]})
			}
		}
	}
	was := Record{}
	if before != nil {
		was = recordOf(before, nil)
	}
	differ("", true, was, recordOf(after, nil))
	for _, organ := range Organs {
		was, is := Record{}, Record{}
		if before != nil {
			if p := before.Program(organ); p != nil {
				was = recordOf(before, p)
			}
		}
		if p := after.Program(organ); p != nil {
			is = recordOf(after, p)
		}
		differ(organ, false, was, is)
	}
	return out
}
