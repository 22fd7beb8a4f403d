package supervision

import (
	"context"
	"strconv"
	"time"

	"huhang.example/services/internal/clock"
)

const (
	// lookBack is how many days are looked through that were missed.
	lookBack = 5
	// batch is how many bills are looked at in one go.
	batch = 100
)

// Daily looks through the days before today that were not looked through yet: what arrived late, or became known only
// after a bill was settled, is found here and flagged. Each day of a province is done once; again changes nothing.
func (s *Service) Daily(ctx context.Context) error {
	now := s.clock.Now()
	for back := lookBack; back >= 1; back-- {
		day := clock.Day(now.AddDate(0, 0, -back))
		for _, province := range s.Provinces {
			done, err := s.store.Watched(ctx, province, day)
			if err != nil {
				return err
			}
			if done {
				continue
			}
			if err := s.day(ctx, province, day); err != nil {
				return err
			}
			if err := s.store.MarkWatched(ctx, province, day); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Service) day(ctx context.Context, province, day string) error {
	r, ok := s.Book.On(day)
	if !ok {
		return nil
	}
	from, err := time.ParseInLocation(time.DateOnly, day, clock.Shanghai)
	if err != nil {
		return errDays
	}
	to := from.AddDate(0, 0, 1)
	if err := s.dayOfTreatment(ctx, province, r, day, from, to); err != nil {
		return err
	}
	if err := s.dayOfInsured(ctx, province, r, from, to); err != nil {
		return err
	}
	return s.region(ctx, province, r, from)
}

func (s *Service) dayOfTreatment(ctx context.Context, province string, r *Rules, day string, from, to time.Time) error {
	for cursor := ""; ; {
		claims, err := s.store.SettledOn(ctx, province, from, to, cursor, batch)
		if err != nil {
			return err
		}
		for _, c := range claims {
			others, err := s.beside(ctx, c)
			if err != nil {
				return err
			}
			lines, err := s.store.Lines(ctx, c.ID)
			if err != nil {
				return err
			}
			v := stayOf(c, lines)
			if _, err := s.record(ctx, province, TreatmentSide, v, r, r.Treatment(v, others, day), false); err != nil {
				return err
			}
			cursor = c.ID
		}
		if len(claims) < batch {
			return nil
		}
	}
}

func (s *Service) dayOfInsured(ctx context.Context, province string, r *Rules, from, to time.Time) error {
	for cursor := ""; ; {
		all, err := s.store.KeptOn(ctx, province, from, to, cursor, batch)
		if err != nil {
			return err
		}
		for _, k := range all {
			if _, err := s.insured(ctx, province, k.Stay, r, false); err != nil {
				return err
			}
			if !k.Manual {
				if err := s.poverty(ctx, k, r); err != nil {
					return err
				}
			}
			cursor = k.MessageID
		}
		if len(all) < batch {
			return nil
		}
	}
}

// region compares a province's cost of the year so far with the same days of the year before.
func (s *Service) region(ctx context.Context, province string, r *Rules, day time.Time) error {
	first := time.Date(day.Year(), 1, 1, 0, 0, 0, 0, clock.Shanghai)
	sum := func(back int) (Costs, error) {
		return s.store.Costs(ctx, province, first.AddDate(-back, 0, 0).Format(time.DateOnly), day.AddDate(-back, 0, 0).Format(time.DateOnly))
	}
	now, err := sum(0)
	if err != nil {
		return err
	}
	before, err := sum(1)
	if err != nil {
		return err
	}
	if f, hit := r.Regional(province, day.Format("2006-01"), now, before); hit {
		_, err = s.record(ctx, province, InsuredSide, Stay{}, r, []Finding{f}, false)
	}
	return err
}

func yearOf(text string) int {
	year, err := strconv.Atoi(text)
	if err != nil {
		return 0 // of no year is an income known
	}
	return year
}
