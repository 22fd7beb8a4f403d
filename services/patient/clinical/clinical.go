// Package clinical judges clinical data: scores from laboratory values, and what is missing for which organ.
//
// Invariant: a score is information only, computed from values whose unit was given, and names its version, its inputs as
// used and the day of the tests; a score whose input is missing is not computed, and the missing datum is named.
package clinical

// Clinical is what a center needs to judge a case, for one organ. A nil pointer means not known.
type Clinical struct {
	Organ               string   `json:"organ"`
	DiagnosisCode       string   `json:"diagnosis_code,omitempty"` // ICD-10, insurance edition
	BloodGroup          string   `json:"blood_group,omitempty"`    // O, A, B, AB
	RhPositive          *bool    `json:"rh_positive,omitempty"`
	AcceptsABOIncompat  bool     `json:"accepts_abo_incompatible,omitempty"`
	NeedsABOIncompat    bool     `json:"needs_abo_incompatible,omitempty"`
	LivingDonorRoute    bool     `json:"living_donor_route,omitempty"`
	HeightCm            *float64 `json:"height_cm,omitempty"`
	WeightKg            *float64 `json:"weight_kg,omitempty"`
	PreviousTransplants int32    `json:"previous_transplants,omitempty"`
	ActiveInfection     *bool    `json:"active_infection,omitempty"`
	HBVPositive         *bool    `json:"hbv_positive,omitempty"`
	HCVPositive         *bool    `json:"hcv_positive,omitempty"`
	HIVPositive         *bool    `json:"hiv_positive,omitempty"`
	CPRAPercent         *float64 `json:"cpra_percent,omitempty"`
	Labs                *Labs    `json:"labs,omitempty"`
	Liver               *Liver   `json:"liver,omitempty"`
	Kidney              *Kidney  `json:"kidney,omitempty"`
	Fitness             *Fitness `json:"fitness,omitempty"`

	Immunology       *Immunology    `json:"immunology,omitempty"`
	Serology         *Serology      `json:"serology,omitempty"`
	Malignancies     []Malignancy   `json:"malignancies,omitempty"`
	NoMalignancy     *bool          `json:"no_malignancy,omitempty"`
	CardiacWorkup    *CardiacWorkup `json:"cardiac_workup,omitempty"`
	Social           *Social        `json:"social,omitempty"`
	Transplants      []Transplant   `json:"transplant_history,omitempty"`
	Drugs            []Drug         `json:"drugs,omitempty"`
	Allergies        []Allergy      `json:"allergies,omitempty"`
	Transfusions     *int32         `json:"transfusions,omitempty"`
	Pregnancies      *int32         `json:"pregnancies,omitempty"`
	FurtherDiagnoses []string       `json:"further_diagnosis_codes,omitempty"`
	FirstRegistered  string         `json:"first_registered_on,omitempty"`
	Heart            *Heart         `json:"heart,omitempty"`
	Lung             *Lung          `json:"lung,omitempty"`
	Pancreas         *Pancreas      `json:"pancreas,omitempty"`
	SmallBowel       *SmallBowel    `json:"small_bowel,omitempty"`
	Child            *Child         `json:"child,omitempty"`
}

// Quantity is a value with the unit it was given in.
type Quantity struct {
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
}

// The units laboratory values come in.
const (
	UmolPerL = "umol/L"
	MgPerDL  = "mg/dL"
	GPerL    = "g/L"
	GPerDL   = "g/dL"
)

// Labs are the values scores are computed from.
type Labs struct {
	TestDate   string    `json:"test_date,omitempty"`
	Creatinine *Quantity `json:"creatinine,omitempty"`
	Bilirubin  *Quantity `json:"bilirubin,omitempty"`
	Albumin    *Quantity `json:"albumin,omitempty"`
	INR        *float64  `json:"inr,omitempty"`
	Sodium     *float64  `json:"sodium,omitempty"` // mmol/L
	AFP        *float64  `json:"afp,omitempty"`    // ng/mL
	Dialysis   bool      `json:"dialysis,omitempty"`
}

// Liver is what only a liver referral carries. The scales 0..4 and 0..3 have 0 for not known.
type Liver struct {
	HCC                *bool     `json:"hcc,omitempty"`
	NodulesCm          []float64 `json:"nodules_cm,omitempty"`
	VascularInvasion   *bool     `json:"vascular_invasion,omitempty"`
	ExtrahepaticSpread *bool     `json:"extrahepatic_spread,omitempty"`
	HistologicalGrade  int32     `json:"histological_grade,omitempty"`
	Ascites            int32     `json:"ascites,omitempty"`
	Encephalopathy     int32     `json:"encephalopathy,omitempty"`
	AcuteFailure       bool      `json:"acute_failure,omitempty"`
	PortalThrombosis   *bool     `json:"portal_vein_thrombosis,omitempty"`
	RefractoryAscites  *bool     `json:"refractory_ascites,omitempty"`
	ImagingOn          string    `json:"imaging_on,omitempty"`
}

// Kidney is what only a kidney referral carries.
type Kidney struct {
	EGFR          *float64 `json:"egfr,omitempty"` // mL/min/1.73 m2
	DialysisStart string   `json:"dialysis_start,omitempty"`
	Modality      string   `json:"modality,omitempty"` // NONE, HAEMODIALYSIS, PERITONEAL
	Access        string   `json:"access,omitempty"`
	UrineMlDay    *int32   `json:"urine_ml_day,omitempty"`
	Diabetes      string   `json:"diabetes,omitempty"` // NONE, TYPE_1, TYPE_2, OTHER
}

// Fitness is the patient's state for travelling.
type Fitness struct {
	Oxygen               bool `json:"oxygen,omitempty"`
	Infusion             bool `json:"infusion,omitempty"`
	Ventilated           bool `json:"ventilated,omitempty"`
	ECMO                 bool `json:"ecmo,omitempty"`
	Vasoactive           bool `json:"vasoactive,omitempty"`
	Stretcher            bool `json:"stretcher,omitempty"`
	ReducedConsciousness bool `json:"reduced_consciousness,omitempty"`
}

// mgPerDL, gPerDL and the factors convert to the units of the formulas.
const (
	creatinineFactor = 88.4
	bilirubinFactor  = 17.1
	albuminFactor    = 10
)

func in(q *Quantity, target string, factor float64) (float64, bool) {
	if q == nil {
		return 0, false
	}
	if q.Unit == target {
		return q.Value, true
	}
	return q.Value / factor, true
}

func (l *Labs) creatinine() (float64, bool) { return in(l.Creatinine, MgPerDL, creatinineFactor) }
func (l *Labs) bilirubin() (float64, bool)  { return in(l.Bilirubin, MgPerDL, bilirubinFactor) }
func (l *Labs) albumin() (float64, bool)    { return in(l.Albumin, GPerDL, albuminFactor) }
