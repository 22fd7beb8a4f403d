package mtls_test

import (
	"encoding/pem"
	"os"
	"slices"
	"testing"
	"time"

	"huhang.example/services/internal/mtls"
)

func write(t *testing.T, a *mtls.Authority, dir string, identity mtls.Identity) mtls.Identity {
	t.Helper()
	if err := a.WritePEM(dir, identity); err != nil {
		t.Fatal(err)
	}
	loaded, err := mtls.Load(mtls.Files(dir, identity))
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// touch moves a file's time on, for file systems whose clock is coarser than the test is fast.
func touch(t *testing.T, path string, by time.Duration) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, time.Time{}, info.ModTime().Add(by)); err != nil {
		t.Fatal(err)
	}
}

func TestWrittenFilesLoad(t *testing.T) {
	a, dir := authority(t), t.TempDir()
	client := write(t, a, dir, hospital(t, a, "H-HF-01"))
	if client.Kind != mtls.KindHospital || client.Name != "H-HF-01" {
		t.Fatalf("loaded as %s/%s", client.Kind, client.Name)
	}
	server := write(t, a, dir, service(t, a, "patient"))
	state, serverErr, clientErr := shake(t, server.ServerConfig(), client.ClientConfig("patient"))
	if serverErr != nil || clientErr != nil {
		t.Fatalf("server %v, client %v", serverErr, clientErr)
	}
	if _, name, err := mtls.PeerOf(state); err != nil || name != "H-HF-01" {
		t.Fatalf("peer %s, %v", name, err)
	}
	certFile, keyFile, caFile := mtls.Files(dir, client)
	if got := slices.Concat(pemBlocks(t, certFile), pemBlocks(t, keyFile), pemBlocks(t, caFile)); !slices.Equal(got, []string{"CERTIFICATE", "PRIVATE KEY", "CERTIFICATE"}) {
		t.Fatalf("files hold %v", got)
	}
	info, err := os.Stat(keyFile)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("key file: %v, %v", info.Mode(), err)
	}
}

func TestLoadedIdentityFollowsItsFiles(t *testing.T) {
	a, dir := authority(t), t.TempDir()
	server := service(t, a, "patient").ServerConfig()
	client := write(t, a, dir, hospital(t, a, "H-HF-01"))
	certFile, keyFile, _ := mtls.Files(dir, client)
	config := client.ClientConfig("patient")
	serial := func() string {
		t.Helper()
		state, serverErr, clientErr := shake(t, server, config)
		if serverErr != nil || clientErr != nil {
			t.Fatalf("server %v, client %v", serverErr, clientErr)
		}
		return state.PeerCertificates[0].SerialNumber.String()
	}
	first := serial()

	// A certificate without its key: in the middle of a renewal, or broken.
	key, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(keyFile, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if serial() != first {
		t.Fatal("broken files changed the identity")
	}
	if err := os.Remove(keyFile); err != nil {
		t.Fatal(err)
	}
	if serial() != first {
		t.Fatal("missing files changed the identity")
	}
	if err := os.WriteFile(keyFile, key, 0o600); err != nil {
		t.Fatal(err)
	}

	if err := a.WritePEM(dir, hospital(t, a, "H-HF-01")); err != nil {
		t.Fatal(err)
	}
	touch(t, certFile, time.Second)
	second := serial()
	if second == first {
		t.Fatal("the renewed certificate is not used")
	}

	// Somebody else's certificate under the same file name.
	other := hospital(t, a, "H-NC-01")
	other.Name = "H-HF-01"
	if err := a.WritePEM(dir, other); err != nil {
		t.Fatal(err)
	}
	touch(t, certFile, 2*time.Second)
	if serial() != second {
		t.Fatal("the process changed its name")
	}
}

func TestLoadedAuthoritiesFollowTheirFile(t *testing.T) {
	old, next, dir := authority(t), authority(t), t.TempDir()
	server := write(t, old, dir, service(t, old, "patient"))
	config := server.ServerConfig()
	newcomer := hospital(t, next, "H-HF-01").ClientConfig("patient")
	newcomer.VerifyConnection = nil // only the server's trust is looked at
	if _, serverErr, _ := shake(t, config, newcomer); serverErr == nil {
		t.Fatal("an authority not in the file is trusted")
	}
	_, _, caFile := mtls.Files(dir, server)
	both, err := os.ReadFile(caFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := next.WritePEM(dir, hospital(t, next, "H-HF-01")); err != nil {
		t.Fatal(err)
	}
	added, err := os.ReadFile(caFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(caFile, append(both, added...), 0o600); err != nil {
		t.Fatal(err)
	}
	touch(t, caFile, time.Second)
	if _, serverErr, _ := shake(t, config, newcomer); serverErr != nil {
		t.Fatalf("the added authority is not trusted: %v", serverErr)
	}
}

func TestLoadRefuses(t *testing.T) {
	a, dir := authority(t), t.TempDir()
	identity := write(t, a, dir, service(t, a, "patient"))
	other := write(t, a, dir, service(t, a, "referral"))
	certFile, keyFile, caFile := mtls.Files(dir, identity)
	_, otherKey, _ := mtls.Files(dir, other)
	tests := map[string][3]string{
		"absent":        {certFile + "x", keyFile, caFile},
		"another's key": {certFile, otherKey, caFile},
		"no authority":  {certFile, keyFile, keyFile},
		"no name":       {caFile, keyFile, caFile},
	}
	for name, files := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := mtls.Load(files[0], files[1], files[2]); err == nil {
				t.Fatal("loaded")
			}
		})
	}
}

func pemBlocks(t *testing.T, path string) (types []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return types
		}
		types = append(types, block.Type)
	}
}
