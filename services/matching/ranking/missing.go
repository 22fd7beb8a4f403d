package ranking

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"huhang.example/services/matching/directory"
)

// gap is one datum that may be missing about a center and a patient, in the order they are named.
type gap int

const (
	gapBMI gap = iota
	gapPrevious
	gapInfection                    // one for each of directory.Infections
	gapPolicy    = gapInfection + 8 // likewise: what the program says of it
	gapHCC       = gapPolicy + 8
	gapNodules   = gapHCC + 1
	gapVascular  = gapHCC + 2
	gapSpread    = gapHCC + 3
	gapGrade     = gapHCC + 4
	gapAFP       = gapHCC + 5
	gapCallIn    = gapHCC + 6
	gapDoor      = gapHCC + 7
	gapBeds      = gapHCC + 8
	gapCapacity  = gapHCC + 9
	gapWait      = gapHCC + 10
	gapSurvival  = gapHCC + 11
	gapSelfPay   = gapHCC + 12
	gapCount     = gapHCC + 13
)

type gapSet uint64

func (g gap) set() gapSet { return 1 << g }

// Gap is a datum that is missing, or is not believed, and what it would change.
type Gap struct {
	// Datum is the field's path, such as "liver.vascular_invasion".
	Datum string `json:"datum"`
	// Code is the exclusion it decides, or Term the term it counts in; neither for a center the directory does not have.
	Code string `json:"code,omitempty"`
	Term string `json:"term,omitempty"`
	// Centers whose outcome it may change; empty: any.
	Centers []string `json:"centers,omitempty"`
	// In the reader's words.
	Remark
}

const centersListed = 10

type gapText struct {
	datum, code, term string
	Remark
}

// data are the fields of the clinical record that tell of directory.Infections, in their order.
var data = [8]string{
	"active_infection", "hbv_positive", "hcv_positive", "hiv_positive", "serology.tuberculosis_active", "serology.cmv_dna", "serology.ebv_dna", "serology.syphilis",
}

var gapTexts = func() (t [gapCount]gapText) {
	t[gapBMI] = gapText{"height_cm, weight_kg", BMI, "", Remark{"缺少身高或体重：未核对体重指数上限，补充后可能排除：", "Height or weight is missing: the limit on body mass index was not checked; with it these may be excluded: "}}
	t[gapPrevious] = gapText{"previous_transplants", Retransplant, "", Remark{"缺少既往移植史：未核对再次移植限制，补充后可能排除：", "Previous transplants are not recorded: the limit on retransplants was not checked; with it these may be excluded: "}}
	for i, name := range directory.Infections {
		n := names[i]
		t[int(gapInfection)+i] = gapText{data[i], infection(i).Code, "", Remark{
			"缺少" + n.Zh + "检查结果：若为阳性，以下中心将排除或要求先治疗：", "Whether there is " + n.En + " is not known; if so, these will be excluded or want it treated first: ",
		}}
		t[int(gapPolicy)+i] = gapText{"criteria.infections." + name, infection(i).Code, "", Remark{
			"以下中心未说明对" + n.Zh + "的收治政策，须向其确认：", "These have not said how they take patients with " + n.En + "; they are to be asked: ",
		}}
	}
	t[gapHCC] = gapText{"liver.hcc", HCCBeyond, "", Remark{"缺少是否患肝细胞癌的信息：未核对肝癌标准，补充后可能排除：", "Whether there is hepatocellular carcinoma is not known: HCC criteria were not checked; with it these may be excluded: "}}
	t[gapNodules] = gapText{"liver.hcc_nodules_cm", HCCBeyond, "", Remark{"缺少肝癌结节大小：未核对肝癌标准，补充后可能排除：", "The sizes of the nodules are missing: HCC criteria were not checked; with them these may be excluded: "}}
	t[gapVascular] = gapText{"liver.vascular_invasion", HCCBeyond, "", Remark{"缺少血管侵犯信息：补充后若有侵犯将排除：", "Whether vessels are invaded is not known; if so, these will be excluded: "}}
	t[gapSpread] = gapText{"liver.extrahepatic_spread", HCCBeyond, "", Remark{"缺少肝外转移信息：补充后若有转移将排除：", "Whether there is spread outside the liver is not known; if so, these will be excluded: "}}
	t[gapGrade] = gapText{"liver.histological_grade", HCCBeyond, "", Remark{"缺少肿瘤组织学分级：肿瘤总径超过8厘米，补充后可能排除：", "The histological grade is missing while the diameters exceed 8 cm in total; with it these may be excluded: "}}
	t[gapAFP] = gapText{"labs.afp_ng_ml", HCCBeyond, "", Remark{"缺少甲胎蛋白：肿瘤总径超过8厘米，补充后可能排除：", "AFP is missing while the diameters exceed 8 cm in total; with it these may be excluded: "}}
	t[gapCallIn] = gapText{"door_to_door_minutes", CallInWindow, "", Remark{"路程时间未知：未核对召回时限，补充后可能排除：", "The travel time is not known: the call-in window was not checked; with it these may be excluded: "}}
	t[gapDoor] = gapText{"door_to_door_minutes", "", TermDoor, Remark{"路程时间未知：该项计0分，补充后这些中心的得分只会提高：", "The travel time is not known and counts 0; with it the score of these can only rise: "}}
	t[gapBeds] = gapText{"free_beds", "", TermCapacity, Remark{"资源池空床数未知：仅按中心申报计算，补充后可能降低得分：", "The pool's free beds are not known: only what the center declared counts; with them the score of these may fall: "}}
	t[gapCapacity] = gapText{"capacity", "", TermCapacity, Remark{"中心未申报接收能力：该项计0分，申报后得分只会提高：", "No capacity was declared and it counts 0; once declared the score of these can only rise: "}}
	t[gapWait] = gapText{"median_wait_days", "", TermWait, Remark{"等待时间未知：该项计0分，补充后得分只会提高：", "The median wait is not known and counts 0; with it the score of these can only rise: "}}
	t[gapSurvival] = gapText{"survival_tier", "", TermSurvival, Remark{"生存率分档未知：该项计0分，补充后得分只会提高：", "The survival tier is not known and counts 0; with it the score of these can only rise: "}}
	t[gapSelfPay] = gapText{"estimated_self_pay", "", TermSelfPay, Remark{"预计自付费用未知：该项计0分，补充后得分只会提高：", "What the patient would pay is not known and counts 0; with it the score of these can only rise: "}}
	return t
}()

var (
	noRecord  = gapText{"clinical", "", "", Remark{"缺少临床资料：各中心的收治标准均未核对，补充后可能排除部分中心。", "No clinical record: the programs' criteria were not checked; with one, some centers may be excluded."}}
	strangers = [2]gapText{
		{"preferred_centers", "", TermPreference, Remark{"意向中心不在目录中，未计入：", "These preferred centers are not in the directory and were left aside: "}},
		{"refused_centers", PatientRefuses, "", Remark{"拒绝的中心不在目录中，未计入：", "These refused centers are not in the directory and were left aside: "}},
	}
)

// doubt is a datum that cannot be true; it counts as missing.
type doubt struct {
	datum, code string
	Remark
}

func doubtBMI(v float64) doubt {
	return doubt{"height_cm, weight_kg", BMI, Remark{
		fmt.Sprintf("体重指数%.1f不合理，请核对身高体重的数值与单位；暂按缺失处理。", v),
		fmt.Sprintf("A body mass index of %.1f cannot be: check height and weight and their units. It counts as missing.", v),
	}}
}

func doubtNodule(cm float64) doubt {
	return doubt{"liver.hcc_nodules_cm", HCCBeyond, Remark{
		fmt.Sprintf("结节直径%s厘米不合理，请核对单位（厘米）；暂按缺失处理。", decimal(cm)),
		fmt.Sprintf("A nodule of %s cm cannot be: check the unit (cm). The sizes count as missing.", decimal(cm)),
	}}
}

// missing names every datum that was missing or not believed.
func (r *Ranking) missing() (out []Gap) {
	if !r.q.Patient.Recorded {
		out = append(out, Gap{Datum: noRecord.datum, Remark: noRecord.Remark})
	}
	for _, d := range r.asked.doubts {
		out = append(out, Gap{Datum: d.datum, Code: d.code, Remark: d.Remark})
	}
	var centers [gapCount][]string
	for i, gaps := range r.gaps {
		for ; gaps != 0; gaps &= gaps - 1 {
			g := bits.TrailingZeros64(uint64(gaps))
			centers[g] = append(centers[g], r.board.rows[i].center.ID)
		}
	}
	for g := range centers {
		if len(centers[g]) > 0 {
			out = append(out, gapTexts[g].about(centers[g]))
		}
	}
	for i, ids := range r.asked.strangers {
		if len(ids) > 0 {
			out = append(out, strangers[i].about(slices.Sorted(slices.Values(ids))))
		}
	}
	return out
}

func (t gapText) about(centers []string) Gap {
	zh, en := strings.Join(centers, "、"), strings.Join(centers, ", ")
	if n := len(centers); n > centersListed {
		zh = strings.Join(centers[:centersListed], "、") + fmt.Sprintf("等%d家", n)
		en = strings.Join(centers[:centersListed], ", ") + fmt.Sprintf(" and %d more", n-centersListed)
	}
	return Gap{Datum: t.datum, Code: t.code, Term: t.term, Centers: centers, Remark: Remark{t.Zh + zh + "。", t.En + en + "."}}
}

// hints name, where no center is left, what alone keeps centers out: a mistyped datum shows there, and is not an empty
// list. The kinds that are one datum of the patient are looked at, each by itself.
func (r *Ranking) hints() (out []Remark) {
	programs := 0
	var alone [reasonCount][]string
	for _, e := range r.excluded {
		if r.board.rows[e.row].program != nil {
			programs++
		}
		if bits.OnesCount32(uint32(e.reasons)) == 1 {
			k := bits.TrailingZeros32(uint32(e.reasons))
			alone[k] = append(alone[k], r.board.rows[e.row].center.ID)
		}
	}
	out = append(out, Remark{
		fmt.Sprintf("没有可接收的中心：目录中%d家中心，其中%d家有此器官的移植项目，均因所列原因被排除。", len(r.board.rows), programs),
		fmt.Sprintf("No center is left: of %d in the directory %d have a program for this organ, each excluded for the reasons given.", len(r.board.rows), programs),
	})
	for k, ids := range alone {
		if reasonKind(k) == noProgram || len(ids) == 0 {
			continue
		}
		i, _ := r.board.find(ids[0])
		because := r.reason(k, &r.board.rows[i], &r.q.Found[i])
		told := gapText{"", "", "", Remark{
			"请先核对——仅因这一项（例如" + strings.TrimSuffix(because.Because.Zh, "。") + "）而被排除：",
			"Check this first: for this alone (such as: " + strings.TrimSuffix(because.Because.En, ".") + ") these are excluded: ",
		}}.about(ids)
		out = append(out, told.Remark)
	}
	return out
}
