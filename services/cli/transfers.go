package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	transferv1 "huhang.example/gen/huhang/transfer/v1"
)

func (a *app) transferCommand() *cobra.Command {
	c := group("transfer", a.say("转运：列出、查看、办理", "transfers: list, show and act"), a.transferList(), a.transferShow())
	c.AddCommand(a.actions("huhang.transfer.v1.TransferService", "transfer_id", a.completeTransfers)...)
	c.AddCommand(a.actions("huhang.transfer.v1.MoveService", "transfer_id", a.completeTransfers)...)
	return c
}

func (a *app) transfers(ctx context.Context, call func(context.Context, transferv1.TransferServiceClient) error) error {
	conn, err := a.dial()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	return call(ctx, transferv1.NewTransferServiceClient(conn))
}

func (a *app) transferList() *cobra.Command {
	var referral, token string
	var limit int32
	c := &cobra.Command{
		Use: "list", Args: cobra.NoArgs, Short: a.say("您可查看的转运，最先出发的在前", "the transfers you may see, first to leave first"),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.transfers(c.Context(), func(ctx context.Context, line transferv1.TransferServiceClient) error {
				got, err := line.ListTransfers(ctx, &transferv1.ListTransfersRequest{ReferralId: referral, PageSize: limit, PageToken: token})
				if err != nil {
					return err
				}
				if a.json {
					return a.answer(got)
				}
				return a.transferRows(got)
			})
		},
	}
	c.Flags().StringVar(&referral, "case", "", a.say("只看此病例", "only of this case"))
	c.Flags().Int32Var(&limit, "limit", 50, a.say("最多几行，1至200", "at most so many, 1 to 200"))
	c.Flags().StringVar(&token, "page-token", "", a.say("上一页给出的令牌", "token of the page before"))
	_ = c.RegisterFlagCompletionFunc("case", a.completeCases)
	a.jsonFlag(c)
	return c
}

func (a *app) transferRows(list *transferv1.ListTransfersResponse) error {
	if len(list.GetTransfers()) == 0 {
		_, err := fmt.Fprintln(a.Out, a.say("没有转运。", "No transfers."))
		return err
	}
	rows := make([][]string, 0, len(list.GetTransfers()))
	for _, t := range list.GetTransfers() {
		way := t.GetItinerary()
		rows = append(rows, []string{
			t.GetTransferId(), a.label(t.GetStatus()), t.GetFromOrganisation(), t.GetToOrganisation(), at(way.GetDepartTime()), at(way.GetArriveTime()), t.GetReferralId(),
		})
	}
	head := []string{"TRANSFER", "STATUS", "FROM", "TO", "LEAVES", "ARRIVES", "CASE"}
	if a.language == "zh" {
		head = []string{"转运", "状态", "转出机构", "接收机构", "出发", "到达", "病例"}
	}
	if err := a.grid(head, rows); err != nil || list.GetNextPageToken() == "" {
		return err
	}
	_, err := fmt.Fprintf(a.Err, "%s --page-token %s\n", a.say("更多：", "more:"), list.GetNextPageToken())
	return err
}

func (a *app) transferShow() *cobra.Command {
	c := &cobra.Command{
		Use: "show TRANSFER", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeTransfers, Short: a.say("一次转运", "one transfer"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.transfers(c.Context(), func(ctx context.Context, line transferv1.TransferServiceClient) error {
				got, err := line.GetTransfer(ctx, &transferv1.GetTransferRequest{TransferId: args[0]})
				if err != nil {
					return err
				}
				if a.json {
					return a.answer(got)
				}
				return a.showTransfer(got.GetTransfer())
			})
		},
	}
	a.jsonFlag(c)
	return c
}

func (a *app) showTransfer(t *transferv1.Transfer) error {
	way, signed := t.GetItinerary(), t.GetHandOver()
	if signed == nil {
		signed = t.GetHandOverWaiting()
	}
	bySender := a.signature(signed, signed.GetSignedBySender(), signed.GetSenderSignTime())
	if signed.GetSenderAttested() {
		bySender += a.say("（接收方代填）", " (by the word of the receiving side)")
	}
	return a.facts([][2]string{
		{a.say("转运", "transfer"), t.GetTransferId()},
		{a.say("状态", "status"), a.label(t.GetStatus())},
		{a.say("中止原因", "ended"), t.GetAbortCode()},
		{a.say("说明", "comment"), t.GetComment()},
		{a.say("待处理", "waits for"), t.GetAttentionCode()},
		{a.say("病例", "case"), t.GetReferralId()},
		{a.say("转出机构", "from"), t.GetFromOrganisation()},
		{a.say("接收机构", "to"), t.GetToOrganisation()},
		{a.say("改送", "diverted to"), strings.TrimSpace(t.GetDivertedTo() + " " + t.GetDivertedToCity())},
		{a.say("该院床位", "bed there"), t.GetDivertedBed()},
		{a.say("计划出发", "leaves"), at(way.GetDepartTime())},
		{a.say("计划到达", "arrives"), at(way.GetArriveTime())},
		{a.say("实际出发", "left"), at(t.GetDepartedTime())},
		{a.say("实际到达", "arrived"), at(t.GetArrivedTime())},
		{a.say("转出方签字", "signed, sending"), bySender},
		{a.say("接收方签字", "signed, receiving"), a.signature(signed, signed.GetSignedByReceiver(), signed.GetSignTime())},
		{a.say("版本", "version"), t.GetEtag()},
	})
}

// signature is one side's of a hand-over that has begun.
func (a *app) signature(h *transferv1.HandOverRecord, by string, when *timestamppb.Timestamp) string {
	switch {
	case h == nil:
		return ""
	case by == "":
		return a.say("待签字", "awaited")
	}
	return by + ", " + at(when)
}

func (a *app) completeTransfers(c *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var found []cobra.Completion
	ctx, cancel := context.WithTimeout(c.Context(), completeLimit)
	defer cancel()
	_ = a.transfers(ctx, func(ctx context.Context, line transferv1.TransferServiceClient) error {
		got, err := line.ListTransfers(ctx, &transferv1.ListTransfersRequest{PageSize: completeMost})
		for _, t := range got.GetTransfers() {
			if strings.HasPrefix(t.GetTransferId(), typed) {
				found = append(found, cobra.CompletionWithDesc(t.GetTransferId(), a.label(t.GetStatus())+", "+t.GetFromOrganisation()+" → "+t.GetToOrganisation()))
			}
		}
		return err
	})
	return found, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}
