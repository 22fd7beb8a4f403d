package access_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	accessv1 "huhang.example/gen/huhang/access/v1"
	_ "huhang.example/gen/huhang/matching/v1"
	_ "huhang.example/gen/huhang/patient/v1"
	_ "huhang.example/gen/huhang/referral/v1"
	_ "huhang.example/gen/huhang/settlement/v1"
	_ "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
)

const getPatient = "/huhang.patient.v1.PatientService/GetPatient"

// Every RPC of the line must say who may call it: one that forgets is refused for everybody, and this test names it.
func TestEveryMethodDeclaresARule(t *testing.T) {
	methods := 0
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		if !strings.HasPrefix(string(file.Package()), "huhang.") {
			return true
		}
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				methods++
				name := "/" + string(service.FullName()) + "/" + string(service.Methods().Get(j).Name())
				rule, ok := access.RuleOf(name)
				if !ok || len(rule.GetRoles()) == 0 {
					t.Errorf("%s declares no rule", name)
				}
			}
		}
		return true
	})
	if methods == 0 {
		t.Fatal("no method was looked at")
	}
}

func TestCheck(t *testing.T) {
	coordinator := access.Caller{Subject: "li", Organisation: "H-HF-01", Roles: []access.Role{access.Coordinator}}
	agency := access.Caller{Subject: "wu", Organisation: "A-340000", Roles: []access.Role{access.Agency}}
	if err := access.Check(coordinator, getPatient); err != nil {
		t.Fatalf("a coordinator: %v", err)
	}
	denied := map[string]struct {
		caller access.Caller
		method string
	}{
		"wrong role":       {agency, getPatient},
		"nobody":           {access.Caller{}, getPatient},
		"unspecified role": {access.Caller{Subject: "x", Roles: []access.Role{"UNSPECIFIED", ""}}, getPatient},
		"no rule":          {coordinator, "/grpc.health.v1.Health/Check"},
		"unknown method":   {coordinator, "/huhang.patient.v1.PatientService/Nothing"},
		"not a method":     {coordinator, "/huhang.patient.v1/PatientService"},
		"no slash":         {coordinator, "GetPatient"},
	}
	for name, test := range denied {
		t.Run(name, func(t *testing.T) {
			err := access.Check(test.caller, test.method)
			if f, ok := fault.As(err); !ok || f.Code != fault.PermissionDenied || f.Reason != fault.RightMissing {
				t.Fatalf("got %v, want PERMISSION_DENIED RIGHT_MISSING", err)
			}
		})
	}
}

func TestNotVisibleLooksAbsent(t *testing.T) {
	if a, b := access.NotVisible("patient", "pat_1").Error(), fault.NotFoundf("patient", "pat_1").Error(); a != b {
		t.Fatalf("%q differs from %q", a, b)
	}
}

func TestEncodeDecode(t *testing.T) {
	want := access.Caller{
		Subject: "u-7", Organisation: "A-340000", Province: "340000", Roles: []access.Role{access.Agency, access.Operations},
	}
	text, err := access.Encode(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := access.Decode(text)
	if err != nil || got.Subject != want.Subject || got.Organisation != want.Organisation || got.Province != want.Province ||
		len(got.Roles) != 2 || !got.Has(access.Agency) || !got.Has(access.Operations) {
		t.Fatalf("got %+v, %v", got, err)
	}
	for _, role := range []access.Role{access.Service, access.Public, "", "UNSPECIFIED", "ADMIN"} {
		if _, err := access.Encode(access.Caller{Subject: "x", Roles: []access.Role{role}}); err == nil {
			t.Errorf("role %q is passed on", role)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	bad := map[string]*accessv1.Caller{
		"nobody":                 {},
		"service role":           {Subject: "x", Roles: []accessv1.Role{accessv1.Role_ROLE_SERVICE}},
		"service name":           {Subject: "x", Service: "referral"},
		"unspecified role":       {Subject: "x", Roles: []accessv1.Role{0}},
		"unknown role":           {Subject: "x", Roles: []accessv1.Role{99}},
		"long subject":           {Subject: strings.Repeat("x", 129)},
		"organisation in spaces": {Subject: "x", Organisation: "H HF"},
		"malformed province":     {Subject: "x", Province: "34"},
		"many roles":             {Subject: "x", Roles: make([]accessv1.Role, 9)},
	}
	for name, message := range bad {
		t.Run(name, func(t *testing.T) {
			text, err := proto.Marshal(message)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := access.Decode(string(text)); err == nil {
				t.Fatalf("accepted as %+v", got)
			}
		})
	}
	if _, err := access.Decode("\xff"); err == nil {
		t.Fatal("accepted bytes that are no message")
	}
}

func FuzzDecode(f *testing.F) {
	text, err := access.Encode(access.Caller{Subject: "u-7", Organisation: "H-HF-01", Roles: []access.Role{access.Center}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text string) {
		caller, err := access.Decode(text)
		if err == nil && (!caller.Known() || caller.Has(access.Service)) {
			t.Fatalf("accepted %+v", caller)
		}
	})
}
