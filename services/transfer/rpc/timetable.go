package rpc

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strconv"

	"google.golang.org/grpc"

	transferv1 "huhang.example/gen/huhang/transfer/v1"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/idempotency"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/transfer"
	"huhang.example/services/transfer/timetable"
)

// TimetableServer implements the timetables' service.
type TimetableServer struct {
	transferv1.UnimplementedTimetableServiceServer
	service *transfer.Service
	db      *sqldb.DB
	// busy is taken by the upload under way: a large feed takes memory, and two at once nobody needs.
	busy chan struct{}
}

// NewTimetable returns the timetables' server.
func NewTimetable(service *transfer.Service, db *sqldb.DB) *TimetableServer {
	return &TimetableServer{service: service, db: db, busy: make(chan struct{}, 1)}
}

const mostUpload = 64 << 20

// uploadLimits bound what a zip of that size may unpack to.
var uploadLimits = timetable.Limits{FileBytes: 256 << 20, Rows: 3_000_000}

// UploadTimetable reads a feed piece by piece.
func (s *TimetableServer) UploadTimetable(stream grpc.ClientStreamingServer[transferv1.UploadTimetableRequest, transferv1.UploadTimetableResponse]) error {
	select {
	case s.busy <- struct{}{}:
		defer func() { <-s.busy }()
	default:
		return fault.New(fault.ResourceExhausted, fault.RateLimited, "", "Another upload is under way.", "另一时刻表正在上传。").With("retry_after_seconds", "5")
	}
	header, archive, err := receive(stream)
	if err != nil {
		return err
	}
	table, err := transfer.ReadTimetable(timetable.ReadZip(bytes.NewReader(archive), int64(len(archive)), uploadLimits))
	if err != nil {
		return err
	}
	answer, err := idempotency.Once(stream.Context(), s.db, header, func(ctx context.Context) (*transferv1.UploadTimetableResponse, error) {
		v, err := s.service.ImportTimetable(ctx, header.GetFeed(), table)
		return &transferv1.UploadTimetableResponse{Version: versionTo(v)}, err
	})
	if err != nil {
		return err
	}
	return stream.SendAndClose(answer)
}

// receive returns the file, and the first piece's message without it, but with the digest of all.
func receive(stream grpc.ClientStreamingServer[transferv1.UploadTimetableRequest, transferv1.UploadTimetableResponse]) (*transferv1.UploadTimetableRequest, []byte, error) {
	var header *transferv1.UploadTimetableRequest
	var archive bytes.Buffer
	for {
		next, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, err
		}
		if header == nil {
			header = &transferv1.UploadTimetableRequest{RequestId: next.GetRequestId(), Feed: next.GetFeed(), Sha256: next.GetSha256()}
		}
		if next.GetRequestId() != header.GetRequestId() || next.GetFeed() != header.GetFeed() {
			return nil, nil, fault.New(fault.InvalidArgument, fault.FieldInvalid, "request_id",
				"All pieces carry the same request_id and feed.", "各分片的 request_id 和 feed 须一致。")
		}
		if archive.Len()+len(next.GetPiece()) > mostUpload {
			return nil, nil, fault.New(fault.ResourceExhausted, fault.BodyTooLarge, "piece", "The feed is larger than 64 MiB.", "文件超过 64 MiB。").
				With("limit_bytes", strconv.Itoa(mostUpload))
		}
		archive.Write(next.GetPiece())
	}
	sum := sha256.Sum256(archive.Bytes())
	digest := hex.EncodeToString(sum[:])
	switch {
	case header == nil:
		return nil, nil, fault.New(fault.InvalidArgument, fault.FieldInvalid, "piece", "Nothing was sent.", "未发送任何内容。")
	case header.GetSha256() != "" && header.GetSha256() != digest:
		return nil, nil, fault.New(fault.InvalidArgument, fault.FieldInvalid, "sha256", "The pieces are not the file of that digest.", "文件内容与摘要不符。")
	}
	header.Sha256 = digest
	return header, archive.Bytes(), nil
}

// ListTimetables returns a page of versions.
func (s *TimetableServer) ListTimetables(ctx context.Context, req *transferv1.ListTimetablesRequest) (*transferv1.ListTimetablesResponse, error) {
	list, next, standing, etag, err := s.service.ListTimetables(ctx, req.GetFeed(), req.GetPageSize(), req.GetPageToken())
	if err != nil {
		return nil, err
	}
	answer := &transferv1.ListTimetablesResponse{NextPageToken: next, Etag: strconv.FormatInt(etag, 10)}
	for _, v := range list {
		answer.Versions = append(answer.Versions, versionTo(v))
	}
	for _, a := range standing {
		answer.Activations = append(answer.Activations, activationTo(a))
	}
	return answer, nil
}

// ActivateTimetable puts a version in force.
func (s *TimetableServer) ActivateTimetable(ctx context.Context, req *transferv1.ActivateTimetableRequest) (*transferv1.ActivateTimetableResponse, error) {
	defer s.service.Recheck()
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*transferv1.ActivateTimetableResponse, error) {
		a, etag, err := s.service.ActivateTimetable(ctx, req.GetTimetableId(), req.GetEffectiveDay(), req.GetEtag())
		return &transferv1.ActivateTimetableResponse{Activation: activationTo(a), Etag: strconv.FormatInt(etag, 10)}, err
	})
}

// RollBackTimetable withdraws the last activation.
func (s *TimetableServer) RollBackTimetable(ctx context.Context, req *transferv1.RollBackTimetableRequest) (*transferv1.RollBackTimetableResponse, error) {
	defer s.service.Recheck()
	return idempotency.Once(ctx, s.db, req, func(ctx context.Context) (*transferv1.RollBackTimetableResponse, error) {
		a, etag, err := s.service.RollBackTimetable(ctx, req.GetFeed(), req.GetEtag())
		return &transferv1.RollBackTimetableResponse{Withdrawn: activationTo(a), Etag: strconv.FormatInt(etag, 10)}, err
	})
}

func versionTo(v transfer.TimetableVersion) *transferv1.TimetableVersion {
	return &transferv1.TimetableVersion{
		TimetableId: v.ID, Feed: v.Feed, Version: v.Version, Digest: v.Digest, Bytes: v.Bytes, Stops: int32(v.Stops),
		Trips: int32(v.Trips), Connections: int32(v.Connections), LeftOut: int32(v.LeftOut), FirstDay: v.FirstDay, LastDay: v.LastDay,
		ImportedBy: v.ImportedBy, ImportTime: stamp(v.ImportTime),
	}
}

func activationTo(a transfer.Activation) *transferv1.TimetableActivation {
	return &transferv1.TimetableActivation{
		TimetableId: a.VersionID, Feed: a.Feed, EffectiveDay: a.Day, ActivatedBy: a.By, ActivateTime: stamp(a.At),
	}
}
