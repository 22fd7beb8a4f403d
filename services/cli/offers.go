package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	matchingv1 "huhang.example/gen/huhang/matching/v1"
)

func (a *app) offersCommand() *cobra.Command {
	c := group("offers", a.say("邀约：列出、查看、接收、谢绝", "offers: list, show, accept, decline"), a.offersList(), a.offersShow())
	c.AddCommand(a.actions("huhang.matching.v1.MatchingService", "offer_id", a.completeOffers)...)
	c.AddCommand(a.actions("huhang.matching.v1.OfferService", "offer_id", a.completeOffers)...)
	return c
}

func (a *app) matching(ctx context.Context, call func(context.Context, matchingv1.MatchingServiceClient) error) error {
	conn, err := a.dial()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	return call(ctx, matchingv1.NewMatchingServiceClient(conn))
}

func (a *app) offersList() *cobra.Command {
	var status, referral, token string
	var limit int32
	kinds := matchingv1.OfferStatus(0).Descriptor()
	c := &cobra.Command{
		Use: "list", Args: cobra.NoArgs, Short: a.say("您可查看的邀约，最先到期的在前", "the offers you may see, first to expire first"),
		RunE: func(c *cobra.Command, _ []string) error {
			request := &matchingv1.ListOffersRequest{ReferralId: referral, PageSize: limit, PageToken: token}
			if !strings.EqualFold(status, "all") {
				number, known := numberOf(kinds, status)
				if !known {
					a.ran = false
					return fmt.Errorf("--status: all, %s", strings.Join(codes(kinds), ", "))
				}
				request.Status = matchingv1.OfferStatus(number)
			}
			return a.matching(c.Context(), func(ctx context.Context, line matchingv1.MatchingServiceClient) error {
				got, err := line.ListOffers(ctx, request)
				if err != nil {
					return err
				}
				if a.json {
					return a.answer(got)
				}
				return a.offerRows(got)
			})
		},
	}
	c.Flags().StringVar(&status, "status", "open", a.say("状态，all为全部", "status, or all"))
	c.Flags().StringVar(&referral, "case", "", a.say("只看此病例", "only of this case"))
	c.Flags().Int32Var(&limit, "limit", 50, a.say("最多几行，1至200", "at most so many, 1 to 200"))
	c.Flags().StringVar(&token, "page-token", "", a.say("上一页给出的令牌", "token of the page before"))
	_ = c.RegisterFlagCompletionFunc("status", cobra.FixedCompletions(append(codes(kinds), "all"), cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("case", a.completeCases)
	a.jsonFlag(c)
	return c
}

func (a *app) offerRows(list *matchingv1.ListOffersResponse) error {
	if len(list.GetOffers()) == 0 {
		_, err := fmt.Fprintln(a.Out, a.say("没有邀约。", "No offers."))
		return err
	}
	rows := make([][]string, 0, len(list.GetOffers()))
	for _, o := range list.GetOffers() {
		answer := "-"
		if o.GetStatus() == matchingv1.OfferStatus_OFFER_STATUS_OPEN {
			answer = a.due(o.GetExpireTime())
		}
		rows = append(rows, []string{
			o.GetOfferId(), a.label(o.GetStatus()), a.label(o.GetOrgan()), a.label(o.GetUrgency()), o.GetReferringOrganisation(), o.GetCenterId(), answer, o.GetReferralId(),
		})
	}
	head := []string{"OFFER", "STATUS", "ORGAN", "URGENCY", "FROM", "CENTER", "ANSWER BY", "CASE"}
	if a.language == "zh" {
		head = []string{"邀约", "状态", "器官", "紧急程度", "转出机构", "中心", "答复期限", "病例"}
	}
	if err := a.grid(head, rows); err != nil || list.GetNextPageToken() == "" {
		return err
	}
	_, err := fmt.Fprintf(a.Err, "%s --page-token %s\n", a.say("更多：", "more:"), list.GetNextPageToken())
	return err
}

func (a *app) offersShow() *cobra.Command {
	c := &cobra.Command{
		Use: "show OFFER", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeOffers, Short: a.say("一个邀约", "one offer"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.matching(c.Context(), func(ctx context.Context, line matchingv1.MatchingServiceClient) error {
				got, err := line.GetOffer(ctx, &matchingv1.GetOfferRequest{OfferId: args[0]})
				if err != nil {
					return err
				}
				if a.json {
					return a.answer(got)
				}
				return a.showOffer(got.GetOffer())
			})
		},
	}
	a.jsonFlag(c)
	return c
}

func (a *app) showOffer(o *matchingv1.Offer) error {
	answer := ""
	if o.GetStatus() == matchingv1.OfferStatus_OFFER_STATUS_OPEN {
		answer = a.due(o.GetExpireTime())
	}
	return a.facts([][2]string{
		{a.say("邀约", "offer"), o.GetOfferId()},
		{a.say("状态", "status"), a.label(o.GetStatus())},
		{a.say("答复期限", "answer by"), answer},
		{a.say("需要", "need"), a.label(o.GetOrgan()) + ", " + a.label(o.GetUrgency())},
		{a.say("病例", "case"), o.GetReferralId()},
		{a.say("患者", "patient"), o.GetPatientId()},
		{a.say("转出机构", "from"), o.GetReferringOrganisation()},
		{a.say("中心", "center"), o.GetCenterId()},
		{a.say("谢绝代码", "declined"), o.GetDeclineCode()},
		{a.say("备注", "comment"), o.GetComment()},
		{a.say("接收条件", "conditions"), strings.Join(o.GetConditions(), "; ")},
		{a.say("预留", "hold"), o.GetHoldId()},
		{a.say("入院", "admission"), at(o.GetAdmissionTime())},
		{a.say("版本", "version"), o.GetEtag()},
	})
}
