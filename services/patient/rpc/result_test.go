package rpc_test

import (
	"context"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	patientv1 "huhang.example/gen/huhang/patient/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/patient/rpc"
)

// A result is recognised by another hospital within its window, and what that saved is counted once.
func TestResultsAreRecognised(t *testing.T) {
	each(t, func(l *line) {
		results := rpc.Results{Server: l.server}
		p := l.register(l.hefei(), 1)
		l.grant(p.GetPatientId(), "C-SH-01", referral1)
		sent := func(change func(*patientv1.RecordResultRequest)) *patientv1.RecordResultRequest {
			r := &patientv1.RecordResultRequest{
				RequestId: l.key(), PatientId: p.GetPatientId(), ItemCode: "CREA", PerformedOn: "2026-11-20", Method: "enzymatic", Value: proto.Float64(97), Unit: "umol/L",
				Mark: patientv1.RecognitionMark_RECOGNITION_MARK_NATIONAL,
			}
			change(r)
			return r
		}
		for _, c := range []struct {
			name   string
			change func(*patientv1.RecordResultRequest)
			want   fault.Reason
		}{
			{"an unknown item", func(r *patientv1.RecordResultRequest) { r.ItemCode = "NOPE" }, fault.CodeUnknown},
			{"a unit of another item", func(r *patientv1.RecordResultRequest) { r.Unit = "g/L" }, fault.FieldInvalid},
			{"no number", func(r *patientv1.RecordResultRequest) { r.Value = nil }, fault.FieldInvalid},
			{"a number for a text", func(r *patientv1.RecordResultRequest) { r.ItemCode = "CT" }, fault.FieldInvalid},
			{"tomorrow", func(r *patientv1.RecordResultRequest) { r.PerformedOn = "2026-11-23" }, fault.TimeInvalid},
			{"before birth", func(r *patientv1.RecordResultRequest) { r.PerformedOn = "1979-03-11" }, fault.TimeInvalid},
			{"a foreign patient", func(r *patientv1.RecordResultRequest) { r.PatientId = "pat_00000000000000000000000000" }, fault.ReasonNotFound},
			{"a document that is not there", func(r *patientv1.RecordResultRequest) { r.DocumentId = "doc_00000000000000000000000000" }, fault.ReasonNotFound},
		} {
			l.refused(c.want, func() error { _, err := results.RecordResult(l.hefei(), sent(c.change)); return err })
		}
		made, err := results.RecordResult(l.hefei(), sent(func(*patientv1.RecordResultRequest) {}))
		l.must(err)
		crea := made.GetResult()
		if crea.GetPerformedBy() != "H-HF-01" || crea.GetValidUntil() != "2026-11-27" || crea.GetExpired() || crea.GetCatalogueVersion() == "" || crea.GetMark() != patientv1.RecognitionMark_RECOGNITION_MARK_NATIONAL {
			t.Errorf("%v", crea)
		}
		made, err = results.RecordResult(l.hefei(), sent(func(r *patientv1.RecordResultRequest) {
			r.ItemCode, r.Value, r.Unit, r.Text, r.PerformedOn = "CT", nil, "", "未见异常", "2026-11-01"
		}))
		l.must(err)
		judge := func(ctx context.Context, id string, d patientv1.Decision, reason, comment string) (*patientv1.Result, error) {
			got, err := results.JudgeResult(ctx, &patientv1.JudgeResultRequest{RequestId: l.key(), PatientId: p.GetPatientId(), ResultId: id, Decision: d, Reason: reason, Comment: comment})
			return got.GetResult(), err
		}
		yes, no := patientv1.Decision_DECISION_RECOGNISED, patientv1.Decision_DECISION_REPEAT_NEEDED
		refuse := func(want fault.Reason, ctx context.Context, id string, d patientv1.Decision, reason, comment string) {
			t.Helper()
			l.refused(want, func() error { _, err := judge(ctx, id, d, reason, comment); return err })
		}
		refuse(fault.WrongState, l.hefei(), crea.GetResultId(), yes, "", "")
		refuse(fault.FieldInvalid, l.shanghai(), crea.GetResultId(), yes, "QUALITY", "")
		refuse(fault.CodeUnknown, l.shanghai(), crea.GetResultId(), no, "", "")
		refuse(fault.CommentRequired, l.shanghai(), crea.GetResultId(), no, "OTHER", "")
		refuse(fault.FieldInvalid, l.shanghai(), crea.GetResultId(), no, "EXPIRED", "")
		refuse(fault.ReasonNotFound, l.as("C-BJ-01", access.Center), crea.GetResultId(), yes, "", "")
		refuse(fault.ReasonNotFound, l.shanghai(), "rst_00000000000000000000000000", yes, "", "")
		for _, id := range []string{crea.GetResultId(), crea.GetResultId(), made.GetResult().GetResultId()} {
			if _, err := judge(l.shanghai(), id, yes, "", ""); err != nil {
				t.Fatal(err)
			}
		}
		sum := func(ctx context.Context, organisation string) []*patientv1.AvoidedCost {
			t.Helper()
			got, err := results.SumAvoidedCost(ctx, &patientv1.SumAvoidedCostRequest{FromMonth: "2026-11", ToMonth: "2026-11", Organisation: organisation})
			l.must(err)
			return got.GetSums()
		}
		if s := sum(l.desk(), ""); len(s) != 1 || s[0].GetOrganisation() != "C-SH-01" || s[0].GetRecognised() != 2 || s[0].GetAvoidedFen() != 600+26000 {
			t.Errorf("%v", s)
		}
		if s := sum(l.hefei(), ""); len(s) != 0 {
			t.Errorf("another hospital sees %v", s)
		}
		l.refused(fault.ReasonNotFound, func() error {
			_, err := results.SumAvoidedCost(l.hefei(), &patientv1.SumAvoidedCostRequest{Organisation: "C-SH-01"})
			return err
		})
		l.clock.Set(time.Date(2026, 11, 28, 0, 30, 0, 0, time.FixedZone("", 8*3600)))
		refuse(fault.ResultExpired, l.shanghai(), crea.GetResultId(), yes, "", "")
		judged, err := judge(l.shanghai(), crea.GetResultId(), no, "EXPIRED", "")
		l.must(err)
		if j := judged.GetJudgements(); len(j) != 3 || j[0].GetReplaced() || !j[1].GetReplaced() || !j[2].GetReplaced() || !judged.GetExpired() {
			t.Errorf("%v", j)
		}
		if s := sum(l.shanghai(), "C-SH-01"); len(s) != 1 || s[0].GetRecognised() != 1 || s[0].GetRepeatedCount() != 1 || s[0].GetAvoidedFen() != 26000 {
			t.Errorf("%v", s)
		}
		page, err := results.ListResults(l.hefei(), &patientv1.ListResultsRequest{PatientId: p.GetPatientId(), PageSize: 1})
		l.must(err)
		rest, err := results.ListResults(l.hefei(), &patientv1.ListResultsRequest{PatientId: p.GetPatientId(), PageSize: 1, PageToken: page.GetNextPageToken()})
		if err != nil || page.GetResults()[0].GetItemCode() != "CREA" || rest.GetResults()[0].GetText() != "未见异常" || rest.GetNextPageToken() != "" {
			t.Errorf("%v %v %v", page, rest, err)
		}
		l.clock.Set(time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC))
	})
}
