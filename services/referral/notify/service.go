package notify

import (
	"context"
	"io"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/id"
)

// Config of the use cases.
type Config struct {
	// Source is the CloudEvents source of this line.
	Source    string
	Rules     Rules
	Table     Table
	Addresses Addresses
	// Cipher seals secrets; nil: there are no webhooks, only the inbox.
	Cipher Cipher
	// Random is where secrets come from.
	Random io.Reader
	// Attempted is told of every attempt, for figures; nil: nobody is.
	Attempted func(ctx context.Context, o Outcome)
}

// Parts are what the service works with.
type Parts struct {
	Store Store
	Feed  Feed
	Cases Cases
	Post  Post
	Clock clock.Clock
	IDs   id.Source
}

// Service is the use cases of notices and webhooks.
type Service struct {
	Parts
	Config
}

// New returns the service.
func New(parts Parts, config Config) *Service {
	if config.Attempted == nil {
		config.Attempted = func(context.Context, Outcome) {}
	}
	return &Service{parts, config}
}

// on refuses what needs a key where the operator configured none.
func (s *Service) on() error {
	if s.Cipher == nil {
		return fault.New(fault.FailedPrecondition, fault.WebhooksOff, "",
			"The operator has not configured webhooks.", "运维尚未配置 Webhook。")
	}
	return nil
}

// mine returns an endpoint the caller may see.
func (s *Service) mine(ctx context.Context, endpointID string) (*Endpoint, error) {
	e, err := s.Store.Endpoint(ctx, endpointID)
	if err != nil {
		return nil, err
	}
	if !e.VisibleTo(access.From(ctx)) {
		return nil, access.NotVisible("webhook endpoint", endpointID)
	}
	return e, nil
}
