package referral

import (
	"context"
	"strconv"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/page"
)

const (
	// feedBatch bounds what a follower holds in memory.
	feedBatch = 200
	// maxFollowers bounds the open feeds of one process; each looks at the database once a second.
	maxFollowers = 256
)

var feedFilter = page.Filter("feed")

// FollowEvents sends the events of the caller's cases after the cursor, in order, each once, and waits for new ones until
// ctx ends, or, with untilNow, stops at the end it found. Without a cursor it begins at the beginning, or, with fromNow, at
// the end it found. begun is called once the cursor was taken, before the first event. Faults INVALID_PAGE_TOKEN (field cursor), RATE_LIMITED, and
// whatever begun and send return.
func (s *Service) FollowEvents(ctx context.Context, cursor string, fromNow, untilNow bool, begun func() error, send func(cursor string, e Event) error) error {
	if s.followers.Add(1) > maxFollowers {
		s.followers.Add(-1)
		return fault.New(fault.ResourceExhausted, fault.RateLimited, "",
			"Too many feeds are open here.", "此处打开的事件流过多。").With("retry_after_seconds", "5")
	}
	defer s.followers.Add(-1)
	scope := scopeOf(access.From(ctx))
	heard := s.bell.heard()
	head, err := s.store.Head(ctx)
	if err != nil {
		return err
	}
	at, err := position(cursor, head)
	if err != nil {
		return err
	}
	if cursor == "" && fromNow {
		at = head
	}
	if err := begun(); err != nil {
		return err
	}
	for {
		if at, err = s.sendUpTo(ctx, scope, at, head, send); err != nil || untilNow {
			return err
		}
		timer := s.clock.NewTimer(poll)
		select {
		case <-heard:
		case <-timer.C():
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
		timer.Stop()
		// The bell is taken up before the look: what is rung after it is heard next time.
		heard = s.bell.heard()
		if head, err = s.store.Head(ctx); err != nil {
			return err
		}
	}
}

func (s *Service) sendUpTo(ctx context.Context, scope Scope, at, head int64, send func(string, Event) error) (int64, error) {
	for at < head {
		events, err := s.store.Feed(ctx, scope, at, head, feedBatch)
		if err != nil {
			return at, err
		}
		for _, e := range events {
			if err := send(page.Token(feedFilter, strconv.FormatInt(e.Position, 10)), e); err != nil {
				return at, err
			}
			at = e.Position
		}
		if len(events) < feedBatch {
			at = head
		}
	}
	return at, nil
}

// position reads a cursor; one beyond the feed's end belongs to another line.
func position(cursor string, head int64) (int64, error) {
	text, err := page.Parse(feedFilter, cursor)
	at := int64(0)
	if err == nil && text != "" {
		at, err = strconv.ParseInt(text, 10, 64)
	}
	if err != nil || at < 0 || at > head {
		return 0, fault.New(fault.InvalidArgument, fault.InvalidPageToken, "cursor",
			"The cursor is not one of this feed.", "游标不属于此事件流。")
	}
	return at, nil
}
