package rest

import (
	"context"
	"net/http"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/proto"
)

// stream is the answer of a stream: its header goes out as soon as the service took the call, not with the first event,
// so that a client knows that it is heard. What is refused before that is an answer like any other.
type stream struct {
	http.ResponseWriter
	begun bool
}

// Unwrap lets a response controller reach the connection.
func (s *stream) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// WriteHeader is the library's, when a stream ends in a fault before its first event: by then the header is out.
func (s *stream) WriteHeader(code int) {
	if !s.begun {
		s.ResponseWriter.WriteHeader(code)
	}
}

// begin sends the header of a stream once the service's own came; the library asks without a message before the first.
func begin(ctx context.Context, w http.ResponseWriter, message proto.Message) error {
	s, is := w.(*stream)
	if !is || s.begun || message != nil {
		return nil
	}
	if md, known := runtime.ServerMetadataFromContext(ctx); !known || len(md.HeaderMD) == 0 {
		return nil
	}
	s.Header().Set("Content-Type", streamContentType)
	s.ResponseWriter.WriteHeader(http.StatusOK)
	s.begun = true
	return http.NewResponseController(s).Flush()
}
