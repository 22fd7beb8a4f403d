package restconn

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Rule returns the HTTP rule of a method such as "/huhang.referral.v1.ReferralService/GetReferral".
func Rule(method string) (verb, pattern, body string, err error) {
	name := strings.ReplaceAll(strings.TrimPrefix(method, "/"), "/", ".")
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name))
	if err != nil {
		return "", "", "", fmt.Errorf("%s: %w", method, err)
	}
	rule, _ := proto.GetExtension(found.Options(), annotations.E_Http).(*annotations.HttpRule)
	switch p := rule.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		return http.MethodGet, p.Get, "", nil
	case *annotations.HttpRule_Post:
		return http.MethodPost, p.Post, rule.GetBody(), nil
	case *annotations.HttpRule_Put:
		return http.MethodPut, p.Put, rule.GetBody(), nil
	case *annotations.HttpRule_Patch:
		return http.MethodPatch, p.Patch, rule.GetBody(), nil
	case *annotations.HttpRule_Delete:
		return http.MethodDelete, p.Delete, rule.GetBody(), nil
	}
	return "", "", "", fmt.Errorf("%s is not part of the REST API", method)
}

var variable = regexp.MustCompile(`\{([a-z_.]+)\}`)

// request writes a message as its method's rule has it: path, query, body.
func request(method string, message proto.Message) (verb, target string, body []byte, err error) {
	verb, pattern, part, err := Rule(method)
	if err != nil {
		return "", "", nil, err
	}
	inPath := map[string]bool{}
	target = variable.ReplaceAllStringFunc(pattern, func(v string) string {
		name := strings.Trim(v, "{}")
		inPath[name] = true
		return url.PathEscape(lookup(message.ProtoReflect(), name))
	})
	switch part {
	case "*":
		body, err = protojson.Marshal(message)
		return verb, target, body, err
	case "":
	default:
		inPath[part] = true
		field := message.ProtoReflect().Descriptor().Fields().ByName(protoreflect.Name(part))
		inner := message.ProtoReflect().Get(field).Message().Interface()
		if file, is := inner.(*httpbody.HttpBody); is {
			body = file.GetData()
		} else if body, err = protojson.Marshal(inner); err != nil {
			return "", "", nil, err
		}
	}
	values := url.Values{}
	query(message.ProtoReflect(), "", inPath, values)
	if len(values) > 0 {
		target += "?" + values.Encode()
	}
	return verb, target, body, nil
}

func lookup(m protoreflect.Message, path string) string {
	head, rest, deeper := strings.Cut(path, ".")
	field := m.Descriptor().Fields().ByName(protoreflect.Name(head))
	if deeper {
		return lookup(m.Get(field).Message(), rest)
	}
	return text(field, m.Get(field))
}

func query(m protoreflect.Message, prefix string, inPath map[string]bool, into url.Values) {
	m.Range(func(field protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		name := prefix + string(field.Name())
		switch {
		case inPath[name], field.IsMap():
		case field.IsList():
			for i := range v.List().Len() {
				into.Add(name, text(field, v.List().Get(i)))
			}
		case field.Message() != nil:
			if at, is := v.Message().Interface().(*timestamppb.Timestamp); is {
				into.Set(name, at.AsTime().Format("2006-01-02T15:04:05.999999999Z07:00"))
			} else {
				query(v.Message(), name+".", inPath, into)
			}
		default:
			into.Set(name, text(field, v))
		}
		return true
	})
}

func text(field protoreflect.FieldDescriptor, v protoreflect.Value) string {
	if field.Enum() != nil {
		if value := field.Enum().Values().ByNumber(v.Enum()); value != nil {
			return string(value.Name())
		}
		return strconv.Itoa(int(v.Enum()))
	}
	return v.String()
}
