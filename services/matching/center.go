package matching

import (
	"context"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/matching/directory"
)

// Edit says who changes a center, when, and by which act.
type Edit struct {
	Action                string
	At                    time.Time
	Organisation, Subject string
}

// The acts of an edit, as the contract names them.
const (
	ActionSeed     = "SEED"
	ActionImport   = "IMPORT"
	ActionCapacity = "DECLARE_CAPACITY"
	ActionLicence  = "SET_LICENCE"
	ActionProgram  = "UPDATE_PROGRAM"
	ActionQuotas   = "SET_RESERVE_QUOTAS"
)

// CenterChange is one edit of a center as it is remembered (变更记录).
type CenterChange struct {
	Edit
	Version int64
	Fields  []directory.Change
}

func (s *Service) edit(ctx context.Context, action string) Edit {
	caller := access.From(ctx)
	return Edit{Action: action, At: s.clock.Now(), Organisation: caller.Organisation, Subject: caller.Subject}
}

// Seed puts a directory's centers, and the weights this binary carries, where they are missing. What was declared since
// stays.
func (s *Service) Seed(ctx context.Context, f *directory.File) error {
	if err := s.SeedWeights(ctx); err != nil {
		return err
	}
	return s.store.Seed(ctx, f.Centers(s.clock.Now()), s.edit(ctx, ActionSeed))
}

// Center returns one center; the directory is open to every role that may ask.
func (s *Service) Center(ctx context.Context, centerID string) (*directory.Center, error) {
	return s.store.Center(ctx, centerID)
}

// Centers returns a page of centers by code.
func (s *Service) Centers(ctx context.Context, f CenterFilter, after string, limit int) ([]*directory.Center, error) {
	return s.store.Centers(ctx, f, after, limit)
}

// CenterChanges returns a page of a center's history; a center sees its own. Faults: NOT_FOUND.
func (s *Service) CenterChanges(ctx context.Context, centerID string, before int64, limit int) ([]CenterChange, error) {
	if !access.From(ctx).MaySee(centerID) {
		return nil, access.NotVisible("center", centerID)
	}
	if _, err := s.store.Center(ctx, centerID); err != nil {
		return nil, err
	}
	return s.store.CenterChanges(ctx, centerID, before, limit)
}

// its refuses a caller that is neither the center nor operations.
func its(caller access.Caller, centerID string) error {
	if caller.Organisation == centerID || caller.Has(access.Operations) {
		return nil
	}
	return fault.New(fault.PermissionDenied, fault.RightMissing, "center_id",
		"A center changes its own entry only.", "中心只能修改本中心的信息。")
}

// DeclareCapacity states what a center has free, for its own programs; operations may state it on a center's word. Faults:
// NOT_FOUND, RIGHT_MISSING, CODE_UNKNOWN for an organ without a program, STALE_VERSION.
func (s *Service) DeclareCapacity(ctx context.Context, centerID, etag, organ string, free int32) (*directory.Center, error) {
	caller := access.From(ctx)
	if err := its(caller, centerID); err != nil {
		return nil, err
	}
	by := s.edit(ctx, ActionCapacity)
	return s.program(ctx, centerID, etag, organ, by, func(p *directory.Program) error {
		p.Capacity = &directory.Capacity{FreePlaces: free, AsOf: by.At, DeclaredBy: caller.Organisation}
		return nil
	})
}

// SetLicence records a licence, its suspension or its revocation; it counts from the next call on, and open offers of a
// program that lost its licence are withdrawn. Faults: NOT_FOUND, FIELD_INVALID, CODE_UNKNOWN for an organ without a
// program, LICENCE_REVOKED for one that would come back, STALE_VERSION.
func (s *Service) SetLicence(ctx context.Context, centerID, etag, organ string, l directory.Licence) (*directory.Center, error) {
	if err := l.Check(); err != nil {
		return nil, fault.New(fault.InvalidArgument, fault.FieldInvalid, "licence",
			"The licence's days are not days, or it ends before it begins.", "资质日期无效，或截止日早于起始日。").Cause(err)
	}
	return s.program(ctx, centerID, etag, organ, s.edit(ctx, ActionLicence), func(p *directory.Program) error {
		if !p.Licence.MayBecome(l) {
			return fault.New(fault.FailedPrecondition, fault.LicenceRevoked, "licence",
				"A revoked licence is not revived: another one begins on a later day.", "已撤销的资质不能恢复；新资质的起始日须晚于原资质。")
		}
		p.Licence = l
		return nil
	})
}

// The parts of a program that can be changed by themselves, and whether its center may.
var programPaths = map[string]bool{
	"adults": true, "children": true, "open": true, "criteria": true, "survival_tier": false, "volume": false, "median_wait_days": false,
}

// UpdateProgram changes the named parts of a program. What a center is measured by is operations' to change. Faults:
// NOT_FOUND, RIGHT_MISSING, FIELD_INVALID, CODE_UNKNOWN for an organ without a program, STALE_VERSION.
func (s *Service) UpdateProgram(ctx context.Context, centerID, etag string, want directory.Program, paths []string) (*directory.Center, error) {
	caller := access.From(ctx)
	if err := its(caller, centerID); err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fault.New(fault.InvalidArgument, fault.FieldInvalid, "update_mask", "Name what to change.", "请指明要修改的内容。")
	}
	for _, path := range paths {
		centers, ok := programPaths[path]
		if !ok {
			return nil, fault.New(fault.InvalidArgument, fault.FieldInvalid, "update_mask", "There is no such part of a program, or it has a call of its own.", "没有此项，或须用专门的接口修改。").With("path", path)
		}
		if !centers && !caller.Has(access.Operations) {
			return nil, fault.New(fault.PermissionDenied, fault.RightMissing, "update_mask", "Operations change what a center is measured by.", "评价数据由运营维护。").With("path", path)
		}
	}
	return s.program(ctx, centerID, etag, want.Organ, s.edit(ctx, ActionProgram), func(p *directory.Program) error {
		for _, path := range paths {
			switch path {
			case "adults":
				p.Adults = want.Adults
			case "children":
				p.Children = want.Children
			case "open":
				p.Open = want.Open
			case "criteria":
				p.Criteria = want.Criteria
			case "survival_tier":
				p.SurvivalTier = want.SurvivalTier
			case "volume":
				p.Volume = want.Volume
			case "median_wait_days":
				p.MedianWaitDays = want.MedianWaitDays
			}
		}
		if err := p.Check(); err != nil {
			return fault.New(fault.InvalidArgument, fault.FieldInvalid, "program", "The program would break a bound: "+err.Error()+".", "修改后的项目超出允许范围："+err.Error()+"。")
		}
		return nil
	})
}

// SetReserveQuotas replaces what a center promises to referred patients. Faults: NOT_FOUND, RIGHT_MISSING, FIELD_INVALID,
// STALE_VERSION.
func (s *Service) SetReserveQuotas(ctx context.Context, centerID, etag string, quotas []directory.Quota) (*directory.Center, error) {
	if err := its(access.From(ctx), centerID); err != nil {
		return nil, err
	}
	if err := directory.CheckQuotas(quotas); err != nil {
		return nil, fault.New(fault.InvalidArgument, fault.FieldInvalid, "quotas", "The quotas are not valid: "+err.Error()+".", "预留资源无效："+err.Error()+"。")
	}
	return s.store.UpdateCenter(ctx, centerID, etag, s.edit(ctx, ActionQuotas), func(c *directory.Center) error {
		c.Quotas = quotas
		return nil
	})
}

func (s *Service) program(ctx context.Context, centerID, etag, organ string, by Edit, change func(*directory.Program) error) (*directory.Center, error) {
	return s.store.UpdateCenter(ctx, centerID, etag, by, func(c *directory.Center) error {
		p := c.Program(organ)
		if p == nil {
			return fault.New(fault.InvalidArgument, fault.CodeUnknown, "organ", "The center has no program for this organ.", "该中心没有此器官的移植项目。")
		}
		return change(p)
	})
}
