package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"

	patientv1 "huhang.example/gen/huhang/patient/v1"
	"huhang.example/services/internal/fault"
)

// Documents travel as they are: a file is a request's body, and an answer's, where gRPC has a stream of pieces.

const (
	documentsRoute = "/v1/patients/{patient_id}/documents"
	contentRoute   = "/v1/patients/{patient_id}/documents/{document_id}/content"

	largestDocument = 20 << 20
	pieceSize       = 256 << 10
)

// rawRoutes are the routes whose body is a file; the protos do not declare them.
var rawRoutes = []declared{
	(&declared{verb: http.MethodPost, pattern: documentsRoute}).compiled(), (&declared{verb: http.MethodGet, pattern: contentRoute}).compiled(),
}

// raw reports whether a request's body is a file.
func raw(r *http.Request, x *Exchange) bool {
	return x != nil && x.Route == documentsRoute && r.Method == http.MethodPost
}

// slow reports whether a request gets the longest deadline unless it asks for another.
func slow(x *Exchange) bool {
	return x != nil && (x.Route == documentsRoute || x.Route == contentRoute)
}

func (a *API) documents() error {
	client := patientv1.NewDocumentServiceClient(a.deps.Connection)
	return errors.Join(
		a.mux.HandlePath(http.MethodPost, documentsRoute, func(w http.ResponseWriter, r *http.Request, params map[string]string) {
			answer, err := upload(r, params["patient_id"], client)
			if err != nil {
				a.failed(r.Context(), a.mux, nil, w, r, err)
				return
			}
			w.Header().Set("Content-Type", contentType)
			// Only a client that went away makes this fail.
			_, _ = w.Write(append(answer, '\n'))
		}),
		a.mux.HandlePath(http.MethodGet, contentRoute, func(w http.ResponseWriter, r *http.Request, params map[string]string) {
			if err := download(w, r, params["patient_id"], params["document_id"], client); err != nil {
				a.failed(r.Context(), a.mux, nil, w, r, err)
			}
		}),
	)
}

type declaredType struct{}

// withDeclaredType keeps what the client says its body is; admit leaves no header of the request.
func withDeclaredType(ctx context.Context, header http.Header) context.Context {
	return context.WithValue(ctx, declaredType{}, header.Get("Content-Type"))
}

func upload(r *http.Request, patientID string, client patientv1.DocumentServiceClient) ([]byte, error) {
	first, err := described(r.URL.Query())
	if err != nil {
		return nil, err
	}
	first.PatientId = patientID
	declared, _ := r.Context().Value(declaredType{}).(string)
	first.ContentType, _, _ = strings.Cut(declared, ";")
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel() // a body that breaks off must not leave half a stream behind
	stream, err := client.UploadDocument(ctx)
	if err != nil {
		return nil, err
	}
	piece := make([]byte, pieceSize)
	for next := first; ; next = new(patientv1.UploadDocumentRequest) {
		n, err := io.ReadFull(r.Body, piece)
		var large *http.MaxBytesError
		switch {
		case errors.As(err, &large):
			return nil, tooLarge().With("limit_bytes", strconv.Itoa(largestDocument)).Cause(err)
		case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
			return nil, notWellFormed().Cause(err)
		}
		next.Chunk = piece[:n]
		if n > 0 || next == first {
			if sent := stream.Send(next); sent != nil {
				break // CloseAndRecv tells why
			}
		}
		if err != nil {
			break
		}
	}
	got, err := stream.CloseAndRecv()
	if err != nil {
		return nil, err
	}
	return protojson.MarshalOptions{EmitDefaultValues: true}.Marshal(got)
}

// described reads what the query says of the file.
func described(query url.Values) (*patientv1.UploadDocumentRequest, error) {
	first := &patientv1.UploadDocumentRequest{}
	for name, values := range query {
		if len(values) != 1 {
			return nil, badParameter("")
		}
		switch name {
		case "request_id", "requestId":
			first.RequestId = values[0]
		case "sha256":
			first.Sha256 = values[0]
		case "kind":
			kind, known := patientv1.DocumentKind_value[values[0]]
			if !known {
				return nil, badParameter("kind")
			}
			first.Kind = patientv1.DocumentKind(kind)
		default:
			return nil, badParameter("")
		}
	}
	return first, nil
}

// suffixes of the media types that documents have.
var suffixes = map[string]string{"application/pdf": ".pdf", "image/jpeg": ".jpg", "image/png": ".png", "application/dicom": ".dcm"}

func download(w http.ResponseWriter, r *http.Request, patientID, documentID string, client patientv1.DocumentServiceClient) error {
	stream, err := client.DownloadDocument(r.Context(), &patientv1.DownloadDocumentRequest{PatientId: patientID, DocumentId: documentID})
	if err != nil {
		return err
	}
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	d := first.GetDocument()
	suffix, known := suffixes[d.GetContentType()]
	if !known {
		return fault.New(fault.Internal, fault.ReasonInternal, "", "The document has no known type.", "文件类型未知。")
	}
	header := w.Header()
	header.Set("Content-Type", d.GetContentType())
	header.Set("Content-Length", strconv.FormatInt(d.GetSize(), 10))
	header.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", d.GetDocumentId()+suffix))
	for next := first; ; {
		// A client that went away, or a stream that breaks off, leaves an answer shorter than its Content-Length.
		if _, err := w.Write(next.GetChunk()); err != nil {
			return nil
		}
		if next, err = stream.Recv(); err != nil {
			return nil
		}
	}
}
