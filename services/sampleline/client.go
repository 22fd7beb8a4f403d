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
	"strconv"
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
	// RetryAfter is how long the line asks to wait.
	RetryAfter time.Duration
}

func (r *Refused) Error() string {
	return fmt.Sprintf("%s %s: HTTP %d %s %s: %s", r.Method, r.Path, r.HTTPStatus, r.Reason, r.Field, r.Message)
}

// Client speaks the public REST API, as any program of a hospital would.
type Client struct {
	Base string
	HTTP *http.Client
	// Patience is how long a call is sent again, the same to the byte, while a service is away (HTTP 503, 504, no answer
	// at all) or the line asks to wait (429): every change has its request_id, so that it happens once. 0: a call is sent once.
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
	var token struct {
		AccessToken string `json:"access_token"`
	}
	err := c.patiently(ctx, func() error {
		body, _, err := c.send(ctx, http.MethodPost, "/dev/issuer/token", "application/x-www-form-urlencoded", "", []byte(form.Encode()))
		if err != nil {
			return err
		}
		return json.Unmarshal(body, &token)
	})
	if err != nil {
		return nil, fmt.Errorf("sign in: %w", err)
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
	return s.client.patiently(ctx, func() error {
		answer, trace, err := s.client.send(ctx, method, path, "application/json", s.Token, body)
		s.TraceID = trace
		if err != nil || out == nil {
			return err
		}
		return protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(answer, out)
	})
}

const (
	firstPause = 50 * time.Millisecond
	lastPause  = time.Second
)

// patiently calls again while that can help, and as long as patience lasts.
func (c *Client) patiently(ctx context.Context, call func() error) error {
	limited, cancel := context.WithTimeout(ctx, c.Patience)
	defer cancel()
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := call()
		wait, again := passing(err)
		if c.Patience == 0 || !again || c.Clock.Sleep(limited, max(pause, wait)) != nil {
			return err
		}
		c.Repeated.Add(1)
	}
}

// passing tells a call that found no service, or came too soon and has to wait, from one that was answered.
func passing(err error) (wait time.Duration, again bool) {
	var refused *Refused
	if errors.As(err, &refused) {
		switch refused.HTTPStatus {
		case http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return 0, true
		case http.StatusTooManyRequests:
			return refused.RetryAfter, true
		}
		return 0, false
	}
	var unanswered *url.Error
	return 0, errors.As(err, &unanswered)
}

// send returns the body of a good answer and its trace.
func (c *Client) send(ctx context.Context, method, path, contentType, token string, in []byte) (answer []byte, trace string, err error) {
	req, err := http.NewRequestWithContext(ctx, method, c.Base+path, bytes.NewReader(in))
	if err != nil {
		return nil, "", err
	}
	req.Header.Set("Content-Type", contentType)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := c.HTTP.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = res.Body.Close() }()
	trace = res.Header.Get("X-Trace-Id")
	b, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	if err != nil {
		return nil, trace, &url.Error{Op: method, URL: path, Err: err}
	}
	if res.StatusCode != http.StatusOK {
		r := refusal(method, path, res.StatusCode, b)
		if seconds, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil {
			r.RetryAfter = time.Duration(seconds) * time.Second
		}
		return nil, trace, r
	}
	return b, trace, nil
}

func refusal(method, path string, status int, body []byte) *Refused {
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
