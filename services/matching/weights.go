package matching

import (
	"context"
	"errors"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/matching/ranking"
)

// SeedWeights puts the versions this binary carries where they are missing.
func (s *Service) SeedWeights(ctx context.Context) error {
	for _, w := range ranking.Embedded() {
		if _, err := s.store.AddWeights(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// AddWeights adds a version that comes into force on a later day, so that no run of today was made by it. Faults:
// FIELD_INVALID with the field, TIME_INVALID, VERSION_EXISTS.
func (s *Service) AddWeights(ctx context.Context, w *ranking.Weights) error {
	if err := w.Check(); err != nil {
		field := "weights"
		var bad *ranking.Bad
		if errors.As(err, &bad) {
			field += "." + bad.Field
		}
		return fault.New(fault.InvalidArgument, fault.FieldInvalid, field, "The weights are not valid: "+err.Error()+".", "权重无效："+err.Error()+"。")
	}
	if w.EffectiveFrom <= clock.Day(s.clock.Now()) {
		return fault.New(fault.InvalidArgument, fault.TimeInvalid, "weights.effective_from",
			"Weights come into force on a day after today.", "权重的生效日须晚于今日。")
	}
	added, err := s.store.AddWeights(ctx, w)
	if err == nil && !added {
		err = fault.New(fault.AlreadyExists, fault.VersionExists, "weights.version",
			"There are weights of this version, and a version never changes.", "该版本的权重已存在，版本一经发布不可更改。")
	}
	return err
}

// Weights returns every version and the one in force, nil before the first.
func (s *Service) Weights(ctx context.Context) (all []*ranking.Weights, inForce *ranking.Weights, err error) {
	if all, err = s.store.Weights(ctx); err != nil {
		return nil, nil, err
	}
	return all, ranking.InForce(all, s.clock.Now()), nil
}

// Scales are those of the weights in force, for marking what is stale or small at the time; the binary's own before any is.
func (s *Service) Scales(ctx context.Context) (ranking.Scales, time.Time, error) {
	at := s.clock.Now()
	all, err := s.store.Weights(ctx)
	if err != nil {
		return ranking.Scales{}, at, err
	}
	if w := ranking.InForce(all, at); w != nil {
		return w.Scales, at, nil
	}
	return ranking.Embedded()[0].Scales, at, nil
}
