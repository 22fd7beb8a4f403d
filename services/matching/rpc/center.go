package rpc

import (
	"context"

	matchingv1 "huhang.example/gen/huhang/matching/v1"
	"huhang.example/services/internal/idempotency"
	"huhang.example/services/internal/page"
	"huhang.example/services/matching"
	"huhang.example/services/matching/directory"
)

// ListCenters returns a page of centers.
func (s *Server) ListCenters(ctx context.Context, req *matchingv1.ListCentersRequest) (*matchingv1.ListCentersResponse, error) {
	f := matching.CenterFilter{Line: req.GetLine(), Organ: organFrom(req.GetOrgan())}
	filter := page.Filter("centers", f.Line, f.Organ)
	after, err := page.Parse(filter, req.GetPageToken())
	if err != nil {
		return nil, err
	}
	size := page.Size(req.GetPageSize(), pageDefault, pageMax)
	centers, err := s.use.Centers(ctx, f, after, size+1)
	if err != nil {
		return nil, err
	}
	show, err := s.shower(ctx)
	if err != nil {
		return nil, err
	}
	res := &matchingv1.ListCentersResponse{}
	if len(centers) > size {
		centers = centers[:size]
		res.NextPageToken = page.Token(filter, centers[size-1].ID)
	}
	for _, c := range centers {
		res.Centers = append(res.Centers, show.center(c))
	}
	return res, nil
}

// GetCenter returns one center.
func (s *Server) GetCenter(ctx context.Context, req *matchingv1.GetCenterRequest) (*matchingv1.GetCenterResponse, error) {
	c, err := s.use.Center(ctx, req.GetCenterId())
	if err != nil {
		return nil, err
	}
	show, err := s.shower(ctx)
	if err != nil {
		return nil, err
	}
	return &matchingv1.GetCenterResponse{Center: show.center(c)}, nil
}

// changed answers with a center that was changed once.
func changed[R any](ctx context.Context, s *Server, answer func(*matchingv1.Center) R, change func(context.Context) (*directory.Center, error)) (R, error) {
	var none R
	c, err := change(ctx)
	if err != nil {
		return none, err
	}
	show, err := s.shower(ctx)
	if err != nil {
		return none, err
	}
	return answer(show.center(c)), nil
}

// DeclareCapacity states capacity.
func (s *Server) DeclareCapacity(ctx context.Context, req *matchingv1.DeclareCapacityRequest) (*matchingv1.DeclareCapacityResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*matchingv1.DeclareCapacityResponse, error) {
		return changed(ctx, s, func(c *matchingv1.Center) *matchingv1.DeclareCapacityResponse {
			return &matchingv1.DeclareCapacityResponse{Center: c}
		}, func(ctx context.Context) (*directory.Center, error) {
			return s.use.DeclareCapacity(ctx, req.GetCenterId(), req.GetEtag(), organFrom(req.GetOrgan()), req.GetFreePlaces())
		})
	})
}

// SetLicence records a licence.
func (s *Server) SetLicence(ctx context.Context, req *matchingv1.SetLicenceRequest) (*matchingv1.SetLicenceResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*matchingv1.SetLicenceResponse, error) {
		return changed(ctx, s, func(c *matchingv1.Center) *matchingv1.SetLicenceResponse {
			return &matchingv1.SetLicenceResponse{Center: c}
		}, func(ctx context.Context) (*directory.Center, error) {
			l := req.GetLicence()
			return s.use.SetLicence(ctx, req.GetCenterId(), req.GetEtag(), organFrom(req.GetOrgan()), directory.Licence{
				ValidFrom: l.GetValidFrom(), ValidTo: l.GetValidTo(), Suspended: l.GetSuspended(), Revoked: l.GetRevoked(),
			})
		})
	})
}

// UpdateProgram changes parts of a program.
func (s *Server) UpdateProgram(ctx context.Context, req *matchingv1.UpdateProgramRequest) (*matchingv1.UpdateProgramResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*matchingv1.UpdateProgramResponse, error) {
		return changed(ctx, s, func(c *matchingv1.Center) *matchingv1.UpdateProgramResponse {
			return &matchingv1.UpdateProgramResponse{Center: c}
		}, func(ctx context.Context) (*directory.Center, error) {
			want, err := programFrom(req.GetProgram())
			if err != nil {
				return nil, err
			}
			return s.use.UpdateProgram(ctx, req.GetCenterId(), req.GetEtag(), want, req.GetUpdateMask().GetPaths())
		})
	})
}

// SetReserveQuotas replaces a center's promises.
func (s *Server) SetReserveQuotas(ctx context.Context, req *matchingv1.SetReserveQuotasRequest) (*matchingv1.SetReserveQuotasResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*matchingv1.SetReserveQuotasResponse, error) {
		return changed(ctx, s, func(c *matchingv1.Center) *matchingv1.SetReserveQuotasResponse {
			return &matchingv1.SetReserveQuotasResponse{Center: c}
		}, func(ctx context.Context) (*directory.Center, error) {
			var quotas []directory.Quota
			for _, q := range req.GetQuotas() {
				quotas = append(quotas, quotaFrom(q))
			}
			return s.use.SetReserveQuotas(ctx, req.GetCenterId(), req.GetEtag(), quotas)
		})
	})
}
