// Package scan asks a virus scanner about documents.
//
// Invariant: a content counts as clean only when a scanner said so in full; whatever else happens (no answer, a cut
// connection, an answer that is not understood) is an error, and the document stays in quarantine.
package scan

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strings"

	"huhang.example/services/internal/fault"
	"huhang.example/services/patient/document"
)

// Scanner judges contents.
type Scanner interface {
	// Scan returns a verdict, or an error when there is none. Faults: PEER_UNAVAILABLE while the scanner is away.
	Scan(ctx context.Context, content []byte) (document.Verdict, error)
}

// Open makes the scanner of a configuration: "clamd:tcp:host:port", "clamd:unix:/path", "builtin", or nothing, which
// leaves every document in quarantine.
func Open(config string) (Scanner, error) {
	scheme, rest, _ := strings.Cut(config, ":")
	network, address, _ := strings.Cut(rest, ":")
	switch {
	case config == "":
		return none{}, nil
	case config == "builtin":
		return Builtin{}, nil
	case scheme == "clamd" && (network == "tcp" || network == "unix") && address != "":
		return &Clamd{Network: network, Address: address}, nil
	}
	return nil, errors.New(`scanner: "clamd:tcp:host:port", "clamd:unix:/path" or "builtin"`)
}

func away(err error) error {
	return fault.New(fault.Unavailable, fault.PeerUnavailable, "", "The scanner does not answer.", "扫描服务无响应。").Cause(err)
}

type none struct{}

func (none) Scan(context.Context, []byte) (document.Verdict, error) {
	return document.Verdict{}, away(errors.New("no scanner is configured"))
}

// Builtin is for development: it knows one thing, the EICAR test string, and says so in every verdict.
type Builtin struct{}

// eicar is put together so that this source is not found itself.
var eicar = []byte(`X5O!P%@AP[4\PZX54(P^)7CC)7}$` + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!" + "$H+H*")

// Scan looks for the test string.
func (Builtin) Scan(_ context.Context, content []byte) (document.Verdict, error) {
	v := document.Verdict{Clean: true, Scanner: "built-in, for development: knows the EICAR test string alone"}
	if bytes.Contains(content, eicar) {
		v.Clean, v.Finding = false, "EICAR-Test-File"
	}
	return v, nil
}

// Clamd is ClamAV's daemon, asked by its INSTREAM command.
type Clamd struct{ Network, Address string }

const (
	pieceSize  = 64 << 10
	longestSay = 4 << 10
)

// Scan sends a content and reads the verdict; the daemon's version, signatures included, goes with it.
func (c *Clamd) Scan(ctx context.Context, content []byte) (document.Verdict, error) {
	version, err := c.ask(ctx, "zVERSION\x00", nil)
	if err != nil {
		return document.Verdict{}, err
	}
	said, err := c.ask(ctx, "zINSTREAM\x00", content)
	if err != nil {
		return document.Verdict{}, err
	}
	v := document.Verdict{Scanner: version}
	finding, is := strings.CutPrefix(said, "stream: ")
	switch {
	case is && finding == "OK":
		v.Clean = true
		return v, nil
	case is && strings.HasSuffix(finding, " FOUND"):
		v.Finding = strings.TrimSuffix(finding, " FOUND")
		return v, nil
	}
	return document.Verdict{}, fmt.Errorf("clamd refused to scan: %.80q", said)
}

// ask sends one command over a connection of its own; content other than nil follows in pieces, each after its length.
func (c *Clamd) ask(ctx context.Context, command string, content []byte) (string, error) {
	conn, err := new(net.Dialer).DialContext(ctx, c.Network, c.Address)
	if err != nil {
		return "", away(err)
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	sent := send(conn, command, content)
	// A daemon that stops reading (its limit is passed) says why before it closes: look for that first.
	said, err := read(conn)
	if err != nil {
		return "", away(errors.Join(sent, err))
	}
	return said, nil
}

func send(conn net.Conn, command string, content []byte) error {
	if _, err := conn.Write([]byte(command)); err != nil {
		return err
	}
	if content == nil {
		return nil
	}
	for len(content) > 0 {
		n := min(len(content), pieceSize)
		if _, err := conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(n)), content[:n]...)); err != nil {
			return err
		}
		content = content[n:]
	}
	_, err := conn.Write([]byte{0, 0, 0, 0})
	return err
}

// read takes one answer, which ends with a zero byte; one that is cut off or too long is none.
func read(conn net.Conn) (string, error) {
	var said []byte
	piece := make([]byte, 512)
	for len(said) < longestSay {
		n, err := conn.Read(piece)
		said = append(said, piece[:n]...)
		if answer, _, whole := bytes.Cut(said, []byte{0}); whole {
			return strings.TrimSpace(string(answer)), nil
		}
		if err != nil {
			return "", fmt.Errorf("the answer was cut off: %w", err)
		}
	}
	return "", errors.New("the answer does not end")
}
