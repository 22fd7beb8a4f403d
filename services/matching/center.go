package matching

import (
	"context"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/matching/directory"
)

// Seed puts a directory's centers where they are missing. What was declared since stays.
func (s *Service) Seed(ctx context.Context, f *directory.File) error {
	return s.store.Seed(ctx, f.Centers(s.clock.Now()))
}

// Center returns one center; the directory is open to every role that may ask.
func (s *Service) Center(ctx context.Context, centerID string) (*directory.Center, error) {
	return s.store.Center(ctx, centerID)
}

// Centers returns a page of centers by code.
func (s *Service) Centers(ctx context.Context, f CenterFilter, after string, limit int) ([]*directory.Center, error) {
	return s.store.Centers(ctx, f, after, limit)
}

// DeclareCapacity states what a center has free, for its own programs; operations may state it on a center's word. Faults:
// NOT_FOUND, RIGHT_MISSING, CODE_UNKNOWN for an organ without a program, STALE_VERSION.
func (s *Service) DeclareCapacity(ctx context.Context, centerID, etag, organ string, free int32) (*directory.Center, error) {
	caller := access.From(ctx)
	if caller.Organisation != centerID && !caller.Has(access.Operations) {
		return nil, fault.New(fault.PermissionDenied, fault.RightMissing, "center_id",
			"A center declares its own capacity only.", "中心只能申报本中心的接收能力。")
	}
	at := s.clock.Now()
	return s.program(ctx, centerID, etag, organ, func(p *directory.Program) {
		p.Capacity = &directory.Capacity{FreePlaces: free, AsOf: at, DeclaredBy: caller.Organisation}
	})
}

// SetLicence records a licence or its suspension; it counts from the next call on. Faults: NOT_FOUND, FIELD_INVALID,
// CODE_UNKNOWN for an organ without a program, STALE_VERSION.
func (s *Service) SetLicence(ctx context.Context, centerID, etag, organ string, l directory.Licence) (*directory.Center, error) {
	if err := l.Check(); err != nil {
		return nil, fault.New(fault.InvalidArgument, fault.FieldInvalid, "licence",
			"The licence's days are not days, or it ends before it begins.", "资质日期无效，或截止日早于起始日。").Cause(err)
	}
	return s.program(ctx, centerID, etag, organ, func(p *directory.Program) { p.Licence = l })
}

func (s *Service) program(ctx context.Context, centerID, etag, organ string, change func(*directory.Program)) (*directory.Center, error) {
	return s.store.UpdateCenter(ctx, centerID, etag, func(c *directory.Center) error {
		p := c.Program(organ)
		if p == nil {
			return fault.New(fault.InvalidArgument, fault.CodeUnknown, "organ", "The center has no program for this organ.", "该中心没有此器官的移植项目。")
		}
		change(p)
		return nil
	})
}
