package transfer

import (
	"context"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/page"
	"huhang.example/services/transfer/pool"
)

// AddResource adds a unit to the caller's organisation.
func (s *Service) AddResource(ctx context.Context, kind pool.Kind, label string) (pool.Resource, error) {
	owner := access.From(ctx).Organisation
	if owner == "" {
		return pool.Resource{}, rightMissing("", "Only an organisation owns resources.", "资源须归属机构。")
	}
	r := pool.Resource{
		ID: s.ids.New("res"), Organisation: owner, Kind: kind, Label: label, Edition: 1,
		Reported: s.clock.Now(), ReportedBy: access.From(ctx).Subject,
	}
	return r, s.store.AddResource(ctx, r)
}

// ListResources returns a page of an owner's units, and as of when. Hospitals see their own; those who run the line see
// any, and with no owner named all.
func (s *Service) ListResources(ctx context.Context, owner string, kind pool.Kind, size int32, token string) (list []pool.Resource, next string, asOf time.Time, err error) {
	caller := access.From(ctx)
	if !caller.Has(access.Operations) && !caller.Has(access.Service) {
		if owner == "" {
			owner = caller.Organisation
		}
		if !caller.MaySee(owner) {
			return nil, "", time.Time{}, fault.NotFoundf("organisation", owner)
		}
	}
	key := page.Filter("resources", owner, string(kind))
	after, err := page.Parse(key, token)
	if err != nil {
		return nil, "", time.Time{}, err
	}
	asOf = s.clock.Now()
	limit := page.Size(size, 50, 200)
	list, err = s.store.Resources(ctx, owner, kind, after, limit+1, asOf)
	if err != nil {
		return nil, "", time.Time{}, err
	}
	if len(list) > limit {
		list = list[:limit]
		next = page.Token(key, list[limit-1].ID)
	}
	return list, next, asOf, nil
}

// CountFree counts the units free for the whole interval, in the order of the organisations. TIME_INVALID.
func (s *Service) CountFree(ctx context.Context, organisations []string, kind pool.Kind, interval pool.Interval) ([]int, time.Time, error) {
	now := s.clock.Now()
	if err := pool.CheckInterval(interval, now, ""); err != nil {
		return nil, time.Time{}, err
	}
	free, err := s.store.CountFree(ctx, organisations, kind, interval, now)
	return free, now, err
}
