package discovery

import (
	"sync"
	"time"
)

// strays are the targets whose set of instances is only remembered: etcd has not answered since.
type strays struct {
	mu    sync.Mutex
	since map[string]time.Time
}

func (s *strays) away(target string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.since == nil {
		s.since = map[string]time.Time{}
	}
	if _, known := s.since[target]; !known {
		s.since[target] = now
	}
}

func (s *strays) back(target string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.since, target)
}

// Stale is how long the oldest view of this process has been without etcd's word; 0 while all are followed.
func (e *Etcd) Stale() time.Duration {
	e.strays.mu.Lock()
	defer e.strays.mu.Unlock()
	var longest time.Duration
	for _, since := range e.strays.since {
		longest = max(longest, e.clock.Now().Sub(since))
	}
	return longest
}
