package supervision

import (
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"

	"gopkg.in/yaml.v3"

	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/policy"
)

// KindRules is the kind of document.
const KindRules = "supervision_rules"

//go:embed sample/*.yaml
var sample embed.FS

// Rule names what a finding is about.
type Rule string

// The rules.
const (
	SplitAdmission   Rule = "SPLIT_ADMISSION"   // 分解住院
	OverlappingStays Rule = "OVERLAPPING_STAYS" // 重叠住院
	HangingBed       Rule = "HANGING_BED"       // 挂床住院
	DrugPurchases    Rule = "DRUG_PURCHASES"    // 超频次购药
	DrugQuantity     Rule = "DRUG_QUANTITY"     // 超量开药
	CostOutlier      Rule = "COST_OUTLIER"      // 费用异常
	SharedPhone      Rule = "SHARED_PHONE"      // 一号多人
	DuplicatePayment Rule = "DUPLICATE_PAYMENT" // 重复报销
	IdentityMismatch Rule = "IDENTITY_MISMATCH" // 冒名就医
	RegionalAlarm    Rule = "REGIONAL_ALARM"    // 区域费用预警
	PovertyWarning   Rule = "POVERTY_WARNING"   // 因病致贫预警
)

// All lists the rules in the order in which they are told.
func All() []Rule {
	return []Rule{
		SplitAdmission, OverlappingStays, HangingBed, DrugPurchases, DrugQuantity, CostOutlier, SharedPhone, DuplicatePayment,
		IdentityMismatch, RegionalAlarm, PovertyWarning,
	}
}

// Action is what a finding does to a bill that is not settled yet.
type Action string

// The actions.
const (
	Hold Action = "HOLD" // it waits for the agency
	Flag Action = "FLAG" // it goes on
)

// Rules are one document of rules.
type Rules struct {
	policy.Head    `yaml:",inline"`
	SplitAdmission struct {
		Action      Action     `yaml:"action"`
		SameDays    int64      `yaml:"same_days"`
		RelatedDays int64      `yaml:"related_days"`
		Related     [][]string `yaml:"related"`
		FollowUp    []string   `yaml:"follow_up"`
	} `yaml:"split_admission"`
	OverlappingStays struct {
		Action Action `yaml:"action"`
	} `yaml:"overlapping_stays"`
	HangingBed struct {
		Action Action `yaml:"action"`
		Days   int64  `yaml:"days"`
	} `yaml:"hanging_bed"`
	OverLimitDrugs struct {
		Action    Action      `yaml:"action"`
		Purchases int64       `yaml:"purchases"`
		Percent   int64       `yaml:"percent"`
		Guideline []Guideline `yaml:"guideline"`
	} `yaml:"over_limit_drugs"`
	CostOutlier struct {
		Action Action `yaml:"action"`
		Sigma  int64  `yaml:"sigma"`
		Groups []DRG  `yaml:"groups"`
	} `yaml:"cost_outlier"`
	SharedPhone struct {
		Action  Action `yaml:"action"`
		Insured int64  `yaml:"insured"`
	} `yaml:"shared_phone"`
	DuplicatePayment struct {
		Action Action `yaml:"action"`
	} `yaml:"duplicate_payment"`
	IdentityMismatch struct {
		Action Action `yaml:"action"`
	} `yaml:"identity_mismatch"`
	RegionalAlarm struct {
		Points int64 `yaml:"points"`
		Stays  int64 `yaml:"stays"`
	} `yaml:"regional_alarm"`
	PovertyWarning struct {
		Percent  int64 `yaml:"percent"`
		Workdays int   `yaml:"workdays"`
	} `yaml:"poverty_warning"`
	Incomes []Income `yaml:"incomes"`
}

// Guideline is what a person needs of an item in a month, in thousandths of its unit.
type Guideline struct {
	Item    string `yaml:"item"`
	Monthly int64  `yaml:"monthly"`
}

// DRG is what a stay of a diagnosis related group costs (病组费用).
type DRG struct {
	Organ     string        `yaml:"organ"`
	DRG       string        `yaml:"drg"`
	Mean      policy.Amount `yaml:"mean"`
	Deviation policy.Amount `yaml:"deviation"`
}

// Income is a year's disposable income per capita (人均可支配收入) and its growth in basis points.
type Income struct {
	Province string        `yaml:"province"`
	Year     int           `yaml:"year"`
	Income   policy.Amount `yaml:"income"`
	Growth   int64         `yaml:"growth"`
}

// Action returns what a rule does; those about a person's year or a province only flag.
func (r *Rules) Action(rule Rule) Action {
	switch rule {
	case SplitAdmission:
		return r.SplitAdmission.Action
	case OverlappingStays:
		return r.OverlappingStays.Action
	case HangingBed:
		return r.HangingBed.Action
	case DrugPurchases, DrugQuantity:
		return r.OverLimitDrugs.Action
	case CostOutlier:
		return r.CostOutlier.Action
	case SharedPhone:
		return r.SharedPhone.Action
	case DuplicatePayment:
		return r.DuplicatePayment.Action
	case IdentityMismatch:
		return r.IdentityMismatch.Action
	case RegionalAlarm, PovertyWarning:
	}
	return Flag
}

// Income returns a province's income of a year, if it is known.
func (r *Rules) Income(province string, year int) (Income, bool) {
	for _, i := range r.Incomes {
		if i.Province == province && i.Year == year {
			return i, true
		}
	}
	return Income{}, false
}

// Parse reads one document of rules; what is wrong is refused with its line.
func Parse(text []byte) (*Rules, error) {
	r := new(Rules)
	root, err := policy.Strict(text, r)
	if err != nil {
		return nil, err
	}
	if err := r.Check(root, KindRules); err != nil {
		return nil, err
	}
	if err := r.check(root); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	r.Digest = hex.EncodeToString(sum[:])
	return r, nil
}

var (
	category = regexp.MustCompile(`^[A-Z][0-9]{2}$`)
	province = regexp.MustCompile(`^[1-9][0-9]0000$`)
)

func (r *Rules) check(root *yaml.Node) error {
	for rule, key := range map[Rule]string{
		SplitAdmission: "split_admission", OverlappingStays: "overlapping_stays", HangingBed: "hanging_bed", DrugPurchases: "over_limit_drugs",
		CostOutlier: "cost_outlier", SharedPhone: "shared_phone", DuplicatePayment: "duplicate_payment", IdentityMismatch: "identity_mismatch",
	} {
		if a := r.Action(rule); a != Hold && a != Flag {
			return policy.At(root, "action is neither HOLD nor FLAG", "action 须为 HOLD 或 FLAG", key, "action")
		}
	}
	for _, bound := range []struct {
		value, low, high int64
		path             []any
	}{
		{r.SplitAdmission.SameDays, 1, r.SplitAdmission.RelatedDays, []any{"split_admission", "same_days"}},
		{r.SplitAdmission.RelatedDays, 1, 366, []any{"split_admission", "related_days"}},
		{r.HangingBed.Days, 1, 366, []any{"hanging_bed", "days"}},
		{r.OverLimitDrugs.Purchases, 1, 100, []any{"over_limit_drugs", "purchases"}},
		{r.OverLimitDrugs.Percent, 100, 10_000, []any{"over_limit_drugs", "percent"}},
		{r.CostOutlier.Sigma, 1, 20, []any{"cost_outlier", "sigma"}},
		{r.SharedPhone.Insured, 1, 100, []any{"shared_phone", "insured"}},
		{r.RegionalAlarm.Points, 0, 100, []any{"regional_alarm", "points"}},
		{r.RegionalAlarm.Stays, 1, 1_000_000_000, []any{"regional_alarm", "stays"}},
		{r.PovertyWarning.Percent, 1, 1000, []any{"poverty_warning", "percent"}},
		{int64(r.PovertyWarning.Workdays), 1, 60, []any{"poverty_warning", "workdays"}},
	} {
		if bound.value < bound.low || bound.value > bound.high {
			return policy.At(root, fmt.Sprintf("%d is not from %d to %d", bound.value, bound.low, bound.high),
				fmt.Sprintf("%d 不在 %d 至 %d 之间", bound.value, bound.low, bound.high), bound.path...)
		}
	}
	return r.checkTables(root)
}

func (r *Rules) checkTables(root *yaml.Node) error {
	for i, group := range append(slices.Clone(r.SplitAdmission.Related), r.SplitAdmission.FollowUp) {
		for _, c := range group {
			if !category.MatchString(c) {
				return policy.At(root, "not a category of ICD-10", "不是 ICD-10 类目", "split_admission", "related", i)
			}
		}
	}
	items := map[string]bool{}
	for i, g := range r.OverLimitDrugs.Guideline {
		if g.Item == "" || items[g.Item] || g.Monthly < 1 || g.Monthly > 1_000_000_000 {
			return policy.At(root, "the item is missing or stands here twice, or its quantity is not from 1 to 1000000000", "项目缺失或重复，或数量超出范围", "over_limit_drugs", "guideline", i)
		}
		items[g.Item] = true
	}
	const mostYuan = 100_000_000 * money.Fen(100)
	organs := map[string]bool{}
	for i, g := range r.CostOutlier.Groups {
		if g.Organ == "" || organs[g.Organ] || g.DRG == "" || g.Mean.Fen <= 0 || g.Mean.Fen > mostYuan || g.Deviation.Fen <= 0 || g.Deviation.Fen > mostYuan {
			return policy.At(root, "the organ is missing or stands here twice, or a number is not above 0", "器官缺失或重复，或数值不大于零", "cost_outlier", "groups", i)
		}
		organs[g.Organ] = true
	}
	years := map[[2]any]bool{}
	for i, v := range r.Incomes {
		key := [2]any{v.Province, v.Year}
		if !province.MatchString(v.Province) || years[key] || v.Year < 2000 || v.Year > 2100 || v.Income.Fen <= 0 || v.Income.Fen > mostYuan || v.Growth < -10_000 || v.Growth > 10_000 {
			return policy.At(root, "the province and year are wrong or stand here twice, or a number is out of range", "省份年度有误或重复，或数值超出范围", "incomes", i)
		}
		years[key] = true
	}
	return nil
}

// Book holds the documents of rules of a deployment. It does not change once loaded.
type Book struct{ all []*Rules }

// Sample returns the rules that come with the line.
func Sample() *Book {
	b, err := Load(sample)
	if err != nil {
		panic("supervision: sample: " + err.Error()) // embedded and tested
	}
	return b
}

// Load reads every .yaml file of a folder tree; one wrong document, two in force on a day or a day between two without any
// refuse the whole.
func Load(files fs.FS) (*Book, error) {
	b := new(Book)
	var heads []policy.Head
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) != ".yaml" {
			return err
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return fmt.Errorf("supervision: %w", err)
		}
		r, err := Parse(text)
		if err != nil {
			return fmt.Errorf("supervision: %s: %w", name, err)
		}
		b.all, heads = append(b.all, r), append(heads, r.Head)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(heads) == 0 {
		return nil, fmt.Errorf("supervision: there is no document of rules")
	}
	slices.SortFunc(b.all, func(x, y *Rules) int { return cmp.Compare(y.ValidFrom, x.ValidFrom) })
	return b, policy.Dates(heads...)
}

// On returns the rules in force on the day; before the first of them, nothing is watched.
func (b *Book) On(day string) (*Rules, bool) {
	for _, r := range b.all {
		if r.InForce(day) {
			return r, true
		}
	}
	return nil, false
}
