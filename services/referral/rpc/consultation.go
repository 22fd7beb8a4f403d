package rpc

import (
	"context"
	"strings"

	"google.golang.org/protobuf/proto"

	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/idempotency"
	"huhang.example/services/referral"
)

// changed makes a change of a case happen once, when the answer is a part of the case and not the case as its caller sees it.
func changed[R proto.Message](ctx context.Context, s *Server, req idempotency.Request, referralID string,
	change func(ctx context.Context) (*referral.Referral, error), answer func(*referral.Referral) R,
) (R, error) {
	defer s.service.Committed()
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (R, error) {
		r, err := change(ctx)
		if err != nil {
			var none R
			return none, err
		}
		return answer(r), nil
	}, idempotency.Resource(referralID))
}

func latest(r *referral.Referral) *referralv1.ConsultationRecord {
	return consultationOut(r.Consultations[len(r.Consultations)-1])
}

// OpenConsultation asks a panel.
func (s *Server) OpenConsultation(ctx context.Context, req *referralv1.OpenConsultationRequest) (*referralv1.OpenConsultationResponse, error) {
	c := referral.ConsultationRecord{
		Kind: strings.TrimPrefix(req.GetKind().String(), "CONSULTATION_KIND_"), Agenda: req.GetAgenda(), Documents: req.GetDocumentIds(),
	}
	for _, e := range req.GetPanel() {
		c.Panel = append(c.Panel, referral.Expert{Organisation: e.GetOrganisation(), Subject: e.GetSubject(), Discipline: e.GetDiscipline()})
	}
	return changed(ctx, s, req, req.GetReferralId(), func(ctx context.Context) (*referral.Referral, error) {
		return s.service.OpenConsultation(ctx, req.GetReferralId(), req.GetEtag(), c)
	}, func(r *referral.Referral) *referralv1.OpenConsultationResponse {
		return &referralv1.OpenConsultationResponse{Consultation: latest(r), Etag: r.Etag()}
	})
}

// RecordOpinion records the calling expert's opinion.
func (s *Server) RecordOpinion(ctx context.Context, req *referralv1.RecordOpinionRequest) (*referralv1.RecordOpinionResponse, error) {
	return changed(ctx, s, req, req.GetReferralId(), func(ctx context.Context) (*referral.Referral, error) {
		return s.service.RecordOpinion(ctx, req.GetReferralId(), req.GetEtag(), opinionIn(req.GetOpinion()), req.GetComment())
	}, func(r *referral.Referral) *referralv1.RecordOpinionResponse {
		return &referralv1.RecordOpinionResponse{Consultation: latest(r), Etag: r.Etag()}
	})
}

// ConcludeConsultation ends a consultation.
func (s *Server) ConcludeConsultation(ctx context.Context, req *referralv1.ConcludeConsultationRequest) (*referralv1.ConcludeConsultationResponse, error) {
	return changed(ctx, s, req, req.GetReferralId(), func(ctx context.Context) (*referral.Referral, error) {
		return s.service.ConcludeConsultation(ctx, req.GetReferralId(), req.GetEtag(), opinionIn(req.GetConclusion()), req.GetComment())
	}, func(r *referral.Referral) *referralv1.ConcludeConsultationResponse {
		return &referralv1.ConcludeConsultationResponse{Consultation: latest(r), Etag: r.Etag()}
	})
}

// ListConsultations returns a case's consultations.
func (s *Server) ListConsultations(ctx context.Context, req *referralv1.ListConsultationsRequest) (*referralv1.ListConsultationsResponse, error) {
	list, err := s.service.ListConsultations(ctx, req.GetReferralId())
	if err != nil {
		return nil, err
	}
	out := &referralv1.ListConsultationsResponse{}
	for _, c := range list {
		out.Consultations = append(out.Consultations, consultationOut(c))
	}
	return out, nil
}

func opinionIn(o referralv1.Opinion) referral.Opinion {
	return referral.Opinion(strings.TrimPrefix(o.String(), "OPINION_"))
}

func opinionOut(o referral.Opinion) referralv1.Opinion {
	return referralv1.Opinion(referralv1.Opinion_value["OPINION_"+string(o)])
}

func consultationOut(c referral.ConsultationRecord) *referralv1.ConsultationRecord {
	out := &referralv1.ConsultationRecord{
		Number: int32(c.Number), Kind: referralv1.ConsultationKind(referralv1.ConsultationKind_value["CONSULTATION_KIND_"+c.Kind]), Agenda: c.Agenda,
		DocumentIds: c.Documents, Conclusion: opinionOut(c.Conclusion), ConclusionComment: c.ConclusionComment,
		OpenTime: stamp(c.Opened), ConcludeTime: stamp(c.Concluded),
	}
	for _, e := range c.Panel {
		out.Panel = append(out.Panel, &referralv1.Expert{Organisation: e.Organisation, Subject: e.Subject, Discipline: e.Discipline})
	}
	for _, o := range c.Opinions {
		out.Opinions = append(out.Opinions, &referralv1.ExpertOpinion{
			Organisation: o.Organisation, Subject: o.Subject, Opinion: opinionOut(o.Opinion), Comment: o.Comment, RecordTime: stamp(o.Time),
		})
	}
	return out
}
