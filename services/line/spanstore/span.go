package spanstore

import (
	"encoding/json"
	"fmt"
	"hash/fnv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"huhang.example/services/internal/telemetry"
)

// The types are Jaeger's JSON.

type reference struct {
	RefType string `json:"refType"`
	TraceID string `json:"traceID"`
	SpanID  string `json:"spanID"`
}

type tag struct {
	Key   string `json:"key"`
	Type  string `json:"type"`
	Value any    `json:"value"`
}

type span struct {
	TraceID       string      `json:"traceID"`
	SpanID        string      `json:"spanID"`
	OperationName string      `json:"operationName"`
	References    []reference `json:"references"`
	StartTime     int64       `json:"startTime"`
	Duration      int64       `json:"duration"`
	Tags          []tag       `json:"tags"`
	Logs          []any       `json:"logs"`
	ProcessID     string      `json:"processID"`
}

type process struct {
	ServiceName string `json:"serviceName"`
	Tags        []tag  `json:"tags"`
}

// kept is a span as stored: its JSON and its process's, ready to be put into an answer.
type kept struct {
	referral, service, doc, processID, process string
}

// describe writes a span in Jaeger's form.
func describe(s sdktrace.ReadOnlySpan) (kept, error) {
	var k kept
	p := process{Tags: []tag{}}
	for _, a := range s.Resource().Attributes() {
		if a.Key == "service.name" {
			p.ServiceName = a.Value.AsString()
			continue
		}
		p.Tags = append(p.Tags, tagOf(a))
	}
	k.service = p.ServiceName
	text, err := json.Marshal(p)
	if err != nil {
		return k, err
	}
	sum := fnv.New64a()
	sum.Write(text)
	k.process, k.processID = string(text), fmt.Sprintf("p%x", sum.Sum64())

	id := s.SpanContext()
	out := span{
		TraceID: id.TraceID().String(), SpanID: id.SpanID().String(), OperationName: s.Name(), References: []reference{}, Logs: []any{}, ProcessID: k.processID,
		StartTime: s.StartTime().UnixMicro(), Duration: s.EndTime().Sub(s.StartTime()).Microseconds(),
		Tags: []tag{{"span.kind", "string", trace.ValidateSpanKind(s.SpanKind()).String()}},
	}
	if s.Parent().SpanID().IsValid() {
		out.References = append(out.References, reference{"CHILD_OF", s.Parent().TraceID().String(), s.Parent().SpanID().String()})
	}
	for _, a := range s.Attributes() {
		out.Tags = append(out.Tags, tagOf(a))
		if a.Key == telemetry.ReferralKey {
			k.referral = a.Value.AsString()
		}
	}
	if s.Status().Code == codes.Error {
		out.Tags = append(out.Tags, tag{"error", "bool", true}, tag{"otel.status_code", "string", "ERROR"})
		if d := s.Status().Description; d != "" {
			out.Tags = append(out.Tags, tag{"otel.status_description", "string", d})
		}
	}
	text, err = json.Marshal(out)
	k.doc = string(text)
	return k, err
}

func tagOf(a attribute.KeyValue) tag {
	switch a.Value.Type() {
	case attribute.BOOL:
		return tag{string(a.Key), "bool", a.Value.AsBool()}
	case attribute.INT64:
		return tag{string(a.Key), "int64", a.Value.AsInt64()}
	case attribute.FLOAT64:
		return tag{string(a.Key), "float64", a.Value.AsFloat64()}
	}
	return tag{string(a.Key), "string", a.Value.String()}
}
