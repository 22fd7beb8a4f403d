package sampleline

import (
	"fmt"
	"io"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	moneyv1 "huhang.example/gen/huhang/money/v1"
	organv1 "huhang.example/gen/huhang/organ/v1"
	patientv1 "huhang.example/gen/huhang/patient/v1"
	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	"huhang.example/services/internal/clock"
)

// IdentityNumber makes an invented identity number with a right check digit (GB 11643), for samples and tests.
func IdentityNumber(division, birth string, serial int) string {
	body := fmt.Sprintf("%s%s%03d", division, birth, serial%1000)
	weights := [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		sum += w * int(body[i]-'0')
	}
	return body + string("10X98765432"[sum%11])
}

func liverPatient(testDate string) *patientv1.Clinical {
	return &patientv1.Clinical{
		Organ: organv1.Organ_ORGAN_LIVER, DiagnosisCode: "K74.600", BloodGroup: organv1.BloodGroup_BLOOD_GROUP_A,
		RhPositive: proto.Bool(true), HeightCm: proto.Float64(170), WeightKg: proto.Float64(66),
		ActiveInfection: proto.Bool(false), HbvPositive: proto.Bool(true), HcvPositive: proto.Bool(false), HivPositive: proto.Bool(false),
		Labs: &patientv1.Labs{
			TestDate:   testDate,
			Creatinine: &patientv1.Labs_CreatinineUmolL{CreatinineUmolL: 97}, Bilirubin: &patientv1.Labs_BilirubinUmolL{BilirubinUmolL: 96},
			Albumin: &patientv1.Labs_AlbuminGL{AlbuminGL: 29}, Inr: proto.Float64(1.9), SodiumMmolL: proto.Float64(133), AfpNgMl: proto.Float64(310),
		},
		Liver: &patientv1.LiverData{
			Hcc: proto.Bool(true), HccNodulesCm: []float64{3.4, 2.1}, VascularInvasion: proto.Bool(false), ExtrahepaticSpread: proto.Bool(false),
			HistologicalGrade: 2, Ascites: 2, Encephalopathy: 1,
		},
		Fitness: &patientv1.Fitness{},
	}
}

// bill is the invented bill of the sample stay: code in the catalogue of 上海, name, unit price in fen, quantity in thousandths.
var bill = []struct {
	code, name string
	price      int64
	milli      int64
}{
	{"S-OP-LIVER", "示范肝移植手术", 4_500_000, 1000},
	{"S-ANES", "全身麻醉(示范项目)", 280_000, 1000},
	{"S-ICU", "重症监护床日费(示范项目)", 68_000, 9000},
	{"S-BED", "普通病床日费(示范项目)", 16_000, 18000},
	{"S-LAB", "移植检验套餐(示范项目)", 46_000, 26000},
	{"S-DRUG-A", "甲类药品(示范项目)", 620_000, 3000},
	{"S-DRUG-TAC", "抗排异药品乙类(示范项目)", 9_800, 560000},
	{"S-ALBUMIN", "人血白蛋白乙类(示范项目)", 42_000, 60000},
	{"S-CONS", "特殊耗材乙类(示范项目)", 1_350_000, 3000},
	{"S-SPECIAL", "特需服务丙类(示范项目)", 900_000, 2000},
}

func liverBill(day string) []*settlementv1.FeeLine {
	lines := make([]*settlementv1.FeeLine, 0, len(bill))
	for i, b := range bill {
		lines = append(lines, &settlementv1.FeeLine{
			LineNumber: int32(i + 1), ItemCode: b.code, ItemName: b.name, ServiceDate: day,
			Price: &moneyv1.Money{Fen: b.price}, QuantityMilli: b.milli, Amount: &moneyv1.Money{Fen: b.price * b.milli / 1000},
		})
	}
	return lines
}

var payers = map[settlementv1.Payer]string{
	settlementv1.Payer_PAYER_BASIC:            "基本医保统筹基金  basic fund",
	settlementv1.Payer_PAYER_SECOND_LAYER:     "大病保险          second layer",
	settlementv1.Payer_PAYER_CIVIL_SERVANT:    "公务员补助        civil servants",
	settlementv1.Payer_PAYER_ASSISTANCE:       "医疗救助          assistance",
	settlementv1.Payer_PAYER_COMMERCIAL:       "商业与慈善        commercial, charity",
	settlementv1.Payer_PAYER_PERSONAL_ACCOUNT: "个人账户          personal account",
	settlementv1.Payer_PAYER_CASH:             "个人现金          the patient, cash",
}

// PrintStatement writes the one bill (一单制) for people: every step, who pays what, and the sum.
func PrintStatement(w io.Writer, s *settlementv1.Statement) {
	_, _ = fmt.Fprintf(w, "\n一单制结算单  one bill  %s\n", s.GetSettlementId())
	_, _ = fmt.Fprintf(w, "  treated in %s (catalogue %s), insured in %s (policy %s)\n", s.GetProvince(),
		s.GetSplit().GetCatalogueVersion(), s.GetInsuredProvince(), s.GetSplit().GetPolicyVersion())
	for _, step := range s.GetSplit().GetSteps() {
		_, _ = fmt.Fprintf(w, "    %-24s %18s -> %18s  %s\n", step.GetRule(), Yuan(step.GetInput()), Yuan(step.GetResult()), step.GetBecauseZh())
	}
	var sum int64
	for _, share := range s.GetSplit().GetShares() {
		sum += share.GetAmount().GetFen()
		_, _ = fmt.Fprintf(w, "  %-42s %18s\n", payers[share.GetPayer()], Yuan(share.GetAmount()))
	}
	_, _ = fmt.Fprintf(w, "  %-42s %18s\n", "合计              sum = total of the bill", Yuan(&moneyv1.Money{Fen: sum}))
}

func shortTime(t *timestamppb.Timestamp) string {
	if t == nil {
		return "-"
	}
	return t.AsTime().In(clock.Shanghai).Format("01-02 15:04")
}

func minutes(m *int32) string {
	if m == nil {
		return "unknown"
	}
	return (time.Duration(*m) * time.Minute).String()
}

func yuanOrUnknown(m *moneyv1.Money) string {
	if m == nil {
		return "unknown"
	}
	return Yuan(m)
}
