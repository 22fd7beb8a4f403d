package signin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	jose "github.com/go-jose/go-jose/v4"

	"huhang.example/services/internal/clock"
)

const (
	coolDown    = 30 * time.Second // between two questions to an issuer
	maxKeyAge   = time.Hour        // after which the issuer is asked again, so that a withdrawn key ends
	staleKeyAge = 24 * time.Hour   // how long keys serve while the issuer is away
	fetchLimit  = 5 * time.Second
	maxDocument = 1 << 20
	maxKeys     = 64
)

// algorithms are the ones a token may be signed with: asymmetric, so that who can check cannot sign.
var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.EdDSA}

func algorithmNames() []string {
	names := make([]string, 0, len(algorithms))
	for _, a := range algorithms {
		names = append(names, string(a))
	}
	return names
}

var errUnknownKey = errors.New("the token's key is not one of the issuer's")

// remoteKeys are an issuer's keys, fetched when first needed.
type remoteKeys struct {
	issuer, address string // address of the key set; empty: found through the issuer's discovery document
	client          *http.Client
	clock           clock.Clock

	fetching sync.Mutex // one question at a time
	mu       sync.Mutex
	keys     []jose.JSONWebKey
	fetched  time.Time // of keys
	asked    time.Time // last question, answered or not
	failure  error     // of the last question
}

var _ oidc.KeySet = (*remoteKeys)(nil)

// VerifySignature returns the payload of a token signed by one of the issuer's keys.
func (r *remoteKeys) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	signed, err := jose.ParseSigned(token, algorithms)
	if err != nil {
		return nil, errors.New("not a signed token")
	}
	if len(signed.Signatures) != 1 {
		return nil, errors.New("not exactly one signature")
	}
	id := signed.Signatures[0].Header.KeyID
	if payload, ok := r.verify(signed, id, maxKeyAge); ok {
		return payload, nil
	}
	refreshed := r.refresh(ctx, id)
	if payload, ok := r.verify(signed, id, staleKeyAge); ok {
		return payload, nil
	}
	return nil, errors.Join(errUnknownKey, refreshed)
}

// verify tries the keys with the token's key id, if they are not older than age.
func (r *remoteKeys) verify(signed *jose.JSONWebSignature, id string, age time.Duration) ([]byte, bool) {
	r.mu.Lock()
	keys, old := r.keys, r.clock.Now().Sub(r.fetched)
	r.mu.Unlock()
	if old > age {
		return nil, false
	}
	for i := range keys {
		if keys[i].KeyID != id {
			continue
		}
		if payload, err := signed.Verify(&keys[i]); err == nil {
			return payload, true
		}
	}
	return nil, false
}

// refresh asks the issuer, unless it was asked within the cool-down or by another caller meanwhile.
func (r *remoteKeys) refresh(ctx context.Context, id string) error {
	r.fetching.Lock()
	defer r.fetching.Unlock()
	now := r.clock.Now()
	r.mu.Lock()
	wait := !r.asked.IsZero() && now.Sub(r.asked) < coolDown
	if !wait {
		r.asked = now
	}
	failure := r.failure
	r.mu.Unlock()
	if wait {
		return failure
	}
	// The answer serves everybody: one caller who gives up must not cost the others a cool-down.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchLimit)
	defer cancel()
	keys, err := r.fetch(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failure = err
	if err == nil {
		r.keys, r.fetched = keys, now
	}
	return err
}

func (r *remoteKeys) fetch(ctx context.Context) ([]jose.JSONWebKey, error) {
	address := r.address
	if address == "" {
		var document struct {
			Issuer string `json:"issuer"`
			Keys   string `json:"jwks_uri"`
		}
		if err := r.get(ctx, strings.TrimSuffix(r.issuer, "/")+"/.well-known/openid-configuration", &document); err != nil {
			return nil, err
		}
		if document.Issuer != r.issuer {
			return nil, fmt.Errorf("issuer %s calls itself %q", r.issuer, document.Issuer)
		}
		if err := checkURL(document.Keys); err != nil {
			return nil, fmt.Errorf("key set of %s: %w", r.issuer, err)
		}
		address = document.Keys
	}
	var set jose.JSONWebKeySet
	if err := r.get(ctx, address, &set); err != nil {
		return nil, err
	}
	var usable []jose.JSONWebKey
	for _, key := range set.Keys {
		if key.Valid() && key.IsPublic() && (key.Use == "" || key.Use == "sig") && len(usable) < maxKeys {
			usable = append(usable, key)
		}
	}
	if len(usable) == 0 {
		return nil, fmt.Errorf("issuer %s publishes no usable key", r.issuer)
	}
	return usable, nil
}

func (r *remoteKeys) get(ctx context.Context, address string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	response, err := r.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %d", address, response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxDocument))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("%s: not the JSON expected: %w", address, err)
	}
	return nil
}
