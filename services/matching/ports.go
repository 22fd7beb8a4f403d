package matching

import (
	"context"
	"time"

	"huhang.example/services/internal/money"
	"huhang.example/services/matching/directory"
	"huhang.example/services/matching/ranking"
)

// Store keeps the directory, match runs and offers. Every method that changes something runs in the transaction its
// context carries, or in one of its own.
type Store interface {
	// Seed adds the centers that are not there yet and leaves the others as they are.
	Seed(ctx context.Context, centers []*directory.Center, by Edit) error
	// InsertCenter adds a center. Faults: STALE_VERSION when it is there.
	InsertCenter(ctx context.Context, c *directory.Center, by Edit) error
	// Center returns one center. Faults: NOT_FOUND.
	Center(ctx context.Context, centerID string) (*directory.Center, error)
	// Centers returns at most limit centers by code, behind the cursor; empty filters take all.
	Centers(ctx context.Context, f CenterFilter, after string, limit int) ([]*directory.Center, error)
	// UpdateCenter changes a center, with its history and the jobs that follow. Faults: NOT_FOUND, STALE_VERSION; and what
	// change returns, with nothing written.
	UpdateCenter(ctx context.Context, centerID, etag string, by Edit, change func(*directory.Center) error) (*directory.Center, error)
	// CenterChanges returns at most limit changes of a center, latest first, of versions before the given one; 0 is all.
	CenterChanges(ctx context.Context, centerID string, before int64, limit int) ([]CenterChange, error)
	// Revision grows with every change of the directory or the weights.
	Revision(ctx context.Context) (int64, error)
	// AddWeights keeps a version; false when one of that name is there, which stays as it is.
	AddWeights(ctx context.Context, w *ranking.Weights) (bool, error)
	// Weights returns the versions by their first day.
	Weights(ctx context.Context) ([]*ranking.Weights, error)

	// InsertRun keeps a frozen run, sealed.
	InsertRun(ctx context.Context, r *Run) error
	// Run returns a run. Faults: NOT_FOUND.
	Run(ctx context.Context, matchRunID string) (*Run, error)
	// LastRun returns the latest run of a case for an organ, nil when there is none.
	LastRun(ctx context.Context, referralID, organ string) (*Run, error)

	// InsertOffer keeps a new offer with its events and jobs. Faults: WRONG_STATE with offer_id when the center has a live
	// offer of the case, or another center is taking the patient.
	InsertOffer(ctx context.Context, o *Offer) error
	// Offer returns an offer. Faults: NOT_FOUND.
	Offer(ctx context.Context, offerID string) (*Offer, error)
	// UpdateOffer changes an offer with its events, jobs and evidence; where change leaves neither and no difference, nothing is
	// written. Faults: NOT_FOUND, WRONG_STATE when another center is taking the patient, and what change returns.
	UpdateOffer(ctx context.Context, offerID string, change func(*Offer) error) (*Offer, error)
	// Offers returns at most limit offers, first to expire first, behind the cursor.
	Offers(ctx context.Context, f OfferFilter, after *Offer, limit int) ([]*Offer, error)
	// OpenOffersOf returns the open offers of a center's program, the oldest first, some hundreds at most.
	OpenOffersOf(ctx context.Context, centerID, organ string) ([]*Offer, error)
	// Untold returns the events of an offer that were not delivered, in order, with their numbers.
	Untold(ctx context.Context, offerID string) ([]Told, error)
	// Tell marks an event as delivered at the time.
	Tell(ctx context.Context, offerID string, number int64, at time.Time) error

	// InsertAssignment keeps a new proposal with the job that works it out.
	InsertAssignment(ctx context.Context, a *Assignment) error
	// Assignment returns a proposal. Faults: NOT_FOUND.
	Assignment(ctx context.Context, id string) (*Assignment, error)
	// UpdateAssignment changes a proposal under its lock; what change does through the store with the context it was called
	// with belongs to the same transaction only if the caller began one. Faults: NOT_FOUND, and what change returns.
	UpdateAssignment(ctx context.Context, id string, change func(*Assignment) error) error
	// FinishAssignment changes a proposal and keeps its cases.
	FinishAssignment(ctx context.Context, id string, change func(*Assignment) error, cases []AssignedCase) error
	// AssignmentPage returns a proposal and at most limit of its cases by referral id, behind one, as of one moment. Faults:
	// NOT_FOUND.
	AssignmentPage(ctx context.Context, id, after string, limit int) (*Assignment, []AssignedCase, error)
	// AssignedCase returns one. Faults: NOT_FOUND.
	AssignedCase(ctx context.Context, id, referralID string) (*AssignedCase, error)
	// EachPlaced changes every case that has a center and leaves the job that has it asked; an error of change undoes all.
	EachPlaced(ctx context.Context, id string, change func(*AssignedCase) error) error
	// SettleAssigned notes a case's outcome, and counts it if it was asked.
	SettleAssigned(ctx context.Context, id, referralID, outcome string) error
	// LiveOffers are the offers that bind a place, by center.
	LiveOffers(ctx context.Context) (map[string][]*Offer, error)

	// Atomically runs fn in one transaction, which every method called with its context joins; fn may be run again.
	Atomically(ctx context.Context, fn func(ctx context.Context) error) error
	// Opened notes when somebody of the center first read the offer, once.
	Opened(ctx context.Context, offerID, subject string, at time.Time) error
	// Proof returns what can be shown of an offer. Faults: NOT_FOUND.
	Proof(ctx context.Context, offerID string) (*Proof, error)
}

// CenterFilter narrows a list of centers.
type CenterFilter struct{ Line, Organ string }

// OfferFilter narrows a list of offers; an organisation is the center or the referrer.
type OfferFilter struct {
	Organisation string
	All          bool
	Status       Status
	ReferralID   string
}

// Told is a stored event.
type Told struct {
	Number int64
	Event  Event
}

// Peers are what matching asks of the line's other services. Each method is called with a deadline; its faults are the
// peer's, PEER_UNAVAILABLE among them.
type Peers interface {
	// Profile reads the patient without identity. Faults: NOT_FOUND.
	Profile(ctx context.Context, patientID, organ string) (*Profile, error)
	// Travel returns door-to-door minutes by city; a city without a way is there with -1.
	Travel(ctx context.Context, from string, to []string, fitness Fitness) (map[string]int32, error)
	// FreeBeds returns the beds free for the whole interval by center.
	FreeBeds(ctx context.Context, centers []string, from, to time.Time) (map[string]int32, error)
	// Bills returns what is estimated for the treatment provinces; one without an estimate is there without an amount.
	Bills(ctx context.Context, patientID, organ string, c Coverage, provinces []string) (map[string]Bill, error)
	// Hold holds units, all or none. Equal request ids give the same hold. Faults: RESOURCE_TAKEN.
	Hold(ctx context.Context, requestID string, ask HoldAsk) (holdID string, err error)
	// Release frees a hold; freeing what is free changes nothing.
	Release(ctx context.Context, requestID, holdID, reason string) error
	// Tell tells the case of an event, once per request id.
	Tell(ctx context.Context, requestID string, e Event) error
	// Waiting returns a page of the cases that nobody is asked for, and the token of the next.
	Waiting(ctx context.Context, organ, token string, size int32) ([]Waiting, string, error)
	// Assign has a waiting case ask a center. Faults: WRONG_STATE, STALE_VERSION, NOT_FOUND.
	Assign(ctx context.Context, requestID string, ask AssignAsk) error
}

// Profile is a patient as matching sees it.
type Profile struct {
	ResidenceCity   string
	Coverage        Coverage
	Fitness         Fitness
	Patient         ranking.Patient
	ClinicalVersion int32
	Consented       bool // to REFERRAL
}

// Coverage is the insurance as declared (参保信息).
type Coverage struct {
	Province, PoolingArea, Scheme string
	Retired, CivilServant         bool
	Groups                        []string
}

// Fitness is the patient's state for the way.
type Fitness struct {
	Oxygen, Infusion, Ventilated, ECMO, Vasoactive, Stretcher, ReducedConsciousness bool
}

// Bill is an estimate at one province; SelfPay is nil when there is none.
type Bill struct {
	Direct  bool
	SelfPay *money.Fen
}

// HoldAsk is what an acceptance needs: a bed and an operating room of the center.
type HoldAsk struct {
	ReferralID, CenterID               string
	BedFrom, BedTo, TheatreFrom, Until time.Time
	Expires                            time.Time
}

// AssignAsk is one case of a confirmed proposal.
type AssignAsk struct {
	AssignmentID, ReferralID, MatchRunID, CenterID string
	By                                             Actor
}
