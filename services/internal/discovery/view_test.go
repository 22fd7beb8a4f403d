package discovery

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func viewInstance(id int, addr int) Instance {
	return Instance{Service: "matching", Province: AllProvinces, ID: fmt.Sprintf("m-%d", id), Addr: fmt.Sprintf("127.0.0.1:%d", 1+addr)}
}

func addrsOf(set []Instance) []string {
	var out []string
	for _, i := range set {
		out = append(out, i.Addr)
	}
	return out
}

// A client's view through one bad day.
func TestViewTimeline(t *testing.T) {
	t.Parallel()
	const grace = 10 * time.Second
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	a, b := viewInstance(1, 1), viewInstance(2, 2)
	both := map[string]record{a.key(): {Instance: a}, b.key(): {Instance: b}}
	v := newView(grace)
	for _, step := range []struct {
		what  string
		at    time.Duration
		do    func(now time.Time)
		want  []Instance
		again time.Duration // 0: none
	}{
		{"both listed", 0, func(now time.Time) { v.replace(both, now) }, []Instance{a, b}, 0},
		{"a dies just after the list: kept until etcd is settled", 1, func(now time.Time) { v.vanish(a.key(), now) }, []Instance{a, b}, 10},
		{"settled: dropped", 10, nil, []Instance{b}, 0},
		{"a is back", 20, func(time.Time) { v.put(a.key(), both[a.key()]) }, []Instance{a, b}, 0},
		{"b dies while etcd is steady: dropped at once", 30, func(now time.Time) { v.vanish(b.key(), now) }, []Instance{a}, 0},
		{"a vanishes too: both may live", 35, func(now time.Time) { v.vanish(a.key(), now) }, []Instance{a, b}, 40},
		{"b's grace is over", 40, nil, []Instance{a}, 45},
		{"a's grace is over", 45, nil, nil, 0},
		{"both listed again", 60, func(now time.Time) { v.replace(both, now) }, []Instance{a, b}, 0},
		{"an emptied etcd", 80, func(now time.Time) { v.replace(nil, now) }, []Instance{a, b}, 90},
		{"b registers again", 81, func(time.Time) { v.put(b.key(), both[b.key()]) }, []Instance{a, b}, 90},
		{"a did not", 90, nil, []Instance{b}, 0},
		{"b leaves: no grace for those who say so", 100, func(time.Time) { v.put(b.key(), record{Instance: b, Leaving: true}) }, nil, 0},
		{"and its key goes", 101, func(now time.Time) { v.vanish(b.key(), now) }, nil, 0},
	} {
		now := start.Add(step.at * time.Second)
		if step.do != nil {
			step.do(now)
		}
		got, again := v.current(now)
		if !slices.Equal(addrsOf(got), addrsOf(step.want)) {
			t.Errorf("%s: %v, want %v", step.what, addrsOf(got), addrsOf(step.want))
		}
		if want := start.Add(step.again * time.Second); step.again == 0 && !again.IsZero() || step.again != 0 && !again.Equal(want) {
			t.Errorf("%s: look again at %v, want after %ds", step.what, again, step.again)
		}
	}
}

func TestViewGivesAnAddressOnce(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	old, reborn := viewInstance(1, 1), viewInstance(2, 1)
	v := newView(time.Minute)
	v.replace(map[string]record{old.key(): {Instance: old}}, now)
	v.replace(map[string]record{reborn.key(): {Instance: reborn}}, now)
	if got, _ := v.current(now); len(got) != 1 {
		t.Errorf("%v, want one address", addrsOf(got))
	}
}

// Whatever happens in whatever order, the set is what the invariants of discovery say.
func TestViewInvariants(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const grace = 10 * time.Second
		v := newView(grace)
		now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		live := map[string]bool{}          // by address
		vanished := map[string]time.Time{} // by address, without leaving
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 12).Draw(t, "seconds")) * time.Second)
			n := rapid.IntRange(0, 3).Draw(t, "instance")
			inst := viewInstance(n, n)
			gone := func(addr string) {
				if live[addr] {
					delete(live, addr)
					vanished[addr] = now
				}
			}
			switch rapid.IntRange(0, 3).Draw(t, "event") {
			case 0:
				v.put(inst.key(), record{Instance: inst})
				live[inst.Addr] = true
				delete(vanished, inst.Addr)
			case 1:
				v.put(inst.key(), record{Instance: inst, Leaving: true})
				delete(live, inst.Addr)
				delete(vanished, inst.Addr)
			case 2:
				v.vanish(inst.key(), now)
				gone(inst.Addr)
			case 3:
				v.replace(map[string]record{inst.key(): {Instance: inst}}, now)
				for _, addr := range slices.Collect(maps.Keys(live)) {
					if addr != inst.Addr {
						gone(addr)
					}
				}
				live[inst.Addr] = true
				delete(vanished, inst.Addr)
			}
			set, again := v.current(now)
			got := addrsOf(set)
			for addr := range live {
				if !slices.Contains(got, addr) {
					t.Fatalf("%s is registered and not called", addr)
				}
			}
			recent := 0
			for _, at := range vanished {
				if now.Before(at.Add(grace)) {
					recent++
				}
			}
			if len(live) == 0 && len(got) != recent {
				t.Fatalf("none is registered, %d vanished within the grace, %d are called", recent, len(got))
			}
			for _, addr := range got {
				if at, ok := vanished[addr]; !live[addr] && (!ok || !now.Before(at.Add(grace))) {
					t.Fatalf("%s is called, but left or vanished longer ago than the grace", addr)
				}
			}
			// Nothing changes unseen: not before again, and never when there is no again.
			later := now.Add(time.Hour)
			if !again.IsZero() {
				if !again.After(now) {
					t.Fatalf("look again at %v, not after %v", again, now)
				}
				later = again.Add(-time.Microsecond)
			}
			ahead := &view{grace: v.grace, live: v.live, gone: maps.Clone(v.gone), settled: v.settled}
			if unchanged, _ := ahead.current(later); !slices.Equal(addrsOf(unchanged), got) {
				t.Fatalf("changed from %v to %v by %v without a reason to look", got, addrsOf(unchanged), later)
			}
		}
	})
}

// What stands in etcd was written by someone: no value may crash a client or smuggle an instance under another key.
func FuzzDecode(f *testing.F) {
	good := viewInstance(1, 1)
	value, err := record{Instance: good}.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good.key(), []byte(value))
	f.Add(good.key(), []byte(`{}`))
	f.Add("/huhang/matching/000000/m-2", []byte(value))
	f.Add("/huhang/matching/000000/../x", []byte(`{"service":"matching","province":"000000","id":"../x","addr":"127.0.0.1:1"}`))
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		rec, err := decode(key, value)
		if err != nil {
			return
		}
		if err := rec.Validate(); err != nil || rec.key() != key {
			t.Errorf("accepted %+v under %q: %v", rec, key, err)
		}
		again, err := rec.encode()
		if err != nil {
			return // metadata may grow beyond the bound by escaping
		}
		if back, err := decode(key, []byte(again)); err != nil || back.Addr != rec.Addr || back.Leaving != rec.Leaving {
			t.Errorf("%+v came back as %+v, %v", rec, back, err)
		}
	})
}
