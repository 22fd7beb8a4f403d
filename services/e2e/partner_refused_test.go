package e2e

import (
	"context"
	"crypto/tls"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	matchingv1 "huhang.example/gen/huhang/matching/v1"
	organv1 "huhang.example/gen/huhang/organ/v1"
	patientv1 "huhang.example/gen/huhang/patient/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/mtls"
)

// told is what a partner's system must be able to read from a refusal.
type told struct {
	code   codes.Code
	reason string
	field  string
}

func (want told) check(t *testing.T, name string, err error) *status.Status {
	t.Helper()
	s := status.Convert(err)
	var info *errdetails.ErrorInfo
	var violation *errdetails.BadRequest
	languages := map[string]bool{}
	for _, d := range s.Details() {
		switch d := d.(type) {
		case *errdetails.ErrorInfo:
			info = d
		case *errdetails.BadRequest:
			violation = d
		case *errdetails.LocalizedMessage:
			languages[d.GetLocale()] = d.GetMessage() != ""
		}
	}
	if s.Code() != want.code || info.GetReason() != want.reason || info.GetDomain() != "huhang.example" || info.GetMetadata()["field"] != want.field {
		t.Errorf("%s: %s %v, want %v", name, s.Code(), info, want)
	}
	if !languages["zh-CN"] || !languages["en"] {
		t.Errorf("%s: told in %v", name, languages)
	}
	if want.code == codes.InvalidArgument && (len(violation.GetFieldViolations()) == 0 || violation.GetFieldViolations()[0].GetField() != want.field) {
		t.Errorf("%s: field violations %v", name, violation)
	}
	return s
}

// refusals tries what a partner's system must not, and finds the offer and the case as they were.
func refusals(ctx context.Context, t *testing.T, p *partner, offer *matchingv1.Offer) {
	l := p.line
	const id = "partner-refused-0001"
	absent := offer.GetOfferId()[:4] + strings.Repeat("0", 26)
	admission := timestamppb.New(clock.System().Now().Add(12 * time.Hour))
	accept := func(change func(*matchingv1.AcceptOfferRequest)) *matchingv1.AcceptOfferRequest {
		r := &matchingv1.AcceptOfferRequest{RequestId: id, OfferId: offer.GetOfferId(), Etag: offer.GetEtag(), AdmissionTime: admission}
		change(r)
		return r
	}
	decline := func(code, comment string) *matchingv1.DeclineOfferRequest {
		return &matchingv1.DeclineOfferRequest{RequestId: id, OfferId: offer.GetOfferId(), Etag: offer.GetEtag(), Code: code, Comment: comment}
	}
	forged, err := access.Encode(access.Caller{Subject: "desk-2", Organisation: "OPS", Roles: []access.Role{access.Operations, access.Center}})
	if err != nil {
		t.Error(err)
		return
	}
	foreign := l.hospital(t, "C-GZ-01")
	desk := metadata.AppendToOutgoingContext(ctx, access.MetadataKey, forged)
	before, beforeCase := l.look(t, p, offer)
	const matching, referral = "/huhang.matching.v1.MatchingService/", "/huhang.referral.v1.ReferralService/"
	for _, c := range []struct {
		name    string
		ctx     context.Context
		conn    *grpc.ClientConn
		method  string
		request proto.Message
		want    told
	}{
		{"a bad field", ctx, p.conn, matching + "AcceptOffer", accept(func(r *matchingv1.AcceptOfferRequest) { r.RequestId = "1" }), told{codes.InvalidArgument, "FIELD_INVALID", "request_id"}},
		{"no admission", ctx, p.conn, matching + "AcceptOffer", accept(func(r *matchingv1.AcceptOfferRequest) { r.AdmissionTime = nil }), told{codes.InvalidArgument, "FIELD_INVALID", "admission_time"}},
		{"an admission in the past", ctx, p.conn, matching + "AcceptOffer", accept(func(r *matchingv1.AcceptOfferRequest) { r.AdmissionTime = timestamppb.New(time.Unix(1, 0)) }), told{codes.InvalidArgument, "TIME_INVALID", "admission_time"}},
		{"a stale etag", ctx, p.conn, matching + "AcceptOffer", accept(func(r *matchingv1.AcceptOfferRequest) { r.Etag = "9999" }), told{codes.Aborted, "STALE_VERSION", "etag"}},
		{"an unknown code", ctx, p.conn, matching + "DeclineOffer", decline("BECAUSE", ""), told{codes.InvalidArgument, "CODE_UNKNOWN", "code"}},
		{"a code without its comment", ctx, p.conn, matching + "DeclineOffer", decline("OTHER", ""), told{codes.InvalidArgument, "COMMENT_REQUIRED", "comment"}},
		{"an oversized message", ctx, p.conn, matching + "DeclineOffer", decline("NO_BED", strings.Repeat("x", 1<<20)), told{codes.ResourceExhausted, "BODY_TOO_LARGE", ""}},
		{"a foreign offer accepted", ctx, foreign, matching + "AcceptOffer", accept(func(*matchingv1.AcceptOfferRequest) {}), told{codes.NotFound, "NOT_FOUND", ""}},
		{"a foreign offer under a forged caller", desk, foreign, matching + "GetOffer", &matchingv1.GetOfferRequest{OfferId: offer.GetOfferId()}, told{codes.NotFound, "NOT_FOUND", ""}},
		{"the desk's step", ctx, p.conn, referral + "ScreenReferral", &referralv1.ScreenReferralRequest{RequestId: id, ReferralId: offer.GetReferralId(), Etag: "1"}, told{codes.PermissionDenied, "RIGHT_MISSING", ""}},
		{"the desk's step under a forged caller", desk, p.conn, referral + "ScreenReferral", &referralv1.ScreenReferralRequest{RequestId: id, ReferralId: offer.GetReferralId(), Etag: "1"}, told{codes.PermissionDenied, "RIGHT_MISSING", ""}},
		{"an event of a service", ctx, p.conn, "/huhang.referral.v1.CaseEventService/RecordCaseEvent", &referralv1.RecordCaseEventRequest{
			RequestId: id, ReferralId: offer.GetReferralId(), OccurTime: admission,
			Event: &referralv1.RecordCaseEventRequest_Offer{Offer: &referralv1.OfferEvent{OfferId: offer.GetOfferId(), CenterId: p.code, Kind: "DECLINED"}},
		}, told{codes.PermissionDenied, "RIGHT_MISSING", ""}},
		{"a profile for matching", ctx, p.conn, "/huhang.patient.v1.PatientService/GetMatchingProfile", &patientv1.GetMatchingProfileRequest{PatientId: offer.GetPatientId(), Organ: organv1.Organ_ORGAN_LIVER}, told{codes.PermissionDenied, "RIGHT_MISSING", ""}},
		{"a withdrawal by another service's right", ctx, p.conn, matching + "WithdrawOffer", &matchingv1.WithdrawOfferRequest{RequestId: id, OfferId: offer.GetOfferId()}, told{codes.PermissionDenied, "RIGHT_MISSING", ""}},
	} {
		c.want.check(t, c.name, c.conn.Invoke(c.ctx, c.method, c.request, &matchingv1.AcceptOfferResponse{}))
	}
	// Of another's offer not even that it exists is told.
	var answers []string
	for _, of := range []string{offer.GetOfferId(), absent} {
		_, err := matchingv1.NewMatchingServiceClient(foreign).GetOffer(ctx, &matchingv1.GetOfferRequest{OfferId: of})
		s := told{codes.NotFound, "NOT_FOUND", ""}.check(t, "a foreign or absent offer", err)
		answers = append(answers, strings.ReplaceAll(prototext.MarshalOptions{Multiline: true}.Format(s.Proto()), of, "ID"))
	}
	if answers[0] != answers[1] {
		t.Errorf("a foreign offer is told from an absent one:\n%s\n%s", answers[0], answers[1])
	}
	strangers(ctx, t, l)
	if after, afterCase := l.look(t, p, offer); !proto.Equal(before, after) || !proto.Equal(beforeCase, afterCase) {
		t.Errorf("a refused call changed something:\n%v\n%v\n%v\n%v", before, after, beforeCase, afterCase)
	}
}

// look reads the offer and the case as the center sees them.
func (l *devLine) look(t *testing.T, p *partner, offer *matchingv1.Offer) (*matchingv1.Offer, *referralv1.Referral) {
	t.Helper()
	o, err := matchingv1.NewMatchingServiceClient(p.conn).GetOffer(t.Context(), &matchingv1.GetOfferRequest{OfferId: offer.GetOfferId()})
	if err != nil {
		t.Error(err)
	}
	r, err := referralv1.NewReferralServiceClient(p.conn).GetReferral(t.Context(), &referralv1.GetReferralRequest{ReferralId: offer.GetReferralId()})
	if err != nil {
		t.Error(err)
	}
	return o.GetOffer(), r.GetReferral()
}

// strangers have a certificate of another authority, or none, and are refused.
func strangers(ctx context.Context, t *testing.T, l *devLine) {
	own, err := l.Authority.Hospital("C-SH-01")
	if err != nil {
		t.Error(err)
		return
	}
	authority, err := mtls.DevAuthority(t.TempDir())
	if err != nil {
		t.Error(err)
		return
	}
	theirs, err := authority.Hospital("C-SH-01")
	if err != nil {
		t.Error(err)
		return
	}
	// Each trusts the line's authority, so that it is the line that refuses: it ends the connection before its first word.
	for _, c := range []struct {
		name    string
		show    func(*tls.CertificateRequestInfo) (*tls.Certificate, error)
		welcome bool
	}{
		{"its own", own.ClientConfig("gateway").GetClientCertificate, true},
		{"another authority's", theirs.ClientConfig("gateway").GetClientCertificate, false},
		{"no certificate", func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return new(tls.Certificate), nil }, false},
	} {
		config := own.ClientConfig("gateway")
		config.GetClientCertificate = c.show
		if err := greeted(ctx, l.Gateway.GRPCAddr(), config); (err == nil) != c.welcome || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("with %s: %v", c.name, err)
		}
	}
}

// greeted connects and waits for the server's first frame.
func greeted(ctx context.Context, address string, config *tls.Config) error {
	conn, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetReadDeadline(clock.System().Now().Add(10 * time.Second)); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 9))
	return err
}
