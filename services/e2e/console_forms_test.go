package e2e

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"

	accessv1 "huhang.example/gen/huhang/access/v1"
)

// form is a call as the console's own list tells it.
type form struct {
	RPC, Verb, Path string
	View, Etag      bool
	Roles, Sends    []string
	Wordless        []string
	Fields          []field
}

type field struct {
	Name      string
	Chosen    bool // from a list, so that nobody types it
	MaxLength uint64
	Values    []string
}

// elsewhere are the changes to what pages show that the console leaves to others, and to whom.
var elsewhere = map[string]string{
	"ReportPosition": "vehicles report it", "AddFeeLines": "the bill's own form", "PreSettle": "the bill's own button", "WithdrawDocument": "the documents' own form",
	"UpdatePatient": "hospitals' own systems",
	"RevokeAccess":  "the case's own jobs",
}

// ofThePages are the addresses of the records that pages show, of a case's first, and those where such a record begins.
var ofThePages = regexp.MustCompile(`^/v1/((referrals|offers|transfers|claims|patients|filings|resources|holds|loans|quotas|centers|clearing|supervision/hits|webhook-endpoints|webhook-deliveries)/\{|` +
	`(transfers|transfers:back|claims|filings|preauthorisations|resources|holds|holds:own|holds:override|loans|quotas)$)`)

// formsFitTheContract compares every call that the console can send with the protos: its address and verb, the fields it
// sends, their longest text and their choices, who may; and no change to what a page shows is without a form.
func formsFitTheContract(p *person) {
	t := p.t
	t.Helper()
	var forms []form
	p.run(chromedp.Evaluate("import(new URL('case/calls.js', document.querySelector('script[type=module]').src)).then((m) => m.catalogue())", &forms,
		func(e *runtime.EvaluateParams) *runtime.EvaluateParams { return e.WithAwaitPromise(true) }))
	byName := map[string]form{}
	for _, f := range forms {
		byName[f.RPC] = f
		if len(f.Wordless) > 0 {
			t.Errorf("%s: no words for %q", f.RPC, f.Wordless)
		}
	}
	methods(func(m protoreflect.MethodDescriptor, verb, path string, roles []accessv1.Role) {
		name := string(m.Name())
		f, has := byName[name]
		delete(byName, name)
		people := slices.ContainsFunc(roles, func(r accessv1.Role) bool {
			return r == accessv1.Role_ROLE_COORDINATOR || r == accessv1.Role_ROLE_CENTER || r == accessv1.Role_ROLE_OPERATIONS ||
				r == accessv1.Role_ROLE_AGENCY
		})
		if !has {
			if ofThePages.MatchString(path) && people && verb != http.MethodGet && elsewhere[name] == "" {
				t.Errorf("%s %s changes what a page shows and has no form", verb, path)
			}
			return
		}
		if f.Verb != verb || f.Path != path {
			t.Errorf("%s: %s %s, the contract says %s %s", name, f.Verb, f.Path, verb, path)
		}
		for _, role := range f.Roles {
			if !slices.Contains(roles, accessv1.Role(accessv1.Role_value["ROLE_"+strings.ToUpper(role)])) {
				t.Errorf("%s is shown to a %s, who may not", name, role)
			}
		}
		in := m.Input()
		if !f.View && f.Etag != (in.Fields().ByName("etag") != nil) && !strings.Contains(name, "Clinical") {
			t.Errorf("%s: a version sent: %v", name, f.Etag)
		}
		for _, sent := range f.Sends {
			if fieldAt(in, sent) == nil {
				t.Errorf("%s sends %s, which the contract does not have", name, sent)
			}
		}
		for _, shown := range f.Fields {
			checkField(p, name, fieldAt(in, shown.Name), shown)
		}
	})
	for name := range byName {
		t.Errorf("%s is no call of the contract", name)
	}
}

func checkField(p *person, call string, d protoreflect.FieldDescriptor, shown field) {
	p.t.Helper()
	if d == nil {
		return
	}
	rules, _ := proto.GetExtension(d.Options(), validate.E_Field).(*validate.FieldRules)
	if most := rules.GetString().GetMaxLen(); d.Kind() == protoreflect.StringKind && !d.IsList() && most != shown.MaxLength && most != 0 && !shown.Chosen {
		p.t.Errorf("%s.%s takes %d characters, the form %d", call, shown.Name, most, shown.MaxLength)
	}
	for _, choice := range shown.Values {
		allowed := rules.GetString().GetIn()
		switch {
		case d.Kind() == protoreflect.EnumKind && d.Enum().Values().ByName(protoreflect.Name(choice)) == nil:
			p.t.Errorf("%s.%s offers %s, which is no value of %s", call, shown.Name, choice, d.Enum().Name())
		case len(allowed) > 0 && !slices.Contains(allowed, choice):
			p.t.Errorf("%s.%s offers %s, which is refused", call, shown.Name, choice)
		}
	}
}

// fieldAt finds a field such as "handOver.items" of a message; nil: there is none.
func fieldAt(m protoreflect.MessageDescriptor, path string) (field protoreflect.FieldDescriptor) {
	for name := range strings.SplitSeq(path, ".") {
		if m == nil {
			return nil
		}
		if field = m.Fields().ByJSONName(name); field == nil {
			return nil
		}
		m = field.Message()
	}
	return field
}

// methods calls see with every RPC that REST has.
func methods(see func(m protoreflect.MethodDescriptor, verb, path string, roles []accessv1.Role)) {
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				m := service.Methods().Get(j)
				binding, _ := proto.GetExtension(m.Options(), annotations.E_Http).(*annotations.HttpRule)
				rule, _ := proto.GetExtension(m.Options(), accessv1.E_Rule).(*accessv1.Rule)
				if binding == nil || rule == nil {
					continue
				}
				for verb, path := range map[string]string{http.MethodGet: binding.GetGet(), http.MethodPost: binding.GetPost(), http.MethodPut: binding.GetPut(), http.MethodPatch: binding.GetPatch()} {
					if path != "" {
						see(m, verb, path, rule.GetRoles())
					}
				}
			}
		}
		return true
	})
}
