package rpc_test

import (
	"bytes"
	"context"
	"slices"
	"testing"

	matchingv1 "huhang.example/gen/huhang/matching/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
)

// A repeat says what is new, changed and gone; a check flags what was edited since; the run before stays as it was.
func TestRepeatAndCheck(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		req := &matchingv1.RunMatchRequest{
			RequestId: r.rid(), ReferralId: r.ids.New("ref"), PatientId: r.ids.New("pat"), Organ: liver, ReferringOrganisation: "H-HF-01",
		}
		run := func() *matchingv1.MatchRun {
			t.Helper()
			req.RequestId = r.rid()
			return must[*matchingv1.RunMatchResponse](t)(r.RunMatch(service(t.Context()), req)).GetMatchRun()
		}
		coordinator := as(t.Context(), "H-HF-01", access.Coordinator)
		check := func(m *matchingv1.MatchRun) *matchingv1.CheckMatchRunResponse {
			t.Helper()
			return must[*matchingv1.CheckMatchRunResponse](t)(r.CheckMatchRun(coordinator, &matchingv1.CheckMatchRunRequest{MatchRunId: m.GetMatchRunId()}))
		}
		first := run()
		if first.GetPreviousMatchRunId() != "" || len(first.GetChanges()) != 0 || check(first).GetStanding() != matchingv1.MatchRunStanding_MATCH_RUN_STANDING_CURRENT {
			t.Fatalf("%v %v", first.GetChanges(), check(first))
		}
		if again := run(); again.GetPreviousMatchRunId() != first.GetMatchRunId() || len(again.GetChanges()) != 0 {
			t.Fatalf("nothing changed: %v", again.GetChanges())
		}
		must[*matchingv1.SetLicenceResponse](t)(r.SetLicence(as(t.Context(), "OPS", access.Operations), &matchingv1.SetLicenceRequest{
			RequestId: r.rid(), CenterId: "C-SH-01", Etag: "1", Organ: liver, Licence: &matchingv1.Licence{ValidFrom: "2024-01-01", ValidTo: "2028-12-31", Suspended: true},
		}))
		if c := check(first); c.GetStanding() != matchingv1.MatchRunStanding_MATCH_RUN_STANDING_OUTDATED || len(c.GetChanges()) != 1 ||
			c.GetChanges()[0].GetCenterId() != "C-SH-01" || c.GetClinicalVersion() != 2 {
			t.Fatalf("%v", c)
		}
		third := run()
		gone := slices.IndexFunc(third.GetChanges(), func(c *matchingv1.MatchChange) bool { return c.GetCenterId() == "C-SH-01" })
		if gone < 0 || third.GetChanges()[gone].GetKind() != matchingv1.MatchChangeKind_MATCH_CHANGE_KIND_GONE || len(third.GetChanges()[gone].GetBecause()) == 0 {
			t.Fatalf("%v", third.GetChanges())
		}
		if c := check(third); c.GetStanding() != matchingv1.MatchRunStanding_MATCH_RUN_STANDING_CURRENT {
			t.Fatalf("%v", c)
		}
		r.line.refused = true // the consent is withdrawn: an edit of an input too
		if c := check(third); len(c.GetChanges()) != 1 || c.GetChanges()[0].GetInput() != "consent" {
			t.Fatalf("%v", c)
		}
		r.line.refused, r.line.noOne = false, true
		if c := check(third); c.GetStanding() != matchingv1.MatchRunStanding_MATCH_RUN_STANDING_UNKNOWN {
			t.Fatalf("%v", c)
		}
		_, err := r.CheckMatchRun(as(t.Context(), "H-NC-01", access.Coordinator), &matchingv1.CheckMatchRunRequest{MatchRunId: first.GetMatchRunId()})
		want(t, err, fault.NotFound, fault.ReasonNotFound, "")
	})
}

func TestWhyNot(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		run := r.match(t)
		why := func(center string) *matchingv1.ExplainCenterResponse {
			t.Helper()
			return must[*matchingv1.ExplainCenterResponse](t)(r.ExplainCenter(as(t.Context(), "H-HF-01", access.Coordinator), &matchingv1.ExplainCenterRequest{MatchRunId: run.GetMatchRunId(), CenterId: center}))
		}
		if e := why("C-BJ-02"); e.GetExcluded().GetReasons()[0].GetCode() != "HCC_BEYOND_CRITERIA" || e.GetExcluded().GetReasons()[0].GetChange().GetEn() == "" || e.GetRanked() != nil {
			t.Errorf("%v", e)
		}
		last := run.GetRanked()[len(run.GetRanked())-1]
		if e := why(last.GetCenterId()); e.GetRanked().GetRank() != last.GetRank() || len(e.GetBehind()) == 0 || e.GetSummary().GetZh() == "" {
			t.Errorf("%v", e)
		}
		if e := why("C-XX-01"); !e.GetNotInDirectory() || e.GetSummary().GetEn() == "" {
			t.Errorf("%v", e)
		}
		_, err := r.ExplainCenter(as(t.Context(), "H-NC-01", access.Coordinator), &matchingv1.ExplainCenterRequest{MatchRunId: run.GetMatchRunId(), CenterId: "C-BJ-02"})
		want(t, err, fault.NotFound, fault.ReasonNotFound, "")
	})
}

// Neither the run nor the stored answer tells anything of the patient to who reads the database.
func TestRunsAreSealed(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		run := r.match(t)
		err := r.db.Read(t.Context(), func(ctx context.Context, q sqldb.Querier) error {
			var doc string
			var sealed, answer []byte
			if err := q.QueryRow(ctx, "SELECT doc, sealed FROM match_run WHERE match_run_id = $1", run.GetMatchRunId()).Scan(&doc, &sealed); err != nil {
				return err
			}
			if err := q.QueryRow(ctx, "SELECT answer FROM idempotency WHERE method LIKE '%RunMatch%'").Scan(&answer); err != nil {
				return err
			}
			for _, secret := range []string{"tumour", "HCC", "Milan", "肿瘤", "C-SH-01"} {
				for _, b := range [][]byte{[]byte(doc), sealed, answer} {
					if bytes.Contains(b, []byte(secret)) || len(b) == 0 && doc != "" {
						t.Errorf("%q can be read", secret)
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
