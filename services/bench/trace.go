package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/clock"
	limits "huhang.example/services/internal/fleet"
	"huhang.example/services/internal/telemetry"
	"huhang.example/services/line"
	"huhang.example/services/sampleline"
)

var traced = figure{
	name: "trace", title: "the whole trace of a case with 5,000 spans, through REST",
	how: `the sample case on a development line in this process, and as many spans more in traces of 24 as make 5,000; then GET /v1/referrals/{id}/trace, page after page of 2,000 and all pages
together, one caller. The first page asks the span store for every trace of the case, at six services, and assembles them; the others go on with that`,
	take: takeTrace,
}

const (
	wantedSpans = 5_000
	traceReads  = 20
)

func takeTrace(ctx context.Context, b *bed) ([]table, error) {
	running, err := line.StartDev(ctx, line.Dev{
		State: filepath.Join(b.dir, "state-trace"), HTTP: "127.0.0.1:0", GRPC: "127.0.0.1:0", Sample: true, Handler: slog.DiscardHandler,
	})
	if err != nil {
		return nil, err
	}
	b.later(func() error { return running.Stop(limits.StopLimit) })
	client := &sampleline.Client{Base: "http://" + running.Gateway.HTTPAddr(), HTTP: &http.Client{Timeout: 30 * time.Second}}
	driven, err := (&sampleline.Driver{Client: client, Clock: clock.System(), Out: io.Discard, Key: "bench-trace-0001"}).Run(ctx)
	if err != nil {
		return nil, err
	}
	id := driven.ReferralID
	desk, err := client.As(ctx, sampleline.Person{Subject: "staff-1", Organisation: "OPS", Role: "operations"})
	if err != nil {
		return nil, err
	}
	read := func(token string) (*referralv1.GetTraceResponse, error) {
		var page referralv1.GetTraceResponse
		err := desk.Do(ctx, http.MethodGet, "/v1/referrals/"+id+"/trace?pageSize=2000&pageToken="+token, nil, &page)
		return &page, err
	}
	page, err := read("")
	if err != nil {
		return nil, err
	}
	own := page.GetTotalSpans()
	if err := work(ctx, running, id, wantedSpans-int(own)); err != nil {
		return nil, err
	}
	system := clock.System()
	var pages, wholes []time.Duration
	spans := 0
	for range traceReads {
		begun, seen := system.Now(), 0
		for token := ""; ; {
			before := system.Now()
			if page, err = read(token); err != nil {
				return nil, err
			}
			if seen == 0 {
				pages = append(pages, system.Now().Sub(before))
			}
			seen += len(page.GetSpans())
			if token = page.GetNextPageToken(); token == "" {
				break
			}
		}
		wholes = append(wholes, system.Now().Sub(begun))
		if spans = int(page.GetTotalSpans()); seen < wantedSpans || page.GetTruncated() {
			return nil, fmt.Errorf("%d spans of %d were shown", seen, spans)
		}
	}
	t := table{head: []string{"spans", "the first page, median", "99 %", "the whole, median", "99 %"}}
	t.add(fmt.Sprint(spans), milliseconds(quantile(pages, 0.5)), milliseconds(quantile(pages, 0.99)),
		milliseconds(quantile(wholes, 0.5)), milliseconds(quantile(wholes, 0.99)))
	return []table{t}, nil
}

// work adds spans to a case: traces of 24, of two services, three deep.
func work(ctx context.Context, running *line.Running, referralID string, spans int) error {
	var tracers []trace.Tracer
	for _, service := range []string{"referral", "transfer"} {
		t, err := telemetry.Start(ctx, telemetry.Config{Service: service, Instance: service + "-bench", SpanProcessors: []sdktrace.SpanProcessor{running.Spans.Processor()}})
		if err != nil {
			return err
		}
		tracers = append(tracers, t.Tracer("bench"))
	}
	ctx = telemetry.WithReferral(ctx, referralID)
	for spans > 0 {
		job, root := tracers[0].Start(ctx, "job follow")
		spans--
		for i := 0; i < 23 && spans > 0; i++ {
			under := job
			if i%3 > 0 {
				under = trace.ContextWithSpanContext(ctx, root.SpanContext())
			}
			_, s := tracers[i%2].Start(under, "/huhang.transfer.v1.TransferService/GetTransfer")
			s.End()
			spans--
		}
		root.End()
	}
	return running.Spans.Processor().ForceFlush(ctx)
}
