package fhir

import (
	"encoding/json"
	"strconv"

	"huhang.example/services/internal/place"
)

// Draft is what an import takes of a Bundle: a person, what they need, and the clinical data that came along.
type Draft struct {
	Person         Person
	Organ, Urgency string
	// Preferred are centers, first choice first.
	Preferred []string
	// Diagnosis is the main one, ICD-10; Further are the others.
	Diagnosis string
	Further   []string
	// Clinical is nil where there are neither values nor a diagnosis.
	Clinical *Clinical
}

// Person is who is registered.
type Person struct {
	IdentityNumber, Name, Phone string
	// City is the GB/T 2260 code of the city of residence.
	City     string
	Insured  Insured
	Guardian *Guardian
}

// Insured is the basic medical insurance of a person (参保信息).
type Insured struct {
	// Pool is the pooling area (统筹区); the province follows from it.
	Pool, Scheme          string
	Retired, CivilServant bool
	Groups                []string
}

// Province is the insured province's code.
func (i Insured) Province() string {
	if len(i.Pool) != 6 {
		return ""
	}
	return i.Pool[:2] + "0000"
}

// Guardian of a minor (监护人).
type Guardian struct{ Name, Phone, Relation string }

// Value is a number in a unit of UCUM.
type Value struct {
	Number float64
	Unit   string
}

// Clinical are the values; absent ones are nil.
type Clinical struct {
	BloodGroup     string
	RhPositive     *bool
	Height, Weight *Value
	// TestDate is the day of the blood test, YYYY-MM-DD; empty without one.
	TestDate                                         string
	Creatinine, Bilirubin, Albumin, INR, Sodium, AFP *Value
}

// values lists where each measured datum is kept.
func (c *Clinical) values() map[string]**Value {
	return map[string]**Value{
		height: &c.Height, weight: &c.Weight, creatinine: &c.Creatinine, bilirubin: &c.Bilirubin, albumin: &c.Albumin, inr: &c.INR,
		sodium: &c.Sodium, afp: &c.AFP,
	}
}

// order is the order in which values are written.
var order = []string{height, weight, creatinine, bilirubin, albumin, inr, sodium, afp}

// Render writes a draft as the referring hospital's own system would; Take reads it back.
func Render(d Draft) ([]byte, error) {
	const id = "patient"
	subject := Reference{Reference: "Patient/" + id}
	p := person(d.Person, id)
	p.Identifier = []Identifier{{Use: "official", System: IdentityNumberSystem, Value: d.Person.IdentityNumber}}
	p.Telecom = []ContactPoint{{System: "phone", Value: d.Person.Phone, Use: "mobile"}}
	cover := insurance(d.Person.Insured, "coverage", subject)
	request := ServiceRequest{
		ResourceType: "ServiceRequest", ID: "referral", Status: "draft", Intent: "order", Priority: priorities[d.Urgency],
		Code: pointer(concept(OrganSystem, d.Organ, organs[d.Organ])), Subject: subject, Insurance: []Reference{{Reference: "Coverage/coverage"}},
	}
	for _, center := range d.Preferred {
		request.Performer = append(request.Performer, organisation(center, ""))
	}
	request.ReasonCode = reasons(d.Diagnosis, d.Further)
	b := collection()
	b.add("Patient", p.ID, p)
	b.add("Coverage", cover.ID, cover)
	b.add("ServiceRequest", request.ID, request)
	for _, o := range observations(d.Clinical, subject, "") {
		b.add("Observation", o.ID, o)
	}
	return b.json()
}

func reasons(main string, further []string) []CodeableConcept {
	var list []CodeableConcept
	for _, code := range append([]string{main}, further...) {
		if code != "" {
			list = append(list, concept(DiagnosisSystem, code, ""))
		}
	}
	return list
}

// identityGender and identityBirth read an identity number that has its form.
func identityGender(number string) string {
	if (number[16]-'0')%2 == 1 {
		return "male"
	}
	return "female"
}

func identityBirth(number string) string {
	return number[6:10] + "-" + number[10:12] + "-" + number[12:14]
}

// person writes what does not depend on the caller's rights.
func person(p Person, id string) Patient {
	out := Patient{
		ResourceType: "Patient", ID: id, Name: []HumanName{{Use: "official", Text: p.Name}}, Address: []Address{residence(p.City)},
	}
	if len(p.IdentityNumber) == 18 {
		out.Gender, out.BirthDate = identityGender(p.IdentityNumber), identityBirth(p.IdentityNumber)
	}
	if g := p.Guardian; g != nil {
		relation := concept(terminology+"v3-RoleCode", "GUARD", "guardian")
		relation.Text = g.Relation
		out.Contact = []Contact{{
			Relationship: []CodeableConcept{relation}, Name: &HumanName{Text: g.Name}, Telecom: []ContactPoint{{System: "phone", Value: g.Phone}},
		}}
	}
	return out
}

func residence(city string) Address {
	a := Address{Use: "home", Country: "CN"}
	info, known := place.City(city)
	if known {
		province, _ := place.Province(info.Province)
		a.City, a.State = info.NameZh, province.NameZh
	}
	a.Extension = []Extension{{URL: DivisionURL, ValueCoding: &Coding{DivisionSystem, city, info.NameZh}}}
	return a
}

func insurance(i Insured, id string, beneficiary Reference) Coverage {
	agency := organisation("A-"+i.Province(), "")
	c := Coverage{
		ResourceType: "Coverage", ID: id, Status: "active", Type: pointer(concept(SchemeSystem, i.Scheme, schemes[i.Scheme])),
		Beneficiary: beneficiary, Payor: []Reference{agency},
	}
	class := func(kind, value, name string) {
		c.Class = append(c.Class, CoverageClass{Type: concept(ClassSystem, kind, ""), Value: value, Name: name})
	}
	info, _ := place.City(i.Pool)
	class(classPool, i.Pool, info.NameZh)
	if i.Retired {
		class(classStatus, statusRetired, "退休")
	}
	if i.CivilServant {
		class(classStatus, statusServant, "公务员")
	}
	for _, g := range i.Groups {
		class(classAssistance, g, assistance[g])
	}
	return c
}

// observations writes the values; prefix makes their ids those of a patient.
func observations(c *Clinical, subject Reference, prefix string) []Observation {
	if c == nil {
		return nil
	}
	var out []Observation
	add := func(name, code, display string) *Observation {
		out = append(out, Observation{
			ResourceType: "Observation", ID: prefix + name, Status: "final", Code: concept(loinc, code, display), Subject: &subject,
		})
		return &out[len(out)-1]
	}
	if c.BloodGroup != "" {
		add("blood-group", codeBloodGroup, "ABO group [Type] in Blood").ValueCodeableConcept = pointer(concept(BloodGroupSystem, c.BloodGroup, ""))
	}
	if c.RhPositive != nil {
		code := "negative"
		if *c.RhPositive {
			code = "positive"
		}
		add("rh-d", codeRh, "Rh [Type] in Blood").ValueCodeableConcept = pointer(concept(RhSystem, code, ""))
	}
	values := c.values()
	for _, datum := range order {
		v := *values[datum]
		if v == nil {
			continue
		}
		code, m := measureFor(datum, v.Unit)
		o := add(datum, code, m.display)
		o.ValueQuantity = &Quantity{Value: number(v.Number), Unit: v.Unit, System: ucum, Code: v.Unit}
		if m.lab {
			o.EffectiveDateTime = c.TestDate
		}
	}
	return out
}

// number is the shortest decimal that is read back as the same number.
func number(f float64) json.Number { return json.Number(strconv.FormatFloat(f, 'f', -1, 64)) }

type bundle struct{ Bundle }

func collection() *bundle { return &bundle{Bundle{ResourceType: "Bundle", Type: "collection"}} }

func (b *bundle) add(kind, id string, resource any) {
	b.Entry = append(b.Entry, Entry{FullURL: fullURL(kind, id), Resource: resource})
}

func (b *bundle) json() ([]byte, error) { return json.MarshalIndent(b.Bundle, "", "  ") }
