package cli_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	matchingv1 "huhang.example/gen/huhang/matching/v1"
	moneyv1 "huhang.example/gen/huhang/money/v1"
	organv1 "huhang.example/gen/huhang/organ/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/cli"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/id"
)

// noon is now, in these tests.
var noon = time.Date(2026, 11, 29, 4, 0, 0, 0, time.UTC)

// answers is a line that says the same to everybody, by method and path.
type answers struct {
	mu      sync.Mutex
	say     map[string]proto.Message
	handle  map[string]http.HandlerFunc
	bearers []string
}

func (l *answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	l.bearers = append(l.bearers, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	key := r.Method + " " + r.URL.Path
	handle, m := l.handle[key], l.say[key]
	l.mu.Unlock()
	switch {
	case handle != nil:
		handle(w, r)
	case m == nil:
		http.Error(w, `{"code": 5, "message": "no such thing"}`, http.StatusNotFound)
	default:
		text, err := protojson.MarshalOptions{EmitDefaultValues: true}.Marshal(m)
		if err != nil {
			panic(err)
		}
		_, _ = w.Write(text)
	}
}

func (l *answers) on(key string, handle http.HandlerFunc) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.handle[key] = handle
}

// person sits before a screen of their own.
type person struct {
	cli.Env
	t        *testing.T
	env      map[string]string
	out, err *screen
}

// screen can be read while it is written.
type screen struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func (l *answers) serve(t *testing.T) *person {
	t.Helper()
	if l.handle == nil {
		l.handle = map[string]http.HandlerFunc{}
	}
	server := httptest.NewServer(l)
	t.Cleanup(server.Close)
	p := &person{t: t, env: map[string]string{"HUHANG_SERVER": server.URL, "HUHANG_TOKEN": "a.b.c", "LANG": "en_US.UTF-8"}, out: &screen{}, err: &screen{}}
	p.Env = cli.Env{
		In: strings.NewReader(""), Getenv: func(name string) string { return p.env[name] }, Clock: clock.NewFake(noon), IDs: id.Random(),
		HTTP: server.Client(), Home: t.TempDir(),
	}
	return p
}

// run runs one command as the binary does.
func (p *person) run(ctx context.Context, args ...string) int {
	p.t.Helper()
	p.out, p.err = &screen{}, &screen{}
	return p.start(ctx, args...)
}

// start is run on the screens there are.
func (p *person) start(ctx context.Context, args ...string) int {
	env := p.Env
	env.Out, env.Err = p.out, p.err
	root := &cobra.Command{Use: "huhang", SilenceUsage: true, SilenceErrors: true}
	failures := cli.Add(root, env, args)
	root.SetArgs(args)
	root.SetOut(p.out)
	root.SetErr(p.err)
	return failures.Tell(root.ExecuteContext(ctx))
}

const (
	firstCase  = "ref_01kb0000000000000000000001"
	secondCase = "ref_01kb0000000000000000000002"
	billedCase = "ref_01kb0000000000000000000003"
	firstMove  = "trf_01kb0000000000000000000001"
)

// sampleLine has two cases, one of them late, an offer and a move; every institution in it is invented.
func sampleLine() *answers {
	in := func(d time.Duration) *timestamppb.Timestamp { return timestamppb.New(noon.Add(d)) }
	late := &referralv1.Referral{
		ReferralId: firstCase, PatientId: "pat_01kb0000000000000000000001", State: referralv1.State_STATE_SCREENING, Organ: organv1.Organ_ORGAN_LIVER,
		Urgency: organv1.Urgency_URGENCY_URGENT, ReferringOrganisation: "H-HF-01", Deadline: in(-90 * time.Minute), CreateTime: in(-4 * time.Hour),
		UpdateTime: in(-3 * time.Hour), Etag: "7",
		AvailableActions: []*referralv1.AvailableAction{{Action: "ScreenReferral", LabelZh: "审核并作出决定", LabelEn: "Screen and decide", Deadline: in(-90 * time.Minute)}},
	}
	calm := &referralv1.Referral{
		ReferralId: secondCase, PatientId: "pat_01kb0000000000000000000002", State: referralv1.State_STATE_TRANSFER_PLANNED, Organ: organv1.Organ_ORGAN_SMALL_BOWEL,
		Urgency: organv1.Urgency_URGENCY_ROUTINE, ReferringOrganisation: "H-NC-01", CenterId: "C-SH-01", CenterCity: "310100", Deadline: in(75 * time.Hour),
		CreateTime: in(-200 * time.Hour), UpdateTime: in(-time.Hour), Etag: "31",
		AvailableActions: []*referralv1.AvailableAction{{Action: "Depart", LabelZh: "登记出发", LabelEn: "Record the departure"}},
	}
	// One stay was evaluated and paid for, of the next the insured province's agency took the bill, the third lasts.
	billed := &referralv1.Referral{
		ReferralId: billedCase, PatientId: "pat_01kb0000000000000000000003", State: referralv1.State_STATE_SURGERY, Organ: organv1.Organ_ORGAN_LIVER,
		Urgency: organv1.Urgency_URGENCY_ROUTINE, ReferringOrganisation: "H-HF-01", CenterId: "C-SH-01", CenterCity: "310100", ClaimId: "clm_310000_01kb0000000000000000000003",
		SelfPay: &moneyv1.Money{Fen: 1234567}, CreateTime: in(-3000 * time.Hour), UpdateTime: in(-time.Hour), Etag: "77",
		Bills: []*referralv1.CaseBill{
			{ClaimId: "clm_310000_01kb0000000000000000000001", Stage: "SETTLED", StageTime: in(-2000 * time.Hour), AdmissionDate: "2026-08-20", DischargeDate: "2026-09-06", CenterId: "C-SH-01", Total: &moneyv1.Money{Fen: 8000005}, SelfPay: &moneyv1.Money{Fen: 1234567}},
			{ClaimId: "clm_320000_01kb0000000000000000000002", Stage: "MANUAL_ACCEPTED", StageTime: in(-500 * time.Hour), AdmissionDate: "2026-10-01", DischargeDate: "2026-10-20", CenterId: "C-NJ-01", Total: &moneyv1.Money{Fen: 32000000}},
			{ClaimId: "clm_310000_01kb0000000000000000000003", Stage: "REOPENED", StageTime: in(-time.Hour), AdmissionDate: "2026-11-10", CenterId: "C-SH-01", Undone: true},
		},
	}
	entry := func(n int64, kind string, state referralv1.State, by, reason, zh, en string) *referralv1.TimelineEntry {
		return &referralv1.TimelineEntry{
			Sequence: n, OccurTime: in(time.Duration(n-9) * time.Hour), Kind: kind, State: state, ActorOrganisation: by, ReasonCode: reason, TextZh: zh, TextEn: en,
		}
	}
	move := &transferv1.Transfer{
		TransferId: firstMove, ReferralId: secondCase, FromOrganisation: "H-NC-01", ToOrganisation: "C-SH-01", Status: transferv1.TransferStatus_TRANSFER_STATUS_IN_TRANSIT,
		Itinerary:    &transferv1.Itinerary{DepartTime: in(-5 * time.Hour), ArriveTime: in(-10 * time.Minute)},
		DepartedTime: in(-5 * time.Hour), HandOverWaiting: &transferv1.HandOverRecord{SignedBySender: "hf-7", SenderSignTime: in(-5 * time.Minute)}, Etag: "9",
	}
	list := &referralv1.ListWorklistResponse{Referrals: []*referralv1.Referral{late, calm}}
	return &answers{say: map[string]proto.Message{
		"GET /v1/worklists": &referralv1.CountWorklistsResponse{Counts: []*referralv1.WorklistCount{
			{Kind: referralv1.WorklistKind_WORKLIST_KIND_FOR_REVIEW, Count: 2, Overdue: 1},
			{Kind: referralv1.WorklistKind_WORKLIST_KIND_ARRIVALS_NOT_CONFIRMED},
			{Kind: referralv1.WorklistKind_WORKLIST_KIND_SETTLEMENTS_FAILING, Count: 1000, More: true},
		}},
		"GET /v1/worklists/WORKLIST_KIND_FOR_REVIEW": list,
		"GET /v1/referrals":                          &referralv1.ListReferralsResponse{Referrals: list.GetReferrals(), NextPageToken: "next"},
		"GET /v1/referrals/" + firstCase:             &referralv1.GetReferralResponse{Referral: late},
		"GET /v1/referrals/" + billedCase:            &referralv1.GetReferralResponse{Referral: billed},
		"GET /v1/referrals/" + firstCase + "/timeline": &referralv1.ListTimelineResponse{Entries: []*referralv1.TimelineEntry{
			entry(1, "CREATED", referralv1.State_STATE_DRAFT, "H-HF-01", "", "病例已建立", "Case opened"),
			// What somebody else wrote moves no cursor.
			entry(2, "RETURNED", referralv1.State_STATE_RETURNED_FOR_INFORMATION, "OPS", "INFORMATION_MISSING", "退回补充资料\x1b[2J", "Returned for information\x1b[2J"),
		}},
		"GET /v1/transfers":              &transferv1.ListTransfersResponse{Transfers: []*transferv1.Transfer{move}},
		"GET /v1/transfers/" + firstMove: &transferv1.GetTransferResponse{Transfer: move},
		"GET /v1/offers": &matchingv1.ListOffersResponse{Offers: []*matchingv1.Offer{{
			OfferId: "off_01kb0000000000000000000001", ReferralId: firstCase, CenterId: "C-SH-01", Status: matchingv1.OfferStatus_OFFER_STATUS_OPEN,
			Organ: organv1.Organ_ORGAN_LIVER, Urgency: organv1.Urgency_URGENCY_EMERGENCY, ReferringOrganisation: "H-HF-01", ExpireTime: in(110 * time.Minute),
		}}},
	}}
}
