package ranking

import "fmt"

// The codes of exclusions, as the contract publishes them.
const (
	NoProgram        = "NO_PROGRAM"
	NotLicensed      = "NOT_LICENSED"
	LicenceSuspended = "LICENCE_SUSPENDED"
	LicenceRevoked   = "LICENCE_REVOKED"
	ProgramClosed    = "PROGRAM_CLOSED"
	Age              = "AGE"
	BMI              = "BMI"
	Retransplant     = "RETRANSPLANT"
	ABOIncompatible  = "ABO_INCOMPATIBLE"
	LivingDonor      = "LIVING_DONOR"
	ActiveInfection  = "ACTIVE_INFECTION"
	HIV              = "HIV"
	InfectionPolicy  = "INFECTION"
	HCCBeyond        = "HCC_BEYOND_CRITERIA"
	CallInWindow     = "CALL_IN_WINDOW"
	PatientRefuses   = "PATIENT_REFUSES"
)

// The changes that would lift an exclusion, by who would have to make them.
var (
	itsOwn = Remark{"须由该中心调整其收治标准。", "The center would have to change its own criteria."}
	never  = Remark{"须卫生健康部门给予该器官移植资质。", "The health authority would have to license the center for this organ."}
)

// reason tells one exclusion.
func (r *Ranking) reason(k int, row *row, f *Found) Exclusion {
	p, a := row.program, &r.asked
	if i := k - int(infected); i >= 0 && i < len(names) {
		return infection(i)
	}
	switch reasonKind(k) {
	case patientRefuses:
		return exclusion(PatientRefuses, "患者不愿前往该中心。", "The patient refuses this center.", "须患者撤回拒绝。", "The patient would have to take the refusal back.")
	case noProgram:
		return Exclusion{NoProgram, Remark{"该中心没有此器官的移植项目。", "The center has no program for this organ."}, never}
	case notLicensed:
		return exclusion(NotLicensed, fmt.Sprintf("该器官移植资质有效期为%s至%s。", p.Licence.ValidFrom, p.Licence.ValidTo),
			fmt.Sprintf("The licence for this organ runs from %s to %s.", p.Licence.ValidFrom, p.Licence.ValidTo),
			"须有在当日有效的资质，由运营登记。", "A licence valid on the day would have to be recorded by operations.")
	case suspended:
		return exclusion(LicenceSuspended, "该器官移植资质已被暂停。", "The licence for this organ is suspended.", "须恢复资质。", "The suspension would have to be lifted.")
	case revoked:
		return Exclusion{LicenceRevoked, Remark{"该器官移植资质已被撤销。", "The licence for this organ was revoked."}, never}
	case closed:
		return exclusion(ProgramClosed, "该移植项目目前不接收转诊。", "The program takes no referrals now.", "须该中心重新开放项目。", "The center would have to open the program again.")
	case noAdults:
		return Exclusion{Age, Remark{"该项目不收成人。", "The program takes no adults."}, itsOwn}
	case noChildren:
		return Exclusion{Age, Remark{"该项目不收18岁以下患者。", "The program takes no patients under 18."}, itsOwn}
	case tooYoung:
		return exclusion(Age, fmt.Sprintf("患者%d岁，低于该项目下限%d岁。", a.age, *p.Criteria.MinAge),
			fmt.Sprintf("The patient is %d, below the program's limit of %d.", a.age, *p.Criteria.MinAge),
			fmt.Sprintf("满%d岁后可接收。", *p.Criteria.MinAge), fmt.Sprintf("From the age of %d on.", *p.Criteria.MinAge))
	case tooOld:
		return Exclusion{Age, Remark{
			fmt.Sprintf("患者%d岁，超过该项目上限%d岁。", a.age, *p.Criteria.MaxAge),
			fmt.Sprintf("The patient is %d, above the program's limit of %d.", a.age, *p.Criteria.MaxAge),
		}, itsOwn}
	case tooHeavy:
		limit := decimal(*p.Criteria.MaxBMI)
		return exclusion(BMI, fmt.Sprintf("体重指数%.1f，超过该项目上限%s。", a.bmi, limit), fmt.Sprintf("Body mass index %.1f is above the program's limit of %s.", a.bmi, limit),
			"体重指数须不超过"+limit+"。", "The body mass index would have to be "+limit+" or less.")
	case retransplant:
		return Exclusion{Retransplant, Remark{"该项目不收再次移植患者。", "The program takes no patients with a previous transplant."}, itsOwn}
	case acrossABO:
		return Exclusion{ABOIncompatible, Remark{"患者需要血型不合移植，该项目不开展。", "The patient needs an ABO-incompatible transplant; the program does none."}, itsOwn}
	case livingDonor:
		return exclusion(LivingDonor, "该项目不开展活体移植。", "The program does not work with living donors.",
			"须不走活体途径，或由该中心调整其收治标准。", "The living donor route would have to be left, or the center change its criteria.")
	case hccBeyond:
		if row.set == setNone {
			return Exclusion{HCCBeyond, Remark{"该项目不收肝细胞癌患者。", "The program takes no patients with hepatocellular carcinoma."}, itsOwn}
		}
		return exclusion(HCCBeyond, "肿瘤超出该项目采用的"+setZh[row.set]+"标准。", "The tumour is beyond the "+setEn[row.set]+" criteria the program follows.",
			"须经降期治疗后复查符合该标准。", "After down-staging, a new finding within these criteria.")
	}
	window := p.Criteria.CallInMinutes
	if f.NoWay {
		return exclusion(CallInWindow, fmt.Sprintf("未找到可行路线，无法在%d分钟内到达。", window), fmt.Sprintf("No way was found, so the call-in window of %d minutes cannot be met.", window),
			fmt.Sprintf("须有%d分钟内到达的路线，例如在当地候诊居住。", window), fmt.Sprintf("A way within %d minutes, such as staying nearby while listed.", window))
	}
	return exclusion(CallInWindow, fmt.Sprintf("门到门需%d分钟，超过召回时限%d分钟。", *f.DoorToDoor, window),
		fmt.Sprintf("Door to door takes %d minutes, more than the call-in window of %d.", *f.DoorToDoor, window),
		fmt.Sprintf("须能在%d分钟内到达，例如在当地候诊居住。", window), fmt.Sprintf("Arrival within %d minutes, such as by staying nearby while listed.", window))
}

func infection(i int) Exclusion {
	switch i {
	case 0:
		return exclusion(ActiveInfection, "患者有活动性感染，控制后方可接收。", "The patient has an active infection; it is to be treated first.",
			"须控制感染并重新登记。", "The infection treated, and recorded as such.")
	case 3:
		return Exclusion{HIV, Remark{"该项目不收HIV阳性患者。", "The program takes no HIV positive patients."}, itsOwn}
	}
	return Exclusion{InfectionPolicy, Remark{"该项目不收" + names[i].Zh + "患者。", "The program takes no patients with " + names[i].En + "."}, itsOwn}
}

func exclusion(code, zh, en, changeZh, changeEn string) Exclusion {
	return Exclusion{code, Remark{zh, en}, Remark{changeZh, changeEn}}
}

var (
	setZh = [setCount]string{setMilan: "米兰", setUCSF: "UCSF", setHangzhou: "杭州", setFudan: "复旦"}
	setEn = [setCount]string{setMilan: "Milan", setUCSF: "UCSF", setHangzhou: "Hangzhou", setFudan: "Fudan"}
)
