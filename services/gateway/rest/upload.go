package rest

import (
	"errors"
	"io"
	"net/http"
	"strconv"

	"google.golang.org/protobuf/encoding/protojson"

	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/fault"
)

// uploadPath takes a file as its body: JSON has no way to send one piece by piece. Its parameters are the other fields.
const uploadPath = "/v1/timetables:upload"

const (
	maxUploadBytes = 64 << 20
	pieceBytes     = 256 << 10
)

// uploadTimetable hands the body on as it comes, in pieces: the gateway never holds more than one.
func (a *API) uploadTimetable(w http.ResponseWriter, r *http.Request, _ map[string]string) {
	header := &transferv1.UploadTimetableRequest{}
	for name, values := range r.URL.Query() {
		if len(values) != 1 {
			a.failed(r.Context(), nil, nil, w, r, badParameter(name))
			return
		}
		switch name {
		case "request_id":
			header.RequestId = values[0]
		case "feed":
			header.Feed = values[0]
		case "sha256":
			header.Sha256 = values[0]
		default:
			a.failed(r.Context(), nil, nil, w, r, badParameter(name))
			return
		}
	}
	answer, err := a.relayUpload(r, header)
	if err != nil {
		a.failed(r.Context(), nil, nil, w, r, err)
		return
	}
	text, err := protojson.MarshalOptions{EmitDefaultValues: true}.Marshal(answer)
	if err != nil {
		a.failed(r.Context(), nil, nil, w, r, err)
		return
	}
	w.Header().Set("Content-Type", contentType)
	_, _ = w.Write(text)
}

func (a *API) relayUpload(r *http.Request, header *transferv1.UploadTimetableRequest) (*transferv1.UploadTimetableResponse, error) {
	stream, err := transferv1.NewTimetableServiceClient(a.deps.Connection).UploadTimetable(r.Context())
	if err != nil {
		return nil, err
	}
	// A server that refuses ends the stream: why, the answer says.
	if stream.Send(header) != nil {
		return stream.CloseAndRecv()
	}
	piece := make([]byte, pieceBytes)
	for {
		n, err := io.ReadFull(r.Body, piece)
		if n > 0 {
			part := &transferv1.UploadTimetableRequest{RequestId: header.GetRequestId(), Feed: header.GetFeed(), Piece: piece[:n]}
			if stream.Send(part) != nil {
				return stream.CloseAndRecv()
			}
		}
		var large *http.MaxBytesError
		switch {
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			return stream.CloseAndRecv()
		case errors.As(err, &large):
			return nil, tooLarge().With("limit_bytes", strconv.FormatInt(large.Limit, 10)).Cause(err)
		case err != nil:
			return nil, fault.New(fault.InvalidArgument, fault.BodyMalformed, "", "The body ended early.", "请求体不完整。").Cause(err)
		}
	}
}
