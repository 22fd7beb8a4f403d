package notify

import (
	"context"

	"huhang.example/services/referral"
)

const (
	// batch bounds what is read of the feed at once.
	batch = 200
	// lanesMost bounds how many lanes are woken at once; the rest is woken a second later.
	lanesMost = 500
)

// Watch looks at the feed and at the clock: it puts what is new into the inboxes, and wakes the lane of every endpoint
// that has something to do.
func (s *Service) Watch(ctx context.Context) error {
	head, err := s.Feed.Head(ctx)
	if err != nil {
		return err
	}
	if err := s.tell(ctx, head); err != nil {
		return err
	}
	if s.Cipher == nil {
		return nil
	}
	lanes, err := s.Store.Lanes(ctx, head, s.Clock.Now(), lanesMost)
	if err != nil || len(lanes) == 0 {
		return err
	}
	return s.Store.Wake(ctx, lanes)
}

// tell fills the inboxes up to the head of the feed.
func (s *Service) tell(ctx context.Context, head int64) error {
	at, err := s.Store.Told(ctx)
	if err != nil {
		return err
	}
	for at < head {
		events, err := s.Feed.Feed(ctx, referral.Scope{All: true}, at, head, batch)
		if err != nil {
			return err
		}
		to := head
		if len(events) == batch {
			to = events[batch-1].Position
		}
		now := s.Clock.Now()
		var notices []*Notice
		for _, e := range events {
			for _, n := range s.Table.Of(e) {
				n.ID, n.Created = s.IDs.New("ntc"), now
				notices = append(notices, &n)
			}
		}
		moved, err := s.Store.Tell(ctx, at, to, notices)
		if err != nil || !moved {
			return err
		}
		at = to
	}
	return nil
}

// TellLater puts a notice into its inbox whose time has come, if the case still waits for what it reminds of.
func (s *Service) TellLater(ctx context.Context, n Notice) error {
	r, err := s.Cases.GetReferral(ctx, n.ReferralID)
	if err != nil {
		return err
	}
	if !r.Deadline.Equal(n.Due) {
		return nil
	}
	n.ID, n.Created = s.IDs.New("ntc"), s.Clock.Now()
	return s.Store.TellOne(ctx, &n)
}
