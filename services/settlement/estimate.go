package settlement

import (
	"context"
	"fmt"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/policy"
	"huhang.example/services/settlement/split"
)

// EstimateAsk asks what a transplant would cost a person, by treatment province.
type EstimateAsk struct {
	Province  string
	Coverage  Coverage
	Provinces []string
	Organ     string
	// PatientID, if given, brings in the person's year.
	PatientID string
}

// Estimate is the typical bill of one treatment province, split.
type Estimate struct {
	Province         string
	DirectSettlement bool
	Split            split.Result
	Zh, En           string
}

// EstimateBill splits the typical bill of the organ at each treatment province, by the policy in force today.
func (s *Service) EstimateBill(ctx context.Context, ask EstimateAsk) ([]Estimate, error) {
	if err := s.serves(ask.Province); err != nil {
		return nil, err
	}
	if err := checkCoverage(ask.Coverage, ask.Province); err != nil {
		return nil, err
	}
	today := s.today()
	p, ok := s.rules.Book.Policy(ask.Province, today)
	if !ok {
		return nil, noPolicy()
	}
	typical, ok := s.rules.Book.Typical(today)
	if !ok {
		return nil, noTypicalBill()
	}
	var counters split.Counters
	if ask.PatientID != "" {
		if err := s.mayAskAbout(ctx, ask.Province, ask.PatientID); err != nil {
			return nil, err
		}
		var err error
		if counters, err = s.store.Counters(ctx, ask.Province, ask.PatientID, s.ThisYear()); err != nil {
			return nil, err
		}
	}
	out := make([]Estimate, 0, len(ask.Provinces))
	for _, province := range ask.Provinces {
		e, err := s.estimate(ask, p, typical, province, counters)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

func (s *Service) estimate(ask EstimateAsk, p *policy.Policy, typical *policy.TypicalBills, province string, counters split.Counters) (Estimate, error) {
	totals, err := s.typicalTotals(typical, ask.Organ, province, 0)
	if err != nil {
		return Estimate{}, err
	}
	_, direct := s.rules.Book.Catalogue(province, s.today())
	r, err := split.Split(p, ask.Coverage.Person(), split.Stay{Filing: policy.Referral, Province: province}, totals, counters)
	if err != nil {
		return Estimate{}, err
	}
	e := Estimate{Province: province, DirectSettlement: direct, Split: r}
	e.Zh, e.En = assumption(typical.Version, totals, p.Version)
	if !direct {
		e.Zh += "当地无直接结算，需先垫付后手工报销。"
		e.En += " There is no direct settlement: the whole is paid first and claimed back."
	}
	return e, nil
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
	totals := split.Totals{Total: total, InScope: total, HospitalLevel: 3}
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
		totals.CatalogueVersion = catalogue.Version
	}
	return totals, nil
}

// assumption says what an estimate rests on.
func assumption(typical string, t split.Totals, policy string) (zh, en string) {
	return fmt.Sprintf("按典型费用假设 %s：三级医院，总费用 %s 元，其中目录外 %s 元；按转诊备案和现行政策 %s 估算，实际以结算为准。", typical, t.Total, t.OutOfCatalogue, policy),
		fmt.Sprintf("By the typical bill %s: a level-3 hospital, a total of %s of which %s is out of catalogue; with a referral filing and policy %s. The settlement decides.", typical, t.Total, t.OutOfCatalogue, policy)
}

func noTypicalBill() error {
	return fault.New(fault.FailedPrecondition, fault.DatumMissing, "organ",
		"There is no typical bill for this organ.", "没有该器官的典型费用假设。").With("missing", "typical_bill")
}
