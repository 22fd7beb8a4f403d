package rpc

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	patientv1 "huhang.example/gen/huhang/patient/v1"
	"huhang.example/services/internal/idempotency"
	"huhang.example/services/internal/page"
	"huhang.example/services/patient/recognition"
)

// Results implements patientv1.ResultServiceServer.
type Results struct {
	patientv1.UnimplementedResultServiceServer
	*Server
}

const (
	markPrefix     = "RECOGNITION_MARK_"
	decisionPrefix = "DECISION_"
	itemKindPrefix = "ITEM_KIND_"
)

// RecordResult records a result.
func (s Results) RecordResult(ctx context.Context, req *patientv1.RecordResultRequest) (*patientv1.RecordResultResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*patientv1.RecordResultResponse, error) {
		r, err := s.use.RecordResult(ctx, recognition.Result{
			PatientID: req.GetPatientId(), ItemCode: req.GetItemCode(), PerformedBy: req.GetPerformedBy(), PerformedOn: req.GetPerformedOn(),
			Method: req.GetMethod(), Value: req.Value, Unit: req.GetUnit(), Text: req.GetText(), DocumentID: req.GetDocumentId(),
			Mark: code(markPrefix, req.GetMark().String(), int32(req.GetMark())),
		})
		if err != nil {
			return nil, err
		}
		return &patientv1.RecordResultResponse{Result: s.resultTo(r)}, nil
	}, idempotency.Sealed(s.cipher))
}

// ListResults returns a page of results.
func (s Results) ListResults(ctx context.Context, req *patientv1.ListResultsRequest) (*patientv1.ListResultsResponse, error) {
	filter := page.Filter("results", req.GetPatientId(), req.GetItemCode())
	after, err := page.Parse(filter, req.GetPageToken())
	if err != nil {
		return nil, err
	}
	size := page.Size(req.GetPageSize(), pageDefault, pageMax)
	results, err := s.use.Results(ctx, req.GetPatientId(), req.GetItemCode(), after, size+1)
	if err != nil {
		return nil, err
	}
	res := &patientv1.ListResultsResponse{}
	if len(results) > size {
		results = results[:size]
		res.NextPageToken = page.Token(filter, results[size-1].PerformedOn+" "+results[size-1].ID)
	}
	for _, r := range results {
		res.Results = append(res.Results, s.resultTo(r))
	}
	return res, nil
}

// JudgeResult records a judgement.
func (s Results) JudgeResult(ctx context.Context, req *patientv1.JudgeResultRequest) (*patientv1.JudgeResultResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*patientv1.JudgeResultResponse, error) {
		r, err := s.use.JudgeResult(ctx, req.GetPatientId(), req.GetResultId(), recognition.Judgement{
			Decision: code(decisionPrefix, req.GetDecision().String(), int32(req.GetDecision())), Reason: req.GetReason(), Comment: req.GetComment(),
		})
		if err != nil {
			return nil, err
		}
		return &patientv1.JudgeResultResponse{Result: s.resultTo(r)}, nil
	}, idempotency.Sealed(s.cipher))
}

// ListResultItems returns the catalogue.
func (s Results) ListResultItems(context.Context, *patientv1.ListResultItemsRequest) (*patientv1.ListResultItemsResponse, error) {
	c := s.use.Catalogue()
	res := &patientv1.ListResultItemsResponse{Version: c.Version, EffectiveFrom: c.From}
	for _, i := range c.Items {
		res.Items = append(res.Items, &patientv1.ResultItem{
			Code: i.Code, NameZh: i.Zh, NameEn: i.En, Kind: patientv1.ItemKind(patientv1.ItemKind_value[itemKindPrefix+i.Kind]), Units: i.Units,
			ValidityDays: int32(i.Days), PriceFen: int64(i.Price),
		})
	}
	for _, r := range c.Reasons {
		res.Reasons = append(res.Reasons, &patientv1.RepeatReason{Code: r.Code, Zh: r.Zh, En: r.En, CommentRequired: r.Comment})
	}
	return res, nil
}

// SumAvoidedCost sums what recognition saved.
func (s Results) SumAvoidedCost(ctx context.Context, req *patientv1.SumAvoidedCostRequest) (*patientv1.SumAvoidedCostResponse, error) {
	sums, err := s.use.SumAvoided(ctx, req.GetFromMonth(), req.GetToMonth(), req.GetOrganisation())
	if err != nil {
		return nil, err
	}
	res := &patientv1.SumAvoidedCostResponse{}
	for _, x := range sums {
		res.Sums = append(res.Sums, &patientv1.AvoidedCost{
			Organisation: x.Organisation, Month: x.Month, Recognised: x.Recognised, RepeatedCount: x.Repeated, AvoidedFen: int64(x.Avoided),
		})
	}
	return res, nil
}

func (s Results) resultTo(r *recognition.Result) *patientv1.Result {
	out := &patientv1.Result{
		ResultId: r.ID, PatientId: r.PatientID, ItemCode: r.ItemCode, PerformedBy: r.PerformedBy, PerformedOn: r.PerformedOn, Method: r.Method,
		Value: r.Value, Unit: r.Unit, Text: r.Text, Mark: patientv1.RecognitionMark(patientv1.RecognitionMark_value[markPrefix+r.Mark]),
		ValidUntil: r.ValidUntil, Expired: r.Expired(s.db.Clock().Now()), DocumentId: r.DocumentID, RecordedBy: r.RecordedBy,
		RecordTime: timestamppb.New(r.RecordedAt), CatalogueVersion: r.Catalogue,
	}
	for _, j := range r.Judgements {
		out.Judgements = append(out.Judgements, &patientv1.Judgement{
			Organisation: j.Organisation, Decision: patientv1.Decision(patientv1.Decision_value[decisionPrefix+j.Decision]), Reason: j.Reason,
			Comment: j.Comment, JudgeTime: timestamppb.New(j.At), AvoidedFen: int64(j.Avoided), CatalogueVersion: j.Catalogue, Replaced: j.Replaced,
		})
	}
	return out
}
