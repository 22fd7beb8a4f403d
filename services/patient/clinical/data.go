package clinical

// The names in JSON are the contract's field names, which are the paths that missing data and changes are told by.
// Codes are the contract's without their prefix; empty is not known, and so is a nil pointer.

// HLA is the patient's own tissue type; each locus has at most two antigens or alleles.
type HLA struct {
	A    []string `json:"a,omitempty"`
	B    []string `json:"b,omitempty"`
	Bw4  *bool    `json:"bw4,omitempty"`
	Bw6  *bool    `json:"bw6,omitempty"`
	C    []string `json:"c,omitempty"`
	DR   []string `json:"dr,omitempty"`
	DR51 *bool    `json:"dr51,omitempty"`
	DR52 *bool    `json:"dr52,omitempty"`
	DR53 *bool    `json:"dr53,omitempty"`
	DQA1 []string `json:"dqa1,omitempty"`
	DQB1 []string `json:"dqb1,omitempty"`
	DPA1 []string `json:"dpa1,omitempty"`
	DPB1 []string `json:"dpb1,omitempty"`
}

// Immunology is how sensitised the patient is.
type Immunology struct {
	HLA                  *HLA     `json:"hla,omitempty"`
	CPRAPeakPercent      *float64 `json:"cpra_peak_percent,omitempty"`
	PRAClass1Percent     *float64 `json:"pra_class1_percent,omitempty"`
	PRAClass2Percent     *float64 `json:"pra_class2_percent,omitempty"`
	PRAClass1PeakPercent *float64 `json:"pra_class1_peak_percent,omitempty"`
	PRAClass2PeakPercent *float64 `json:"pra_class2_peak_percent,omitempty"`
	CPRATestedOn         string   `json:"cpra_tested_on,omitempty"`
	DSADetected          *bool    `json:"dsa_detected,omitempty"`
	DSAPeakMFI           *int32   `json:"dsa_peak_mfi,omitempty"`
	DSATestedOn          string   `json:"dsa_tested_on,omitempty"`
}

// Serology is what is known of infections: NEGATIVE, POSITIVE, INDETERMINATE; empty for not known.
type Serology struct {
	HBsAg              string   `json:"hbs_ag,omitempty"`
	HBsAb              string   `json:"hbs_ab,omitempty"`
	HBcAb              string   `json:"hbc_ab,omitempty"`
	HBVDNAIUMl         *float64 `json:"hbv_dna_iu_ml,omitempty"`
	HCVAb              string   `json:"hcv_ab,omitempty"`
	HCVRNA             string   `json:"hcv_rna,omitempty"`
	HIV                string   `json:"hiv,omitempty"`
	Tuberculosis       string   `json:"tuberculosis,omitempty"`
	TuberculosisActive *bool    `json:"tuberculosis_active,omitempty"`
	CMVIgG             string   `json:"cmv_igg,omitempty"`
	CMVDNA             string   `json:"cmv_dna,omitempty"`
	EBVIgG             string   `json:"ebv_igg,omitempty"`
	EBVDNA             string   `json:"ebv_dna,omitempty"`
	Syphilis           string   `json:"syphilis,omitempty"`
	TestedOn           string   `json:"tested_on,omitempty"`
}

// Malignancy is a cancer the patient has or had.
type Malignancy struct {
	DiagnosisCode string `json:"diagnosis_code,omitempty"`
	DiagnosedOn   string `json:"diagnosed_on,omitempty"`
	RemissionOn   string `json:"remission_on,omitempty"`
	Active        *bool  `json:"active,omitempty"`
}

// CardiacWorkup is the work-up of the heart, for every organ.
type CardiacWorkup struct {
	PerformedOn     string   `json:"performed_on,omitempty"`
	LVEFPercent     *float64 `json:"lvef_percent,omitempty"`
	Ischaemia       *bool    `json:"ischaemia,omitempty"`
	CoronaryDisease *bool    `json:"coronary_disease,omitempty"`
	Arrhythmia      *bool    `json:"arrhythmia,omitempty"`
	PASPMmHg        *float64 `json:"pasp_mmhg,omitempty"`
}

// Social is how the patient lives, and who helps.
type Social struct {
	Smoking          string `json:"smoking,omitempty"`
	SmokingStoppedOn string `json:"smoking_stopped_on,omitempty"`
	Alcohol          string `json:"alcohol,omitempty"`
	AbstinentSinceOn string `json:"abstinent_since_on,omitempty"`
	ECOG             *int32 `json:"ecog,omitempty"`
	KarnofskyPercent *int32 `json:"karnofsky_percent,omitempty"`
	CarerAvailable   *bool  `json:"carer_available,omitempty"`
	CarerRelation    string `json:"carer_relation,omitempty"`
}

// Transplant is one the patient had.
type Transplant struct {
	Organ          string `json:"organ,omitempty"`
	TransplantedOn string `json:"transplanted_on,omitempty"`
	FailedOn       string `json:"failed_on,omitempty"`
}

// Drug the patient takes.
type Drug struct {
	Name              string `json:"name,omitempty"`
	Dose              string `json:"dose,omitempty"`
	Anticoagulant     *bool  `json:"anticoagulant,omitempty"`
	Immunosuppressant *bool  `json:"immunosuppressant,omitempty"`
}

// Allergy of the patient.
type Allergy struct {
	Substance string `json:"substance,omitempty"`
	Severity  string `json:"severity,omitempty"`
}

// Heart is what only a heart referral carries.
type Heart struct {
	NYHA             string   `json:"nyha,omitempty"`
	LVEFPercent      *float64 `json:"lvef_percent,omitempty"`
	Inotropes        *bool    `json:"inotropes,omitempty"`
	InotropesSinceOn string   `json:"inotropes_since_on,omitempty"`
	IABP             *bool    `json:"iabp,omitempty"`
	IABPSinceOn      string   `json:"iabp_since_on,omitempty"`
	ECMO             *bool    `json:"ecmo,omitempty"`
	ECMOSinceOn      string   `json:"ecmo_since_on,omitempty"`
	VAD              string   `json:"vad,omitempty"`
	VADSinceOn       string   `json:"vad_since_on,omitempty"`
	PVRWood          *float64 `json:"pvr_wood,omitempty"`
	PVRDynSCm5       *float64 `json:"pvr_dyn_s_cm5,omitempty"`
	TPGMmHg          *float64 `json:"tpg_mmhg,omitempty"`
	PeakVO2MlKgMin   *float64 `json:"peak_vo2_ml_kg_min,omitempty"`
	CatheterOn       string   `json:"catheter_on,omitempty"`
}

// Lung is what only a lung referral carries.
type Lung struct {
	Group             string   `json:"group,omitempty"`
	FVCPercent        *float64 `json:"fvc_percent,omitempty"`
	FEV1Percent       *float64 `json:"fev1_percent,omitempty"`
	OxygenRestLMin    *float64 `json:"oxygen_rest_l_min,omitempty"`
	Ventilated        *bool    `json:"ventilated,omitempty"`
	VentilatedSinceOn string   `json:"ventilated_since_on,omitempty"`
	ECMO              *bool    `json:"ecmo,omitempty"`
	ECMOSinceOn       string   `json:"ecmo_since_on,omitempty"`
	PASystolicMmHg    *float64 `json:"pa_systolic_mmhg,omitempty"`
	PAMeanMmHg        *float64 `json:"pa_mean_mmhg,omitempty"`
	SixMinuteWalkM    *int32   `json:"six_minute_walk_m,omitempty"`
	PCO2MmHg          *float64 `json:"pco2_mmhg,omitempty"`
	PCO2KPa           *float64 `json:"pco2_kpa,omitempty"`
	TestedOn          string   `json:"tested_on,omitempty"`
}

// Pancreas is what only a pancreas referral carries.
type Pancreas struct {
	CPeptideNgMl             *float64 `json:"c_peptide_ng_ml,omitempty"`
	CPeptideNmolL            *float64 `json:"c_peptide_nmol_l,omitempty"`
	InsulinUnitsDay          *float64 `json:"insulin_units_day,omitempty"`
	HypoglycaemiaUnawareness *bool    `json:"hypoglycaemia_unawareness,omitempty"`
	Route                    string   `json:"route,omitempty"`
	HbA1cPercent             *float64 `json:"hba1c_percent,omitempty"`
	HbA1cMmolMol             *float64 `json:"hba1c_mmol_mol,omitempty"`
}

// SmallBowel is what only a small bowel referral carries.
type SmallBowel struct {
	TPNStartOn                string   `json:"tpn_start_on,omitempty"`
	LiverDiseaseFromNutrition *bool    `json:"liver_disease_from_nutrition,omitempty"`
	LineSepsisPastYear        *int32   `json:"line_sepsis_past_year,omitempty"`
	LostVenousAccess          *int32   `json:"lost_venous_access,omitempty"`
	RemainingBowelCm          *float64 `json:"remaining_bowel_cm,omitempty"`
}

// Child is what only a child's referral carries.
type Child struct {
	HeightZ              *float64 `json:"height_z,omitempty"`
	WeightZ              *float64 `json:"weight_z,omitempty"`
	HeadZ                *float64 `json:"head_z,omitempty"`
	MeasuredOn           string   `json:"measured_on,omitempty"`
	VaccinesComplete     *bool    `json:"vaccines_complete,omitempty"`
	LiveVaccinePastMonth *bool    `json:"live_vaccine_past_month,omitempty"`
	GuardianConsents     *bool    `json:"guardian_consents,omitempty"`
	DevelopmentDelay     *bool    `json:"development_delay,omitempty"`
	GestationWeeks       *int32   `json:"gestation_weeks,omitempty"`
}
