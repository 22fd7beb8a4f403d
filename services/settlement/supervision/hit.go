package supervision

import (
	"strconv"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
)

// Side is the part a province plays in a bill.
type Side string

// The sides.
const (
	InsuredSide   Side = "INSURED"
	TreatmentSide Side = "TREATMENT"
)

// State is what became of a finding.
type State string

// The states.
const (
	Open      State = "OPEN"
	Confirmed State = "CONFIRMED"
	Dismissed State = "DISMISSED"
)

// Hit is a finding as an agency's worklist keeps it (疑点).
type Hit struct {
	ID        string `json:"-"`
	Province  string `json:"-"`
	Side      Side   `json:"-"`
	Rule      Rule   `json:"-"`
	ClaimID   string `json:"-"`
	PatientID string `json:"-"`
	Cause     string `json:"-"`
	// Holds is whether a settlement waited for it.
	Holds        bool       `json:"-"`
	State        State      `json:"-"`
	Version      int64      `json:"-"`
	RulesVersion string     `json:"rules_version"`
	RulesDigest  string     `json:"rules_digest"`
	Related      string     `json:"related,omitempty"`
	Period       string     `json:"period,omitempty"`
	Evidence     []Evidence `json:"evidence"`
	Due          time.Time  `json:"due,omitzero"`
	Created      time.Time  `json:"created"`
	DecidedBy    string     `json:"decided_by,omitempty"`
	Decided      time.Time  `json:"decided,omitzero"`
	Comment      string     `json:"comment,omitempty"`
}

// Etag returns the version for the decision.
func (h *Hit) Etag() string { return strconv.FormatInt(h.Version, 10) }

// VisibleTo reports whether the caller may see it: its own province's agency, and operations.
func (h *Hit) VisibleTo(who access.Caller) bool {
	return who.Has(access.Operations) || who.Has(access.Agency) && who.Province == h.Province
}

// stands is what stands against the settlement: nothing once it is dismissed.
func (h *Hit) stands() error {
	switch {
	case !h.Holds || h.State == Dismissed:
		return nil
	case h.State == Confirmed:
		return fault.New(fault.FailedPrecondition, fault.SupervisionConfirmed, "",
			"The agency confirmed a finding about this claim; it is not settled directly.", "经办机构已确认该费用单存在问题，不予直接结算。").
			With("hit_id", h.ID).With("province", h.Province).With("rule", string(h.Rule))
	}
	return fault.New(fault.FailedPrecondition, fault.SupervisionHeld, "",
		"Supervision holds the settlement until the agency of the province has looked at it.", "智能监管已暂缓结算，待经办机构核查后解除。").
		With("hit_id", h.ID).With("province", h.Province).With("rule", string(h.Rule))
}

// decide closes an open finding, once.
func (h *Hit) decide(to State, by, comment string, at time.Time) error {
	if h.State != Open {
		return fault.New(fault.FailedPrecondition, fault.WrongState, "",
			"The finding was decided already.", "该疑点已处理。").With("state", string(h.State))
	}
	h.State, h.DecidedBy, h.Comment, h.Decided = to, by, comment, at
	return nil
}
