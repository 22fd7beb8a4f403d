package peers

import (
	"context"
	"regexp"
	"strings"

	matchingv1 "huhang.example/gen/huhang/matching/v1"
	patientv1 "huhang.example/gen/huhang/patient/v1"
	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/fault"
	"huhang.example/services/referral"
	"huhang.example/services/referral/exchange"
	"huhang.example/services/referral/fhir"
)

var _ exchange.Peers = (*Peers)(nil)

// Gather asks as the caller: what is refused stays unknown.
func (p *Peers) Gather(ctx context.Context, r *referral.Referral, into *fhir.Facts) error {
	into.Names = map[string]string{}
	for _, part := range []func(context.Context, *referral.Referral, *fhir.Facts) error{p.subject, p.values, p.names, p.move, p.bill} {
		if err := part(ctx, r, into); err != nil {
			return err
		}
	}
	return nil
}

func (p *Peers) subject(ctx context.Context, r *referral.Referral, into *fhir.Facts) error {
	c, err := p.patient()
	if err != nil {
		return err
	}
	got, err := c.GetPatient(ctx, &patientv1.GetPatientRequest{PatientId: r.PatientID})
	if seen, err := exchange.MaySee(err); !seen {
		return err
	}
	person, cover := got.GetPatient(), got.GetPatient().GetCoverage()
	s := &fhir.Subject{
		ID: person.GetPatientId(), Name: person.GetName(), Sex: strings.TrimPrefix(person.GetSex().String(), "SEX_"), BirthDate: person.GetBirthDate(),
		City: person.GetResidenceCity(), RegisteredBy: person.GetRegisteredBy(),
		Insured: fhir.Insured{
			Pool: cover.GetPoolingArea(), Scheme: strings.TrimPrefix(cover.GetScheme().String(), "SCHEME_"), Retired: cover.GetRetired(),
			CivilServant: cover.GetCivilServant(),
		},
	}
	for _, g := range cover.GetAssistanceGroups() {
		s.Insured.Groups = append(s.Insured.Groups, strings.TrimPrefix(g.String(), "ASSISTANCE_GROUP_"))
	}
	if g := person.GetGuardian(); g != nil {
		s.Guardian = &fhir.Guardian{Name: g.GetName(), Phone: g.GetPhone(), Relation: g.GetRelation()}
	}
	into.Subject = s
	return nil
}

func (p *Peers) values(ctx context.Context, r *referral.Referral, into *fhir.Facts) error {
	if into.Subject == nil {
		return nil
	}
	c, err := p.patient()
	if err != nil {
		return err
	}
	got, err := c.GetClinical(ctx, &patientv1.GetClinicalRequest{PatientId: r.PatientID, Organ: organ(r.Organ)})
	if seen, err := exchange.MaySee(err); !seen {
		return err
	}
	data := got.GetRecord().GetClinical()
	into.Diagnosis, into.Further = data.GetDiagnosisCode(), data.GetFurtherDiagnosisCodes()
	into.Clinical = clinicalOut(data)
	return nil
}

// names asks for the centers a case has to do with; of other organisations the line knows the code.
func (p *Peers) names(ctx context.Context, r *referral.Referral, into *fhir.Facts) error {
	c, err := p.matching()
	if err != nil {
		return err
	}
	centers := append([]string{r.CenterID}, r.Preferred...)
	if r.CenterID != "" {
		centers = centers[:1]
	}
	for _, code := range centers {
		if code == "" || into.Names[code] != "" {
			continue
		}
		got, err := c.GetCenter(ctx, &matchingv1.GetCenterRequest{CenterId: code})
		seen, err := exchange.MaySee(err)
		if err != nil {
			return err
		}
		if seen {
			into.Names[code] = got.GetCenter().GetNameZh()
		}
	}
	return nil
}

func (p *Peers) move(ctx context.Context, r *referral.Referral, into *fhir.Facts) error {
	if r.TransferID == "" {
		return nil
	}
	c, err := p.transfer()
	if err != nil {
		return err
	}
	got, err := c.GetTransfer(ctx, &transferv1.GetTransferRequest{TransferId: r.TransferID})
	if seen, err := exchange.MaySee(err); !seen {
		return err
	}
	t := got.GetTransfer()
	into.Transfer = &fhir.Move{
		ID: t.GetTransferId(), Status: strings.TrimPrefix(t.GetStatus().String(), "TRANSFER_STATUS_"), AbortCode: t.GetAbortCode(),
		Start: t.GetItinerary().GetDepartTime().AsTime(), End: t.GetItinerary().GetArriveTime().AsTime(),
	}
	if t.GetDepartedTime() != nil {
		into.Transfer.Start = t.GetDepartedTime().AsTime()
	}
	if t.GetArrivedTime() != nil {
		into.Transfer.End = t.GetArrivedTime().AsTime()
	}
	return nil
}

// claimProvince is the province in a claim's id, which keeps it.
var claimProvince = regexp.MustCompile(`^clm_([1-9][0-9]0000)_`)

func (p *Peers) bill(ctx context.Context, r *referral.Referral, into *fhir.Facts) error {
	found := claimProvince.FindStringSubmatch(r.ClaimID)
	if found == nil {
		return nil
	}
	c, err := client(p, "settlement", found[1], settlementv1.NewSettlementServiceClient)
	if err != nil {
		return err
	}
	got, err := c.GetClaim(ctx, &settlementv1.GetClaimRequest{ClaimId: r.ClaimID})
	if seen, err := exchange.MaySee(err); !seen {
		return err
	}
	claim := got.GetClaim()
	into.Bill = &fhir.Bill{
		ID: claim.GetClaimId(), Status: strings.TrimPrefix(claim.GetStatus().String(), "CLAIM_STATUS_"), Center: claim.GetCenterId(),
		Province: claim.GetProvince(), InsuredProvince: claim.GetInsuredProvince(), Admitted: claim.GetAdmissionDate(),
		Discharged: claim.GetDischargeDate(), TotalFen: claim.GetTotal().GetFen(),
	}
	if claim.GetSettlementId() == "" {
		return nil
	}
	told, err := c.GetStatement(ctx, &settlementv1.GetStatementRequest{ClaimId: r.ClaimID})
	if seen, err := exchange.MaySee(err); !seen {
		return err
	}
	s := told.GetStatement()
	into.Settled = &fhir.Settled{
		ID: s.GetSettlementId(), At: s.GetSettleTime().AsTime(), Reversed: s.GetReversed(),
		TotalFen: s.GetSplit().GetTotal().GetFen(), InScopeFen: s.GetSplit().GetInScope().GetFen(),
	}
	for _, share := range s.GetSplit().GetShares() {
		into.Settled.Shares = append(into.Settled.Shares, fhir.Share{Payer: strings.TrimPrefix(share.GetPayer().String(), "PAYER_"), Fen: share.GetAmount().GetFen()})
	}
	return nil
}

// CheckClinical judges without storing.
func (p *Peers) CheckClinical(ctx context.Context, d fhir.Draft) error {
	c, err := p.patient()
	if err != nil {
		return err
	}
	n := d.Person.IdentityNumber
	_, err = c.CheckClinical(ctx, &patientv1.CheckClinicalRequest{BirthDate: n[6:10] + "-" + n[10:12] + "-" + n[12:14], Clinical: clinicalIn(d)})
	return err
}

// FindPerson looks the person up.
func (p *Peers) FindPerson(ctx context.Context, identityNumber, o string) (exchange.Registered, error) {
	c, err := p.patient()
	if err != nil {
		return exchange.Registered{}, err
	}
	got, err := c.CheckRegistration(ctx, &patientv1.CheckRegistrationRequest{IdentityNumber: identityNumber})
	if err != nil || !got.GetRegistered() {
		return exchange.Registered{}, err
	}
	if got.GetPatientId() == "" {
		return exchange.Registered{Foreign: true}, nil
	}
	_, err = c.GetClinical(ctx, &patientv1.GetClinicalRequest{PatientId: got.GetPatientId(), Organ: organ(o)})
	if err != nil && !fault.Is(err, fault.ReasonNotFound) {
		return exchange.Registered{}, err
	}
	return exchange.Registered{PatientID: got.GetPatientId(), Clinical: err == nil}, nil
}

// Register registers.
func (p *Peers) Register(ctx context.Context, requestID string, who fhir.Person) (string, error) {
	c, err := p.patient()
	if err != nil {
		return "", err
	}
	request := &patientv1.RegisterPatientRequest{
		RequestId: key(requestID), Name: who.Name, IdentityNumber: who.IdentityNumber, Phone: who.Phone, ResidenceCity: who.City,
		Coverage: &patientv1.Coverage{
			Province: who.Insured.Province(), PoolingArea: who.Insured.Pool, Retired: who.Insured.Retired, CivilServant: who.Insured.CivilServant,
			Scheme: patientv1.Scheme(patientv1.Scheme_value["SCHEME_"+who.Insured.Scheme]),
		},
	}
	for _, g := range who.Insured.Groups {
		request.Coverage.AssistanceGroups = append(request.Coverage.AssistanceGroups, patientv1.AssistanceGroup(patientv1.AssistanceGroup_value["ASSISTANCE_GROUP_"+g]))
	}
	if g := who.Guardian; g != nil {
		request.Guardian = &patientv1.Guardian{Name: g.Name, Phone: g.Phone, Relation: g.Relation}
	}
	got, err := c.RegisterPatient(ctx, request)
	return got.GetPatient().GetPatientId(), err
}

// RecordClinical stores the data.
func (p *Peers) RecordClinical(ctx context.Context, requestID, patientID string, d fhir.Draft) error {
	c, err := p.patient()
	if err != nil {
		return err
	}
	_, err = c.RecordClinical(ctx, &patientv1.RecordClinicalRequest{RequestId: key(requestID), PatientId: patientID, Clinical: clinicalIn(d)})
	return err
}

// key keeps a derived request id within its bound; the caller's own end of it tells requests apart.
func key(requestID string) string {
	if len(requestID) > 64 {
		return requestID[:7] + requestID[len(requestID)-57:]
	}
	return requestID
}
