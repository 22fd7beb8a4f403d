package transfer

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/page"
	"huhang.example/services/transfer/pool"
)

func decimal(version int64) string { return strconv.FormatInt(version, 10) }

// ownNeeds refuses units of others.
func ownNeeds(needs []pool.Need, organisation string) error {
	for i, need := range needs {
		if need.Organisation != organisation {
			return rightMissing(fmt.Sprintf("needs[%d].organisation", i),
				"An organisation books its own units only.", "机构只能使用本机构资源。")
		}
	}
	return nil
}

// LendUnit offers a unit of the caller's organisation. TIME_INVALID, FIELD_INVALID, NOT_FOUND, RESOURCE_TAKEN,
// QUOTA_RESERVED.
func (s *Service) LendUnit(ctx context.Context, resourceID, borrower string, interval pool.Interval) (pool.Loan, error) {
	lender, err := owner(ctx)
	if err != nil {
		return pool.Loan{}, err
	}
	now := s.clock.Now()
	if err := pool.CheckInterval(interval, now, ""); err != nil {
		return pool.Loan{}, err
	}
	if borrower == lender {
		return pool.Loan{}, fault.New(fault.InvalidArgument, fault.FieldInvalid, "borrower",
			"A unit is lent to another institution.", "资源只能借给其他机构。")
	}
	return s.store.Lend(ctx, pool.Loan{
		ID: s.ids.New("loa"), ResourceID: resourceID, Lender: lender, Borrower: borrower, Interval: interval, Status: pool.Offered,
	}, now)
}

// changeLoan changes a loan of one of the two sides.
func (s *Service) changeLoan(ctx context.Context, loanID, etag string, may func(pool.Loan, string) bool, change func(*pool.Loan, time.Time) error) (pool.Loan, error) {
	organisation, err := owner(ctx)
	if err != nil {
		return pool.Loan{}, err
	}
	now := s.clock.Now()
	return s.store.UpdateLoan(ctx, loanID, etag, now, func(l *pool.Loan) error {
		if organisation != l.Lender && organisation != l.Borrower {
			return fault.NotFoundf("loan", loanID)
		}
		if !may(*l, organisation) {
			return rightMissing("", "This step belongs to the other side of the loan.", "该操作应由借调的另一方进行。")
		}
		return change(l, now)
	})
}

// AcceptLoan takes an offered loan; from then on its hours are owed.
func (s *Service) AcceptLoan(ctx context.Context, loanID, etag string) (pool.Loan, error) {
	return s.changeLoan(ctx, loanID, etag, func(l pool.Loan, by string) bool { return by == l.Borrower },
		func(l *pool.Loan, now time.Time) error { return l.Accept(now) })
}

// EndLoan withdraws or declines an offer, or gives a unit back early; a lender takes back only what was not yet taken.
func (s *Service) EndLoan(ctx context.Context, loanID, etag string) (pool.Loan, error) {
	return s.changeLoan(ctx, loanID, etag, func(l pool.Loan, by string) bool { return by == l.Borrower || l.Status == pool.Offered },
		func(l *pool.Loan, now time.Time) error { return l.Finish(now) })
}

// ListLoans returns a page of the caller's loans; those who run the line see all.
func (s *Service) ListLoans(ctx context.Context, status pool.LoanStatus, size int32, token string) ([]pool.Loan, string, error) {
	caller := access.From(ctx)
	organisation := caller.Organisation
	if caller.Has(access.Operations) {
		organisation = ""
	} else if organisation == "" {
		return nil, "", rightMissing("", "Only an organisation keeps a pool.", "资源池须由机构管理。")
	}
	key := page.Filter("loans", organisation, string(status))
	before, err := page.Parse(key, token)
	if err != nil {
		return nil, "", err
	}
	limit := page.Size(size, 50, 200)
	list, err := s.store.Loans(ctx, organisation, status, before, limit+1)
	if err != nil || len(list) <= limit {
		return list, "", err
	}
	return list[:limit], page.Token(key, list[limit-1].ID), nil
}

// LoanBalance sums what the organisation and each other one owe each other.
func (s *Service) LoanBalance(ctx context.Context, organisation string) ([]pool.Balance, time.Time, error) {
	caller := access.From(ctx)
	if organisation == "" {
		organisation = caller.Organisation
	}
	if organisation == "" || !caller.MaySee(organisation) {
		return nil, time.Time{}, fault.NotFoundf("organisation", organisation)
	}
	balances, err := s.store.Balances(ctx, organisation)
	return balances, s.clock.Now(), err
}
