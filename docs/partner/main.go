// Command partner is an example of a partner hospital's own system: it imports the line's stubs and nothing else of it.
//
// Over one address and mutual TLS it finds the offers made to its center, accepts the first, and follows the event feed
// from a cursor it keeps, so that a restart neither loses nor repeats an event.
package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	matchingv1 "huhang.example/gen/huhang/matching/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
)

func main() {
	address := flag.String("address", "127.0.0.1:8443", "the line's gateway for partner systems")
	dir := flag.String("certs", ".state/partners", "folder with hospital-<code>.crt, .key and ca.crt")
	code := flag.String("code", "C-SH-01", "this hospital's code, as in its certificate")
	cursor := flag.String("cursor", "", "file that keeps the place on the event feed; empty: follow from the beginning, once")
	follow := flag.Bool("follow", false, "stay on the feed for new events")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, *address, *dir, *code, *cursor, *follow); err != nil {
		fmt.Fprintln(os.Stderr, "partner:", explain(err))
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, address, dir, code, cursorFile string, follow bool) error {
	credential, err := identity(dir, code)
	if err != nil {
		return err
	}
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(credential))
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := answerFirst(ctx, out, matchingv1.NewMatchingServiceClient(conn)); err != nil {
		return err
	}
	return events(ctx, out, referralv1.NewReferralServiceClient(conn), cursorFile, follow)
}

// answerFirst accepts the offer that expires first.
func answerFirst(ctx context.Context, out io.Writer, matching matchingv1.MatchingServiceClient) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	open, err := matching.ListOffers(ctx, &matchingv1.ListOffersRequest{Status: matchingv1.OfferStatus_OFFER_STATUS_OPEN})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "open offers: %d\n", len(open.GetOffers()))
	if len(open.GetOffers()) == 0 {
		return nil
	}
	offer := open.GetOffers()[0]
	fmt.Fprintf(out, "  %s for %s, %s, expires %s\n", offer.GetOfferId(), offer.GetReferralId(), offer.GetOrgan(), offer.GetExpireTime().AsTime().Format(time.RFC3339))
	// Keep the request id with the intention, and send the same one again after a lost answer: the line does it once.
	accepted, err := matching.AcceptOffer(ctx, &matchingv1.AcceptOfferRequest{
		RequestId: "partner-" + rand.Text(), OfferId: offer.GetOfferId(), Etag: offer.GetEtag(),
		AdmissionTime: timestamppb.New(time.Now().Add(24 * time.Hour)),
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "accepted: %s, held by %s\n", accepted.GetOffer().GetStatus(), accepted.GetOffer().GetHoldId())
	return nil
}

// events reads the feed from where it was left.
func events(ctx context.Context, out io.Writer, referrals referralv1.ReferralServiceClient, cursorFile string, follow bool) error {
	cursor := ""
	if cursorFile != "" {
		b, err := os.ReadFile(cursorFile)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		cursor = string(b)
	}
	stream, err := referrals.FollowEvents(ctx, &referralv1.FollowEventsRequest{Cursor: cursor, UntilNow: !follow})
	if err != nil {
		return err
	}
	for {
		next, err := stream.Recv()
		if errors.Is(err, io.EOF) || ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		e := next.GetEvent()
		fmt.Fprintf(out, "event: %s #%d %s %s\n", e.GetReferralId(), e.GetEntry().GetSequence(), e.GetEntry().GetKind(), e.GetEntry().GetTextZh())
		// Act on the event first, keep the cursor after: what was not acted on comes again.
		if cursorFile != "" {
			if err := os.WriteFile(cursorFile, []byte(e.GetCursor()), 0o600); err != nil {
				return err
			}
		}
	}
}

// identity makes the client's side of mutual TLS: our certificate, and a server that is the line's gateway.
func identity(dir, code string) (credentials.TransportCredentials, error) {
	own, err := tls.LoadX509KeyPair(filepath.Join(dir, "hospital-"+code+".crt"), filepath.Join(dir, "hospital-"+code+".key"))
	if err != nil {
		return nil, err
	}
	ca, err := os.ReadFile(filepath.Join(dir, "ca.crt"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, errors.New("ca.crt holds no certificate")
	}
	gateway := url.URL{Scheme: "spiffe", Host: "huhang.example", Path: "/service/gateway"}
	return credentials.NewTLS(&tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{own},
		// The line names its services by URI, not by host: the chain and that name are checked below.
		InsecureSkipVerify: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			options := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
			for _, c := range state.PeerCertificates[1:] {
				options.Intermediates.AddCert(c)
			}
			leaf := state.PeerCertificates[0]
			if _, err := leaf.Verify(options); err != nil {
				return err
			}
			if len(leaf.URIs) != 1 || leaf.URIs[0].String() != gateway.String() {
				return errors.New("the server is not the line's gateway")
			}
			return nil
		},
	}), nil
}

// explain shows how to read a refusal: a stable reason, the field, and what to do.
func explain(err error) string {
	s := status.Convert(err)
	text := fmt.Sprintf("%s: %s", s.Code(), s.Message())
	for _, d := range s.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			text += fmt.Sprintf(" [%s %v]", info.GetReason(), info.GetMetadata())
		}
	}
	return text
}
