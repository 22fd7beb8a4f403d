package sampleline

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"huhang.example/services/internal/clock"
)

// maxBody bounds what is read of an answer.
const maxBody = 8 << 20

// Person signs in as somebody of an organisation; the subject is a staff number, never a name.
type Person struct {
	Subject      string
	Organisation string
	Province     string
	Role         string
}

// Refused is an answer other than 200: what the line said, in its own words.
type Refused struct {
	HTTPStatus int
	Method     string
	Path       string
	Reason     string
	Field      string
	Message    string
	Body       string
}

func (r *Refused) Error() string {
	return fmt.Sprintf("%s %s: HTTP %d %s %s: %s", r.Method, r.Path, r.HTTPStatus, r.Reason, r.Field, r.Message)
}

// Client speaks the public REST API, as any program of a hospital would.
type Client struct {
	Base string
	HTTP *http.Client
	// Patience is how long a call is sent again, the same to the byte, while a service is away (HTTP 503, 504, no answer
	// at all): every change has its request_id, so that it happens once. 0: a call is sent once.
	Patience time.Duration
	// Clock times the pauses; only a patient client needs it.
	Clock clock.Clock
	// Repeated counts the calls that were sent again.
	Repeated atomic.Int64
}

// As returns a session for one person, with a token from the line's development issuer.
func (c *Client) As(ctx context.Context, p Person) (*Session, error) {
	form := url.Values{
		"subject": {p.Subject}, "organisation": {p.Organisation}, "province": {p.Province}, "roles": {p.Role},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Base+"/dev/issuer/token", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := c.HTTP.Do(req)
	if err != nil {
		return nil, fmt.Errorf("sign in: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("sign in: HTTP %d", res.StatusCode)
	}
	if err := json.Unmarshal(body, &token); err != nil {
		return nil, err
	}
	return &Session{client: c, Person: p, Token: token.AccessToken}, nil
}

// Session is one signed-in person.
type Session struct {
	Person
	client *Client
	Token  string
	// TraceID is the trace of the last answer, from its traceparent-carrying header.
	TraceID string
}

// Do sends one request; in and out may be nil.
func (s *Session) Do(ctx context.Context, method, path string, in, out proto.Message) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = protojson.Marshal(in); err != nil {
			return err
		}
	}
	limited, cancel := context.WithTimeout(ctx, s.client.Patience)
	defer cancel()
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := s.send(ctx, method, path, body, out)
		if s.client.Patience == 0 || !away(err) || s.client.Clock.Sleep(limited, pause) != nil {
			return err
		}
		s.client.Repeated.Add(1)
	}
}

const (
	firstPause = 50 * time.Millisecond
	lastPause  = time.Second
)

// away tells a call that found no service from one that was answered.
func away(err error) bool {
	var refused *Refused
	if errors.As(err, &refused) {
		return refused.HTTPStatus == http.StatusServiceUnavailable || refused.HTTPStatus == http.StatusGatewayTimeout
	}
	var unanswered *url.Error
	return errors.As(err, &unanswered)
}

func (s *Session) send(ctx context.Context, method, path string, in []byte, out proto.Message) error {
	var body io.Reader
	if in != nil {
		body = bytes.NewReader(in)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.client.Base+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+s.Token)
	req.Header.Set("Content-Type", "application/json")
	res, err := s.client.HTTP.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	s.TraceID = res.Header.Get("X-Trace-Id")
	b, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return refusal(method, path, res.StatusCode, b)
	}
	if out == nil {
		return nil
	}
	return protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(b, out)
}

func refusal(method, path string, status int, body []byte) error {
	r := &Refused{HTTPStatus: status, Method: method, Path: path, Body: string(body)}
	var st struct {
		Message string `json:"message"`
		Details []struct {
			Type     string            `json:"@type"`
			Reason   string            `json:"reason"`
			Metadata map[string]string `json:"metadata"`
		} `json:"details"`
	}
	if json.Unmarshal(body, &st) == nil {
		r.Message = st.Message
		for _, d := range st.Details {
			if strings.HasSuffix(d.Type, "ErrorInfo") {
				r.Reason, r.Field = d.Reason, d.Metadata["field"]
			}
		}
	}
	return r
}
