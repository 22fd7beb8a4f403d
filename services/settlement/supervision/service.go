package supervision

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/id"
)

// Config of the use cases.
type Config struct {
	Provinces []string
	Book      *Book
	// Key hashes numbers; every instance of a line has the same one. Empty: no numbers are taken.
	Key []byte
}

// Service is the use cases of supervision, of the provinces an instance serves.
type Service struct {
	store Store
	clock clock.Clock
	ids   id.Source
	Config
}

// New returns the service.
func New(store Store, c clock.Clock, ids id.Source, config Config) *Service {
	return &Service{store: store, clock: c, ids: ids, Config: config}
}

func (s *Service) serves(province string) error {
	if slices.Contains(s.Provinces, province) {
		return nil
	}
	return fault.New(fault.FailedPrecondition, fault.ProvinceNotServed, "province",
		"The province is not served by this instance.", "本服务实例不负责该省。").With("province", province)
}

func ownProvince(who access.Caller, province string) error {
	if who.Province == province {
		return nil
	}
	return fault.New(fault.PermissionDenied, fault.RightMissing, "province",
		"An agency acts for its own province only.", "经办机构只能办理本省业务。")
}

// provinceOf returns the province inside a finding's id.
func provinceOf(id string) string {
	if len(id) < 10 {
		return ""
	}
	return id[4:10]
}

// List lists a province's findings, the newest first.
func (s *Service) List(ctx context.Context, q Query, cursor string, limit int) ([]*Hit, string, error) {
	if err := s.serves(q.Province); err != nil {
		return nil, "", err
	}
	if who := access.From(ctx); !who.Has(access.Operations) {
		if err := ownProvince(who, q.Province); err != nil {
			return nil, "", err
		}
	}
	return s.store.Hits(ctx, q, cursor, limit)
}

// Get returns a finding the caller may see.
func (s *Service) Get(ctx context.Context, hitID string) (*Hit, error) {
	if err := s.serves(provinceOf(hitID)); err != nil {
		return nil, err
	}
	h, err := s.store.Hit(ctx, hitID)
	if err != nil {
		return nil, err
	}
	if !h.VisibleTo(access.From(ctx)) {
		return nil, access.NotVisible("supervision hit", hitID)
	}
	return h, nil
}

// Decide dismisses or confirms an open finding of the agency's own province. Visibility is decided before etag and state.
func (s *Service) Decide(ctx context.Context, hitID, etag string, to State, comment string) (*Hit, error) {
	if err := s.serves(provinceOf(hitID)); err != nil {
		return nil, err
	}
	who := access.From(ctx)
	may := func(h *Hit) error {
		if !h.VisibleTo(who) {
			return access.NotVisible("supervision hit", hitID)
		}
		return ownProvince(who, h.Province)
	}
	return s.store.UpdateHit(ctx, hitID, etag, may, func(h *Hit) error {
		return h.decide(to, who.Organisation+"/"+who.Subject, comment, s.clock.Now())
	})
}

// RulesNow returns the rules in force today; fault NOT_FOUND.
func (s *Service) RulesNow(province string) (*Rules, error) {
	if err := s.serves(province); err != nil {
		return nil, err
	}
	today := clock.Day(s.clock.Now())
	r, ok := s.Book.On(today)
	if !ok {
		return nil, fault.NotFoundf("supervision rules", today)
	}
	return r, nil
}

// Digest hashes a number with the line's key: who has the table but not the key cannot try all numbers. Fault
// HASH_KEY_MISSING. An empty number has an empty digest.
func (s *Service) Digest(kind, number string) (string, error) {
	if number == "" {
		return "", nil
	}
	if len(s.Key) == 0 {
		return "", fault.New(fault.FailedPrecondition, fault.HashKeyMissing, kind,
			"No key is configured to hash the number with.", "未配置号码散列密钥。")
	}
	mac := hmac.New(sha256.New, s.Key)
	mac.Write([]byte(kind + ":" + number))
	return hex.EncodeToString(mac.Sum(nil)), nil
}

// PutContact records a person's numbers at their own province's agency; only their digests reach the store.
func (s *Service) PutContact(ctx context.Context, province, patientID, phone, identity, etag string) (string, error) {
	if err := s.serves(province); err != nil {
		return "", err
	}
	if err := ownProvince(access.From(ctx), province); err != nil {
		return "", err
	}
	c := Contact{Province: province, PatientID: patientID}
	var err error
	if c.Phone, err = s.Digest("phone", phone); err != nil {
		return "", err
	}
	if c.Identity, err = s.Digest("identity_number", identity); err != nil {
		return "", err
	}
	if c, err = s.store.PutContact(ctx, c, etag); err != nil {
		return "", err
	}
	return strconv.FormatInt(c.Version, 10), nil
}
