package matching

import (
	"context"
	"fmt"
	"slices"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
)

const (
	// callTime bounds one call to a peer; lease is longer, so that of one attempt two calls never run side by side.
	callTime  = 5 * time.Second
	lease     = 10 * time.Second
	bedTime   = 21 * 24 * time.Hour
	oneDay    = 24 * time.Hour
	holdTime  = 3 * oneDay
	aheadMost = 180 * oneDay
)

// Wish is a center's wish to take the patient.
type Wish struct {
	RequestID  string
	Etag       string
	Admission  time.Time
	Conditions []Asked
}

// Asked is a condition as the center asks for it; without a day it is due at the admission.
type Asked struct {
	Text string
	Due  time.Time
}

// BeginAccept commits the intent: OPEN becomes ACCEPTING, with the job that finishes it. A repetition of the same wish
// goes on where the first one was left. Faults: NOT_FOUND, TIME_INVALID, NOT_LICENSED, OFFER_EXPIRED, OFFER_DECIDED,
// WRONG_STATE while another wish is under way or another center takes the patient, STALE_VERSION, REQUEST_ID_REUSED,
// PEER_UNAVAILABLE while the same wish is being worked on.
func (s *Service) BeginAccept(ctx context.Context, offerID string, w Wish) (*Offer, error) {
	caller := access.From(ctx)
	o, err := s.store.Offer(ctx, offerID)
	if err != nil {
		return nil, err
	}
	if err := mine(caller, o); err != nil {
		return nil, err
	}
	center, err := s.store.Center(ctx, o.CenterID)
	if err != nil {
		return nil, err
	}
	at := s.clock.Now()
	return s.store.UpdateOffer(ctx, offerID, func(o *Offer) error {
		if a := o.Acceptance; a != nil && a.RequestID == w.RequestID && o.Status != Open {
			return resume(o, w, at)
		}
		if err := o.answerable(at); err != nil {
			return err
		}
		if w.Etag != o.Etag() {
			return fault.Stale(o.Etag())
		}
		if err := admissible(w.Admission, at); err != nil {
			return err
		}
		if !center.Program(o.Organ).Takes(at) {
			return notLicensed()
		}
		wanted, err := conditions(w, at)
		if err != nil {
			return err
		}
		o.Attempts++
		o.Status = Accepting
		o.Acceptance = &Acceptance{
			RequestID: w.RequestID, Attempt: o.Attempts, Organisation: caller.Organisation, Subject: caller.Subject,
			Admission: w.Admission, Conditions: texts(wanted), Wanted: wanted, BegunAt: at, LeaseUntil: at.Add(lease),
		}
		o.job(JobComplete, at.Add(lease))
		return nil
	})
}

// resume takes the attempt up again for the same wish. What was decided meanwhile stays as it is.
func resume(o *Offer, w Wish, at time.Time) error {
	a := o.Acceptance
	if !a.Admission.Equal(w.Admission) || !a.asks(w) {
		return fault.New(fault.InvalidArgument, fault.RequestIDReused, "request_id",
			"This request id was used for a request with other contents.", "该请求标识已用于内容不同的请求。")
	}
	if o.Status != Accepting {
		return nil
	}
	if at.Before(a.LeaseUntil) {
		return UnderWay(nil)
	}
	a.LeaseUntil = at.Add(lease)
	return nil
}

// asks reports whether the wish has the attempt's conditions.
func (a *Acceptance) asks(w Wish) bool {
	return slices.EqualFunc(a.Wanted, w.Conditions, func(c Condition, asked Asked) bool {
		return c.Text == asked.Text && (c.Due.Equal(asked.Due) || asked.Due.IsZero() && c.Due.Equal(w.Admission))
	})
}

func texts(conditions []Condition) []string {
	var out []string
	for _, c := range conditions {
		out = append(out, c.Text)
	}
	return out
}

// UnderWay is the answer while it is not known whether the units are held; a job finishes the attempt in any case.
func UnderWay(cause error) *fault.Fault {
	return fault.New(fault.Unavailable, fault.PeerUnavailable, "",
		"The acceptance is being worked on: bed and operating room are asked for.", "正在办理接受：已申请床位和手术室，尚无结果。").
		With("status", string(Accepting)).Cause(cause)
}

func admissible(admission, at time.Time) error {
	switch {
	case admission.Before(at):
		return fault.New(fault.InvalidArgument, fault.TimeInvalid, "admission_time", "The admission lies in the past.", "入院时间已过。")
	case admission.After(at.Add(aheadMost)):
		return fault.New(fault.InvalidArgument, fault.TimeInvalid, "admission_time",
			"The admission lies more than 180 days ahead.", "入院时间超过180天。")
	}
	return nil
}

// Held is the outcome of asking for an attempt's units.
type Held struct {
	HoldID string
	// Refused is the lasting refusal: nothing is held.
	Refused error
}

// Hold asks for the units of the attempt. An error means that it is not known whether they are held.
func (s *Service) Hold(ctx context.Context, o *Offer) (Held, error) {
	a := o.Acceptance
	if a.Settled {
		return Held{HoldID: o.HoldID}, nil
	}
	ctx, cancel := context.WithTimeout(about(ctx, o.ReferralID), callTime)
	defer cancel()
	// Everything follows from the attempt: the same request id always comes with the same payload.
	holdID, err := s.peers.Hold(ctx, fmt.Sprintf("hold-%s-%d", o.ID, a.Attempt), HoldAsk{
		ReferralID: o.ReferralID, CenterID: o.CenterID, BedFrom: a.Admission, BedTo: a.Admission.Add(bedTime),
		TheatreFrom: a.Admission.Add(oneDay), Until: a.Admission.Add(2 * oneDay), Expires: a.BegunAt.Add(holdTime),
	})
	switch {
	case err == nil:
		return Held{HoldID: holdID}, nil
	case lasting(err):
		return Held{Refused: err}, nil
	}
	return Held{}, err
}

// FinishAccept decides the attempt by its outcome: ACCEPTED with its hold, or OPEN again. What was held for an offer that
// no longer waits for it is released.
func (s *Service) FinishAccept(ctx context.Context, offerID string, attempt int, h Held) (*Offer, error) {
	at := s.clock.Now()
	var out *Offer
	err := s.store.Atomically(ctx, func(ctx context.Context) error {
		o, err := s.settle(ctx, offerID, attempt, h, at)
		if err != nil {
			return err
		}
		out = o
		if o.Status != Accepted || o.DecidedAt != at {
			return nil
		}
		return s.withdrawOthers(ctx, o, at)
	})
	return out, err
}

func (s *Service) settle(ctx context.Context, offerID string, attempt int, h Held, at time.Time) (*Offer, error) {
	return s.store.UpdateOffer(ctx, offerID, func(o *Offer) error {
		a := o.Acceptance
		if a == nil || a.Attempt != attempt || a.Settled {
			return nil // another actor of the same attempt settled it, with the same hold
		}
		a.Settled = true
		switch {
		case o.Status == Withdrawn:
			if h.HoldID != "" {
				o.release(h.HoldID)
			}
		case h.HoldID != "":
			o.HoldID, o.Conditions = h.HoldID, a.Wanted
			o.decide(Accepted, at, access.Caller{Organisation: a.Organisation, Subject: a.Subject})
			for _, c := range o.Conditions {
				o.job(JobLapse, c.Due)
			}
			o.tell("ACCEPTED", at, a.Organisation, a.Subject)
		default:
			o.Status = Open
			o.job(JobExpire, o.ExpiresAt)
		}
		return nil
	})
}

// Accepted tells the caller of an attempt how it ended: nil when the patient has the place.
func (o *Offer) Accepted(h Held) error {
	switch f, ok := fault.As(h.Refused); {
	case o.Status == Accepted && o.HoldID != "":
		return nil
	case ok && o.Status == Open:
		return f.With("current_etag", o.Etag())
	case h.Refused != nil:
		return h.Refused
	}
	return o.decidedAlready()
}

// Complete is the job that finishes an attempt whose actor did not.
func (s *Service) Complete(ctx context.Context, j Job) error {
	at := s.clock.Now()
	mineNow, wait := false, time.Duration(0)
	o, err := s.store.UpdateOffer(ctx, j.OfferID, func(o *Offer) error {
		mineNow, wait = false, 0
		a := o.Acceptance
		switch {
		case a == nil || a.Settled:
			return nil
		case at.Before(a.LeaseUntil):
			wait = a.LeaseUntil.Sub(at)
			return nil
		}
		mineNow = true
		a.LeaseUntil = at.Add(lease)
		return nil
	})
	if err != nil {
		return err
	}
	if wait > 0 {
		return Later{wait}
	}
	if !mineNow {
		return nil
	}
	held, err := s.Hold(ctx, o)
	if err != nil {
		return err
	}
	_, err = s.FinishAccept(ctx, o.ID, o.Acceptance.Attempt, held)
	return err
}

// lasting reports whether a peer will give the same answer however often it is asked; then nothing was done there.
func lasting(err error) bool {
	f, ok := fault.As(err)
	if !ok {
		return false
	}
	switch f.Code {
	case fault.InvalidArgument, fault.FailedPrecondition, fault.NotFound, fault.AlreadyExists, fault.OutOfRange, fault.PermissionDenied:
		return true
	}
	return f.Reason == fault.ResourceTaken
}

// ended takes a lasting refusal to undo something for "it is gone already".
func ended(err error) error {
	if lasting(err) {
		return nil
	}
	return err
}

func notLicensed() *fault.Fault {
	return fault.New(fault.FailedPrecondition, fault.NotLicensed, "center_id",
		"The center has no licence for this organ today, or its program is closed.", "该中心今日不具备此器官的移植资质，或项目未开放。")
}
