package route

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	accessv1 "huhang.example/gen/huhang/access/v1"
	// Linked in, so that their methods and rules are known to the process's registry.
	_ "huhang.example/gen/huhang/matching/v1"
	_ "huhang.example/gen/huhang/patient/v1"
	_ "huhang.example/gen/huhang/referral/v1"
	_ "huhang.example/gen/huhang/settlement/v1"
	_ "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
)

// Settlement is the one service that is deployed per province.
const Settlement = "settlement"

// Services are the services behind the gateway, by their names in discovery.
func Services() []string { return []string{"patient", "matching", "transfer", Settlement, "referral"} }

// Target is where a method is served.
type Target struct {
	Service string
	Method  protoreflect.MethodDescriptor
	// Public says that somebody other than a service of the line may call it.
	Public bool
}

// Find returns the target of a full method name such as "/huhang.patient.v1.PatientService/GetPatient"; false for
// whatever is no method of the line.
func Find(fullMethod string) (Target, bool) {
	if !strings.HasPrefix(fullMethod, "/") {
		return Target{}, false
	}
	method, ok := access.Method(fullMethod)
	if !ok {
		return Target{}, false
	}
	parts := strings.Split(string(method.ParentFile().Package()), ".")
	if len(parts) != 3 || parts[0] != "huhang" || parts[2] != "v1" || !slices.Contains(Services(), parts[1]) {
		return Target{}, false
	}
	return Target{Service: parts[1], Method: method, Public: public(fullMethod)}, true
}

func public(fullMethod string) bool {
	rule, ok := access.RuleOf(fullMethod)
	return ok && slices.ContainsFunc(rule.GetRoles(), func(r accessv1.Role) bool {
		return r != accessv1.Role_ROLE_UNSPECIFIED && r != accessv1.Role_ROLE_SERVICE
	})
}

// NoSuchMethod is the answer for a method that the line does not have.
func NoSuchMethod() *fault.Fault {
	return fault.New(fault.Unimplemented, fault.ReasonNotFound, "",
		"There is no such method.", "没有此方法。").
		Do("Compare the name with the published API.", "请对照已公布的接口核对方法名。")
}
