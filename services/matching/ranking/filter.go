package ranking

import (
	"fmt"
	"slices"
	"strconv"
)

// The codes of exclusions, as the contract publishes them.
const (
	NoProgram        = "NO_PROGRAM"
	NotLicensed      = "NOT_LICENSED"
	LicenceSuspended = "LICENCE_SUSPENDED"
	ProgramClosed    = "PROGRAM_CLOSED"
	Age              = "AGE"
	BMI              = "BMI"
	Retransplant     = "RETRANSPLANT"
	LivingDonor      = "LIVING_DONOR"
	ActiveInfection  = "ACTIVE_INFECTION"
	HIV              = "HIV"
	HCCBeyond        = "HCC_BEYOND_CRITERIA"
	CallInWindow     = "CALL_IN_WINDOW"
	PatientRefuses   = "PATIENT_REFUSES"
)

const adultAge = 18

// filter returns every reason why the center may not take the patient, and notes what could not be judged.
func filter(in Input, c *Candidate, gaps *gaps) []Exclusion {
	var out []Exclusion
	exclude := func(code, zh, en string) { out = append(out, Exclusion{code, Remark{zh, en}}) }
	if slices.Contains(in.Refused, c.Center.ID) {
		exclude(PatientRefuses, "患者不愿前往该中心。", "The patient refuses this center.")
	}
	program := c.Center.Program(in.Organ)
	if program == nil {
		exclude(NoProgram, "该中心没有此器官的移植项目。", "The center has no program for this organ.")
		return out
	}
	if l := program.Licence; !l.Dated(day(in)) {
		exclude(NotLicensed, fmt.Sprintf("该器官移植资质有效期为%s至%s。", l.ValidFrom, l.ValidTo),
			fmt.Sprintf("The licence for this organ runs from %s to %s.", l.ValidFrom, l.ValidTo))
	}
	if program.Licence.Suspended {
		exclude(LicenceSuspended, "该器官移植资质已被暂停。", "The licence for this organ is suspended.")
	}
	if !program.Open {
		exclude(ProgramClosed, "该移植项目目前不接收转诊。", "The program takes no referrals now.")
	}

	p, limits := in.Patient, program.Criteria
	adult := p.Age >= adultAge
	switch {
	case adult && !program.Adults:
		exclude(Age, "该项目不收成人。", "The program takes no adults.")
	case !adult && !program.Children:
		exclude(Age, "该项目不收18岁以下患者。", "The program takes no patients under 18.")
	}
	if limits.MinAge != nil && p.Age < *limits.MinAge {
		exclude(Age, fmt.Sprintf("患者%d岁，低于该项目下限%d岁。", p.Age, *limits.MinAge),
			fmt.Sprintf("The patient is %d, below the program's limit of %d.", p.Age, *limits.MinAge))
	}
	if limits.MaxAge != nil && p.Age > *limits.MaxAge {
		exclude(Age, fmt.Sprintf("患者%d岁，超过该项目上限%d岁。", p.Age, *limits.MaxAge),
			fmt.Sprintf("The patient is %d, above the program's limit of %d.", p.Age, *limits.MaxAge))
	}
	if limits.MaxBMI != nil {
		switch {
		case p.BMI == nil:
			gaps.note(gapBMI, c.Center.ID)
		case *p.BMI > *limits.MaxBMI:
			exclude(BMI, fmt.Sprintf("体重指数%.1f，超过该项目上限%s。", *p.BMI, decimal(*limits.MaxBMI)),
				fmt.Sprintf("Body mass index %.1f is above the program's limit of %s.", *p.BMI, decimal(*limits.MaxBMI)))
		}
	}
	if !limits.Retransplant {
		switch {
		case !p.Recorded:
			gaps.note(gapPrevious, c.Center.ID)
		case p.PreviousTransplants > 0:
			exclude(Retransplant, "该项目不收再次移植患者。", "The program takes no patients with a previous transplant.")
		}
	}
	if p.LivingDonorRoute && !limits.LivingDonor {
		exclude(LivingDonor, "该项目不开展活体移植。", "The program does not work with living donors.")
	}
	switch {
	case p.ActiveInfection == nil:
		gaps.note(gapInfection, c.Center.ID)
	case *p.ActiveInfection:
		exclude(ActiveInfection, "患者有活动性感染，控制后方可接收。", "The patient has an active infection; it is to be treated first.")
	}
	if !limits.HIV {
		switch {
		case p.HIV == nil:
			gaps.note(gapHIV, c.Center.ID)
		case *p.HIV:
			exclude(HIV, "该项目不收HIV阳性患者。", "The program takes no HIV positive patients.")
		}
	}
	if in.Organ == "LIVER" {
		tumour(p.Tumour, limits.HCCSet, c.Center.ID, exclude, gaps)
	}
	if window := limits.CallInMinutes; window > 0 {
		switch {
		case c.NoWay:
			exclude(CallInWindow, fmt.Sprintf("未找到可行路线，无法在%d分钟内到达。", window),
				fmt.Sprintf("No way was found, so the call-in window of %d minutes cannot be met.", window))
		case c.DoorToDoor == nil:
			gaps.note(gapCallIn, c.Center.ID)
		case *c.DoorToDoor > window:
			exclude(CallInWindow, fmt.Sprintf("门到门需%d分钟，超过召回时限%d分钟。", *c.DoorToDoor, window),
				fmt.Sprintf("Door to door takes %d minutes, more than the call-in window of %d.", *c.DoorToDoor, window))
		}
	}
	return out
}

func tumour(t *Tumour, set, center string, exclude func(code, zh, en string), gaps *gaps) {
	switch {
	case t == nil || t.Present == nil:
		gaps.note(gapHCC, center)
	case !*t.Present:
	case set == "":
		exclude(HCCBeyond, "该项目不收肝细胞癌患者。", "The program takes no patients with hepatocellular carcinoma.")
	default:
		switch t.within(set) {
		case no:
			exclude(HCCBeyond, "肿瘤超出该项目采用的"+setZh[set]+"标准。", "The tumour is beyond the "+setEn[set]+" criteria the program follows.")
		case unknown:
			for _, name := range t.lacks(set) {
				gaps.note(name, center)
			}
		}
	}
}

var (
	setZh = map[string]string{"MILAN": "米兰", "UCSF": "UCSF", "HANGZHOU": "杭州", "FUDAN": "复旦"}
	setEn = map[string]string{"MILAN": "Milan", "UCSF": "UCSF", "HANGZHOU": "Hangzhou", "FUDAN": "Fudan"}
)

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
