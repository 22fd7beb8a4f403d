package matching

import (
	"context"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/matching/directory"
)

// LicenceJob looks after the offers of a program whose licence may have ended.
type LicenceJob struct {
	CenterID string    `json:"center_id"`
	Organ    string    `json:"organ"`
	At       time.Time `json:"at,omitzero"` // zero: at once
}

// LicenceJobs are what a change of a center calls for: one at once where a licence was lost, one on the day after a new
// last day.
func LicenceJobs(before, after *directory.Center, at time.Time) []LicenceJob {
	var jobs []LicenceJob
	today := clock.Day(at)
	for i := range after.Programs {
		p := &after.Programs[i]
		var old directory.Licence
		if before != nil {
			if was := before.Program(p.Organ); was != nil {
				old = was.Licence
			}
		}
		if old == p.Licence {
			continue
		}
		if old.Covers(today) && !p.Licence.Covers(today) {
			jobs = append(jobs, LicenceJob{CenterID: after.ID, Organ: p.Organ})
		}
		if last, err := time.ParseInLocation(time.DateOnly, p.Licence.ValidTo, clock.Shanghai); err == nil && p.Licence.ValidTo >= today && old.ValidTo != p.Licence.ValidTo {
			jobs = append(jobs, LicenceJob{CenterID: after.ID, Organ: p.Organ, At: last.AddDate(0, 0, 1)})
		}
	}
	return jobs
}

// LicenceEnded is the job: where the licence covers the day no more, the program's open offers are withdrawn, and their
// cases go on to the next center. An accepted one stands: its patient holds a bed, and people must decide.
func (s *Service) LicenceEnded(ctx context.Context, j LicenceJob) error {
	for range mostRounds {
		center, err := s.store.Center(ctx, j.CenterID)
		if err != nil {
			return ended(err)
		}
		if p := center.Program(j.Organ); p == nil || p.Licence.Covers(clock.Day(s.clock.Now())) {
			return nil
		}
		offers, err := s.store.OpenOffersOf(ctx, j.CenterID, j.Organ)
		if err != nil || len(offers) == 0 {
			return err
		}
		for _, o := range offers {
			if err := s.withdrawIfOpen(ctx, o.ID, LicenceSuspended, "该器官移植资质已失效 / the licence for this organ has ended", s.clock.Now()); err != nil {
				return err
			}
		}
	}
	return Later{time.Second}
}

// mostRounds of offers are withdrawn in one run of the job.
const mostRounds = 20
