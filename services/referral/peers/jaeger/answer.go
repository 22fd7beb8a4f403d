package jaeger

import (
	"cmp"
	"fmt"
	"time"

	"huhang.example/services/referral"
)

// answer is Jaeger's, as far as it is read.
type answer struct {
	Data []trace `json:"data"`
}

type trace struct {
	TraceID   string             `json:"traceID"`
	Spans     []span             `json:"spans"`
	Processes map[string]process `json:"processes"`
}

type process struct {
	ServiceName string `json:"serviceName"`
	Tags        tags   `json:"tags"`
}

type span struct {
	TraceID       string `json:"traceID"`
	SpanID        string `json:"spanID"`
	ParentSpanID  string `json:"parentSpanID"` // of old versions
	OperationName string `json:"operationName"`
	References    []struct {
		RefType string `json:"refType"`
		TraceID string `json:"traceID"`
		SpanID  string `json:"spanID"`
	} `json:"references"`
	StartTime int64  `json:"startTime"` // microseconds
	Duration  int64  `json:"duration"`  // microseconds
	Tags      tags   `json:"tags"`
	ProcessID string `json:"processID"`
}

type tags []struct {
	Key   string `json:"key"`
	Value any    `json:"value"`
}

// text returns a tag as text, "" when there is none.
func (t tags) text(key string) string {
	for _, tag := range t {
		if tag.Key != key {
			continue
		}
		if s, is := tag.Value.(string); is {
			return s
		}
		return fmt.Sprint(tag.Value)
	}
	return ""
}

func (t trace) spans(to []referral.Span) []referral.Span {
	for _, s := range t.Spans {
		p := t.Processes[s.ProcessID]
		out := referral.Span{
			TraceID: t.TraceID, ID: s.SpanID, ParentID: s.ParentSpanID, Service: p.ServiceName, Instance: p.Tags.text("service.instance.id"),
			Province: s.Tags.text("huhang.province"), Name: s.OperationName, Kind: cmp.Or(s.Tags.text("span.kind"), "internal"),
			Start: time.UnixMicro(s.StartTime).UTC(), Duration: time.Duration(s.Duration) * time.Microsecond,
		}
		for _, r := range s.References {
			// A link to another trace is no parent.
			if r.RefType == "CHILD_OF" && r.TraceID == t.TraceID {
				out.ParentID = r.SpanID
			}
		}
		out.Failed = s.Tags.text("error") == "true" || s.Tags.text("otel.status_code") == "ERROR"
		if out.Failed {
			out.Failure = cmp.Or(s.Tags.text("rpc.response.status_code"), s.Tags.text("http.response.status_code"), s.Tags.text("otel.status_description"), "ERROR")
		}
		if n := s.Tags.text("huhang.job_attempt"); n != "" {
			// A number by construction; anything else counts as none.
			_, _ = fmt.Sscanf(n, "%d", &out.JobAttempt)
		}
		to = append(to, out)
	}
	return to
}
