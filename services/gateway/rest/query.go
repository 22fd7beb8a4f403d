package rest

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/grpc-ecosystem/grpc-gateway/v2/utilities"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// strictQuery refuses parameters that are no fields, where the library would pass over them: a filter that is silently
// dropped answers another question than the one asked.
type strictQuery struct{ runtime.DefaultQueryParser }

// The library keeps the parser for the whole process.
var installQuery sync.Once

func (q *strictQuery) Parse(message proto.Message, values url.Values, filter *utilities.DoubleArray) error {
	for key := range values {
		if !hasField(message.ProtoReflect().Descriptor(), key) {
			return fmt.Errorf("unknown parameter: %s", key)
		}
	}
	return q.DefaultQueryParser.Parse(message, values, filter)
}

func hasField(message protoreflect.MessageDescriptor, path string) bool {
	for name := range strings.SplitSeq(path, ".") {
		if message == nil {
			return false
		}
		field := message.Fields().ByJSONName(name)
		if field == nil {
			field = message.Fields().ByTextName(name)
		}
		if field == nil {
			return false
		}
		message = field.Message()
	}
	return true
}

var namedParameter = regexp.MustCompile(`(?:parameter:? |parsing field "|duplicate field ")([A-Za-z_][A-Za-z0-9_.]{0,63})(?:[",]|$)`)

// parameterOf finds the parameter's name in the library's text, which also quotes the value.
func parameterOf(text string) string {
	if m := namedParameter.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}
