package fhir

import "encoding/json"

// The parts of FHIR R4 that the line speaks, in the order the standard lists their elements.

// Bundle is a collection of resources.
type Bundle struct {
	ResourceType string      `json:"resourceType"`
	Identifier   *Identifier `json:"identifier,omitempty"`
	Type         string      `json:"type"`
	Timestamp    string      `json:"timestamp,omitempty"`
	Entry        []Entry     `json:"entry,omitempty"`
}

// Entry is one resource of a Bundle.
type Entry struct {
	FullURL  string `json:"fullUrl,omitempty"`
	Resource any    `json:"resource"`
}

// Coding is a code of a system.
type Coding struct {
	System  string `json:"system,omitempty"`
	Code    string `json:"code,omitempty"`
	Display string `json:"display,omitempty"`
}

// CodeableConcept is a concept in codes and words.
type CodeableConcept struct {
	Coding []Coding `json:"coding,omitempty"`
	Text   string   `json:"text,omitempty"`
}

// Extension says what the standard has no element for.
type Extension struct {
	URL         string  `json:"url"`
	ValueCode   string  `json:"valueCode,omitempty"`
	ValueCoding *Coding `json:"valueCoding,omitempty"`
}

// Absent stands beside an element without a value and says why.
type Absent struct {
	Extension []Extension `json:"extension,omitempty"`
}

// Identifier is a number of a system.
type Identifier struct {
	Use          string  `json:"use,omitempty"`
	System       string  `json:"system,omitempty"`
	Value        string  `json:"value,omitempty"`
	ValueMissing *Absent `json:"_value,omitempty"`
}

// Reference names another resource.
type Reference struct {
	Reference  string      `json:"reference,omitempty"`
	Type       string      `json:"type,omitempty"`
	Identifier *Identifier `json:"identifier,omitempty"`
	Display    string      `json:"display,omitempty"`
}

// Period is from when to when.
type Period struct {
	Start string `json:"start,omitempty"`
	End   string `json:"end,omitempty"`
}

// Quantity is a value in a unit of UCUM.
type Quantity struct {
	Value  json.Number `json:"value,omitempty"`
	Unit   string      `json:"unit,omitempty"`
	System string      `json:"system,omitempty"`
	Code   string      `json:"code,omitempty"`
}

// Money is an amount.
type Money struct {
	Value    json.Number `json:"value"`
	Currency string      `json:"currency"`
}

// HumanName is a name.
type HumanName struct {
	Use  string `json:"use,omitempty"`
	Text string `json:"text,omitempty"`
}

// ContactPoint is a telephone.
type ContactPoint struct {
	System       string  `json:"system,omitempty"`
	Value        string  `json:"value,omitempty"`
	ValueMissing *Absent `json:"_value,omitempty"`
	Use          string  `json:"use,omitempty"`
}

// Address is a city of residence.
type Address struct {
	Extension []Extension `json:"extension,omitempty"`
	Use       string      `json:"use,omitempty"`
	City      string      `json:"city,omitempty"`
	State     string      `json:"state,omitempty"`
	Country   string      `json:"country,omitempty"`
}

// Contact is a guardian.
type Contact struct {
	Relationship []CodeableConcept `json:"relationship,omitempty"`
	Name         *HumanName        `json:"name,omitempty"`
	Telecom      []ContactPoint    `json:"telecom,omitempty"`
}

// Patient is the person.
type Patient struct {
	ResourceType string         `json:"resourceType"`
	ID           string         `json:"id,omitempty"`
	Identifier   []Identifier   `json:"identifier,omitempty"`
	Active       *bool          `json:"active,omitempty"`
	Name         []HumanName    `json:"name,omitempty"`
	Telecom      []ContactPoint `json:"telecom,omitempty"`
	Gender       string         `json:"gender,omitempty"`
	BirthDate    string         `json:"birthDate,omitempty"`
	Address      []Address      `json:"address,omitempty"`
	Contact      []Contact      `json:"contact,omitempty"`
	ManagingOrg  *Reference     `json:"managingOrganization,omitempty"`
}

// Organization is a hospital, a center or an agency.
type Organization struct {
	ResourceType string       `json:"resourceType"`
	ID           string       `json:"id,omitempty"`
	Identifier   []Identifier `json:"identifier,omitempty"`
	Name         string       `json:"name,omitempty"`
}

// CoverageClass is one part of a coverage.
type CoverageClass struct {
	Type  CodeableConcept `json:"type"`
	Value string          `json:"value"`
	Name  string          `json:"name,omitempty"`
}

// Coverage is the basic medical insurance.
type Coverage struct {
	ResourceType string           `json:"resourceType"`
	ID           string           `json:"id,omitempty"`
	Status       string           `json:"status,omitempty"`
	Type         *CodeableConcept `json:"type,omitempty"`
	Beneficiary  Reference        `json:"beneficiary"`
	Payor        []Reference      `json:"payor,omitempty"`
	Class        []CoverageClass  `json:"class,omitempty"`
}

// ServiceRequest is the referral.
type ServiceRequest struct {
	ResourceType    string            `json:"resourceType"`
	ID              string            `json:"id,omitempty"`
	Identifier      []Identifier      `json:"identifier,omitempty"`
	Status          string            `json:"status,omitempty"`
	Intent          string            `json:"intent,omitempty"`
	Category        []CodeableConcept `json:"category,omitempty"`
	Priority        string            `json:"priority,omitempty"`
	DoNotPerform    *bool             `json:"doNotPerform,omitempty"`
	Code            *CodeableConcept  `json:"code,omitempty"`
	Subject         Reference         `json:"subject"`
	AuthoredOn      string            `json:"authoredOn,omitempty"`
	Requester       *Reference        `json:"requester,omitempty"`
	Performer       []Reference       `json:"performer,omitempty"`
	ReasonCode      []CodeableConcept `json:"reasonCode,omitempty"`
	ReasonReference []Reference       `json:"reasonReference,omitempty"`
	Insurance       []Reference       `json:"insurance,omitempty"`
}

// Condition is a diagnosis.
type Condition struct {
	ResourceType       string           `json:"resourceType"`
	ID                 string           `json:"id,omitempty"`
	VerificationStatus *CodeableConcept `json:"verificationStatus,omitempty"`
	Code               *CodeableConcept `json:"code,omitempty"`
	Subject            Reference        `json:"subject"`
}

// Observation is a value.
type Observation struct {
	ResourceType         string           `json:"resourceType"`
	ID                   string           `json:"id,omitempty"`
	Status               string           `json:"status,omitempty"`
	Code                 CodeableConcept  `json:"code"`
	Subject              *Reference       `json:"subject,omitempty"`
	EffectiveDateTime    string           `json:"effectiveDateTime,omitempty"`
	ValueQuantity        *Quantity        `json:"valueQuantity,omitempty"`
	ValueCodeableConcept *CodeableConcept `json:"valueCodeableConcept,omitempty"`
}

// Restriction bounds a task in time.
type Restriction struct {
	Period *Period `json:"period,omitempty"`
}

// Task is where the referral stands.
type Task struct {
	ResourceType   string           `json:"resourceType"`
	ID             string           `json:"id,omitempty"`
	Identifier     []Identifier     `json:"identifier,omitempty"`
	Status         string           `json:"status"`
	StatusReason   *CodeableConcept `json:"statusReason,omitempty"`
	BusinessStatus *CodeableConcept `json:"businessStatus,omitempty"`
	Intent         string           `json:"intent"`
	Focus          *Reference       `json:"focus,omitempty"`
	For            *Reference       `json:"for,omitempty"`
	AuthoredOn     string           `json:"authoredOn,omitempty"`
	LastModified   string           `json:"lastModified,omitempty"`
	Requester      *Reference       `json:"requester,omitempty"`
	Owner          *Reference       `json:"owner,omitempty"`
	Insurance      []Reference      `json:"insurance,omitempty"`
	Restriction    *Restriction     `json:"restriction,omitempty"`
}

// Participant takes part in an appointment.
type Participant struct {
	Actor  Reference `json:"actor"`
	Status string    `json:"status"`
}

// Appointment is an admission or a move.
type Appointment struct {
	ResourceType      string            `json:"resourceType"`
	ID                string            `json:"id,omitempty"`
	Identifier        []Identifier      `json:"identifier,omitempty"`
	Status            string            `json:"status"`
	CancelationReason *CodeableConcept  `json:"cancelationReason,omitempty"`
	ServiceType       []CodeableConcept `json:"serviceType,omitempty"`
	Start             string            `json:"start,omitempty"`
	End               string            `json:"end,omitempty"`
	BasedOn           []Reference       `json:"basedOn,omitempty"`
	Participant       []Participant     `json:"participant"`
}

// Insurance ties a claim to a coverage.
type Insurance struct {
	Sequence int       `json:"sequence"`
	Focal    bool      `json:"focal"`
	Coverage Reference `json:"coverage"`
}

// Claim is the bill.
type Claim struct {
	ResourceType   string          `json:"resourceType"`
	ID             string          `json:"id,omitempty"`
	Identifier     []Identifier    `json:"identifier,omitempty"`
	Status         string          `json:"status"`
	Type           CodeableConcept `json:"type"`
	Use            string          `json:"use"`
	Patient        Reference       `json:"patient"`
	BillablePeriod *Period         `json:"billablePeriod,omitempty"`
	Created        string          `json:"created"`
	Insurer        *Reference      `json:"insurer,omitempty"`
	Provider       Reference       `json:"provider"`
	Priority       CodeableConcept `json:"priority"`
	Insurance      []Insurance     `json:"insurance"`
	Total          *Money          `json:"total,omitempty"`
}

// Total is a sum of a settled claim.
type Total struct {
	Category CodeableConcept `json:"category"`
	Amount   Money           `json:"amount"`
}

// Payment is what the funds pay.
type Payment struct {
	Type   CodeableConcept `json:"type"`
	Amount Money           `json:"amount"`
}

// ClaimResponse is the settlement.
type ClaimResponse struct {
	ResourceType string          `json:"resourceType"`
	ID           string          `json:"id,omitempty"`
	Identifier   []Identifier    `json:"identifier,omitempty"`
	Status       string          `json:"status"`
	Type         CodeableConcept `json:"type"`
	Use          string          `json:"use"`
	Patient      Reference       `json:"patient"`
	Created      string          `json:"created"`
	Insurer      Reference       `json:"insurer"`
	Request      *Reference      `json:"request,omitempty"`
	Outcome      string          `json:"outcome"`
	Disposition  string          `json:"disposition,omitempty"`
	Total        []Total         `json:"total,omitempty"`
	Payment      *Payment        `json:"payment,omitempty"`
}
