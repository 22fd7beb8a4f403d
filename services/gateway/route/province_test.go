package route_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	patientv1 "huhang.example/gen/huhang/patient/v1"
	settlementv1 "huhang.example/gen/huhang/settlement/v1"
	"huhang.example/services/gateway/route"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/place"
)

const ulid = "01jd0000000000000000000000"

func TestProvince(t *testing.T) {
	tests := []struct {
		name      string
		request   proto.Message
		otherwise string
		want      string
		reason    fault.Reason
		field     string
	}{
		{"the field", &settlementv1.ListPoliciesRequest{Province: "340000"}, "", "340000", "", ""},
		{"the field, not the default", &settlementv1.ListPoliciesRequest{Province: "340000"}, "310000", "340000", "", ""},
		{"an estimate's insured province", &settlementv1.EstimateBillRequest{Province: "360000", TreatmentProvinces: []string{"310000"}}, "", "360000", "", ""},
		{"the treatment province of a claim to open", &settlementv1.OpenClaimRequest{Province: "310000", InsuredProvince: "340000"}, "", "310000", "", ""},
		{"a claim", &settlementv1.GetClaimRequest{ClaimId: "clm_310000_" + ulid}, "", "310000", "", ""},
		{"a filing", &settlementv1.GetFilingRequest{FilingId: "fil_340000_" + ulid}, "", "340000", "", ""},
		{"the national clearing center", &settlementv1.GetNetRequest{Province: "100000"}, "", "100000", "", ""},
		{"empty", &settlementv1.ListPoliciesRequest{}, "", "", fault.FieldInvalid, "province"},
		{"empty, with a default", &settlementv1.ListPoliciesRequest{}, "310000", "", fault.FieldInvalid, "province"},
		{"a city", &settlementv1.ListPoliciesRequest{Province: "340100"}, "", "", fault.FieldInvalid, "province"},
		{"no such province", &settlementv1.ListPoliciesRequest{Province: "990000"}, "", "", fault.ProvinceNotServed, "province"},
		{"a claim of no such province", &settlementv1.GetClaimRequest{ClaimId: "clm_990000_" + ulid}, "", "", fault.ProvinceNotServed, "claim_id"},
		{"a claim's id cut short", &settlementv1.GetClaimRequest{ClaimId: "clm_310000_"}, "", "", fault.FieldInvalid, "claim_id"},
		{"a filing for a claim", &settlementv1.GetClaimRequest{ClaimId: "fil_310000_" + ulid}, "", "", fault.FieldInvalid, "claim_id"},
		{"a request that names none", &patientv1.GetPatientRequest{}, "", "", fault.ProvinceNotServed, "province"},
		{"a request that names none, with a default", &patientv1.GetPatientRequest{}, "310000", "310000", "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := route.Province(test.request.ProtoReflect(), test.otherwise)
			if test.reason == "" {
				if err != nil || got != test.want {
					t.Fatalf("got %q, %v", got, err)
				}
				return
			}
			f, ok := fault.As(err)
			if !ok || f.Reason != test.reason || f.Field != test.field || got != "" {
				t.Fatalf("got %q, %v", got, err)
			}
		})
	}
}

func TestFind(t *testing.T) {
	for method, want := range map[string]string{
		settlementv1.SettlementService_GetClaim_FullMethodName:     "settlement public",
		settlementv1.InsuredPlaceService_QuoteSplit_FullMethodName: "settlement",
		patientv1.PatientService_GetPatient_FullMethodName:         "patient public",
		"huhang.patient.v1.PatientService/GetPatient":              "",
		"/huhang.patient.v1.PatientService/Nothing":                "",
		"/huhang.patient.v1.PatientService/GetPatient/x":           "",
		"/huhang.patient.v1/GetPatientRequest":                     "",
		"/grpc.health.v1.Health/Check":                             "",
		"/google.protobuf/Any":                                     "",
		"":                                                         "", "/": "", "//": "",
	} {
		got := ""
		if target, ok := route.Find(method); ok {
			got = target.Service
			if target.Public {
				got += " public"
			}
		}
		if got != want {
			t.Errorf("%q is %q", method, got)
		}
	}
}

// What is chosen is always a province of the country, and the one that the request names.
func FuzzProvince(f *testing.F) {
	for _, seed := range []string{"310000", "clm_310000_" + ulid, "fil_340000_" + ulid, "", "clm_", "9", "clm_310000_" + ulid + "\n", "省"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, request := range []proto.Message{
			&settlementv1.ListPoliciesRequest{Province: text}, &settlementv1.GetClaimRequest{ClaimId: text}, &settlementv1.GetFilingRequest{FilingId: text},
		} {
			got, err := route.Province(request.ProtoReflect(), "")
			if err != nil {
				if fa, ok := fault.As(err); !ok || got != "" || strings.Contains(fault.Status(fa).Message(), text) && len(text) > 20 {
					t.Fatalf("%q: %q, %v", text, got, err)
				}
				continue
			}
			if _, ok := place.Province(got); !ok && got != "100000" || !strings.Contains(text, got) {
				t.Fatalf("%q goes to %q", text, got)
			}
		}
	})
}
