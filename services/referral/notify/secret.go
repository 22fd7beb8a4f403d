package notify

import (
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// Cipher seals secrets at rest; a Tink AEAD is one.
type Cipher interface {
	Encrypt(plaintext, associatedData []byte) ([]byte, error)
	Decrypt(ciphertext, associatedData []byte) ([]byte, error)
}

// secretBytes is the length of a secret; the standard asks for 24 to 64.
const secretBytes = 32

// Secret is a sealed signing secret (签名密钥) of an endpoint.
type Secret struct {
	Sealed []byte
	// Until is when it stops signing; zero for the present one.
	Until time.Time
}

func newSecret(random io.Reader, cipher Cipher, endpointID string) (shown string, s Secret, err error) {
	key := make([]byte, secretBytes)
	if _, err = io.ReadFull(random, key); err != nil {
		return "", Secret{}, fmt.Errorf("notify: secret: %w", err)
	}
	if s.Sealed, err = cipher.Encrypt(key, []byte(endpointID)); err != nil {
		return "", Secret{}, fmt.Errorf("notify: secret: %w", err)
	}
	return "whsec_" + base64.StdEncoding.EncodeToString(key), s, nil
}

// Sign returns the header webhook-signature: one signature of each secret that is valid at the time, the present one first.
func Sign(e *Endpoint, cipher Cipher, messageID string, at time.Time, body []byte) (string, error) {
	var signatures []string
	for _, s := range e.Secrets {
		if !s.Until.IsZero() && !at.Before(s.Until) {
			continue
		}
		key, err := cipher.Decrypt(s.Sealed, []byte(e.ID))
		if err != nil {
			return "", fmt.Errorf("notify: sealed secret: %w", err)
		}
		signer, err := standardwebhooks.NewWebhookRaw(key)
		if err != nil {
			return "", fmt.Errorf("notify: sign: %w", err)
		}
		signature, err := signer.Sign(messageID, at, body)
		if err != nil {
			return "", fmt.Errorf("notify: sign: %w", err)
		}
		signatures = append(signatures, signature)
	}
	if len(signatures) == 0 {
		return "", fmt.Errorf("notify: endpoint %s has no secret", e.ID)
	}
	return strings.Join(signatures, " "), nil
}
