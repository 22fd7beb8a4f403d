package rpc

import (
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	organv1 "huhang.example/gen/huhang/organ/v1"
	patientv1 "huhang.example/gen/huhang/patient/v1"
	"huhang.example/services/patient"
	"huhang.example/services/patient/clinical"
)

// The domain names a code as the proto does, without the enum's prefix; what is unspecified is empty.
const (
	organPrefix   = "ORGAN_"
	bloodPrefix   = "BLOOD_GROUP_"
	sexPrefix     = "SEX_"
	schemePrefix  = "SCHEME_"
	groupPrefix   = "ASSISTANCE_GROUP_"
	purposePrefix = "PURPOSE_"
	blockedPrefix = "BLOCKED_KIND_"
)

func code(prefix, name string, number int32) string {
	if number == 0 {
		return ""
	}
	return strings.TrimPrefix(name, prefix)
}

func organFrom(o organv1.Organ) string { return code(organPrefix, o.String(), int32(o)) }

func sexTo(s patient.Sex) organv1.Sex { return organv1.Sex(organv1.Sex_value[sexPrefix+string(s)]) }

func purposeFrom(p patientv1.Purpose) patient.Purpose {
	return patient.Purpose(code(purposePrefix, p.String(), int32(p)))
}

func purposeTo(p patient.Purpose) patientv1.Purpose {
	return patientv1.Purpose(patientv1.Purpose_value[purposePrefix+string(p)])
}

func purposesFrom(in []patientv1.Purpose) []patient.Purpose {
	out := make([]patient.Purpose, 0, len(in))
	for _, p := range in {
		out = append(out, purposeFrom(p))
	}
	return out
}

func coverageFrom(c *patientv1.Coverage) patient.Coverage {
	out := patient.Coverage{
		Province: c.GetProvince(), PoolingArea: c.GetPoolingArea(), Retired: c.GetRetired(), CivilServant: c.GetCivilServant(),
		Scheme: code(schemePrefix, c.GetScheme().String(), int32(c.GetScheme())),
	}
	for _, g := range c.GetAssistanceGroups() {
		out.Groups = append(out.Groups, code(groupPrefix, g.String(), int32(g)))
	}
	return out
}

func coverageTo(c patient.Coverage) *patientv1.Coverage {
	out := &patientv1.Coverage{
		Province: c.Province, PoolingArea: c.PoolingArea, Retired: c.Retired, CivilServant: c.CivilServant,
		Scheme: patientv1.Scheme(patientv1.Scheme_value[schemePrefix+c.Scheme]),
	}
	for _, g := range c.Groups {
		out.AssistanceGroups = append(out.AssistanceGroups, patientv1.AssistanceGroup(patientv1.AssistanceGroup_value[groupPrefix+g]))
	}
	return out
}

func guardianFrom(g *patientv1.Guardian) *patient.Guardian {
	if g == nil {
		return nil
	}
	return &patient.Guardian{Name: g.GetName(), Phone: g.GetPhone(), Relation: g.GetRelation()}
}

func patientTo(v patient.View) *patientv1.Patient {
	out := &patientv1.Patient{
		PatientId: v.ID, Name: v.Name, IdentityNumberMasked: v.NumberMasked, PhoneMasked: v.PhoneMasked, Sex: sexTo(v.Sex),
		BirthDate: v.BirthDate, ResidenceCity: v.ResidenceCity, Coverage: coverageTo(v.Coverage), RegisteredBy: v.RegisteredBy,
		CreateTime: timestamppb.New(v.CreatedAt), Etag: v.Etag(),
		MergedIds: v.MergedIDs,
	}
	if v.Guardian != nil {
		out.Guardian = &patientv1.Guardian{Name: v.Guardian.Name, Phone: v.Guardian.Phone, Relation: v.Guardian.Relation}
	}
	for _, c := range v.Consents {
		consent := &patientv1.Consent{
			Purpose: purposeTo(c.Purpose), GiveTime: timestamppb.New(c.GivenAt), WithdrawTime: stamp(c.WithdrawnAt),
			GivenBy: c.GivenBy, WithdrawnBy: c.WithdrawnBy, DocumentId: c.Document,
		}
		out.Consents = append(out.Consents, consent)
	}
	return out
}

func recordTo(j *patient.Judged) *patientv1.ClinicalRecord {
	out := &patientv1.ClinicalRecord{
		Clinical: clinicalTo(&j.Clinical), Version: j.Version, RecordTime: timestamppb.New(j.RecordedAt), RecordedBy: j.RecordedBy,
		Etag: j.Etag(), RulesVersion: j.Rules,
	}
	for _, s := range j.Scores {
		out.Scores = append(out.Scores, &patientv1.Score{
			Name: s.Name, Value: s.Value, Grade: s.Grade, Inputs: s.Inputs, TestDate: s.TestDate, Formula: s.Formula, Note: s.Note,
		})
	}
	for _, m := range j.Missing {
		datum := &patientv1.MissingDatum{Path: m.Path, BlocksZh: m.BlocksZh, BlocksEn: m.BlocksEn}
		for _, b := range m.Blocked {
			datum.Blocked = append(datum.Blocked, &patientv1.Blocked{
				Kind: patientv1.BlockedKind(patientv1.BlockedKind_value[blockedPrefix+b.Kind]), Code: b.Code, Organ: organTo(b.Organ),
			})
		}
		out.Missing = append(out.Missing, datum)
	}
	for _, path := range slices.Sorted(maps.Keys(j.Changed)) {
		at := j.Changed[path]
		out.Changed = append(out.Changed, &patientv1.DatumTime{Path: path, ChangedAt: timestamppb.New(at.At), Version: at.Version})
	}
	return out
}

func versionTo(v patient.Version) *patientv1.ClinicalVersion {
	out := &patientv1.ClinicalVersion{
		Version: v.Version, RecordTime: timestamppb.New(v.RecordedAt), RecordedBy: v.RecordedBy, Subject: v.Subject, RulesVersion: v.Rules,
	}
	for _, c := range v.Changes {
		out.Changes = append(out.Changes, &patientv1.DatumChange{Path: c.Path, Before: c.Before, After: c.After})
	}
	return out
}

func organTo(o string) organv1.Organ { return organv1.Organ(organv1.Organ_value[organPrefix+o]) }

func quantity(value float64, unit string) *clinical.Quantity {
	return &clinical.Quantity{Value: value, Unit: unit}
}
