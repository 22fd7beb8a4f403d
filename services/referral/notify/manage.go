package notify

import (
	"context"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/page"
)

// overlapHours is how long the secret of before signs besides where nobody says.
const overlapHours = 24

// CreateEndpoint makes an endpoint that begins at the feed's end. The secret is returned here and nowhere else.
func (s *Service) CreateEndpoint(ctx context.Context, d Decision) (*Endpoint, string, error) {
	if err := s.on(); err != nil {
		return nil, "", err
	}
	if err := s.Addresses.URL(d.URL); err != nil {
		return nil, "", err
	}
	head, err := s.Feed.Head(ctx)
	if err != nil {
		return nil, "", err
	}
	who, now := access.From(ctx), s.Clock.Now()
	e := &Endpoint{
		ID: s.IDs.New("whe"), Organisation: who.Organisation, Status: Active, Version: 1, Cursor: head, URL: d.URL, Types: d.Types,
		Description: d.Description, Since: now, CreatedBy: who.Subject, Created: now, Updated: now,
	}
	shown, secret, err := newSecret(s.Random, s.Cipher, e.ID)
	if err != nil {
		return nil, "", err
	}
	e.Secrets = []Secret{secret}
	if err := s.Store.CreateEndpoint(ctx, e); err != nil {
		return nil, "", err
	}
	return e, shown, nil
}

// GetEndpoint returns one.
func (s *Service) GetEndpoint(ctx context.Context, endpointID string) (*Endpoint, error) {
	return s.mine(ctx, endpointID)
}

// ListEndpoints lists the caller's; operations see an organisation's, or all.
func (s *Service) ListEndpoints(ctx context.Context, organisation, token string, size int32) ([]*Endpoint, string, error) {
	who := access.From(ctx)
	if !who.Has(access.Operations) {
		if organisation != "" && organisation != who.Organisation {
			return nil, "", fault.New(fault.PermissionDenied, fault.RightMissing, "organisation",
				"Only operations see the endpoints of others.", "仅运营人员可查看其他机构的端点。")
		}
		if organisation = who.Organisation; organisation == "" {
			return nil, "", nil
		}
	}
	filter := page.Filter("webhook-endpoints", organisation)
	cursor, err := page.Parse(filter, token)
	if err != nil {
		return nil, "", err
	}
	list, next, err := s.Store.Endpoints(ctx, organisation, cursor, page.Size(size, pageDefault, pageMost))
	return list, page.Token(filter, next), err
}

const (
	pageDefault = 50
	pageMost    = 200
)

// change changes an endpoint of the caller's own. Visibility is decided before the etag.
func (s *Service) change(ctx context.Context, endpointID, etag string, change func(e *Endpoint) error) (*Endpoint, error) {
	who := access.From(ctx)
	return s.Store.UpdateEndpoint(ctx, endpointID, func(e *Endpoint) error {
		if !e.VisibleTo(who) || e.Organisation != who.Organisation {
			return access.NotVisible("webhook endpoint", endpointID)
		}
		if etag != e.Etag() {
			return fault.Stale(e.Etag())
		}
		if err := change(e); err != nil {
			return err
		}
		e.Version++
		return nil
	})
}

// UpdateEndpoint applies its owner's decision. skip leaves out what happened while it stood still, and what waits.
func (s *Service) UpdateEndpoint(ctx context.Context, endpointID, etag string, d Decision, skip bool) (*Endpoint, error) {
	if err := s.on(); err != nil {
		return nil, err
	}
	if err := s.Addresses.URL(d.URL); err != nil {
		return nil, err
	}
	head, err := s.Feed.Head(ctx)
	if err != nil {
		return nil, err
	}
	e, err := s.change(ctx, endpointID, etag, func(e *Endpoint) error {
		e.Decide(d, s.Clock.Now())
		if skip {
			e.Cursor = max(e.Cursor, head)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if skip {
		if err := s.Store.Drop(ctx, endpointID); err != nil {
			return nil, err
		}
	}
	return s.Store.Endpoint(ctx, e.ID)
}

// RotateSecret makes a new secret; hours is the overlap, nil for the usual one.
func (s *Service) RotateSecret(ctx context.Context, endpointID, etag string, hours *int32) (*Endpoint, string, error) {
	if err := s.on(); err != nil {
		return nil, "", err
	}
	overlap := time.Duration(overlapHours) * time.Hour
	if hours != nil {
		overlap = time.Duration(*hours) * time.Hour
	}
	shown, secret, err := newSecret(s.Random, s.Cipher, endpointID)
	if err != nil {
		return nil, "", err
	}
	e, err := s.change(ctx, endpointID, etag, func(e *Endpoint) error {
		e.Rotate(secret, overlap, s.Clock.Now())
		return nil
	})
	return e, shown, err
}

// DeleteEndpoint ends an endpoint; what waits for it is not sent.
func (s *Service) DeleteEndpoint(ctx context.Context, endpointID, etag string) error {
	_, err := s.change(ctx, endpointID, etag, func(e *Endpoint) error {
		e.Status, e.Secrets, e.Updated = Deleted, nil, s.Clock.Now()
		return nil
	})
	if err != nil {
		return err
	}
	return s.Store.Drop(ctx, endpointID)
}

// SendTest puts a test event in an active endpoint's queue.
func (s *Service) SendTest(ctx context.Context, endpointID string) (*Delivery, error) {
	if err := s.on(); err != nil {
		return nil, err
	}
	e, err := s.mine(ctx, endpointID)
	if err != nil {
		return nil, err
	}
	if e.Status != Active {
		return nil, wrongStatus("The endpoint is not active.", "该端点未启用。", string(e.Status))
	}
	now := s.Clock.Now()
	d := &Delivery{
		ID: s.IDs.New("msg"), EndpointID: e.ID, Organisation: e.Organisation, Type: TestType, Apart: true,
		Status: Pending, Next: now, Created: now,
	}
	if d.Body, err = TestBody(s.Source, d.ID, now); err != nil {
		return nil, err
	}
	if err := s.Store.AddOne(ctx, d); err != nil {
		return nil, err
	}
	return d, nil
}

// ListDeliveries lists messages to the caller's endpoints; operations see all.
func (s *Service) ListDeliveries(ctx context.Context, q DeliveryQuery, token string, size int32) ([]*Delivery, string, error) {
	who := access.From(ctx)
	if q.EndpointID != "" {
		if _, err := s.mine(ctx, q.EndpointID); err != nil {
			return nil, "", err
		}
	}
	if !who.Has(access.Operations) {
		if q.Organisation = who.Organisation; q.Organisation == "" {
			return nil, "", nil
		}
	}
	filter := page.Filter("webhook-deliveries", q.Organisation, q.EndpointID, q.ReferralID, string(q.Status))
	cursor, err := page.Parse(filter, token)
	if err != nil {
		return nil, "", err
	}
	list, next, err := s.Store.Deliveries(ctx, q, cursor, page.Size(size, pageDefault, pageMost))
	return list, page.Token(filter, next), err
}

// GetDelivery returns a message the caller may see, as it was sent.
func (s *Service) GetDelivery(ctx context.Context, deliveryID string) (*Delivery, []Attempt, error) {
	d, attempts, err := s.Store.Delivery(ctx, deliveryID)
	if err != nil {
		return nil, nil, err
	}
	if who := access.From(ctx); !who.Has(access.Operations) && (who.Organisation == "" || who.Organisation != d.Organisation) {
		return nil, nil, access.NotVisible("webhook delivery", deliveryID)
	}
	return d, attempts, nil
}

// Replay sends a dead or delivered message again.
func (s *Service) Replay(ctx context.Context, deliveryID string) (*Delivery, error) {
	d, _, err := s.GetDelivery(ctx, deliveryID)
	if err != nil {
		return nil, err
	}
	if _, err := s.mine(ctx, d.EndpointID); err != nil {
		return nil, err
	}
	return s.Store.UpdateDelivery(ctx, deliveryID, func(d *Delivery) error { return d.Replay(s.Clock.Now()) })
}

// replayMost bounds how many dead messages are put back at once.
const replayMost = 1000

// ReplayDead sends dead messages of an endpoint again, the oldest first, and says whether there are more. What was
// replayed as often as it may be stays dead.
func (s *Service) ReplayDead(ctx context.Context, endpointID string, since time.Time) (replayed int, more bool, err error) {
	if _, err := s.mine(ctx, endpointID); err != nil {
		return 0, false, err
	}
	ids, err := s.Store.DeadSince(ctx, endpointID, since, replayMost+1)
	if err != nil {
		return 0, false, err
	}
	if more = len(ids) > replayMost; more {
		ids = ids[:replayMost]
	}
	for _, id := range ids {
		if _, err := s.Store.UpdateDelivery(ctx, id, func(d *Delivery) error { return d.Replay(s.Clock.Now()) }); err != nil {
			return 0, false, err
		}
	}
	return len(ids), more, nil
}
