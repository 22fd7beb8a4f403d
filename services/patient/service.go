package patient

import (
	"context"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/id"
	"huhang.example/services/patient/recognition"
)

const kind = "patient"

// Service holds the use cases.
type Service struct {
	store Store
	peers Peers
	clock clock.Clock
	ids   id.Source

	scanner   Scanner
	catalogue *recognition.Catalogue
}

// New returns the use cases over a store.
func New(store Store, peers Peers, scanner Scanner, c clock.Clock, ids id.Source) *Service {
	return &Service{store: store, peers: peers, scanner: scanner, clock: c, ids: ids, catalogue: recognition.Sample()}
}

// Recognise replaces the catalogue of mutual recognition; before anything is served.
func (s *Service) Recognise(c *recognition.Catalogue) { s.catalogue = c }

// visible returns the patient if the caller may see it; a foreign one and an absent one look the same.
func (s *Service) visible(ctx context.Context, patientID string) (*Patient, error) {
	p, err := s.store.Get(ctx, patientID)
	if err != nil {
		return nil, err
	}
	caller := access.From(ctx)
	if caller.MaySee(p.RegisteredBy) {
		return p, nil
	}
	granted, err := s.store.MaySee(ctx, p.ID, caller.Organisation)
	if err != nil {
		return nil, err
	}
	if !granted {
		return nil, access.NotVisible(kind, patientID)
	}
	return p, nil
}

// own returns the patient if the caller's organisation registered it.
func (s *Service) own(ctx context.Context, patientID string) error {
	p, err := s.store.Get(ctx, patientID)
	if err != nil {
		return err
	}
	if access.From(ctx).Organisation != p.RegisteredBy {
		return access.NotVisible(kind, patientID)
	}
	return nil
}

// Get returns one patient as the caller may see it.
func (s *Service) Get(ctx context.Context, patientID string) (View, error) {
	p, err := s.visible(ctx, patientID)
	if err != nil {
		return View{}, err
	}
	return p.For(access.From(ctx)), nil
}

// List returns a page of patients, newest first.
func (s *Service) List(ctx context.Context, before string, limit int) ([]View, error) {
	caller := access.From(ctx)
	organisation := caller.Organisation
	if caller.MaySee() {
		organisation = ""
	}
	patients, err := s.store.List(ctx, organisation, before, limit)
	if err != nil {
		return nil, err
	}
	views := make([]View, 0, len(patients))
	for _, p := range patients {
		views = append(views, p.For(caller))
	}
	return views, nil
}
