package clinical

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
)

// bound is what a value of a living patient can be, and the units it is mistaken for: a value in the other unit times
// factor is the value in this one.
type bound struct {
	path, unit string
	low, high  float64
	others     []mistaken
}

type mistaken struct {
	unit   string
	factor float64
}

var bounds = []bound{
	{"height_cm", "cm", 25, 250, []mistaken{{"m", 100}, {"mm", 0.1}}},
	{"weight_kg", "kg", 0.5, 400, []mistaken{{"g", 0.001}}},
	{"labs.creatinine_umol_l", UmolPerL, 5, 3000, []mistaken{{MgPerDL, creatinineFactor}}},
	{"labs.creatinine_mg_dl", MgPerDL, 0.05, 34, []mistaken{{UmolPerL, 1 / creatinineFactor}}},
	{"labs.bilirubin_umol_l", UmolPerL, 1, 1500, []mistaken{{MgPerDL, bilirubinFactor}}},
	{"labs.bilirubin_mg_dl", MgPerDL, 0.05, 88, []mistaken{{UmolPerL, 1 / bilirubinFactor}}},
	{"labs.albumin_g_l", GPerL, 8, 80, []mistaken{{GPerDL, albuminFactor}}},
	{"labs.albumin_g_dl", GPerDL, 0.8, 8, []mistaken{{GPerL, 1.0 / albuminFactor}}},
	{"liver.hcc_nodules_cm", "cm", 0.1, 30, []mistaken{{"mm", 0.1}}},
	{"kidney.urine_ml_day", "mL/d", 0, 15000, nil},
	{"cardiac_workup.lvef_percent", "%", 5, 90, []mistaken{{"fraction", 100}}},
	{"cardiac_workup.pasp_mmhg", "mmHg", 5, 150, []mistaken{{"kPa", 7.50062}}},
	{"heart.lvef_percent", "%", 5, 90, []mistaken{{"fraction", 100}}},
	{"heart.pvr_wood", "Wood", 0.1, 30, []mistaken{{"dyn.s/cm5", 1.0 / 80}}},
	{"heart.pvr_dyn_s_cm5", "dyn.s/cm5", 8, 2400, []mistaken{{"Wood", 80}}},
	{"heart.tpg_mmhg", "mmHg", -5, 60, nil},
	{"heart.peak_vo2_ml_kg_min", "mL/kg/min", 3, 80, []mistaken{{"L/min", 1000.0 / 70}}},
	{"lung.fvc_percent", "%", 5, 160, []mistaken{{"fraction", 100}}},
	{"lung.fev1_percent", "%", 5, 160, []mistaken{{"fraction", 100}}},
	{"lung.oxygen_rest_l_min", "L/min", 0, 60, nil},
	{"lung.pa_systolic_mmhg", "mmHg", 5, 150, []mistaken{{"kPa", 7.50062}}},
	{"lung.pa_mean_mmhg", "mmHg", 3, 100, []mistaken{{"kPa", 7.50062}}},
	{"lung.six_minute_walk_m", "m", 0, 900, nil},
	{"lung.pco2_mmhg", "mmHg", 15, 150, []mistaken{{"kPa", 7.50062}}},
	{"lung.pco2_kpa", "kPa", 2, 20, []mistaken{{"mmHg", 1 / 7.50062}}},
	{"pancreas.c_peptide_ng_ml", "ng/mL", 0, 20, []mistaken{{"pmol/L", 3.02 / 1000}}},
	{"pancreas.c_peptide_nmol_l", "nmol/L", 0, 6.6, []mistaken{{"pmol/L", 1.0 / 1000}, {"ng/mL", 1 / 3.02}}},
	{"pancreas.insulin_units_day", "U/d", 0, 500, nil},
	{"pancreas.hba1c_percent", "%", 3, 20, []mistaken{{"mmol/mol", 1.0 / 10.93}}},
	{"pancreas.hba1c_mmol_mol", "mmol/mol", 9, 195, nil},
	{"small_bowel.remaining_bowel_cm", "cm", 0, 800, []mistaken{{"mm", 0.1}}},
	{"child.height_z", "z", -10, 10, nil},
	{"child.weight_z", "z", -10, 10, nil},
	{"child.head_z", "z", -10, 10, nil},
}

var unitSuffix = map[string]string{UmolPerL: "_umol_l", MgPerDL: "_mg_dl", GPerL: "_g_l", GPerDL: "_g_dl"}

// Check refuses what no patient can have. A value outside its bounds that lies within them in another unit is refused with
// that unit named; the value itself is not repeated. born is the patient's day of birth, which no other day precedes.
// Faults: VALUE_IMPLAUSIBLE, TIME_INVALID, FIELD_INVALID for data that contradict one another.
func Check(c *Clinical, born string, now time.Time) error {
	numbers := numbersOf(c)
	for _, b := range bounds {
		for _, v := range numbers[b.path] {
			if v < b.low || v > b.high {
				return b.refuse(v)
			}
		}
	}
	if err := checkDays(c, born, now); err != nil {
		return err
	}
	return contradictions(c)
}

func (b bound) refuse(v float64) error {
	f := fault.New(fault.InvalidArgument, fault.ValueImplausible, "clinical."+b.path,
		"No patient has this value in "+b.unit+".", "该数值以"+b.unit+"计不合理。").With("unit", b.unit)
	for _, other := range b.others {
		if x := v * other.factor; x >= b.low && x <= b.high {
			f.En, f.Zh = "This value is not plausible in "+b.unit+", but is in "+other.unit+": look for a mistaken unit.",
				"该数值以"+b.unit+"计不合理，以"+other.unit+"计则合理，请核对单位。"
			return f.With("suspected_unit", other.unit)
		}
	}
	return f
}

// numbersOf are the numbers of a record by path; a list has several, and a path with a unit ends with it.
func numbersOf(c *Clinical) map[string][]float64 {
	numbers := map[string][]float64{}
	units := map[string]string{}
	walk(tree(c), "", true, func(path string, v any) {
		list, _, _ := strings.Cut(path, "[")
		if name, renamed := contract[list]; renamed {
			list = name
		}
		switch x := v.(type) {
		case float64:
			numbers[list] = append(numbers[list], x)
		case string:
			if of, is := strings.CutSuffix(list, ".unit"); is {
				units[of] = x
			}
		}
	})
	for path, unit := range units {
		numbers[path+unitSuffix[unit]] = numbers[path+".value"]
	}
	return numbers
}

func checkDays(c *Clinical, born string, now time.Time) error {
	var wrong []string
	walk(tree(c), "", true, func(path string, v any) {
		day, is := v.(string)
		if !is || day == "" || !strings.HasSuffix(path, "_on") && !strings.HasSuffix(path, "_date") && !strings.HasSuffix(path, "_start") {
			return
		}
		t, err := time.ParseInLocation(time.DateOnly, day, clock.Shanghai)
		if err != nil || t.After(now) || day < born {
			wrong = append(wrong, path)
		}
	})
	if len(wrong) > 0 {
		return badDay(slices.Min(wrong), "The day is no day of the patient's past.", "日期无效、在将来或早于出生日期。")
	}
	for i, m := range c.Malignancies {
		if m.RemissionOn != "" && m.RemissionOn < m.DiagnosedOn {
			return badDay("malignancies["+strconv.Itoa(i)+"].remission_on", "The remission precedes the diagnosis.", "缓解日期早于诊断日期。")
		}
	}
	for i, t := range c.Transplants {
		if t.FailedOn != "" && t.FailedOn < t.TransplantedOn {
			return badDay("transplant_history["+strconv.Itoa(i)+"].failed_on", "The failure precedes the operation.", "失功日期早于手术日期。")
		}
	}
	return nil
}

func badDay(path, en, zh string) error {
	return fault.New(fault.InvalidArgument, fault.TimeInvalid, "clinical."+path, en, zh)
}

func contradictions(c *Clinical) error {
	disagree := func(path string) error {
		return fault.New(fault.InvalidArgument, fault.FieldInvalid, "clinical."+path,
			"This datum contradicts another one of the record.", "该项与记录中的其他数据相矛盾。")
	}
	serology := or(c.Serology)
	for _, p := range []struct {
		path  string
		known *bool
		test  string
	}{
		{"serology.hiv", c.HIVPositive, serology.HIV}, {"serology.hbs_ag", c.HBVPositive, serology.HBsAg}, {"serology.hcv_rna", c.HCVPositive, serology.HCVRNA},
	} {
		if p.known != nil && (*p.known && p.test == "NEGATIVE" || !*p.known && p.test == "POSITIVE") {
			return disagree(p.path)
		}
	}
	if c.NoMalignancy != nil && *c.NoMalignancy && len(c.Malignancies) > 0 {
		return disagree("no_malignancy")
	}
	for i, m := range c.Malignancies {
		if m.Active != nil && *m.Active && m.RemissionOn != "" {
			return disagree("malignancies[" + strconv.Itoa(i) + "].active")
		}
	}
	if n := len(c.Transplants); n > 0 && c.PreviousTransplants != 0 && int(c.PreviousTransplants) != n {
		return disagree("previous_transplants")
	}
	if k := c.Kidney; k != nil && k.Modality == "NONE" && k.DialysisStart != "" {
		return disagree("kidney.modality")
	}
	if serology.TuberculosisActive != nil && *serology.TuberculosisActive && c.ActiveInfection != nil && !*c.ActiveInfection {
		return disagree("serology.tuberculosis_active")
	}
	if c.NeedsABOIncompat && !c.AcceptsABOIncompat {
		return disagree("needs_abo_incompatible")
	}
	im := or(c.Immunology)
	for _, p := range []struct {
		path      string
		now, peak *float64
	}{
		{"immunology.cpra_peak_percent", c.CPRAPercent, im.CPRAPeakPercent},
		{"immunology.pra_class1_peak_percent", im.PRAClass1Percent, im.PRAClass1PeakPercent},
		{"immunology.pra_class2_peak_percent", im.PRAClass2Percent, im.PRAClass2PeakPercent},
	} {
		if p.now != nil && p.peak != nil && *p.peak < *p.now {
			return disagree(p.path)
		}
	}
	return nil
}
