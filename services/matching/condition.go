package matching

import (
	"context"
	"fmt"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
)

// Condition is what an acceptance still waits for (接收条件): information due by a day.
type Condition struct {
	Number int32     `json:"number"`
	Text   string    `json:"text"`
	Due    time.Time `json:"due_time"`
	// Status is DUE, FULFILLED or LAPSED.
	Status    string    `json:"status"`
	SettledAt time.Time `json:"settled_time,omitzero"`
	SettledBy string    `json:"settled_by,omitempty"`
}

// The statuses of a condition. What lapsed can still be fulfilled: information that comes late is not refused.
const (
	Due       = "DUE"
	Fulfilled = "FULFILLED"
	Lapsed    = "LAPSED"
)

// dueAtLeast before the admission is when a condition is due that names no day.
const mostConditions = 10

// conditions numbers what the center asks for; without a day it is due when the patient is admitted.
func conditions(w Wish, at time.Time) ([]Condition, error) {
	if len(w.Conditions) > mostConditions {
		return nil, fault.New(fault.InvalidArgument, fault.FieldInvalid, "conditions", "At most ten conditions.", "最多十项条件。")
	}
	var out []Condition
	for i, c := range w.Conditions {
		if c.Due.IsZero() {
			c.Due = w.Admission
		}
		if c.Due.Before(at) || c.Due.After(w.Admission) {
			return nil, fault.New(fault.InvalidArgument, fault.TimeInvalid, fmt.Sprintf("conditional[%d].due_time", i),
				"A condition is due after now and no later than the admission.", "条件期限须晚于当前时间且不晚于入院时间。")
		}
		out = append(out, Condition{Number: int32(i + 1), Text: c.Text, Due: c.Due, Status: Due})
	}
	return out, nil
}

// FulfilCondition records that what an acceptance waited for has come. Faults: NOT_FOUND, STALE_VERSION, WRONG_STATE unless
// the offer is accepted, CODE_UNKNOWN for a number there is not. Again, it changes nothing.
func (s *Service) FulfilCondition(ctx context.Context, offerID, etag string, number int32) (*Offer, error) {
	caller, at := access.From(ctx), s.clock.Now()
	return s.store.UpdateOffer(ctx, offerID, func(o *Offer) error {
		if err := mine(caller, o); err != nil {
			return err
		}
		if o.Status != Accepted {
			return fault.New(fault.FailedPrecondition, fault.WrongState, "", "The offer is not accepted.", "该邀约未处于已接受状态。").
				With("state", string(o.Status))
		}
		if etag != o.Etag() {
			return fault.Stale(o.Etag())
		}
		for i := range o.Conditions {
			if c := &o.Conditions[i]; c.Number == number {
				if c.Status != Fulfilled {
					c.Status, c.SettledAt, c.SettledBy = Fulfilled, at, caller.Subject
					o.tellCondition("CONDITION_FULFILLED", number, at, caller.Organisation, caller.Subject)
				}
				return nil
			}
		}
		return fault.New(fault.InvalidArgument, fault.CodeUnknown, "number", "The acceptance has no such condition.", "该接受没有此项条件。")
	})
}

// Lapse is the job that looks at an acceptance's conditions when one of them is due.
func (s *Service) Lapse(ctx context.Context, j Job) error {
	at := s.clock.Now()
	_, err := s.store.UpdateOffer(ctx, j.OfferID, func(o *Offer) error {
		if o.Status != Accepted {
			return nil
		}
		for i := range o.Conditions {
			if c := &o.Conditions[i]; c.Status == Due && !at.Before(c.Due) {
				c.Status, c.SettledAt = Lapsed, at
				o.tellCondition("CONDITION_LAPSED", c.Number, c.Due, "", "")
			}
		}
		return nil
	})
	return err
}
