package notify

import (
	"context"
	"errors"
	"sync"
	"time"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/telemetry"
	"huhang.example/services/referral"
)

// slice is how long a lane runs on before it lets others of its queue go: what it has left is woken again.
const slice = 5 * time.Second

// Run sends what is due to an endpoint, until nothing is or its time is over.
func (s *Service) Run(ctx context.Context, endpointID string) error {
	if s.Cipher == nil {
		return nil
	}
	for end := s.Clock.Now().Add(slice); !s.Clock.Now().After(end); {
		more, err := s.step(ctx, endpointID)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// step makes messages of what is new on the feed and sends those that are ready. It reports whether there may be more.
func (s *Service) step(ctx context.Context, endpointID string) (more bool, err error) {
	now := s.Clock.Now()
	e, err := s.Store.Endpoint(ctx, endpointID)
	if fault.Is(err, fault.ReasonNotFound) {
		return false, nil
	}
	if err != nil || !e.SentTo(now) {
		return false, err
	}
	filled, err := s.fill(ctx, e)
	if err != nil {
		return false, err
	}
	ready, err := s.Store.Ready(ctx, endpointID, now, e.Width(s.Rules))
	if err != nil {
		return false, err
	}
	var wait sync.WaitGroup
	failed := make([]error, len(ready))
	for i, d := range ready {
		wait.Go(func() { failed[i] = s.deliver(ctx, e, d) })
	}
	wait.Wait()
	return filled || len(ready) > 0, errors.Join(failed...)
}

// fill makes messages of the next events of the endpoint's organisation, as far as its window reaches.
func (s *Service) fill(ctx context.Context, e *Endpoint) (bool, error) {
	head, err := s.Feed.Head(ctx)
	if err != nil || e.Cursor >= head {
		return false, err
	}
	waiting, err := s.Store.Waiting(ctx, e.ID, s.Rules.Window)
	if err != nil {
		return false, err
	}
	room := min(batch, s.Rules.Window-waiting)
	if room <= 0 {
		return false, nil
	}
	events, err := s.Feed.Feed(ctx, referral.Scope{Organisation: e.Organisation}, e.Cursor, head, room)
	if err != nil {
		return false, err
	}
	to := head
	if len(events) == room {
		to = events[room-1].Position
	}
	now := s.Clock.Now()
	messages := make([]*Delivery, 0, len(events))
	for _, event := range events {
		kind := TypeOf(event.Entry.Kind)
		if !e.Wants(kind) {
			continue
		}
		body, err := Body(s.Source, event)
		if err != nil {
			return false, err
		}
		messages = append(messages, &Delivery{
			ID: s.IDs.New("msg"), EndpointID: e.ID, Organisation: e.Organisation, Type: kind, ReferralID: event.ReferralID,
			Position: event.Position, Sequence: event.Entry.Sequence, Status: Pending, Next: now, Created: now, Body: body,
			TraceID: event.Entry.TraceID,
		})
	}
	return s.Store.Add(ctx, e.ID, e.Cursor, to, messages)
}

// deliver tries one message. Killed after the receiver got it and before it is recorded, it is sent again under its id.
func (s *Service) deliver(ctx context.Context, e *Endpoint, d *Delivery) error {
	ctx = telemetry.WithReferral(ctx, d.ReferralID)
	sent := s.Clock.Now()
	signature, err := Sign(e, s.Cipher, d.ID, sent, d.Body)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, s.Rules.Deadline())
	defer cancel()
	answer, err := s.Post.Send(limited, Message{
		URL: e.URL, ID: d.ID, Body: d.Body, Sent: sent, Signature: signature, ReferralID: d.ReferralID,
		TraceParent: TraceParent(d.TraceID, d.ReferralID, d.Sequence),
	})
	if ctx.Err() != nil {
		// Stopped, not unanswered: nothing is known of this try.
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	s.Attempted(ctx, answer.Outcome)
	return s.Store.Record(ctx, d, func(d *Delivery) Attempt { return d.Tried(s.Rules, answer, sent) },
		func(e *Endpoint) { e.Answered(s.Rules, answer, s.Clock.Now()) })
}
