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
	bill, level, ok := typical.Bill(ask.Organ, province)
	if !ok {
		return Estimate{}, noTypicalBill()
	}
	total, err := bill.Total.Fen.Portion(level, int64(money.Whole), money.HalfUp)
	if err != nil {
		return Estimate{}, err
	}
	totals := split.Totals{Total: total, InScope: total, HospitalLevel: 3}
	for _, part := range []struct {
		of *money.Fen
		bp money.BasisPoints
	}{{&totals.OutOfCatalogue, bill.OutOfCatalogue.BP}, {&totals.OverLimit, bill.OverLimit.BP}, {&totals.ClassB, bill.ClassB.BP}} {
		if *part.of, err = total.Share(part.bp, money.Down); err != nil {
			return Estimate{}, err
		}
		totals.InScope -= *part.of
	}
	catalogue, direct := s.rules.Book.Catalogue(province, s.today())
	if direct {
		totals.CatalogueVersion = catalogue.Version
	}
	r, err := split.Split(p, ask.Coverage.Person(), split.Stay{Filing: policy.Referral, Province: province}, totals, counters)
	if err != nil {
		return Estimate{}, err
	}
	e := Estimate{Province: province, DirectSettlement: direct, Split: r}
	e.Zh = fmt.Sprintf("按典型费用假设 %s：三级医院，总费用 %s 元，其中目录外 %s 元；按转诊备案和现行政策 %s 估算，实际以结算为准。", typical.Version, total, totals.OutOfCatalogue, p.Version)
	e.En = fmt.Sprintf("By the typical bill %s: a level-3 hospital, a total of %s of which %s is out of catalogue; with a referral filing and policy %s. The settlement decides.", typical.Version, total, totals.OutOfCatalogue, p.Version)
	if !direct {
		e.Zh += "当地无直接结算，需先垫付后手工报销。"
		e.En += " There is no direct settlement: the whole is paid first and claimed back."
	}
	return e, nil
}

func noTypicalBill() error {
	return fault.New(fault.FailedPrecondition, fault.DatumMissing, "organ",
		"There is no typical bill for this organ.", "没有该器官的典型费用假设。").With("missing", "typical_bill")
}
