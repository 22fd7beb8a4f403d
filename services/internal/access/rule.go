package access

import (
	"slices"
	"strings"
	"sync"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	accessv1 "huhang.example/gen/huhang/access/v1"
	"huhang.example/services/internal/fault"
)

// rules holds what RuleOf found. Only declared methods enter it, so callers cannot make it grow.
var rules sync.Map // full method -> *accessv1.Rule

// RuleOf returns the rule declared on a method such as "/huhang.patient.v1.PatientService/GetPatient"; false when the
// method is not known or declares none.
func RuleOf(fullMethod string) (*accessv1.Rule, bool) {
	if known, ok := rules.Load(fullMethod); ok {
		return known.(*accessv1.Rule), true
	}
	method, ok := Method(fullMethod)
	if !ok || !proto.HasExtension(method.Options(), accessv1.E_Rule) {
		return nil, false
	}
	rule, ok := proto.GetExtension(method.Options(), accessv1.E_Rule).(*accessv1.Rule)
	if !ok || rule == nil {
		return nil, false
	}
	rules.Store(fullMethod, rule)
	return rule, true
}

// Method returns the descriptor of a method by its full gRPC name.
func Method(fullMethod string) (protoreflect.MethodDescriptor, bool) {
	service, name, ok := strings.Cut(strings.TrimPrefix(fullMethod, "/"), "/")
	if !ok || strings.Contains(name, "/") {
		return nil, false
	}
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(service + "." + name))
	if err != nil {
		return nil, false
	}
	method, ok := found.(protoreflect.MethodDescriptor)
	return method, ok
}

// Check refuses the caller who holds none of the method's roles, and everybody where no rule is declared.
func Check(caller Caller, fullMethod string) error {
	rule, ok := RuleOf(fullMethod)
	if ok && slices.ContainsFunc(rule.GetRoles(), func(r accessv1.Role) bool { return r != 0 && caller.Has(fromProtoRole(r)) }) {
		return nil
	}
	return fault.New(fault.PermissionDenied, fault.RightMissing, "",
		"Your roles do not include this right.", "您的角色没有此项权限。")
}

// NotVisible is the answer for a record the caller may not see: the very one for a record that does not exist.
func NotVisible(kind, id string) *fault.Fault { return fault.NotFoundf(kind, id) }
