package rpc

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/idempotency"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/transfer"
	"huhang.example/services/transfer/pool"
)

// PoolServer implements the pool's service.
type PoolServer struct {
	transferv1.UnimplementedPoolServiceServer
	service *transfer.Service
	db      *sqldb.DB
}

// NewPool returns the pool's server.
func NewPool(service *transfer.Service, db *sqldb.DB) *PoolServer {
	return &PoolServer{service: service, db: db}
}

// GetResource returns one unit.
func (s *PoolServer) GetResource(ctx context.Context, req *transferv1.GetResourceRequest) (*transferv1.GetResourceResponse, error) {
	look, err := lookFrom(req)
	if err != nil {
		return nil, err
	}
	r, err := s.service.GetResource(ctx, req.GetResourceId())
	if err != nil {
		return nil, err
	}
	r.Closed = r.Calendar.ClosedTimes(look)
	return &transferv1.GetResourceResponse{Resource: resourceTo(r)}, nil
}

// SetResourceCalendar replaces a unit's calendar.
func (s *PoolServer) SetResourceCalendar(ctx context.Context, req *transferv1.SetResourceCalendarRequest) (*transferv1.SetResourceCalendarResponse, error) {
	c, err := calendarFrom(req.GetCalendar())
	if err != nil {
		return nil, err
	}
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*transferv1.SetResourceCalendarResponse, error) {
		r, err := s.service.SetCalendar(ctx, req.GetResourceId(), req.GetEtag(), c)
		return &transferv1.SetResourceCalendarResponse{Resource: resourceTo(r)}, err
	})
}

// ReportResource tells of a unit.
func (s *PoolServer) ReportResource(ctx context.Context, req *transferv1.ReportResourceRequest) (*transferv1.ReportResourceResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*transferv1.ReportResourceResponse, error) {
		r, err := s.service.ReportResource(ctx, req.GetResourceId(), req.GetEtag(), req.GetOutOfService())
		return &transferv1.ReportResourceResponse{Resource: resourceTo(r)}, err
	})
}

// GetCapacity counts an owner's units.
func (s *PoolServer) GetCapacity(ctx context.Context, req *transferv1.GetCapacityRequest) (*transferv1.GetCapacityResponse, error) {
	interval, err := intervalFrom(req.GetStartTime(), req.GetEndTime(), "")
	if err != nil {
		return nil, err
	}
	c, asOf, err := s.service.GetCapacity(ctx, req.GetOrganisation(), kindFrom(req.GetKind()), interval)
	if err != nil {
		return nil, err
	}
	return &transferv1.GetCapacityResponse{
		Units: int32(c.Units), Free: int32(c.Free), Taken: int32(c.Taken), NotToBeHad: int32(c.Unusable), AsOf: timestamppb.New(asOf),
		OldestReportTime: stamp(c.OldestReport), OldestReportBy: c.OldestReportBy, OwnUseLeft: int32(c.OwnLeft),
	}, nil
}

// SetQuota adds a quota.
func (s *PoolServer) SetQuota(ctx context.Context, req *transferv1.SetQuotaRequest) (*transferv1.SetQuotaResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*transferv1.SetQuotaResponse, error) {
		quota, err := s.service.SetQuota(ctx, pool.Quota{
			Kind: kindFrom(req.GetKind()), Units: int(req.GetReservedUnits()), ShareBp: int(req.GetReservedShareBp()), MostReferred: int(req.GetMostReferred()),
			Release: time.Duration(req.GetReleaseMinutes()) * time.Minute,
		}, req.GetFromDay(), req.GetToDay())
		if err != nil {
			return nil, err
		}
		used, err := s.service.QuotaUse(ctx, quota)
		return &transferv1.SetQuotaResponse{Quota: quotaTo(used)}, err
	})
}

// WithdrawQuota ends a quota.
func (s *PoolServer) WithdrawQuota(ctx context.Context, req *transferv1.WithdrawQuotaRequest) (*transferv1.WithdrawQuotaResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*transferv1.WithdrawQuotaResponse, error) {
		return &transferv1.WithdrawQuotaResponse{}, s.service.WithdrawQuota(ctx, req.GetQuotaId(), req.GetEtag())
	})
}

// ListQuotas returns a page of quotas.
func (s *PoolServer) ListQuotas(ctx context.Context, req *transferv1.ListQuotasRequest) (*transferv1.ListQuotasResponse, error) {
	list, next, err := s.service.ListQuotas(ctx, req.GetOrganisation(), kindFrom(req.GetKind()), req.GetPageSize(), req.GetPageToken())
	if err != nil {
		return nil, err
	}
	answer := &transferv1.ListQuotasResponse{NextPageToken: next}
	for _, q := range list {
		answer.Quotas = append(answer.Quotas, quotaTo(q))
	}
	return answer, nil
}

// BookOwnUse books the owner's own units.
func (s *PoolServer) BookOwnUse(ctx context.Context, req *transferv1.BookOwnUseRequest) (*transferv1.BookOwnUseResponse, error) {
	needs, err := needsFrom(req.GetNeeds())
	if err != nil {
		return nil, err
	}
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*transferv1.BookOwnUseResponse, error) {
		h, err := s.service.BookOwnUse(ctx, needs, req.GetReason())
		return &transferv1.BookOwnUseResponse{Hold: holdTo(h)}, err
	})
}

// MoveHold moves a hold.
func (s *PoolServer) MoveHold(ctx context.Context, req *transferv1.MoveHoldRequest) (*transferv1.MoveHoldResponse, error) {
	needs, err := needsFrom(req.GetNeeds())
	if err != nil {
		return nil, err
	}
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*transferv1.MoveHoldResponse, error) {
		h, err := s.service.MoveHold(ctx, req.GetHoldId(), req.GetEtag(), needs)
		return &transferv1.MoveHoldResponse{Hold: holdTo(h)}, err
	})
}

// OverrideUnits takes units from others.
func (s *PoolServer) OverrideUnits(ctx context.Context, req *transferv1.OverrideUnitsRequest) (*transferv1.OverrideUnitsResponse, error) {
	picks := make([]pool.Pick, len(req.GetNeeds()))
	for i, need := range req.GetNeeds() {
		interval, err := intervalFrom(need.GetStartTime(), need.GetEndTime(), fmt.Sprintf("needs[%d].", i))
		if err != nil {
			return nil, err
		}
		picks[i] = pool.Pick{ResourceID: need.GetResourceId(), Interval: interval}
	}
	expire, err := instant(req.GetExpireTime(), "expire_time")
	if err != nil {
		return nil, err
	}
	named := s.service.PrepareHold(ctx, req.GetReferralId())
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*transferv1.OverrideUnitsResponse, error) {
		h, overrides, err := s.service.OverrideUnits(ctx, req.GetReferralId(), named, picks, expire, req.GetReason())
		return &transferv1.OverrideUnitsResponse{Hold: holdTo(h), Overrides: overridesTo(overrides)}, err
	})
}

// LendUnit offers a unit.
func (s *PoolServer) LendUnit(ctx context.Context, req *transferv1.LendUnitRequest) (*transferv1.LendUnitResponse, error) {
	interval, err := intervalFrom(req.GetStartTime(), req.GetEndTime(), "")
	if err != nil {
		return nil, err
	}
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*transferv1.LendUnitResponse, error) {
		l, err := s.service.LendUnit(ctx, req.GetResourceId(), req.GetBorrower(), interval)
		return &transferv1.LendUnitResponse{Loan: loanTo(l)}, err
	})
}

// AcceptLoan takes a loan.
func (s *PoolServer) AcceptLoan(ctx context.Context, req *transferv1.AcceptLoanRequest) (*transferv1.AcceptLoanResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*transferv1.AcceptLoanResponse, error) {
		l, err := s.service.AcceptLoan(ctx, req.GetLoanId(), req.GetEtag())
		return &transferv1.AcceptLoanResponse{Loan: loanTo(l)}, err
	})
}

// EndLoan ends a loan.
func (s *PoolServer) EndLoan(ctx context.Context, req *transferv1.EndLoanRequest) (*transferv1.EndLoanResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*transferv1.EndLoanResponse, error) {
		l, err := s.service.EndLoan(ctx, req.GetLoanId(), req.GetEtag())
		return &transferv1.EndLoanResponse{Loan: loanTo(l)}, err
	})
}

// ListLoans returns a page of loans.
func (s *PoolServer) ListLoans(ctx context.Context, req *transferv1.ListLoansRequest) (*transferv1.ListLoansResponse, error) {
	status := pool.LoanStatus("")
	if req.GetStatus() != 0 {
		status = pool.LoanStatus(strings.TrimPrefix(req.GetStatus().String(), loanPrefix))
	}
	list, next, err := s.service.ListLoans(ctx, status, req.GetPageSize(), req.GetPageToken())
	if err != nil {
		return nil, err
	}
	answer := &transferv1.ListLoansResponse{NextPageToken: next}
	for _, l := range list {
		answer.Loans = append(answer.Loans, loanTo(l))
	}
	return answer, nil
}

// GetLoanBalance sums the hours lent and owed.
func (s *PoolServer) GetLoanBalance(ctx context.Context, req *transferv1.GetLoanBalanceRequest) (*transferv1.GetLoanBalanceResponse, error) {
	balances, asOf, err := s.service.LoanBalance(ctx, req.GetOrganisation())
	if err != nil {
		return nil, err
	}
	answer := &transferv1.GetLoanBalanceResponse{AsOf: timestamppb.New(asOf)}
	for _, b := range balances {
		answer.Balances = append(answer.Balances, &transferv1.LoanBalance{
			Other: b.Other, Kind: kindTo(b.Kind), LentMinutes: int64(b.Lent / time.Minute), BorrowedMinutes: int64(b.Borrowed / time.Minute),
			OwedToUsMinutes: int64((b.Lent - b.Borrowed) / time.Minute),
		})
	}
	return answer, nil
}

const (
	loanPrefix    = "LOAN_STATUS_"
	purposePrefix = "HOLD_PURPOSE_"
)

func needsFrom(list []*transferv1.Need) ([]pool.Need, error) {
	needs := make([]pool.Need, len(list))
	for i, need := range list {
		interval, err := intervalFrom(need.GetStartTime(), need.GetEndTime(), fmt.Sprintf("needs[%d].", i))
		if err != nil {
			return nil, err
		}
		needs[i] = pool.Need{Organisation: need.GetOrganisation(), Kind: kindFrom(need.GetKind()), Interval: interval}
	}
	return needs, nil
}

func calendarFrom(c *transferv1.UnitCalendar) (pool.Calendar, error) {
	windows := func(list []*transferv1.DayWindow) (out []pool.Window) {
		for _, w := range list {
			out = append(out, pool.Window{From: int(w.GetFromMinute()), To: int(w.GetToMinute())})
		}
		return out
	}
	out := pool.Calendar{
		WorkingDays: windows(c.GetWorkingDays()), DaysOff: windows(c.GetDaysOff()),
		Rest: time.Duration(c.GetRestMinutes()) * time.Minute, Longest: time.Duration(c.GetLongestMinutes()) * time.Minute,
	}
	for i, closed := range c.GetClosures() {
		interval, err := intervalFrom(closed.GetStartTime(), closed.GetEndTime(), fmt.Sprintf("calendar.closures[%d].", i))
		if err != nil {
			return pool.Calendar{}, err
		}
		out.Closures = append(out.Closures, pool.Closure{Interval: interval, Reason: closed.GetReason()})
	}
	return out, nil
}

func calendarTo(c pool.Calendar) *transferv1.UnitCalendar {
	windows := func(list []pool.Window) (out []*transferv1.DayWindow) {
		for _, w := range list {
			out = append(out, &transferv1.DayWindow{FromMinute: int32(w.From), ToMinute: int32(w.To)})
		}
		return out
	}
	out := &transferv1.UnitCalendar{
		WorkingDays: windows(c.WorkingDays), DaysOff: windows(c.DaysOff), RestMinutes: int32(c.Rest / time.Minute), LongestMinutes: int32(c.Longest / time.Minute),
	}
	out.Closures = closuresTo(c.Closures)
	if len(out.GetWorkingDays())+len(out.GetDaysOff())+len(out.GetClosures())+int(out.GetRestMinutes())+int(out.GetLongestMinutes()) == 0 {
		return nil
	}
	return out
}

func closuresTo(list []pool.Closure) (out []*transferv1.Closure) {
	for _, closed := range list {
		out = append(out, &transferv1.Closure{StartTime: stamp(closed.Start), EndTime: stamp(closed.End), Reason: closed.Reason})
	}
	return out
}

func quotaTo(q transfer.QuotaWithUse) *transferv1.Quota {
	return &transferv1.Quota{
		QuotaId: q.ID, Organisation: q.Organisation, Kind: kindTo(q.Kind), FromDay: clock.Day(q.Period.Start),
		ToDay: clock.Day(q.Period.End.Add(-time.Microsecond)), ReservedUnits: int32(q.Units), ReservedShareBp: int32(q.ShareBp),
		MostReferred: int32(q.MostReferred), ReleaseMinutes: int32(q.Release / time.Minute), ReservedNow: int32(q.ReservedNow), Referred: int32(q.Referred), OwnUsePeak: int32(q.OwnPeak),
		Etag: strconv.FormatInt(q.Version, 10),
	}
}

func loanTo(l pool.Loan) *transferv1.Loan {
	return &transferv1.Loan{
		LoanId: l.ID, ResourceId: l.ResourceID, Kind: kindTo(l.Kind), Lender: l.Lender, Borrower: l.Borrower, StartTime: stamp(l.Start),
		EndTime: stamp(l.End), Status: transferv1.LoanStatus(transferv1.LoanStatus_value[loanPrefix+string(l.Status)]),
		OwedMinutes: int64(l.Owed / time.Minute), Etag: strconv.FormatInt(l.Version, 10),
	}
}

func overridesTo(list []pool.Override) []*transferv1.Override {
	var out []*transferv1.Override
	for _, o := range list {
		out = append(out, &transferv1.Override{
			TakingHoldId: o.Taking, YieldingHoldId: o.Yielding, ResourceId: o.ResourceID, ByOrganisation: o.Organisation, BySubject: o.Subject,
			Reason: o.Reason, Time: stamp(o.At), MovedToResourceId: o.MovedTo,
		})
	}
	return out
}
