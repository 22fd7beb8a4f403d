package settlement

import (
	"context"
	"fmt"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/policy"
	"huhang.example/services/settlement/split"
)

// EstimateAsk asks what a transplant would cost a person, by treatment province or by center.
type EstimateAsk struct {
	Province  string
	Coverage  Coverage
	Provinces []string
	Centers   []Place
	Organ     string
	// Filing is the ground assumed; a referral when empty, as on this line.
	Filing policy.Filing
	// PatientID, if given, brings in the person's year.
	PatientID string
}

// Place is where an estimate is for; the center is empty when it is for the province.
type Place struct{ Province, Center string }

// Estimate is the typical bill of one place, split.
type Estimate struct {
	Place
	DirectSettlement bool
	Level            int
	Filing           policy.Filing
	Split            split.Result
	TypicalVersion   string
	Zh, En           string
	// Unknowns are what may make the bill another.
	Unknowns []Unknown
}

// Unknown is something an estimate could not know, and what was assumed in its place.
type Unknown struct{ Code, Zh, En string }

// estimating is what the estimates of one call have in common.
type estimating struct {
	ask      EstimateAsk
	today    string
	policy   *policy.Policy
	typical  *policy.TypicalBills
	person   split.Person
	counters split.Counters
	unknowns []Unknown
}

// EstimateBill splits the typical bill of the organ at each place, by the policy in force today.
func (s *Service) EstimateBill(ctx context.Context, ask EstimateAsk) ([]Estimate, error) {
	if err := s.serves(ask.Province); err != nil {
		return nil, err
	}
	if err := checkCoverage(ask.Coverage, ask.Province); err != nil {
		return nil, err
	}
	if len(ask.Provinces)+len(ask.Centers) == 0 {
		return nil, fault.New(fault.InvalidArgument, fault.FieldInvalid, "treatment_provinces",
			"Neither a treatment province nor a center is given.", "未给出就医省份或中心。")
	}
	if ask.Filing == "" {
		ask.Filing = policy.Referral
	}
	e := &estimating{ask: ask, today: s.today(), person: ask.Coverage.Person()}
	var ok bool
	if e.policy, ok = s.rules.Book.Policy(ask.Province, e.today); !ok {
		return nil, noPolicy()
	}
	if e.typical, ok = s.rules.Book.Typical(e.today); !ok {
		return nil, noTypicalBill()
	}
	if err := s.knowPerson(ctx, e); err != nil {
		return nil, err
	}
	places := make([]Place, 0, len(ask.Provinces)+len(ask.Centers))
	for _, province := range ask.Provinces {
		places = append(places, Place{Province: province})
	}
	places = append(places, ask.Centers...)
	out := make([]Estimate, 0, len(places))
	for _, at := range places {
		one, err := s.estimate(e, at)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// knowPerson brings in what the insured province has on record: the year, enrolments and the account.
func (s *Service) knowPerson(ctx context.Context, e *estimating) error {
	e.person.Plans, e.person.Account = nil, 0
	known := false
	if e.ask.PatientID == "" {
		e.unknown("year_counters", "本年此前的就医与支付未知，按未发生估算。", "What this year has used before is not known: nothing was assumed.")
	} else {
		if err := s.mayAskAbout(ctx, e.ask.Province, e.ask.PatientID); err != nil {
			return err
		}
		var err error
		if e.counters, err = s.store.Counters(ctx, e.ask.Province, e.ask.PatientID, s.ThisYear()); err != nil {
			return err
		}
		recorded, err := s.store.Entitlement(ctx, e.ask.Province, e.ask.PatientID)
		if err == nil {
			known, e.person.Plans, e.person.Account = true, recorded.Coverage.Plans, recorded.Coverage.Account
		} else if !fault.Is(err, fault.ReasonNotFound) {
			return err
		}
	}
	if !known && len(e.policy.Commercial)+len(e.policy.Charities)+len(e.policy.Grants) > 0 {
		e.unknown("plans", "是否参加惠民保、商业保险及慈善、补助项目未知，未计入。", "Whether a commercial plan, a charity or a grant covers the person is not known: none was counted.")
	}
	terms, ok := e.policy.Terms(e.ask.Coverage.Scheme)
	if !known && ok && terms.PersonalAccount != nil {
		e.unknown("personal_account", "个人账户余额未知，未计入。", "What the personal account holds is not known: nothing was counted.")
	}
	return nil
}

func (e *estimating) unknown(code, zh, en string) {
	e.unknowns = append(e.unknowns, Unknown{code, zh, en})
}

// assumedLevel is the hospital level assumed where a center's is not known: transplant centers are of the third.
const assumedLevel = 3

func (s *Service) estimate(e *estimating, at Place) (Estimate, error) {
	out := Estimate{Place: at, Level: assumedLevel, Filing: e.ask.Filing, TypicalVersion: e.typical.Version}
	totals, err := s.typicalTotals(e.typical, e.ask.Organ, at.Province, 0)
	if err != nil {
		return Estimate{}, err
	}
	catalogue, direct := s.rules.Book.Catalogue(at.Province, e.today)
	listed := false
	if at.Center != "" && direct {
		var level int
		if level, listed = catalogue.Level(at.Center); listed {
			out.Level = level
		}
	}
	out.DirectSettlement = direct && (listed || at.Center == "")
	totals.HospitalLevel = out.Level
	if out.Split, err = split.Split(e.policy, e.person, split.Stay{Filing: e.ask.Filing, Province: at.Province}, totals, e.counters); err != nil {
		return Estimate{}, err
	}
	out.Unknowns = append(out.Unknowns, e.unknowns...)
	add := func(code, zh, en string) { out.Unknowns = append(out.Unknowns, Unknown{code, zh, en}) }
	if !listed {
		add("hospital_level", "医院等级未知，按三级估算。", "The hospital's level is not known: the third was assumed.")
	}
	add("course", "病情、并发症与住院时长未知，按典型费用估算。", "The course of the stay is not known: the typical one was assumed.")
	add("center_prices", "中心自身价格未知，按当地价格水平估算。", "The center's own prices are not known: the level of its province was assumed.")
	add("follow_up", "未含出院后的抗排异药品与复查费用。", "Anti-rejection drugs and check-ups after discharge are not in it.")
	out.Zh, out.En = assumption(e.typical.Version, out.Filing, totals, e.policy.Version)
	if !out.DirectSettlement {
		out.Zh += "当地无直接结算，需先垫付后手工报销。"
		out.En += " There is no direct settlement: the whole is paid first and claimed back."
	}
	return out, nil
}

var filingNames = map[policy.Filing][2]string{
	policy.LongTerm: {"长期备案", "a long-term filing"}, policy.Referral: {"转诊备案", "a referral filing"}, policy.Emergency: {"急诊", "an emergency"},
	policy.Other: {"临时外出备案", "a filing for another stay"}, policy.Unfiled: {"未备案", "no filing"},
}

// assumption says what an estimate rests on.
func assumption(typical string, ground policy.Filing, t split.Totals, version string) (zh, en string) {
	filing := filingNames[ground]
	return fmt.Sprintf("按典型费用假设 %s：%d 级医院，总费用 %s 元，其中目录外 %s 元、超限价 %s 元、乙类先行自付 %s 元；按%s和现行政策 %s 估算，实际以结算为准。",
			typical, t.HospitalLevel, t.Total, t.OutOfCatalogue, t.OverLimit, t.ClassB, filing[0], version),
		fmt.Sprintf("By the typical bill %s: a level-%d hospital, a total of %s of which %s is out of catalogue, %s over price limits and %s class-B first-pay; with %s and policy %s. The settlement decides.",
			typical, t.HospitalLevel, t.Total, t.OutOfCatalogue, t.OverLimit, t.ClassB, filing[1], version)
}

// DiffPolicies tells in words what changes between two versions of a province's policy.
func (s *Service) DiffPolicies(_ context.Context, province, before, after string) ([]policy.Change, error) {
	if err := s.serves(province); err != nil {
		return nil, err
	}
	return s.rules.Book.Diff(province, before, after)
}

// typicalTotals are the sums of the typical bill of an organ at a province, or of its shape at another total.
func (s *Service) typicalTotals(typical *policy.TypicalBills, organ, province string, total money.Fen) (split.Totals, error) {
	bill, level, ok := typical.Bill(organ, province)
	if !ok {
		return split.Totals{}, noTypicalBill()
	}
	if total == 0 {
		var err error
		if total, err = bill.Total.Fen.Portion(level, int64(money.Whole), money.HalfUp); err != nil {
			return split.Totals{}, err
		}
	}
	totals := split.Totals{Total: total, InScope: total, HospitalLevel: assumedLevel}
	for _, part := range []struct {
		of *money.Fen
		bp money.BasisPoints
	}{{&totals.OutOfCatalogue, bill.OutOfCatalogue.BP}, {&totals.OverLimit, bill.OverLimit.BP}, {&totals.ClassB, bill.ClassB.BP}} {
		var err error
		if *part.of, err = total.Share(part.bp, money.Down); err != nil {
			return split.Totals{}, err
		}
		totals.InScope -= *part.of
	}
	if catalogue, ok := s.rules.Book.Catalogue(province, s.today()); ok {
		totals.CatalogueVersion, totals.CatalogueDigest = catalogue.Version, catalogue.Digest
	}
	return totals, nil
}

func noTypicalBill() error {
	return fault.New(fault.FailedPrecondition, fault.DatumMissing, "organ",
		"There is no typical bill for this organ.", "没有该器官的典型费用假设。").With("missing", "typical_bill")
}
