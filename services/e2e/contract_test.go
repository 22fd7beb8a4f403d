package e2e

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	accessv1 "huhang.example/gen/huhang/access/v1"
	_ "huhang.example/gen/huhang/matching/v1"
	_ "huhang.example/gen/huhang/settlement/v1"
	_ "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/sqldb/sqldbtest"
)

// eachMethod visits every RPC of the line.
func eachMethod(visit func(protoreflect.MethodDescriptor)) {
	protoregistry.GlobalFiles.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		if strings.HasPrefix(string(f.Package()), "huhang.") {
			for i := range f.Services().Len() {
				for j := range f.Services().Get(i).Methods().Len() {
					visit(f.Services().Get(i).Methods().Get(j))
				}
			}
		}
		return true
	})
}

// Every RPC has a rule; every mutation has a key under which it happens once.
func TestEveryMethodIsGuarded(t *testing.T) {
	count := 0
	eachMethod(func(m protoreflect.MethodDescriptor) {
		count++
		options, _ := m.Options().(*descriptorpb.MethodOptions)
		rule, _ := proto.GetExtension(options, accessv1.E_Rule).(*accessv1.Rule)
		if len(rule.GetRoles()) == 0 {
			t.Errorf("%s has no rule: nobody may call it", m.FullName())
		}
		if options.GetIdempotencyLevel() == descriptorpb.MethodOptions_NO_SIDE_EFFECTS {
			return
		}
		if m.Input().Fields().ByName("request_id") == nil && m.Input().Fields().ByName("message_id") == nil {
			t.Errorf("%s changes something and has neither request_id nor message_id", m.FullName())
		}
	})
	if count < 60 {
		t.Errorf("only %d RPCs were seen", count)
	}
}

// ofADonor is how anything of a donor, or of an organ's allocation, would be named.
var ofADonor = regexp.MustCompile(`(?i)(^|_)(donors?|deceased|brain_death|procurements?|cold_ischa?emia|organ_allocations?|allocate_organs?|organ_offers?)($|_)|match_run_position|waiting_list_rank|waitlist`)

// A route or a criterion of the recipient's side, which says nothing of a person who gives.
var ofTheRecipient = map[string]bool{"living_donor_route": true, "living_donor": true}

// The line allocates no organ and holds no donor data: no service, call, message, field or enum value can hold any.
func TestNothingOfADonor(t *testing.T) {
	check := func(name protoreflect.Name, full protoreflect.FullName) {
		snake := regexp.MustCompile(`([a-z])([A-Z])`).ReplaceAllString(string(name), "${1}_${2}")
		if ofADonor.MatchString(snake) && !ofTheRecipient[string(name)] {
			t.Errorf("%s", full)
		}
	}
	eachMethod(func(m protoreflect.MethodDescriptor) {
		check(m.Parent().Name(), m.Parent().FullName())
		check(m.Name(), m.FullName())
	})
	var message func(m protoreflect.MessageDescriptor)
	message = func(m protoreflect.MessageDescriptor) {
		check(m.Name(), m.FullName())
		for i := range m.Fields().Len() {
			check(m.Fields().Get(i).Name(), m.Fields().Get(i).FullName())
		}
		for i := range m.Messages().Len() {
			message(m.Messages().Get(i))
		}
	}
	protoregistry.GlobalFiles.RangeFiles(func(f protoreflect.FileDescriptor) bool {
		if !strings.HasPrefix(string(f.Package()), "huhang.") {
			return true
		}
		for i := range f.Messages().Len() {
			message(f.Messages().Get(i))
		}
		for i := range f.Enums().Len() {
			for j := range f.Enums().Get(i).Values().Len() {
				check(f.Enums().Get(i).Values().Get(j).Name(), f.Enums().Get(i).Values().Get(j).FullName())
			}
		}
		return true
	})
	for name, seen := range map[string]bool{
		"donor_age": true, "Organ_Offer": true, "deceased": true, "cold_ischemia": true, "organ_allocation": true, "donation": false, "offer": false, "assignment": false,
	} {
		if ofADonor.MatchString(name) != seen {
			t.Errorf("the pattern judges %s wrong", name)
		}
	}
}

// No table and no column either, in any service's database.
func TestNoTableOfADonor(t *testing.T) {
	files, err := filepath.Glob("../*/store/migrations/*.sql")
	if err != nil || len(files) < 15 {
		t.Fatalf("%d migrations: %v", len(files), err)
	}
	word := regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_]*`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			sql, _, _ := strings.Cut(line, "--")
			for _, name := range word.FindAllString(sql, -1) {
				if ofADonor.MatchString(name) {
					t.Errorf("%s: %s", file, name)
				}
			}
		}
	}
}

// Every REST binding refuses a caller without a token, and one whose roles have no right to it.
func TestEveryBindingIsGuarded(t *testing.T) {
	l := start(t, &devLine{state: t.TempDir()})
	roles := map[accessv1.Role][3]string{
		accessv1.Role_ROLE_COORDINATOR: {"H-HF-01", "coordinator", ""}, accessv1.Role_ROLE_CENTER: {"C-SH-01", "center", ""},
		accessv1.Role_ROLE_OPERATIONS: {"OPS", "operations", ""}, accessv1.Role_ROLE_AGENCY: {"A-340000", "agency", "340000"},
	}
	ids := strings.NewReplacer(
		"{patient_id}", "pat_00000000000000000000000000", "{referral_id}", "ref_00000000000000000000000000", "{offer_id}", "off_00000000000000000000000000",
		"{assignment_id}", "asg_00000000000000000000000000",
		"{transfer_id}", "trf_00000000000000000000000000", "{hold_id}", "hld_00000000000000000000000000", "{match_run_id}", "mat_00000000000000000000000000",
		"{resource_id}", "res_00000000000000000000000000", "{quota_id}", "quo_00000000000000000000000000", "{loan_id}", "loa_00000000000000000000000000",
		"{claim_id}", "clm_310000_00000000000000000000000000", "{filing_id}", "fil_340000_00000000000000000000000000", "{center_id}", "C-SH-01",
		"{preauthorisation_id}", "pre_340000_00000000000000000000000000", "{hit_id}", "hit_340000_00000000000000000000000000",
		"{timetable_id}", "ttv_00000000000000000000000000",
		"{document_id}", "doc_00000000000000000000000000", "{result_id}", "rst_00000000000000000000000000",
		"{province}", "340000", "{month}", "2026-10", "{treatment_province}", "310000", "{task_id}", "tsk_0", "{dispute_id}", "dsp_00000000000000000000000000",
		"{endpoint_id}", "whe_00000000000000000000000000", "{delivery_id}", "msg_00000000000000000000000000",
		"{remittance_id}", "rmt_00000000000000000000000000",
		"{organ}", "ORGAN_LIVER", "{clinical.organ}", "ORGAN_LIVER", "{kind}", "WORKLIST_KIND_LISTED",
	)
	bindings := 0
	eachMethod(func(m protoreflect.MethodDescriptor) {
		options, _ := m.Options().(*descriptorpb.MethodOptions)
		rest, _ := proto.GetExtension(options, annotations.E_Http).(*annotations.HttpRule)
		if rest == nil || rest.GetPattern() == nil {
			return
		}
		bindings++
		verb, path := pattern(rest)
		if path = ids.Replace(path); strings.Contains(path, "{") {
			t.Errorf("%s: no sample id for %s", m.FullName(), path)
			return
		}
		if f := m.Input().Fields().ByName("province"); f != nil && verb == http.MethodGet && !strings.Contains(path, "340000") {
			path += "?province=340000"
		}
		rule, _ := proto.GetExtension(options, accessv1.E_Rule).(*accessv1.Rule)
		status, _ := plain(t, l, verb, path, "", m.Input())
		if status != http.StatusUnauthorized {
			t.Errorf("%s %s without a token: HTTP %d", verb, path, status)
		}
		for role, who := range roles {
			if has(rule, role) {
				continue
			}
			token := l.as(t, who[0], who[1], who[2]).Token
			var status int
			var text string
			sqldbtest.Eventually(t, "a call within the caller's rate", func() bool {
				status, text = plain(t, l, verb, path, token, m.Input())
				return status != http.StatusTooManyRequests
			})
			if status != http.StatusForbidden || !strings.Contains(text, "RIGHT_MISSING") {
				t.Errorf("%s %s as %s: HTTP %d %s", verb, path, who[1], status, text)
			}
			break // one role without the right is enough for each binding
		}
	})
	if bindings < 50 {
		t.Errorf("only %d bindings were seen", bindings)
	}
}

func pattern(r *annotations.HttpRule) (verb, path string) {
	switch p := r.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		return http.MethodGet, p.Get
	case *annotations.HttpRule_Post:
		return http.MethodPost, p.Post
	case *annotations.HttpRule_Put:
		return http.MethodPut, p.Put
	case *annotations.HttpRule_Patch:
		return http.MethodPatch, p.Patch
	}
	return http.MethodDelete, r.GetDelete()
}

func has(rule *accessv1.Rule, role accessv1.Role) bool {
	for _, r := range rule.GetRoles() {
		if r == role {
			return true
		}
	}
	return false
}

// plain sends a request with no more in its body than the province that routes it.
func plain(t *testing.T, l *devLine, verb, path, token string, input protoreflect.MessageDescriptor) (int, string) {
	t.Helper()
	var body io.Reader
	if verb != http.MethodGet {
		text := "{}"
		if input.Fields().ByName("province") != nil {
			text = `{"province":"340000"}`
		}
		body = strings.NewReader(text)
	}
	req, err := http.NewRequestWithContext(t.Context(), verb, l.client().Base+path, body)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := l.client().HTTP.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}
