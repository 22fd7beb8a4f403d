// Package jaeger reads a case's traces from Jaeger's query service, over the HTTP API its own page uses: GET /api/traces.
//
// Invariant: what it returns is whole traces, of which at least one span names the case.
package jaeger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/telemetry"
	"huhang.example/services/referral"
)

// services are those of the line: Jaeger answers for one service at a time, and a trace is found at any service of it.
var services = []string{"gateway", "patient", "matching", "transfer", "settlement", "referral"}

const (
	// perService is how many traces are asked of each service; the newest come when there are more.
	perService = 5000
	maxBody    = 64 << 20
	timeout    = 8 * time.Second
	atOnce     = 3
)

// Client asks one query service.
type Client struct {
	base string
	http *http.Client
}

var _ referral.Traces = (*Client)(nil)

// New returns a client of the query service at base, such as http://jaeger-query:16686.
func New(base string) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" {
		return nil, fmt.Errorf("traces: %q is no address such as http://jaeger-query:16686", base)
	}
	return &Client{base: strings.TrimSuffix(base, "/"), http: &http.Client{
		Timeout:   timeout,
		Transport: &http.Transport{MaxConnsPerHost: 8, MaxIdleConnsPerHost: atOnce, IdleConnTimeout: time.Minute},
	}}, nil
}

// OfCase asks every service for the traces that name the case.
func (c *Client) OfCase(ctx context.Context, referralID string, from, to time.Time) ([]referral.Span, bool, error) {
	answers := make([]answer, len(services))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i, service := range services {
		group.Go(func() (err error) {
			answers[i], err = c.ask(ctx, service, referralID, from, to)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		code, reason := fault.Unavailable, fault.PeerUnavailable
		if errors.Is(err, context.DeadlineExceeded) {
			code, reason = fault.DeadlineExceeded, fault.ReasonDeadlineExceeded
		}
		return nil, false, fault.New(code, reason, "", "The trace store did not answer.", "链路存储未应答。").Cause(err)
	}
	var (
		spans []referral.Span
		more  bool
		seen  = map[string]bool{}
	)
	for _, a := range answers {
		more = more || len(a.Data) >= perService
		for _, t := range a.Data {
			if !seen[t.TraceID] {
				seen[t.TraceID] = true
				spans = t.spans(spans)
			}
		}
	}
	return spans, more, nil
}

func (c *Client) ask(ctx context.Context, service, referralID string, from, to time.Time) (answer, error) {
	tags, err := json.Marshal(map[string]string{telemetry.ReferralKey: referralID})
	if err != nil {
		return answer{}, err
	}
	query := url.Values{
		"service": {service}, "tags": {string(tags)}, "limit": {strconv.Itoa(perService)}, "lookback": {"custom"},
		"start": {strconv.FormatInt(from.UnixMicro(), 10)}, "end": {strconv.FormatInt(to.UnixMicro(), 10)},
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/api/traces?"+query.Encode(), nil)
	if err != nil {
		return answer{}, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return answer{}, fmt.Errorf("trace store: %s", response.Status)
	}
	body := &io.LimitedReader{R: response.Body, N: maxBody}
	var a answer
	if err := json.NewDecoder(body).Decode(&a); err != nil {
		if body.N <= 0 {
			err = fmt.Errorf("more than %d bytes", maxBody)
		}
		return answer{}, fmt.Errorf("trace store: %w", err)
	}
	return a, nil
}
