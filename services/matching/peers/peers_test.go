package peers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	moneyv1 "huhang.example/gen/huhang/money/v1"
	patientv1 "huhang.example/gen/huhang/patient/v1"
	referralv1 "huhang.example/gen/huhang/referral/v1"
	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/matching"
	"huhang.example/services/matching/directory"
	"huhang.example/services/matching/ranking"
)

// wire answers every call with one message and keeps what was asked, by whom and of whom.
type wire struct {
	answer  proto.Message
	request proto.Message
	caller  access.Caller
	to      string
}

func (w *wire) Conn(service, province string) (grpc.ClientConnInterface, error) {
	w.to = service + "/" + province
	return w, nil
}

func (w *wire) Invoke(ctx context.Context, _ string, args, reply any, _ ...grpc.CallOption) error {
	w.request, w.caller = args.(proto.Message), access.From(ctx)
	proto.Merge(reply.(proto.Message), w.answer)
	return nil
}

func (w *wire) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	panic("no streams here")
}

// person is a coordinator's context: whoever asks, the call is the service's own.
func person(t *testing.T) context.Context {
	return access.With(t.Context(), access.Caller{Subject: "staff-1", Organisation: "H-HF-01", Roles: []access.Role{access.Coordinator}})
}

func (w *wire) check(t *testing.T, to string, want proto.Message) {
	t.Helper()
	if w.to != to || w.caller.Service != "matching" || w.caller.Organisation != "" {
		t.Errorf("%+v asked %s", w.caller, w.to)
	}
	if !proto.Equal(w.request, want) {
		t.Errorf("asked %v\nwant %v", w.request, want)
	}
}

func TestProfile(t *testing.T) {
	coverage := &patientv1.Coverage{
		Province: "340000", PoolingArea: "340100", Scheme: patientv1.Scheme_SCHEME_RESIDENT,
		AssistanceGroups: []patientv1.AssistanceGroup{patientv1.AssistanceGroup_ASSISTANCE_GROUP_SUBSISTENCE},
	}
	w := &wire{answer: &patientv1.GetMatchingProfileResponse{
		AgeYears: 47, ResidenceCity: "340100", Coverage: coverage, Consents: []patientv1.Purpose{patientv1.Purpose_PURPOSE_REFERRAL},
		Record: &patientv1.ClinicalRecord{Version: 3, Clinical: &patientv1.Clinical{
			HeightCm: proto.Float64(170), WeightKg: proto.Float64(72.25), PreviousTransplants: 1, HivPositive: proto.Bool(false), HbvPositive: proto.Bool(true),
			Labs: &patientv1.Labs{AfpNgMl: proto.Float64(86)}, Fitness: &patientv1.Fitness{Oxygen: true},
			Liver: &patientv1.LiverData{Hcc: proto.Bool(true), HccNodulesCm: []float64{3.4, 2.1}, HistologicalGrade: 2},
		}},
	}}
	p, err := New(w).Profile(person(t), "pat_1", "LIVER")
	if err != nil {
		t.Fatal(err)
	}
	w.check(t, "patient/000000", &patientv1.GetMatchingProfileRequest{PatientId: "pat_1", Organ: organ("LIVER")})
	x := p.Patient
	if x.Age != 47 || *x.BMI != 25 || x.PreviousTransplants != 1 || *x.HIV || x.ActiveInfection != nil || !x.Recorded || !p.Consented || p.ClinicalVersion != 3 ||
		!p.Fitness.Oxygen || !*x.Tumour.Present || len(x.Tumour.NodulesCm) != 2 || x.Tumour.Grade != 2 || *x.Tumour.AFP != 86 || x.Tumour.VascularInvasion != nil {
		t.Errorf("%+v", p)
	}
	if hbv := x.Infections["HBV"]; len(x.Infections) != 1 || !hbv.Positive {
		t.Errorf("%+v", x.Infections)
	}
	if back := coverageTo(p.Coverage); !proto.Equal(back, coverage) {
		t.Errorf("the coverage became %v", back)
	}
	// Nothing recorded is nothing known, not "no".
	w.answer = &patientv1.GetMatchingProfileResponse{AgeYears: 47}
	if p, err = New(w).Profile(person(t), "pat_1", "LIVER"); err != nil || p.Consented || p.Patient.Recorded || p.Patient.BMI != nil || p.Patient.Tumour != nil {
		t.Errorf("%v %+v", err, p)
	}
}

// What a record tells of an infection reaches the policies, by flag or by test; antibodies alone, and whatever is neither
// positive nor negative, are not known.
func TestInfections(t *testing.T) {
	const (
		positive = patientv1.TestOutcome_TEST_OUTCOME_POSITIVE
		negative = patientv1.TestOutcome_TEST_OUTCOME_NEGATIVE
		neither  = patientv1.TestOutcome_TEST_OUTCOME_INDETERMINATE
	)
	yes, no := proto.Bool(true), proto.Bool(false)
	for _, test := range []struct {
		name string
		of   *patientv1.Clinical
		want string
	}{
		{"nothing", &patientv1.Clinical{}, ""},
		{"flags", &patientv1.Clinical{ActiveInfection: no, HbvPositive: yes, HcvPositive: no, HivPositive: no}, "active=false hiv=false HBV=true HCV=false"},
		{"tests", &patientv1.Clinical{Serology: &patientv1.Serology{HbsAg: positive, HcvRna: negative, Hiv: positive, CmvDna: positive, EbvDna: negative, Syphilis: positive}}, "hiv=true CMV=true EBV=false HBV=true HCV=false SYPHILIS=true"},
		{"no virus found any more", &patientv1.Clinical{HbvPositive: yes, Serology: &patientv1.Serology{HbvDnaIuMl: proto.Float64(0)}}, "HBV=treated"},
		{"virus found", &patientv1.Clinical{HbvPositive: yes, Serology: &patientv1.Serology{HbvDnaIuMl: proto.Float64(40)}}, "HBV=true"},
		{"antibodies alone", &patientv1.Clinical{Serology: &patientv1.Serology{HcvAb: positive, CmvIgg: positive, EbvIgg: positive, Tuberculosis: positive}}, ""},
		{"no antibodies", &patientv1.Clinical{Serology: &patientv1.Serology{HcvAb: negative, CmvIgg: negative, EbvIgg: negative, Tuberculosis: negative}}, "CMV=false EBV=false HCV=false TB=false"},
		{"active tuberculosis", &patientv1.Clinical{Serology: &patientv1.Serology{TuberculosisActive: yes}}, "active=true TB=true"},
		{"latent tuberculosis", &patientv1.Clinical{Serology: &patientv1.Serology{Tuberculosis: positive, TuberculosisActive: no}}, "TB=false"},
		{"indeterminate", &patientv1.Clinical{Serology: &patientv1.Serology{HbsAg: neither, Hiv: neither, Syphilis: neither, CmvDna: neither}}, ""},
	} {
		p := profileFrom(&patientv1.GetMatchingProfileResponse{Record: &patientv1.ClinicalRecord{Clinical: test.of}}, "KIDNEY").Patient
		var got []string
		for name, known := range map[string]*bool{"active": p.ActiveInfection, "hiv": p.HIV} {
			if known != nil {
				got = append(got, fmt.Sprintf("%s=%v", name, *known))
			}
		}
		slices.Sort(got)
		for _, name := range slices.Sorted(maps.Keys(p.Infections)) {
			if i := p.Infections[name]; i.Treated {
				got = append(got, name+"=treated")
			} else {
				got = append(got, fmt.Sprintf("%s=%v", name, i.Positive))
			}
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: %v, want %s", test.name, got, test.want)
		}
	}
}

// A transplant told of by the list alone was one, and what the record needs of a program is asked for.
func TestHistoryAndNeeds(t *testing.T) {
	p := profileFrom(&patientv1.GetMatchingProfileResponse{Record: &patientv1.ClinicalRecord{Clinical: &patientv1.Clinical{
		TransplantHistory: []*patientv1.TransplantHistory{{Organ: organ("KIDNEY")}}, AcceptsAboIncompatible: true, NeedsAboIncompatible: true,
	}}}, "KIDNEY").Patient
	if p.PreviousTransplants != 1 || !p.NeedsABOIncompat || !p.AcceptsABOIncompat {
		t.Errorf("%+v", p)
	}
}

// Every gap that blames the clinical record names a field that a record has.
func TestGapsNameFields(t *testing.T) {
	file := directory.Sample()
	at := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	candidates := []ranking.Candidate{}
	for _, c := range file.Centers(at) {
		for i := range c.Programs {
			c.Programs[i].Criteria.MaxBMI, c.Programs[i].Criteria.HCCSet = proto.Float64(30), "HANGZHOU"
			c.Programs[i].Criteria.Infections = map[string]string{}
			for _, infection := range directory.Infections {
				c.Programs[i].Criteria.Infections[infection] = directory.Excludes
			}
		}
		candidates = append(candidates, ranking.Candidate{Center: c})
	}
	yes, total := true, []float64{5, 5}
	others := map[string]bool{ // of the directory and the other services
		"capacity": true, "door_to_door_minutes": true, "estimated_self_pay": true, "median_wait_days": true, "survival_tier": true, "free_beds": true, "clinical": true,
	}
	seen := 0
	for _, tumour := range []*ranking.Tumour{nil, {Present: &yes}, {Present: &yes, NodulesCm: total}} {
		in := ranking.Input{At: at, Organ: "LIVER", Patient: ranking.Patient{Age: 40, Tumour: tumour}, Candidates: candidates}
		for _, g := range ranking.Rank(in, ranking.Embedded()[0]).Missing {
			if others[g.Datum] {
				continue
			}
			for path := range strings.SplitSeq(g.Datum, ", ") {
				seen++
				m := (&patientv1.Clinical{}).ProtoReflect().Descriptor()
				for name := range strings.SplitSeq(path, ".") {
					f := m.Fields().ByName(protoreflect.Name(name))
					if f == nil {
						t.Errorf("no field %q", path)
						break
					}
					m = f.Message()
				}
			}
		}
	}
	if seen < 30 {
		t.Errorf("only %d gaps", seen)
	}
}

func TestTravelAndBeds(t *testing.T) {
	w := &wire{answer: &transferv1.EstimateTravelResponse{Estimates: []*transferv1.TravelEstimate{{City: "310100", Minutes: proto.Int32(185)}, {City: "440100"}}}}
	minutes, err := New(w).Travel(person(t), "340100", []string{"310100", "440100"}, matching.Fitness{Stretcher: true})
	if err != nil || minutes["310100"] != 185 || minutes["440100"] != -1 || len(minutes) != 2 {
		t.Errorf("%v %v", minutes, err)
	}
	w.check(t, "transfer/000000", &transferv1.EstimateTravelRequest{
		OriginCity: "340100", DestinationCities: []string{"310100", "440100"}, Fitness: &transferv1.FitnessToTravel{Stretcher: true},
	})
	w.answer = &transferv1.CountFreeResponse{Free: []int32{2}}
	if _, err := New(w).FreeBeds(person(t), []string{"C-SH-01", "C-SH-02"}, time.Unix(0, 0), time.Unix(1, 0)); err == nil {
		t.Error("half an answer passed")
	}
	if free, err := New(w).FreeBeds(person(t), []string{"C-SH-01"}, time.Unix(0, 0), time.Unix(1, 0)); err != nil || free["C-SH-01"] != 2 {
		t.Errorf("%v %v", free, err)
	}
}

func TestBills(t *testing.T) {
	share := func(p settlementv1.Payer, fen int64) *settlementv1.Share {
		return &settlementv1.Share{Payer: p, Amount: &moneyv1.Money{Fen: fen}}
	}
	w := &wire{answer: &settlementv1.EstimateBillResponse{Estimates: []*settlementv1.Estimate{
		{Province: "310000", DirectSettlement: true, Split: &settlementv1.Split{Shares: []*settlementv1.Share{
			share(settlementv1.Payer_PAYER_BASIC, 700), share(settlementv1.Payer_PAYER_CASH, 200), share(settlementv1.Payer_PAYER_PERSONAL_ACCOUNT, 100),
		}}},
		{Province: "320000"},
	}}}
	bills, err := New(w).Bills(person(t), "pat_1", "LIVER", matching.Coverage{Province: "340000", Scheme: "RESIDENT"}, []string{"310000", "320000"})
	if err != nil || w.to != "settlement/340000" || !bills["310000"].Direct || *bills["310000"].SelfPay != 300 || bills["320000"].SelfPay != nil || bills["320000"].Direct {
		t.Errorf("%v %v of %s", bills, err, w.to)
	}
}

func TestHold(t *testing.T) {
	day := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	at := func(days int) *timestamppb.Timestamp { return timestamppb.New(day.AddDate(0, 0, days)) }
	w := &wire{answer: &transferv1.HoldResourcesResponse{Hold: &transferv1.Hold{HoldId: "hld_1"}}}
	hold, err := New(w).Hold(person(t), "hold-off_1-1", matching.HoldAsk{
		ReferralID: "ref_1", CenterID: "C-SH-01", BedFrom: day, BedTo: day.AddDate(0, 0, 21), TheatreFrom: day.AddDate(0, 0, 1), Until: day.AddDate(0, 0, 2),
		Expires: day.AddDate(0, 0, 3),
	})
	if err != nil || hold != "hld_1" {
		t.Fatalf("%s %v", hold, err)
	}
	w.check(t, "transfer/000000", &transferv1.HoldResourcesRequest{
		RequestId: "hold-off_1-1", ReferralId: "ref_1", Organisation: "C-SH-01", ExpireTime: at(3), Needs: []*transferv1.Need{
			{Organisation: "C-SH-01", Kind: transferv1.ResourceKind_RESOURCE_KIND_BED, StartTime: at(0), EndTime: at(21)},
			{Organisation: "C-SH-01", Kind: transferv1.ResourceKind_RESOURCE_KIND_OPERATING_ROOM, StartTime: at(1), EndTime: at(2)},
		},
	})
	w.answer = &transferv1.HoldResourcesResponse{}
	if _, err := New(w).Hold(person(t), "hold-off_1-1", matching.HoldAsk{}); err == nil {
		t.Error("a hold without an id passed")
	}
	w.answer = &transferv1.ReleaseHoldResponse{}
	if err := New(w).Release(person(t), "release-hld_1", "hld_1", "closed"); err != nil {
		t.Error(err)
	}
	w.check(t, "transfer/000000", &transferv1.ReleaseHoldRequest{RequestId: "release-hld_1", HoldId: "hld_1", Reason: "closed"})
}

func TestTell(t *testing.T) {
	at := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	w := &wire{answer: &referralv1.RecordCaseEventResponse{}}
	err := New(w).Tell(person(t), "evt-off_1-ACCEPTED", matching.Event{
		Kind: "ACCEPTED", OccurredAt: at, Organisation: "C-SH-01", Subject: "staff-1", OfferID: "off_1", ReferralID: "ref_1", CenterID: "C-SH-01",
		CenterCity: "310100", HoldID: "hld_1", Admission: at.Add(time.Hour), ExpiresAt: at.Add(2 * time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.check(t, "referral/000000", &referralv1.RecordCaseEventRequest{
		RequestId: "evt-off_1-ACCEPTED", ReferralId: "ref_1", OccurTime: timestamppb.New(at), ActorOrganisation: "C-SH-01", ActorSubject: "staff-1",
		Event: &referralv1.RecordCaseEventRequest_Offer{Offer: &referralv1.OfferEvent{
			OfferId: "off_1", CenterId: "C-SH-01", CenterCity: "310100", Kind: "ACCEPTED", HoldId: "hld_1",
			AdmissionTime: timestamppb.New(at.Add(time.Hour)), ExpireTime: timestamppb.New(at.Add(2 * time.Hour)),
		}},
	})
}
