package rpc_test

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/referral"
	"huhang.example/services/referral/rpc"
)

type caught struct{ server *rpc.Server }

func (c *caught) RegisterService(_ *grpc.ServiceDesc, impl any) { c.server = impl.(*rpc.Server) }

func serverOf(service *referral.Service, db *sqldb.DB) *rpc.Server {
	var c caught
	rpc.Register(&c, service, db)
	return c.server
}

// calls are all the case service offers to people, each with something sensible in it.
func (m *model) calls(t *rapid.T, r *referral.Referral) map[string]func(ctx context.Context, etag string) error {
	s, key, id, now := m.server, m.key(), m.id, m.clock.Now()
	drop := func(_ any, err error) error { return err }
	visit := int32(1)
	for _, v := range r.Visits {
		if v.Time.IsZero() {
			visit = int32(v.Number)
			break
		}
	}
	reason := ""
	if r.ClockSuspended == "" {
		reason = "waiting for the patient"
	}
	step := rapid.SampledFrom([]referralv1.CourseStep{1, 2, 3, 4, 5, 6, 7}).Draw(t, "step")
	return map[string]func(ctx context.Context, etag string) error{
		"SubmitReferral": func(ctx context.Context, etag string) error {
			return drop(s.SubmitReferral(ctx, &referralv1.SubmitReferralRequest{RequestId: key, ReferralId: id, Etag: etag}))
		},
		"ScreenReferral": func(ctx context.Context, etag string) error {
			d := rapid.SampledFrom([]referralv1.ScreeningDecision{1, 1, 1, 1, 1, 1, 2, 2, 3}).Draw(t, "decision")
			if m.straight {
				d = referralv1.ScreeningDecision_SCREENING_DECISION_PASS
			}
			return drop(s.ScreenReferral(ctx, &referralv1.ScreenReferralRequest{RequestId: key, ReferralId: id, Etag: etag, Decision: d, Comment: "why"}))
		},
		"OpenConsultation": func(ctx context.Context, etag string) error {
			kind := referralv1.ConsultationKind_CONSULTATION_KIND_MDT
			if r.State == referral.Exhausted {
				kind = referralv1.ConsultationKind_CONSULTATION_KIND_SECOND_OPINION
			}
			return drop(s.OpenConsultation(ctx, &referralv1.OpenConsultationRequest{
				RequestId: key, ReferralId: id, Etag: etag, Kind: kind, Agenda: "indication",
				Panel: []*referralv1.Expert{{Organisation: zhou.Organisation, Subject: zhou.Subject, Discipline: "hepatology"}},
			}))
		},
		"RecordOpinion": func(ctx context.Context, etag string) error {
			return drop(s.RecordOpinion(ctx, &referralv1.RecordOpinionRequest{RequestId: key, ReferralId: id, Etag: etag, Opinion: referralv1.Opinion_OPINION_INDICATED}))
		},
		"ConcludeConsultation": func(ctx context.Context, etag string) error {
			o := rapid.SampledFrom([]referralv1.Opinion{1, 1, 1, 1, 1, 1, 2, 3}).Draw(t, "conclusion")
			return drop(s.ConcludeConsultation(ctx, &referralv1.ConcludeConsultationRequest{RequestId: key, ReferralId: id, Etag: etag, Conclusion: o, Comment: "why"}))
		},
		"ChooseCenters": func(ctx context.Context, etag string) error {
			return drop(s.ChooseCenters(ctx, &referralv1.ChooseCentersRequest{RequestId: key, ReferralId: id, Etag: etag, CenterIds: []string{"C-SH-01", "C-NJ-01"}}))
		},
		"BookAdmission": func(ctx context.Context, etag string) error {
			return drop(s.BookAdmission(ctx, &referralv1.BookAdmissionRequest{RequestId: key, ReferralId: id, Etag: etag}))
		},
		"RescheduleAdmission": func(ctx context.Context, etag string) error {
			return drop(s.RescheduleAdmission(ctx, &referralv1.RescheduleAdmissionRequest{
				RequestId: key, ReferralId: id, Etag: etag, AdmissionTime: timestamppb.New(now.Add(96 * time.Hour)), Comment: "fever",
			}))
		},
		"RecordEvaluation": func(ctx context.Context, etag string) error {
			suitable := rapid.IntRange(0, 3).Draw(t, "suitable") > 0 || m.straight
			return drop(s.RecordEvaluation(ctx, &referralv1.RecordEvaluationRequest{RequestId: key, ReferralId: id, Etag: etag, Suitable: suitable, Comment: "why"}))
		},
		"RecordSurgery": func(ctx context.Context, etag string) error {
			return drop(s.RecordSurgery(ctx, &referralv1.RecordSurgeryRequest{
				RequestId: key, ReferralId: id, Etag: etag, SurgeryTime: timestamppb.New(now), CotrsReference: "COTRS-DEMO-1", ProcedureCode: "50.5900",
			}))
		},
		"RecordDischarge": func(ctx context.Context, etag string) error {
			return drop(s.RecordDischarge(ctx, &referralv1.RecordDischargeRequest{RequestId: key, ReferralId: id, Etag: etag, RehabilitationPlan: "PLAN-1"}))
		},
		"BackRefer": func(ctx context.Context, etag string) error {
			return drop(s.BackRefer(ctx, &referralv1.BackReferRequest{RequestId: key, ReferralId: id, Etag: etag}))
		},
		"AcceptBackReferral": func(ctx context.Context, etag string) error {
			return drop(s.AcceptBackReferral(ctx, &referralv1.AcceptBackReferralRequest{RequestId: key, ReferralId: id, Etag: etag}))
		},
		"RecordFollowUp": func(ctx context.Context, etag string) error {
			return drop(s.RecordFollowUp(ctx, &referralv1.RecordFollowUpRequest{RequestId: key, ReferralId: id, Etag: etag, Number: visit, VisitTime: timestamppb.New(now), Outcome: "STABLE"}))
		},
		"Readmit": func(ctx context.Context, etag string) error {
			return drop(s.Readmit(ctx, &referralv1.ReadmitRequest{RequestId: key, ReferralId: id, Etag: etag, Comment: "rejection"}))
		},
		"CheckExpert": func(ctx context.Context, etag string) error {
			return drop(s.CheckExpert(ctx, &referralv1.CheckExpertRequest{
				RequestId: key, ReferralId: id, Etag: etag, Subject: "wei", Site: "C-SH-01", RegistrationNumber: "REG-000001", ValidUntil: "2099-01-01",
			}))
		},
		"RecordCourse": func(ctx context.Context, etag string) error {
			return drop(s.RecordCourse(ctx, &referralv1.RecordCourseRequest{RequestId: key, ReferralId: id, Etag: etag, Step: step, Comment: "why"}))
		},
		"SuspendClock": func(ctx context.Context, etag string) error {
			return drop(s.SuspendClock(ctx, &referralv1.SuspendClockRequest{RequestId: key, ReferralId: id, Etag: etag, Reason: reason}))
		},
		"CorrectDeath": func(ctx context.Context, etag string) error {
			return drop(s.CorrectDeath(ctx, &referralv1.CorrectDeathRequest{RequestId: key, ReferralId: id, Etag: etag, Comment: "seen alive"}))
		},
		"CloseReferral": func(ctx context.Context, etag string) error {
			if rapid.IntRange(0, 3).Draw(t, "really") > 0 && r.State != referral.FollowUp {
				etag = "1" // a case that is closed too often shows nothing else
			}
			why := rapid.SampledFrom([]referralv1.CloseReason{1, 2, 3, 4, 5, 6, 7, 8, 10, 11}).Draw(t, "reason")
			return drop(s.CloseReferral(ctx, &referralv1.CloseReferralRequest{RequestId: key, ReferralId: id, Etag: etag, Reason: why}))
		},
	}
}
