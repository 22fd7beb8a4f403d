package matching

import (
	"context"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/telemetry"
)

// Service holds the use cases. What must be asked of a peer is asked by methods of its own, outside the call's transaction.
type Service struct {
	store Store
	peers Peers
	clock clock.Clock
	ids   id.Source
	// ready is the directory made ready to rank, as of the revision it was read at.
	ready catalogue
	rules AllOfferRules
}

// New returns the use cases over a store.
func New(store Store, peers Peers, c clock.Clock, ids id.Source) *Service {
	return &Service{store: store, peers: peers, clock: c, ids: ids, rules: embeddedRules}
}

// Rules sets other offer rules than those this binary carries, before the service is used.
func (s *Service) Rules(all AllOfferRules) { s.rules = all }

// Later is the wish of a job to be run again, without counting an attempt.
type Later struct{ After time.Duration }

func (l Later) Error() string { return "later" }

// Offer returns an offer the caller may see.
func (s *Service) Offer(ctx context.Context, offerID string) (*Offer, error) {
	o, err := s.store.Offer(ctx, offerID)
	if err != nil {
		return nil, err
	}
	if !o.VisibleTo(access.From(ctx)) {
		return nil, access.NotVisible("offer", offerID)
	}
	s.opened(ctx, o)
	return o, nil
}

// Offers returns a page of the offers the caller may see.
func (s *Service) Offers(ctx context.Context, f OfferFilter, after *Offer, limit int) ([]*Offer, error) {
	caller := access.From(ctx)
	f.Organisation, f.All = caller.Organisation, caller.MaySee()
	offers, err := s.store.Offers(ctx, f, after, limit)
	s.opened(ctx, offers...)
	return offers, err
}

// answer changes an offer by the center it was made to. Who may not see it learns nothing, whatever the etag.
func (s *Service) answer(ctx context.Context, offerID, etag string, change func(o *Offer, at time.Time) error) (*Offer, error) {
	caller := access.From(ctx)
	at := s.clock.Now()
	return s.store.UpdateOffer(ctx, offerID, func(o *Offer) error {
		if err := mine(caller, o); err != nil {
			return err
		}
		if err := o.answerable(at); err != nil {
			return err
		}
		if etag != o.Etag() {
			return fault.Stale(o.Etag())
		}
		return change(o, at)
	})
}

func mine(caller access.Caller, o *Offer) error {
	if caller.Organisation != o.CenterID {
		return access.NotVisible("offer", o.ID)
	}
	return nil
}

func about(ctx context.Context, referralID string) context.Context {
	return telemetry.WithReferral(ctx, referralID)
}
