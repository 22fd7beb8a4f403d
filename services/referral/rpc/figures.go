package rpc

import (
	"context"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc"

	moneyv1 "huhang.example/gen/huhang/money/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/referral/figures"
)

// Figures implements FiguresService.
type Figures struct {
	referralv1.UnimplementedFiguresServiceServer
	service *figures.Service
}

// RegisterFigures adds it to a server.
func RegisterFigures(to grpc.ServiceRegistrar, service *figures.Service) {
	referralv1.RegisterFiguresServiceServer(to, &Figures{service: service})
}

// GetFigures answers all sections.
func (s *Figures) GetFigures(ctx context.Context, req *referralv1.GetFiguresRequest) (*referralv1.GetFiguresResponse, error) {
	a, err := s.service.Figures(ctx, queryFrom(req.GetFilter()))
	if err != nil {
		return nil, err
	}
	return figuresOut(a), nil
}

// DownloadFigures answers one section as CSV.
func (s *Figures) DownloadFigures(ctx context.Context, req *referralv1.DownloadFiguresRequest) (*httpbody.HttpBody, error) {
	a, err := s.service.Figures(ctx, queryFrom(req.GetFilter()))
	if err != nil {
		return nil, err
	}
	text, err := figures.CSV(a, figures.Section(strings.TrimPrefix(req.GetSection().String(), "FIGURE_SECTION_")))
	return &httpbody.HttpBody{ContentType: "text/csv; charset=utf-8", Data: text}, err
}

func queryFrom(f *referralv1.FigureFilter) figures.Query {
	q := figures.Query{
		From: f.GetFromMonth(), To: f.GetToMonth(), Line: f.GetLine(), Insured: f.GetInsuredProvince(),
		Treatment: f.GetTreatmentProvince(), Center: f.GetCenterId(),
	}
	for _, by := range f.GetGroupBy() {
		q.By = append(q.By, figures.Group(strings.TrimPrefix(by.String(), "FIGURE_GROUP_")))
	}
	if f.GetOrgan() != 0 {
		q.Organ = strings.TrimPrefix(f.GetOrgan().String(), "ORGAN_")
	}
	return q
}

func figuresOut(a figures.Answer) *referralv1.GetFiguresResponse {
	out := &referralv1.GetFiguresResponse{
		FromMonth: a.Query.From, ToMonth: a.Query.To, Missing: a.Missing, SmallestCell: int32(a.Smallest),
		LinesVersion: a.Lines, Behind: a.Behind, ReadTime: stamp(a.Read),
	}
	for _, r := range a.Rows {
		key, spread := keyOut(r.Key), spreadOut(r.Spread.Seconds())
		switch r.Kind {
		case figures.Life:
			if r.Name == figures.Opened || r.Withheld {
				spread = nil
			}
			out.Cases = append(out.Cases, &referralv1.CaseFigure{Key: key, Outcome: r.Name, Count: r.Count, DurationSeconds: spread, Withheld: r.Withheld})
		case figures.Stay:
			if r.Count == 0 {
				spread = nil
			}
			out.States = append(out.States, &referralv1.StateFigure{
				Key: key, State: r.Name, Count: r.Count, Open: r.Open, Overdue: r.Late, RunningSeconds: spread,
				SuspendedSeconds: int64(r.Paused / time.Second), Withheld: r.Withheld,
			})
		case figures.Offer:
			if r.Count == 0 {
				spread = nil
			}
			out.Offers = append(out.Offers, &referralv1.OfferFigure{
				Key: key, Outcome: r.Name, Reason: r.Reason, Count: r.Number(), AnswerSeconds: spread, Withheld: r.Withheld,
			})
		case figures.Transfer:
			if r.Name != figures.Late || r.Withheld {
				spread = nil
			}
			out.Transfers = append(out.Transfers, &referralv1.TransferFigure{
				Key: key, Outcome: r.Name, Reason: r.Reason, Count: r.Number(), DelaySeconds: spread, Withheld: r.Withheld,
			})
		}
	}
	for _, b := range a.Bills() {
		bill := &referralv1.BillFigure{
			Key: keyOut(b.Key), Count: b.Count, Total: yuan(int64(b.Total)), SelfPayBp: b.SelfPay, SelfPaySpreadBp: spreadOut(b.Spread), Withheld: b.Withheld,
		}
		for _, p := range b.Payers {
			bill.Payers = append(bill.Payers, &referralv1.PayerFigure{Payer: p.Payer, Amount: yuan(int64(p.Amount)), ShareBp: p.Share})
		}
		out.Bills = append(out.Bills, bill)
	}
	for _, r := range a.Recognitions {
		out.Recognitions = append(out.Recognitions, &referralv1.RecognitionFigure{
			Key: keyOut(r.Key), Recognised: r.Recognised, RepeatedCount: r.Repeated, Avoided: yuan(int64(r.Avoided)),
		})
	}
	return out
}

func keyOut(k figures.Key) *referralv1.FigureKey {
	return &referralv1.FigureKey{Month: k.Month, Line: k.Line, InsuredProvince: k.Insured, TreatmentProvince: k.Treatment, CenterId: k.Center}
}

func spreadOut(s figures.Spread) *referralv1.FigureSpread {
	return &referralv1.FigureSpread{Median: s.Median, P90: s.P90, Mean: s.Mean}
}

func yuan(fen int64) *moneyv1.Money { return &moneyv1.Money{Fen: fen} }
