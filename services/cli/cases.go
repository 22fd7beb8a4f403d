package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	organv1 "huhang.example/gen/huhang/organ/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/clock"
)

func (a *app) caseCommand() *cobra.Command {
	c := group("case", a.say("病例：查看、查找、跟踪、办理", "cases: see, find, follow and act"),
		a.caseList(), a.caseShow(), a.caseSearch(), a.caseTimeline(), a.caseTrace(), a.caseFollow(), a.caseFhir())
	c.AddCommand(a.actions("huhang.referral.v1.ReferralService", "referral_id", a.completeCases)...)
	return c
}

// referrals calls the line for a command that only reads.
func (a *app) referrals(ctx context.Context, call func(context.Context, referralv1.ReferralServiceClient) error) error {
	conn, err := a.dial()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	return call(ctx, referralv1.NewReferralServiceClient(conn))
}

func (a *app) caseList() *cobra.Command {
	var state, token string
	var limit int32
	c := &cobra.Command{
		Use: "list", Args: cobra.NoArgs, Short: a.say("您可查看的病例，最新的在前", "the cases you may see, newest first"),
		RunE: func(c *cobra.Command, _ []string) error {
			request := &referralv1.ListReferralsRequest{PageSize: limit, PageToken: token}
			if state != "" {
				number, known := numberOf(referralv1.State(0).Descriptor(), state)
				if !known {
					a.ran = false
					return fmt.Errorf("--state: %s", strings.Join(codes(referralv1.State(0).Descriptor()), ", "))
				}
				request.State = referralv1.State(number)
			}
			return a.referrals(c.Context(), func(ctx context.Context, line referralv1.ReferralServiceClient) error {
				got, err := line.ListReferrals(ctx, request)
				if err != nil {
					return err
				}
				if a.json {
					return a.answer(got)
				}
				return a.caseRows(got.GetReferrals(), got.GetNextPageToken())
			})
		},
	}
	c.Flags().StringVar(&state, "state", "", a.say("只看此状态", "only this state"))
	c.Flags().Int32Var(&limit, "limit", 50, a.say("最多几行，1至200", "at most so many, 1 to 200"))
	c.Flags().StringVar(&token, "page-token", "", a.say("上一页给出的令牌", "token of the page before"))
	_ = c.RegisterFlagCompletionFunc("state", cobra.FixedCompletions(codes(referralv1.State(0).Descriptor()), cobra.ShellCompDirectiveNoFileComp))
	a.jsonFlag(c)
	return c
}

// caseRows writes cases as a table, and how to go on.
func (a *app) caseRows(list []*referralv1.Referral, next string) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(a.Out, a.say("没有病例。", "No cases."))
		return err
	}
	rows := make([][]string, 0, len(list))
	for _, r := range list {
		actions := make([]string, 0, len(r.GetAvailableActions()))
		for _, x := range r.GetAvailableActions() {
			actions = append(actions, a.say(x.GetLabelZh(), x.GetLabelEn()))
		}
		todo := strings.Join(actions[:min(1, len(actions))], "")
		rows = append(rows, []string{
			r.GetReferralId(), a.label(r.GetState()), a.label(r.GetOrgan()), a.label(r.GetUrgency()), r.GetReferringOrganisation(), r.GetCenterId(),
			a.due(r.GetDeadline()), todo,
		})
	}
	head := []string{"CASE", "STATE", "ORGAN", "URGENCY", "FROM", "CENTER", "DUE", "NEXT"}
	if a.language == "zh" {
		head = []string{"病例", "状态", "器官", "紧急程度", "转出机构", "接收中心", "期限", "下一步"}
	}
	if err := a.grid(head, rows); err != nil || next == "" {
		return err
	}
	_, err := fmt.Fprintf(a.Err, "%s --page-token %s\n", a.say("更多：", "more:"), next)
	return err
}

func (a *app) caseShow() *cobra.Command {
	c := &cobra.Command{
		Use: "show CASE", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeCases, Short: a.say("一个病例，以及您现在可以做什么", "one case, and what you can do now"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.referrals(c.Context(), func(ctx context.Context, line referralv1.ReferralServiceClient) error {
				got, err := line.GetReferral(ctx, &referralv1.GetReferralRequest{ReferralId: args[0]})
				if err != nil {
					return err
				}
				if a.json {
					return a.answer(got)
				}
				return a.showCase(got.GetReferral())
			})
		},
	}
	a.jsonFlag(c)
	return c
}

func (a *app) showCase(r *referralv1.Referral) error {
	why := ""
	if r.GetCloseReason() != referralv1.CloseReason_CLOSE_REASON_UNSPECIFIED {
		why = a.label(r.GetCloseReason())
	}
	need := a.label(r.GetOrgan())
	if r.GetUrgency() != organv1.Urgency_URGENCY_UNSPECIFIED {
		need += ", " + a.label(r.GetUrgency())
	}
	if err := a.facts([][2]string{
		{a.say("病例", "case"), r.GetReferralId()},
		{a.say("状态", "state"), a.label(r.GetState())},
		{a.say("结案原因", "closed"), why},
		{a.say("死亡登记于", "death recorded on"), r.GetDeathReferralId()},
		{a.say("期限", "due"), a.due(r.GetDeadline())},
		{a.say("时钟暂停", "clock stopped"), r.GetClockSuspended()},
		{a.say("需要", "need"), need},
		{a.say("患者", "patient"), r.GetPatientId()},
		{a.say("转出机构", "from"), r.GetReferringOrganisation()},
		{a.say("匹配", "ranking"), r.GetMatchRunId()},
		{a.say("所选中心", "chosen"), strings.Join(r.GetChosenCenters(), ", ")},
		{a.say("邀约", "offer"), r.GetOfferId()},
		{a.say("接收中心", "center"), strings.TrimSpace(r.GetCenterId() + " " + r.GetCenterCity())},
		{a.say("入院", "admission"), at(r.GetAdmissionTime())},
		{a.say("备案", "filing"), r.GetFilingId()},
		{a.say("转运", "transfer"), r.GetTransferId()},
		{a.say("个人支付", "self-pay"), yuan(r.GetSelfPay())},
		{a.say("随访机构", "local hospital"), r.GetLocalHospital()},
		{a.say("建立", "opened"), at(r.GetCreateTime())},
		{a.say("更新", "changed"), at(r.GetUpdateTime())},
		{a.say("版本", "version"), r.GetEtag()},
	}); err != nil {
		return err
	}
	if err := a.billRows(r.GetBills()); err != nil || len(r.GetAvailableActions()) == 0 {
		return err
	}
	rows := make([][]string, 0, len(r.GetAvailableActions()))
	for _, x := range r.GetAvailableActions() {
		rows = append(rows, []string{commandOf(x.GetAction()), a.say(x.GetLabelZh(), x.GetLabelEn()), a.due(x.GetDeadline())})
	}
	_, _ = fmt.Fprintln(a.Out)
	return a.grid([]string{a.say("可办理", "YOU CAN"), a.say("说明", "WHAT"), a.say("期限", "DUE")}, rows)
}

func (a *app) caseSearch() *cobra.Command {
	c := &cobra.Command{
		Use: "search NUMBER", Args: cobra.ExactArgs(1), Short: a.say("按病例号、其他机构的编号或患者号查找", "find by case number, another institution's number, or patient id"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.referrals(c.Context(), func(ctx context.Context, line referralv1.ReferralServiceClient) error {
				got, err := line.SearchReferrals(ctx, &referralv1.SearchReferralsRequest{Query: args[0]})
				if err != nil {
					return err
				}
				if a.json {
					return a.answer(got)
				}
				return a.caseRows(got.GetReferrals(), "")
			})
		},
	}
	a.jsonFlag(c)
	return c
}

func (a *app) caseTimeline() *cobra.Command {
	c := &cobra.Command{
		Use: "timeline CASE", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeCases, Short: a.say("病例发生过的一切", "all that happened in a case"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.referrals(c.Context(), func(ctx context.Context, line referralv1.ReferralServiceClient) error {
				all := &referralv1.ListTimelineResponse{}
				for token := ""; ; {
					got, err := line.ListTimeline(ctx, &referralv1.ListTimelineRequest{ReferralId: args[0], PageSize: 200, PageToken: token})
					if err != nil {
						return err
					}
					all.Entries = append(all.Entries, got.GetEntries()...)
					if token = got.GetNextPageToken(); token == "" || len(all.GetEntries()) >= 10_000 {
						break
					}
				}
				if a.json {
					return a.answer(all)
				}
				rows := make([][]string, 0, len(all.GetEntries()))
				for _, e := range all.GetEntries() {
					rows = append(rows, []string{
						strconv.FormatInt(e.GetSequence(), 10), at(e.GetOccurTime()), e.GetKind(), a.label(e.GetState()), e.GetActorOrganisation(), e.GetReasonCode(),
						a.say(e.GetTextZh(), e.GetTextEn()),
					})
				}
				head := []string{"#", "WHEN", "WHAT", "STATE", "BY", "REASON", "IN WORDS"}
				if a.language == "zh" {
					head = []string{"#", "时间", "事件", "状态", "机构", "原因", "说明"}
				}
				return a.grid(head, rows)
			})
		},
	}
	a.jsonFlag(c)
	return c
}

func (a *app) caseTrace() *cobra.Command {
	var traceID string
	c := &cobra.Command{
		Use: "trace CASE", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeCases, Short: a.say("病例的全部调用，标出最慢与失败（仅运营）", "every span of a case, the slowest and the failed marked (operations)"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.referrals(c.Context(), func(ctx context.Context, line referralv1.ReferralServiceClient) error {
				all := &referralv1.GetTraceResponse{}
				for token := ""; ; {
					got, err := line.GetTrace(ctx, &referralv1.GetTraceRequest{ReferralId: args[0], TraceId: traceID, PageSize: 2000, PageToken: token})
					if err != nil {
						return err
					}
					if token == "" {
						all = got
					} else {
						all.Spans = append(all.Spans, got.GetSpans()...)
					}
					if token = got.GetNextPageToken(); token == "" {
						break
					}
				}
				all.NextPageToken = ""
				if a.json {
					return a.answer(all)
				}
				return a.showTrace(all)
			})
		},
	}
	c.Flags().StringVar(&traceID, "trace-id", "", a.say("只看此调用链", "only this trace"))
	a.jsonFlag(c)
	return c
}

func (a *app) showTrace(t *referralv1.GetTraceResponse) error {
	rows := make([][]string, 0, len(t.GetSpans()))
	before := ""
	for _, s := range t.GetSpans() {
		start := ""
		if s.GetTraceId() != before {
			start, before = s.GetStartTime().AsTime().In(clock.Shanghai).Format("01-02 15:04:05"), s.GetTraceId()
		}
		mark := ""
		if s.GetSlowRank() > 0 {
			mark = a.say("慢", "slow ") + strconv.Itoa(int(s.GetSlowRank()))
		}
		if s.GetFailed() {
			mark = strings.TrimSpace(mark + a.say(" 失败 ", " failed ") + s.GetFailure())
		}
		rows = append(rows, []string{
			start, fmt.Sprintf("%.1f", float64(s.GetDuration().AsDuration().Microseconds())/1000), fmt.Sprintf("%.1f", float64(s.GetSelfTime().AsDuration().Microseconds())/1000),
			s.GetService(), s.GetProvince(), strings.Repeat("  ", int(min(s.GetDepth(), 20))) + s.GetName(), mark,
		})
	}
	head := []string{"BEGAN", "MS", "SELF", "SERVICE", "PROVINCE", "SPAN", "MARK"}
	if a.language == "zh" {
		head = []string{"开始", "毫秒", "自身", "服务", "省份", "调用", "标记"}
	}
	if err := a.grid(head, rows); err != nil {
		return err
	}
	_, err := fmt.Fprintf(a.Out, a.say("%d个调用片段，%d个失败，%d条调用链\n", "%d spans, %d failed, %d traces\n"), t.GetTotalSpans(), t.GetFailedSpans(), len(t.GetTraces()))
	return err
}
