package clinical

import "math"

// RulesVersion names the formulas and rules of this package; a stored score keeps the one it was computed by.
const RulesVersion = "2026-11"

// Score is a computed score (评分); it ranks no one for an organ.
type Score struct {
	Name     string             `json:"name"` // with its version, such as "MELD 3.0"
	Value    float64            `json:"value"`
	Grade    string             `json:"grade,omitempty"` // Child-Pugh: A, B, C
	Inputs   map[string]float64 `json:"inputs,omitempty"`
	TestDate string             `json:"test_date,omitempty"`
	Formula  string             `json:"formula"`
	Note     string             `json:"note,omitempty"`
}

// Person is what the formulas need of the patient: the age in full months on the day of the record, and on the day of the
// first registration for the organ.
type Person struct {
	Months, RegisteredMonths int
	Female                   bool
}

const (
	year       = 12
	pediatric  = 12 * year // PELD below, MELD from here on
	adolescent = 18 * year // registered below: MELD 3.0 for adolescents, for good
	infant     = year
	kept       = 24 // months up to which the term of those registered as infants is kept
)

// Scores computes every score the data allow.
func Scores(c *Clinical, of Person) []Score {
	var scores []Score
	if c.CPRAPercent != nil {
		s := Score{Name: "cPRA", Value: *c.CPRAPercent, Formula: "as given by the laboratory"}
		if c.Immunology != nil {
			s.TestDate = c.Immunology.CPRATestedOn
		}
		scores = append(scores, s)
	}
	if c.Organ != "LIVER" || c.Labs == nil {
		return scores
	}
	return append(scores, liverScores(c, of)...)
}

func liverScores(c *Clinical, of Person) []Score {
	var scores []Score
	l := c.Labs
	bilirubin, okB := l.bilirubin()
	creatinine, okC := l.creatinine()
	albumin, okA := l.albumin()
	growth, okG := c.growthFailure()
	if l.INR != nil && okB && okC && of.Months >= pediatric {
		m := meld(bilirubin, *l.INR, creatinine, l.Dialysis)
		scores = append(scores, m)
		if l.Sodium != nil {
			scores = append(scores, meldNa(m.Value, m, *l.Sodium))
			if okA {
				young := of.RegisteredMonths >= pediatric && of.RegisteredMonths < adolescent
				scores = append(scores, meld3(bilirubin, *l.Sodium, *l.INR, creatinine, albumin, of.Female, young, l.Dialysis))
			}
		}
	}
	if l.INR != nil && okB && okA && okG && of.Months < pediatric {
		scores = append(scores, peld(bilirubin, *l.INR, albumin, of.RegisteredMonths < infant && of.Months < kept, growth))
	}
	if c.Liver != nil && l.INR != nil && okB && okA && c.Liver.Ascites > 0 && c.Liver.Encephalopathy > 0 {
		scores = append(scores, childPugh(bilirubin, albumin, *l.INR, c.Liver.Ascites, c.Liver.Encephalopathy))
	}
	for i := range scores {
		scores[i].TestDate = l.TestDate
	}
	return scores
}

// growthFailure is a height or a weight more than two standard deviations below the mean of the age.
func (c *Clinical) growthFailure() (failure, known bool) {
	if c.Child == nil || c.Child.HeightZ == nil && c.Child.WeightZ == nil {
		return false, false
	}
	below := func(z *float64) bool { return z != nil && *z < -2 }
	return below(c.Child.HeightZ) || below(c.Child.WeightZ), true
}

func between(low, x, high float64) float64 { return math.Min(math.Max(x, low), high) }

// meld is MELD of 2001 (Kamath et al.): floors 1, creatinine at most 4, dialysis counts as 4.
func meld(bilirubin, inr, creatinine float64, dialysis bool) Score {
	b, i, c := math.Max(bilirubin, 1), math.Max(inr, 1), between(1, creatinine, 4)
	if dialysis {
		c = 4
	}
	v := 3.78*math.Log(b) + 11.2*math.Log(i) + 9.57*math.Log(c) + 6.43
	return Score{Name: "MELD", Formula: "MELD, Kamath et al. 2001", Value: between(6, math.Round(v), 40), Inputs: map[string]float64{"bilirubin_mg_dl": b, "inr": i, "creatinine_mg_dl": c}}
}

// meldNa is MELD-Na (2016): only where MELD is above 11, sodium within 125..137.
func meldNa(m float64, of Score, sodium float64) Score {
	na := between(125, sodium, 137)
	v := m
	if m > 11 {
		v = m + 1.32*(137-na) - 0.033*m*(137-na)
	}
	inputs := map[string]float64{"meld": m, "sodium_mmol_l": na}
	for k, x := range of.Inputs {
		inputs[k] = x
	}
	return Score{Name: "MELD-Na", Formula: "MELD-Na, Kim et al. 2008, bounds of 2016", Value: between(6, math.Round(v), 40), Inputs: inputs}
}

// meld3 is MELD 3.0 (Kim et al. 2021). For those registered at 12..17 the sex term is left out and the constant is 7.33.
func meld3(bilirubin, sodium, inr, creatinine, albumin float64, female, minor, dialysis bool) Score {
	b, i := math.Max(bilirubin, 1), math.Max(inr, 1)
	na, a, c := between(125, sodium, 137), between(1.5, albumin, 3.5), between(1, creatinine, 3)
	if dialysis {
		c = 3
	}
	v := 4.56*math.Log(b) + 0.82*(137-na) - 0.24*(137-na)*math.Log(b) + 9.09*math.Log(i) + 11.14*math.Log(c) +
		1.85*(3.5-a) - 1.83*(3.5-a)*math.Log(c)
	note := ""
	switch {
	case minor:
		v += 7.33
		note = "registered at 12 to 17: no sex term, constant 7.33"
	case female:
		v += 6 + 1.33
	default:
		v += 6
	}
	return Score{Name: "MELD 3.0", Formula: "MELD 3.0, Kim et al. 2021", Note: note, Value: between(6, math.Round(v), 40), Inputs: map[string]float64{
		"bilirubin_mg_dl": b, "sodium_mmol_l": na, "inr": i, "creatinine_mg_dl": c, "albumin_g_dl": a,
	}}
}

// peld is PELD (McDiarmid et al. 2002), for patients under 12: floors 1. Registered says that the patient was registered
// under one year of age and is under 24 months still; growth, that it is more than two standard deviations behind.
func peld(bilirubin, inr, albumin float64, registered, growth bool) Score {
	b, i, a := math.Max(bilirubin, 1), math.Max(inr, 1), math.Max(albumin, 1)
	inputs := map[string]float64{"bilirubin_mg_dl": b, "inr": i, "albumin_g_dl": a, "registered_under_one": 0, "growth_failure": 0}
	v := 0.480*math.Log(b) + 1.857*math.Log(i) - 0.687*math.Log(a)
	note := ""
	if registered {
		v += 0.436
		inputs["registered_under_one"] = 1
		note = "registered under 1 year: 0.436, kept to 24 months"
	}
	if growth {
		v += 0.667
		inputs["growth_failure"] = 1
	}
	return Score{Name: "PELD", Formula: "PELD, McDiarmid et al. 2002", Note: note, Value: math.Round(10 * v), Inputs: inputs}
}

// childPugh is the Child-Pugh class; ascites and encephalopathy come as 1..3.
func childPugh(bilirubin, albumin, inr float64, ascites, encephalopathy int32) Score {
	points := func(x, one, three float64) float64 {
		switch {
		case x < one:
			return 1
		case x <= three:
			return 2
		}
		return 3
	}
	albuminPoints := 2.0
	switch {
	case albumin > 3.5:
		albuminPoints = 1
	case albumin < 2.8:
		albuminPoints = 3
	}
	v := points(bilirubin, 2, 3) + albuminPoints + points(inr, 1.7, 2.3) + float64(ascites) + float64(encephalopathy)
	grade := "A"
	switch {
	case v >= 10:
		grade = "C"
	case v >= 7:
		grade = "B"
	}
	return Score{Name: "Child-Pugh", Formula: "Child-Pugh, Pugh et al. 1973, INR bounds", Value: v, Grade: grade, Inputs: map[string]float64{
		"bilirubin_mg_dl": bilirubin, "albumin_g_dl": albumin, "inr": inr, "ascites": float64(ascites), "encephalopathy": float64(encephalopathy),
	}}
}
