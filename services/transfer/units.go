package transfer

import (
	"context"
	"time"

	"huhang.example/services/internal/clock"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/page"
	"huhang.example/services/internal/telemetry"
	"huhang.example/services/transfer/pool"
)

// owner is the organisation whose pool the caller keeps.
func owner(ctx context.Context) (string, error) {
	if organisation := access.From(ctx).Organisation; organisation != "" {
		return organisation, nil
	}
	return "", rightMissing("", "Only an organisation keeps a pool.", "资源池须由机构管理。")
}

// GetResource returns a unit to its owner, to whoever has it on loan now, and to those who run the line.
func (s *Service) GetResource(ctx context.Context, resourceID string) (pool.Resource, error) {
	r, err := s.store.Resource(ctx, resourceID, s.clock.Now())
	if err != nil {
		return pool.Resource{}, err
	}
	if access.From(ctx).MaySee(r.Organisation) {
		return r, nil
	}
	loans, err := s.store.Loans(ctx, access.From(ctx).Organisation, pool.Lent, "", 200)
	if err != nil {
		return pool.Resource{}, err
	}
	for _, l := range loans {
		if l.ResourceID == resourceID && l.Borrower == access.From(ctx).Organisation && l.End.After(s.clock.Now()) {
			return r, nil
		}
	}
	return pool.Resource{}, fault.NotFoundf("resource", resourceID)
}

// changeResource changes what the caller's organisation says of a unit of its own; the report is renewed with it.
// The answer shows the reservations that stand.
func (s *Service) changeResource(ctx context.Context, resourceID, etag string, change func(*pool.Resource) error) (pool.Resource, error) {
	caller, now := access.From(ctx), s.clock.Now()
	var out pool.Resource
	err := s.store.Atomically(ctx, func(ctx context.Context) error {
		_, err := s.store.UpdateResource(ctx, resourceID, etag, func(r *pool.Resource) error {
			if caller.Organisation == "" || r.Organisation != caller.Organisation {
				return fault.NotFoundf("resource", resourceID)
			}
			r.Reported, r.ReportedBy = now, caller.Subject
			return change(r)
		})
		if err != nil {
			return err
		}
		out, err = s.store.Resource(ctx, resourceID, now)
		return err
	})
	return out, err
}

// SetCalendar says when a unit is to be had; reservations made before stay. FIELD_INVALID and TIME_INVALID name the field.
func (s *Service) SetCalendar(ctx context.Context, resourceID, etag string, c pool.Calendar) (pool.Resource, error) {
	if err := c.Check(); err != nil {
		return pool.Resource{}, err
	}
	return s.changeResource(ctx, resourceID, etag, func(r *pool.Resource) error {
		r.Calendar = c
		return nil
	})
}

// ReportResource tells that a unit is as the pool says, or out of service.
func (s *Service) ReportResource(ctx context.Context, resourceID, etag string, outOfService bool) (pool.Resource, error) {
	return s.changeResource(ctx, resourceID, etag, func(r *pool.Resource) error {
		r.OutOfService = outOfService
		return nil
	})
}

// GetCapacity counts an owner's units over an interval; what they are taken by is not told. TIME_INVALID.
func (s *Service) GetCapacity(ctx context.Context, organisation string, kind pool.Kind, interval pool.Interval) (pool.Capacity, time.Time, error) {
	now := s.clock.Now()
	if err := pool.CheckInterval(interval, now, ""); err != nil {
		return pool.Capacity{}, time.Time{}, err
	}
	out, err := s.store.Capacity(ctx, organisation, kind, interval, now)
	return out, now, err
}

// SetQuota reserves units of the caller's organisation for referred patients. FIELD_INVALID, TIME_INVALID.
func (s *Service) SetQuota(ctx context.Context, quota pool.Quota, fromDay, toDay string) (pool.Quota, error) {
	organisation, err := owner(ctx)
	if err != nil {
		return pool.Quota{}, err
	}
	if quota.Period, err = pool.Days(fromDay, toDay); err != nil {
		return pool.Quota{}, err
	}
	quota.ID, quota.Organisation = s.ids.New("quo"), organisation
	if err := quota.Check(s.clock.Now()); err != nil {
		return pool.Quota{}, err
	}
	return s.store.AddQuota(ctx, quota)
}

// WithdrawQuota ends a quota of the caller's organisation. NOT_FOUND, STALE_VERSION.
func (s *Service) WithdrawQuota(ctx context.Context, quotaID, etag string) error {
	organisation, err := owner(ctx)
	if err != nil {
		return err
	}
	return s.store.WithdrawQuota(ctx, organisation, quotaID, etag)
}

// QuotaWithUse is a quota and how far it is used.
type QuotaWithUse struct {
	pool.Quota
	pool.Used
}

// QuotaUse returns a quota as it is used now.
func (s *Service) QuotaUse(ctx context.Context, quota pool.Quota) (QuotaWithUse, error) {
	list, used, err := s.store.Quotas(ctx, quota.Organisation, quota.Kind, "", 1000, s.clock.Now())
	for i := range list {
		if list[i].ID == quota.ID {
			return QuotaWithUse{list[i], used[i]}, err
		}
	}
	return QuotaWithUse{Quota: quota}, err
}

// ListQuotas returns a page of the quotas of one owner, or of all to those who run the line.
func (s *Service) ListQuotas(ctx context.Context, organisation string, kind pool.Kind, size int32, token string) ([]QuotaWithUse, string, error) {
	caller := access.From(ctx)
	if organisation == "" && !caller.Has(access.Operations) {
		organisation = caller.Organisation
	}
	if !caller.MaySee(organisation) {
		return nil, "", fault.NotFoundf("organisation", organisation)
	}
	key := page.Filter("quotas", organisation, string(kind))
	after, err := page.Parse(key, token)
	if err != nil {
		return nil, "", err
	}
	limit := page.Size(size, 50, 200)
	quotas, used, err := s.store.Quotas(ctx, organisation, kind, after, limit+1, s.clock.Now())
	if err != nil {
		return nil, "", err
	}
	next := ""
	if len(quotas) > limit {
		quotas, next = quotas[:limit], page.Token(key, quotas[limit-1].ID)
	}
	out := make([]QuotaWithUse, len(quotas))
	for i := range quotas {
		out[i] = QuotaWithUse{quotas[i], used[i]}
	}
	return out, next, nil
}

// BookOwnUse books the caller's own units, confirmed at once. TIME_INVALID, RIGHT_MISSING, RESOURCE_TAKEN, QUOTA_RESERVED.
func (s *Service) BookOwnUse(ctx context.Context, needs []pool.Need, reason string) (pool.Hold, error) {
	organisation, err := owner(ctx)
	if err != nil {
		return pool.Hold{}, err
	}
	now := s.clock.Now()
	if err := ownNeeds(needs, organisation); err != nil {
		return pool.Hold{}, err
	}
	if err := pool.CheckNeeds(needs, now.Add(clock.Skew), now); err != nil {
		return pool.Hold{}, err
	}
	return s.store.Hold(ctx, pool.Hold{
		ID: s.ids.New("hld"), Organisation: organisation, Purpose: pool.OwnUse, Status: pool.Confirmed, Expire: now, ReleaseReason: reason,
	}, needs, now)
}

// MoveHold gives a hold of the caller's organisation other needs, all or none. NOT_FOUND, STALE_VERSION, TIME_INVALID,
// RIGHT_MISSING, RESOURCE_TAKEN, WRONG_STATE for a transfer's.
func (s *Service) MoveHold(ctx context.Context, holdID, etag string, needs []pool.Need) (pool.Hold, error) {
	var out pool.Hold
	err := s.store.Atomically(ctx, func(ctx context.Context) error {
		ctx, err := s.ownHold(ctx, holdID)
		if err != nil {
			return err
		}
		now := s.clock.Now()
		h, err := s.store.UpdateHold(ctx, holdID, func(h *pool.Hold) error {
			if h.Purpose == pool.Transfer || h.Purpose == pool.Return {
				return fault.New(fault.FailedPrecondition, fault.WrongState, "hold_id",
					"The hold belongs to a transfer and moves with it.", "该预占属于转运任务，随其调整。").With("transfer_id", h.TransferID)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if current := decimal(h.Version); etag != current {
			return fault.Stale(current)
		}
		if caller := access.From(ctx); !caller.Has(access.Service) {
			if err := ownNeeds(needs, caller.Organisation); err != nil {
				return err
			}
		}
		if err := pool.CheckNeeds(needs, now.Add(clock.Skew), now); err != nil {
			return err
		}
		moved, missing, err := s.store.Move(ctx, []pool.Move{{HoldID: holdID, Needs: needs}}, now)
		if err != nil {
			return err
		}
		if missing != nil {
			return pool.Taken(*missing)
		}
		out = moved[0]
		return s.lookAgain(ctx, out.ReferralID)
	})
	return out, err
}

// OverrideUnits takes units from others on the caller's word, for a case that the caller sees; a center takes its own units
// only.
func (s *Service) OverrideUnits(ctx context.Context, referralID string, named Named, picks []pool.Pick, expire time.Time, reason string) (pool.Hold, []pool.Override, error) {
	ctx = telemetry.WithReferral(ctx, referralID)
	caller, now := access.From(ctx), s.clock.Now()
	needs := make([]pool.Need, len(picks))
	for i, p := range picks {
		needs[i].Interval = p.Interval
	}
	if err := pool.CheckNeeds(needs, expire, now); err != nil {
		return pool.Hold{}, nil, err
	}
	if caller.Subject == "" {
		return pool.Hold{}, nil, rightMissing("", "An override needs a person who answers for it.", "改派须由具名人员负责。")
	}
	if err := named.goesOn(); err != nil {
		return pool.Hold{}, nil, err
	}
	mine := caller.Organisation
	if caller.Has(access.Operations) {
		mine = ""
	}
	first, err := s.store.Resource(ctx, picks[0].ResourceID, now)
	if err != nil {
		return pool.Hold{}, nil, err
	}
	var taken pool.Hold
	var records []pool.Override
	err = s.store.Atomically(ctx, func(ctx context.Context) error {
		taken, records, err = s.store.Override(ctx, pool.Hold{
			ID: s.ids.New("hld"), ReferralID: referralID, Organisation: first.Organisation, Status: pool.Held, Expire: expire,
		}, mine, picks, pool.Override{Organisation: caller.Organisation, Subject: caller.Subject, Reason: reason}, now)
		if err != nil {
			return err
		}
		return s.tellOwners(ctx, taken, records)
	})
	return taken, records, err
}

// tellOwners tells those whose own use gave way, by the case that has their units: who ordered it, and what became of each
// hold. A patient's hold that is released tells its own case.
func (s *Service) tellOwners(ctx context.Context, taken pool.Hold, records []pool.Override) error {
	told := map[string]bool{}
	for _, r := range records {
		if told[r.Yielding] {
			continue
		}
		told[r.Yielding] = true
		h, err := s.store.GetHold(ctx, r.Yielding)
		if err != nil {
			return err
		}
		if h.Purpose != pool.OwnUse {
			continue
		}
		e := CaseEvent{
			RequestID: "o-" + taken.ID + "-" + h.ID, ReferralID: taken.ReferralID, At: r.At, Organisation: r.Organisation, Subject: r.Subject,
			HoldID: h.ID, Kind: EventHoldOverridden, ReasonCode: "MOVED", Told: h.Organisation,
		}
		if h.Status == pool.Released {
			e.ReasonCode = "RELEASED"
		}
		if err := s.store.Report(ctx, e); err != nil {
			return err
		}
	}
	return nil
}
