package transfer

import (
	"reflect"
	"sync"

	"huhang.example/services/transfer/planner"
	"huhang.example/services/transfer/timetable"
)

// liveNetwork keeps the planner over the network as it runs today, until something else is known of it.
type liveNetwork struct {
	mu      sync.Mutex
	base    *planner.Planner
	changes []timetable.Change
	planner *planner.Planner
}

func (l *liveNetwork) over(base *planner.Planner, changes []timetable.Change) *planner.Planner {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.base != base || !reflect.DeepEqual(l.changes, changes) {
		l.base, l.changes, l.planner = base, changes, base.With(changes)
	}
	return l.planner
}
