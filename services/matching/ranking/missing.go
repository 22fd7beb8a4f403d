package ranking

import (
	"fmt"
	"slices"
	"strings"
)

// The data that may be missing, in the order they are named.
const (
	gapRecord     = "clinical"
	gapBMI        = "height_cm, weight_kg"
	gapPrevious   = "previous_transplants"
	gapInfection  = "active_infection"
	gapHIV        = "hiv_positive"
	gapHCC        = "liver.hcc"
	gapNodules    = "liver.hcc_nodules_cm"
	gapVascular   = "liver.vascular_invasion"
	gapSpread     = "liver.extrahepatic_spread"
	gapGrade      = "liver.histological_grade"
	gapAFP        = "labs.afp_ng_ml"
	gapCallIn     = "door_to_door (call-in)"
	gapDoor       = "door_to_door"
	gapBeds       = "free_beds"
	gapCapacity   = "capacity"
	gapWait       = "median_wait_days"
	gapSurvival   = "survival_tier"
	gapSelfPay    = "self_pay"
	gapPreferred  = "preferred_centers"
	gapRefused    = "refused_centers"
	centersListed = 10
)

var gapOrder = []string{
	gapRecord, gapBMI, gapPrevious, gapInfection, gapHIV, gapHCC, gapNodules, gapVascular, gapSpread, gapGrade, gapAFP, gapCallIn,
	gapDoor, gapBeds, gapCapacity, gapWait, gapSurvival, gapSelfPay, gapPreferred, gapRefused,
}

// gapTexts say what is missing and what it would change.
var gapTexts = map[string]Remark{
	gapRecord:    {"缺少临床资料：各中心的收治标准均未核对，补充后可能排除部分中心。", "No clinical record: the programs' criteria were not checked; with one, some centers may be excluded."},
	gapBMI:       {"缺少身高或体重：未核对体重指数上限，补充后可能排除：", "Height or weight is missing: the limit on body mass index was not checked; with it these may be excluded: "},
	gapPrevious:  {"缺少既往移植史：未核对再次移植限制，补充后可能排除：", "Previous transplants are not recorded: the limit on retransplants was not checked; with it these may be excluded: "},
	gapInfection: {"缺少活动性感染信息：补充后若为阳性将排除：", "Whether there is an active infection is not known; if so, these will be excluded: "},
	gapHIV:       {"缺少HIV结果：补充后若为阳性将排除：", "The HIV result is missing; if positive, these will be excluded: "},
	gapHCC:       {"缺少是否患肝细胞癌的信息：未核对肝癌标准，补充后可能排除：", "Whether there is hepatocellular carcinoma is not known: HCC criteria were not checked; with it these may be excluded: "},
	gapNodules:   {"缺少肝癌结节大小：未核对肝癌标准，补充后可能排除：", "The sizes of the nodules are missing: HCC criteria were not checked; with them these may be excluded: "},
	gapVascular:  {"缺少血管侵犯信息：补充后若有侵犯将排除：", "Whether vessels are invaded is not known; if so, these will be excluded: "},
	gapSpread:    {"缺少肝外转移信息：补充后若有转移将排除：", "Whether there is spread outside the liver is not known; if so, these will be excluded: "},
	gapGrade:     {"缺少肿瘤组织学分级：肿瘤总径超过8厘米，补充后可能排除：", "The histological grade is missing while the diameters exceed 8 cm in total; with it these may be excluded: "},
	gapAFP:       {"缺少甲胎蛋白：肿瘤总径超过8厘米，补充后可能排除：", "AFP is missing while the diameters exceed 8 cm in total; with it these may be excluded: "},
	gapCallIn:    {"路程时间未知：未核对召回时限，补充后可能排除：", "The travel time is not known: the call-in window was not checked; with it these may be excluded: "},
	gapDoor:      {"路程时间未知：该项计0分，补充后这些中心的得分只会提高：", "The travel time is not known and counts 0; with it the score of these can only rise: "},
	gapBeds:      {"资源池空床数未知：仅按中心申报计算，补充后可能降低得分：", "The pool's free beds are not known: only what the center declared counts; with them the score of these may fall: "},
	gapCapacity:  {"中心未申报接收能力：该项计0分，申报后得分只会提高：", "No capacity was declared and it counts 0; once declared the score of these can only rise: "},
	gapWait:      {"等待时间未知：该项计0分，补充后得分只会提高：", "The median wait is not known and counts 0; with it the score of these can only rise: "},
	gapSurvival:  {"生存率分档未知：该项计0分，补充后得分只会提高：", "The survival tier is not known and counts 0; with it the score of these can only rise: "},
	gapSelfPay:   {"预计自付费用未知：该项计0分，补充后得分只会提高：", "What the patient would pay is not known and counts 0; with it the score of these can only rise: "},
	gapPreferred: {"意向中心不在目录中，未计入：", "These preferred centers are not in the directory and were left aside: "},
	gapRefused:   {"拒绝的中心不在目录中，未计入：", "These refused centers are not in the directory and were left aside: "},
}

// gaps collects which datum was missing for which centers.
type gaps struct{ centers map[string][]string }

func newGaps() *gaps { return &gaps{map[string][]string{}} }

func (g *gaps) note(what, center string) {
	if !slices.Contains(g.centers[what], center) {
		g.centers[what] = append(g.centers[what], center)
	}
}

func (g *gaps) unknownChoices(in Input, candidates []Candidate) {
	for what, chosen := range map[string][]string{gapPreferred: in.Preferred, gapRefused: in.Refused} {
		for _, id := range chosen {
			if !slices.ContainsFunc(candidates, func(c Candidate) bool { return c.Center.ID == id }) {
				g.note(what, id)
			}
		}
	}
}

func (g *gaps) remarks(in Input) []Remark {
	var out []Remark
	if !in.Patient.Recorded {
		out = append(out, gapTexts[gapRecord])
	}
	for _, what := range gapOrder {
		centers := g.centers[what]
		if len(centers) == 0 {
			continue
		}
		text := gapTexts[what]
		slices.Sort(centers)
		zh, en := strings.Join(centers, "、"), strings.Join(centers, ", ")
		if n := len(centers); n > centersListed {
			zh = strings.Join(centers[:centersListed], "、") + fmt.Sprintf("等%d家", n)
			en = strings.Join(centers[:centersListed], ", ") + fmt.Sprintf(" and %d more", n-centersListed)
		}
		out = append(out, Remark{text.Zh + zh + "。", text.En + en + "."})
	}
	return out
}
