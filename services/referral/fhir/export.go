package fhir

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
)

// Facts are a case as one caller may see it. What the caller may not see is nil.
type Facts struct {
	Now      time.Time
	Case     Case
	Subject  *Subject
	Clinical *Clinical
	// Diagnosis is of the clinical record, ICD-10; Further are the others.
	Diagnosis string
	Further   []string
	// Names are those of organisations, by code.
	Names    map[string]string
	Transfer *Move
	Bill     *Bill
	Settled  *Settled
}

// Case is the referral itself.
type Case struct {
	ID, PatientID, Organ, Urgency, Referrer, Center, LocalHospital string
	State, CloseReason, ClockSuspended                             string
	Preferred                                                      []string
	Deadline, Created, Updated, Admission                          time.Time
	// Arrived says that the patient came to the center.
	Arrived bool
}

// Subject is the person, masked as the caller sees them.
type Subject struct {
	ID, Name, Sex, BirthDate, City, RegisteredBy string
	Guardian                                     *Guardian
	Insured                                      Insured
}

// Move is the transfer.
type Move struct {
	ID, Status, AbortCode string
	Start, End            time.Time
}

// Bill is the claim.
type Bill struct {
	ID, Status, Center, Province, InsuredProvince string
	// Admitted and Discharged are days; Discharged is empty before.
	Admitted, Discharged string
	TotalFen             int64
}

// Settled is the statement of a settled claim.
type Settled struct {
	ID                   string
	At                   time.Time
	Reversed             bool
	TotalFen, InScopeFen int64
	Shares               []Share
}

// Share is what one payer pays.
type Share struct {
	Payer string
	Fen   int64
}

// Export writes the facts as a Bundle that was checked against HL7's schema.
func Export(f Facts) ([]byte, error) {
	stand, known := standingOf(f.Case.State, f.Case.CloseReason)
	if !known {
		return nil, fault.New(fault.Internal, fault.ReasonInternal, "", "Something broke on our side.", "系统内部出错。").
			Cause(fmt.Errorf("fhir: no status for %s %s", f.Case.State, f.Case.CloseReason))
	}
	b := collection()
	b.Identifier = &Identifier{System: ReferralSystem, Value: f.Case.ID}
	b.Timestamp = instant(f.Now)
	e := exporter{Facts: f, bundle: b, subject: Reference{
		Type: "Patient", Identifier: &Identifier{System: PatientSystem, Value: f.Case.PatientID},
	}}
	e.addSubject()
	e.addRequest(stand)
	e.addTask(stand)
	e.addAdmission()
	e.addMove()
	e.addBill()
	e.addOrganisations()
	text, err := b.json()
	if err == nil {
		err = Check(text)
	}
	if err != nil {
		return nil, fmt.Errorf("fhir: the export is no Bundle: %w", err)
	}
	return text, nil
}

// exporter is one export under way.
type exporter struct {
	Facts
	*bundle
	subject  Reference
	coverage *Reference
	named    []string
}

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(clock.Shanghai).Format("2006-01-02T15:04:05.000-07:00")
}

func masked() *Absent {
	return &Absent{Extension: []Extension{{URL: absentURL, ValueCode: "masked"}}}
}

// organisation refers to an organisation, which then has its entry.
func (e *exporter) organisation(code string) Reference {
	if code == "" {
		return Reference{Display: "未定 not known"}
	}
	e.named = append(e.named, code)
	r := organisation(code, e.Names[code])
	r.Reference = fullURL("Organization", code)
	return r
}

func (e *exporter) addOrganisations() {
	done := map[string]bool{}
	for _, code := range e.named {
		if done[code] {
			continue
		}
		done[code] = true
		name := e.Names[code]
		if name == "" {
			name = code
		}
		e.add("Organization", code, Organization{
			ResourceType: "Organization", ID: code, Identifier: []Identifier{{System: OrganisationSystem, Value: code}}, Name: name,
		})
	}
}

func (e *exporter) addSubject() {
	s := e.Subject
	if s == nil {
		return
	}
	id := resourceID(s.ID)
	p := person(Person{Name: s.Name, City: s.City, Guardian: s.Guardian}, id)
	p.Identifier = []Identifier{
		{System: PatientSystem, Value: s.ID},
		{Use: "official", System: IdentityNumberSystem, ValueMissing: masked()},
	}
	if strings.Contains(s.Name, "*") {
		p.Name[0].Use = "anonymous"
	}
	p.Telecom = []ContactPoint{{System: "phone", ValueMissing: masked(), Use: "mobile"}}
	p.Gender, p.BirthDate = strings.ToLower(s.Sex), s.BirthDate
	p.ManagingOrg = pointer(e.organisation(s.RegisteredBy))
	e.add("Patient", id, p)
	e.subject.Reference = fullURL("Patient", id)
	cover := insurance(s.Insured, id+"-coverage", e.subject)
	if len(cover.ID) > 64 {
		cover.ID = cover.ID[:64]
	}
	cover.Payor = []Reference{e.organisation("A-" + s.Insured.Province())}
	e.add("Coverage", cover.ID, cover)
	e.coverage = &Reference{Reference: fullURL("Coverage", cover.ID)}
	for _, o := range observations(e.Clinical, e.subject, strings.TrimPrefix(id, "pat-")+"-") {
		e.add("Observation", o.ID, o)
	}
}

func (e *exporter) addRequest(stand standing) {
	c := e.Case
	r := ServiceRequest{
		ResourceType: "ServiceRequest", ID: resourceID(c.ID), Identifier: []Identifier{{System: ReferralSystem, Value: c.ID}},
		Status: stand.request, Intent: "order", Category: []CodeableConcept{concept(ServiceSystem, "transplant-referral", "跨省移植转诊 transplant referral")},
		Priority: priorities[c.Urgency], Code: pointer(concept(OrganSystem, c.Organ, organs[c.Organ])), Subject: e.subject,
		AuthoredOn: instant(c.Created), Requester: pointer(e.organisation(c.Referrer)), ReasonCode: reasons(e.Diagnosis, e.Further),
	}
	switch {
	case c.Center != "":
		r.Performer = []Reference{e.organisation(c.Center)}
	default:
		for _, center := range c.Preferred {
			r.Performer = append(r.Performer, e.organisation(center))
		}
	}
	if e.coverage != nil {
		r.Insurance = []Reference{*e.coverage}
	}
	e.add("ServiceRequest", r.ID, r)
}

func (e *exporter) request() Reference {
	return Reference{Reference: fullURL("ServiceRequest", resourceID(e.Case.ID))}
}

func (e *exporter) addTask(stand standing) {
	c := e.Case
	t := Task{
		ResourceType: "Task", ID: resourceID(c.ID) + "-task", Identifier: []Identifier{{System: ReferralSystem, Value: c.ID}},
		Status: stand.task, Intent: "order", Focus: pointer(e.request()), For: &e.subject,
		AuthoredOn: instant(c.Created), LastModified: instant(c.Updated), Requester: pointer(e.organisation(c.Referrer)),
	}
	t.BusinessStatus = pointer(concept(StateSystem, c.State, ""))
	if stand.business != "" {
		t.BusinessStatus.Coding = append([]Coding{{businessSystem, stand.business, business[stand.business]}}, t.BusinessStatus.Coding...)
	}
	switch {
	case c.CloseReason != "":
		t.StatusReason = pointer(concept(ReasonSystem, c.CloseReason, ""))
	case c.ClockSuspended != "":
		t.StatusReason = &CodeableConcept{Text: c.ClockSuspended}
	}
	if c.Center != "" {
		t.Owner = pointer(e.organisation(c.Center))
	}
	if !c.Deadline.IsZero() {
		t.Restriction = &Restriction{Period: &Period{End: instant(c.Deadline)}}
	}
	if e.coverage != nil {
		t.Insurance = []Reference{*e.coverage}
	}
	e.add("Task", t.ID, t)
}

// place is an organisation as a place, which is who can take part in an appointment.
func (e *exporter) place(code string) Reference {
	r := organisation(code, e.Names[code])
	r.Type = "Location"
	return r
}

func (e *exporter) appointment(a Appointment, start, end time.Time) {
	a.ResourceType = "Appointment"
	a.Start, a.End = instant(start), instant(end)
	a.BasedOn = []Reference{e.request()}
	e.add("Appointment", a.ID, a)
}

// addAdmission tells when the patient is expected at the center. The line books a day of admission: it ends with the day.
func (e *exporter) addAdmission() {
	c := e.Case
	if c.Admission.IsZero() || c.Center == "" {
		return
	}
	status := "booked"
	switch {
	case c.State == "ARRIVED":
		status = "arrived"
	case c.Arrived:
		status = "fulfilled"
	case c.State == "CLOSED":
		status = "cancelled"
	case c.State == "ACCEPTED":
		status = "pending"
	}
	y, m, d := c.Admission.In(clock.Shanghai).Date()
	e.appointment(Appointment{
		ID: resourceID(c.ID) + "-admission", Status: status, ServiceType: []CodeableConcept{concept(ServiceSystem, "admission", "入院 admission")},
		Participant: []Participant{{Actor: e.subject, Status: "accepted"}, {Actor: e.place(c.Center), Status: "accepted"}},
	}, c.Admission, time.Date(y, m, d+1, 0, 0, 0, 0, clock.Shanghai))
}

var moves = map[string]string{
	"PLANNED": "booked", "READY": "booked", "IN_TRANSIT": "checked-in", "ARRIVED": "fulfilled", "ABORTED": "cancelled",
}

func (e *exporter) addMove() {
	m := e.Transfer
	if m == nil || moves[m.Status] == "" || m.Start.IsZero() || m.End.IsZero() {
		return
	}
	a := Appointment{
		ID: resourceID(m.ID), Identifier: []Identifier{{System: TransferSystem, Value: m.ID}}, Status: moves[m.Status],
		ServiceType: []CodeableConcept{concept(ServiceSystem, "transfer", "转运 transfer")},
		Participant: []Participant{{Actor: e.subject, Status: "accepted"}},
	}
	if m.AbortCode != "" {
		a.CancelationReason = pointer(concept(ReasonSystem, m.AbortCode, ""))
	}
	e.appointment(a, m.Start, m.End)
}

// yuan writes fen as the decimal it is.
func yuan(fen int64) Money {
	sign := ""
	whole, rest := fen/100, fen%100
	if fen < 0 {
		sign, whole, rest = "-", -whole, -rest
	}
	return Money{Value: json.Number(fmt.Sprintf("%s%d.%02d", sign, whole, rest)), Currency: "CNY"}
}

var institutional = concept(terminology+"claim-type", "institutional", "Institutional")

func (e *exporter) addBill() {
	b := e.Bill
	if b == nil || b.Admitted == "" {
		return
	}
	// An agency sees the bill and not the person.
	cover := Reference{Type: "Coverage", Identifier: &Identifier{System: PatientSystem, Value: e.Case.PatientID}}
	if e.coverage != nil {
		cover = *e.coverage
	}
	id := resourceID(b.ID)
	insurer := e.organisation("A-" + b.InsuredProvince)
	c := Claim{
		ResourceType: "Claim", ID: id, Identifier: []Identifier{{System: ClaimSystem, Value: b.ID}}, Status: "active", Type: institutional, Use: "claim",
		Patient: e.subject, BillablePeriod: &Period{Start: b.Admitted, End: b.Discharged}, Created: b.Admitted, Insurer: &insurer,
		Provider: e.organisation(b.Center), Priority: concept(terminology+"processpriority", "normal", "Normal"),
		Insurance: []Insurance{{Sequence: 1, Focal: true, Coverage: cover}}, Total: pointer(yuan(b.TotalFen)),
	}
	if b.Discharged != "" {
		c.Created = b.Discharged
	}
	if b.Status == "CANCELLED" {
		c.Status = "cancelled"
	}
	e.add("Claim", id, c)
	s := e.Settled
	if s == nil {
		return
	}
	r := ClaimResponse{
		ResourceType: "ClaimResponse", ID: resourceID(s.ID), Identifier: []Identifier{{System: SettlementSystem, Value: s.ID}}, Status: "active",
		Type: institutional, Use: "claim", Patient: e.subject, Created: instant(s.At), Insurer: insurer, Request: &Reference{Reference: fullURL("Claim", id)},
		Outcome: "complete",
	}
	if s.Reversed {
		r.Status, r.Disposition = "cancelled", "已撤销 reversed"
	}
	adjudication := func(code, display string, fen int64) {
		r.Total = append(r.Total, Total{concept(terminology+"adjudication", code, display), yuan(fen)})
	}
	adjudication("submitted", "Submitted Amount", s.TotalFen)
	adjudication("eligible", "Eligible Amount", s.InScopeFen)
	funds := int64(0)
	for _, share := range s.Shares {
		if share.Payer != "CASH" && share.Payer != "PERSONAL_ACCOUNT" {
			funds += share.Fen
		}
	}
	adjudication("benefit", "Benefit Amount", funds)
	for _, share := range s.Shares {
		r.Total = append(r.Total, Total{concept(PayerSystem, share.Payer, payers[share.Payer]), yuan(share.Fen)})
	}
	r.Payment = &Payment{Type: concept(terminology+"ex-paymenttype", "complete", "Complete"), Amount: yuan(funds)}
	e.add("ClaimResponse", r.ID, r)
}

var payers = map[string]string{
	"BASIC": "基本医保统筹基金", "SECOND_LAYER": "大病保险", "CIVIL_SERVANT": "公务员补助", "ASSISTANCE": "医疗救助", "COMMERCIAL": "商业保险",
	"PERSONAL_ACCOUNT": "个人账户", "CASH": "个人现金", "CHARITY": "慈善", "GRANT": "企业或政府补助",
}
