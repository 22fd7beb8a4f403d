// Package restconn carries the line's gRPC stubs over its REST API: one address, a bearer token, no certificate.
//
// Invariant: a method is called exactly as its google.api.http rule declares it; what the line refuses comes back as the
// fault it is, and what never reached the line as one with the code UNAVAILABLE.
package restconn

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"google.golang.org/genproto/googleapis/api/httpbody"
	// Linked in, so that the details of a refusal can be read.
	_ "google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"huhang.example/services/internal/fault"
)

const (
	maxAnswer = 16 << 20
	maxLine   = 1 << 20
)

// Conn is a grpc.ClientConnInterface over REST.
type Conn struct {
	// Base is the line's address, without a slash at its end.
	Base string
	HTTP *http.Client
	// Token returns the bearer token.
	Token func(ctx context.Context) (string, error)
}

var _ grpc.ClientConnInterface = (*Conn)(nil)

// Invoke makes one call.
func (c *Conn) Invoke(ctx context.Context, method string, args, reply any, _ ...grpc.CallOption) error {
	response, err := c.send(ctx, method, args)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return unreachable(err)
	}
	if file, is := reply.(*httpbody.HttpBody); is {
		file.ContentType, file.Data = response.Header.Get("Content-Type"), text
		return nil
	}
	into, ok := reply.(proto.Message)
	if !ok {
		return fmt.Errorf("%T is no message", reply)
	}
	// A newer line may say more than this client knows.
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(text, into); err != nil {
		return notTheLine()
	}
	return nil
}

// send returns the answer of a call that was not refused.
func (c *Conn) send(ctx context.Context, method string, args any) (*http.Response, error) {
	message, ok := args.(proto.Message)
	if !ok {
		return nil, fmt.Errorf("%T is no message", args)
	}
	verb, target, body, err := request(method, message)
	if err != nil {
		return nil, err
	}
	token, err := c.Token(ctx)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, verb, c.Base+target, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	response, err := c.HTTP.Do(r)
	if err != nil {
		return nil, unreachable(err)
	}
	if response.StatusCode == http.StatusOK {
		return response, nil
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxLine))
	if err != nil {
		return nil, unreachable(err)
	}
	return nil, refusal(text)
}

func refusal(text []byte) error {
	told := new(spb.Status)
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(text, told); err != nil || told.GetCode() == 0 {
		return notTheLine()
	}
	return fault.FromStatus(status.ErrorProto(told))
}

// unreachable is the fault of a call that got no answer; the error may name the address, which holds no secret.
func unreachable(err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return fault.New(fault.DeadlineExceeded, fault.ReasonDeadlineExceeded, "", "The line did not answer in time.", "专线未能及时应答。").Cause(err)
	}
	return fault.New(fault.Unavailable, fault.PeerUnavailable, "", "The line cannot be reached.", "无法连接专线。").
		Do("Look at the address (--server) and the network, then try again.", "请检查地址（--server）与网络后重试。").Cause(err)
}

func notTheLine() error {
	return fault.New(fault.Unavailable, fault.PeerUnavailable, "", "What answers at this address is not the line.", "此地址应答的不是本专线。").
		Do("Look at the address (--server).", "请检查地址（--server）。")
}

// NewStream opens a stream of answers; the line has no other kind over REST.
func (c *Conn) NewStream(ctx context.Context, _ *grpc.StreamDesc, method string, _ ...grpc.CallOption) (grpc.ClientStream, error) {
	return &stream{conn: c, ctx: ctx, method: method}, nil
}

type stream struct {
	conn   *Conn
	ctx    context.Context
	method string
	body   io.Closer
	lines  *bufio.Scanner
}

// SendMsg asks; it is called once.
func (s *stream) SendMsg(args any) error {
	response, err := s.conn.send(s.ctx, s.method, args) //nolint:bodyclose // closed at the stream's end, or with its context
	if err != nil {
		return err
	}
	s.body, s.lines = response.Body, bufio.NewScanner(response.Body)
	s.lines.Buffer(nil, maxLine)
	return nil
}

// RecvMsg reads one answer; io.EOF at the end.
func (s *stream) RecvMsg(reply any) error {
	into, ok := reply.(proto.Message)
	if !ok {
		return fmt.Errorf("%T is no message", reply)
	}
	for s.lines.Scan() {
		line := bytes.TrimSpace(s.lines.Bytes())
		if len(line) == 0 {
			continue
		}
		var said struct {
			Result, Error json.RawMessage
		}
		if err := json.Unmarshal(line, &said); err != nil {
			return s.end(notTheLine())
		}
		if said.Error != nil {
			return s.end(refusal(said.Error))
		}
		if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(said.Result, into); err != nil {
			return s.end(notTheLine())
		}
		return nil
	}
	if err := s.lines.Err(); err != nil {
		return s.end(unreachable(err))
	}
	return s.end(io.EOF)
}

func (s *stream) end(err error) error {
	_ = s.body.Close()
	return err
}

func (s *stream) CloseSend() error             { return nil }
func (s *stream) Context() context.Context     { return s.ctx }
func (s *stream) Header() (metadata.MD, error) { return nil, nil }
func (s *stream) Trailer() metadata.MD         { return nil }
