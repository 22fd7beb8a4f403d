package cli

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"huhang.example/services/cli/restconn"
	"huhang.example/services/internal/fault"
)

const (
	defaultServer = "http://127.0.0.1:8080"
	callLimit     = 20 * time.Second
	// patience is how long a change is sent again while the line is away.
	patience = 15 * time.Second
)

// saved is the sign-in as it is kept: a token and the address it is for.
type saved struct {
	Server  string    `json:"server"`
	Token   string    `json:"token"`
	Expires time.Time `json:"expires"`
	// Refresh, TokenURL and ClientID get the next token where the issuer gives such; empty: sign in again.
	Refresh  string `json:"refresh,omitempty"`
	TokenURL string `json:"token_url,omitempty"`
	ClientID string `json:"client_id,omitempty"`
}

func (a *app) file() string { return filepath.Join(a.Home, "huhang", "sign-in.json") }

func (a *app) load() (saved, error) {
	var s saved
	text, err := os.ReadFile(a.file())
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	return s, err
}

// keep replaces the file whole: half a token is none.
func (a *app) keep(s saved) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	dir := filepath.Dir(a.file())
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	temporary, err := os.CreateTemp(dir, ".sign-in-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(text)
	if err := errors.Join(err, temporary.Close()); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), a.file())
}

// address is the line's, from the flag, the environment or the sign-in.
func (a *app) address(s saved) string {
	for _, given := range []string{a.server, a.Getenv("HUHANG_SERVER"), s.Server} {
		if given != "" {
			return strings.TrimRight(given, "/")
		}
	}
	return defaultServer
}

// checked refuses addresses to which a token must not be sent in the clear.
func checked(server string) error {
	u, err := url.Parse(server)
	if err == nil && u.Host != "" {
		ip := net.ParseIP(u.Hostname())
		if u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()) {
			return nil
		}
	}
	return fault.New(fault.InvalidArgument, fault.FieldInvalid, "server",
		"The address must be https, or http on this machine.", "地址必须是https，或本机的http。")
}

// token is the environment's, or the kept one if it is for this address.
func (a *app) token(ctx context.Context, server string, s saved) (string, error) {
	if path := a.Getenv("HUHANG_TOKEN_FILE"); path != "" {
		text, err := os.ReadFile(path)
		return strings.TrimSpace(string(text)), err
	}
	if given := a.Getenv("HUHANG_TOKEN"); given != "" {
		return given, nil
	}
	if s.Token == "" || s.Server != server {
		return "", errSignIn{"尚未登录" + server + "：请运行 huhang login", "you are not signed in at " + server + ": run huhang login"}
	}
	if !a.fresh(s) {
		return a.refresh(ctx, s)
	}
	return s.Token, nil
}

// fresh tells that a token lasts for a call.
func (a *app) fresh(s saved) bool {
	return s.Expires.IsZero() || a.Clock.Now().Add(30*time.Second).Before(s.Expires)
}

// dial returns a connection on which the line's stubs work.
func (a *app) dial() (*restconn.Conn, error) {
	s, err := a.load()
	if err != nil {
		return nil, err
	}
	server := a.address(s)
	if err := checked(server); err != nil {
		return nil, err
	}
	return &restconn.Conn{Base: server, HTTP: a.HTTP, Token: func(ctx context.Context) (string, error) { return a.token(ctx, server, s) }}, nil
}

// again repeats a change while the line is away; its request id makes that harmless.
func (a *app) again(ctx context.Context, call func(context.Context) error) error {
	until := a.Clock.Now().Add(patience)
	for pause := 200 * time.Millisecond; ; pause = min(2*pause, 3*time.Second) {
		attempt, cancel := context.WithTimeout(ctx, callLimit)
		err := call(attempt)
		cancel()
		f, refused := fault.As(err)
		if !refused || f.Code != fault.Unavailable && f.Code != fault.DeadlineExceeded || a.Clock.Now().Add(pause).After(until) {
			return err
		}
		if a.Clock.Sleep(ctx, pause) != nil {
			return err
		}
	}
}
