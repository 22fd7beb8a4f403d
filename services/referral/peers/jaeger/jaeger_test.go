package jaeger

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"huhang.example/services/internal/fault"
)

const id = "ref_00000000000000000000000001"

// document is an answer in the form Jaeger 1.x and 2.x give: a link to another trace, a parent in references, tags of every type.
const document = `{"data":[{"traceID":"0af7651916cd43dd8448eb211c80319c","spans":[
 {"traceID":"0af7651916cd43dd8448eb211c80319c","spanID":"b7ad6b7169203331","flags":1,"operationName":"POST /v1/claims/{claim_id}:settle","references":[{"refType":"FOLLOWS_FROM","traceID":"ffffffffffffffffffffffffffffffff","spanID":"1111111111111111"}],
  "startTime":1764000000123456,"duration":2500,"tags":[{"key":"span.kind","type":"string","value":"server"},{"key":"huhang.referral_id","type":"string","value":"` + id + `"}],"logs":[],"processID":"p1","warnings":null},
 {"traceID":"0af7651916cd43dd8448eb211c80319c","spanID":"00f067aa0ba902b7","operationName":"huhang.settlement.v1.InsuredPlaceService/CommitSplit","references":[{"refType":"CHILD_OF","traceID":"0af7651916cd43dd8448eb211c80319c","spanID":"b7ad6b7169203331"}],
  "startTime":1764000000124000,"duration":1000,"tags":[{"key":"span.kind","type":"string","value":"client"},{"key":"huhang.province","type":"string","value":"340000"},{"key":"huhang.job_attempt","type":"int64","value":2},{"key":"error","type":"bool","value":true},{"key":"rpc.response.status_code","type":"string","value":"UNAVAILABLE"}],"logs":[],"processID":"p2"}],
 "processes":{"p1":{"serviceName":"gateway","tags":[{"key":"service.instance.id","type":"string","value":"gateway-1"}]},"p2":{"serviceName":"settlement","tags":[]}},"warnings":null}],"total":0,"limit":0,"offset":0,"errors":null}`

func client(t *testing.T, handle http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	c, err := New(server.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var from = time.UnixMicro(1764000000000000).UTC()

func TestOfCase(t *testing.T) {
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if r.URL.Path != "/api/traces" || q.Get("tags") != `{"huhang.referral_id":"`+id+`"}` || q.Get("start") != "1764000000000000" || q.Get("end") != "1764000060000000" || q.Get("limit") != "5000" {
			t.Errorf("asked %s", r.URL)
		}
		if s := q.Get("service"); s == "gateway" || s == "settlement" {
			_, _ = w.Write([]byte(document))
			return
		}
		_, _ = w.Write([]byte(`{"data":[],"total":0,"errors":null}`))
	})
	spans, more, err := c.OfCase(t.Context(), id, from, from.Add(time.Minute))
	if err != nil || more || len(spans) != 2 {
		t.Fatalf("%d spans, more %v, %v", len(spans), more, err)
	}
	root, call := spans[0], spans[1]
	if root.ParentID != "" || root.Service != "gateway" || root.Instance != "gateway-1" || root.Kind != "server" || root.Failed || root.Duration != 2500*time.Microsecond ||
		!root.Start.Equal(time.UnixMicro(1764000000123456)) {
		t.Errorf("root %+v", root)
	}
	if call.ParentID != root.ID || call.Province != "340000" || !call.Failed || call.Failure != "UNAVAILABLE" || call.JobAttempt != 2 {
		t.Errorf("call %+v", call)
	}
}

func TestMore(t *testing.T) {
	c := client(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"data":[%s{"traceID":"z"}]}`, strings.Repeat(`{"traceID":"a"},`, perService-1))
	})
	if _, more, err := c.OfCase(t.Context(), id, from, from); err != nil || !more {
		t.Errorf("more %v, %v", more, err)
	}
}

func TestStoreThatFails(t *testing.T) {
	for name, handle := range map[string]http.HandlerFunc{
		"an error":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"no JSON":   func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"cut short": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(document[:900])) },
	} {
		if _, _, err := client(t, handle).OfCase(t.Context(), id, from, from); !fault.Is(err, fault.PeerUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNew(t *testing.T) {
	for _, base := range []string{"", "jaeger:16686", "ftp://jaeger", "http://", "http://jaeger/?x=1"} {
		if _, err := New(base); err == nil {
			t.Errorf("%q was taken", base)
		}
	}
}
