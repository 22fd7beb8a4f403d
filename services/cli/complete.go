package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	matchingv1 "huhang.example/gen/huhang/matching/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
)

// A completion that makes people wait is none; without the line there are no suggestions.
const (
	completeLimit = 800 * time.Millisecond
	completeMost  = 50
)

func (a *app) completeCases(c *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var found []cobra.Completion
	ctx, cancel := context.WithTimeout(c.Context(), completeLimit)
	defer cancel()
	// A failure leaves the list empty.
	_ = a.referrals(ctx, func(ctx context.Context, line referralv1.ReferralServiceClient) error {
		got, err := line.ListReferrals(ctx, &referralv1.ListReferralsRequest{PageSize: completeMost})
		for _, r := range got.GetReferrals() {
			if strings.HasPrefix(r.GetReferralId(), typed) {
				found = append(found, cobra.CompletionWithDesc(r.GetReferralId(), a.label(r.GetState())+", "+a.label(r.GetOrgan())+", "+r.GetReferringOrganisation()))
			}
		}
		return err
	})
	return found, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

func (a *app) completeOffers(c *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var found []cobra.Completion
	ctx, cancel := context.WithTimeout(c.Context(), completeLimit)
	defer cancel()
	_ = a.matching(ctx, func(ctx context.Context, line matchingv1.MatchingServiceClient) error {
		got, err := line.ListOffers(ctx, &matchingv1.ListOffersRequest{Status: matchingv1.OfferStatus_OFFER_STATUS_OPEN, PageSize: completeMost})
		for _, o := range got.GetOffers() {
			if strings.HasPrefix(o.GetOfferId(), typed) {
				found = append(found, cobra.CompletionWithDesc(o.GetOfferId(), a.label(o.GetOrgan())+", "+a.label(o.GetUrgency())+", "+at(o.GetExpireTime())))
			}
		}
		return err
	})
	return found, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

func (a *app) completeWorklists(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var found []cobra.Completion
	kinds := referralv1.WorklistKind(0).Descriptor().Values()
	for i := range kinds.Len() {
		if kind := kinds.Get(i); kind.Number() != 0 {
			found = append(found, cobra.CompletionWithDesc(strings.ToLower(strings.ReplaceAll(short(kind), "_", "-")), a.label(referralv1.WorklistKind(kind.Number()))))
		}
	}
	return found, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}
