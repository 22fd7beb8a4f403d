package cli

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"

	"huhang.example/services/internal/fault"
)

// What the process exits with.
const (
	ExitDone        = 0
	ExitRefused     = 1 // the line said no, or a tool failed
	ExitUsage       = 2
	ExitUnreachable = 3 // nothing was answered, or a service is away: the same call may be made again
	ExitSignIn      = 4 // nobody is signed in, or no longer
	ExitInterrupted = 130
)

// Failures tells people and scripts why a run failed.
type Failures struct{ app *app }

// errSignIn is for whoever has no token.
type errSignIn struct{ zh, en string }

func (e errSignIn) Error() string { return e.en }

// Tell writes what went wrong and returns the exit code.
func (f *Failures) Tell(err error) int {
	a := f.app
	if err == nil {
		return ExitDone
	}
	refused, is := fault.As(err)
	var signIn errSignIn
	switch {
	case errors.As(err, &signIn):
		_, _ = fmt.Fprintln(a.Err, "huhang:", a.say(signIn.zh, signIn.en))
		return ExitSignIn
	case errors.Is(err, context.Canceled) && !is:
		return ExitInterrupted
	case !a.ran:
		_, _ = fmt.Fprintf(a.Err, "huhang: %v\n%s\n", err, a.say("用法见 huhang --help", "see huhang --help"))
		return ExitUsage
	case !is:
		_, _ = fmt.Fprintln(a.Err, "huhang:", err)
		return ExitRefused
	}
	a.refusal(refused)
	switch refused.Code {
	case fault.Unavailable, fault.DeadlineExceeded:
		return ExitUnreachable
	case fault.Unauthenticated:
		return ExitSignIn
	}
	return ExitRefused
}

// refusal writes what was said no to, where, and what to do; for programs as the google.rpc.Status it is.
func (a *app) refusal(f *fault.Fault) {
	if a.json {
		if text, err := protojson.Marshal(fault.Status(f).Proto()); err == nil {
			_ = a.compact(a.Err, text)
			return
		}
	}
	w := a.Err
	_, _ = fmt.Fprintf(w, "huhang: %s  [%s %s]\n", a.say(f.Zh, f.En), f.Code, f.Reason)
	if f.Field != "" {
		_, _ = fmt.Fprintf(w, "  %s %s\n", a.say("字段：", "field:"), f.Field)
	}
	for _, v := range f.Violations {
		_, _ = fmt.Fprintf(w, "  - %s: %s\n", v.Field, a.say(v.Zh, v.En))
	}
	for _, key := range []string{"state", "current_etag", "missing", "suspected_unit", "referral_id", "carries_death_of", "live_cases"} {
		if value := f.Meta[key]; value != "" {
			_, _ = fmt.Fprintf(w, "  %s: %s\n", key, value)
		}
	}
	if do := a.say(f.DoZh, f.DoEn); do != "" {
		_, _ = fmt.Fprintf(w, "  %s %s\n", a.say("下一步：", "what to do:"), do)
	}
}
