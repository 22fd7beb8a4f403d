package fhir

import (
	"math/big"
	"slices"
	"strconv"

	"huhang.example/services/internal/fault"
)

func (t *taking) takePatient(p Patient) {
	path := t.patient.path
	// Elements that change what the record is of.
	for _, modifier := range []string{"deceasedBoolean", "deceasedDateTime", "link"} {
		value, given := t.patient.raw[modifier]
		if given && value != false {
			t.invalid(path+"."+modifier, "A record of a dead person, or one that stands for another, is not taken in.", "不接受已故患者或已被其他档案取代的档案。")
		}
	}
	if p.Active != nil && !*p.Active {
		t.invalid(path+".active", "The record is not in use.", "该档案已停用。")
	}
	who := &t.draft.Person
	for n, i := range p.Identifier {
		at := path + ".identifier[" + strconv.Itoa(n) + "]"
		switch {
		case i.System != IdentityNumberSystem:
			t.skip(at)
		case i.Use == "old" || i.Use == "temp":
			t.skip(at)
		case who.IdentityNumber != "":
			t.invalid(at, "The person has two identity numbers.", "患者有两个公民身份号码。")
		case !identityForm.MatchString(i.Value):
			t.invalid(at+".value", "The identity number has 18 characters: 17 digits, and a digit or X.", "公民身份号码应为18位：17位数字加一位数字或X。")
		default:
			who.IdentityNumber = i.Value
		}
	}
	if who.IdentityNumber == "" {
		t.missing(path+".identifier", "The identity number is needed ("+IdentityNumberSystem+").", "需要公民身份号码（"+IdentityNumberSystem+"）。")
		return
	}
	if p.BirthDate != "" && p.BirthDate != identityBirth(who.IdentityNumber) {
		t.invalid(path+".birthDate", "The birth date is not the identity number's.", "出生日期与公民身份号码不一致。")
	}
	if p.Gender != "" && p.Gender != identityGender(who.IdentityNumber) {
		t.invalid(path+".gender", "The gender is not the identity number's.", "性别与公民身份号码不一致。")
	}
	t.takeName(path, p.Name)
	who.Phone = t.phone(path+".telecom", p.Telecom)
	t.takeAddress(path, p.Address)
	for n, c := range p.Contact {
		t.takeContact(path+".contact["+strconv.Itoa(n)+"]", c)
	}
}

func (t *taking) takeName(path string, names []HumanName) {
	for n, name := range names {
		at := path + ".name[" + strconv.Itoa(n) + "]"
		switch {
		case name.Use != "" && name.Use != "official" && name.Use != "usual", t.draft.Person.Name != "":
			t.skip(at)
		case name.Text == "":
			t.missing(at+".text", "The whole name is needed as text.", "需要完整姓名（text）。")
		default:
			t.draft.Person.Name = name.Text
		}
	}
	if t.draft.Person.Name == "" {
		t.missing(path+".name", "The name is needed.", "需要姓名。")
	}
}

// phone returns the first telephone.
func (t *taking) phone(path string, points []ContactPoint) string {
	found := ""
	for n, p := range points {
		if p.System != "phone" || p.Value == "" || p.Use == "old" || found != "" {
			t.skip(path + "[" + strconv.Itoa(n) + "]")
			continue
		}
		found = p.Value
	}
	if found == "" {
		t.missing(path, "A telephone is needed.", "需要电话。")
	}
	return found
}

func (t *taking) takeAddress(path string, addresses []Address) {
	for n, a := range addresses {
		at := path + ".address[" + strconv.Itoa(n) + "]"
		city := ""
		for _, e := range a.Extension {
			if e.URL == DivisionURL && e.ValueCoding != nil && e.ValueCoding.System == DivisionSystem {
				city = e.ValueCoding.Code
			}
		}
		switch {
		case city == "" || a.Use == "old" || t.draft.Person.City != "":
			t.skip(at)
		case !knownCity(city):
			t.unknownDivision(at+".extension", city)
		default:
			t.draft.Person.City = city
		}
	}
	if t.draft.Person.City == "" {
		t.missing(path+".address", "The city of residence is needed by its code of GB/T 2260 (extension "+DivisionURL+").",
			"需要居住地的GB/T 2260代码（扩展"+DivisionURL+"）。")
	}
}

// unknownDivision does not list the 370 that are known.
func (t *taking) unknownDivision(path, code string) {
	t.code(path, DivisionSystem, code, []string{"340100", "…"})
}

func (t *taking) takeContact(path string, c Contact) {
	for _, r := range c.Relationship {
		if !slices.ContainsFunc(r.Coding, func(c Coding) bool { return c.System == terminology+"v3-RoleCode" && c.Code == "GUARD" }) {
			continue
		}
		if t.draft.Person.Guardian != nil {
			break
		}
		g := &Guardian{Relation: r.Text}
		if c.Name != nil {
			g.Name = c.Name.Text
		}
		if g.Name == "" || g.Relation == "" {
			t.missing(path, "A guardian needs a name and, as text of the relationship, the relation.", "监护人需要姓名和关系（relationship.text）。")
		}
		g.Phone = t.phone(path+".telecom", c.Telecom)
		t.draft.Person.Guardian = g
		return
	}
	t.skip(path)
}

func (t *taking) takeCoverage(path string, c Coverage) {
	in := &t.draft.Person.Insured
	if c.Status != "active" {
		t.invalid(path+".status", "The coverage is not active.", "参保状态不是active。")
	}
	t.patientIs(path+".beneficiary", &c.Beneficiary)
	in.Scheme = t.one(path+".type", c.Type, SchemeSystem, keys(schemes))
	for n, class := range c.Class {
		at := path + ".class[" + strconv.Itoa(n) + "]"
		kind := ""
		for _, coding := range class.Type.Coding {
			if coding.System == ClassSystem {
				kind = coding.Code
			}
		}
		switch kind {
		case classPool:
			if !knownCity(class.Value) {
				t.unknownDivision(at+".value", class.Value)
			}
			in.Pool = class.Value
		case classStatus:
			switch class.Value {
			case statusRetired:
				in.Retired = true
			case statusServant:
				in.CivilServant = true
			default:
				t.code(at+".value", ClassSystem, class.Value, []string{statusRetired, statusServant})
			}
		case classAssistance:
			if _, known := assistance[class.Value]; !known {
				t.code(at+".value", ClassSystem, class.Value, keys(assistance))
			} else if slices.Contains(in.Groups, class.Value) {
				t.invalid(at, "The identity stands twice.", "救助身份重复。")
			} else {
				in.Groups = append(in.Groups, class.Value)
			}
		case "":
			t.skip(at)
		default:
			t.code(at+".type", ClassSystem, kind, []string{classPool, classStatus, classAssistance})
		}
	}
	if in.Pool == "" {
		t.missing(path+".class", "The pooling area is needed as a class of type "+classPool+".", "需要统筹区（类型"+classPool+"）。")
	}
	for n, payor := range c.Payor {
		code := t.organisationCode(payor)
		at := path + ".payor[" + strconv.Itoa(n) + "]"
		if code == "" {
			t.skip(at)
		} else if in.Pool != "" && code != "A-"+in.Province() {
			t.invalid(at, "The payor is not the agency of the pooling area's province.", "付费方与统筹区所属省份的经办机构不一致。")
		}
	}
}

// takeObservations takes the values of the latest day; of one datum there is one.
func (t *taking) takeObservations() {
	type read struct {
		*entry
		Observation
		day string
	}
	var list []read
	for n := range t.entries {
		e := &t.entries[n]
		if e.kind != "Observation" {
			continue
		}
		r := read{entry: e}
		t.decode(*e, &r.Observation)
		t.patientIs(e.path+".subject", r.Subject)
		if !slices.Contains([]string{"final", "amended", "corrected"}, r.Status) {
			t.skip(e.path)
			continue
		}
		code := loincOf(r.Code)
		m, measured := measures[code]
		switch {
		case measured && m.lab:
			var ok bool
			if r.day, ok = day(r.EffectiveDateTime); !ok {
				t.missing(e.path+".effectiveDateTime", "The day of the test is needed.", "需要检验日期。")
				continue
			}
		case !measured && code != codeBloodGroup && code != codeRh:
			t.skip(e.path)
			continue
		}
		if c := t.clinical(); r.day > c.TestDate {
			c.TestDate = r.day
		}
		list = append(list, r)
	}
	seen := map[string]bool{}
	for _, r := range list {
		code := loincOf(r.Code)
		m, measured := measures[code]
		if m.lab && r.day != t.draft.Clinical.TestDate {
			t.skip(r.path)
			continue
		}
		datum := code
		if measured {
			datum = m.datum
		}
		if seen[datum] {
			t.invalid(r.path, "There are two values for this.", "同一项目有两个值。")
			continue
		}
		seen[datum] = true
		if measured {
			*t.draft.Clinical.values()[m.datum] = t.quantity(r.path+".valueQuantity", m, r.ValueQuantity)
			continue
		}
		t.takeBlood(r.path+".valueCodeableConcept", code, r.ValueCodeableConcept)
	}
}

func (t *taking) takeBlood(path, code string, value *CodeableConcept) {
	c := t.draft.Clinical
	if code == codeBloodGroup {
		c.BloodGroup = t.one(path, value, BloodGroupSystem, keys(bloodGroups))
		return
	}
	c.RhPositive = pointer(t.one(path, value, RhSystem, []string{"negative", "positive"}) == "positive")
}

func loincOf(c CodeableConcept) string {
	for _, coding := range c.Coding {
		if coding.System == loinc {
			return coding.Code
		}
	}
	return ""
}

// quantity converts a value exactly. A unit of no system, or another than the code's, is not guessed at.
func (t *taking) quantity(path string, m measure, q *Quantity) *Value {
	if q == nil || q.Value == "" {
		t.missing(path+".value", "A value is needed.", "需要数值。")
		return nil
	}
	u, known := m.units[q.Code]
	if q.System != ucum || !known {
		t.code(path+".code", ucum, q.Code, keys(m.units))
		return nil
	}
	exact, ok := new(big.Rat).SetString(string(q.Value)) // its length is bounded by tree
	if !ok {
		t.add(fault.FieldInvalid, path+".value", "The value is no plain decimal.", "数值不是普通小数。")
		return nil
	}
	f, _ := exact.Mul(exact, u.factor).Float64()
	return &Value{f, u.kept}
}
