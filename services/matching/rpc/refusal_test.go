package rpc_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	matchingv1 "huhang.example/gen/huhang/matching/v1"
	organv1 "huhang.example/gen/huhang/organ/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
)

const liver = organv1.Organ_ORGAN_LIVER

// everything is what the service has stored, so that a refusal can be shown to have changed nothing.
func (r *rig) everything(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	err := r.db.Read(t.Context(), func(ctx context.Context, q sqldb.Querier) error {
		for _, sql := range []string{
			"SELECT doc FROM center ORDER BY center_id", "SELECT doc FROM center_change ORDER BY center_id, version", "SELECT doc FROM weights ORDER BY version",
			"SELECT match_run_id FROM match_run ORDER BY match_run_id", "SELECT doc FROM offer ORDER BY offer_id",
			"SELECT doc FROM offer_event ORDER BY offer_id, number", "SELECT request_id FROM idempotency ORDER BY request_id",
		} {
			rows, err := q.Query(ctx, sql)
			if err != nil {
				return err
			}
			for rows.Next() {
				var doc string
				if err := rows.Scan(&doc); err != nil {
					return err
				}
				all.WriteString(doc + "\n")
			}
			rows.Close()
			if err := rows.Err(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

func TestRefusalsChangeNothing(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		run := r.match(t)
		o := must[*matchingv1.CreateOfferResponse](t)(r.CreateOffer(service(t.Context()), r.proposal(t, run, "C-SH-01", urgent))).GetOffer()
		r.learned(t, o.GetOfferId(), "CREATED")
		ctx := t.Context()
		mine, other, desk := center(ctx, "C-SH-01"), center(ctx, "C-SH-02"), as(ctx, "OPS", access.Operations)

		propose := func(change func(*matchingv1.CreateOfferRequest)) func() error {
			return func() error {
				p := r.proposal(t, run, "C-SH-02", urgent)
				change(p)
				_, err := r.CreateOffer(service(ctx), p)
				return err
			}
		}
		accept := func(as context.Context, change func(*matchingv1.AcceptOfferRequest)) func() error {
			return func() error {
				w := r.wish(o)
				change(w)
				_, err := r.AcceptOffer(as, w)
				return err
			}
		}
		decline := func(as context.Context, etag, code, comment string) func() error {
			return func() error {
				_, err := r.DeclineOffer(as, &matchingv1.DeclineOfferRequest{RequestId: r.rid(), OfferId: o.GetOfferId(), Etag: etag, Code: code, Comment: comment})
				return err
			}
		}
		declare := func(as context.Context, center, etag string, organ organv1.Organ) func() error {
			return func() error {
				_, err := r.DeclareCapacity(as, &matchingv1.DeclareCapacityRequest{RequestId: r.rid(), CenterId: center, Etag: etag, Organ: organ, FreePlaces: 7})
				return err
			}
		}
		licence := func(center, etag string, organ organv1.Organ, from, to string) func() error {
			return func() error {
				_, err := r.SetLicence(desk, &matchingv1.SetLicenceRequest{
					RequestId: r.rid(), CenterId: center, Etag: etag, Organ: organ, Licence: &matchingv1.Licence{ValidFrom: from, ValidTo: to},
				})
				return err
			}
		}
		absent := r.ids.New("off")
		for _, test := range []struct {
			name   string
			call   func() error
			code   fault.Code
			reason fault.Reason
			field  string
		}{
			{"offer: absent run", propose(func(p *matchingv1.CreateOfferRequest) { p.MatchRunId = r.ids.New("mat") }), fault.NotFound, fault.ReasonNotFound, ""},
			{"offer: another case", propose(func(p *matchingv1.CreateOfferRequest) { p.ReferralId = r.ids.New("ref") }), fault.InvalidArgument, fault.FieldInvalid, "referral_id"},
			{"offer: another patient", propose(func(p *matchingv1.CreateOfferRequest) { p.PatientId = r.ids.New("pat") }), fault.InvalidArgument, fault.FieldInvalid, "patient_id"},
			{"offer: another referrer", propose(func(p *matchingv1.CreateOfferRequest) { p.ReferringOrganisation = "H-NC-01" }), fault.InvalidArgument, fault.FieldInvalid, "referring_organisation"},
			{"offer: another organ", propose(func(p *matchingv1.CreateOfferRequest) { p.Organ = organv1.Organ_ORGAN_HEART }), fault.InvalidArgument, fault.FieldInvalid, "organ"},
			{"offer: excluded center", propose(func(p *matchingv1.CreateOfferRequest) { p.CenterId = "C-BJ-02" }), fault.FailedPrecondition, fault.NotRanked, "center_id"},
			{"offer: no center", propose(func(p *matchingv1.CreateOfferRequest) { p.CenterId = "C-XX-01" }), fault.FailedPrecondition, fault.NotRanked, "center_id"},
			{"offer: no urgency", propose(func(p *matchingv1.CreateOfferRequest) { p.Urgency = 0 }), fault.InvalidArgument, fault.CodeUnknown, "urgency"},
			{"offer: the center is asked already", propose(func(p *matchingv1.CreateOfferRequest) { p.CenterId = "C-SH-01" }), fault.FailedPrecondition, fault.WrongState, ""},
			{"accept: absent", accept(mine, func(w *matchingv1.AcceptOfferRequest) { w.OfferId = absent }), fault.NotFound, fault.ReasonNotFound, ""},
			{"accept: another center", accept(other, func(*matchingv1.AcceptOfferRequest) {}), fault.NotFound, fault.ReasonNotFound, ""},
			{"accept: another center, stale", accept(other, func(w *matchingv1.AcceptOfferRequest) { w.Etag = "9" }), fault.NotFound, fault.ReasonNotFound, ""},
			{"accept: stale", accept(mine, func(w *matchingv1.AcceptOfferRequest) { w.Etag = "9" }), fault.Aborted, fault.StaleVersion, "etag"},
			{"accept: in the past", accept(mine, func(w *matchingv1.AcceptOfferRequest) { w.AdmissionTime = timestamppb.New(start.Add(-time.Second)) }), fault.InvalidArgument, fault.TimeInvalid, "admission_time"},
			{"accept: too far ahead", accept(mine, func(w *matchingv1.AcceptOfferRequest) { w.AdmissionTime = timestamppb.New(start.AddDate(0, 0, 181)) }), fault.InvalidArgument, fault.TimeInvalid, "admission_time"},
			{"decline: another center", decline(other, o.GetEtag(), "NO_BED", ""), fault.NotFound, fault.ReasonNotFound, ""},
			{"decline: the referrer", decline(as(ctx, "H-HF-01", access.Coordinator), o.GetEtag(), "NO_BED", ""), fault.NotFound, fault.ReasonNotFound, ""},
			{"decline: unknown code", decline(mine, o.GetEtag(), "NO_MOOD", ""), fault.InvalidArgument, fault.CodeUnknown, "code"},
			{"decline: OTHER without comment", decline(mine, o.GetEtag(), "OTHER", " "), fault.InvalidArgument, fault.CommentRequired, "comment"},
			{"decline: CONTRAINDICATION without comment", decline(mine, o.GetEtag(), "CONTRAINDICATION", ""), fault.InvalidArgument, fault.CommentRequired, "comment"},
			{"decline: stale", decline(mine, "7", "NO_BED", ""), fault.Aborted, fault.StaleVersion, "etag"},
			{"capacity: another center's", declare(mine, "C-SH-02", "1", liver), fault.PermissionDenied, fault.RightMissing, "center_id"},
			{"capacity: no such program", declare(mine, "C-SH-01", "1", organv1.Organ_ORGAN_PANCREAS), fault.InvalidArgument, fault.CodeUnknown, "organ"},
			{"capacity: stale", declare(mine, "C-SH-01", "3", liver), fault.Aborted, fault.StaleVersion, "etag"},
			{"capacity: absent", declare(desk, "C-XX-01", "1", liver), fault.NotFound, fault.ReasonNotFound, ""},
			{"licence: no day", licence("C-SH-01", "1", liver, "2026-02-30", "2027-01-01"), fault.InvalidArgument, fault.FieldInvalid, "licence"},
			{"licence: ends before", licence("C-SH-01", "1", liver, "2027-01-02", "2027-01-01"), fault.InvalidArgument, fault.FieldInvalid, "licence"},
			{"licence: stale", licence("C-SH-01", "2", liver, "2026-01-02", "2027-01-01"), fault.Aborted, fault.StaleVersion, "etag"},
			{"licence: no such program", licence("C-SH-01", "1", organv1.Organ_ORGAN_SMALL_BOWEL, "2026-01-02", "2027-01-01"), fault.InvalidArgument, fault.CodeUnknown, "organ"},
			{"licence: absent", licence("C-XX-01", "1", liver, "2026-01-02", "2027-01-01"), fault.NotFound, fault.ReasonNotFound, ""},
			{"withdraw: absent", func() error {
				_, err := r.WithdrawOffer(service(ctx), &matchingv1.WithdrawOfferRequest{RequestId: r.rid(), OfferId: absent, Reason: "x"})
				return err
			}, fault.NotFound, fault.ReasonNotFound, ""},
			{"match: no patient", func() error {
				r.line.noOne = true
				defer func() { r.line.noOne = false }()
				_, err := r.RunMatch(service(ctx), &matchingv1.RunMatchRequest{RequestId: r.rid(), ReferralId: r.ids.New("ref"), Organ: liver})
				return err
			}, fault.NotFound, fault.ReasonNotFound, ""},
			{"match: consent withdrawn", func() error {
				r.line.refused = true
				defer func() { r.line.refused = false }()
				_, err := r.RunMatch(service(ctx), &matchingv1.RunMatchRequest{RequestId: r.rid(), ReferralId: r.ids.New("ref"), Organ: liver})
				return err
			}, fault.FailedPrecondition, fault.ConsentMissing, "patient_id"},
		} {
			t.Run(test.name, func(t *testing.T) {
				before := r.everything(t)
				want(t, test.call(), test.code, test.reason, test.field)
				if after := r.everything(t); after != before {
					t.Fatalf("something changed:\n%s\n%s", before, after)
				}
			})
		}
		if len(r.line.holds) != 0 {
			t.Fatal("a refused wish asked for units")
		}
	})
}

func TestWhoSeesWhat(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		run := r.match(t)
		first := must[*matchingv1.CreateOfferResponse](t)(r.CreateOffer(service(t.Context()), r.proposal(t, run, "C-SH-01", urgent))).GetOffer()
		second := must[*matchingv1.CreateOfferResponse](t)(r.CreateOffer(service(t.Context()), r.proposal(t, run, "C-SH-02", emergency))).GetOffer()
		ctx := t.Context()
		for _, test := range []struct {
			name   string
			caller context.Context
			offers []string
			run    bool
		}{
			{"the referrer", as(ctx, "H-HF-01", access.Coordinator), []string{second.GetOfferId(), first.GetOfferId()}, true},
			{"operations", as(ctx, "OPS", access.Operations), []string{second.GetOfferId(), first.GetOfferId()}, true},
			{"the center", center(ctx, "C-SH-01"), []string{first.GetOfferId()}, false},
			{"another center", center(ctx, "C-BJ-01"), nil, false},
			{"another hospital", as(ctx, "H-NC-01", access.Coordinator), nil, false},
			{"nobody", ctx, nil, false},
		} {
			var got []string
			for token := ""; ; {
				page, err := r.ListOffers(test.caller, &matchingv1.ListOffersRequest{PageSize: 1, PageToken: token})
				if err != nil {
					t.Fatal(err)
				}
				for _, o := range page.GetOffers() {
					got = append(got, o.GetOfferId())
				}
				if token = page.GetNextPageToken(); token == "" {
					break
				}
			}
			if !slices.Equal(got, test.offers) {
				t.Errorf("%s sees %v", test.name, got)
			}
			_, err := r.GetOffer(test.caller, &matchingv1.GetOfferRequest{OfferId: first.GetOfferId()})
			if (err == nil) != slices.Contains(test.offers, first.GetOfferId()) || err != nil && !fault.Is(err, fault.ReasonNotFound) {
				t.Errorf("%s gets the offer: %v", test.name, err)
			}
			_, err = r.GetMatchRun(test.caller, &matchingv1.GetMatchRunRequest{MatchRunId: run.GetMatchRunId()})
			if (err == nil) != test.run || err != nil && !fault.Is(err, fault.ReasonNotFound) {
				t.Errorf("%s gets the run: %v", test.name, err)
			}
		}
		page := must[*matchingv1.ListOffersResponse](t)(r.ListOffers(as(ctx, "OPS", access.Operations), &matchingv1.ListOffersRequest{PageSize: 1}))
		_, err := r.ListOffers(as(ctx, "OPS", access.Operations), &matchingv1.ListOffersRequest{PageSize: 1, Status: open, PageToken: page.GetNextPageToken()})
		want(t, err, fault.InvalidArgument, fault.InvalidPageToken, "page_token")
	})
}

func TestMatch(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		ctx := service(t.Context())
		req := &matchingv1.RunMatchRequest{
			RequestId: r.rid(), ReferralId: r.ids.New("ref"), PatientId: r.ids.New("pat"), Organ: liver, ReferringOrganisation: "H-HF-01", PreferredCenters: []string{"C-SH-02"},
		}
		run := must[*matchingv1.RunMatchResponse](t)(r.RunMatch(ctx, req)).GetMatchRun()
		var ranked []string
		for i, c := range run.GetRanked() {
			ranked = append(ranked, c.GetCenterId())
			if int(c.GetRank()) != i+1 || c.DoorToDoorMinutes == nil || c.GetEstimatedSelfPay().GetFen() != 12_345_678 || len(c.GetTerms()) != 7 {
				t.Errorf("%v", c)
			}
		}
		if len(ranked)+len(run.GetExcluded()) != 10 || !slices.Contains(ranked, "C-SH-01") || !slices.Contains(ranked, "C-SH-02") {
			t.Fatalf("ranked %v", ranked)
		}
		// Frozen: what is declared later changes no run, and a retry gets the first one.
		must[*matchingv1.DeclareCapacityResponse](t)(r.DeclareCapacity(center(t.Context(), "C-SH-01"), &matchingv1.DeclareCapacityRequest{
			RequestId: r.rid(), CenterId: "C-SH-01", Etag: "1", Organ: liver, FreePlaces: 0,
		}))
		r.line.refused = true
		again := must[*matchingv1.RunMatchResponse](t)(r.RunMatch(ctx, req)).GetMatchRun()
		r.line.refused = false
		stored := must[*matchingv1.GetMatchRunResponse](t)(r.GetMatchRun(ctx, &matchingv1.GetMatchRunRequest{MatchRunId: run.GetMatchRunId()})).GetMatchRun()
		if !proto.Equal(run, again) || !proto.Equal(run, stored) {
			t.Fatal("the run changed")
		}
		// Silent peers are gaps, not zeros.
		r.line.mute = true
		req.RequestId = r.rid()
		run = must[*matchingv1.RunMatchResponse](t)(r.RunMatch(ctx, req)).GetMatchRun()
		if len(run.GetRanked()) != len(ranked) {
			t.Fatalf("%d ranked of %d", len(run.GetRanked()), len(ranked))
		}
		for _, c := range run.GetRanked() {
			if c.DoorToDoorMinutes != nil || c.GetEstimatedSelfPay() != nil {
				t.Errorf("made up: %v", c)
			}
		}
		for _, what := range []string{"travel time", "free beds", "patient would pay"} {
			if !slices.ContainsFunc(run.GetMissing(), func(m *matchingv1.Remark) bool { return strings.Contains(m.GetEn(), what) && m.GetZh() != "" }) {
				t.Errorf("%s is not named as missing", what)
			}
		}
	})
}

// A licence suspended between the ranking and the offer, or between the offer and its acceptance, counts at once.
func TestSuspensionIsInForceAtOnce(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		run := r.match(t)
		o := must[*matchingv1.CreateOfferResponse](t)(r.CreateOffer(service(t.Context()), r.proposal(t, run, "C-SH-01", urgent))).GetOffer()
		for _, code := range []string{"C-SH-01", "C-SH-02"} {
			must[*matchingv1.SetLicenceResponse](t)(r.SetLicence(as(t.Context(), "OPS", access.Operations), &matchingv1.SetLicenceRequest{
				RequestId: r.rid(), CenterId: code, Etag: "1", Organ: liver, Licence: &matchingv1.Licence{ValidFrom: "2024-01-01", ValidTo: "2028-12-31", Suspended: true},
			}))
		}
		// Whether the job that withdraws it came first or not, the offer is not to be had any more.
		_, err := r.AcceptOffer(center(t.Context(), "C-SH-01"), r.wish(o))
		if !fault.Is(err, fault.NotLicensed) && !fault.Is(err, fault.OfferDecided) {
			t.Fatal(err)
		}
		r.await(t, o.GetOfferId(), matchingv1.OfferStatus_OFFER_STATUS_WITHDRAWN)
		r.learned(t, o.GetOfferId(), "CREATED", "WITHDRAWN")
		_, err = r.CreateOffer(service(t.Context()), r.proposal(t, run, "C-SH-02", urgent))
		want(t, err, fault.FailedPrecondition, fault.NotLicensed, "center_id")
		for _, c := range r.match(t).GetExcluded() {
			if c.GetCenterId() == "C-SH-01" && c.GetReasons()[0].GetCode() == "LICENCE_SUSPENDED" {
				return
			}
		}
		t.Fatal("the next run does not know of it")
	})
}

func TestCenters(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		ctx := as(t.Context(), "H-HF-01", access.Coordinator)
		page := must[*matchingv1.ListCentersResponse](t)(r.ListCenters(ctx, &matchingv1.ListCentersRequest{Line: "csj", Organ: liver, PageSize: 2}))
		if len(page.GetCenters()) != 2 || page.GetNextPageToken() == "" {
			t.Fatalf("%v", page)
		}
		_, err := r.ListCenters(ctx, &matchingv1.ListCentersRequest{PageToken: page.GetNextPageToken()})
		want(t, err, fault.InvalidArgument, fault.InvalidPageToken, "page_token")
		c := must[*matchingv1.GetCenterResponse](t)(r.GetCenter(ctx, &matchingv1.GetCenterRequest{CenterId: "C-NJ-01"})).GetCenter()
		if c.GetDirectSettlement() || c.GetCity() != "320100" || len(c.GetPrograms()) != 3 {
			t.Fatalf("%v", c)
		}
		_, err = r.GetCenter(ctx, &matchingv1.GetCenterRequest{CenterId: "C-XX-01"})
		want(t, err, fault.NotFound, fault.ReasonNotFound, "")
		got := must[*matchingv1.DeclareCapacityResponse](t)(r.DeclareCapacity(center(t.Context(), "C-NJ-01"), &matchingv1.DeclareCapacityRequest{
			RequestId: r.rid(), CenterId: "C-NJ-01", Etag: c.GetEtag(), Organ: liver, FreePlaces: 6,
		})).GetCenter()
		capacity := got.GetPrograms()[0].GetCapacity()
		if capacity.GetFreePlaces() != 6 || !capacity.GetAsOf().AsTime().Equal(start) || capacity.GetDeclaredBy() != "C-NJ-01" || got.GetEtag() != "2" {
			t.Fatalf("%v", got)
		}
	})
}
