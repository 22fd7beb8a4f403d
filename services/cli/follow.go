package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"

	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/fault"
)

// feed is one following of the line's events.
type feed struct {
	cursor   string
	untilNow bool
	// fromNow begins at the present end. What happens while the feed is opened anew before its first event is not seen.
	fromNow bool
	// skip reads over what there is instead, which takes longer and misses nothing.
	skip bool
	each func(*referralv1.Event) error
	// kept is called with the cursor once its event was handled.
	kept func(cursor string) error
}

func (a *app) caseFollow() *cobra.Command {
	var f feed
	var path string
	c := &cobra.Command{
		Use: "follow [CASE]", Args: cobra.MaximumNArgs(1), ValidArgsFunction: a.completeCases,
		Short: a.say("逐条显示您的病例发生的事件，断线后从游标处继续", "each event of your cases as it happens; goes on from its cursor after a break"),
		RunE: func(c *cobra.Command, args []string) error {
			only := strings.Join(args, "")
			if path != "" {
				text, err := os.ReadFile(path)
				if err != nil && !errors.Is(err, fs.ErrNotExist) {
					return err
				}
				if f.cursor == "" {
					f.cursor = strings.TrimSpace(string(text))
				}
				// After its event was written: who is killed in between sees one event twice rather than never.
				f.kept = func(cursor string) error { return keepCursor(path, cursor) }
			}
			f.each = func(e *referralv1.Event) error {
				if only != "" && e.GetReferralId() != only {
					return nil
				}
				return a.event(e)
			}
			return a.follow(c.Context(), &f)
		},
	}
	c.Flags().StringVar(&f.cursor, "cursor", "", a.say("从此游标之后继续", "go on after this cursor"))
	c.Flags().StringVar(&path, "cursor-file", "", a.say("在此文件保存游标，下次从该处继续", "keep the cursor in this file, and go on from it the next time"))
	c.Flags().BoolVar(&f.untilNow, "until-now", false, a.say("显示至当前为止，不等待新事件", "stop at the present end instead of waiting"))
	c.Flags().BoolVar(&f.skip, "from-now", false, a.say("只显示此后的事件", "only what happens from now on"))
	c.MarkFlagsMutuallyExclusive("cursor", "from-now")
	a.jsonFlag(c)
	return c
}

func keepCursor(path, cursor string) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), ".cursor-*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.WriteString(cursor + "\n")
	if err := errors.Join(err, temporary.Close()); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), path)
}

// event writes one line.
func (a *app) event(e *referralv1.Event) error {
	if a.json {
		raw, err := protojson.MarshalOptions{EmitDefaultValues: true}.Marshal(e)
		if err != nil {
			return err
		}
		return a.compact(a.Out, raw)
	}
	n := e.GetEntry()
	_, err := fmt.Fprintln(a.Out, a.shown(strings.Join([]string{
		at(n.GetOccurTime()), e.GetReferralId(), n.GetKind(), a.label(n.GetState()), n.GetActorOrganisation(), a.say(n.GetTextZh(), n.GetTextEn()),
	}, "  ")))
	return err
}

// follow reads the feed and opens it again, after what it has seen, whenever it breaks.
func (a *app) follow(ctx context.Context, f *feed) error {
	conn, err := a.dial()
	if err != nil {
		return err
	}
	line := referralv1.NewReferralServiceClient(conn)
	if f.skip {
		skip := &feed{cursor: f.cursor, untilNow: true, each: func(*referralv1.Event) error { return nil }}
		if err := a.read(ctx, line, skip); err != nil {
			return err
		}
		f.cursor = skip.cursor
	}
	for pause := time.Second; ; {
		before := f.cursor
		err := a.read(ctx, line, f)
		away, is := fault.As(err)
		switch {
		case ctx.Err() != nil:
			return context.Canceled
		case err == nil && f.untilNow:
			return nil
		case err != nil && (!is || away.Code != fault.Unavailable && away.Code != fault.DeadlineExceeded):
			return err
		}
		if f.cursor != before {
			pause = time.Second
		}
		if a.Clock.Sleep(ctx, pause) != nil {
			return context.Canceled
		}
		pause = min(2*pause, 30*time.Second)
	}
}

// read reads one stream to its end.
func (a *app) read(ctx context.Context, line referralv1.ReferralServiceClient, f *feed) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := line.FollowEvents(ctx, &referralv1.FollowEventsRequest{Cursor: f.cursor, UntilNow: f.untilNow, FromNow: f.fromNow})
	if err != nil {
		return err
	}
	for {
		got, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := f.each(got.GetEvent()); err != nil {
			return err
		}
		f.cursor = got.GetEvent().GetCursor()
		if f.kept != nil {
			if err := f.kept(f.cursor); err != nil {
				return err
			}
		}
	}
}
