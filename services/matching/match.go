package matching

import (
	"context"
	"slices"
	"sync"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/place"
	"huhang.example/services/matching/directory"
	"huhang.example/services/matching/ranking"
)

// Run is a frozen ranking (匹配结果): the inputs as they were, the versions used, and the outcome.
type Run struct {
	ID              string         `json:"match_run_id"`
	ReferralID      string         `json:"referral_id"`
	PatientID       string         `json:"patient_id"`
	Referrer        string         `json:"referrer"`
	ClinicalVersion int32          `json:"clinical_version"`
	WeightsVersion  string         `json:"weights_version"`
	DirectVersion   string         `json:"direct_settlement_version"`
	Input           ranking.Input  `json:"input"`
	Result          ranking.Result `json:"result"`
}

// Ranked reports whether the center is ranked in the run.
func (r *Run) Ranked(centerID string) bool {
	return slices.ContainsFunc(r.Result.Ranked, func(c ranking.Ranked) bool { return c.CenterID == centerID })
}

// Ask is what a run is asked for with.
type Ask struct {
	ReferralID, PatientID, Organ, Referrer string
	Preferred, Refused                     []string
}

const (
	// askTime bounds each question to a peer.
	askTime    = 2 * time.Second
	maxCenters = 1000
	centerPage = 200
)

// Match gathers what the peers know and ranks; nothing is stored yet. A peer that does not answer in time leaves a gap,
// except the patient's own service, without which there is nobody to rank for. Faults: NOT_FOUND, CONSENT_MISSING, and
// those of the patient service.
func (s *Service) Match(ctx context.Context, ask Ask) (*Run, error) {
	profile, err := s.profile(ctx, ask)
	if err != nil {
		return nil, err
	}
	if !profile.Consented {
		return nil, fault.New(fault.FailedPrecondition, fault.ConsentMissing, "patient_id",
			"The patient has not consented to the referral, or has withdrawn it.", "患者未同意转诊，或已撤回同意。").With("purpose", "REFERRAL")
	}
	centers, err := s.allCenters(ctx)
	if err != nil {
		return nil, err
	}
	at := s.clock.Now()
	weights := ranking.InForce(ranking.Embedded(), at)
	if weights == nil {
		return nil, fault.New(fault.FailedPrecondition, fault.WrongState, "", "No version of the weights is in force yet.", "尚无生效的权重版本。")
	}
	run := &Run{
		ID: s.ids.New("mat"), ReferralID: ask.ReferralID, PatientID: ask.PatientID, Referrer: ask.Referrer, ClinicalVersion: profile.ClinicalVersion,
		WeightsVersion: weights.Version, DirectVersion: directory.Direct().Version,
		Input: ranking.Input{
			At: at, Organ: ask.Organ, Patient: profile.Patient, Preferred: ask.Preferred, Refused: ask.Refused,
			Candidates: s.candidates(ctx, ask, profile, centers, at),
		},
	}
	run.Result = ranking.Rank(run.Input, weights)
	return run, nil
}

func (s *Service) profile(ctx context.Context, ask Ask) (*Profile, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	return s.peers.Profile(ctx, ask.PatientID, ask.Organ)
}

func (s *Service) allCenters(ctx context.Context) ([]*directory.Center, error) {
	var all []*directory.Center
	for after := ""; len(all) < maxCenters; after = all[len(all)-1].ID {
		page, err := s.store.Centers(ctx, CenterFilter{}, after, centerPage)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < centerPage {
			break
		}
	}
	return all, nil
}

// candidates asks the peers side by side. An error of theirs is a gap, and the ranking names it.
func (s *Service) candidates(ctx context.Context, ask Ask, p *Profile, centers []*directory.Center, at time.Time) []ranking.Candidate {
	// Only centers with a program for the organ are asked about.
	var ids, cities, provinces []string
	for _, c := range centers {
		if c.Program(ask.Organ) == nil {
			continue
		}
		ids = append(ids, c.ID)
		cities = appendNew(cities, c.City)
		if city, ok := place.City(c.City); ok {
			provinces = appendNew(provinces, city.Province)
		}
	}
	var travel, beds map[string]int32
	var bills map[string]Bill
	if len(ids) > 0 {
		ctx, cancel := context.WithTimeout(ctx, askTime)
		defer cancel()
		var wait sync.WaitGroup
		wait.Go(func() {
			travel = known(s.peers.Travel(ctx, p.ResidenceCity, cities, p.Fitness))
		})
		wait.Go(func() {
			beds = known(s.peers.FreeBeds(ctx, ids, at.Add(oneDay).Truncate(time.Minute), at.Add(oneDay+bedTime).Truncate(time.Minute)))
		})
		wait.Go(func() {
			bills = known(s.peers.Bills(ctx, ask.PatientID, ask.Organ, p.Coverage, provinces))
		})
		wait.Wait()
	}
	candidates := make([]ranking.Candidate, 0, len(centers))
	for _, center := range centers {
		c := ranking.Candidate{Center: center, Found: ranking.Found{DirectSettlement: directory.Direct().At(center.City)}}
		if minutes, ok := travel[center.City]; ok {
			if c.NoWay = minutes < 0; !c.NoWay {
				c.DoorToDoor = &minutes
			}
		}
		if free, ok := beds[center.ID]; ok {
			c.FreeBeds = &free
		}
		if city, ok := place.City(center.City); ok {
			if bill, ok := bills[city.Province]; ok {
				c.SelfPay, c.DirectSettlement = bill.SelfPay, bill.Direct
			}
		}
		candidates = append(candidates, c)
	}
	return candidates
}

// known drops what came with an error: half an answer is none.
func known[M map[string]V, V any](answer M, err error) M {
	if err != nil {
		return nil
	}
	return answer
}

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// KeepRun stores a run; from then on it never changes.
func (s *Service) KeepRun(ctx context.Context, r *Run) error { return s.store.InsertRun(ctx, r) }

// Run returns a run the caller may see: the referrer's, operations' and services'.
func (s *Service) Run(ctx context.Context, matchRunID string) (*Run, error) {
	r, err := s.store.Run(ctx, matchRunID)
	if err != nil {
		return nil, err
	}
	if !access.From(ctx).MaySee(r.Referrer) {
		return nil, access.NotVisible("match run", matchRunID)
	}
	return r, nil
}
