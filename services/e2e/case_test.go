package e2e

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/trace"

	referralv1 "huhang.example/gen/huhang/referral/v1"
	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	"huhang.example/services/sampleline"
)

// The sample case runs from registration to the one bill, on both engines, and every promise about it holds.
func TestCase(t *testing.T) {
	engines(t, func(t *testing.T, l *devLine) {
		result := l.drive(t, "case-000000001", 1, "")
		t.Run("payers sum to the total", func(t *testing.T) { paysOnce(t, result.Statement) })
		t.Run("the ledgers balance on both sides", func(t *testing.T) { balances(t, l) })
		t.Run("every center is ranked or excluded with a reason", func(t *testing.T) { explains(t, result) })
		t.Run("the timeline tells the whole case", func(t *testing.T) { tells(t, l, result) })
		t.Run("one bill crosses the border in one trace", func(t *testing.T) { connects(t, l) })
		t.Run("logs and spans name the case and nobody", func(t *testing.T) { keepsQuiet(t, l, result) })
		t.Run("operations see every span of it", func(t *testing.T) { showsTrace(t, l, result) })
		t.Run("figures lead to traces", func(t *testing.T) { leadsToTraces(t, l) })
		t.Run("figures are those of the case", func(t *testing.T) { counts(t, l, result) })
		t.Run("rules and dashboard name what there is", func(t *testing.T) { exports(t, l) })
		t.Run("driven again under its keys it has no second effect", func(t *testing.T) {
			again := l.drive(t, "case-000000001", 1, "registered")
			if again.PatientID != result.PatientID {
				t.Errorf("registered again as %s", again.PatientID)
			}
		})
		t.Run("it survives a restart", func(t *testing.T) {
			l.stop(t)
			start(t, l)
			var got referralv1.GetReferralResponse
			if err := l.as(t, "H-HF-01", "coordinator", "").Do(t.Context(), http.MethodGet, "/v1/referrals/"+result.ReferralID, nil, &got); err != nil {
				t.Fatal(err)
			}
			if got.GetReferral().GetSelfPay().GetFen() != share(result.Statement, settlementv1.Payer_PAYER_CASH) {
				t.Errorf("after the restart the case shows %s", got.GetReferral().GetSelfPay())
			}
			l.drive(t, "case-000000002", 2, "") // and a new one runs
			balances(t, l)
		})
	})
}

func share(s *settlementv1.Statement, payer settlementv1.Payer) int64 {
	for _, x := range s.GetSplit().GetShares() {
		if x.GetPayer() == payer {
			return x.GetAmount().GetFen()
		}
	}
	return 0
}

func paysOnce(t *testing.T, s *settlementv1.Statement) {
	var sum int64
	for _, x := range s.GetSplit().GetShares() {
		if x.GetAmount().GetFen() < 0 {
			t.Errorf("%s pays %d", x.GetPayer(), x.GetAmount().GetFen())
		}
		sum += x.GetAmount().GetFen()
	}
	if sum != s.GetSplit().GetTotal().GetFen() || sum == 0 {
		t.Errorf("payers sum to %d, the bill is %d", sum, s.GetSplit().GetTotal().GetFen())
	}
	for _, payer := range []settlementv1.Payer{settlementv1.Payer_PAYER_BASIC, settlementv1.Payer_PAYER_SECOND_LAYER, settlementv1.Payer_PAYER_ASSISTANCE, settlementv1.Payer_PAYER_CASH} {
		if share(s, payer) == 0 {
			t.Errorf("%s pays nothing in a case made to reach it", payer)
		}
	}
	if len(s.GetSplit().GetSteps()) < 4 {
		t.Errorf("the split explains itself in %d steps", len(s.GetSplit().GetSteps()))
	}
}

func balances(t *testing.T, l *devLine) {
	for _, province := range []string{"310000", "340000"} {
		var got settlementv1.GetTrialBalanceResponse
		agency := l.as(t, "A-"+province, "agency", province)
		if err := agency.Do(t.Context(), http.MethodGet, "/v1/ledger:trialBalance?province="+province, nil, &got); err != nil {
			t.Fatal(err)
		}
		if got.GetDifference().GetFen() != 0 || len(got.GetAccounts()) < 2 {
			t.Errorf("%s: difference %d over %d accounts", province, got.GetDifference().GetFen(), len(got.GetAccounts()))
		}
	}
}

func explains(t *testing.T, r *sampleline.Result) {
	seen := map[string]bool{}
	for _, c := range r.MatchRun.GetRanked() {
		seen[c.GetCenterId()] = true
		if len(c.GetTerms()) == 0 {
			t.Errorf("%s is ranked without a term", c.GetCenterId())
		}
	}
	for _, c := range r.MatchRun.GetExcluded() {
		if seen[c.GetCenterId()] || len(c.GetReasons()) == 0 || c.GetReasons()[0].GetBecause().GetZh() == "" {
			t.Errorf("%s is excluded without a reason, or ranked too", c.GetCenterId())
		}
		seen[c.GetCenterId()] = true
	}
	if len(seen) != 10 {
		t.Errorf("the run names %d of 10 centers", len(seen))
	}
}

func tells(t *testing.T, l *devLine, r *sampleline.Result) {
	var got referralv1.ListTimelineResponse
	if err := l.as(t, "H-HF-01", "coordinator", "").Do(t.Context(), http.MethodGet, "/v1/referrals/"+r.ReferralID+"/timeline?pageSize=200", nil, &got); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for i, e := range got.GetEntries() {
		kinds = append(kinds, e.GetKind())
		if e.GetSequence() != int64(i+1) || e.GetTraceId() == "" || e.GetTextZh() == "" || e.GetTextEn() == "" {
			t.Errorf("entry %d: %v", i+1, e)
		}
	}
	for _, want := range []string{"SUBMITTED", "FILED", "BOOKED"} {
		if !slices.Contains(kinds, want) {
			t.Errorf("no %s in %s", want, strings.Join(kinds, " "))
		}
	}
	for i, e := range got.GetEntries() {
		if strings.Contains(e.GetKind(), "SETTLED") {
			return
		}
		if i == len(got.GetEntries())-1 {
			t.Errorf("nothing settled in %s", strings.Join(kinds, " "))
		}
	}
}

// connects finds the trace of the settlement and asks that gateway and both provinces are in it.
func connects(t *testing.T, l *devLine) {
	byTrace := map[string]map[string]bool{}
	settle := ""
	for _, s := range l.spans.Ended() {
		trace := s.SpanContext().TraceID().String()
		if byTrace[trace] == nil {
			byTrace[trace] = map[string]bool{}
		}
		for _, a := range s.Resource().Attributes() {
			if a.Key == "service.instance.id" {
				byTrace[trace][a.Value.AsString()] = true
			}
		}
		if strings.HasSuffix(s.Name(), "InsuredPlaceService/CommitSplit") {
			settle = trace
		}
	}
	if settle == "" {
		t.Fatal("no span of the commit at the insured province")
	}
	for _, instance := range []string{"gateway-1", "settlement-treatment", "settlement-insured"} {
		if !byTrace[settle][instance] {
			t.Errorf("%s has no span in the trace of the settlement, which has %v", instance, byTrace[settle])
		}
	}
	if !byTrace[settle]["referral-1"] {
		t.Errorf("the job that tells the case is not in the trace of the settlement, which has %v", byTrace[settle])
	}
}

// keepsQuiet reads every log line and span of the case.
func keepsQuiet(t *testing.T, l *devLine, r *sampleline.Result) {
	number := sampleline.IdentityNumber("340104", "19790312", 1)
	secrets := []string{number, "示范患者", "13900000001", "K74.600"}
	logs := l.logs.String()
	for _, secret := range secrets {
		if strings.Contains(logs, secret) {
			t.Errorf("a log line holds %q", secret)
		}
	}
	named := 0
	for _, text := range strings.Split(strings.TrimSpace(logs), "\n") {
		var entry map[string]any
		if err := json.Unmarshal([]byte(text), &entry); err != nil {
			t.Fatalf("not a JSON line: %s", text)
		}
		if entry["referral_id"] == r.ReferralID {
			named++
		}
	}
	if named < 10 {
		t.Errorf("%d log lines name the case", named)
	}
	spans := 0
	traces := map[trace.TraceID]bool{}
	for _, s := range l.spans.Ended() {
		for _, a := range s.Attributes() {
			if a.Key == "huhang.referral_id" && a.Value.AsString() == r.ReferralID {
				traces[s.SpanContext().TraceID()] = true
			}
		}
	}
	for _, s := range l.spans.Ended() {
		if traces[s.SpanContext().TraceID()] && s.SpanContext().TraceID().String() != r.TraceID { // what came before the case had an id
			of := ""
			for _, a := range s.Attributes() {
				if a.Key == "huhang.referral_id" {
					of = a.Value.AsString()
				}
			}
			if of != r.ReferralID {
				t.Errorf("span %q of %s does not name the case", s.Name(), s.Resource())
			}
		}
		text := s.Name()
		for _, a := range s.Attributes() {
			text += " " + string(a.Key) + "=" + a.Value.String()
			if a.Key == "huhang.referral_id" && a.Value.AsString() == r.ReferralID {
				spans++
			}
		}
		for _, e := range s.Events() {
			for _, a := range e.Attributes {
				text += " " + a.Value.String()
			}
		}
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("span %q holds %q", s.Name(), secret)
			}
		}
	}
	if spans < 30 {
		t.Errorf("%d spans name the case", spans)
	}
}
