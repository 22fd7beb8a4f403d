package discovery

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// view is what a client believes about one target. It is pure: the resolver feeds it what etcd said and when.
//
// An instance that vanishes without leaving may be dead, or may have lost its lease to etcd's own trouble. As long as
// others are registered and etcd is steady it is taken for dead. When it was the last one, or within the grace after
// a list (so after every reconnect), it is kept for the grace: health checks and refused connections keep calls from
// the truly dead ones, and the living have time to register again.
type view struct {
	grace   time.Duration
	live    map[string]Instance // by key, as etcd last said
	gone    map[string]absent   // vanished without leaving
	settled time.Time           // until then etcd's word on absence is not final
}

type absent struct {
	Instance
	until time.Time
}

func newView(grace time.Duration) *view {
	return &view{grace: grace, live: map[string]Instance{}, gone: map[string]absent{}}
}

// put notes a stored record.
func (v *view) put(key string, rec record) {
	delete(v.gone, key)
	if rec.Leaving {
		delete(v.live, key)
		return
	}
	v.live[key] = rec.Instance
}

// vanish notes that a key is no longer there.
func (v *view) vanish(key string, now time.Time) {
	if inst, ok := v.live[key]; ok {
		delete(v.live, key)
		v.gone[key] = absent{inst, now.Add(v.grace)}
	}
}

// replace notes a full list.
func (v *view) replace(listed map[string]record, now time.Time) {
	for _, key := range slices.Collect(maps.Keys(v.live)) {
		if _, ok := listed[key]; !ok {
			v.vanish(key, now)
		}
	}
	for key, rec := range listed {
		v.put(key, rec)
	}
	v.settled = now.Add(v.grace)
}

// current returns the instances to call, ordered by key and one per address, and when to ask again although nothing
// happened (zero: no need).
func (v *view) current(now time.Time) (set []Instance, again time.Time) {
	all := maps.Clone(v.live)
	for key, a := range v.gone {
		if !now.Before(a.until) {
			delete(v.gone, key)
			continue
		}
		if len(v.live) == 0 || now.Before(v.settled) {
			all[key] = a.Instance
			again = earlier(again, a.until)
			if len(v.live) > 0 {
				again = earlier(again, v.settled)
			}
		}
	}
	addrs := map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		// A restarted instance may stand under a new id beside its vanished self.
		if inst := all[key]; !addrs[inst.Addr] {
			addrs[inst.Addr] = true
			set = append(set, inst)
		}
	}
	return set, again
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// sameAddrs tells whether a client would notice the difference.
func sameAddrs(a, b []Instance) bool {
	return slices.EqualFunc(a, b, func(x, y Instance) bool { return x.Addr == y.Addr })
}

func byID(a, b Instance) int { return strings.Compare(a.ID, b.ID) }
