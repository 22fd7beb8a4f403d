package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/sampleline"
)

// counts asks that the figures of a line with one case are that case's, to operations, and to nobody else.
func counts(t *testing.T, l *devLine, r *sampleline.Result) {
	desk := l.as(t, "OPS", "operations", "")
	var got referralv1.GetFiguresResponse
	read := func(s *sampleline.Session, path string) *referralv1.GetFiguresResponse {
		t.Helper()
		got.Reset()
		if err := s.Do(t.Context(), http.MethodGet, path, nil, &got); err != nil {
			t.Fatal(err)
		}
		return &got
	}
	const each = "/v1/figures?filter.groupBy=FIGURE_GROUP_LINE&filter.groupBy=FIGURE_GROUP_PROVINCES&filter.groupBy=FIGURE_GROUP_CENTER"
	// Asked five times a second, so that the caller's rate is not used up by asking.
	tick, limit := time.NewTicker(200*time.Millisecond), time.After(time.Minute)
	defer tick.Stop()
	for f := read(desk, each); f.GetBehind() > 0 || len(f.GetBills()) != 1; f = read(desk, each) {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatal("the figures never followed the feed")
		}
	}
	if len(got.GetMissing()) > 0 || got.GetSmallestCell() != 0 {
		t.Errorf("missing %v, cells of %d", got.GetMissing(), got.GetSmallestCell())
	}
	bill := got.GetBills()[0]
	if k := bill.GetKey(); k.GetLine() != "csj" || k.GetInsuredProvince() != "340000" || k.GetTreatmentProvince() != "310000" || !strings.HasPrefix(k.GetCenterId(), "C-SH-") {
		t.Errorf("the bill is of %v", k)
	}
	var paid, cash int64
	for _, p := range bill.GetPayers() {
		if paid += p.GetAmount().GetFen(); p.GetPayer() == "cash" {
			cash = p.GetAmount().GetFen()
		}
	}
	total := bill.GetTotal().GetFen()
	if total != r.Statement.GetSplit().GetTotal().GetFen() || paid != total || bill.GetSelfPayBp() != (cash*10_000+total/2)/total || bill.GetCount() != 1 {
		t.Errorf("the bill of %d is counted as %v", r.Statement.GetSplit().GetTotal().GetFen(), bill)
	}
	seen := map[string]int64{}
	for _, c := range got.GetCases() {
		seen[c.GetOutcome()] += c.GetCount()
	}
	for _, s := range got.GetStates() {
		if seen[s.GetState()] += s.GetCount(); s.GetCount() > 0 && (s.GetRunningSeconds() == nil || s.GetRunningSeconds().GetMedian() > 3600 || s.GetSuspendedSeconds() != 0) {
			t.Errorf("%v", s)
		}
	}
	for _, o := range got.GetOffers() {
		seen["OFFER "+o.GetOutcome()] += o.GetCount()
	}
	for _, m := range got.GetTransfers() {
		seen["MOVES"] += m.GetCount()
	}
	for what, want := range map[string]int64{"OPENED": 1, "SCREENING": 1, "OFFERED": 1, "ACCEPTED": 1, "OFFER ACCEPTED": 1, "MOVES": 1} {
		if seen[what] != want {
			t.Errorf("%s: %d, want %d, of %v", what, seen[what], want, seen)
		}
	}
	// Five cases are the least an organisation is told of, be it its own one.
	own := read(l.as(t, bill.GetKey().GetCenterId(), "center", ""), each)
	if own.GetSmallestCell() != 5 || len(own.GetStates()) == 0 || len(own.GetBills()) != 1 || !own.GetBills()[0].GetWithheld() || own.GetBills()[0].GetTotal().GetFen() != 0 {
		t.Errorf("the center is told %v", own.GetBills())
	}
	if other := read(l.as(t, "H-NC-01", "coordinator", ""), each); len(other.GetCases())+len(other.GetStates())+len(other.GetBills()) > 0 {
		t.Errorf("a stranger is told %v", other)
	}
	text := download(t, l, desk, "/v1/figures/file?section=FIGURE_SECTION_BILLS")
	if !strings.HasPrefix(text, "\ufeffmonth,line,") || strings.Count(text, "\n") != 2 {
		t.Errorf("as a file:\n%s", text)
	}
	for _, bad := range []string{"filter.fromMonth=2026-13", "filter.groupBy=FIGURE_GROUP_LINE&filter.groupBy=FIGURE_GROUP_LINE", "filter.fromMonth=2020-01&filter.toMonth=2026-01", "filter.line=x"} {
		var refused *sampleline.Refused
		if err := desk.Do(t.Context(), http.MethodGet, "/v1/figures?"+bad, nil, &got); !errors.As(err, &refused) || refused.HTTPStatus != http.StatusBadRequest {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func download(t *testing.T, l *devLine, s *sampleline.Session, path string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Gateway.HTTPAddr()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+s.Token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Fatalf("%s: %s %v\n%s", path, response.Status, err, body)
	}
	return string(body)
}

// exports asks that every metric named in the rules and on the dashboard is one that a running line exports.
func exports(t *testing.T, l *devLine) {
	// A right that is missing, so that what is refused is counted.
	_ = l.as(t, "H-HF-01", "coordinator", "").Do(t.Context(), http.MethodGet, "/v1/referrals/ref_00000000000000000000000000/trace", nil, nil)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.OpsAddr()+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	exported := map[string]bool{"up": true}
	for line := range strings.Lines(string(body)) {
		if !strings.HasPrefix(line, "#") {
			exported[line[:strings.IndexAny(line, "{ ")]] = true
		}
	}
	named := 0
	for file, expressions := range promql(t) {
		for _, expression := range expressions {
			for _, name := range metricsIn(expression) {
				if named++; !exported[name] {
					t.Errorf("%s names %s, which the line does not export: %s", file, name, expression)
				}
			}
		}
	}
	if named < 50 {
		t.Errorf("only %d metrics were looked for", named)
	}
	// Nobody and no case stands in a label.
	if found := regexp.MustCompile(`"(ref|pat|off|trf|clm|hld|fil)_[0-9a-z]`).FindString(string(body)); found != "" {
		t.Errorf("an id is a label: %s", found)
	}
}

const deploy = "../../deploy"

// promql are the expressions of rules and dashboard by file.
func promql(t *testing.T) map[string][]string {
	t.Helper()
	of := map[string][]string{}
	rules, err := filepath.Glob(deploy + "/prometheus/*.rules.yaml")
	if err != nil || len(rules) == 0 {
		t.Fatalf("no rules: %v", err)
	}
	for _, file := range rules {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var read struct {
			Groups []struct {
				Rules []struct {
					Expr string `yaml:"expr"`
				} `yaml:"rules"`
			} `yaml:"groups"`
		}
		if err := yaml.Unmarshal(text, &read); err != nil {
			t.Fatal(err)
		}
		for _, g := range read.Groups {
			for _, rule := range g.Rules {
				of[file] = append(of[file], rule.Expr)
			}
		}
	}
	boards, err := filepath.Glob(deploy + "/grafana/*.json")
	if err != nil || len(boards) == 0 {
		t.Fatalf("no dashboard: %v", err)
	}
	for _, file := range boards {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var board struct {
			Panels []struct{ Targets []struct{ Expr string } }
		}
		if err := json.Unmarshal(text, &board); err != nil {
			t.Fatal(err)
		}
		for _, p := range board.Panels {
			for _, target := range p.Targets {
				of[file] = append(of[file], target.Expr)
			}
		}
	}
	return of
}

var (
	// What is in braces, brackets, quotes or after by and without is no metric.
	notMetric = regexp.MustCompile(`\{[^}]*\}|\[[^\]]*\]|"[^"]*"|\b(?:by|without|on|ignoring)\s*\([^)]*\)`)
	name      = regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*`)
	words     = []string{"sum", "max", "min", "rate", "increase", "histogram_quantile", "and", "or", "unless", "vector", "count", "avg"}
)

// metricsIn are the metrics an expression names; those that rules record (with a colon) are checked where they are recorded.
func metricsIn(expression string) []string {
	var found []string
	for _, n := range name.FindAllString(notMetric.ReplaceAllString(expression, " "), -1) {
		if !slices.Contains(words, n) && !strings.Contains(n, ":") {
			found = append(found, n)
		}
	}
	return found
}

// The rules are sound and do what their tests say, by Prometheus' own tool.
func TestRules(t *testing.T) {
	tool := os.Getenv("HUHANG_PROMTOOL")
	if tool == "" {
		var err error
		if tool, err = exec.LookPath("promtool"); err != nil {
			t.Fatal("no promtool: run the tests through tools/with-promtool, which finds or fetches it")
		}
	}
	for _, arguments := range [][]string{
		{"check", "rules", "huhang.rules.yaml"}, {"test", "rules", "huhang.rules.test.yaml"}, {"check", "config", "prometheus.yaml"},
	} {
		command := exec.CommandContext(context.WithoutCancel(t.Context()), tool, arguments...)
		command.Dir = deploy + "/prometheus"
		if out, err := command.CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", arguments, err, out)
		}
	}
	// Each alert says what to do about it.
	runbook, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	rules, err := os.ReadFile(deploy + "/prometheus/huhang.rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	links := regexp.MustCompile(`operations\.md#([a-z]+)`).FindAllStringSubmatch(string(rules), -1)
	if alerts := strings.Count(string(rules), "- alert:"); alerts != len(links) {
		t.Errorf("%d alerts, %d of them with a runbook", alerts, len(links))
	}
	for _, link := range links {
		if !strings.Contains(strings.ToLower(string(runbook)), "## "+link[1]+"\n") {
			t.Errorf("docs/operations.md has no heading for %s", link[1])
		}
	}
}
