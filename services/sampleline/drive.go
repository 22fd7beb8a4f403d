package sampleline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	matchingv1 "huhang.example/gen/huhang/matching/v1"
	organv1 "huhang.example/gen/huhang/organ/v1"
	patientv1 "huhang.example/gen/huhang/patient/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/clock"
)

// Result is what a driven case leaves behind.
type Result struct {
	ReferralID string
	PatientID  string
	TransferID string
	ClaimID    string
	TraceID    string
	Statement  *settlementv1.Statement
	MatchRun   *matchingv1.MatchRun
}

// Driver drives the sample case through the public REST API, one printed line a step.
type Driver struct {
	Client *Client
	Clock  clock.Clock
	Out    io.Writer
	// Key makes the case's request ids and sample identity unique; the same key drives the same case again, without a second effect.
	Key string
	// Serial picks the invented patient: 0..15998.
	Serial int
	// Until ends the drive after this one of Steps; empty: the bill.
	Until string
	// Answer accepts the offer in the driver's place, as a center's own system would; nil: the driver does, as the center's staff.
	Answer func(ctx context.Context, offer *matchingv1.Offer) error
}

type run struct {
	*Driver
	result   Result
	step     int
	started  time.Time
	referrer *Session
	desk     *Session
	agency   *Session
	center   *Session
	referral *referralv1.Referral
	patient  *patientv1.Patient
	offer    *matchingv1.Offer
	transfer *transferv1.Transfer
	claim    *settlementv1.Claim
}

// steps are those of a drive, in order.
var steps = []struct {
	name string
	do   func(*run, context.Context) error
}{
	{"signed in", (*run).signIn},
	{"registered", (*run).register},
	{"submitted", (*run).submit},
	{"ranked", (*run).rank},
	{"offered", (*run).ask},
	{"accepted", (*run).accept},
	{"filed", (*run).filed},
	{"booked", (*run).book},
	{"planned", (*run).plan},
	{"arrived", (*run).travel},
	{"operated", (*run).operate},
	{"discharged", (*run).discharge},
	{"settled", (*run).settle},
}

// Steps are the names of a drive's steps, in order.
func Steps() []string {
	names := make([]string, 0, len(steps))
	for _, s := range steps {
		names = append(names, s.name)
	}
	return names
}

// Run drives the case to its bill, or until Until. It stops at the first step that is refused; the result holds what there was.
func (d *Driver) Run(ctx context.Context) (*Result, error) {
	r := &run{Driver: d}
	for _, step := range steps {
		if err := step.do(r, ctx); err != nil {
			return &r.result, fmt.Errorf("not %s: %w", step.name, err)
		}
		if step.name == d.Until {
			break
		}
	}
	return &r.result, nil
}

func (r *run) rid(name string) string { return fmt.Sprintf("sample-%s-%s", name, r.Key) }

func (r *run) begin() { r.started = r.Clock.Now() }

func (r *run) done(format string, args ...any) {
	r.step++
	took := r.Clock.Now().Sub(r.started)
	_, _ = fmt.Fprintf(r.Out, "%2d  %-78s %6d ms\n", r.step, fmt.Sprintf(format, args...), took.Milliseconds())
}

func (r *run) note(format string, args ...any) {
	_, _ = fmt.Fprintf(r.Out, "      %s\n", fmt.Sprintf(format, args...))
}

func (r *run) signIn(ctx context.Context) error {
	for _, p := range []struct {
		to *(*Session)
		as Person
	}{
		{&r.referrer, Person{"staff-hf-7", "H-HF-01", "", "coordinator"}},
		{&r.desk, Person{"desk-2", "OPS", "", "operations"}},
		{&r.agency, Person{"agent-34-1", "A-340000", "340000", "agency"}},
	} {
		s, err := r.Client.As(ctx, p.as)
		if err != nil {
			return err
		}
		*p.to = s
	}
	return nil
}

func (r *run) register(ctx context.Context) error {
	r.begin()
	coverage := &patientv1.Coverage{
		Province: "340000", PoolingArea: "340100", Scheme: patientv1.Scheme_SCHEME_RESIDENT,
		AssistanceGroups: []patientv1.AssistanceGroup{patientv1.AssistanceGroup_ASSISTANCE_GROUP_SUBSISTENCE},
	}
	var got patientv1.RegisterPatientResponse
	if err := r.referrer.Do(ctx, http.MethodPost, "/v1/patients", &patientv1.RegisterPatientRequest{
		RequestId: r.rid("register"), Name: "示范患者", IdentityNumber: IdentityNumber("340104", fmt.Sprintf("197903%02d", 12+r.Serial/1000), r.Serial),
		Phone: fmt.Sprintf("139000%05d", r.Serial), ResidenceCity: "340100", Coverage: coverage,
		Consents: []patientv1.Purpose{
			patientv1.Purpose_PURPOSE_REFERRAL, patientv1.Purpose_PURPOSE_TRANSFER,
			patientv1.Purpose_PURPOSE_SETTLEMENT, patientv1.Purpose_PURPOSE_FOLLOW_UP,
		},
	}, &got); err != nil {
		return err
	}
	r.patient = got.GetPatient()
	r.result.PatientID = r.patient.GetPatientId()
	var clinical patientv1.RecordClinicalResponse
	if err := r.referrer.Do(ctx, http.MethodPut, "/v1/patients/"+r.patient.GetPatientId()+"/clinical/ORGAN_LIVER",
		&patientv1.RecordClinicalRequest{RequestId: r.rid("clinical"), Clinical: liverPatient(clock.Day(r.Clock.Now()))}, &clinical); err != nil {
		return err
	}
	if err := r.agency.Do(ctx, http.MethodPut, "/v1/entitlements/"+r.patient.GetPatientId(), &settlementv1.PutEntitlementRequest{
		RequestId: r.rid("entitlement"), Province: "340000", Coverage: coverage, ValidFrom: "2020-01-01",
	}, nil); err != nil {
		return err
	}
	r.done("patient registered: %s, resident scheme of 安徽, 低保, 合肥", r.patient.GetPatientId())
	for _, s := range clinical.GetRecord().GetScores() {
		r.note("%s = %.0f %s (information only)", s.GetName(), s.GetValue(), s.GetGrade())
	}
	return nil
}

func (r *run) submit(ctx context.Context) error {
	r.begin()
	var created referralv1.CreateReferralResponse
	if err := r.referrer.Do(ctx, http.MethodPost, "/v1/referrals", &referralv1.CreateReferralRequest{
		RequestId: r.rid("referral"), PatientId: r.patient.GetPatientId(),
		Organ: organv1.Organ_ORGAN_LIVER, Urgency: organv1.Urgency_URGENCY_URGENT, PreferredCenters: []string{"C-SH-01"},
	}, &created); err != nil {
		return err
	}
	r.referral = created.GetReferral()
	r.result.ReferralID, r.result.TraceID = r.referral.GetReferralId(), r.referral.GetTraceId()
	var got referralv1.SubmitReferralResponse
	if err := r.retryStale(ctx, r.referrer, func(etag string) error {
		return r.referrer.Do(ctx, http.MethodPost, r.path(":submit"), &referralv1.SubmitReferralRequest{
			RequestId: r.rid("submit"), ReferralId: r.referral.GetReferralId(), Etag: etag,
		}, &got)
	}); err != nil {
		return err
	}
	r.referral = got.GetReferral()
	r.done("case submitted: %s, liver, urgent, desk answers by %s", r.referral.GetReferralId(), shortTime(r.referral.GetDeadline()))
	return nil
}

func (r *run) rank(ctx context.Context) error {
	r.begin()
	var got referralv1.ScreenReferralResponse
	if err := r.retryStale(ctx, r.desk, func(etag string) error {
		return r.desk.Do(ctx, http.MethodPost, r.path(":screen"), &referralv1.ScreenReferralRequest{
			RequestId: r.rid("screen"), ReferralId: r.referral.GetReferralId(), Etag: etag,
			Decision: referralv1.ScreeningDecision_SCREENING_DECISION_PASS,
		}, &got)
	}); err != nil {
		return err
	}
	if err := r.until(ctx, "ranked", func(c *referralv1.Referral) bool { return c.GetState() == referralv1.State_STATE_MATCHED }); err != nil {
		return err
	}
	var match matchingv1.GetMatchRunResponse
	if err := r.referrer.Do(ctx, http.MethodGet, "/v1/match-runs/"+r.referral.GetMatchRunId(), nil, &match); err != nil {
		return err
	}
	r.result.MatchRun = match.GetMatchRun()
	r.done("centers ranked: %d of %d; %d excluded, each with its reason", len(match.GetMatchRun().GetRanked()),
		len(match.GetMatchRun().GetRanked())+len(match.GetMatchRun().GetExcluded()), len(match.GetMatchRun().GetExcluded()))
	for _, c := range match.GetMatchRun().GetRanked() {
		r.note("%d. %s %s  %.2f  door to door %s, self-pay %s", c.GetRank(), c.GetCenterId(), c.GetNameZh(),
			float64(c.GetScore())/100, minutes(c.DoorToDoorMinutes), yuanOrUnknown(c.GetEstimatedSelfPay()))
	}
	for _, c := range match.GetMatchRun().GetExcluded() {
		for _, why := range c.GetReasons() {
			r.note("-  %s %s  %s: %s", c.GetCenterId(), c.GetNameZh(), why.GetCode(), why.GetBecause().GetZh())
		}
	}
	return nil
}

func (r *run) ask(ctx context.Context) error {
	r.begin()
	var chosen []string
	for _, c := range r.result.MatchRun.GetRanked() {
		if c.GetCenterId() == "C-SH-01" || c.GetCenterId() == "C-SH-02" {
			chosen = append(chosen, c.GetCenterId())
		}
	}
	if len(chosen) == 0 {
		return errors.New("no center in 上海 was ranked: the sample case cannot go on")
	}
	var got referralv1.ChooseCentersResponse
	if err := r.retryStale(ctx, r.referrer, func(etag string) error {
		return r.referrer.Do(ctx, http.MethodPost, r.path(":choose"), &referralv1.ChooseCentersRequest{
			RequestId: r.rid("choose"), ReferralId: r.referral.GetReferralId(), Etag: etag, CenterIds: chosen,
		}, &got)
	}); err != nil {
		return err
	}
	if err := r.until(ctx, "offered", func(c *referralv1.Referral) bool {
		return c.GetState() == referralv1.State_STATE_OFFERED && c.GetOfferId() != ""
	}); err != nil {
		return err
	}
	var err error
	if r.center, err = r.Client.As(ctx, Person{"center-sh-3", chosen[0], "", "center"}); err != nil {
		return err
	}
	var offer matchingv1.GetOfferResponse
	if err := r.center.Do(ctx, http.MethodGet, "/v1/offers/"+r.referral.GetOfferId(), nil, &offer); err != nil {
		return err
	}
	r.offer = offer.GetOffer()
	r.done("offered to %s, its answer due by %s", chosen[0], shortTime(r.offer.GetExpireTime()))
	return nil
}

func (r *run) accept(ctx context.Context) error {
	r.begin()
	if err := r.answer(ctx); err != nil {
		return err
	}
	if err := r.until(ctx, "accepted", func(c *referralv1.Referral) bool { return c.GetHoldId() != "" }); err != nil {
		return err
	}
	r.done("offer accepted by %s; bed and operating room held (%s)", r.offer.GetCenterId(), r.offer.GetHoldId())
	return nil
}

func (r *run) answer(ctx context.Context) error {
	if r.Answer != nil {
		if err := r.Answer(ctx, r.offer); err != nil {
			return err
		}
		var got matchingv1.GetOfferResponse
		err := r.center.Do(ctx, http.MethodGet, "/v1/offers/"+r.offer.GetOfferId(), nil, &got)
		r.offer = got.GetOffer()
		return err
	}
	var accepted matchingv1.AcceptOfferResponse
	if err := r.center.Do(ctx, http.MethodPost, "/v1/offers/"+r.offer.GetOfferId()+":accept", &matchingv1.AcceptOfferRequest{
		RequestId: r.rid("accept"), OfferId: r.offer.GetOfferId(), Etag: r.offer.GetEtag(),
		AdmissionTime: timestamppb.New(r.Clock.Now().Add(12 * time.Hour)),
	}, &accepted); err != nil {
		return err
	}
	r.offer = accepted.GetOffer()
	return nil
}

func (r *run) filed(ctx context.Context) error {
	r.begin()
	if err := r.until(ctx, "filed", func(c *referralv1.Referral) bool { return c.GetFilingId() != "" }); err != nil {
		return err
	}
	r.done("filed by itself (免申即享): %s", r.referral.GetFilingId())
	return nil
}

func (r *run) book(ctx context.Context) error {
	r.begin()
	var got referralv1.BookAdmissionResponse
	if err := r.retryStale(ctx, r.center, func(etag string) error {
		return r.center.Do(ctx, http.MethodPost, r.path(":book"), &referralv1.BookAdmissionRequest{
			RequestId: r.rid("book"), ReferralId: r.referral.GetReferralId(), Etag: etag,
		}, &got)
	}); err != nil {
		return err
	}
	r.referral = got.GetReferral()
	r.done("admission booked for %s", shortTime(r.referral.GetAdmissionTime()))
	return nil
}

func (r *run) path(verb string) string { return "/v1/referrals/" + r.result.ReferralID + verb }

// until reads the case until it is so; the line moves it by its own jobs.
func (r *run) until(ctx context.Context, what string, is func(*referralv1.Referral) bool) error {
	ctx, cancel := context.WithTimeout(ctx, max(30*time.Second, r.Client.Patience))
	defer cancel()
	for {
		var got referralv1.GetReferralResponse
		if err := r.referrer.Do(ctx, http.MethodGet, r.path(""), nil, &got); err != nil {
			return fmt.Errorf("waiting until %s: %w", what, err)
		}
		r.referral = got.GetReferral()
		if is(r.referral) {
			return nil
		}
		if err := r.Clock.Sleep(ctx, 25*time.Millisecond); err != nil {
			return fmt.Errorf("waiting until %s, the case is %s: %w", what, r.referral.GetState(), err)
		}
	}
}
