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
	// Origin is what of the patient the peers were asked with; nil in runs older than the field.
	Origin *Origin `json:"origin,omitempty"`
	// CenterVersions are the directory's, by center.
	CenterVersions map[string]int64 `json:"center_versions,omitempty"`
	// PreviousID is the case's run before this one, and Changes what changed since.
	PreviousID string          `json:"previous_id,omitempty"`
	Changes    []ranking.Delta `json:"changes,omitempty"`
}

// Origin is where the patient comes from and who pays.
type Origin struct {
	City     string   `json:"city"`
	Coverage Coverage `json:"coverage"`
	Fitness  Fitness  `json:"fitness"`
}

// Ranked reports whether the center is ranked in the run.
func (r *Run) Ranked(centerID string) bool {
	return slices.ContainsFunc(r.Result.Ranked, func(c ranking.Ranked) bool { return c.CenterID == centerID })
}

// Ask is what a run is asked for with.
type Ask struct {
	ReferralID, PatientID, Organ, Referrer string
	Preferred, Refused                     []string
	NeedsABOIncompat                       bool
}

// askTime bounds each question to a peer.
const askTime = 2 * time.Second

// Match gathers what the peers know and ranks; nothing is stored yet. A peer that does not answer in time leaves a gap,
// except the patient's own service, without which there is nobody to rank for. Faults: NOT_FOUND, CONSENT_MISSING, and
// those of the patient service.
func (s *Service) Match(ctx context.Context, ask Ask) (*Run, error) {
	profile, err := s.profile(ctx, ask.PatientID, ask.Organ)
	if err != nil {
		return nil, err
	}
	if !profile.Consented {
		return nil, fault.New(fault.FailedPrecondition, fault.ConsentMissing, "patient_id",
			"The patient has not consented to the referral, or has withdrawn it.", "患者未同意转诊，或已撤回同意。").With("purpose", "REFERRAL")
	}
	profile.Patient.NeedsABOIncompat = profile.Patient.NeedsABOIncompat || ask.NeedsABOIncompat
	e, err := s.edition(ctx)
	if err != nil {
		return nil, err
	}
	at := s.clock.Now()
	weights := ranking.InForce(e.weights, at)
	if weights == nil {
		return nil, noWeights()
	}
	board := e.board(ask.Organ, weights)
	centers := board.Centers()
	found := s.findings(ctx, ask, profile, centers, at)
	run := &Run{
		ID: s.ids.New("mat"), ReferralID: ask.ReferralID, PatientID: ask.PatientID, Referrer: ask.Referrer, ClinicalVersion: profile.ClinicalVersion,
		WeightsVersion: weights.Version, DirectVersion: directory.Direct().Version, CenterVersions: map[string]int64{},
		Origin: profile.origin(),
		Input: ranking.Input{
			At: at, Organ: ask.Organ, Patient: profile.Patient, Preferred: ask.Preferred, Refused: ask.Refused,
		},
		Result: board.Rank(ranking.Question{At: at, Patient: profile.Patient, Found: found, Preferred: ask.Preferred, Refused: ask.Refused}).Result(),
	}
	for i, c := range centers {
		run.CenterVersions[c.ID] = c.Version
		run.Input.Candidates = append(run.Input.Candidates, ranking.Candidate{Center: only(c, ask.Organ), Found: found[i]})
	}
	before, err := s.store.LastRun(ctx, ask.ReferralID, ask.Organ)
	if err != nil {
		return nil, err
	}
	if before != nil {
		run.PreviousID, run.Changes = before.ID, ranking.Compare(&before.Result, &run.Result)
	}
	return run, nil
}

func (p *Profile) origin() *Origin { return &Origin{p.ResidenceCity, p.Coverage, p.Fitness} }

// only is a center with the one program a run is about: a run freezes what it used.
func only(c *directory.Center, organ string) *directory.Center {
	out := &directory.Center{ID: c.ID, NameZh: c.NameZh, NameEn: c.NameEn, Line: c.Line, City: c.City}
	if p := c.Program(organ); p != nil {
		out.Programs = []directory.Program{*p}
	}
	return out
}

func (s *Service) profile(ctx context.Context, patientID, organ string) (*Profile, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	return s.peers.Profile(ctx, patientID, organ)
}

// findings asks the peers side by side. An error of theirs is a gap, and the ranking names it.
func (s *Service) findings(ctx context.Context, ask Ask, p *Profile, centers []*directory.Center, at time.Time) []ranking.Found {
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
	found := make([]ranking.Found, len(centers))
	for i, center := range centers {
		f := &found[i]
		f.DirectSettlement = directory.Direct().At(center.City)
		if minutes, ok := travel[center.City]; ok {
			if f.NoWay = minutes < 0; !f.NoWay {
				f.DoorToDoor = &minutes
			}
		}
		if free, ok := beds[center.ID]; ok {
			f.FreeBeds = &free
		}
		if city, ok := place.City(center.City); ok {
			if bill, ok := bills[city.Province]; ok {
				f.SelfPay, f.DirectSettlement = bill.SelfPay, bill.Direct
			}
		}
	}
	return found
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
