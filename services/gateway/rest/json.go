package rest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"huhang.example/services/internal/fault"
)

const (
	contentType       = "application/json"
	streamContentType = "application/x-ndjson"
)

// strictJSON reads one JSON value and nothing beside it, with known fields only.
type strictJSON struct{ runtime.JSONPb }

func newJSON() *strictJSON {
	return &strictJSON{runtime.JSONPb{MarshalOptions: protojson.MarshalOptions{EmitDefaultValues: true}}}
}

// ContentType is that of a single answer. A picture or a calendar is a body of its own type.
func (*strictJSON) ContentType(v any) string {
	if body, raw := v.(*httpbody.HttpBody); raw {
		return body.GetContentType()
	}
	return contentType
}

// Marshal writes JSON, or a body as it is.
func (j *strictJSON) Marshal(v any) ([]byte, error) {
	if body, raw := v.(*httpbody.HttpBody); raw {
		return body.GetData(), nil
	}
	return j.JSONPb.Marshal(v)
}

// StreamContentType is that of a stream: a JSON value a line.
func (*strictJSON) StreamContentType(any) string { return streamContentType }

// NewDecoder reads a request's body. The generated handlers turn what it returns into text; the fault itself is left
// with the body for the answer.
func (*strictJSON) NewDecoder(r io.Reader) runtime.Decoder {
	return runtime.DecoderFunc(func(into any) error {
		if file, is := into.(**httpbody.HttpBody); is {
			return decodeFile(r, file)
		}
		message, ok := into.(proto.Message)
		if !ok {
			return fmt.Errorf("%T is no message", into)
		}
		err := decode(r, message)
		if f, isFault := fault.As(err); isFault {
			if b, held := r.(*body); held {
				b.refused = f
			}
		}
		return err
	})
}

func decode(r io.Reader, into proto.Message) error {
	text, err := io.ReadAll(r)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return tooLarge().With("limit_bytes", fmt.Sprint(large.Limit)).Cause(err)
	case err != nil:
		return notWellFormed().Cause(err)
	case len(text) == 0:
		// A call without a body is one without fields.
		return io.EOF
	}
	if err := protojson.Unmarshal(text, into); err != nil {
		return malformed(err)
	}
	return nil
}

// decodeFile takes the body as it is, where a call's field is a file.
func decodeFile(r io.Reader, into **httpbody.HttpBody) error {
	text, err := io.ReadAll(r)
	if err != nil {
		f := notWellFormed()
		if large := new(http.MaxBytesError); errors.As(err, &large) {
			f = tooLarge().With("limit_bytes", fmt.Sprint(large.Limit))
		}
		if b, held := r.(*body); held {
			b.refused = f.Cause(err)
		}
		return f.Cause(err)
	}
	*into = &httpbody.HttpBody{ContentType: contentType, Data: text}
	return nil
}

var (
	namedField = regexp.MustCompile(`(?:unknown field|duplicate field|invalid value for \w+ field|invalid value for \w+ type:|field) "?([A-Za-z_][A-Za-z0-9_.]{0,63})"?`)
	position   = regexp.MustCompile(`line (\d+):(\d+)`)
)

// malformed says where the body is wrong. The parser's own text quotes what was sent, so it is not passed on.
func malformed(err error) *fault.Fault {
	f := notWellFormed()
	if strings.Contains(err.Error(), "unknown field") {
		f = unknownField()
	}
	f = f.Cause(errors.New("body does not parse"))
	if m := namedField.FindStringSubmatch(err.Error()); m != nil {
		f.Field = m[1]
	}
	if m := position.FindStringSubmatch(err.Error()); m != nil {
		f = f.With("line", m[1]).With("column", m[2])
	}
	return f
}

// body is a request's bounded body, and what was found wrong with it.
type body struct {
	io.ReadCloser
	refused *fault.Fault
}
