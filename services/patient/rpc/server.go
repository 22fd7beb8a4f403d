// Package rpc serves patient.Service over gRPC: proto to domain and back, each mutation once.
package rpc

import (
	"context"
	"strconv"

	patientv1 "huhang.example/gen/huhang/patient/v1"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/idempotency"
	"huhang.example/services/internal/page"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/patient"
)

// Server implements patientv1.PatientServiceServer.
type Server struct {
	patientv1.UnimplementedPatientServiceServer
	use    *patient.Service
	db     *sqldb.DB
	cipher idempotency.Cipher
}

// New returns the server; cipher seals the answers kept for retries.
func New(use *patient.Service, db *sqldb.DB, cipher idempotency.Cipher) *Server {
	return &Server{use: use, db: db, cipher: cipher}
}

// CheckRegistration tells whether a person is registered.
func (s *Server) CheckRegistration(ctx context.Context, req *patientv1.CheckRegistrationRequest) (*patientv1.CheckRegistrationResponse, error) {
	found, err := s.use.Check(ctx, req.GetIdentityNumber(), req.GetName(), req.GetBirthDate(), req.GetPhone())
	if err != nil {
		return nil, err
	}
	res := &patientv1.CheckRegistrationResponse{Registered: found.Registered}
	switch {
	case found.View != nil:
		res.PatientId, res.Patient = found.View.ID, patientTo(*found.View)
		res.NoticeZh, res.NoticeEn = "该患者已登记，请使用现有档案。", "This person is registered: use the live record."
	case found.Registered:
		res.NoticeZh, res.NoticeEn = "该患者已登记，请联系运营人员。", "This person is registered: ask operations."
	}
	return res, nil
}

// RegisterPatient registers a person.
func (s *Server) RegisterPatient(ctx context.Context, req *patientv1.RegisterPatientRequest) (*patientv1.RegisterPatientResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*patientv1.RegisterPatientResponse, error) {
		v, err := s.use.Register(ctx, patient.Registration{
			Name: req.GetName(), Number: req.GetIdentityNumber(), Phone: req.GetPhone(), ResidenceCity: req.GetResidenceCity(),
			Coverage: coverageFrom(req.GetCoverage()), Guardian: guardianFrom(req.GetGuardian()), Consents: purposesFrom(req.GetConsents()),
		})
		if err != nil {
			return nil, err
		}
		return &patientv1.RegisterPatientResponse{Patient: patientTo(v)}, nil
	}, idempotency.Sealed(s.cipher))
}

// GetPatient returns one patient.
func (s *Server) GetPatient(ctx context.Context, req *patientv1.GetPatientRequest) (*patientv1.GetPatientResponse, error) {
	v, err := s.use.Get(ctx, req.GetPatientId())
	if err != nil {
		return nil, err
	}
	return &patientv1.GetPatientResponse{Patient: patientTo(v)}, nil
}

const (
	pageDefault = 50
	pageMax     = 200
)

// ListPatients returns a page of patients.
func (s *Server) ListPatients(ctx context.Context, req *patientv1.ListPatientsRequest) (*patientv1.ListPatientsResponse, error) {
	filter := page.Filter("patients")
	before, err := page.Parse(filter, req.GetPageToken())
	if err != nil {
		return nil, err
	}
	size := page.Size(req.GetPageSize(), pageDefault, pageMax)
	views, err := s.use.List(ctx, before, size+1)
	if err != nil {
		return nil, err
	}
	res := &patientv1.ListPatientsResponse{}
	if len(views) > size {
		views = views[:size]
		res.NextPageToken = page.Token(filter, views[size-1].ID)
	}
	for _, v := range views {
		res.Patients = append(res.Patients, patientTo(v))
	}
	return res, nil
}

// UpdatePatient changes the paths named.
func (s *Server) UpdatePatient(ctx context.Context, req *patientv1.UpdatePatientRequest) (*patientv1.UpdatePatientResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*patientv1.UpdatePatientResponse, error) {
		change := patient.Change{
			Paths: req.GetUpdateMask().GetPaths(), Phone: req.GetPhone(), ResidenceCity: req.GetResidenceCity(), Guardian: guardianFrom(req.GetGuardian()),
		}
		if req.GetCoverage() != nil {
			c := coverageFrom(req.GetCoverage())
			change.Coverage = &c
		}
		v, err := s.use.Update(ctx, req.GetPatientId(), req.GetEtag(), change)
		if err != nil {
			return nil, err
		}
		return &patientv1.UpdatePatientResponse{Patient: patientTo(v)}, nil
	}, idempotency.Sealed(s.cipher))
}

// GiveConsent records a consent.
func (s *Server) GiveConsent(ctx context.Context, req *patientv1.GiveConsentRequest) (*patientv1.GiveConsentResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*patientv1.GiveConsentResponse, error) {
		v, err := s.use.Give(ctx, req.GetPatientId(), req.GetEtag(), purposeFrom(req.GetPurpose()), req.GetDocumentId())
		if err != nil {
			return nil, err
		}
		return &patientv1.GiveConsentResponse{Patient: patientTo(v)}, nil
	}, idempotency.Sealed(s.cipher))
}

// WithdrawConsent ends a consent.
func (s *Server) WithdrawConsent(ctx context.Context, req *patientv1.WithdrawConsentRequest) (*patientv1.WithdrawConsentResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*patientv1.WithdrawConsentResponse, error) {
		v, err := s.use.Withdraw(ctx, req.GetPatientId(), req.GetEtag(), purposeFrom(req.GetPurpose()))
		if err != nil {
			return nil, err
		}
		res := &patientv1.WithdrawConsentResponse{Patient: patientTo(v)}
		for _, e := range purposeFrom(req.GetPurpose()).Effects() {
			res.Effects = append(res.Effects, &patientv1.ConsentEffect{Zh: e.Zh, En: e.En})
		}
		return res, nil
	}, idempotency.Sealed(s.cipher))
}

// RecordClinical stores the next version of clinical data.
func (s *Server) RecordClinical(ctx context.Context, req *patientv1.RecordClinicalRequest) (*patientv1.RecordClinicalResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*patientv1.RecordClinicalResponse, error) {
		j, err := s.use.RecordClinical(ctx, req.GetPatientId(), req.GetEtag(), clinicalFrom(req.GetClinical()))
		if err != nil {
			return nil, err
		}
		return &patientv1.RecordClinicalResponse{Record: recordTo(j)}, nil
	}, idempotency.Sealed(s.cipher), idempotency.Resource(req.GetPatientId()))
}

// CheckClinical judges clinical data and stores nothing.
func (s *Server) CheckClinical(_ context.Context, req *patientv1.CheckClinicalRequest) (*patientv1.CheckClinicalResponse, error) {
	if err := s.use.CheckClinical(req.GetBirthDate(), clinicalFrom(req.GetClinical())); err != nil {
		return nil, err
	}
	return &patientv1.CheckClinicalResponse{}, nil
}

// GetClinical returns the latest clinical data.
func (s *Server) GetClinical(ctx context.Context, req *patientv1.GetClinicalRequest) (*patientv1.GetClinicalResponse, error) {
	j, err := s.use.Clinical(ctx, req.GetPatientId(), organFrom(req.GetOrgan()))
	if err != nil {
		return nil, err
	}
	return &patientv1.GetClinicalResponse{Record: recordTo(j)}, nil
}

const (
	versionsDefault = 20
	versionsMax     = 50
)

// ListClinicalVersions returns a page of versions with what each changed.
func (s *Server) ListClinicalVersions(ctx context.Context, req *patientv1.ListClinicalVersionsRequest) (*patientv1.ListClinicalVersionsResponse, error) {
	filter := page.Filter("clinical", req.GetPatientId(), req.GetOrgan().String())
	cursor, err := page.Parse(filter, req.GetPageToken())
	if err != nil {
		return nil, err
	}
	before, err := strconv.ParseInt("0"+cursor, 10, 32)
	if err != nil {
		return nil, err
	}
	size := page.Size(req.GetPageSize(), versionsDefault, versionsMax)
	versions, err := s.use.Versions(ctx, req.GetPatientId(), organFrom(req.GetOrgan()), int32(before), size)
	if err != nil {
		return nil, err
	}
	res := &patientv1.ListClinicalVersionsResponse{}
	for _, v := range versions {
		res.Versions = append(res.Versions, versionTo(v))
	}
	if n := len(versions); n == size && versions[n-1].Version > 1 {
		res.NextPageToken = page.Token(filter, versions[n-1].Etag())
	}
	return res, nil
}

// GetMatchingProfile returns a patient without identity.
func (s *Server) GetMatchingProfile(ctx context.Context, req *patientv1.GetMatchingProfileRequest) (*patientv1.GetMatchingProfileResponse, error) {
	p, err := s.use.Profile(ctx, req.GetPatientId(), organFrom(req.GetOrgan()))
	if err != nil {
		return nil, err
	}
	res := &patientv1.GetMatchingProfileResponse{
		PatientId: p.ID, RegisteredOn: clock.Day(p.CreatedAt), AgeYears: int32(p.Age), Sex: sexTo(p.Sex), ResidenceCity: p.ResidenceCity, Coverage: coverageTo(p.Coverage), RegisteredBy: p.RegisteredBy,
	}
	if p.Judged != nil {
		res.Record = recordTo(p.Judged)
	}
	for _, purpose := range []patient.Purpose{patient.ForReferral, patient.ForTransfer, patient.ForSettlement, patient.ForFollowUp} {
		if p.Consented(purpose) {
			res.Consents = append(res.Consents, purposeTo(purpose))
		}
	}
	return res, nil
}
