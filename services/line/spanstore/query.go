package spanstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"strconv"

	"huhang.example/services/internal/telemetry"
)

// answer is how Jaeger's query service answers.
type answer struct {
	Data   []traceOut `json:"data"`
	Total  int        `json:"total"`
	Errors []problem  `json:"errors"`
}

type traceOut struct {
	TraceID   string                     `json:"traceID"`
	Spans     []json.RawMessage          `json:"spans"`
	Processes map[string]json.RawMessage `json:"processes"`
}

type problem struct {
	Code int    `json:"code"`
	Msg  string `json:"msg"`
}

const maxTraces = 5000

func (s *Store) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/traces", func(w http.ResponseWriter, r *http.Request) {
		q, err := parse(r.URL.Query())
		if err != nil {
			respond(w, http.StatusBadRequest, nil, err)
			return
		}
		s.find(w, r, `SELECT trace_id FROM spans WHERE referral_id = $1 AND service = $2 AND start_us BETWEEN $3 AND $4 GROUP BY trace_id ORDER BY max(start_us) DESC LIMIT $5`,
			q.referral, q.service, q.start, q.end, q.limit)
	})
	mux.HandleFunc("GET /api/traces/{id}", func(w http.ResponseWriter, r *http.Request) {
		if !traceFormat.MatchString(r.PathValue("id")) {
			respond(w, http.StatusBadRequest, nil, errors.New("a trace id is 32 hexadecimal digits"))
			return
		}
		s.find(w, r, `SELECT DISTINCT trace_id FROM spans WHERE trace_id = $1`, r.PathValue("id"))
	})
	return mux
}

var traceFormat = regexp.MustCompile(`^[0-9a-f]{32}$`)

type query struct {
	referral, service string
	start, end        int64
	limit             int
}

// parse takes of Jaeger's search what the line uses: one service, the case's tag, times and a limit.
func parse(v url.Values) (query, error) {
	q := query{service: v.Get("service"), end: math.MaxInt64, limit: 20}
	var tags map[string]string
	if err := json.Unmarshal([]byte(v.Get("tags")), &tags); err != nil {
		return q, fmt.Errorf("tags: %w", err)
	}
	q.referral = tags[telemetry.ReferralKey]
	if q.service == "" || q.referral == "" || len(tags) != 1 {
		return q, fmt.Errorf("this store finds traces by service and the tag %s", telemetry.ReferralKey)
	}
	for name, to := range map[string]*int64{"start": &q.start, "end": &q.end} {
		if text := v.Get(name); text != "" {
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return q, fmt.Errorf("%s: %w", name, err)
			}
			*to = n
		}
	}
	if text := v.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxTraces {
			return q, fmt.Errorf("limit: 1 to %d", maxTraces)
		}
		q.limit = n
	}
	return q, nil
}

// find answers with the whole of each trace whose id the statement selects.
func (s *Store) find(w http.ResponseWriter, r *http.Request, statement string, args ...any) {
	ctx := r.Context()
	err := s.processor.ForceFlush(ctx)
	var traces []traceOut
	if err == nil {
		traces, err = s.read(ctx, statement, args...)
	}
	status := http.StatusOK
	if err != nil {
		status = http.StatusInternalServerError
	}
	respond(w, status, traces, err)
}

func (s *Store) read(ctx context.Context, statement string, args ...any) ([]traceOut, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT trace_id, doc, process_id, process FROM spans WHERE trace_id IN (`+statement+`) ORDER BY trace_id, start_us`, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var traces []traceOut
	for rows.Next() {
		var (
			id, processID string
			doc, process  []byte
		)
		if err := rows.Scan(&id, &doc, &processID, &process); err != nil {
			return nil, err
		}
		if len(traces) == 0 || traces[len(traces)-1].TraceID != id {
			traces = append(traces, traceOut{TraceID: id, Processes: map[string]json.RawMessage{}})
		}
		t := &traces[len(traces)-1]
		t.Spans, t.Processes[processID] = append(t.Spans, doc), process
	}
	return traces, rows.Err()
}

func respond(w http.ResponseWriter, status int, traces []traceOut, err error) {
	a := answer{Data: traces, Total: len(traces)}
	if traces == nil {
		a.Data = []traceOut{}
	}
	if err != nil {
		a.Errors = []problem{{status, err.Error()}}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A reader that is gone is not told.
	_ = json.NewEncoder(w).Encode(a)
}
