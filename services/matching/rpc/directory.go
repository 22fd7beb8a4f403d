package rpc

import (
	"context"
	"strconv"

	matchingv1 "huhang.example/gen/huhang/matching/v1"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/idempotency"
	"huhang.example/services/internal/page"
	"huhang.example/services/matching"
	"huhang.example/services/matching/ranking"
)

// mostFields of one change are told.
const mostFields = 500

// ListCenterChanges returns a page of a center's history.
func (s *Server) ListCenterChanges(ctx context.Context, req *matchingv1.ListCenterChangesRequest) (*matchingv1.ListCenterChangesResponse, error) {
	filter := page.Filter("center changes", req.GetCenterId())
	cursor, err := page.Parse(filter, req.GetPageToken())
	if err != nil {
		return nil, err
	}
	var before int64
	if cursor != "" {
		if before, err = strconv.ParseInt(cursor, 10, 64); err != nil {
			return nil, fault.New(fault.InvalidArgument, fault.InvalidPageToken, "page_token", "The page token is damaged.", "翻页标记已损坏。")
		}
	}
	size := page.Size(req.GetPageSize(), pageDefault, pageMax)
	changes, err := s.use.CenterChanges(ctx, req.GetCenterId(), before, size+1)
	if err != nil {
		return nil, err
	}
	res := &matchingv1.ListCenterChangesResponse{}
	if len(changes) > size {
		changes = changes[:size]
		res.NextPageToken = page.Token(filter, strconv.FormatInt(changes[size-1].Version, 10))
	}
	for _, c := range changes {
		out := &matchingv1.CenterChange{
			Etag: strconv.FormatInt(c.Version, 10), ChangeTime: timeTo(c.At), Organisation: c.Organisation, Subject: c.Subject, Action: c.Action,
		}
		for _, f := range c.Fields[:min(len(c.Fields), mostFields)] {
			out.Fields = append(out.Fields, &matchingv1.FieldChange{Organ: organTo(f.Organ), Column: f.Column, Before: f.Before, After: f.After})
		}
		res.Changes = append(res.Changes, out)
	}
	return res, nil
}

var formats = map[matchingv1.TableFormat]string{
	matchingv1.TableFormat_TABLE_FORMAT_CSV: matching.CSV, matchingv1.TableFormat_TABLE_FORMAT_JSON: matching.JSON,
}

// ImportCenters takes a table. A trial run writes nothing, not even that it was asked for.
func (s *Server) ImportCenters(ctx context.Context, req *matchingv1.ImportCentersRequest) (*matchingv1.ImportCentersResponse, error) {
	run := func(ctx context.Context) (*matchingv1.ImportCentersResponse, error) {
		done, err := s.use.ImportCenters(ctx, matching.Import{
			Format: formats[req.GetFormat()], Content: req.GetContent(), Partial: req.GetPartialOk(), Dry: req.GetDryRun(),
		})
		if err != nil {
			return nil, err
		}
		res := &matchingv1.ImportCentersResponse{
			Applied: done.Applied, Rows: int32(done.Rows), Accepted: int32(done.Accepted()), Added: int32(done.Added), Changed: int32(done.Edited), Unchanged: int32(done.Unchanged),
		}
		for _, r := range done.Rejected {
			res.Rejected = append(res.Rejected, &matchingv1.RejectedRow{
				Row: int32(r.Row), Column: r.Column, CenterId: r.CenterID, Because: &matchingv1.Remark{Zh: r.Zh, En: r.En},
			})
		}
		return res, nil
	}
	if req.GetDryRun() {
		return run(ctx)
	}
	return idempotency.Once(ctx, s.db, req, run, idempotency.Resource("centers"))
}

// ExportCenters writes a table.
func (s *Server) ExportCenters(ctx context.Context, req *matchingv1.ExportCentersRequest) (*matchingv1.ExportCentersResponse, error) {
	content, rows, err := s.use.ExportCenters(ctx, formats[req.GetFormat()], req.GetLine())
	if err != nil {
		return nil, err
	}
	return &matchingv1.ExportCentersResponse{Content: content, Rows: int32(rows)}, nil
}

// AddWeights adds a version.
func (s *Server) AddWeights(ctx context.Context, req *matchingv1.AddWeightsRequest) (*matchingv1.AddWeightsResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*matchingv1.AddWeightsResponse, error) {
		w := weightsFrom(req.GetWeights())
		if err := s.use.AddWeights(ctx, w); err != nil {
			return nil, err
		}
		return &matchingv1.AddWeightsResponse{Weights: weightsTo(w)}, nil
	}, idempotency.Resource(req.GetWeights().GetVersion()))
}

// ListWeights lists the versions.
func (s *Server) ListWeights(ctx context.Context, _ *matchingv1.ListWeightsRequest) (*matchingv1.ListWeightsResponse, error) {
	all, now, err := s.use.Weights(ctx)
	if err != nil {
		return nil, err
	}
	res := &matchingv1.ListWeightsResponse{}
	if now != nil {
		res.InForce = now.Version
	}
	for _, w := range all {
		res.Weights = append(res.Weights, weightsTo(w))
	}
	return res, nil
}

func weightsFrom(w *matchingv1.Weights) *ranking.Weights {
	s := w.GetScales()
	return &ranking.Weights{
		Version: w.GetVersion(), EffectiveFrom: w.GetEffectiveFrom(), Terms: w.GetTerms(), Scales: ranking.Scales{
			PlacesFull: s.GetPlacesFull(), WaitZeroDays: s.GetWaitZeroDays(), DoorFullMinutes: s.GetDoorFullMinutes(), DoorZeroMinutes: s.GetDoorZeroMinutes(),
			SelfPayZeroFen: s.GetSelfPayZeroFen(), PreferenceStep: s.GetPreferenceStep(), StaleHours: s.GetStaleHours(), SmallVolume: s.GetSmallVolume(),
		},
	}
}

func weightsTo(w *ranking.Weights) *matchingv1.Weights {
	s := w.Scales
	return &matchingv1.Weights{
		Version: w.Version, EffectiveFrom: w.EffectiveFrom, Terms: w.Terms, Scales: &matchingv1.Scales{
			PlacesFull: s.PlacesFull, WaitZeroDays: s.WaitZeroDays, DoorFullMinutes: s.DoorFullMinutes, DoorZeroMinutes: s.DoorZeroMinutes,
			SelfPayZeroFen: s.SelfPayZeroFen, PreferenceStep: s.PreferenceStep, StaleHours: s.StaleHours, SmallVolume: s.SmallVolume,
		},
	}
}
