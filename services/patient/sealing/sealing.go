// Package sealing encrypts identity fields and makes the blind index they are found again by.
//
// Invariant: without the key file the database tells neither a name, a number nor a phone, and two databases with other
// keys have no index value in common. Rotation adds a key: what older keys sealed still opens and is still found.
package sealing

import (
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/prf"
	"github.com/tink-crypto/tink-go/v2/tink"

	"huhang.example/services/internal/sealing"
)

const indexBytes = 16

// Sealer seals and indexes identity fields.
type Sealer struct {
	tink.AEAD
	prf *prf.Set
}

// Open reads the two keysets of a folder, and makes them when the folder has none.
func Open(dir string) (*Sealer, error) {
	seal, err := sealing.Keyset(dir, "seal.keyset", aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, err
	}
	index, err := sealing.Keyset(dir, "index.keyset", prf.HMACSHA256PRFKeyTemplate())
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
