package rpc

import (
	"context"
	"strings"

	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/referral"
)

// CreateReferral opens a case.
func (s *Server) CreateReferral(ctx context.Context, req *referralv1.CreateReferralRequest) (*referralv1.CreateReferralResponse, error) {
	registrar := s.service.PrepareCreate(ctx, req.GetPatientId())
	return once(ctx, s, req, func(ctx context.Context) (*referral.Referral, error) {
		return s.service.CreateReferral(ctx, referral.Opening{
			PatientID: req.GetPatientId(), Organ: strings.TrimPrefix(req.GetOrgan().String(), "ORGAN_"),
			Urgency:   strings.TrimPrefix(req.GetUrgency().String(), "URGENCY_"),
			Preferred: req.GetPreferredCenters(), Refused: req.GetRefusedCenters(),
		}, registrar)
	}, func(r *referralv1.Referral) *referralv1.CreateReferralResponse {
		return &referralv1.CreateReferralResponse{Referral: r}
	})
}

// SubmitReferral hands a case to the desk.
func (s *Server) SubmitReferral(ctx context.Context, req *referralv1.SubmitReferralRequest) (*referralv1.SubmitReferralResponse, error) {
	known := s.service.PrepareSubmit(ctx, req.GetReferralId())
	return once(ctx, s, req, func(ctx context.Context) (*referral.Referral, error) {
		return s.service.SubmitReferral(ctx, req.GetReferralId(), req.GetEtag(), known)
	}, func(r *referralv1.Referral) *referralv1.SubmitReferralResponse {
		return &referralv1.SubmitReferralResponse{Referral: r}
	})
}

var decisions = map[referralv1.ScreeningDecision]referral.Decision{
	referralv1.ScreeningDecision_SCREENING_DECISION_PASS:          referral.ScreenPass,
	referralv1.ScreeningDecision_SCREENING_DECISION_RETURN:        referral.ScreenReturn,
	referralv1.ScreeningDecision_SCREENING_DECISION_NOT_INDICATED: referral.ScreenNotIndicated,
}

// ScreenReferral records the desk's decision.
func (s *Server) ScreenReferral(ctx context.Context, req *referralv1.ScreenReferralRequest) (*referralv1.ScreenReferralResponse, error) {
	return once(ctx, s, req, func(ctx context.Context) (*referral.Referral, error) {
		return s.service.ScreenReferral(ctx, req.GetReferralId(), req.GetEtag(), decisions[req.GetDecision()], req.GetComment())
	}, func(r *referralv1.Referral) *referralv1.ScreenReferralResponse {
		return &referralv1.ScreenReferralResponse{Referral: r}
	})
}

// ChooseCenters records the patient's choice.
func (s *Server) ChooseCenters(ctx context.Context, req *referralv1.ChooseCentersRequest) (*referralv1.ChooseCentersResponse, error) {
	ranking := s.service.PrepareChoose(ctx, req.GetReferralId())
	return once(ctx, s, req, func(ctx context.Context) (*referral.Referral, error) {
		return s.service.ChooseCenters(ctx, req.GetReferralId(), req.GetEtag(), req.GetCenterIds(), ranking)
	}, func(r *referralv1.Referral) *referralv1.ChooseCentersResponse {
		return &referralv1.ChooseCentersResponse{Referral: r}
	})
}

// BookAdmission confirms what was held.
func (s *Server) BookAdmission(ctx context.Context, req *referralv1.BookAdmissionRequest) (*referralv1.BookAdmissionResponse, error) {
	confirmed := s.service.PrepareBook(ctx, req.GetReferralId(), req.GetEtag())
	return once(ctx, s, req, func(ctx context.Context) (*referral.Referral, error) {
		return s.service.BookAdmission(ctx, req.GetReferralId(), req.GetEtag(), confirmed)
	}, func(r *referralv1.Referral) *referralv1.BookAdmissionResponse {
		return &referralv1.BookAdmissionResponse{Referral: r}
	})
}

// RescheduleAdmission books another day.
func (s *Server) RescheduleAdmission(ctx context.Context, req *referralv1.RescheduleAdmissionRequest) (*referralv1.RescheduleAdmissionResponse, error) {
	to := instant(req.GetAdmissionTime())
	moved := s.service.PrepareReschedule(ctx, req.GetReferralId(), req.GetEtag(), to, req.GetComment())
	return once(ctx, s, req, func(ctx context.Context) (*referral.Referral, error) {
		return s.service.RescheduleAdmission(ctx, req.GetReferralId(), req.GetEtag(), to, req.GetComment(), moved)
	}, func(r *referralv1.Referral) *referralv1.RescheduleAdmissionResponse {
		return &referralv1.RescheduleAdmissionResponse{Referral: r}
	})
}

// RecordEvaluation records the center's evaluation.
func (s *Server) RecordEvaluation(ctx context.Context, req *referralv1.RecordEvaluationRequest) (*referralv1.RecordEvaluationResponse, error) {
	return once(ctx, s, req, func(ctx context.Context) (*referral.Referral, error) {
		return s.service.RecordEvaluation(ctx, req.GetReferralId(), req.GetEtag(), req.GetSuitable(), req.GetComment())
	}, func(r *referralv1.Referral) *referralv1.RecordEvaluationResponse {
		return &referralv1.RecordEvaluationResponse{Referral: r}
	})
}

// RecordSurgery records the surgery.
func (s *Server) RecordSurgery(ctx context.Context, req *referralv1.RecordSurgeryRequest) (*referralv1.RecordSurgeryResponse, error) {
	return once(ctx, s, req, func(ctx context.Context) (*referral.Referral, error) {
		return s.service.RecordSurgery(ctx, req.GetReferralId(), req.GetEtag(), referral.Surgery{
			Time: instant(req.GetSurgeryTime()), COTRSReference: req.GetCotrsReference(), EthicsApproval: req.GetEthicsApproval(),
			ProcedureCode: req.GetProcedureCode(),
		})
	}, func(r *referralv1.Referral) *referralv1.RecordSurgeryResponse {
		return &referralv1.RecordSurgeryResponse{Referral: r}
	})
}

// RecordDischarge records the discharge.
func (s *Server) RecordDischarge(ctx context.Context, req *referralv1.RecordDischargeRequest) (*referralv1.RecordDischargeResponse, error) {
	return once(ctx, s, req, func(ctx context.Context) (*referral.Referral, error) {
		return s.service.RecordDischarge(ctx, req.GetReferralId(), req.GetEtag(), req.GetRehabilitationPlan())
	}, func(r *referralv1.Referral) *referralv1.RecordDischargeResponse {
		return &referralv1.RecordDischargeResponse{Referral: r}
	})
}

// BackRefer asks a local hospital.
func (s *Server) BackRefer(ctx context.Context, req *referralv1.BackReferRequest) (*referralv1.BackReferResponse, error) {
	return once(ctx, s, req, func(ctx context.Context) (*referral.Referral, error) {
		return s.service.BackRefer(ctx, req.GetReferralId(), req.GetEtag(), req.GetLocalHospital())
	}, func(r *referralv1.Referral) *referralv1.BackReferResponse {
		return &referralv1.BackReferResponse{Referral: r}
	})
}

// AcceptBackReferral takes the patient back.
func (s *Server) AcceptBackReferral(ctx context.Context, req *referralv1.AcceptBackReferralRequest) (*referralv1.AcceptBackReferralResponse, error) {
	return once(ctx, s, req, func(ctx context.Context) (*referral.Referral, error) {
		return s.service.AcceptBackReferral(ctx, req.GetReferralId(), req.GetEtag())
	}, func(r *referralv1.Referral) *referralv1.AcceptBackReferralResponse {
		return &referralv1.AcceptBackReferralResponse{Referral: r}
	})
}

// CloseReferral ends a case.
func (s *Server) CloseReferral(ctx context.Context, req *referralv1.CloseReferralRequest) (*referralv1.CloseReferralResponse, error) {
	return once(ctx, s, req, func(ctx context.Context) (*referral.Referral, error) {
		reason := referral.CloseReason(strings.TrimPrefix(req.GetReason().String(), "CLOSE_REASON_"))
		return s.service.CloseReferral(ctx, req.GetReferralId(), req.GetEtag(), reason, req.GetComment())
	}, func(r *referralv1.Referral) *referralv1.CloseReferralResponse {
		return &referralv1.CloseReferralResponse{Referral: r}
	})
}

// CorrectDeath takes a death back.
func (s *Server) CorrectDeath(ctx context.Context, req *referralv1.CorrectDeathRequest) (*referralv1.CorrectDeathResponse, error) {
	return once(ctx, s, req, func(ctx context.Context) (*referral.Referral, error) {
		return s.service.CorrectDeath(ctx, req.GetReferralId(), req.GetEtag(), req.GetComment())
	}, func(r *referralv1.Referral) *referralv1.CorrectDeathResponse {
		return &referralv1.CorrectDeathResponse{Referral: r}
	})
}

// SuspendClock stops the clock or lets it run again.
func (s *Server) SuspendClock(ctx context.Context, req *referralv1.SuspendClockRequest) (*referralv1.SuspendClockResponse, error) {
	return once(ctx, s, req, func(ctx context.Context) (*referral.Referral, error) {
		return s.service.SuspendClock(ctx, req.GetReferralId(), req.GetEtag(), req.GetReason())
	}, func(r *referralv1.Referral) *referralv1.SuspendClockResponse {
		return &referralv1.SuspendClockResponse{Referral: r}
	})
}
