package rpc

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	patientv1 "huhang.example/gen/huhang/patient/v1"
	"huhang.example/services/internal/audit"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/idempotency"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/patient"
	"huhang.example/services/patient/document"
)

const (
	kindPrefix   = "DOCUMENT_KIND_"
	statusPrefix = "DOCUMENT_STATUS_"

	// inMemory bounds the documents that are on their way at one time; each is held whole.
	inMemory = 8
	// receiveLimit bounds how long one may take to arrive.
	receiveLimit = 2 * time.Minute
	pieceSize    = 256 << 10
)

// Documents implements patientv1.DocumentServiceServer.
type Documents struct {
	patientv1.UnimplementedDocumentServiceServer
	*Server
	slots chan struct{}
}

// NewDocuments returns the server of documents.
func NewDocuments(s *Server) Documents {
	return Documents{Server: s, slots: make(chan struct{}, inMemory)}
}

func (s Documents) slot() (free func(), err error) {
	select {
	case s.slots <- struct{}{}:
		return func() { <-s.slots }, nil
	default:
		return nil, fault.New(fault.ResourceExhausted, fault.RateLimited, "",
			"Too many documents are on their way; try again shortly.", "同时传输的文件过多，请稍后重试。").With("retry_after_seconds", "2")
	}
}

// UploadDocument takes a document in pieces. Who may not see the patient is refused before a byte is kept.
func (s Documents) UploadDocument(stream grpc.ClientStreamingServer[patientv1.UploadDocumentRequest, patientv1.UploadDocumentResponse]) error {
	free, err := s.slot()
	if err != nil {
		return err
	}
	defer free()
	ctx := stream.Context()
	first, content, err := s.receive(stream)
	if err != nil {
		return err
	}
	sum, err := document.Check(content, first.GetContentType(), first.GetSha256())
	if err != nil {
		return err
	}
	// The key stands for the whole: description and checksum are what a repetition must have in common.
	key := &patientv1.UploadDocumentRequest{
		RequestId: first.GetRequestId(), PatientId: first.GetPatientId(), Kind: first.GetKind(), ContentType: first.GetContentType(), Sha256: sum,
	}
	res, err := idempotency.Once(ctx, s.db, key, func(ctx context.Context) (*patientv1.UploadDocumentResponse, error) {
		d, err := s.use.Upload(ctx, patient.Upload{
			PatientID: key.GetPatientId(), Kind: code(kindPrefix, key.GetKind().String(), int32(key.GetKind())), ContentType: key.GetContentType(),
			SHA256: sum, Content: content,
		})
		if err != nil {
			return nil, err
		}
		return &patientv1.UploadDocumentResponse{Document: documentTo(d)}, nil
	})
	if err != nil {
		return err
	}
	return stream.SendAndClose(res)
}

type received struct {
	first   *patientv1.UploadDocumentRequest
	content []byte
	err     error
}

// receive reads the whole document, within its size and time.
func (s Documents) receive(stream grpc.ClientStreamingServer[patientv1.UploadDocumentRequest, patientv1.UploadDocumentResponse]) (*patientv1.UploadDocumentRequest, []byte, error) {
	done := make(chan received, 1)
	go func() {
		first, content, err := s.pieces(stream)
		done <- received{first, content, err}
	}()
	late := s.db.Clock().NewTimer(receiveLimit)
	defer late.Stop()
	select {
	case r := <-done:
		return r.first, r.content, r.err
	case <-late.C():
		return nil, nil, fault.New(fault.DeadlineExceeded, fault.ReasonDeadlineExceeded, "", "The document took too long to arrive.", "文件传输超时。")
	}
}

func (s Documents) pieces(stream grpc.ClientStreamingServer[patientv1.UploadDocumentRequest, patientv1.UploadDocumentResponse]) (*patientv1.UploadDocumentRequest, []byte, error) {
	first, err := stream.Recv()
	if errors.Is(err, io.EOF) {
		return nil, nil, missing("request_id")
	}
	if err != nil {
		return nil, nil, err
	}
	switch {
	case first.GetRequestId() == "":
		return nil, nil, missing("request_id")
	case first.GetPatientId() == "":
		return nil, nil, missing("patient_id")
	case first.GetKind() == patientv1.DocumentKind_DOCUMENT_KIND_UNSPECIFIED:
		return nil, nil, missing("kind")
	}
	if err := s.use.Receivable(stream.Context(), first.GetPatientId()); err != nil {
		return nil, nil, err
	}
	content := first.GetChunk()
	for {
		next, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			first.Chunk = nil
			return first, content, nil
		}
		if err != nil {
			return nil, nil, err
		}
		if next.GetRequestId()+next.GetPatientId()+next.GetContentType()+next.GetSha256() != "" || next.GetKind() != 0 {
			return nil, nil, fault.New(fault.InvalidArgument, fault.FieldInvalid, "chunk",
				"Only the first message describes the document.", "仅首条消息可描述文件。")
		}
		if len(content)+len(next.GetChunk()) > document.MaxSize {
			return nil, nil, document.TooLarge()
		}
		content = append(content, next.GetChunk()...)
	}
}

func missing(field string) error {
	return fault.New(fault.InvalidArgument, fault.FieldInvalid, field, "The first message needs this field.", "首条消息缺少该字段。")
}

// ListDocuments lists a patient's documents.
func (s Documents) ListDocuments(ctx context.Context, req *patientv1.ListDocumentsRequest) (*patientv1.ListDocumentsResponse, error) {
	all, err := s.use.Documents(ctx, req.GetPatientId())
	if err != nil {
		return nil, err
	}
	res := &patientv1.ListDocumentsResponse{}
	for _, d := range all {
		res.Documents = append(res.Documents, documentTo(d))
	}
	return res, nil
}

// GetDocument tells what is known of a document.
func (s Documents) GetDocument(ctx context.Context, req *patientv1.GetDocumentRequest) (*patientv1.GetDocumentResponse, error) {
	d, err := s.use.Document(ctx, req.GetPatientId(), req.GetDocumentId())
	if err != nil {
		return nil, err
	}
	return &patientv1.GetDocumentResponse{Document: documentTo(d)}, nil
}

// DownloadDocument gives out a clean document. The audit entry is committed before the first byte leaves.
func (s Documents) DownloadDocument(req *patientv1.DownloadDocumentRequest, stream grpc.ServerStreamingServer[patientv1.DownloadDocumentResponse]) error {
	free, err := s.slot()
	if err != nil {
		return err
	}
	defer free()
	ctx := stream.Context()
	d, content, err := s.use.Content(ctx, req.GetPatientId(), req.GetDocumentId())
	if err != nil {
		return err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return audit.Append(ctx, tx, audit.Entry{Action: patientv1.DocumentService_DownloadDocument_FullMethodName, Resource: d.ID, Outcome: audit.Done})
	})
	if err != nil {
		return err
	}
	out := &patientv1.DownloadDocumentResponse{Document: documentTo(d)}
	for {
		n := min(len(content), pieceSize)
		out.Chunk, content = content[:n], content[n:]
		if err := stream.Send(out); err != nil || len(content) == 0 {
			return err
		}
		out = &patientv1.DownloadDocumentResponse{}
	}
}

// WithdrawDocument deletes what a document contains.
func (s Documents) WithdrawDocument(ctx context.Context, req *patientv1.WithdrawDocumentRequest) (*patientv1.WithdrawDocumentResponse, error) {
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*patientv1.WithdrawDocumentResponse, error) {
		d, err := s.use.WithdrawDocument(ctx, req.GetPatientId(), req.GetDocumentId(), req.GetReason())
		if err != nil {
			return nil, err
		}
		return &patientv1.WithdrawDocumentResponse{Document: documentTo(d)}, nil
	})
}

func documentTo(d *document.Document) *patientv1.Document {
	return &patientv1.Document{
		DocumentId: d.ID, PatientId: d.PatientID, Kind: patientv1.DocumentKind(patientv1.DocumentKind_value[kindPrefix+d.Kind]), ContentType: d.ContentType,
		Size: d.Size, Sha256: d.SHA256, Status: patientv1.DocumentStatus(patientv1.DocumentStatus_value[statusPrefix+d.Status]), Scanner: d.Scanner,
		Finding: d.Finding, ScanTime: stamp(d.ScannedAt), UploadedBy: d.UploadedBy, UploadTime: timestamppb.New(d.UploadedAt), WithdrawReason: d.WithdrawReason,
	}
}
