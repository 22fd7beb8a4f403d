package idempotency

import (
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

const maxResource = 128

// resourceOf finds the id of the record a call was about: ids are the fields "<noun>_id", in the answer itself, in the
// record it holds, or in the request. "" if there is none.
func resourceOf(answer, req proto.Message) string {
	if id := idIn(answer.ProtoReflect()); id != "" {
		return id
	}
	found := ""
	fields := answer.ProtoReflect().Descriptor().Fields()
	for i := 0; i < fields.Len() && found == ""; i++ {
		field := fields.Get(i)
		if field.Kind() == protoreflect.MessageKind && !field.IsList() && !field.IsMap() && answer.ProtoReflect().Has(field) {
			found = idIn(answer.ProtoReflect().Get(field).Message())
		}
	}
	if found == "" {
		found = idIn(req.ProtoReflect())
	}
	return found
}

func idIn(message protoreflect.Message) string {
	fields := message.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		name := string(field.Name())
		if field.Kind() != protoreflect.StringKind || field.IsList() || name == "request_id" || !strings.HasSuffix(name, "_id") {
			continue
		}
		if id := message.Get(field).String(); id != "" && len(id) <= maxResource {
			return id
		}
	}
	return ""
}
