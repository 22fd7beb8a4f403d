package notify

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

//go:embed rules.json
var rulesJSON []byte

// Rules are how deliveries are tried (投递规则): data of the operator.
type Rules struct {
	Version string `json:"version"`
	// Pauses before the second attempt, the third, and so on; after the last one a message is dead.
	PausesSeconds []int64 `json:"pauses_seconds"`
	// GiveUpAfterHours after the first attempt a message is dead, however many attempts are left.
	GiveUpAfterHours int64 `json:"give_up_after_hours"`
	// DeadlineSeconds of one attempt.
	DeadlineSeconds int64 `json:"deadline_seconds"`
	// RetryAfterMostHours bounds what a receiver may ask for.
	RetryAfterMostHours int64 `json:"retry_after_most_hours"`
	// CoolAfterFailures in a row an endpoint is left alone for CoolSeconds, then asked one message at a time.
	CoolAfterFailures int     `json:"cool_after_failures"`
	CoolSeconds       []int64 `json:"cool_seconds"`
	// DisableAfterHours without one success between failures an endpoint is disabled.
	DisableAfterHours int64 `json:"disable_after_hours"`
	// Parallel is how many cases' messages an endpoint gets at once.
	Parallel int `json:"parallel"`
	// Window bounds how many messages wait for one endpoint; the rest wait in the feed.
	Window int `json:"window"`
	// KeepDeliveredDays after its delivery a message is removed, with its attempts; what is dead stays. KeepNoticesDays is the
	// same of the inboxes.
	KeepDeliveredDays int64 `json:"keep_delivered_days"`
	KeepNoticesDays   int64 `json:"keep_notices_days"`
}

// DefaultRules are those that come with the line.
func DefaultRules() Rules {
	r, err := ParseRules(rulesJSON)
	if err != nil {
		panic(err) // embedded and tested
	}
	return r
}

// ParseRules reads rules and checks them.
func ParseRules(text []byte) (Rules, error) {
	var r Rules
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return Rules{}, fmt.Errorf("notify rules: %w", err)
	}
	within := func(n, least, most int64) bool { return n >= least && n <= most }
	if r.Version == "" || !within(r.GiveUpAfterHours, 1, 720) || !within(r.DeadlineSeconds, 1, 25) || !within(r.RetryAfterMostHours, 1, 72) ||
		!within(int64(r.CoolAfterFailures), 1, 100) || !within(r.DisableAfterHours, 1, 720) || !within(int64(r.Parallel), 1, 32) || !within(int64(r.Window), 10, 10_000) ||
		!within(r.KeepDeliveredDays, 1, 36_600) || !within(r.KeepNoticesDays, 1, 36_600) {
		return Rules{}, errors.New("notify rules: a value is missing or out of bounds")
	}
	for name, list := range map[string][]int64{"pauses_seconds": r.PausesSeconds, "cool_seconds": r.CoolSeconds} {
		if len(list) == 0 || len(list) > 50 {
			return Rules{}, fmt.Errorf("notify rules: %s: 1 to 50 values", name)
		}
		for _, s := range list {
			if !within(s, 1, 7*24*3600) {
				return Rules{}, fmt.Errorf("notify rules: %s: a value is out of bounds", name)
			}
		}
	}
	return r, nil
}

// Attempts is how often a message is tried before it is dead.
func (r Rules) Attempts() int { return len(r.PausesSeconds) + 1 }

// Deadline is how long one attempt may take.
func (r Rules) Deadline() time.Duration { return time.Duration(r.DeadlineSeconds) * time.Second }

// pause is that after the n-th attempt.
func (r Rules) pause(n int) time.Duration {
	return time.Duration(r.PausesSeconds[min(n, len(r.PausesSeconds))-1]) * time.Second
}

// cool is how long an endpoint that failed n times in a row is left alone.
func (r Rules) cool(n int) time.Duration {
	if n < r.CoolAfterFailures {
		return 0
	}
	return time.Duration(r.CoolSeconds[min(n-r.CoolAfterFailures, len(r.CoolSeconds)-1)]) * time.Second
}
