package sealing_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"huhang.example/services/internal/sealing"
)

// Processes that race to make the key end up with the same one, and a restart reads it again.
func TestOneKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	sealed := make([][]byte, 16)
	var wait sync.WaitGroup
	for i := range sealed {
		wait.Go(func() {
			s, err := sealing.Open(dir)
			if err == nil {
				sealed[i], err = s.Encrypt([]byte("示范"), []byte("run"))
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	s, err := sealing.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range sealed {
		if text, err := s.Decrypt(b, []byte("run")); err != nil || string(text) != "示范" {
			t.Fatalf("%q, %v", text, err)
		}
		if _, err := s.Decrypt(b, []byte("another")); err == nil {
			t.Fatal("it opens in another record's place")
		}
	}
	file := filepath.Join(dir, "seal.keyset")
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", info.Mode(), err)
	}
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sealing.Open(dir); err == nil {
		t.Error("a broken keyset was accepted")
	}
}
