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

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	matchingv1 "huhang.example/gen/huhang/matching/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/internal/clock"
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
