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
	table   *timetable.Timetable
	changes []timetable.Change
	planner *planner.Planner
}

func (l *liveNetwork) over(base *planner.Planner, changes []timetable.Change) *planner.Planner {
	l.mu.Lock()
	defer l.mu.Unlock()
	// Another timetable may have been installed meanwhile.
	if table := base.Table(); l.table != table || !reflect.DeepEqual(l.changes, changes) {
		l.table, l.changes, l.planner = table, changes, base.With(changes)
	}
	return l.planner
}
