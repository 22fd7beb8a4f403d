package rpc_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	matchingv1 "huhang.example/gen/huhang/matching/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
)

func (r *rig) export(t *testing.T, format matchingv1.TableFormat) string {
	t.Helper()
	return must[*matchingv1.ExportCentersResponse](t)(r.ExportCenters(as(t.Context(), "OPS", access.Operations), &matchingv1.ExportCentersRequest{Format: format})).GetContent()
}

const csv = matchingv1.TableFormat_TABLE_FORMAT_CSV

func TestEditsAreRemembered(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		mine := center(t.Context(), "C-SH-01")
		update := must[*matchingv1.UpdateProgramResponse](t)(r.UpdateProgram(mine, &matchingv1.UpdateProgramRequest{
			RequestId: r.rid(), CenterId: "C-SH-01", Etag: "1", UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"open", "criteria"}},
			Program: &matchingv1.Program{Organ: liver, Criteria: &matchingv1.Criteria{MaxAge: proto.Int32(70), HccSet: "MILAN", Infections: []*matchingv1.InfectionCriterion{
				{Infection: matchingv1.Infection_INFECTION_ACTIVE, Policy: matchingv1.InfectionPolicy_INFECTION_POLICY_EXCLUDES},
			}}},
		})).GetCenter()
		p := update.GetPrograms()[0]
		if p.GetOpen() || p.GetCriteria().GetMaxAge() != 70 || len(p.GetCriteria().GetInfections()) != 1 || p.GetVolume() != 380 || !p.GetAdults() || update.GetEtag() != "2" {
			t.Fatalf("%v", update)
		}
		quotas := must[*matchingv1.SetReserveQuotasResponse](t)(r.SetReserveQuotas(mine, &matchingv1.SetReserveQuotasRequest{
			RequestId: r.rid(), CenterId: "C-SH-01", Etag: "2", Quotas: []*matchingv1.ReserveQuota{{
				Resource: matchingv1.QuotaResource_QUOTA_RESOURCE_BED, Organ: liver, Period: matchingv1.QuotaPeriod_QUOTA_PERIOD_MONTH, Units: 41, Share: 2000, ValidFrom: "2026-01-01", ValidTo: "2026-12-31",
			}},
		})).GetCenter().GetReserveQuotas()
		if len(quotas) != 1 || quotas[0].GetReserved() != 9 {
			t.Fatalf("%v", quotas)
		}
		page := must[*matchingv1.ListCenterChangesResponse](t)(r.ListCenterChanges(mine, &matchingv1.ListCenterChangesRequest{CenterId: "C-SH-01", PageSize: 2}))
		if c := page.GetChanges(); len(c) != 2 || c[0].GetAction() != "SET_RESERVE_QUOTAS" || c[1].GetAction() != "UPDATE_PROGRAM" || c[1].GetEtag() != "2" ||
			c[1].GetOrganisation() != "C-SH-01" || c[1].GetSubject() != "staff-1" || !c[1].GetChangeTime().AsTime().Equal(start) {
			t.Fatalf("%v", page)
		}
		told := map[string]string{}
		for _, f := range page.GetChanges()[1].GetFields() {
			told[f.GetColumn()] = f.GetBefore() + ">" + f.GetAfter()
		}
		if told["open"] != "true>false" || told["max_age"] != ">70" || told["hcc_set"] != "FUDAN>MILAN" || told["volume"] != "" {
			t.Fatalf("%v", told)
		}
		rest := must[*matchingv1.ListCenterChangesResponse](t)(r.ListCenterChanges(mine, &matchingv1.ListCenterChangesRequest{CenterId: "C-SH-01", PageSize: 2, PageToken: page.GetNextPageToken()}))
		if c := rest.GetChanges(); len(c) != 1 || c[0].GetAction() != "SEED" || rest.GetNextPageToken() != "" {
			t.Fatalf("%v", rest)
		}
		_, err := r.ListCenterChanges(center(t.Context(), "C-SH-02"), &matchingv1.ListCenterChangesRequest{CenterId: "C-SH-01"})
		want(t, err, fault.NotFound, fault.ReasonNotFound, "")
	})
}

func TestImportExport(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		desk := as(t.Context(), "OPS", access.Operations)
		take := func(req *matchingv1.ImportCentersRequest) *matchingv1.ImportCentersResponse {
			req.RequestId, req.Format = r.rid(), csv
			return must[*matchingv1.ImportCentersResponse](t)(r.ImportCenters(desk, req))
		}
		table := r.export(t, csv)
		if got := take(&matchingv1.ImportCentersRequest{Content: table}); !got.GetApplied() || got.GetUnchanged() != got.GetRows() || got.GetRows() != 29 || r.export(t, csv) != table {
			t.Fatalf("the round trip changed something: %v", got)
		}
		rows := strings.SplitAfter(table, "\n")
		rows[1] = strings.Replace(rows[1], ",310,", ",311,", 1)       // C-BJ-01's liver volume
		rows[5] = strings.Replace(rows[5], ",110100,", ",999999,", 1) // C-BJ-02's liver, a bad city
		bad := strings.Join(rows, "")
		before := r.everything(t)
		dry := take(&matchingv1.ImportCentersRequest{Content: bad, DryRun: true, PartialOk: true})
		if dry.GetApplied() || dry.GetChanged() != 1 || len(dry.GetRejected()) != 1 || dry.GetRejected()[0].GetRow() != 5 || dry.GetRejected()[0].GetColumn() != "city" ||
			dry.GetRejected()[0].GetCenterId() != "C-BJ-02" || dry.GetRejected()[0].GetBecause().GetZh() == "" || r.everything(t) != before {
			t.Fatalf("%v", dry)
		}
		if got := take(&matchingv1.ImportCentersRequest{Content: bad}); got.GetApplied() || got.GetAccepted() != 28 || r.export(t, csv) != table {
			t.Fatalf("one bad row was enough to take the others: %v", got)
		}
		if got := take(&matchingv1.ImportCentersRequest{Content: bad, PartialOk: true}); !got.GetApplied() || got.GetChanged() != 1 {
			t.Fatalf("%v", got)
		}
		c := must[*matchingv1.GetCenterResponse](t)(r.GetCenter(desk, &matchingv1.GetCenterRequest{CenterId: "C-BJ-01"})).GetCenter()
		if c.GetPrograms()[0].GetVolume() != 311 || c.GetEtag() != "2" {
			t.Fatalf("%v", c)
		}
		// The table is of a version that is past.
		if got := take(&matchingv1.ImportCentersRequest{Content: table}); got.GetApplied() || len(got.GetRejected()) != 4 || got.GetRejected()[0].GetColumn() != "etag" {
			t.Fatalf("%v", got)
		}
	})
}

func weightsOf(version, day string, change func(*matchingv1.Weights)) *matchingv1.Weights {
	w := &matchingv1.Weights{
		Version: version, EffectiveFrom: day, Terms: map[string]int32{"capacity": 0, "wait": 0, "survival": 10000, "door_to_door": 0, "direct_settlement": 0, "self_pay": 0, "preference": 0},
		Scales: &matchingv1.Scales{PlacesFull: 5, WaitZeroDays: 720, DoorFullMinutes: 120, DoorZeroMinutes: 1440, SelfPayZeroFen: 1, PreferenceStep: 1, StaleHours: 48, SmallVolume: 500},
	}
	change(w)
	return w
}

func TestWeights(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		desk := as(t.Context(), "OPS", access.Operations)
		nothing := func(*matchingv1.Weights) {}
		for _, test := range []struct {
			weights *matchingv1.Weights
			code    fault.Code
			reason  fault.Reason
			field   string
		}{
			{weightsOf("B", "2026-11-22", nothing), fault.InvalidArgument, fault.TimeInvalid, "weights.effective_from"},
			{weightsOf("B", "2026-11-23", func(w *matchingv1.Weights) { w.Terms["luck"] = 0 }), fault.InvalidArgument, fault.FieldInvalid, "weights.terms.luck"},
			{weightsOf("B", "2026-11-23", func(w *matchingv1.Weights) { w.Terms["wait"] = 1 }), fault.InvalidArgument, fault.FieldInvalid, "weights.terms"},
			{weightsOf("SAMPLE-2026.1", "2026-11-23", nothing), fault.AlreadyExists, fault.VersionExists, "weights.version"},
		} {
			before := r.everything(t)
			_, err := r.AddWeights(desk, &matchingv1.AddWeightsRequest{RequestId: r.rid(), Weights: test.weights})
			want(t, err, test.code, test.reason, test.field)
			if r.everything(t) != before {
				t.Fatal("something changed")
			}
		}
		must[*matchingv1.AddWeightsResponse](t)(r.AddWeights(desk, &matchingv1.AddWeightsRequest{RequestId: r.rid(), Weights: weightsOf("B", "2026-11-23", nothing)}))
		if v := r.match(t).GetWeightsVersion(); v != "SAMPLE-2026.1" {
			t.Fatalf("today ranks by %s", v)
		}
		r.clock.Advance(13 * 3600 * 1e9) // past midnight in Shanghai
		if v := r.match(t).GetWeightsVersion(); v != "B" {
			t.Fatalf("tomorrow ranks by %s", v)
		}
		list := must[*matchingv1.ListWeightsResponse](t)(r.ListWeights(desk, &matchingv1.ListWeightsRequest{}))
		if len(list.GetWeights()) != 2 || list.GetInForce() != "B" || list.GetWeights()[1].GetScales().GetSmallVolume() != 500 {
			t.Fatalf("%v", list)
		}
		c := must[*matchingv1.GetCenterResponse](t)(r.GetCenter(desk, &matchingv1.GetCenterRequest{CenterId: "C-GZ-01"})).GetCenter().GetPrograms()[0]
		if !c.GetSmallVolume() || !c.GetCapacity().GetStale() {
			t.Fatalf("not marked: %v", c)
		}
	})
}

func TestDirectoryRefusalsChangeNothing(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		ctx := t.Context()
		mine, other, desk := center(ctx, "C-SH-01"), center(ctx, "C-SH-02"), as(ctx, "OPS", access.Operations)
		must[*matchingv1.SetLicenceResponse](t)(r.SetLicence(desk, &matchingv1.SetLicenceRequest{
			RequestId: r.rid(), CenterId: "C-TJ-01", Etag: "1", Organ: liver, Licence: &matchingv1.Licence{ValidFrom: "2024-01-01", ValidTo: "2028-12-31", Revoked: true},
		}))
		update := func(change func(*matchingv1.UpdateProgramRequest)) *matchingv1.UpdateProgramRequest {
			req := &matchingv1.UpdateProgramRequest{
				RequestId: r.rid(), CenterId: "C-SH-01", Etag: "1", Program: &matchingv1.Program{Organ: liver}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"open"}},
			}
			change(req)
			return req
		}
		mask := func(paths ...string) func(*matchingv1.UpdateProgramRequest) {
			return func(req *matchingv1.UpdateProgramRequest) { req.UpdateMask.Paths = paths }
		}
		quota := &matchingv1.ReserveQuota{Resource: 1, Period: 1, Units: 1, Share: 1, ValidFrom: "2026-01-01", ValidTo: "2026-12-31"}
		for name, test := range map[string]struct {
			call   func() error
			code   fault.Code
			reason fault.Reason
			field  string
		}{
			"another's program": {func() error { _, err := r.UpdateProgram(other, update(mask("open"))); return err }, fault.PermissionDenied, fault.RightMissing, "center_id"},
			"its own tier":      {func() error { _, err := r.UpdateProgram(mine, update(mask("open", "survival_tier"))); return err }, fault.PermissionDenied, fault.RightMissing, "update_mask"},
			"no path":           {func() error { _, err := r.UpdateProgram(mine, update(mask())); return err }, fault.InvalidArgument, fault.FieldInvalid, "update_mask"},
			"a path of its own": {func() error { _, err := r.UpdateProgram(desk, update(mask("licence"))); return err }, fault.InvalidArgument, fault.FieldInvalid, "update_mask"},
			"stale": {func() error {
				_, err := r.UpdateProgram(mine, update(func(u *matchingv1.UpdateProgramRequest) { u.Etag = "2" }))
				return err
			}, fault.Aborted, fault.StaleVersion, "etag"},
			"no program": {func() error {
				_, err := r.UpdateProgram(mine, update(func(u *matchingv1.UpdateProgramRequest) { u.Program.Organ = 6 }))
				return err
			}, fault.InvalidArgument, fault.CodeUnknown, "organ"},
			"absent": {func() error {
				_, err := r.UpdateProgram(desk, update(func(u *matchingv1.UpdateProgramRequest) { u.CenterId = "C-XX-01" }))
				return err
			}, fault.NotFound, fault.ReasonNotFound, ""},
			"ages crossed": {func() error {
				_, err := r.UpdateProgram(mine, update(func(u *matchingv1.UpdateProgramRequest) {
					u.UpdateMask.Paths, u.Program.Criteria = []string{"criteria"}, &matchingv1.Criteria{MinAge: proto.Int32(60), MaxAge: proto.Int32(50)}
				}))
				return err
			}, fault.InvalidArgument, fault.FieldInvalid, "program"},
			"quotas of another": {func() error {
				_, err := r.SetReserveQuotas(other, &matchingv1.SetReserveQuotasRequest{RequestId: r.rid(), CenterId: "C-SH-01", Etag: "1"})
				return err
			}, fault.PermissionDenied, fault.RightMissing, "center_id"},
			"quotas twice": {func() error {
				_, err := r.SetReserveQuotas(mine, &matchingv1.SetReserveQuotasRequest{RequestId: r.rid(), CenterId: "C-SH-01", Etag: "1", Quotas: []*matchingv1.ReserveQuota{quota, quota}})
				return err
			}, fault.InvalidArgument, fault.FieldInvalid, "quotas"},
			"a revoked licence revived": {func() error {
				_, err := r.SetLicence(desk, &matchingv1.SetLicenceRequest{RequestId: r.rid(), CenterId: "C-TJ-01", Etag: "2", Organ: liver, Licence: &matchingv1.Licence{ValidFrom: "2024-01-01", ValidTo: "2028-12-31"}})
				return err
			}, fault.FailedPrecondition, fault.LicenceRevoked, "licence"},
		} {
			before := r.everything(t)
			err := test.call()
			if f, ok := fault.As(err); !ok || f.Code != test.code || f.Reason != test.reason || f.Field != test.field {
				t.Errorf("%s: %v", name, err)
			}
			if r.everything(t) != before {
				t.Errorf("%s changed something", name)
			}
		}
	})
}
