package notify

import (
	"context"
	"time"

	"huhang.example/services/referral"
)

// Feed is the case's event feed; referral.Store is one.
type Feed interface {
	Feed(ctx context.Context, s referral.Scope, after, upTo int64, limit int) ([]referral.Event, error)
	Head(ctx context.Context) (int64, error)
}

// Cases answers the caller's question for a case; referral.Service does.
type Cases interface {
	// GetReferral returns a case the caller may see; fault NOT_FOUND.
	GetReferral(ctx context.Context, referralID string) (*referral.Referral, error)
}

// Message is one try: what is sent where.
type Message struct {
	URL, ID   string
	Body      []byte
	Sent      time.Time
	Signature string
	// TraceParent is the trace of the event.
	TraceParent, ReferralID string
}

// Post sends a message and says how it ended. Its error is the context's alone: then nothing is known.
type Post interface {
	Send(ctx context.Context, m Message) (Answer, error)
}

// Store keeps endpoints, messages and notices. Every method joins the transaction its context carries.
type Store interface {
	// CreateEndpoint stores a new one, unless its organisation has as many as it may: fault WEBHOOK_LIMIT.
	CreateEndpoint(ctx context.Context, e *Endpoint) error
	// Endpoint returns one, with its counts; fault NOT_FOUND, also for a deleted one.
	Endpoint(ctx context.Context, id string) (*Endpoint, error)
	// UpdateEndpoint locks one, runs change and stores it. Fault NOT_FOUND, and whatever change returns.
	UpdateEndpoint(ctx context.Context, id string, change func(e *Endpoint) error) (*Endpoint, error)
	// Endpoints returns those of an organisation, or all where it is empty, after the cursor.
	Endpoints(ctx context.Context, organisation, cursor string, limit int) ([]*Endpoint, string, error)
	// Drop removes the messages that wait for an endpoint.
	Drop(ctx context.Context, endpointID string) error

	// Add stores messages of the feed and moves the endpoint's cursor from one position to another; where the cursor stands
	// elsewhere, somebody else was there first: then it does nothing and returns false.
	Add(ctx context.Context, endpointID string, from, to int64, messages []*Delivery) (bool, error)
	// AddOne stores a message that follows from no event.
	AddOne(ctx context.Context, d *Delivery) error
	// Ready returns messages that may be sent now: due, and none of their case ahead of them.
	Ready(ctx context.Context, endpointID string, now time.Time, limit int) ([]*Delivery, error)
	// Record stores an attempt, what follows for its message, and for its endpoint by answered. A message that does not
	// wait any more, or was tried by somebody else since it was read, is left alone.
	Record(ctx context.Context, read *Delivery, tried func(d *Delivery) Attempt, answered func(e *Endpoint)) error
	// Waiting counts the messages that wait for an endpoint, up to a bound.
	Waiting(ctx context.Context, endpointID string, most int) (int, error)
	// Delivery returns a message with body and attempts; fault NOT_FOUND.
	Delivery(ctx context.Context, id string) (*Delivery, []Attempt, error)
	// UpdateDelivery locks one, runs change and stores it.
	UpdateDelivery(ctx context.Context, id string, change func(d *Delivery) error) (*Delivery, error)
	// Deliveries returns messages, the newest first, before the cursor.
	Deliveries(ctx context.Context, q DeliveryQuery, cursor string, limit int) ([]*Delivery, string, error)
	// DeadSince returns the ids of dead messages of an endpoint put in the queue since a time, the oldest first.
	DeadSince(ctx context.Context, endpointID string, since time.Time, limit int) ([]string, error)
	// Lanes returns the endpoints that have something to do: those with messages due, or behind the head of the feed.
	Lanes(ctx context.Context, head int64, now time.Time, limit int) ([]Lane, error)
	// Wake enqueues the job of a lane, unless it waits or runs.
	Wake(ctx context.Context, lanes []Lane) error

	// Told is the position up to which notices were made.
	Told(ctx context.Context) (int64, error)
	// Tell stores notices and moves that position on, in the manner of Add. One for later becomes a job.
	Tell(ctx context.Context, from, to int64, notices []*Notice) (bool, error)
	// TellOne stores a notice unless it is there.
	TellOne(ctx context.Context, n *Notice) error
	// Notices returns a box's notices, the newest first, before the cursor.
	Notices(ctx context.Context, q NoticeQuery, cursor string, limit int) ([]*Notice, string, error)
	// Unread counts what is not opened in a box, up to a bound.
	Unread(ctx context.Context, box string, most int) (int, error)
	// Open marks a notice of a box as opened unless it is, and returns it; fault NOT_FOUND.
	Open(ctx context.Context, box, id, by string, at time.Time) (*Notice, error)
	// OfCase returns the newest notices of a case, the newest first.
	OfCase(ctx context.Context, referralID string, limit int) ([]*Notice, error)

	// Purge removes messages delivered before one time and notices made before another, at most so many of each; more says
	// that some are left.
	Purge(ctx context.Context, delivered, noticed time.Time, most int) (more bool, err error)

	// Standing is what operators watch.
	Standing(ctx context.Context) (Standing, error)
}

// Lane is an endpoint with something to do.
type Lane struct {
	EndpointID string
	// Slow says that it fails: its lane runs in the queue of those.
	Slow bool
}

// DeliveryQuery narrows a list of messages; empty fields do not.
type DeliveryQuery struct {
	Organisation, EndpointID, ReferralID string
	Status                               DeliveryStatus
}

// NoticeQuery narrows an inbox.
type NoticeQuery struct {
	Box, ReferralID string
	Unread          bool
}

// Standing is what operators watch.
type Standing struct {
	Pending, Dead int64
	// Oldest is when the oldest message that waits was put in the queue; zero where none waits.
	Oldest time.Time
	// Endpoints counts those that are not deleted by status.
	Endpoints map[Status]int64
}
