package split

import (
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/policy"
)

// Payer is who pays a part (支付方).
type Payer string

// The payers, in the order in which they pay.
const (
	Basic           Payer = "basic"            // 基本医保统筹基金
	SecondLayer     Payer = "second_layer"     // 大病保险、大额
	CivilServant    Payer = "civil_servant"    // 公务员补助
	Assistance      Payer = "assistance"       // 医疗救助，含倾斜救助
	Commercial      Payer = "commercial"       // 惠民保、商业保险
	Charity         Payer = "charity"          // 慈善
	Grant           Payer = "grant"            // 企业、政府补助
	PersonalAccount Payer = "personal_account" // 个人账户
	Cash            Payer = "cash"             // 个人现金
)

// Person is what a policy looks at.
type Person struct {
	Scheme       policy.Scheme
	Retired      bool
	CivilServant bool
	// Groups are the assistance identities; of several the best one counts.
	Groups []policy.Group
	// Plans are the codes of the commercial plans, charities and grants the person is enrolled in.
	Plans []string
	// Account is what the person's personal account holds for the year.
	Account money.Fen
}

// Stay is where and on which ground the person was treated.
type Stay struct {
	Filing   policy.Filing
	Province string
	// City may be empty; it tells regions treated as local.
	City string
	// Disease makes it an outpatient special disease (门诊特殊慢性病) in place of a stay.
	Disease policy.Disease
	// ReferralDeductible is what other stays of the same referral were charged, for policies with a deductible at every
	// stay that continue it (连续计算).
	ReferralDeductible money.Fen
}

// Totals are the sums over a bill, as the treatment province makes them.
type Totals struct {
	Total, OutOfCatalogue, OverLimit, ClassB, InScope money.Fen
	CatalogueVersion                                  string
	HospitalLevel                                     int
	CatalogueDigest                                   string `json:",omitempty"`
}

// maxFen bounds every amount that comes in: ten trillion yuan, so that no sum here can overflow.
const maxFen money.Fen = 1_000_000_000_000_000

// Check refuses totals that do not add up.
func (t *Totals) Check() error {
	var sum money.Fen
	for _, part := range [...]money.Fen{t.OutOfCatalogue, t.OverLimit, t.ClassB, t.InScope} {
		if part < 0 || part > maxFen {
			return badTotals()
		}
		sum += part
	}
	if sum != t.Total || t.Total > maxFen {
		return badTotals()
	}
	return nil
}

func badTotals() error {
	return fault.New(fault.InvalidArgument, fault.FieldInvalid, "totals",
		"The parts of the bill are negative or do not sum to its total.", "费用各部分为负，或合计不等于总费用。")
}

// Share is what one payer pays.
type Share struct {
	Payer  Payer     `json:"payer"`
	Amount money.Fen `json:"amount"`
}

// Step is one step of the split, in the patient's words.
type Step struct {
	Rule   string    `json:"rule"`
	Input  money.Fen `json:"input"`
	Result money.Fen `json:"result"`
	Zh     string    `json:"zh"`
	En     string    `json:"en"`
}

// Result is the split of one bill (分割结果).
type Result struct {
	Total   money.Fen `json:"total"`
	InScope money.Fen `json:"in_scope"`
	// Shares sum to Total.
	Shares []Share `json:"shares"`
	Steps  []Step  `json:"steps"`
	// Used is what this bill adds to the year.
	Used             Counters `json:"used"`
	PolicyVersion    string   `json:"policy_version"`
	CatalogueVersion string   `json:"catalogue_version"`
	// The digests say which texts these versions were.
	PolicyDigest    string `json:"policy_digest,omitempty"`
	CatalogueDigest string `json:"catalogue_digest,omitempty"`
}

// Pays returns what a payer pays.
func (r Result) Pays(p Payer) money.Fen {
	for _, s := range r.Shares {
		if s.Payer == p {
			return s.Amount
		}
	}
	return 0
}

// Funds is what comes through the insured province: all but the cash. A personal account is kept there too.
func (r Result) Funds() money.Fen {
	var sum money.Fen
	for _, s := range r.Shares {
		if s.Payer != Cash {
			sum += s.Amount
		}
	}
	return sum
}

// Check refuses a result whose shares are negative or do not sum to its total: the last guard before money is posted.
func (r Result) Check() error {
	var sum money.Fen
	for _, s := range r.Shares {
		if s.Amount < 0 || s.Amount > maxFen {
			return unbalanced()
		}
		sum += s.Amount
	}
	if sum != r.Total {
		return unbalanced()
	}
	return nil
}

func unbalanced() error {
	return fault.New(fault.Internal, fault.ReasonInternal, "", "The split does not sum to the total.", "分割结果与总费用不符。")
}
