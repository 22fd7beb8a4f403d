package app_test

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	organv1 "huhang.example/gen/huhang/organ/v1"
	patientv1 "huhang.example/gen/huhang/patient/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/discovery"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/fleet"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/mtls"
	"huhang.example/services/internal/rpcclient"
	"huhang.example/services/internal/rpcserver"
	"huhang.example/services/internal/sqldb/sqldbtest"
	"huhang.example/services/internal/telemetry"
	"huhang.example/services/settlement/app"
	"huhang.example/services/settlement/rpc"
)

// others plays the patient and the referral service behind real servers.
type others struct {
	patientv1.UnimplementedPatientServiceServer
	referralv1.UnimplementedReferralServiceServer
	referralv1.UnimplementedCaseEventServiceServer
	patient string
	mu      sync.Mutex
	told    map[string]*referralv1.ClaimEvent
}

func (o *others) GetMatchingProfile(context.Context, *patientv1.GetMatchingProfileRequest) (*patientv1.GetMatchingProfileResponse, error) {
	return &patientv1.GetMatchingProfileResponse{
		Coverage:     &patientv1.Coverage{Province: "340000", PoolingArea: "340100", Scheme: patientv1.Scheme_SCHEME_RESIDENT},
		Consents:     []patientv1.Purpose{patientv1.Purpose_PURPOSE_SETTLEMENT},
		RegisteredBy: "H-HF-01",
	}, nil
}

func (o *others) GetReferral(_ context.Context, r *referralv1.GetReferralRequest) (*referralv1.GetReferralResponse, error) {
	return &referralv1.GetReferralResponse{Referral: &referralv1.Referral{
		ReferralId: r.GetReferralId(), PatientId: o.patient, ReferringOrganisation: "H-HF-01", CenterId: "C-SH-01",
	}}, nil
}

func (o *others) RecordCaseEvent(_ context.Context, r *referralv1.RecordCaseEventRequest) (*referralv1.RecordCaseEventResponse, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.told[r.GetClaim().GetKind()] = r.GetClaim()
	return &referralv1.RecordCaseEventResponse{}, nil
}

func (o *others) heard(kind string) *referralv1.ClaimEvent {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.told[kind]
}

// The whole stay over mutual TLS and discovery by province: two instances, each with its database, on each engine. The
// coverage is the declared one, as on the sample line.
func TestServedOverMutualTLS(t *testing.T) {
	sqldbtest.EachDSN(t, func(t *testing.T, dsn string) {
		far := sqldbtest.SQLite(t)
		if dsn[:6] != "sqlite" {
			far = sqldbtest.Postgres(t)
		}
		served(t, dsn, far)
	})
}

func served(t *testing.T, dsn, farDSN string) {
	authority, err := mtls.DevAuthority(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	registry, log := discovery.NewStatic(nil), slog.New(slog.NewTextHandler(io.Discard, nil))
	identity := func(name string) mtls.Identity {
		got, err := authority.Service(name)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	pool := func(name string) *rpcclient.Pool {
		p := rpcclient.New(rpcclient.Config{Identity: identity(name), Registry: registry})
		t.Cleanup(p.Close)
		return p
	}
	tel, err := telemetry.Start(t.Context(), telemetry.Config{Service: "settlement"})
	if err != nil {
		t.Fatal(err)
	}
	o := &others{patient: ids.New("pat"), told: map[string]*referralv1.ClaimEvent{}}
	server := func(name string) *rpcserver.Server {
		return rpcserver.New(rpcserver.Config{Service: name, Instance: name + "-1", Listen: "127.0.0.1:0"},
			rpcserver.Deps{Identity: identity(name), Registry: registry, Log: log})
	}
	patients, referrals := server("patient"), server("referral")
	patientv1.RegisterPatientServiceServer(patients.GRPC(), o)
	referralv1.RegisterReferralServiceServer(referrals.GRPC(), o)
	referralv1.RegisterCaseEventServiceServer(referrals.GRPC(), o)
	instance := func(name, dsn string, provinces ...string) *app.App {
		a, err := app.New(t.Context(), app.Config{Instance: name, Listen: "127.0.0.1:0", Database: dsn, Provinces: provinces, Sample: true},
			fleet.Deps{Clock: clock.System(), IDs: id.Random(), Registry: registry, Identity: identity("settlement"), Peers: pool("settlement"), Log: log, Telemetry: tel})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	running, err := fleet.Start(t.Context(), patients, referrals, instance("here", dsn, "310000"), instance("far", farDSN, "340000", "360000"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := running.Stop(fleet.StopLimit); err != nil {
			t.Error(err)
		}
	}()
	gateway := pool("gateway")
	client := func(province string) settlementv1.SettlementServiceClient {
		connection, err := gateway.Conn("settlement", province)
		if err != nil {
			t.Fatal(err)
		}
		return settlementv1.NewSettlementServiceClient(connection)
	}
	here, there := client("310000"), client("340000")
	rid := func() string { return ids.New("req") }
	today := clock.Day(clock.System().Now())
	referral := ids.New("ref")

	estimates, err := there.EstimateBill(as(t, access.Caller{Subject: "x", Organisation: "H-HF-01", Roles: []access.Role{access.Coordinator}}), &settlementv1.EstimateBillRequest{
		Province: "340000", TreatmentProvinces: []string{"310000", "120000"}, Organ: organv1.Organ_ORGAN_LIVER,
		Coverage: &patientv1.Coverage{Province: "340000", PoolingArea: "340100", Scheme: patientv1.Scheme_SCHEME_RESIDENT},
	})
	if err != nil || len(estimates.GetEstimates()) != 2 || !estimates.GetEstimates()[0].GetDirectSettlement() || estimates.GetEstimates()[1].GetDirectSettlement() {
		t.Fatalf("%v, %v", estimates, err)
	}
	byCenter, err := there.EstimateBill(as(t, access.Caller{Subject: "x", Organisation: "H-HF-01", Roles: []access.Role{access.Coordinator}}), &settlementv1.EstimateBillRequest{
		Province: "340000", Organ: organv1.Organ_ORGAN_LIVER, FilingType: settlementv1.FilingType_FILING_TYPE_OTHER,
		Centers:  []*settlementv1.EstimateCenter{{CenterId: "C-SH-01", Province: "310000"}, {CenterId: "C-TJ-01", Province: "120000"}},
		Coverage: &patientv1.Coverage{Province: "340000", PoolingArea: "340100", Scheme: patientv1.Scheme_SCHEME_RESIDENT},
	})
	if err != nil || len(byCenter.GetEstimates()) != 2 {
		t.Fatalf("%v, %v", byCenter, err)
	}
	for i, known := range []bool{true, false} {
		e := byCenter.GetEstimates()[i]
		unknowns := map[string]bool{}
		for _, u := range e.GetUnknowns() {
			unknowns[u.GetCode()] = u.GetZh() != "" && u.GetEn() != ""
		}
		if e.GetDirectSettlement() != known || unknowns["hospital_level"] == known || !unknowns["year_counters"] || !unknowns["plans"] || !unknowns["follow_up"] ||
			e.GetFilingType() != settlementv1.FilingType_FILING_TYPE_OTHER || len(e.GetSplit().GetPolicyDigest()) != 64 || e.GetTypicalVersion() == "" || e.GetHospitalLevel() != 3 {
			t.Errorf("the estimate of %s: %v", e.GetCenterId(), e)
		}
	}
	_, err = there.DiffPolicies(as(t, access.Caller{Subject: "x", Roles: []access.Role{access.Agency}, Province: "340000"}), &settlementv1.DiffPoliciesRequest{Province: "340000", Before: "340000-2025.1", After: "none"})
	if !fault.Is(err, fault.ReasonNotFound) {
		t.Errorf("a version that does not exist: %v", err)
	}
	filing, err := there.CreateFiling(as(t, access.Caller{Subject: "x", Organisation: "H-HF-01", Roles: []access.Role{access.Coordinator}}), &settlementv1.CreateFilingRequest{
		RequestId: rid(), PatientId: o.patient, ReferralId: referral, Province: "340000", Type: settlementv1.FilingType_FILING_TYPE_REFERRAL, TreatmentCity: "310100",
		Documents: []settlementv1.FilingDocument{settlementv1.FilingDocument_FILING_DOCUMENT_FORM, settlementv1.FilingDocument_FILING_DOCUMENT_PROOF},
	})
	if err != nil {
		t.Fatal(err)
	}
	opened, err := here.OpenClaim(as(t, center), &settlementv1.OpenClaimRequest{
		RequestId: rid(), ReferralId: referral, PatientId: o.patient, CenterId: "C-SH-01", Province: "310000", TreatmentCity: "310100",
		InsuredProvince: "340000", Organ: organv1.Organ_ORGAN_LIVER, AdmissionDate: today,
	})
	if err != nil {
		t.Fatal(err)
	}
	id := opened.GetClaim().GetClaimId()
	line := &settlementv1.FeeLine{
		LineNumber: 1, ItemCode: "S-OP-LIVER", ItemName: "示范", Price: rpc.Yuan(10_000_000), QuantityMilli: 1000, Amount: rpc.Yuan(10_000_000), ServiceDate: today,
	}
	add := &settlementv1.AddFeeLinesRequest{RequestId: rid(), ClaimId: id, Lines: []*settlementv1.FeeLine{line}}
	added, err := here.AddFeeLines(as(t, center), add)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := here.AddFeeLines(as(t, center), add); err != nil || !proto.Equal(again, added) {
		t.Fatalf("repeated: %v, %v", again, err)
	}
	organFee := proto.CloneOf(add)
	organFee.RequestId, organFee.Lines[0].LineNumber, organFee.Lines[0].ItemName = rid(), 9, "供肝费"
	if _, err := here.AddFeeLines(as(t, center), organFee); !fault.Is(err, fault.OrganFee) {
		t.Errorf("a fee for an organ: %v", err)
	}
	reused := proto.CloneOf(add)
	reused.Lines[0].ItemName = "另一"
	_, err = here.AddFeeLines(as(t, center), reused)
	reason(t, err, fault.RequestIDReused)
	_, err = here.AddFeeLines(as(t, referrer), &settlementv1.AddFeeLinesRequest{RequestId: rid(), ClaimId: id, Lines: add.GetLines()})
	reason(t, err, fault.RightMissing)
	_, err = here.AddFeeLines(as(t, center), &settlementv1.AddFeeLinesRequest{RequestId: rid(), ClaimId: "clm_1", Lines: add.GetLines()})
	reason(t, err, fault.FieldInvalid)
	_, err = there.GetClaim(as(t, center), &settlementv1.GetClaimRequest{ClaimId: id})
	reason(t, err, fault.ProvinceNotServed)

	left, err := here.DischargeClaim(as(t, center), &settlementv1.DischargeClaimRequest{RequestId: rid(), ClaimId: id, Etag: added.GetClaim().GetEtag(), DischargeDate: today})
	if err != nil {
		t.Fatal(err)
	}
	settle := &settlementv1.SettleClaimRequest{RequestId: rid(), ClaimId: id, Etag: left.GetClaim().GetEtag()}
	settled, err := here.SettleClaim(as(t, center), settle)
	if err != nil {
		t.Fatal(err)
	}
	bill := settled.GetStatement()
	if settled.GetClaim().GetStatus() != settlementv1.ClaimStatus_CLAIM_STATUS_SETTLED || bill.GetSplit().GetFilingId() != filing.GetFiling().GetFilingId() {
		t.Fatalf("%v", settled)
	}
	if again, err := here.SettleClaim(as(t, center), settle); err != nil || !proto.Equal(again, settled) {
		t.Fatalf("repeated: %v, %v", again, err)
	}
	var sum int64
	for _, s := range bill.GetSplit().GetShares() {
		sum += s.GetAmount().GetFen()
	}
	// (100,000 - 1,000) x 75 % x 0.85 = 63,112.50; (36,887.50 - 15,000) x 60 % = 13,132.50.
	if sum != 10_000_000 || bill.GetSplit().GetShares()[0].GetAmount().GetFen() != 6_311_250 || bill.GetSplit().GetShares()[1].GetAmount().GetFen() != 1_313_250 {
		t.Fatalf("%v", bill)
	}
	seen, err := here.GetStatement(as(t, access.Caller{Subject: "x", Organisation: "H-HF-01", Roles: []access.Role{access.Coordinator}}), &settlementv1.GetStatementRequest{ClaimId: id})
	if err != nil || !proto.Equal(seen.GetStatement(), bill) {
		t.Fatalf("%v, %v", seen, err)
	}
	counters, err := there.GetCounters(as(t, agency("340000")), &settlementv1.GetCountersRequest{PatientId: o.patient, Province: "340000"})
	if err != nil || counters.GetCounters().GetBasic().GetFen() != 6_311_250 || counters.GetCounters().GetYear() == 0 {
		t.Fatalf("%v, %v", counters, err)
	}
	for province, at := range map[string]settlementv1.SettlementServiceClient{"310000": here, "340000": there} {
		books, err := at.GetTrialBalance(as(t, agency(province)), &settlementv1.GetTrialBalanceRequest{Province: province})
		if err != nil || books.GetDifference().GetFen() != 0 || len(books.GetAccounts()) < 3 {
			t.Fatalf("%s: %v, %v", province, books, err)
		}
	}
	sqldbtest.Eventually(t, "the case knows", func() bool {
		return o.heard("OPENED") != nil && o.heard("DISCHARGED") != nil && o.heard("SETTLED").GetSelfPay().GetFen() == 2_375_500
	})
}
