package rpc

import (
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	moneyv1 "huhang.example/gen/huhang/money/v1"
	organv1 "huhang.example/gen/huhang/organ/v1"
	patientv1 "huhang.example/gen/huhang/patient/v1"
	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
	"huhang.example/services/settlement"
	"huhang.example/services/settlement/policy"
	"huhang.example/services/settlement/split"
)

// The domain's codes are the proto's names, in lower case where documents use them, without the enum's prefix.
const (
	organPrefix   = "ORGAN_"
	schemePrefix  = "SCHEME_"
	groupPrefix   = "ASSISTANCE_GROUP_"
	filingPrefix  = "FILING_TYPE_"
	fStatusPrefix = "FILING_STATUS_"
	cStatusPrefix = "CLAIM_STATUS_"
	payerPrefix   = "PAYER_"
	kindPrefix    = "CLAIM_KIND_"
	paperPrefix   = "FILING_DOCUMENT_"
	preauthPrefix = "PREAUTHORISATION_STATUS_"
)

func lower(prefix, name string) string { return strings.ToLower(strings.TrimPrefix(name, prefix)) }

func number(values map[string]int32, prefix, code string) int32 {
	return values[prefix+strings.ToUpper(code)]
}

// Yuan writes an amount for the wire.
func Yuan(f money.Fen) *moneyv1.Money { return &moneyv1.Money{Fen: int64(f)} }

func fen(m *moneyv1.Money) money.Fen { return money.Fen(m.GetFen()) }

// Organ reads an organ into the code documents use; empty when unspecified.
func Organ(o organv1.Organ) string {
	if o == organv1.Organ_ORGAN_UNSPECIFIED {
		return ""
	}
	return lower(organPrefix, o.String())
}

// Coverage reads a coverage.
func Coverage(c *patientv1.Coverage) settlement.Coverage {
	if c == nil {
		return settlement.Coverage{}
	}
	out := settlement.Coverage{
		Province: c.GetProvince(), PoolingArea: c.GetPoolingArea(), Scheme: policy.Scheme(lower(schemePrefix, c.GetScheme().String())),
		Retired: c.GetRetired(), CivilServant: c.GetCivilServant(),
	}
	for _, g := range c.GetAssistanceGroups() {
		out.Groups = append(out.Groups, policy.Group(lower(groupPrefix, g.String())))
	}
	return out
}

func coverageTo(c settlement.Coverage) *patientv1.Coverage {
	out := &patientv1.Coverage{
		Province: c.Province, PoolingArea: c.PoolingArea, Retired: c.Retired, CivilServant: c.CivilServant,
		Scheme: patientv1.Scheme(number(patientv1.Scheme_value, schemePrefix, string(c.Scheme))),
	}
	for _, g := range c.Groups {
		out.AssistanceGroups = append(out.AssistanceGroups, patientv1.AssistanceGroup(number(patientv1.AssistanceGroup_value, groupPrefix, string(g))))
	}
	return out
}

func entitlementTo(e settlement.Entitlement) *settlementv1.Entitlement {
	return &settlementv1.Entitlement{
		PatientId: e.PatientID, Coverage: coverageTo(e.Coverage), ValidFrom: e.ValidFrom, ValidTo: e.ValidTo, Etag: e.Etag(),
		Plans: e.Coverage.Plans, PersonalAccount: Yuan(e.Coverage.Account),
	}
}

func filingTo(f *settlement.Filing) *settlementv1.Filing {
	return &settlementv1.Filing{
		FilingId: f.ID, PatientId: f.PatientID, ReferralId: f.ReferralID, Province: f.Province, TreatmentCity: f.TreatmentCity,
		Type:      settlementv1.FilingType(number(settlementv1.FilingType_value, filingPrefix, string(f.Type))),
		Status:    settlementv1.FilingStatus(number(settlementv1.FilingStatus_value, fStatusPrefix, string(f.Status))),
		ValidFrom: f.ValidFrom, ValidTo: f.ValidTo, Automatic: f.Automatic, CreateTime: timestamppb.New(f.Created), FiledBy: f.FiledBy, Etag: f.Etag(),
		Documents: documentsTo(f.Documents),
	}
}

// claimTo writes a claim; s tells when it falls to a manual one.
func (s *Server) claimTo(c *settlement.Claim) *settlementv1.Claim {
	return &settlementv1.Claim{
		Kind:      settlementv1.ClaimKind(number(settlementv1.ClaimKind_value, kindPrefix, string(c.Kind))),
		Emergency: c.Emergency, UnderWay: underWayTo(c.UnderWay, s.use.ManualTime(c)),
		ClaimId: c.ID, ReferralId: c.ReferralID, PatientId: c.PatientID, CenterId: c.CenterID, Province: c.Province,
		TreatmentCity: c.TreatmentCity, InsuredProvince: c.InsuredProvince,
		Organ:         organv1.Organ(number(organv1.Organ_value, organPrefix, c.Organ)),
		Status:        settlementv1.ClaimStatus(number(settlementv1.ClaimStatus_value, cStatusPrefix, string(c.Status))),
		AdmissionDate: c.AdmissionDate, DischargeDate: c.DischargeDate, Total: Yuan(c.Total), LineCount: c.LineCount,
		SettlementId: c.SettlementID, ManualReason: c.ManualReason, ManualAcceptance: acceptanceTo(c.Accepted), Etag: c.Etag(),
	}
}

func linesFrom(in []*settlementv1.FeeLine) ([]settlement.FeeLine, error) {
	out := make([]settlement.FeeLine, 0, len(in))
	for i, l := range in {
		if l == nil {
			return nil, fault.New(fault.InvalidArgument, fault.FieldInvalid, "lines["+strconv.Itoa(i)+"]", "A line is empty.", "明细为空。")
		}
		out = append(out, settlement.FeeLine{
			Line: split.Line{
				Number: l.GetLineNumber(), Item: l.GetItemCode(), Price: fen(l.GetPrice()), QuantityMilli: l.GetQuantityMilli(),
				Amount: fen(l.GetAmount()), RefundOf: l.GetRefundOf(),
			},
			Name: l.GetItemName(), ServiceDate: l.GetServiceDate(),
		})
	}
	return out, nil
}

// SplitTo writes an answer's split; what it adds to the year stays with the insured province.
func SplitTo(a settlement.Answer) *settlementv1.Split {
	out := &settlementv1.Split{
		Total: Yuan(a.Split.Total), InScope: Yuan(a.Split.InScope), PolicyVersion: a.Split.PolicyVersion,
		CatalogueVersion: a.Split.CatalogueVersion, FilingId: a.FilingID, PolicyDigest: a.Split.PolicyDigest, CatalogueDigest: a.Split.CatalogueDigest,
	}
	for _, s := range a.Split.Shares {
		out.Shares = append(out.Shares, &settlementv1.Share{
			Payer: settlementv1.Payer(number(settlementv1.Payer_value, payerPrefix, string(s.Payer))), Amount: Yuan(s.Amount),
		})
	}
	for _, s := range a.Split.Steps {
		out.Steps = append(out.Steps, &settlementv1.Step{
			Rule: s.Rule, Input: Yuan(s.Input), Result: Yuan(s.Result), BecauseZh: s.Zh, BecauseEn: s.En,
		})
	}
	return out
}

// SplitFrom reads an answer of the insured province.
func SplitFrom(settlementID string, in *settlementv1.Split) settlement.Answer {
	a := settlement.Answer{SettlementID: settlementID, FilingID: in.GetFilingId()}
	a.Split = split.Result{
		Total: fen(in.GetTotal()), InScope: fen(in.GetInScope()), PolicyVersion: in.GetPolicyVersion(), CatalogueVersion: in.GetCatalogueVersion(),
		PolicyDigest: in.GetPolicyDigest(), CatalogueDigest: in.GetCatalogueDigest(),
	}
	for _, s := range in.GetShares() {
		a.Split.Shares = append(a.Split.Shares, split.Share{Payer: split.Payer(lower(payerPrefix, s.GetPayer().String())), Amount: fen(s.GetAmount())})
	}
	for _, s := range in.GetSteps() {
		a.Split.Steps = append(a.Split.Steps, split.Step{
			Rule: s.GetRule(), Input: fen(s.GetInput()), Result: fen(s.GetResult()), Zh: s.GetBecauseZh(), En: s.GetBecauseEn(),
		})
	}
	return a
}

// InputTo writes what the insured province needs to know.
func InputTo(in settlement.SplitInput) *settlementv1.SplitInput {
	t := in.Totals
	var facts *settlementv1.StayFacts
	if f := in.Facts; f != nil {
		facts = &settlementv1.StayFacts{DiagnosisCode: f.Diagnosis, PlannedFollowUp: f.Planned, IdentityDigest: f.Identity}
	}
	return &settlementv1.SplitInput{
		StayFacts: facts,
		PatientId: in.PatientID, InsuredProvince: in.InsuredProvince, TreatmentProvince: in.TreatmentProvince,
		TreatmentCity: in.TreatmentCity, CenterId: in.CenterID, ClaimId: in.ClaimID, ReferralId: in.ReferralID,
		AdmissionDate: in.AdmissionDate, DischargeDate: in.DischargeDate, Totals: totalsTo(t), BusinessDay: in.BusinessDay, Emergency: in.Emergency,
		Kind: settlementv1.ClaimKind(number(settlementv1.ClaimKind_value, kindPrefix, string(in.Kind))),
	}
}

func totalsTo(t split.Totals) *settlementv1.Totals {
	return &settlementv1.Totals{
		Total: Yuan(t.Total), OutOfCatalogue: Yuan(t.OutOfCatalogue), OverLimit: Yuan(t.OverLimit), ClassBFirstPay: Yuan(t.ClassB),
		InScope: Yuan(t.InScope), CatalogueVersion: t.CatalogueVersion, HospitalLevel: int32(t.HospitalLevel),
		CatalogueDigest: t.CatalogueDigest,
	}
}

func inputFrom(in *settlementv1.SplitInput) settlement.SplitInput {
	t := in.GetTotals()
	var kind settlement.ClaimKind // of a stay it is empty
	if in.GetKind() == settlementv1.ClaimKind_CLAIM_KIND_OUTPATIENT {
		kind = settlement.Outpatient
	}
	var facts *settlement.StayFacts
	if f := in.GetStayFacts(); f != nil {
		facts = &settlement.StayFacts{Diagnosis: f.GetDiagnosisCode(), Planned: f.GetPlannedFollowUp(), Identity: f.GetIdentityDigest()}
	}
	return settlement.SplitInput{
		Facts: facts, Kind: kind, Emergency: in.GetEmergency(),
		PatientID: in.GetPatientId(), InsuredProvince: in.GetInsuredProvince(), TreatmentProvince: in.GetTreatmentProvince(),
		TreatmentCity: in.GetTreatmentCity(), CenterID: in.GetCenterId(), ClaimID: in.GetClaimId(), ReferralID: in.GetReferralId(),
		AdmissionDate: in.GetAdmissionDate(), DischargeDate: in.GetDischargeDate(), BusinessDay: in.GetBusinessDay(),
		Totals: split.Totals{
			Total: fen(t.GetTotal()), OutOfCatalogue: fen(t.GetOutOfCatalogue()), OverLimit: fen(t.GetOverLimit()), ClassB: fen(t.GetClassBFirstPay()),
			InScope: fen(t.GetInScope()), CatalogueVersion: t.GetCatalogueVersion(), HospitalLevel: int(t.GetHospitalLevel()),
			CatalogueDigest: t.GetCatalogueDigest(),
		},
	}
}

func statementTo(s settlement.Statement) *settlementv1.Statement {
	c := s.Claim
	out := &settlementv1.Statement{
		ClaimId: c.ID, SettlementId: s.Settlement.ID, ReferralId: c.ReferralID, CenterId: c.CenterID, Province: c.Province,
		InsuredProvince: c.InsuredProvince, AdmissionDate: c.AdmissionDate, DischargeDate: c.DischargeDate,
		Split: SplitTo(s.Settlement.Answer), SettleTime: timestamppb.New(s.Settlement.Time), Reversed: s.Settlement.Reversed,
	}
	return out
}
