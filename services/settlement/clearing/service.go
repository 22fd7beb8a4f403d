package clearing

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/id"
	"huhang.example/services/settlement/ledger"
)

// Service is the use cases of clearing, of the provinces an instance serves; one of them may be National.
type Service struct {
	store     Store
	peers     Peers
	clock     clock.Clock
	ids       id.Source
	provinces []string
	rules     Rules
}

// New returns the service.
func New(store Store, peers Peers, c clock.Clock, ids id.Source, provinces []string, rules Rules) *Service {
	return &Service{store: store, peers: peers, clock: c, ids: ids, provinces: provinces, rules: rules}
}

// batch is how many entries get their place in one transaction: who settles on SQLite waits for no longer than that.
const batch = 1000

func (s *Service) today() string { return clock.Day(s.clock.Now()) }

func (s *Service) serves(province string) error {
	if slices.Contains(s.provinces, province) {
		return nil
	}
	return fault.New(fault.FailedPrecondition, fault.ProvinceNotServed, "province",
		"The province is not served by this instance.", "本服务实例不负责该省。").With("province", province)
}

// reads lets a province's own agency, operations and services look.
func (s *Service) reads(ctx context.Context, province string) error {
	if err := s.serves(province); err != nil {
		return err
	}
	who := access.From(ctx)
	if who.Has(access.Operations) || who.Has(access.Service) || who.Has(access.Agency) && who.Province == province {
		return nil
	}
	return notOwn()
}

// acts lets a province's own agency act for it.
func (s *Service) acts(ctx context.Context, province string) error {
	if err := s.serves(province); err != nil {
		return err
	}
	if who := access.From(ctx); who.Has(access.Agency) && who.Province == province {
		return nil
	}
	return notOwn()
}

// national lets operations, who run the national center, act for it.
func (s *Service) national(ctx context.Context) error {
	if err := s.serves(National); err != nil {
		return err
	}
	if access.From(ctx).Has(access.Operations) {
		return nil
	}
	return notOwn()
}

func notOwn() error {
	return fault.New(fault.PermissionDenied, fault.RightMissing, "province",
		"An agency acts for its own province only.", "经办机构只能办理本省业务。")
}

// by names who acts.
func by(ctx context.Context) string {
	who := access.From(ctx)
	if who.Subject == "" {
		return who.Service
	}
	return who.Organisation + "/" + who.Subject
}

// booksAtOnce is how many books are given places at once: nothing of one book waits for another.
const booksAtOnce = 2

// SealAll gives everything that waits its place, batch by batch.
func (s *Service) SealAll(ctx context.Context) error {
	books, err := s.store.Open(ctx)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(booksAtOnce)
	for _, at := range books {
		group.Go(func() error { return s.SealBook(ctx, at) })
	}
	return group.Wait()
}

// SealBook gives everything of one book that waits its place.
func (s *Service) SealBook(ctx context.Context, at Book) error {
	for {
		n, err := s.store.Seal(ctx, at, batch)
		if err != nil || n < batch {
			return err
		}
	}
}

// VerifyLedger follows a book from a place on (账簿校验).
func (s *Service) VerifyLedger(ctx context.Context, at Book, from ledger.Chain, limit int) (Verified, error) {
	if err := s.reads(ctx, at.Province); err != nil {
		return Verified{}, err
	}
	return s.store.Verify(ctx, at, from, limit)
}

// earliest is the first month of a book that has something and was not declared yet; empty: none.
func earliest(rows []TotalRow, closed Month) Month {
	var first Month
	for _, r := range rows {
		if r.Month > closed && (first == "" || r.Month < first) {
			first = r.Month
		}
	}
	return first
}

func notYet(en, zh string) *fault.Fault {
	return fault.New(fault.FailedPrecondition, fault.WindowOpen, "month", en, zh)
}

func rfc(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// ThisYear is the year of today.
func (s *Service) ThisYear() int { return clock.Year(s.clock.Now()) }
