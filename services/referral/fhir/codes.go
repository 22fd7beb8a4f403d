package fhir

import (
	"math/big"
	"strings"
)

// base is where what the line itself defines stands. The name is invented; nothing is served there.
const base = "https://huhang.example/fhir/"

// Systems of numbers and codes.
const (
	IdentityNumberSystem = "urn:oid:2.16.156.10011.1.3" // 公民身份号码 (GB 11643), as in the CDA documents of WS/T 500
	PatientSystem        = base + "sid/patient"
	ReferralSystem       = base + "sid/referral"
	OrganisationSystem   = base + "sid/organisation"
	TransferSystem       = base + "sid/transfer"
	ClaimSystem          = base + "sid/claim"
	SettlementSystem     = base + "sid/settlement"

	DivisionSystem   = base + "CodeSystem/gbt-2260"
	DivisionURL      = base + "StructureDefinition/division"
	OrganSystem      = base + "CodeSystem/organ"
	SchemeSystem     = base + "CodeSystem/insurance-scheme"
	ClassSystem      = base + "CodeSystem/coverage-class"
	BloodGroupSystem = base + "CodeSystem/blood-group"
	RhSystem         = base + "CodeSystem/rh-d"
	PayerSystem      = base + "CodeSystem/payer"
	StateSystem      = base + "CodeSystem/case-state"
	ReasonSystem     = base + "CodeSystem/case-reason"
	ServiceSystem    = base + "CodeSystem/service"
	// DiagnosisSystem is ICD-10 in the edition of the basic medical insurance (医保版); the international one is read too.
	DiagnosisSystem = base + "CodeSystem/icd-10-nhsa"
	icd10           = "http://hl7.org/fhir/sid/icd-10"

	ucum           = "http://unitsofmeasure.org"
	loinc          = "http://loinc.org"
	businessSystem = "http://hl7.org/fhir/us/bser/CodeSystem/TaskBusinessStatusCS"
	terminology    = "http://terminology.hl7.org/CodeSystem/"
	absentURL      = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
)

var organs = map[string]string{
	"KIDNEY": "肾移植 kidney transplant", "LIVER": "肝移植 liver transplant", "HEART": "心脏移植 heart transplant", "LUNG": "肺移植 lung transplant",
	"PANCREAS": "胰腺移植 pancreas transplant", "SMALL_BOWEL": "小肠移植 small bowel transplant",
}

var priorities = map[string]string{"ROUTINE": "routine", "URGENT": "urgent", "EMERGENCY": "stat"}

var schemes = map[string]string{"EMPLOYEE": "职工基本医疗保险", "RESIDENT": "城乡居民基本医疗保险"}

// The classes of a coverage.
const (
	classPool       = "pooling-area"
	classAssistance = "assistance"
	classStatus     = "status"
	statusRetired   = "RETIRED"
	statusServant   = "CIVIL_SERVANT"
)

var assistance = map[string]string{
	"DESTITUTE": "特困人员", "SUBSISTENCE": "低保对象", "MARGINAL": "低保边缘家庭", "ILLNESS_POVERTY": "因病致贫",
}

var bloodGroups = map[string]bool{"O": true, "A": true, "B": true, "AB": true}

// unit is how a value in a unit of UCUM is kept: times factor, in the unit named.
type unit struct {
	factor *big.Rat
	kept   string
}

func same(code string) unit { return unit{big.NewRat(1, 1), code} }

// measure is a value that an import takes, by its code of LOINC.
type measure struct {
	datum   string
	display string
	units   map[string]unit
	// lab values share the day of the blood test.
	lab bool
}

// The data a measure is of.
const (
	height     = "height"
	weight     = "weight"
	creatinine = "creatinine"
	bilirubin  = "bilirubin"
	albumin    = "albumin"
	inr        = "inr"
	sodium     = "sodium"
	afp        = "afp"
)

// Units in which values are kept, in UCUM.
const (
	Centimetre = "cm"
	Kilogram   = "kg"
	UmolPerL   = "umol/L"
	MgPerDL    = "mg/dL"
	GPerL      = "g/L"
	GPerDL     = "g/dL"
	MmolPerL   = "mmol/L"
	NgPerML    = "ng/mL"
	One        = "1"
)

var molar, mass = same(UmolPerL), same(MgPerDL)

var measures = map[string]measure{
	"8302-2":  {height, "Body height", map[string]unit{"cm": same(Centimetre), "m": {big.NewRat(100, 1), Centimetre}, "mm": {big.NewRat(1, 10), Centimetre}}, false},
	"29463-7": {weight, "Body weight", map[string]unit{"kg": same(Kilogram), "g": {big.NewRat(1, 1000), Kilogram}}, false},
	"14682-9": {creatinine, "Creatinine [Moles/volume] in Serum or Plasma", map[string]unit{"umol/L": molar, "mmol/L": {big.NewRat(1000, 1), UmolPerL}}, true},
	"2160-0":  {creatinine, "Creatinine [Mass/volume] in Serum or Plasma", map[string]unit{"mg/dL": mass}, true},
	"14631-6": {bilirubin, "Bilirubin.total [Moles/volume] in Serum or Plasma", map[string]unit{"umol/L": molar}, true},
	"1975-2":  {bilirubin, "Bilirubin.total [Mass/volume] in Serum or Plasma", map[string]unit{"mg/dL": mass}, true},
	"1751-7":  {albumin, "Albumin [Mass/volume] in Serum or Plasma", map[string]unit{"g/L": same(GPerL), "g/dL": same(GPerDL)}, true},
	"6301-6":  {inr, "INR in Platelet poor plasma by Coagulation assay", map[string]unit{"1": same(One), "{INR}": same(One)}, true},
	"2951-2":  {sodium, "Sodium [Moles/volume] in Serum or Plasma", map[string]unit{"mmol/L": same(MmolPerL), "meq/L": same(MmolPerL)}, true},
	"1834-1":  {afp, "Alpha-1-Fetoprotein [Mass/volume] in Serum or Plasma", map[string]unit{"ng/mL": same(NgPerML), "ug/L": same(NgPerML)}, true},
}

// Codes of LOINC for what is no number.
const (
	codeBloodGroup = "883-9"
	codeRh         = "10331-7"
)

// measureFor returns the code under which a datum in a unit is written: the one that takes the unit as it is.
func measureFor(datum, unit string) (code string, m measure) {
	for c, m := range measures {
		if u, ok := m.units[unit]; ok && m.datum == datum && u.kept == unit {
			return c, m
		}
	}
	panic("fhir: no code for " + datum + " in " + unit)
}

func concept(system, code, display string) CodeableConcept {
	return CodeableConcept{Coding: []Coding{{system, code, display}}}
}

func pointer[T any](v T) *T { return &v }

// resourceID turns an id of the line into one of FHIR, which knows no underscore.
func resourceID(id string) string { return strings.ReplaceAll(id, "_", "-") }

func fullURL(kind, id string) string { return base + kind + "/" + id }

func organisation(code, name string) Reference {
	return Reference{Type: "Organization", Identifier: &Identifier{System: OrganisationSystem, Value: code}, Display: name}
}
