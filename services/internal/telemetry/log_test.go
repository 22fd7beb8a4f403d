package telemetry_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"testing"

	"huhang.example/services/internal/telemetry"
)

func TestLinesNameServiceTraceAndReferral(t *testing.T) {
	tel := start(t, telemetry.Config{Service: "transfer"})
	ctx, span := tel.Tracer("test").Start(telemetry.WithReferral(t.Context(), "ref_1"), "x")
	defer span.End()
	var out bytes.Buffer
	log := tel.Logger(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelInfo}))

	for name, use := range map[string]*slog.Logger{
		"plain": log, "with": log.With("k", "v"), "group": log.With("k", "v").WithGroup("g").With("in", "side"),
	} {
		out.Reset()
		use.InfoContext(ctx, "moved", "leg", 1)
		var line map[string]any
		if err := json.Unmarshal(out.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		for key, want := range map[string]string{
			"service": "transfer", "referral_id": "ref_1", "msg": "moved",
			"trace_id": span.SpanContext().TraceID().String(), "span_id": span.SpanContext().SpanID().String(),
		} {
			if line[key] != want {
				t.Errorf("%s: %s is %v", name, key, line[key])
			}
		}
		if name == "with" && line["k"] != "v" {
			t.Error(line)
		}
		if group, _ := line["g"].(map[string]any); name == "group" && (line["k"] != "v" || group["in"] != "side" || group["leg"] != 1.0) {
			t.Error(line)
		}
	}
}

func TestLinesOutsideATraceHaveNoEmptyIds(t *testing.T) {
	var out bytes.Buffer
	log := telemetry.Logger(slog.NewJSONHandler(&out, nil), "gateway")
	log.Debug("hidden")
	if out.Len() != 0 {
		t.Fatal("the level was not kept:", out.String())
	}
	log.WithGroup("").With().Info("up")
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if len(line) != 4 || line["service"] != "gateway" { // time, level, msg, service
		t.Error(line)
	}
}

func TestLoggersBranchWithoutMixing(t *testing.T) {
	var out bytes.Buffer
	base := telemetry.Logger(slog.NewJSONHandler(&out, nil), "s").With("a", 1).With("b", 2)
	left, right := base.With("left", 1), base.With("right", 1)
	left.Info("x")
	right.Info("x")
	lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
	if bytes.Contains(lines[0], []byte("right")) || bytes.Contains(lines[1], []byte("left")) {
		t.Fatal(out.String())
	}
}
