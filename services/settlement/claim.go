package settlement

import (
	"strconv"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
)

// ClaimStatus is the life of a claim.
type ClaimStatus string

// The states.
const (
	Open       ClaimStatus = "OPEN"       // admitted; fee lines arrive
	Discharged ClaimStatus = "DISCHARGED" // no more lines
	Settling   ClaimStatus = "SETTLING"   // sent, the answer not yet known
	Settled    ClaimStatus = "SETTLED"
	Reversing  ClaimStatus = "REVERSING" // a reversal is under way
	Manual     ClaimStatus = "MANUAL"    // direct settlement is not possible
	Cancelled  ClaimStatus = "CANCELLED" // the admission was taken back
)

// ClaimKind is what a claim is the bill of.
type ClaimKind string

// The kinds.
const (
	Inpatient  ClaimKind = "INPATIENT"  // 住院
	Outpatient ClaimKind = "OUTPATIENT" // 门诊慢特病, such as anti-rejection drugs: no admission, no discharge
)

// Claim is the bill of one stay or one outpatient visit at one center (住院、门诊慢特病结算).
type Claim struct {
	ID              string      `json:"-"`
	ReferralID      string      `json:"-"`
	PatientID       string      `json:"-"`
	CenterID        string      `json:"-"`
	Referrer        string      `json:"-"`
	Province        string      `json:"-"`
	InsuredProvince string      `json:"-"`
	Status          ClaimStatus `json:"-"`
	Kind            ClaimKind   `json:"-"`
	TreatmentCity   string      `json:"treatment_city"`
	Organ           string      `json:"organ"`
	// AdmissionDate and DischargeDate of an outpatient are both the day of the visit.
	AdmissionDate string `json:"admission_date"`
	DischargeDate string `json:"discharge_date,omitempty"`
	// Emergency is deemed filed.
	Emergency bool      `json:"emergency,omitempty"`
	Total     money.Fen `json:"total"`
	LineCount int32     `json:"line_count"`
	// SettlementID is the settlement that stands; LastSettlementID the last one made, also when it was reversed.
	SettlementID     string `json:"settlement_id,omitempty"`
	LastSettlementID string `json:"last_settlement_id,omitempty"`
	ManualReason     string `json:"manual_reason,omitempty"`
	// MessageID and Input are the settlement as it was sent: asking again sends the same.
	MessageID string      `json:"message_id,omitempty"`
	Input     *SplitInput `json:"input,omitempty"`
	// ReversalID and ReversalReason are the reversal as it was sent.
	ReversalID     string    `json:"reversal_id,omitempty"`
	ReversalReason string    `json:"reversal_reason,omitempty"`
	ReversalDay    string    `json:"reversal_day,omitempty"`
	UnderWay       *UnderWay `json:"under_way,omitempty"`
	// Accepted is that the insured province's agency took it as a manual claim.
	Accepted *Acceptance `json:"accepted,omitempty"`
	// Facts are for supervision.
	Facts   StayFacts `json:"facts,omitzero"`
	Actor   Actor     `json:"actor"`
	Created time.Time `json:"created"`
	Version int64     `json:"-"`
}

// StayFacts is what a center records of a stay for supervision.
type StayFacts struct {
	// Diagnosis is the principal one, ICD-10; Planned a planned follow-up of the case's transplantation.
	Diagnosis string `json:"diagnosis,omitempty"`
	Planned   bool   `json:"planned,omitempty"`
	// Identity is the keyed hash of the number read from the card.
	Identity string `json:"identity,omitempty"`
}

// Actor is who is behind a step, for the case's timeline.
type Actor struct {
	Organisation string `json:"organisation,omitempty"`
	Subject      string `json:"subject,omitempty"`
}

func actorOf(who access.Caller) Actor {
	return Actor{Organisation: who.Organisation, Subject: who.Subject}
}

// Etag returns the version for the next update.
func (c *Claim) Etag() string { return strconv.FormatInt(c.Version, 10) }

// VisibleTo reports whether the caller may see the claim: the center, the referrer, operations, both agencies.
func (c *Claim) VisibleTo(who access.Caller) bool {
	if who.MaySee(c.CenterID, c.Referrer) {
		return true
	}
	return who.Has(access.Agency) && who.Province != "" && (who.Province == c.Province || who.Province == c.InsuredProvince)
}

// ready reports whether the claim can be settled: an outpatient's needs no discharge.
func (c *Claim) ready() bool {
	return c.Status == Discharged || c.Status == Open && c.Kind == Outpatient
}

// asked is the kind as a message carries it.
func (c *Claim) asked() ClaimKind {
	if c.Kind == Outpatient {
		return Outpatient
	}
	return ""
}

// unsettled is the state a claim has before it is settled, and again after a reversal.
func (c *Claim) unsettled() ClaimStatus {
	if c.Kind == Outpatient {
		return Open
	}
	return Discharged
}

// in refuses a step that the present state does not allow.
func (c *Claim) in(states ...ClaimStatus) error {
	for _, s := range states {
		if c.Status == s {
			return nil
		}
	}
	if c.Status == Settled {
		return fault.New(fault.FailedPrecondition, fault.AlreadySettled, "",
			"The claim was settled already.", "该费用单已结算。").With("settlement_id", c.SettlementID).With("state", string(c.Status))
	}
	return wrongState(string(c.Status))
}

func wrongState(state string) *fault.Fault {
	return fault.New(fault.FailedPrecondition, fault.WrongState, "",
		"The record's state does not allow this step.", "该记录当前状态不允许此步骤。").With("state", state)
}

func (c *Claim) seen(etag string) error {
	if etag != c.Etag() {
		return fault.Stale(c.Etag())
	}
	return nil
}

// provinceOf returns the province inside a record's id, such as "310000" in "clm_310000_...".
func provinceOf(id string) string {
	if len(id) < 10 {
		return ""
	}
	return id[4:10]
}
