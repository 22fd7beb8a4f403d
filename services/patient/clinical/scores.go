package clinical

import "math"

// Score is a computed score (评分); it ranks no one for an organ.
type Score struct {
	Name     string // with its version, such as "MELD 3.0"
	Value    float64
	Grade    string // Child-Pugh: A, B, C
	Inputs   map[string]float64
	TestDate string
}

// Scores computes every score the data allow, for a patient of this age and sex.
func Scores(c *Clinical, age int, female bool) []Score {
	if c.Organ != "LIVER" || c.Labs == nil {
		return nil
	}
	var scores []Score
	l := c.Labs
	bilirubin, okB := l.bilirubin()
	creatinine, okC := l.creatinine()
	albumin, okA := l.albumin()
	if l.INR != nil && okB && okC && age >= 12 {
		m := meld(bilirubin, *l.INR, creatinine, l.Dialysis)
		scores = append(scores, m)
		if l.Sodium != nil {
			scores = append(scores, meldNa(m.Value, m, *l.Sodium))
			if okA {
				scores = append(scores, meld3(bilirubin, *l.Sodium, *l.INR, creatinine, albumin, female, age < 18, l.Dialysis))
			}
		}
	}
	if c.Liver != nil && l.INR != nil && okB && okA && c.Liver.Ascites > 0 && c.Liver.Encephalopathy > 0 {
		scores = append(scores, childPugh(bilirubin, albumin, *l.INR, c.Liver.Ascites, c.Liver.Encephalopathy))
	}
	for i := range scores {
		scores[i].TestDate = l.TestDate
	}
	return scores
}

func between(low, x, high float64) float64 { return math.Min(math.Max(x, low), high) }

// meld is MELD of 2001 (Kamath et al.): floors 1, creatinine at most 4, dialysis counts as 4.
func meld(bilirubin, inr, creatinine float64, dialysis bool) Score {
	b, i, c := math.Max(bilirubin, 1), math.Max(inr, 1), between(1, creatinine, 4)
	if dialysis {
		c = 4
	}
	v := 3.78*math.Log(b) + 11.2*math.Log(i) + 9.57*math.Log(c) + 6.43
	return Score{Name: "MELD", Value: between(6, math.Round(v), 40), Inputs: map[string]float64{"bilirubin_mg_dl": b, "inr": i, "creatinine_mg_dl": c}}
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
	return Score{Name: "MELD-Na", Value: between(6, math.Round(v), 40), Inputs: inputs}
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
	switch {
	case minor:
		v += 7.33
	case female:
		v += 6 + 1.33
	default:
		v += 6
	}
	return Score{Name: "MELD 3.0", Value: between(6, math.Round(v), 40), Inputs: map[string]float64{
		"bilirubin_mg_dl": b, "sodium_mmol_l": na, "inr": i, "creatinine_mg_dl": c, "albumin_g_dl": a,
	}}
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
	return Score{Name: "Child-Pugh", Value: v, Grade: grade, Inputs: map[string]float64{
		"bilirubin_mg_dl": bilirubin, "albumin_g_dl": albumin, "inr": inr, "ascites": float64(ascites), "encephalopathy": float64(encephalopathy),
	}}
}
