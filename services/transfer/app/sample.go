package app

import (
	"context"
	"fmt"

	"huhang.example/services/internal/id"
	"huhang.example/services/transfer"
	"huhang.example/services/transfer/pool"
)

// The sample line's organisations, all invented (示范).
var (
	sampleHospitals = []string{"H-HF-01", "H-NC-01", "H-NN-01", "H-BD-01"}
	sampleCenters   = []string{
		"C-BJ-01", "C-BJ-02", "C-TJ-01", "C-SJZ-01", "C-SH-01", "C-SH-02", "C-NJ-01", "C-HZ-01", "C-GZ-01", "C-SZ-01",
	}
)

type lot struct {
	kind  pool.Kind
	label string
	n     int
}

var (
	centerLots   = []lot{{pool.Bed, "示范床位", 6}, {pool.OperatingRoom, "示范手术室", 3}, {pool.ExpertSlot, "示范专家号源", 2}}
	hospitalLots = []lot{{pool.Ambulance, "示范救护车", 2}, {pool.Crew, "示范护送组", 2}}
)

// seed adds the sample's units; those already there stay as they are.
func seed(ctx context.Context, s transfer.Store, ids id.Source) error {
	return s.Atomically(ctx, func(ctx context.Context) error {
		for _, c := range sampleCenters {
			if err := seedLots(ctx, s, ids, c, centerLots); err != nil {
				return err
			}
		}
		for _, h := range sampleHospitals {
			if err := seedLots(ctx, s, ids, h, hospitalLots); err != nil {
				return err
			}
		}
		return nil
	})
}

func seedLots(ctx context.Context, s transfer.Store, ids id.Source, organisation string, lots []lot) error {
	for _, l := range lots {
		for i := range l.n {
			r := pool.Resource{ID: ids.New("res"), Organisation: organisation, Kind: l.kind, Label: fmt.Sprintf("%s %d", l.label, i+1)}
			if err := s.EnsureResource(ctx, r); err != nil {
				return err
			}
		}
	}
	return nil
}
