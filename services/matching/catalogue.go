package matching

import (
	"context"
	"sync"

	"huhang.example/services/internal/fault"
	"huhang.example/services/matching/directory"
	"huhang.example/services/matching/ranking"
)

// catalogue keeps what was last read of the directory. Any instance may change the directory, so the revision is asked
// for every time; only when it moved is the rest read again.
type catalogue struct {
	mu   sync.Mutex
	last *edition
}

// edition is the directory and the weights at one revision; it is never changed.
type edition struct {
	revision int64
	centers  []*directory.Center
	weights  []*ranking.Weights

	mu     sync.Mutex
	boards map[[2]string]*ranking.Board
}

func (s *Service) edition(ctx context.Context) (*edition, error) {
	// The revision is read first: what is read after it is at least as new, and never taken for newer than it is.
	revision, err := s.store.Revision(ctx)
	if err != nil {
		return nil, err
	}
	s.ready.mu.Lock()
	last := s.ready.last
	s.ready.mu.Unlock()
	if last != nil && last.revision == revision {
		return last, nil
	}
	e := &edition{revision: revision, boards: map[[2]string]*ranking.Board{}}
	if e.centers, err = s.allCenters(ctx); err != nil {
		return nil, err
	}
	if e.weights, err = s.store.Weights(ctx); err != nil {
		return nil, err
	}
	s.ready.mu.Lock()
	defer s.ready.mu.Unlock()
	if s.ready.last == nil || s.ready.last.revision < revision {
		s.ready.last = e
	}
	return e, nil
}

// board is made once for an organ and a version of the weights.
func (e *edition) board(organ string, w *ranking.Weights) *ranking.Board {
	e.mu.Lock()
	defer e.mu.Unlock()
	key := [2]string{organ, w.Version}
	if e.boards[key] == nil {
		e.boards[key] = ranking.NewBoard(e.centers, organ, w)
	}
	return e.boards[key]
}

const (
	maxCenters = 1000
	centerPage = 200
)

func (s *Service) allCenters(ctx context.Context) ([]*directory.Center, error) {
	var all []*directory.Center
	for after := ""; len(all) < maxCenters; after = all[len(all)-1].ID {
		page, err := s.store.Centers(ctx, CenterFilter{}, after, centerPage)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < centerPage {
			break
		}
	}
	return all, nil
}

func noWeights() error {
	return fault.New(fault.FailedPrecondition, fault.WrongState, "", "No version of the weights is in force yet.", "尚无生效的权重版本。")
}
