package sealing_test

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"huhang.example/services/patient/sealing"
)

// Processes that race to make the keys end up with the same ones, and a restart reads them again.
func TestKeysAreMadeOnce(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	indexes := make([][]byte, 16)
	for i := range indexes {
		wg.Go(func() {
			s, err := sealing.Open(dir)
			if err != nil {
				t.Error(err)
				return
			}
			v, err := s.Indexes("number", "x")
			if err != nil {
				t.Error(err)
				return
			}
			indexes[i] = v[0]
		})
	}
	wg.Wait()
	for _, v := range indexes {
		if !bytes.Equal(v, indexes[0]) {
			t.Fatal("two processes have different keys")
		}
	}
	s, err := sealing.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := s.Indexes("person", "x"); bytes.Equal(v[0], indexes[0]) {
		t.Error("the index does not tell purposes apart")
	}
	if err := os.WriteFile(filepath.Join(dir, "seal.keyset"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sealing.Open(dir); err == nil {
		t.Error("a broken keyset was accepted")
	}
}
