package planner

import "time"

// measures are the numbers by which the rules grade the state; 0 is not measured.
var measures = map[string]func(Fitness) int32{
	"heart_rate":       func(f Fitness) int32 { return f.HeartRate },
	"systolic":         func(f Fitness) int32 { return f.Systolic },
	"respiratory_rate": func(f Fitness) int32 { return f.RespiratoryRate },
	"spo2":             func(f Fitness) int32 { return f.SpO2 },
	"gcs":              func(f Fitness) int32 { return f.GCS },

	"days_since_infarction":   func(f Fitness) int32 { return f.DaysSinceInfarction },
	"days_since_pneumothorax": func(f Fitness) int32 { return f.DaysSincePneumothorax },
}

// dimensions are what the grade is the worst of.
var dimensions = []string{"mobility", "vitals", "consciousness", "breathing", "circulation", "problem"}

// EscortRow asks for a grade for those with the item, or with a measure below or above a bound.
type EscortRow struct {
	Dimension string `yaml:"dimension"`
	When      string `yaml:"when"`
	Measure   string `yaml:"measure"`
	Below     int32  `yaml:"below"`
	Above     int32  `yaml:"above"`
	Grade     string `yaml:"grade"`
	Text      `yaml:",inline"`
}

// Problem is a main problem (主要病情) and the grade it asks for.
type Problem struct {
	Code  string `yaml:"code"`
	Grade string `yaml:"grade"`
	Text  `yaml:",inline"`
}

var grades = map[string]Escort{"E0": EscortNone, "E1": EscortFamily, "E2": EscortNurse, "E3": EscortDoctor, "E4": EscortICU}

// String is the grade as the rules write it.
func (e Escort) String() string {
	for name, grade := range grades {
		if grade == e {
			return name
		}
	}
	return ""
}

func (row *EscortRow) holds(f Fitness) bool {
	if row.When != "" {
		return items[row.When](f)
	}
	n := measures[row.Measure](f)
	return n > 0 && (row.Below > 0 && n < row.Below || row.Above > 0 && n > row.Above)
}

// Escort returns the grade the worst of all dimensions asks for.
func (r *Rules) Escort(f Fitness) Escort {
	worst, _ := r.Grade(f)
	return worst
}

// Grade returns the grade the worst of all dimensions asks for, and what of the state asks for it; nothing does for E0.
func (r *Rules) Grade(f Fitness) (worst Escort, because []Text) {
	worst = EscortNone
	take := func(name string, text Text) {
		switch grade := grades[name]; {
		case grade > worst:
			worst, because = grade, []Text{text}
		case grade == worst && grade > EscortNone:
			because = append(because, text)
		}
	}
	for i := range r.Escorts {
		if row := &r.Escorts[i]; row.holds(f) {
			take(row.Grade, row.Text)
		}
	}
	for _, p := range r.Problems {
		if p.Code == f.Problem {
			take(p.Grade, p.Text)
		}
	}
	return worst, because
}

// KnownProblem reports whether the rules grade the main problem; none is known.
func (r *Rules) KnownProblem(code string) bool {
	for _, p := range r.Problems {
		if p.Code == code {
			return true
		}
	}
	return code == ""
}

// hours is how many seconds an escort may be on the way; 0: no bound.
func (r *Rules) hours(e Escort) int32 { return int32(r.Hours[e.String()] * 3600) }

// outOfHours says why a way is too long for the escort, who has been on duty for so long at its end, or for the vehicle,
// which takes it from its beginning.
func (r *Rules) outOfHours(mode Mode, e Escort, duty, took time.Duration) (Text, bool) {
	for _, of := range []struct {
		name string
		is   time.Duration
	}{{e.String(), duty}, {string(mode), took}} {
		if most := r.Hours[of.name]; most > 0 && of.is > time.Duration(most)*time.Hour {
			return say("门到门 %s，超过 %s 的 %d 小时工时上限", "takes %s door to door, over the %[2]s limit of %[3]d working hours",
				hoursMinutes(of.is), of.name, most), true
		}
	}
	return Text{}, false
}
