package transfer

import (
	"context"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/page"
)

// GetTransfer returns a transfer to its two ends and those who run the line; NOT_FOUND to others.
func (s *Service) GetTransfer(ctx context.Context, transferID string) (Transfer, error) {
	_, t, err := s.visible(ctx, transferID)
	return t, err
}

// ListTransfers returns a page of what the caller may see, and the token of the next. INVALID_PAGE_TOKEN.
func (s *Service) ListTransfers(ctx context.Context, status Status, referralID string, size int32, token string) ([]Transfer, string, error) {
	filter := ListFilter{Status: status, ReferralID: referralID}
	if caller := access.From(ctx); !caller.Has(access.Operations) && !caller.Has(access.Service) {
		if caller.Organisation == "" {
			return nil, "", fault.New(fault.Unauthenticated, fault.IdentityMissing, "",
				"The caller acts for no organisation.", "调用者未归属任何机构。")
		}
		filter.Organisation = caller.Organisation
	}
	key := page.Filter("transfers", filter.Organisation, string(status), referralID)
	after, err := page.Parse(key, token)
	if err != nil {
		return nil, "", err
	}
	list, next, err := s.store.List(ctx, filter, after, page.Size(size, 50, 200))
	if err != nil {
		return nil, "", err
	}
	return list, page.Token(key, next), nil
}
