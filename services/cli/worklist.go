package cli

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/fault"
)

func (a *app) worklistCommand() *cobra.Command {
	var watch bool
	var limit int32
	kinds := referralv1.WorklistKind(0).Descriptor()
	c := &cobra.Command{
		Use: "worklist [KIND]", Args: cobra.MaximumNArgs(1), ValidArgsFunction: a.completeWorklists,
		Short: a.say("待办清单：全部计数，或一个清单（最先到期的在前）", "what waits for you: every list counted, or one of them, first to expire first"),
		RunE: func(c *cobra.Command, args []string) error {
			show := a.countLists
			if len(args) > 0 {
				number, known := numberOf(kinds, args[0])
				if !known {
					a.ran = false
					return fmt.Errorf("%s: %s", args[0], strings.Join(codes(kinds), ", "))
				}
				show = a.showList(&referralv1.ListWorklistRequest{Kind: referralv1.WorklistKind(number), PageSize: limit})
			}
			if !watch {
				return a.referrals(c.Context(), show)
			}
			return a.watch(c.Context(), show)
		},
	}
	c.Flags().BoolVar(&watch, "watch", false, a.say("有变化时重新显示，直到 Ctrl-C", "show it again whenever something happens, until Ctrl-C"))
	c.Flags().Int32Var(&limit, "limit", 50, a.say("最多几行，1至200", "at most so many, 1 to 200"))
	a.jsonFlag(c)
	return c
}

func (a *app) countLists(ctx context.Context, line referralv1.ReferralServiceClient) error {
	got, err := line.CountWorklists(ctx, &referralv1.CountWorklistsRequest{})
	if err != nil {
		return err
	}
	if a.json {
		return a.answer(got)
	}
	rows := make([][]string, 0, len(got.GetCounts()))
	for _, n := range got.GetCounts() {
		count, late := strconv.Itoa(int(n.GetCount())), "-"
		if n.GetMore() {
			count += "+"
		}
		if n.GetOverdue() > 0 {
			late = strconv.Itoa(int(n.GetOverdue())) + a.lateMark()
		}
		value := n.GetKind().Descriptor().Values().ByNumber(n.GetKind().Number())
		code := "?"
		if value != nil {
			code = strings.ToLower(strings.ReplaceAll(short(value), "_", "-"))
		}
		rows = append(rows, []string{code, a.label(n.GetKind()), count, late})
	}
	head := []string{"KIND", "LIST", "CASES", "LATE"}
	if a.language == "zh" {
		head = []string{"代码", "清单", "病例数", "超时"}
	}
	return a.grid(head, rows)
}

func (a *app) showList(request *referralv1.ListWorklistRequest) func(context.Context, referralv1.ReferralServiceClient) error {
	return func(ctx context.Context, line referralv1.ReferralServiceClient) error {
		got, err := line.ListWorklist(ctx, request)
		if err != nil {
			return err
		}
		if a.json {
			return a.answer(got)
		}
		return a.caseRows(got.GetReferrals(), "")
	}
}

const (
	// settle is how long a burst of events is let pass before the list is shown again.
	settle = 300 * time.Millisecond
	// refresh is after how long it is shown again though nothing happened: what is left of a deadline changes too.
	refresh = time.Minute
	// retry is how long the line is left alone when it is away.
	retry = 5 * time.Second
)

// watch shows something now, and again after whatever happens.
func (a *app) watch(ctx context.Context, show func(context.Context, referralv1.ReferralServiceClient) error) error {
	happened := make(chan struct{}, 1)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	failed := make(chan error, 1)
	go func() {
		failed <- a.follow(ctx, &feed{fromNow: true, each: func(*referralv1.Event) error {
			select {
			case happened <- struct{}{}:
			default:
			}
			return nil
		}})
	}()
	for first := true; ; first = false {
		wait := refresh
		err := a.redraw(ctx, show)
		switch f, refused := fault.As(err); {
		case ctx.Err() != nil:
			return context.Canceled
		case err == nil:
		case !first && refused && (f.Code == fault.Unavailable || f.Code == fault.DeadlineExceeded):
			_, _ = fmt.Fprintln(a.Err, a.say("专线暂时无法连接，稍后重试。", "The line is away; it is asked again."))
			wait = retry
		default:
			return err
		}
		timer := a.Clock.NewTimer(wait)
		select {
		case err := <-failed:
			timer.Stop()
			return err
		case <-happened:
			timer.Stop()
			if a.Clock.Sleep(ctx, settle) != nil {
				return context.Canceled
			}
			select {
			case <-happened:
			default:
			}
		case <-timer.C():
		}
	}
}

// redraw shows it whole in place of what was shown, or leaves that.
func (a *app) redraw(ctx context.Context, show func(context.Context, referralv1.ReferralServiceClient) error) error {
	var drawn bytes.Buffer
	out := a.Out
	a.Out = &drawn
	err := a.referrals(ctx, show)
	a.Out = out
	if err != nil {
		return err
	}
	if a.Terminal {
		_, _ = fmt.Fprint(a.Out, "\x1b[H\x1b[2J")
	}
	_, err = drawn.WriteTo(a.Out)
	return err
}
