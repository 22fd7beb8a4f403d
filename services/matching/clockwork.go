package matching

import (
	"context"
	"fmt"
	"strconv"

	"huhang.example/services/internal/access"
)

// Remind is the job at half of an offer's time.
func (s *Service) Remind(ctx context.Context, j Job) error {
	at := s.clock.Now()
	_, err := s.store.UpdateOffer(ctx, j.OfferID, func(o *Offer) error {
		if o.Status != Open || !o.RemindedAt.IsZero() || !at.Before(o.ExpiresAt) {
			return nil
		}
		o.RemindedAt, o.quiet = at, true
		o.tell("REMINDED", at, "", "")
		return nil
	})
	return err
}

// Expire is the job at an offer's end. One that is just being accepted was answered in time; if nothing comes of it, the
// job is set again.
func (s *Service) Expire(ctx context.Context, j Job) error {
	at := s.clock.Now()
	var wait Later
	_, err := s.store.UpdateOffer(ctx, j.OfferID, func(o *Offer) error {
		wait = Later{}
		if o.Status != Open {
			return nil
		}
		if at.Before(o.ExpiresAt) {
			wait = Later{o.ExpiresAt.Sub(at)}
			return nil
		}
		o.decide(Expired, at, access.From(ctx))
		o.tell("EXPIRED", o.ExpiresAt, "", "")
		return nil
	})
	if err == nil && wait.After > 0 {
		return wait
	}
	return err
}

// TellCase is the job that tells the case what became of an offer, in order. An event goes out at least once; its request
// id makes it count once.
func (s *Service) TellCase(ctx context.Context, j Job) error {
	ctx = about(ctx, j.ReferralID)
	untold, err := s.store.Untold(ctx, j.OfferID)
	if err != nil {
		return err
	}
	for _, t := range untold {
		if err := s.deliver(ctx, t); err != nil {
			return fmt.Errorf("event %d: %w", t.Number, err)
		}
	}
	return nil
}

func (s *Service) deliver(ctx context.Context, t Told) error {
	call, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	key := "evt-" + t.Event.OfferID + "-" + t.Event.Kind
	if t.Event.Condition > 0 {
		key += "-" + strconv.Itoa(int(t.Event.Condition))
	}
	if err := s.peers.Tell(call, key, t.Event); err != nil {
		return err
	}
	return s.store.Tell(ctx, t.Event.OfferID, t.Number, s.clock.Now())
}
