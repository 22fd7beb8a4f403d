package rpc

import (
	"context"
	"time"

	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/idempotency"
	"huhang.example/services/referral/notify"
)

func (s *Notifications) endpointOut(e *notify.Endpoint) *referralv1.WebhookEndpoint {
	return &referralv1.WebhookEndpoint{
		EndpointId: e.ID, Organisation: e.Organisation, Url: e.URL, EventTypes: e.Types, Description: e.Description,
		Status:       referralv1.WebhookStatus(referralv1.WebhookStatus_value["WEBHOOK_STATUS_"+string(e.Status)]),
		StatusReason: e.Why, StatusTime: stamp(e.Since), Failures: int32(min(e.Failures, 1<<30)), NotBefore: stamp(e.NotBefore),
		Waiting: int32(e.Waiting), Dead: int32(e.DeadLetters), OldSecretUntil: stamp(e.OldSecretUntil(s.use.Clock.Now())),
		CreatedBy: e.CreatedBy, CreateTime: stamp(e.Created), UpdateTime: stamp(e.Updated), Etag: e.Etag(),
	}
}

func outcomeOut(o notify.Outcome) referralv1.WebhookOutcome {
	return referralv1.WebhookOutcome(referralv1.WebhookOutcome_value["WEBHOOK_OUTCOME_"+string(o)])
}

func deliveryOut(d *notify.Delivery) *referralv1.WebhookDelivery {
	return &referralv1.WebhookDelivery{
		DeliveryId: d.ID, EndpointId: d.EndpointID, Organisation: d.Organisation, EventType: d.Type, ReferralId: d.ReferralID, Sequence: d.Sequence,
		Status:   referralv1.WebhookDeliveryStatus(referralv1.WebhookDeliveryStatus_value["WEBHOOK_DELIVERY_STATUS_"+string(d.Status)]),
		Attempts: int32(d.Attempts), LastOutcome: outcomeOut(d.LastOutcome), LastHttpStatus: int32(d.LastStatus),
		FirstSendTime: stamp(d.Ever), LastSendTime: stamp(d.Last), NextSendTime: stamp(d.Next), Replays: int32(d.Replays), CreateTime: stamp(d.Created),
	}
}

func deliveriesOut(list []*notify.Delivery) []*referralv1.WebhookDelivery {
	out := make([]*referralv1.WebhookDelivery, 0, len(list))
	for _, d := range list {
		out = append(out, deliveryOut(d))
	}
	return out
}

// secretly keeps an answer with a secret in it encrypted.
func (s *Notifications) secretly() []idempotency.Option {
	if s.use.Cipher == nil {
		return nil // refused before there is any
	}
	return []idempotency.Option{idempotency.Sealed(s.use.Cipher)}
}

// CreateWebhookEndpoint makes an endpoint.
func (s *Notifications) CreateWebhookEndpoint(ctx context.Context, req *referralv1.CreateWebhookEndpointRequest) (*referralv1.CreateWebhookEndpointResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*referralv1.CreateWebhookEndpointResponse, error) {
		e, secret, err := s.use.CreateEndpoint(ctx, notify.Decision{URL: req.GetUrl(), Types: req.GetEventTypes(), Description: req.GetDescription()})
		if err != nil {
			return nil, err
		}
		return &referralv1.CreateWebhookEndpointResponse{Endpoint: s.endpointOut(e), Secret: secret}, nil
	}, s.secretly()...)
}

// ListWebhookEndpoints lists endpoints.
func (s *Notifications) ListWebhookEndpoints(ctx context.Context, req *referralv1.ListWebhookEndpointsRequest) (*referralv1.ListWebhookEndpointsResponse, error) {
	list, next, err := s.use.ListEndpoints(ctx, req.GetOrganisation(), req.GetPageToken(), req.GetPageSize())
	if err != nil {
		return nil, err
	}
	out := &referralv1.ListWebhookEndpointsResponse{NextPageToken: next}
	for _, e := range list {
		out.Endpoints = append(out.Endpoints, s.endpointOut(e))
	}
	return out, nil
}

// GetWebhookEndpoint returns one.
func (s *Notifications) GetWebhookEndpoint(ctx context.Context, req *referralv1.GetWebhookEndpointRequest) (*referralv1.GetWebhookEndpointResponse, error) {
	e, err := s.use.GetEndpoint(ctx, req.GetEndpointId())
	if err != nil {
		return nil, err
	}
	return &referralv1.GetWebhookEndpointResponse{Endpoint: s.endpointOut(e)}, nil
}

// UpdateWebhookEndpoint replaces what its owner decides.
func (s *Notifications) UpdateWebhookEndpoint(ctx context.Context, req *referralv1.UpdateWebhookEndpointRequest) (*referralv1.UpdateWebhookEndpointResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*referralv1.UpdateWebhookEndpointResponse, error) {
		e, err := s.use.UpdateEndpoint(ctx, req.GetEndpointId(), req.GetEtag(), notify.Decision{
			URL: req.GetUrl(), Types: req.GetEventTypes(), Description: req.GetDescription(), Pause: req.GetStatus() == referralv1.WebhookStatus_WEBHOOK_STATUS_PAUSED,
		}, req.GetSkipBacklog())
		if err != nil {
			return nil, err
		}
		return &referralv1.UpdateWebhookEndpointResponse{Endpoint: s.endpointOut(e)}, nil
	})
}

// RotateWebhookSecret makes a new secret.
func (s *Notifications) RotateWebhookSecret(ctx context.Context, req *referralv1.RotateWebhookSecretRequest) (*referralv1.RotateWebhookSecretResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*referralv1.RotateWebhookSecretResponse, error) {
		e, secret, err := s.use.RotateSecret(ctx, req.GetEndpointId(), req.GetEtag(), req.OverlapHours)
		if err != nil {
			return nil, err
		}
		return &referralv1.RotateWebhookSecretResponse{Endpoint: s.endpointOut(e), Secret: secret}, nil
	}, s.secretly()...)
}

// DeleteWebhookEndpoint ends one.
func (s *Notifications) DeleteWebhookEndpoint(ctx context.Context, req *referralv1.DeleteWebhookEndpointRequest) (*referralv1.DeleteWebhookEndpointResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*referralv1.DeleteWebhookEndpointResponse, error) {
		if err := s.use.DeleteEndpoint(ctx, req.GetEndpointId(), req.GetEtag()); err != nil {
			return nil, err
		}
		return &referralv1.DeleteWebhookEndpointResponse{}, nil
	})
}

// SendTestEvent sends a test event.
func (s *Notifications) SendTestEvent(ctx context.Context, req *referralv1.SendTestEventRequest) (*referralv1.SendTestEventResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*referralv1.SendTestEventResponse, error) {
		d, err := s.use.SendTest(ctx, req.GetEndpointId())
		if err != nil {
			return nil, err
		}
		return &referralv1.SendTestEventResponse{Delivery: deliveryOut(d)}, nil
	})
}

// ListWebhookDeliveries lists messages.
func (s *Notifications) ListWebhookDeliveries(ctx context.Context, req *referralv1.ListWebhookDeliveriesRequest) (*referralv1.ListWebhookDeliveriesResponse, error) {
	q := notify.DeliveryQuery{EndpointID: req.GetEndpointId(), ReferralID: req.GetReferralId()}
	if status := req.GetStatus(); status != 0 {
		q.Status = notify.DeliveryStatus(status.String()[len("WEBHOOK_DELIVERY_STATUS_"):])
	}
	list, next, err := s.use.ListDeliveries(ctx, q, req.GetPageToken(), req.GetPageSize())
	if err != nil {
		return nil, err
	}
	return &referralv1.ListWebhookDeliveriesResponse{Deliveries: deliveriesOut(list), NextPageToken: next}, nil
}

// GetWebhookDelivery returns one message as it was sent.
func (s *Notifications) GetWebhookDelivery(ctx context.Context, req *referralv1.GetWebhookDeliveryRequest) (*referralv1.GetWebhookDeliveryResponse, error) {
	d, attempts, err := s.use.GetDelivery(ctx, req.GetDeliveryId())
	if err != nil {
		return nil, err
	}
	out := &referralv1.GetWebhookDeliveryResponse{Delivery: deliveryOut(d), Body: string(d.Body)}
	for _, a := range attempts {
		out.Attempts = append(out.Attempts, &referralv1.WebhookAttempt{
			Number: int32(a.Number), SendTime: stamp(a.Sent), Outcome: outcomeOut(a.Outcome), HttpStatus: int32(a.Status),
			DurationMillis: int64(a.Took / time.Millisecond), TraceId: a.TraceID,
		})
	}
	return out, nil
}

// ReplayWebhookDelivery sends one message again.
func (s *Notifications) ReplayWebhookDelivery(ctx context.Context, req *referralv1.ReplayWebhookDeliveryRequest) (*referralv1.ReplayWebhookDeliveryResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*referralv1.ReplayWebhookDeliveryResponse, error) {
		d, err := s.use.Replay(ctx, req.GetDeliveryId())
		if err != nil {
			return nil, err
		}
		return &referralv1.ReplayWebhookDeliveryResponse{Delivery: deliveryOut(d)}, nil
	})
}

// ReplayDeadDeliveries sends dead messages again.
func (s *Notifications) ReplayDeadDeliveries(ctx context.Context, req *referralv1.ReplayDeadDeliveriesRequest) (*referralv1.ReplayDeadDeliveriesResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*referralv1.ReplayDeadDeliveriesResponse, error) {
		n, more, err := s.use.ReplayDead(ctx, req.GetEndpointId(), instant(req.GetSince()))
		if err != nil {
			return nil, err
		}
		return &referralv1.ReplayDeadDeliveriesResponse{Replayed: int32(n), More: more}, nil
	})
}
