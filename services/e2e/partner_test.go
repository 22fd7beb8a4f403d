package e2e

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
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
	"huhang.example/services/sampleline"
)

// A partner's own system answers its offer over mutual TLS, is refused precisely in all else, and follows the feed of its
// cases through cuts while they go on.
func TestPartner(t *testing.T) {
	l := start(t, &devLine{state: t.TempDir()})
	center := &partner{line: l, code: "C-SH-01", conn: l.hospital(t, "C-SH-01")}
	referrer := &partner{line: l, code: "H-HF-01", conn: l.hospital(t, "H-HF-01")}
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	// The feeds are open before the first case is, and are cut all along.
	feeds := make(chan error, 2)
	for _, p := range []*partner{center, referrer} {
		go func() { feeds <- p.follow(ctx, 2, 4) }()
	}
	var results [2]*sampleline.Result
	cases := make(chan error, len(results))
	offers, answered := make(chan *matchingv1.Offer), make(chan error)
	for i := range results {
		go func() {
			d := l.driver(t, fmt.Sprintf("partner-0000000%d", i), 30+i)
			if i == 0 {
				d.Answer = func(_ context.Context, offer *matchingv1.Offer) error {
					offers <- offer
					return <-answered
				}
			}
			var err error
			results[i], err = d.Run(ctx)
			cases <- err
		}()
	}
	for ended := 0; ended < len(results); {
		select {
		case offer := <-offers:
			answered <- answer(ctx, t, center, offer)
		case err := <-cases:
			if err != nil {
				t.Fatal(err)
			}
			ended++
		}
	}
	for range 2 {
		if err := <-feeds; err != nil {
			t.Fatalf("the feed: %v\n%s", err, center.got)
		}
	}
	for _, r := range results {
		whole := timeline(t, l, r.ReferralID)
		seen := referrer.of(r.ReferralID)
		if len(seen) > len(whole) || len(seen) < 15 {
			t.Fatalf("the referrer saw %d entries of %d", len(seen), len(whole))
		}
		for i, e := range seen {
			if !proto.Equal(e, whole[i]) {
				t.Errorf("entry %d on the feed: %v\non the timeline: %v", i+1, e, whole[i])
			}
		}
	}
	// What the cut feeds brought is what one that was never cut brings; another center is told nothing.
	for _, p := range []*partner{center, referrer} {
		again := &partner{line: l, code: p.code, conn: p.conn}
		if err := again.read(ctx, &referralv1.FollowEventsRequest{UntilNow: true}, 0); err != nil {
			t.Fatal(err)
		}
		if len(p.got) < 20 || !slices.Equal(p.got, again.got[:min(len(p.got), len(again.got))]) {
			t.Errorf("%s got %d events over %d streams:\n%s\nin one stream:\n%s", p.code, len(p.got), p.streams, strings.Join(p.got, "\n"), strings.Join(again.got, "\n"))
		}
		if p.streams < 5 {
			t.Errorf("%s: the feed was cut into %d streams only", p.code, p.streams)
		}
	}
	other := &partner{line: l, code: "C-GZ-01", conn: l.hospital(t, "C-GZ-01")}
	if err := other.read(ctx, &referralv1.FollowEventsRequest{UntilNow: true}, 0); err != nil || len(other.got) != 0 {
		t.Errorf("another center's feed: %v, %v", other.got, err)
	}
}

// hospital connects as a partner's system does.
func (l *devLine) hospital(t *testing.T, code string) *grpc.ClientConn {
	t.Helper()
	own, err := l.Authority.Hospital(code)
	if err != nil {
		t.Fatal(err)
	}
	return l.dial(t, own.ClientConfig("gateway"))
}

func (l *devLine) dial(t *testing.T, config *tls.Config) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(l.Gateway.GRPCAddr(), grpc.WithTransportCredentials(credentials.NewTLS(config)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// partner is a hospital's own system and what its feed brought.
type partner struct {
	line    *devLine
	code    string
	conn    *grpc.ClientConn
	cursor  string
	streams int
	got     []string // cursor, case, sequence and kind, as they came
	entries []*referralv1.Event
	settled map[string]bool
}

// follow keeps to the feed until so many cases are settled, and is cut after every few events.
func (p *partner) follow(ctx context.Context, cases, cut int) error {
	for len(p.settled) < cases {
		if err := p.read(ctx, &referralv1.FollowEventsRequest{Cursor: p.cursor}, cut); err != nil {
			return err
		}
	}
	return nil
}

// read opens the feed once and takes at most so many events of it; 0: all.
func (p *partner) read(ctx context.Context, request *referralv1.FollowEventsRequest, most int) error {
	ctx, cut := context.WithCancel(ctx)
	defer cut()
	p.streams++
	stream, err := referralv1.NewReferralServiceClient(p.conn).FollowEvents(ctx, request)
	if err != nil {
		return err
	}
	for n := 0; most == 0 || n < most; n++ {
		next, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		e := next.GetEvent()
		p.cursor = e.GetCursor()
		p.entries = append(p.entries, e)
		p.got = append(p.got, fmt.Sprintf("%s %s %d %s", e.GetCursor(), e.GetReferralId(), e.GetEntry().GetSequence(), e.GetEntry().GetKind()))
		if strings.Contains(e.GetEntry().GetKind(), "SETTLED") {
			if p.settled == nil {
				p.settled = map[string]bool{}
			}
			if p.settled[e.GetReferralId()] = true; len(p.settled) == 2 && most > 0 {
				return nil
			}
		}
	}
	return nil
}

func (p *partner) of(referralID string) []*referralv1.TimelineEntry {
	var of []*referralv1.TimelineEntry
	for _, e := range p.entries {
		if e.GetReferralId() == referralID {
			of = append(of, e.GetEntry())
		}
	}
	return of
}

func timeline(t *testing.T, l *devLine, referralID string) []*referralv1.TimelineEntry {
	t.Helper()
	var got referralv1.ListTimelineResponse
	if err := l.as(t, "H-HF-01", "coordinator", "").Do(t.Context(), http.MethodGet, "/v1/referrals/"+referralID+"/timeline?pageSize=200", nil, &got); err != nil {
		t.Fatal(err)
	}
	return got.GetEntries()
}

// answer finds the offer, is refused in every way there is, accepts it, and says so twice.
func answer(ctx context.Context, t *testing.T, p *partner, made *matchingv1.Offer) error {
	client := matchingv1.NewMatchingServiceClient(p.conn)
	open, err := client.ListOffers(ctx, &matchingv1.ListOffersRequest{Status: matchingv1.OfferStatus_OFFER_STATUS_OPEN, ReferralId: made.GetReferralId()})
	if err != nil {
		return err
	}
	if len(open.GetOffers()) != 1 || open.GetOffers()[0].GetOfferId() != made.GetOfferId() {
		return fmt.Errorf("the partner finds %v", open.GetOffers())
	}
	offer := open.GetOffers()[0]
	refusals(ctx, t, p, offer)
	accept := &matchingv1.AcceptOfferRequest{
		RequestId: "partner-accepts-0001", OfferId: offer.GetOfferId(), Etag: offer.GetEtag(),
		AdmissionTime: timestamppb.New(clock.System().Now().Add(12 * time.Hour)), Conditions: []string{"影像资料"},
	}
	first, err := client.AcceptOffer(ctx, accept)
	if err != nil {
		return err
	}
	if o := first.GetOffer(); o.GetStatus() != matchingv1.OfferStatus_OFFER_STATUS_ACCEPTED || o.GetHoldId() == "" {
		return fmt.Errorf("accepted: %v", o)
	}
	second, err := client.AcceptOffer(ctx, accept)
	if err != nil {
		return fmt.Errorf("accepted again: %w", err)
	}
	if !proto.Equal(first, second) {
		t.Errorf("the answers differ:\n%v\n%v", first, second)
	}
	accept.Conditions = nil
	_, err = client.AcceptOffer(ctx, accept)
	told{codes.InvalidArgument, "REQUEST_ID_REUSED", "request_id"}.check(t, "the same request id with another payload", err)
	return nil
}

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
	strangers(ctx, t, l, offer.GetOfferId())
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

// strangers have a certificate of another authority, or none, and are refused in the handshake.
func strangers(ctx context.Context, t *testing.T, l *devLine, offerID string) {
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
	// Each trusts the line's authority, so that it is the line that refuses.
	for name, show := range map[string]func(*tls.CertificateRequestInfo) (*tls.Certificate, error){
		"another authority": theirs.ClientConfig("gateway").GetClientCertificate,
		"no certificate":    func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return new(tls.Certificate), nil },
	} {
		config := own.ClientConfig("gateway")
		config.GetClientCertificate = show
		limited, cancel := context.WithTimeout(ctx, 10*time.Second)
		_, err := matchingv1.NewMatchingServiceClient(l.dial(t, config)).GetOffer(limited, &matchingv1.GetOfferRequest{OfferId: offerID})
		cancel()
		if status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "tls: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
