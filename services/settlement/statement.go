package settlement

import (
	"context"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/ledger"
	"huhang.example/services/settlement/policy"
	"huhang.example/services/settlement/split"
)

// Statement is the one bill (一单制结算单): the claim and its last settlement.
type Statement struct {
	Claim      *Claim
	Settlement *Settlement
}

// GetStatement returns the bill of a claim the caller may see; fault WRONG_STATE while it was never settled.
func (s *Service) GetStatement(ctx context.Context, claimID string) (Statement, error) {
	ctx, c, err := s.visibleClaim(ctx, claimID)
	if err != nil {
		return Statement{}, err
	}
	if c.LastSettlementID == "" {
		return Statement{}, wrongState(string(c.Status))
	}
	settled, err := s.store.Settlement(ctx, c.LastSettlementID)
	return Statement{Claim: c, Settlement: settled}, err
}

// ListPolicies returns the policy documents of an insured province, newest first.
func (s *Service) ListPolicies(_ context.Context, province string) ([]*policy.Policy, error) {
	if err := s.serves(province); err != nil {
		return nil, err
	}
	return s.rules.Book.Policies(province), nil
}

// GetCounters returns a person's sums of a year to the agency of the insured province.
func (s *Service) GetCounters(ctx context.Context, province, patientID, year string) (split.Counters, error) {
	if err := s.serves(province); err != nil {
		return split.Counters{}, err
	}
	if err := ownProvince(access.From(ctx), province); err != nil {
		return split.Counters{}, err
	}
	return s.store.Counters(ctx, province, patientID, year)
}

// ThisYear is the year of today.
func (s *Service) ThisYear() string { return s.today()[:4] }

// TrialBalance sums every account of a province (试算平衡); the difference is zero, or the ledger is broken.
func (s *Service) TrialBalance(ctx context.Context, province string) ([]ledger.Balance, money.Fen, error) {
	if err := s.serves(province); err != nil {
		return nil, 0, err
	}
	if who := access.From(ctx); !who.Has(access.Operations) {
		if err := ownProvince(who, province); err != nil {
			return nil, 0, err
		}
	}
	balances, err := s.store.Balances(ctx, province)
	return balances, ledger.Difference(balances), err
}

func noPolicy() error {
	return fault.New(fault.FailedPrecondition, fault.NoPolicy, "",
		"No policy of the insured province is in force on that day.", "参保地当日没有有效的医保政策。")
}
