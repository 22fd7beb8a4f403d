//go:build clamd

package scan_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb/sqldbtest"
)

// ClamAV's own daemon (Debian: clamav-daemon), with one signature of ours: no list of signatures has to be fetched.
//
//	go test -tags clamd -run TestRealClamd ./patient/scan
func TestRealClamd(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	virus := `X5O!P%@AP[4\PZX54(P^)7CC)7}$` + "EICAR-STANDARD-ANTIVIRUS-" + "TEST-FILE!$H+H*"
	write("own.ndb", "Sample.Eicar:0:*:"+hex.EncodeToString([]byte(virus))+"\n")
	socket := filepath.Join(dir, "clamd.ctl")
	write("clamd.conf", fmt.Sprintf("Foreground yes\nDatabaseDirectory %s\nOfficialDatabaseOnly no\nLocalSocket %s\nUser %s\nStreamMaxLength 20M\nMaxFileSize 40M\nMaxScanSize 40M\n",
		dir, socket, "root"))
	var log bytes.Buffer
	daemon := exec.CommandContext(t.Context(), "/usr/sbin/clamd", "--config-file", filepath.Join(dir, "clamd.conf"))
	daemon.Stdout, daemon.Stderr = &log, &log
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	s := open(t, "clamd:unix:"+socket)
	sqldbtest.Eventually(t, "the daemon answers", func() bool {
		_, err := s.Scan(t.Context(), []byte("%PDF-1.7"))
		return !fault.Is(err, fault.PeerUnavailable)
	})
	v, err := s.Scan(t.Context(), []byte("%PDF-1.7 nothing"))
	if err != nil || !v.Clean || !strings.HasPrefix(v.Scanner, "ClamAV ") {
		t.Errorf("%+v %v\n%s", v, err, &log)
	}
	// Behind some pieces of what is harmless.
	if v, err := s.Scan(t.Context(), []byte("%PDF-1.7 "+strings.Repeat("0123456789abcdef", 10_000)+virus)); err != nil || v.Clean || !strings.Contains(v.Finding, "Sample.Eicar") {
		t.Errorf("%+v %v\n%s", v, err, &log)
	}
	// Twenty MiB go through, as the configuration that is asked for allows; more is refused by the daemon and no verdict.
	if v, err := s.Scan(t.Context(), make([]byte, 20<<20)); err != nil || !v.Clean {
		t.Errorf("20 MiB: %+v %v\n%s", v, err, &log)
	}
	if v, err := s.Scan(t.Context(), make([]byte, 21<<20)); err == nil || v.Clean {
		t.Errorf("21 MiB: %+v %v", v, err)
	}
}
