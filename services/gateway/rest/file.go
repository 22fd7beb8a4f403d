package rest

import (
	"context"
	"net/http"
	"strings"

	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/protobuf/proto"
)

// pagePolicy lets a document that a service made show its own style, and nothing else: no script, no other host.
const pagePolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// fileHeaders sets the headers of an answer that is a file rather than JSON.
func fileHeaders(_ context.Context, w http.ResponseWriter, message proto.Message) error {
	body, is := message.(*httpbody.HttpBody)
	if !is {
		return nil
	}
	switch kind, _, _ := strings.Cut(body.GetContentType(), ";"); kind {
	case "text/html":
		w.Header().Set("Content-Security-Policy", pagePolicy)
	case "text/csv":
		w.Header().Set("Content-Disposition", `attachment; filename="statement.csv"`)
	}
	return nil
}
