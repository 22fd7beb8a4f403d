package rpc

import (
	"encoding/json"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// The many small records of clinical data have the same field names in the proto and in the domain's JSON, so that one
// rule carries all of them across: a test fills every field of the proto and finds it again.

// across fills a domain record from a message: codes without their prefix, unset fields left out.
func across(m proto.Message, into any) {
	b, err := json.Marshal(plain(m.ProtoReflect()))
	if err == nil {
		err = json.Unmarshal(b, into)
	}
	if err != nil {
		panic(fmt.Sprintf("%s does not fit its record: %v", m.ProtoReflect().Descriptor().FullName(), err)) // types disagree: a test sees it
	}
}

// back fills a message from a domain record.
func back(record any, m proto.Message) {
	b, err := json.Marshal(record)
	values := map[string]any{}
	if err == nil {
		err = json.Unmarshal(b, &values)
	}
	if err != nil {
		panic(fmt.Sprintf("%T does not fit its message: %v", record, err))
	}
	fill(values, m.ProtoReflect())
}

func plain(m protoreflect.Message) map[string]any {
	out := map[string]any{}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if !f.IsList() {
			out[string(f.Name())] = plainValue(f, v)
			return true
		}
		list := make([]any, 0, v.List().Len())
		for i := range v.List().Len() {
			list = append(list, plainValue(f, v.List().Get(i)))
		}
		out[string(f.Name())] = list
		return true
	})
	return out
}

func plainValue(f protoreflect.FieldDescriptor, v protoreflect.Value) any {
	switch f.Kind() {
	case protoreflect.MessageKind:
		return plain(v.Message())
	case protoreflect.EnumKind:
		value := f.Enum().Values().ByNumber(v.Enum())
		if value == nil {
			return ""
		}
		return strings.TrimPrefix(string(value.Name()), prefixOf(f.Enum()))
	default:
		return v.Interface()
	}
}

// prefixOf is what every value of an enum begins with, as its zero value tells.
func prefixOf(e protoreflect.EnumDescriptor) string {
	return strings.TrimSuffix(string(e.Values().ByNumber(0).Name()), "UNSPECIFIED")
}

func fill(values map[string]any, m protoreflect.Message) {
	for name, value := range values {
		f := m.Descriptor().Fields().ByName(protoreflect.Name(name))
		if f == nil {
			continue
		}
		if list, ok := value.([]any); ok && f.IsList() {
			to := m.Mutable(f).List()
			for _, element := range list {
				to.Append(fillValue(f, element, to.NewElement))
			}
			continue
		}
		m.Set(f, fillValue(f, value, func() protoreflect.Value { return m.NewField(f) }))
	}
}

func fillValue(f protoreflect.FieldDescriptor, value any, make func() protoreflect.Value) protoreflect.Value {
	switch x := value.(type) {
	case map[string]any:
		v := make()
		fill(x, v.Message())
		return v
	case string:
		if f.Kind() != protoreflect.EnumKind {
			return protoreflect.ValueOfString(x)
		}
		if of := f.Enum().Values().ByName(protoreflect.Name(prefixOf(f.Enum()) + x)); of != nil {
			return protoreflect.ValueOfEnum(of.Number())
		}
		return protoreflect.ValueOfEnum(0)
	case float64:
		if f.Kind() == protoreflect.Int32Kind {
			return protoreflect.ValueOfInt32(int32(x))
		}
		return protoreflect.ValueOfFloat64(x)
	case bool:
		return protoreflect.ValueOfBool(x)
	}
	return make()
}
