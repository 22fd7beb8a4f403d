package rpc

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"pgregory.net/rapid"

	patientv1 "huhang.example/gen/huhang/patient/v1"
	"huhang.example/services/patient/clinical"
)

// full sets every field of a message, each to what draw chooses; of a oneof, one.
func full(m protoreflect.Message, n *int, draw func(max int) int) {
	for i := range m.Descriptor().Fields().Len() {
		f := m.Descriptor().Fields().Get(i)
		if o := f.ContainingOneof(); o != nil && !o.IsSynthetic() && o.Fields().Get(draw(o.Fields().Len()-1)) != f {
			continue
		}
		if f.IsList() {
			for range 1 + draw(2) {
				m.Mutable(f).List().Append(value(f, n, draw, m.Mutable(f).List().NewElement))
			}
			continue
		}
		m.Set(f, value(f, n, draw, func() protoreflect.Value { return m.NewField(f) }))
	}
}

func value(f protoreflect.FieldDescriptor, n *int, draw func(max int) int, make func() protoreflect.Value) protoreflect.Value {
	*n++
	switch f.Kind() {
	case protoreflect.MessageKind:
		v := make()
		full(v.Message(), n, draw)
		return v
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(1 + draw(f.Enum().Values().Len()-2)))
	case protoreflect.BoolKind:
		// false is not kept apart from unset where the field has no presence
		return protoreflect.ValueOfBool(!f.HasPresence() || draw(1) == 1)
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(float64(*n) + 0.25)
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(int32(*n))
	}
	return protoreflect.ValueOfString(strings.Repeat("x", 1+*n%7))
}

// No field of a clinical record is lost on its way to the store and back.
func TestEveryClinicalFieldCrosses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sent := new(patientv1.Clinical)
		n := 0
		full(sent.ProtoReflect(), &n, func(max int) int { return rapid.IntRange(0, max).Draw(t, "choice") })
		domain := clinicalFrom(sent)
		text, err := json.Marshal(domain)
		if err != nil {
			t.Fatal(err)
		}
		var stored clinical.Clinical
		if err := json.Unmarshal(text, &stored); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(stored, domain) {
			t.Fatal("storing changed the record")
		}
		if got := clinicalTo(&stored); !proto.Equal(got, sent) {
			t.Fatalf("sent %v\ngot  %v", sent, got)
		}
		if n < 150 {
			t.Fatalf("only %d fields", n)
		}
	})
}

// What is missing, and what changed, is named by paths of the contract.
func TestPathsAreTheContracts(t *testing.T) {
	sent := new(patientv1.Clinical)
	n := 0
	full(sent.ProtoReflect(), &n, func(int) int { return 0 })
	domain := clinicalFrom(sent)
	known := func(path string) bool {
		m := sent.ProtoReflect().Descriptor()
		names := strings.Split(path, ".")
		for i, name := range names {
			f := m.Fields().ByName(protoreflect.Name(name))
			if f == nil {
				return i == len(names)-1 && m.Oneofs().ByName(protoreflect.Name(name)) != nil
			}
			m = f.Message()
		}
		return true
	}
	for path := range clinical.Data(&domain) {
		if !known(path) {
			t.Errorf("a change of %s", path)
		}
	}
	for _, organ := range []string{"KIDNEY", "LIVER", "HEART", "LUNG", "PANCREAS", "SMALL_BOWEL"} {
		for _, m := range clinical.MissingData(&clinical.Clinical{Organ: organ}, clinical.Person{}) {
			if !known(m.Path) {
				t.Errorf("missing %s", m.Path)
			}
		}
	}
}
