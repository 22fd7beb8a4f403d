// Package sealing keeps the keys a service encrypts with: keysets in files of a folder, made once.
//
// Invariant: processes that share a folder have the same keys, whichever came first; a keyset is written whole or not at
// all. Rotation adds a key to the file: what older keys sealed still opens. The files are readable by their owner only; an
// operator with a key service mounts them from there.
package sealing

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
)

// Open returns the cipher of a folder's seal.keyset.
func Open(dir string) (tink.AEAD, error) {
	h, err := Keyset(dir, "seal.keyset", aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, err
	}
	return aead.New(h)
}

// Keyset reads a keyset of a folder, and makes it where there is none.
func Keyset(dir, name string, template *tinkpb.KeyTemplate) (*keyset.Handle, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, name)
	for {
		b, err := os.ReadFile(path)
		if err == nil {
			h, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(b)))
			if err != nil {
				return nil, fmt.Errorf("sealing: %s is no keyset: %w", name, err)
			}
			return h, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if err := create(path, template); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
}

// create writes a new keyset whole or not at all: of two processes that race, both then read the winner's.
func create(path string, template *tinkpb.KeyTemplate) error {
	h, err := keyset.NewHandle(template)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := insecurecleartextkeyset.Write(h, keyset.NewJSONWriter(&b)); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "keyset-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(b.Bytes())
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Link(f.Name(), path)
}
