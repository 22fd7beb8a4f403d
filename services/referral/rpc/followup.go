package rpc

import (
	"context"

	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/referral"
)

// ListFollowUps returns a case's schedule and prescriptions.
func (s *Server) ListFollowUps(ctx context.Context, req *referralv1.ListFollowUpsRequest) (*referralv1.ListFollowUpsResponse, error) {
	r, err := s.service.FollowUps(ctx, req.GetReferralId())
	if err != nil {
		return nil, err
	}
	out := &referralv1.ListFollowUpsResponse{ScheduleVersion: r.Schedule}
	for _, v := range r.Visits {
		out.Visits = append(out.Visits, visitOut(v))
	}
	for _, p := range r.Prescriptions {
		out.Prescriptions = append(out.Prescriptions, prescriptionOut(p))
	}
	return out, nil
}

// RecordFollowUp records a visit.
func (s *Server) RecordFollowUp(ctx context.Context, req *referralv1.RecordFollowUpRequest) (*referralv1.RecordFollowUpResponse, error) {
	return changed(ctx, s, req, req.GetReferralId(), func(ctx context.Context) (*referral.Referral, error) {
		return s.service.RecordFollowUp(ctx, req.GetReferralId(), req.GetEtag(), referral.FollowUpVisit{
			Number: int(req.GetNumber()), Time: instant(req.GetVisitTime()), Outcome: req.GetOutcome(), Results: req.GetResultIds(),
		})
	}, func(r *referral.Referral) *referralv1.RecordFollowUpResponse {
		return &referralv1.RecordFollowUpResponse{Visit: visitOut(r.Visits[req.GetNumber()-1]), Etag: r.Etag()}
	})
}

// Readmit brings the patient back to the center.
func (s *Server) Readmit(ctx context.Context, req *referralv1.ReadmitRequest) (*referralv1.ReadmitResponse, error) {
	return changed(ctx, s, req, req.GetReferralId(), func(ctx context.Context) (*referral.Referral, error) {
		return s.service.Readmit(ctx, req.GetReferralId(), req.GetEtag(), req.GetComment())
	}, func(r *referral.Referral) *referralv1.ReadmitResponse {
		return &referralv1.ReadmitResponse{Etag: r.Etag()}
	})
}

// CheckExpert records that a registration was looked up.
func (s *Server) CheckExpert(ctx context.Context, req *referralv1.CheckExpertRequest) (*referralv1.CheckExpertResponse, error) {
	return changed(ctx, s, req, req.GetReferralId(), func(ctx context.Context) (*referral.Referral, error) {
		return s.service.CheckExpert(ctx, req.GetReferralId(), req.GetEtag(), referral.Registration{
			Subject: req.GetSubject(), Site: req.GetSite(), Number: req.GetRegistrationNumber(), ValidUntil: req.GetValidUntil(),
		})
	}, func(r *referral.Referral) *referralv1.CheckExpertResponse {
		return &referralv1.CheckExpertResponse{Etag: r.Etag()}
	})
}

// RecordPrescription records the calling expert's prescription.
func (s *Server) RecordPrescription(ctx context.Context, req *referralv1.RecordPrescriptionRequest) (*referralv1.RecordPrescriptionResponse, error) {
	return changed(ctx, s, req, req.GetReferralId(), func(ctx context.Context) (*referral.Referral, error) {
		return s.service.RecordPrescription(ctx, req.GetReferralId(), req.GetEtag(), referral.Prescription{
			Site: req.GetSite(), Drugs: req.GetDrugCodes(), Days: int(req.GetDays()),
		})
	}, func(r *referral.Referral) *referralv1.RecordPrescriptionResponse {
		return &referralv1.RecordPrescriptionResponse{Prescription: prescriptionOut(r.Prescriptions[len(r.Prescriptions)-1]), Etag: r.Etag()}
	})
}

// LinkPrescription ties a prescription to its claim.
func (s *Server) LinkPrescription(ctx context.Context, req *referralv1.LinkPrescriptionRequest) (*referralv1.LinkPrescriptionResponse, error) {
	return changed(ctx, s, req, req.GetReferralId(), func(ctx context.Context) (*referral.Referral, error) {
		return s.service.LinkPrescription(ctx, req.GetReferralId(), req.GetEtag(), int(req.GetNumber()), req.GetClaimId())
	}, func(r *referral.Referral) *referralv1.LinkPrescriptionResponse {
		return &referralv1.LinkPrescriptionResponse{Prescription: prescriptionOut(r.Prescriptions[req.GetNumber()-1]), Etag: r.Etag()}
	})
}

// AddCaseNumber ties the caller's number to a case.
func (s *Server) AddCaseNumber(ctx context.Context, req *referralv1.AddCaseNumberRequest) (*referralv1.AddCaseNumberResponse, error) {
	return changed(ctx, s, req, req.GetReferralId(), func(ctx context.Context) (*referral.Referral, error) {
		return s.service.AddCaseNumber(ctx, req.GetReferralId(), req.GetEtag(), req.GetNumber())
	}, func(r *referral.Referral) *referralv1.AddCaseNumberResponse {
		return &referralv1.AddCaseNumberResponse{Etag: r.Etag()}
	})
}

var courseSteps = map[referralv1.CourseStep]referral.Move{
	referralv1.CourseStep_COURSE_STEP_NO_SHOW: referral.NoShow, referralv1.CourseStep_COURSE_STEP_SUSPEND_LISTING: referral.SuspendListing,
	referralv1.CourseStep_COURSE_STEP_DELIST: referral.Delist, referralv1.CourseStep_COURSE_STEP_SURGERY_ABORTED: referral.AbortSurgery,
	referralv1.CourseStep_COURSE_STEP_COMPLICATION: referral.Complicate, referralv1.CourseStep_COURSE_STEP_LOCAL_DECLINED: referral.DeclineBack,
	referralv1.CourseStep_COURSE_STEP_PATIENT_DECLINED: referral.PatientDecline,
}

// RecordCourse records a turn of the course.
func (s *Server) RecordCourse(ctx context.Context, req *referralv1.RecordCourseRequest) (*referralv1.RecordCourseResponse, error) {
	return once(ctx, s, req, func(ctx context.Context) (*referral.Referral, error) {
		return s.service.RecordCourse(ctx, req.GetReferralId(), req.GetEtag(), courseSteps[req.GetStep()], req.GetComment())
	}, func(r *referralv1.Referral) *referralv1.RecordCourseResponse {
		return &referralv1.RecordCourseResponse{Referral: r}
	})
}

// SearchReferrals finds cases.
func (s *Server) SearchReferrals(ctx context.Context, req *referralv1.SearchReferralsRequest) (*referralv1.SearchReferralsResponse, error) {
	found, err := s.service.SearchReferrals(ctx, req.GetQuery())
	if err != nil {
		return nil, err
	}
	out := &referralv1.SearchReferralsResponse{}
	for _, m := range found {
		by := "NUMBER"
		if m.ByPerson {
			by = "PERSON"
		}
		out.Referrals = append(out.Referrals, caseOut(m.Referral, access.From(ctx)))
		out.Matches = append(out.Matches, &referralv1.SearchMatch{ReferralId: m.ID, MatchedBy: by, PatientNameMasked: m.NameMasked})
	}
	return out, nil
}

// CountWorklists counts every list of the caller.
func (s *Server) CountWorklists(ctx context.Context, _ *referralv1.CountWorklistsRequest) (*referralv1.CountWorklistsResponse, error) {
	counted, err := s.service.CountWorklists(ctx)
	if err != nil {
		return nil, err
	}
	out := &referralv1.CountWorklistsResponse{}
	for _, c := range counted {
		out.Counts = append(out.Counts, &referralv1.WorklistCount{
			Kind: referralv1.WorklistKind(referralv1.WorklistKind_value["WORKLIST_KIND_"+c.Kind]), Count: int32(c.Count), More: c.More, Overdue: int32(c.Overdue),
		})
	}
	return out, nil
}

func visitOut(v referral.FollowUpVisit) *referralv1.FollowUpVisit {
	return &referralv1.FollowUpVisit{
		Number: int32(v.Number), DueDate: v.Due, OverdueTime: stamp(v.Overdue), Items: v.Items, VisitTime: stamp(v.Time),
		Organisation: v.Organisation, ResultIds: v.Results, Outcome: v.Outcome,
	}
}

func prescriptionOut(p referral.Prescription) *referralv1.Prescription {
	return &referralv1.Prescription{
		Number: int32(p.Number), DrugCodes: p.Drugs, Days: int32(p.Days), Prescriber: p.Prescriber, Site: p.Site,
		RegistrationNumber: p.RegistrationNumber, RecordTime: stamp(p.Time), ClaimId: p.ClaimID,
	}
}
