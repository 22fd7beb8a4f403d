package fhir_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"huhang.example/services/internal/fault"
	"huhang.example/services/referral"
	"huhang.example/services/referral/fhir"
)

// sampleDraft is an invented person who needs a liver.
func sampleDraft() fhir.Draft {
	yes := true
	return fhir.Draft{
		Person: fhir.Person{
			IdentityNumber: "11010519491231002X", Name: "示范患者", Phone: "13900000001", City: "340100",
			Insured: fhir.Insured{Pool: "340100", Scheme: "RESIDENT", Groups: []string{"SUBSISTENCE"}},
		},
		Organ: "LIVER", Urgency: "URGENT", Preferred: []string{"C-SH-01"}, Diagnosis: "K74.600", Further: []string{"C22.000"},
		Clinical: &fhir.Clinical{
			BloodGroup: "A", RhPositive: &yes, Height: &fhir.Value{Number: 170, Unit: fhir.Centimetre}, TestDate: "2026-11-20",
			Creatinine: &fhir.Value{Number: 97.25, Unit: fhir.UmolPerL}, INR: &fhir.Value{Number: 1.9, Unit: fhir.One},
		},
	}
}

func render(t *testing.T, d fhir.Draft) map[string]any {
	t.Helper()
	text, err := fhir.Render(d)
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	return root
}

func take(root map[string]any) (fhir.Draft, []string, error) {
	text, err := json.Marshal(root)
	if err != nil {
		return fhir.Draft{}, nil, err
	}
	return fhir.Take(text)
}

// at walks to a part of a Bundle: entry number, then names and numbers.
func at(root map[string]any, entry int, path ...any) map[string]any {
	part := root["entry"].([]any)[entry].(map[string]any)["resource"]
	for _, step := range path {
		switch s := step.(type) {
		case string:
			part = part.(map[string]any)[s]
		case int:
			part = part.([]any)[s]
		}
	}
	return part.(map[string]any)
}

// What is written is read back, whatever it is, and is a Bundle to HL7's schema.
func TestRenderAndTakeAreInverse(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		d := drawDraft(r)
		text, err := fhir.Render(d)
		if err != nil {
			r.Fatal(err)
		}
		if err := fhir.Check(text); err != nil {
			r.Fatalf("%v\n%s", err, text)
		}
		got, notTaken, err := fhir.Take(text)
		if err != nil || len(notTaken) > 0 || !reflect.DeepEqual(got, d) {
			r.Fatalf("%v, not taken %v\n got %+v\nwant %+v\n%s", err, notTaken, got, d, text)
		}
	})
}

func drawDraft(r *rapid.T) fhir.Draft {
	pick := func(name string, from ...string) string { return rapid.SampledFrom(from).Draw(r, name) }
	d := fhir.Draft{Organ: pick("organ", "LIVER", "KIDNEY", "HEART", "LUNG", "PANCREAS", "SMALL_BOWEL"), Urgency: pick("urgency", "ROUTINE", "URGENT", "EMERGENCY")}
	d.Person = fhir.Person{
		IdentityNumber: pick("number", "11010519491231002X", "340104197903120013"), Name: pick("name", "示范患者", "示范·阿依", "A \"B\" <C>"),
		Phone: rapid.StringMatching(`1[3-9][0-9]{9}`).Draw(r, "phone"), City: pick("city", "340100", "310100", "650100"),
		Insured: fhir.Insured{
			Pool: pick("pool", "340100", "320500"), Scheme: pick("scheme", "EMPLOYEE", "RESIDENT"), Retired: rapid.Bool().Draw(r, "retired"),
			CivilServant: rapid.Bool().Draw(r, "servant"),
		},
	}
	for _, g := range []string{"DESTITUTE", "SUBSISTENCE", "MARGINAL", "ILLNESS_POVERTY"} {
		if rapid.Bool().Draw(r, g) {
			d.Person.Insured.Groups = append(d.Person.Insured.Groups, g)
		}
	}
	if rapid.Bool().Draw(r, "minor") {
		d.Person.Guardian = &fhir.Guardian{Name: "示范监护人", Phone: "13800000002", Relation: "母亲"}
	}
	for n := range rapid.IntRange(0, 20).Draw(r, "centers") {
		d.Preferred = append(d.Preferred, fmt.Sprintf("C-XX-%02d", n))
	}
	if rapid.Bool().Draw(r, "clinical") {
		d.Clinical = drawClinical(r)
	}
	if d.Clinical != nil && rapid.Bool().Draw(r, "diagnosed") {
		d.Diagnosis = "K74.600"
		for n := range rapid.IntRange(0, 20).Draw(r, "further") {
			d.Further = append(d.Further, fmt.Sprintf("I%02d.x", n))
		}
	}
	return d
}

func drawClinical(r *rapid.T) *fhir.Clinical {
	c := &fhir.Clinical{BloodGroup: rapid.SampledFrom([]string{"O", "A", "B", "AB"}).Draw(r, "blood")}
	if rapid.Bool().Draw(r, "rh known") {
		rh := rapid.Bool().Draw(r, "rh")
		c.RhPositive = &rh
	}
	value := func(name string, units ...string) *fhir.Value {
		if !rapid.Bool().Draw(r, name+" known") {
			return nil
		}
		return &fhir.Value{Number: float64(rapid.IntRange(1, 1_000_000).Draw(r, name)) / 1000, Unit: rapid.SampledFrom(units).Draw(r, name+" unit")}
	}
	c.Height, c.Weight = value("height", fhir.Centimetre), value("weight", fhir.Kilogram)
	c.Creatinine, c.Bilirubin = value("creatinine", fhir.UmolPerL, fhir.MgPerDL), value("bilirubin", fhir.UmolPerL, fhir.MgPerDL)
	c.Albumin, c.INR = value("albumin", fhir.GPerL, fhir.GPerDL), value("inr", fhir.One)
	c.Sodium, c.AFP = value("sodium", fhir.MmolPerL), value("afp", fhir.NgPerML)
	for _, v := range []*fhir.Value{c.Creatinine, c.Bilirubin, c.Albumin, c.INR, c.Sodium, c.AFP} {
		if v != nil {
			c.TestDate = "2026-11-20"
		}
	}
	return c
}

// Units are converted exactly, and those that are not known are refused by name rather than guessed at.
func TestUnits(t *testing.T) {
	for _, c := range []struct {
		value, code string
		want        float64
	}{{"170", "cm", 170}, {"1.7", "m", 170}, {"1.1", "m", 110}, {"1705", "mm", 170.5}, {"1.7e0", "m", 170}} {
		root := render(t, sampleDraft())
		q := at(root, 5, "valueQuantity")
		q["value"], q["code"] = json.Number(c.value), c.code
		d, _, err := take(root)
		if err != nil || d.Clinical.Height.Number != c.want {
			t.Errorf("%s %s: %v %v", c.value, c.code, d.Clinical, err)
		}
	}
	root := render(t, sampleDraft())
	at(root, 5, "valueQuantity")["code"] = "[in_i]"
	if _, _, err := take(root); !fault.Is(err, fault.CodeUnknown) || !strings.Contains(err.Error(), `"[in_i]"`) {
		t.Error(err)
	}
}

// Each wrong element is named by its path; the reason says what is wrong with it; nothing personal is repeated.
func TestRefusalsNameTheElement(t *testing.T) {
	const patient, cover, request = "Bundle.entry[0].resource.ofType(Patient)", "Bundle.entry[1].resource.ofType(Coverage)", "Bundle.entry[2].resource.ofType(ServiceRequest)"
	for name, c := range map[string]struct {
		change func(root map[string]any)
		reason fault.Reason
		path   string
	}{
		"unknown element":    {func(r map[string]any) { at(r, 0)["shoeSize"] = 44 }, fault.FieldInvalid, patient + ".shoeSize"},
		"wrong type":         {func(r map[string]any) { at(r, 0)["birthDate"] = 1949 }, fault.FieldInvalid, patient + ".birthDate"},
		"no date":            {func(r map[string]any) { at(r, 0)["birthDate"] = "31.12.1949" }, fault.FieldInvalid, patient + ".birthDate"},
		"another birth date": {func(r map[string]any) { at(r, 0)["birthDate"] = "1949-12-30" }, fault.FieldInvalid, patient + ".birthDate"},
		"another gender":     {func(r map[string]any) { at(r, 0)["gender"] = "male" }, fault.FieldInvalid, patient + ".gender"},
		"dead":               {func(r map[string]any) { at(r, 0)["deceasedBoolean"] = true }, fault.FieldInvalid, patient + ".deceasedBoolean"},
		"modifier": {func(r map[string]any) {
			at(r, 2)["modifierExtension"] = []any{map[string]any{"url": "https://other.example/not", "valueBoolean": true}}
		}, fault.FieldInvalid, request + ".modifierExtension"},
		"rules":              {func(r map[string]any) { r["implicitRules"] = "https://other.example/rules" }, fault.FieldInvalid, "Bundle.implicitRules"},
		"no identity number": {func(r map[string]any) { at(r, 0)["identifier"] = []any{} }, fault.DatumMissing, patient + ".identifier"},
		"masked number":      {func(r map[string]any) { at(r, 0, "identifier", 0)["value"] = "110*************2X" }, fault.FieldInvalid, patient + ".identifier[0].value"},
		"unknown city":       {func(r map[string]any) { at(r, 0, "address", 0, "extension", 0, "valueCoding")["code"] = "999900" }, fault.CodeUnknown, patient + ".address[0].extension"},
		"unknown scheme":     {func(r map[string]any) { at(r, 1, "type", "coding", 0)["code"] = "PRIVATE" }, fault.CodeUnknown, cover + ".type.coding[0].code"},
		"ended coverage":     {func(r map[string]any) { at(r, 1)["status"] = "cancelled" }, fault.FieldInvalid, cover + ".status"},
		"somebody else's":    {func(r map[string]any) { at(r, 1, "beneficiary")["reference"] = "Patient/other" }, fault.FieldInvalid, cover + ".beneficiary"},
		"other agency":       {func(r map[string]any) { at(r, 1, "payor", 0, "identifier")["value"] = "A-310000" }, fault.FieldInvalid, cover + ".payor[0]"},
		"unknown organ":      {func(r map[string]any) { at(r, 2, "code", "coding", 0)["code"] = "EYE" }, fault.CodeUnknown, request + ".code.coding[0].code"},
		"unknown priority":   {func(r map[string]any) { at(r, 2)["priority"] = "asap" }, fault.CodeUnknown, request + ".priority"},
		"not to be done":     {func(r map[string]any) { at(r, 2)["doNotPerform"] = true }, fault.FieldInvalid, request + ".doNotPerform"},
		"revoked":            {func(r map[string]any) { at(r, 2)["status"] = "revoked" }, fault.FieldInvalid, request + ".status"},
		"bad diagnosis":      {func(r map[string]any) { at(r, 2, "reasonCode", 0, "coding", 0)["code"] = "cirrhosis" }, fault.FieldInvalid, request + ".reasonCode[0].coding[0].code"},
		"no request":         {func(r map[string]any) { r["entry"] = r["entry"].([]any)[:2] }, fault.DatumMissing, "Bundle.entry.resource.ofType(ServiceRequest)"},
		"two patients":       {func(r map[string]any) { r["entry"] = append(r["entry"].([]any), r["entry"].([]any)[0]) }, fault.FieldInvalid, "Bundle.entry[8].resource.ofType(Patient)"},
		"two values":         {func(r map[string]any) { r["entry"] = append(r["entry"].([]any), r["entry"].([]any)[5]) }, fault.FieldInvalid, "Bundle.entry[8].resource.ofType(Observation)"},
		"no day of the test": {func(r map[string]any) { delete(at(r, 6), "effectiveDateTime") }, fault.DatumMissing, "Bundle.entry[6].resource.ofType(Observation).effectiveDateTime"},
		"no Bundle":          {func(r map[string]any) { r["resourceType"] = "Patient" }, fault.FieldInvalid, "Bundle.resourceType"},
	} {
		root := render(t, sampleDraft())
		c.change(root)
		_, _, err := take(root)
		f, ok := fault.As(err)
		if !ok || f.Reason != c.reason || !slices.ContainsFunc(f.Violations, func(v fault.Violation) bool { return v.Field == c.path && v.Zh != "" }) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, secret := range []string{"11010519491231002X", "示范患者", "13900000001", "K74.600", "cirrhosis"} {
			if text := fmt.Sprint(f, f.Violations, f.Meta); strings.Contains(text, secret) {
				t.Errorf("%s: the refusal holds %q", name, secret)
			}
		}
	}
}

// Bounds, and what a reader could read in two ways.
func TestBodiesAreBounded(t *testing.T) {
	deep := strings.Repeat(`{"a":`, fhir.MaxDepth+2) + "1" + strings.Repeat("}", fhir.MaxDepth+2)
	for name, c := range map[string]struct {
		text   string
		reason fault.Reason
	}{
		"nothing":     {"", fault.BodyMalformed},
		"no object":   {"[]", fault.BodyMalformed},
		"cut off":     {`{"resourceType":"Bundle"`, fault.BodyMalformed},
		"two":         {`{"resourceType":"Bundle"}{}`, fault.BodyMalformed},
		"twice":       {`{"resourceType":"Bundle","resourceType":"Bundle"}`, fault.BodyMalformed},
		"deep":        {deep, fault.BodyMalformed},
		"huge number": {`{"resourceType":"Bundle","total":1e999999999}`, fault.BodyMalformed},
		"no UTF-8":    {"{\"resourceType\":\"\xff\"}", fault.BodyMalformed},
		"large":       {strings.Repeat(" ", fhir.MaxBytes+1), fault.BodyTooLarge},
	} {
		if _, _, err := fhir.Take([]byte(c.text)); !fault.Is(err, c.reason) {
			t.Errorf("%s: %v", name, err)
		}
	}
	root := render(t, sampleDraft())
	for range fhir.MaxEntries {
		root["entry"] = append(root["entry"].([]any), root["entry"].([]any)[7])
	}
	if _, _, err := take(root); !fault.Is(err, fault.FieldInvalid) {
		t.Error(err)
	}
}

// What is not kept is listed, so that the sender knows.
func TestWhatIsNotTakenIsListed(t *testing.T) {
	root := render(t, sampleDraft())
	at(root, 0)["maritalStatus"] = map[string]any{"text": "M"}
	at(root, 0)["meta"] = map[string]any{"versionId": "1"}
	at(root, 0)["identifier"] = append(at(root, 0)["identifier"].([]any), map[string]any{"system": "https://hospital.example/mrn", "value": "MRN-0001"})
	at(root, 4)["note"] = []any{map[string]any{"text": "n"}}
	for _, extra := range []map[string]any{
		{"resourceType": "Observation", "status": "preliminary", "code": map[string]any{"coding": []any{map[string]any{"system": "http://loinc.org", "code": "6301-6"}}}, "subject": map[string]any{"reference": "Patient/patient"}},
		{"resourceType": "Procedure", "status": "completed"},
		{"resourceType": "Practitioner", "id": "p"},
	} {
		root["entry"] = append(root["entry"].([]any), map[string]any{"resource": extra})
	}
	d, notTaken, err := take(root)
	if err != nil || !reflect.DeepEqual(d, sampleDraft()) {
		t.Fatalf("%+v %v", d, err)
	}
	slices.Sort(notTaken)
	want := []string{
		"Bundle.entry[0].resource.ofType(Patient).identifier[1]", "Bundle.entry[0].resource.ofType(Patient).maritalStatus",
		"Bundle.entry[4].resource.ofType(Observation).note", "Bundle.entry[8].resource.ofType(Observation)", "Bundle.entry[9].resource.ofType(Procedure)",
	}
	if !slices.Equal(notTaken, want) {
		t.Errorf("%q", notTaken)
	}
}

// A diagnosis may stand in a Condition, a center in an Organization of the Bundle.
func TestReferencesWithinTheBundle(t *testing.T) {
	root := render(t, sampleDraft())
	request := at(root, 2)
	delete(request, "reasonCode")
	request["reasonReference"] = []any{map[string]any{"reference": "urn:uuid:c1"}}
	request["performer"] = []any{map[string]any{"reference": "Organization/o1"}}
	root["entry"] = append(root["entry"].([]any),
		map[string]any{"fullUrl": "urn:uuid:c1", "resource": map[string]any{"resourceType": "Condition", "subject": map[string]any{"reference": "Patient/patient"}, "code": map[string]any{"coding": []any{map[string]any{"system": fhir.DiagnosisSystem, "code": "K74.600"}}}}},
		map[string]any{"resource": map[string]any{"resourceType": "Organization", "id": "o1", "identifier": []any{map[string]any{"system": fhir.OrganisationSystem, "value": "C-SH-02"}}}})
	want := sampleDraft()
	want.Further, want.Preferred = nil, []string{"C-SH-02"}
	if d, notTaken, err := take(root); err != nil || !reflect.DeepEqual(d, want) || len(notTaken) > 0 {
		t.Errorf("%+v %v %v", d, notTaken, err)
	}
}

// Every state of the case and every way to close one has its status; amounts are exact; what is not for the caller is absent.
func TestEveryStateIsExported(t *testing.T) {
	for _, s := range referral.States {
		reasons := []string{""}
		if s == referral.Closed {
			reasons = []string{"COMPLETED", "DIED", "WITHDRAWN", "LOST", "DUPLICATE", "ERROR", "NOT_INDICATED", "LAPSED", "TOO_EARLY", "ADMITTED_ELSEWHERE", "SUPERSEDED"}
		}
		for _, why := range reasons {
			if _, known := fhir.TaskStatus(string(s), why); !known {
				t.Errorf("%s %s has no status", s, why)
				continue
			}
			if _, err := fhir.Export(sampleFacts(string(s), why)); err != nil {
				t.Errorf("%s %s: %v", s, why, err)
			}
		}
	}
	text, err := fhir.Export(sampleFacts("FOLLOW_UP", ""))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"value": 123456.07`, `"value": -0.05`, `"valueCode": "masked"`, `"use": "anonymous"`, "示*"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	blind := sampleFacts("FOLLOW_UP", "")
	blind.Subject, blind.Clinical, blind.Diagnosis = nil, nil, ""
	if text, err = fhir.Export(blind); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), `"resourceType": "Patient"`) || strings.Contains(string(text), "示*") {
		t.Errorf("a person who is not for the caller:\n%s", text)
	}
}

func sampleFacts(state, why string) fhir.Facts {
	at := time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC)
	d := sampleDraft()
	return fhir.Facts{
		Now: at, Case: fhir.Case{
			ID: "ref_00000000000000000000000001", PatientID: "pat_00000000000000000000000001", Organ: "LIVER", Urgency: "EMERGENCY", Referrer: "H-HF-01",
			Center: "C-SH-01", State: state, CloseReason: why, Created: at, Updated: at, Deadline: at.Add(time.Hour), Admission: at.Add(24 * time.Hour), Arrived: true,
		},
		Subject: &fhir.Subject{
			ID: "pat_00000000000000000000000001", Name: "示*", Sex: "FEMALE", BirthDate: "1949-12-31", City: "340100", RegisteredBy: "H-HF-01", Insured: d.Person.Insured,
		},
		Clinical: d.Clinical, Diagnosis: d.Diagnosis, Further: d.Further, Names: map[string]string{"C-SH-01": "示范移植中心"},
		Transfer: &fhir.Move{ID: "trf_00000000000000000000000001", Status: "ABORTED", AbortCode: "UNFIT", Start: at, End: at.Add(time.Hour)},
		Bill: &fhir.Bill{
			ID: "clm_310000_00000000000000000000000001", Status: "SETTLED", Center: "C-SH-01", Province: "310000", InsuredProvince: "340000",
			Admitted: "2026-11-25", Discharged: "2026-12-20", TotalFen: 12345607,
		},
		Settled: &fhir.Settled{
			ID: "stl_310000_00000000000000000000000001", At: at, TotalFen: 12345607, InScopeFen: 9000000,
			Shares: []fhir.Share{{"BASIC", 8000000}, {"CASH", 4345612}, {"GRANT", -5}},
		},
	}
}

// The validator is not a rubber stamp: each broken Bundle is refused.
func TestTheSchemaRefusesBrokenBundles(t *testing.T) {
	good, err := fhir.Export(sampleFacts("FOLLOW_UP", ""))
	if err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{
		`"status": "in-progress"`:   `"status": "almost-done"`,
		`"intent": "order"`:         `"intend": "order"`,
		`"birthDate": "1949-12-31"`: `"birthDate": "31.12.1949"`,
		`"value": 123456.07`:        `"value": "123456.07"`,
		`"insurer": {`:              `"insured": {`,
		`"type": "collection"`:      `"type": "pile"`,
		`"id": "ref-0000000000000`:  `"id": "ref_0000000000000`,
		`"participant": [`:          `"participants": [`,
		`"gender": "female"`:        `"gender": "F"`,
	} {
		broken := strings.Replace(string(good), from, to, 1)
		if broken == string(good) {
			t.Errorf("%s is not in the Bundle", from)
		}
		if fhir.Check([]byte(broken)) == nil {
			t.Errorf("%s is let pass", to)
		}
	}
}
