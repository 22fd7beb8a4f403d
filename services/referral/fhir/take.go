package fhir

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	divisions "huhang.example/services/internal/place"
)

// maxNotTaken bounds the list of what was passed over.
const maxNotTaken = 100

// taking is one import under way.
type taking struct {
	issues
	entries  []entry
	notTaken []string
	draft    Draft
	patient  *entry
}

// Take reads a Bundle: what it asks for, and the FHIRPath of what is not kept. Faults: BODY_MALFORMED, BODY_TOO_LARGE,
// FIELD_INVALID, CODE_UNKNOWN, DATUM_MISSING, each with every wrong element (at most 20).
func Take(text []byte) (Draft, []string, error) {
	root, err := tree(text)
	if err != nil {
		return Draft{}, nil, err
	}
	var t taking
	if t.entries, err = t.bundle(root); err != nil {
		return Draft{}, nil, err
	}
	if err := t.err(); err != nil {
		return Draft{}, nil, err
	}
	t.forbidden("Bundle", root)
	for _, e := range t.entries {
		t.forbidden(e.path, e.raw)
	}
	var request ServiceRequest
	at := t.only("ServiceRequest", &request)
	var patient Patient
	t.patient = t.only("Patient", &patient)
	var cover Coverage
	insured := t.only("Coverage", &cover)
	if t.err() == nil {
		t.takePatient(patient)
		t.takeCoverage(insured.path, cover)
		t.takeRequest(at.path, request)
		t.takeObservations()
	}
	if err := t.err(); err != nil {
		return Draft{}, nil, err
	}
	t.listEntries()
	if len(t.notTaken) > maxNotTaken {
		t.notTaken = append(t.notTaken[:maxNotTaken-1], "…")
	}
	return t.draft, t.notTaken, nil
}

func (t *taking) skip(path string) { t.notTaken = append(t.notTaken, path) }

func (t *taking) missing(path, en, zh string) { t.add(fault.DatumMissing, path, en, zh) }

func (t *taking) invalid(path, en, zh string) { t.add(fault.FieldInvalid, path, en, zh) }

// forbidden refuses what may change the meaning of everything else: whoever does not understand it must not go on.
func (t *taking) forbidden(path string, part any) {
	switch p := part.(type) {
	case map[string]any:
		for name, value := range p {
			if name == "resource" { // each is walked under its own path
				continue
			}
			if name == "modifierExtension" || name == "implicitRules" {
				t.invalid(path+"."+name, "This changes what the resource means, in a way not understood here.", "该元素会改变资源含义，系统无法理解。")
				continue
			}
			t.forbidden(path+"."+clip(name), value)
		}
	case []any:
		for n, value := range p {
			t.forbidden(path+"["+strconv.Itoa(n)+"]", value)
		}
	}
}

// only finds the one resource of its kind, reads what is taken of it, and lists the rest.
func (t *taking) only(kind string, into any) *entry {
	var found *entry
	for n := range t.entries {
		if t.entries[n].kind != kind {
			continue
		}
		if found != nil {
			t.invalid(t.entries[n].path, "The Bundle has more than one "+kind+".", "Bundle中有多个"+kind+"。")
			return found
		}
		found = &t.entries[n]
	}
	if found == nil {
		t.missing("Bundle.entry.resource.ofType("+kind+")", "The Bundle has no "+kind+".", "Bundle中没有"+kind+"。")
		return nil
	}
	t.decode(*found, into)
	return found
}

// decode reads a valid resource, and lists the elements that the line does not keep.
func (t *taking) decode(e entry, into any) {
	text, err := json.Marshal(e.raw)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	var kept any
	if err == nil {
		text, err = json.Marshal(into)
	}
	if err == nil {
		err = json.Unmarshal(text, &kept)
	}
	if err != nil {
		t.invalid(e.path, "The resource cannot be read.", "无法读取该资源。")
		return
	}
	t.rest(e.path, e.raw, kept)
}

// rest lists what raw has and kept has not.
func (t *taking) rest(path string, raw, kept any) {
	switch r := raw.(type) {
	case map[string]any:
		k, _ := kept.(map[string]any)
		for _, name := range sorted(r) {
			if value, has := k[name]; has {
				t.rest(path+"."+clip(name), r[name], value)
			} else if name != "meta" && name != "text" { // about the resource, not of it
				t.skip(path + "." + clip(name))
			}
		}
	case []any:
		k, _ := kept.([]any)
		for n := range r {
			if n < len(k) {
				t.rest(path+"["+strconv.Itoa(n)+"]", r[n], k[n])
			}
		}
	}
}

func sorted(m map[string]any) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// listEntries lists the resources of kinds that are not taken.
func (t *taking) listEntries() {
	for _, e := range t.entries {
		switch e.kind {
		case "ServiceRequest", "Patient", "Coverage", "Observation", "Condition":
		case "Organization", "Practitioner": // who is named by their number
		default:
			t.skip(e.path)
		}
	}
}

// find resolves a reference within the Bundle.
func (t *taking) find(r Reference) *entry {
	if r.Reference == "" {
		return nil
	}
	for n := range t.entries {
		e := &t.entries[n]
		if e.url != "" && e.url == r.Reference || e.id != "" && e.kind+"/"+e.id == r.Reference {
			return e
		}
	}
	return nil
}

// patientIs refuses what is said of anybody but the Bundle's patient.
func (t *taking) patientIs(path string, r *Reference) {
	if r == nil || t.find(*r) != t.patient {
		t.invalid(path, "This does not refer to the Bundle's Patient.", "未引用Bundle中的患者。")
	}
}

var (
	centerCode   = regexp.MustCompile(`^C-[A-Z0-9-]{2,29}$`)
	icdCode      = regexp.MustCompile(`^[A-Z][0-9]{2}(\.[0-9A-Za-z]{1,6})?$`)
	identityForm = regexp.MustCompile(`^[0-9]{17}[0-9X]$`)
)

func (t *taking) takeRequest(path string, r ServiceRequest) {
	if r.Status != "draft" && r.Status != "active" {
		t.invalid(path+".status", "Only a draft or an active request is taken in.", "仅接受draft或active状态的申请。")
	}
	if !slices.Contains([]string{"order", "original-order", "proposal", "plan"}, r.Intent) {
		t.code(path+".intent", "http://hl7.org/fhir/request-intent", r.Intent, []string{"order", "original-order", "proposal", "plan"})
	}
	if r.DoNotPerform != nil && *r.DoNotPerform {
		t.invalid(path+".doNotPerform", "A request not to do something is no referral.", "“不执行”的申请不是转诊。")
	}
	t.patientIs(path+".subject", &r.Subject)
	t.draft.Urgency = "ROUTINE"
	if r.Priority != "" {
		urgency, known := reverse(priorities)[r.Priority]
		if !known {
			t.code(path+".priority", "http://hl7.org/fhir/request-priority", r.Priority, []string{"routine", "urgent", "stat"})
		}
		t.draft.Urgency = urgency
	}
	t.draft.Organ = t.one(path+".code", r.Code, OrganSystem, keys(organs))
	for n, performer := range r.Performer {
		at := path + ".performer[" + strconv.Itoa(n) + "]"
		code := t.organisationCode(performer)
		switch {
		case code == "":
			t.skip(at)
		case !centerCode.MatchString(code):
			t.invalid(at, "The performer is no center of the line.", "执行机构不是本专线的移植中心。")
		case slices.Contains(t.draft.Preferred, code):
			t.invalid(at, "The center stands twice.", "同一中心出现两次。")
		default:
			t.draft.Preferred = append(t.draft.Preferred, code)
		}
	}
	if len(t.draft.Preferred) > 20 {
		t.invalid(path+".performer", "At most 20 centers.", "最多20个中心。")
	}
	t.takeDiagnoses(path, r)
}

// organisationCode is the line's number of an organisation; empty when it has none.
func (t *taking) organisationCode(r Reference) string {
	if r.Identifier != nil && r.Identifier.System == OrganisationSystem {
		return r.Identifier.Value
	}
	e := t.find(r)
	if e == nil || e.kind != "Organization" {
		return ""
	}
	var o Organization
	t.decode(*e, &o)
	for _, i := range o.Identifier {
		if i.System == OrganisationSystem {
			return i.Value
		}
	}
	return ""
}

func (t *taking) takeDiagnoses(path string, r ServiceRequest) {
	var codes []string
	take := func(at string, c *CodeableConcept) {
		for n, coding := range c.Coding {
			if coding.System != DiagnosisSystem && coding.System != icd10 {
				continue
			}
			// A diagnosis is not repeated, not even when it is wrong.
			if !icdCode.MatchString(coding.Code) {
				t.invalid(at+".coding["+strconv.Itoa(n)+"].code", "The diagnosis is no code of ICD-10.", "诊断不是ICD-10编码。")
			} else if !slices.Contains(codes, coding.Code) {
				codes = append(codes, coding.Code)
			}
			return
		}
		t.skip(at)
	}
	for n := range r.ReasonCode {
		take(path+".reasonCode["+strconv.Itoa(n)+"]", &r.ReasonCode[n])
	}
	taken := map[*entry]bool{}
	for n, reference := range r.ReasonReference {
		at := path + ".reasonReference[" + strconv.Itoa(n) + "]"
		e := t.find(reference)
		if e == nil || e.kind != "Condition" {
			t.skip(at)
			continue
		}
		taken[e] = true
		var c Condition
		t.decode(*e, &c)
		t.patientIs(e.path+".subject", &c.Subject)
		for _, s := range conceptCodes(c.VerificationStatus) {
			if s == "refuted" || s == "entered-in-error" {
				t.invalid(e.path+".verificationStatus", "A diagnosis that does not hold is no reason.", "已被否定的诊断不能作为转诊理由。")
			}
		}
		if c.Code == nil {
			t.missing(e.path+".code", "The diagnosis has no code.", "诊断没有编码。")
			continue
		}
		take(e.path+".code", c.Code)
	}
	for n := range t.entries {
		if e := &t.entries[n]; e.kind == "Condition" && !taken[e] {
			t.skip(e.path)
		}
	}
	if len(codes) > 21 {
		t.invalid(path+".reasonCode", "At most 21 diagnoses.", "诊断最多21个。")
	}
	if len(codes) > 0 {
		t.draft.Diagnosis, t.draft.Further = codes[0], codes[1:]
		t.clinical()
	}
	if len(t.draft.Further) == 0 {
		t.draft.Further = nil
	}
}

func (t *taking) clinical() *Clinical {
	if t.draft.Clinical == nil {
		t.draft.Clinical = &Clinical{}
	}
	return t.draft.Clinical
}

func conceptCodes(c *CodeableConcept) []string {
	var codes []string
	if c != nil {
		for _, coding := range c.Coding {
			codes = append(codes, coding.Code)
		}
	}
	return codes
}

// one returns the code of a system that a concept must have.
func (t *taking) one(path string, c *CodeableConcept, system string, known []string) string {
	if c != nil {
		for n, coding := range c.Coding {
			if coding.System != system {
				continue
			}
			if !slices.Contains(known, coding.Code) {
				t.code(path+".coding["+strconv.Itoa(n)+"].code", system, coding.Code, known)
			}
			return coding.Code
		}
	}
	t.missing(path, "A code of "+system+" is needed: "+strings.Join(known, ", ")+".", "需要"+system+"的代码："+strings.Join(known, "、")+"。")
	return ""
}

func keys[V any](m map[string]V) []string {
	list := make([]string, 0, len(m))
	for k := range m {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}

func reverse(m map[string]string) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[v] = k
	}
	return out
}

// day is the day in China of a dateTime that has one.
func day(dateTime string) (string, bool) {
	if at, err := time.Parse(time.RFC3339, dateTime); err == nil {
		return clock.Day(at), true
	}
	_, err := time.Parse(time.DateOnly, dateTime)
	return dateTime, err == nil
}

func knownCity(code string) bool {
	_, known := divisions.City(code)
	return known
}
