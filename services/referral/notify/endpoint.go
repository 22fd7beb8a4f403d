package notify

import (
	"slices"
	"strconv"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
)

// Status says whether an endpoint is sent to.
type Status string

// The statuses. Deleted is final and seen by nobody.
const (
	Active   Status = "ACTIVE"
	Paused   Status = "PAUSED"
	Disabled Status = "DISABLED"
	Deleted  Status = "DELETED"
)

// Why an endpoint is not active.
const (
	byOwner = "PAUSED"
	failing = "FAILING"
	gone    = "GONE"
)

// MaxEndpoints is how many endpoints an organisation may have.
const MaxEndpoints = 10

// Endpoint is where a facility's system is told (订阅端点).
type Endpoint struct {
	ID           string `json:"-"`
	Organisation string `json:"-"`
	Status       Status `json:"-"`
	Version      int64  `json:"-"`
	// Cursor is the feed's position up to which messages were made.
	Cursor int64 `json:"-"`
	// NotBefore is when it may be sent to again; zero: now.
	NotBefore time.Time `json:"-"`
	// Failures in a row, and since when there was no success.
	Failures     int       `json:"failures,omitempty"`
	FailingSince time.Time `json:"failing_since,omitzero"`

	URL         string    `json:"url"`
	Types       []string  `json:"types,omitempty"`
	Description string    `json:"description,omitempty"`
	Why         string    `json:"why,omitempty"`
	Since       time.Time `json:"since"`
	// Secrets are sealed, the present one first.
	Secrets   []Secret  `json:"secrets"`
	CreatedBy string    `json:"created_by"`
	Created   time.Time `json:"created"`
	Updated   time.Time `json:"updated"`

	// Waiting and Dead count its messages, up to a bound; set when it is read to be shown.
	Waiting, DeadLetters int `json:"-"`
}

// Etag is the version of what its owner decides.
func (e *Endpoint) Etag() string { return strconv.FormatInt(e.Version, 10) }

// VisibleTo reports whether the caller may see it.
func (e *Endpoint) VisibleTo(who access.Caller) bool {
	return e.Status != Deleted && (who.Has(access.Operations) || who.Organisation != "" && who.Organisation == e.Organisation)
}

// Wants reports whether it wants a type.
func (e *Endpoint) Wants(eventType string) bool {
	return len(e.Types) == 0 || slices.Contains(e.Types, eventType)
}

// SentTo reports whether it may be sent to at a time.
func (e *Endpoint) SentTo(at time.Time) bool { return e.Status == Active && !at.Before(e.NotBefore) }

// Width is how many messages it gets at once: one while it fails.
func (e *Endpoint) Width(r Rules) int {
	if e.Failures > 0 {
		return 1
	}
	return r.Parallel
}

// Answered takes an attempt's outcome into account: a success ends a row of failures; enough failures leave the endpoint
// alone for a while; 410 disables it at once, failing for long in the end.
func (e *Endpoint) Answered(r Rules, a Answer, at time.Time) {
	if a.Outcome == Delivered {
		e.Failures, e.FailingSince, e.NotBefore = 0, time.Time{}, time.Time{}
		return
	}
	e.Failures++
	if e.FailingSince.IsZero() {
		e.FailingSince = at
	}
	wait := r.cool(e.Failures)
	if a.Status == 429 || a.Status == 503 {
		wait = max(wait, min(a.RetryAfter, time.Duration(r.RetryAfterMostHours)*time.Hour))
	}
	if next := at.Add(wait); wait > 0 && next.After(e.NotBefore) {
		e.NotBefore = next
	}
	switch {
	case e.Status != Active:
	case a.Outcome == Gone:
		e.stand(Disabled, gone, at)
	case e.Failures >= r.CoolAfterFailures && at.Sub(e.FailingSince) >= time.Duration(r.DisableAfterHours)*time.Hour:
		e.stand(Disabled, failing, at)
	}
}

func (e *Endpoint) stand(s Status, why string, at time.Time) {
	e.Status, e.Why, e.Since, e.Updated = s, why, at, at
	e.Version++
}

// Decision is what an owner decides.
type Decision struct {
	URL         string
	Types       []string
	Description string
	Pause       bool
}

// Decide applies its owner's decision. An active one starts anew, without the failures of before.
func (e *Endpoint) Decide(d Decision, at time.Time) {
	e.URL, e.Types, e.Description, e.Updated = d.URL, d.Types, d.Description, at
	to, why := Active, ""
	if d.Pause {
		to, why = Paused, byOwner
	}
	if e.Status != to {
		e.Since = at
	}
	e.Status, e.Why = to, why
	e.Failures, e.FailingSince, e.NotBefore = 0, time.Time{}, time.Time{}
}

// Rotate makes a secret the present one; that of before signs besides until the overlap ends.
func (e *Endpoint) Rotate(s Secret, overlap time.Duration, at time.Time) {
	secrets := []Secret{s}
	if overlap > 0 {
		old := e.Secrets[0]
		old.Until = at.Add(overlap)
		secrets = append(secrets, old)
	}
	e.Secrets, e.Updated = secrets, at
}

// OldSecretUntil is when the secret of before stops signing; zero where none does.
func (e *Endpoint) OldSecretUntil(at time.Time) time.Time {
	if len(e.Secrets) > 1 && at.Before(e.Secrets[1].Until) {
		return e.Secrets[1].Until
	}
	return time.Time{}
}

func wrongStatus(en, zh, status string) error {
	return fault.New(fault.FailedPrecondition, fault.WrongState, "", en, zh).With("state", status)
}

func limit(en, zh string) error {
	return fault.New(fault.FailedPrecondition, fault.WebhookLimit, "", en, zh)
}
