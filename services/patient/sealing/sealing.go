// Package sealing encrypts identity fields and makes the blind index they are found again by.
//
// Invariant: without the key file the database tells neither a name, a number nor a phone, and two databases with other
// keys have no index value in common. Rotation adds a key: what older keys sealed still opens and is still found.
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
	"github.com/tink-crypto/tink-go/v2/prf"
	"github.com/tink-crypto/tink-go/v2/tink"

	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
)

const indexBytes = 16

// Sealer seals and indexes identity fields.
type Sealer struct {
	tink.AEAD
	prf *prf.Set
}

// Open reads the two keysets of a folder, and makes them when the folder has none. The files are readable by their owner
// only; an operator with a key service mounts them from there.
func Open(dir string) (*Sealer, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	seal, err := load(filepath.Join(dir, "seal.keyset"), aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, err
	}
	index, err := load(filepath.Join(dir, "index.keyset"), prf.HMACSHA256PRFKeyTemplate())
	if err != nil {
		return nil, err
	}
	s := &Sealer{}
	if s.AEAD, err = aead.New(seal); err != nil {
		return nil, err
	}
	if s.prf, err = prf.NewPRFSet(index); err != nil {
		return nil, err
	}
	return s, nil
}

func load(path string, template *tinkpb.KeyTemplate) (*keyset.Handle, error) {
	for {
		b, err := os.ReadFile(path)
		if err == nil {
			h, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(b)))
			if err != nil {
				return nil, fmt.Errorf("sealing: %s is no keyset: %w", filepath.Base(path), err)
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

// Indexes are the index values of a text under every key, the present key's first: store the first, look for all.
func (s *Sealer) Indexes(purpose, text string) ([][]byte, error) {
	input := []byte(purpose + "\x00" + text)
	present, err := s.prf.ComputePrimaryPRF(input, indexBytes)
	if err != nil {
		return nil, err
	}
	values := [][]byte{present}
	for keyID, p := range s.prf.PRFs {
		if keyID == s.prf.PrimaryID {
			continue
		}
		v, err := p.ComputePRF(input, indexBytes)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, nil
}
