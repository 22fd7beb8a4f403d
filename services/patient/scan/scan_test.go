package scan_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"huhang.example/services/internal/fault"
	"huhang.example/services/patient/scan"
)

// clamd speaks the daemon's protocol as its manual has it, for one content at a time.
type clamd struct {
	listener net.Listener
	say      func(content []byte) string
	mu       sync.Mutex
	got      []byte
}

func listen(t *testing.T, network, address string, say func([]byte) string) *clamd {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	c := &clamd{listener: l, say: say}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go c.serve(conn)
		}
	}()
	return c
}

func (c *clamd) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	var command []byte
	for one := make([]byte, 1); ; {
		if _, err := io.ReadFull(conn, one); err != nil {
			return
		}
		if one[0] == 0 {
			break
		}
		command = append(command, one[0])
	}
	if string(command) == "zVERSION" {
		_, _ = io.WriteString(conn, "ClamAV 1.4.3/27800/Sat Nov 21 09:00:00 2026\x00")
		return
	}
	if string(command) != "zINSTREAM" {
		_, _ = io.WriteString(conn, "UNKNOWN COMMAND\x00")
		return
	}
	var content []byte
	for {
		var size [4]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return
		}
		n := binary.BigEndian.Uint32(size[:])
		if n == 0 {
			break
		}
		piece := make([]byte, n)
		if _, err := io.ReadFull(conn, piece); err != nil {
			return
		}
		if content = append(content, piece...); len(content) > 1<<20 {
			_, _ = io.WriteString(conn, "INSTREAM size limit exceeded. ERROR\x00")
			return
		}
	}
	c.mu.Lock()
	c.got = content
	c.mu.Unlock()
	_, _ = io.WriteString(conn, c.say(content))
}

func says(answer string) func([]byte) string { return func([]byte) string { return answer } }

func open(t *testing.T, config string) scan.Scanner {
	t.Helper()
	s, err := scan.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestClamd(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 10_000) // three pieces, the last one short
	for _, at := range []struct{ network, address string }{{"tcp", "127.0.0.1:0"}, {"unix", filepath.Join(t.TempDir(), "clamd.ctl")}} {
		c := listen(t, at.network, at.address, says("stream: OK\x00"))
		s := open(t, "clamd:"+at.network+":"+c.listener.Addr().String())
		v, err := s.Scan(t.Context(), content)
		if err != nil || !v.Clean || v.Finding != "" || !strings.HasPrefix(v.Scanner, "ClamAV 1.4.3/27800") || !bytes.Equal(c.got, content) {
			t.Errorf("%s: %+v %v, %d bytes arrived", at.network, v, err, len(c.got))
		}
	}
	c := listen(t, "tcp", "127.0.0.1:0", says("stream: Win.Test.EICAR_HDB-1 FOUND\x00"))
	if v, err := open(t, "clamd:tcp:"+c.listener.Addr().String()).Scan(t.Context(), content); err != nil || v.Clean || v.Finding != "Win.Test.EICAR_HDB-1" {
		t.Errorf("%+v %v", v, err)
	}
}

// Nothing but a whole "OK" makes a content clean.
func TestWhateverElseIsNoVerdict(t *testing.T) {
	for name, say := range map[string]func([]byte) string{
		"cut off": says("stream: OK"), "nothing": says(""), "an error": says("stream: Can't allocate memory ERROR\x00"), "other words": says("OK\x00"),
		"endless": says(strings.Repeat("x", 9000)), "OK and more": says("stream: OK but not\x00"),
	} {
		c := listen(t, "tcp", "127.0.0.1:0", say)
		if v, err := open(t, "clamd:tcp:"+c.listener.Addr().String()).Scan(t.Context(), []byte("x")); err == nil || v.Clean {
			t.Errorf("%s: %+v %v", name, v, err)
		}
	}
	c := listen(t, "tcp", "127.0.0.1:0", says("stream: OK\x00"))
	address := c.listener.Addr().String()
	if v, err := open(t, "clamd:tcp:"+address).Scan(t.Context(), make([]byte, 2<<20)); err == nil || v.Clean {
		t.Errorf("beyond the daemon's limit: %+v %v", v, err)
	}
	_ = c.listener.Close()
	if _, err := open(t, "clamd:tcp:"+address).Scan(t.Context(), nil); !fault.Is(err, fault.PeerUnavailable) {
		t.Errorf("away: %v", err)
	}
	silent := listen(t, "tcp", "127.0.0.1:0", func([]byte) string { <-t.Context().Done(); return "" })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if v, err := open(t, "clamd:tcp:"+silent.listener.Addr().String()).Scan(ctx, []byte("x")); err == nil || v.Clean {
		t.Errorf("silent: %+v %v", v, err)
	}
	if v, err := open(t, "").Scan(t.Context(), []byte("x")); !fault.Is(err, fault.PeerUnavailable) || v.Clean {
		t.Errorf("none: %+v %v", v, err)
	}
	for _, config := range []string{"clamav", "clamd:", "clamd:tcp:", "clamd:udp:127.0.0.1:1", "builtin:"} {
		if _, err := scan.Open(config); err == nil {
			t.Errorf("%q was taken", config)
		}
	}
}

func TestBuiltinSaysWhatItIs(t *testing.T) {
	s := open(t, "builtin")
	v, err := s.Scan(t.Context(), []byte("%PDF-1.7"))
	if err != nil || !v.Clean || !strings.Contains(v.Scanner, "EICAR") {
		t.Errorf("%+v %v", v, err)
	}
	test := `%PDF-1.7 X5O!P%@AP[4\PZX54(P^)7CC)7}$` + "EICAR-STANDARD-ANTIVIRUS-" + "TEST-FILE!$H+H*"
	if v, err := s.Scan(t.Context(), []byte(test)); err != nil || v.Clean || v.Finding == "" {
		t.Errorf("%+v %v", v, err)
	}
}
