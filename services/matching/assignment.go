package matching

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strconv"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/matching/assign"
	"huhang.example/services/matching/assign/certificate"
	"huhang.example/services/matching/directory"
	"huhang.example/services/matching/ranking"
)

// AssignmentStatus is the life of a proposal.
type AssignmentStatus string

// The statuses.
const (
	Running   AssignmentStatus = "RUNNING"
	Proposed  AssignmentStatus = "PROPOSED"
	Confirmed AssignmentStatus = "CONFIRMED"
	Failed    AssignmentStatus = "FAILED"
)

// Assignment is a proposal for all waiting cases (统筹分配建议).
type Assignment struct {
	ID           string           `json:"assignment_id"`
	Status       AssignmentStatus `json:"status"`
	Organ        string           `json:"organ,omitempty"`
	CreatedAt    time.Time        `json:"create_time"`
	Cases        int32            `json:"cases"`
	Done         int32            `json:"done"`
	Placed       int32            `json:"placed"`
	Asked        int32            `json:"asked"`
	RulesVersion string           `json:"rules_version,omitempty"`
	// Worth and Bound are the two sides the checker found equal; Certificate is the hash of what it checked.
	Worth       string `json:"worth,omitempty"`
	Bound       string `json:"bound,omitempty"`
	Certificate string `json:"certificate,omitempty"`
	Failure     string `json:"failure,omitempty"`
	// Free and Quotas are what the proposed centers had when it was made; another figure since makes it stale.
	Free        map[string]int32 `json:"free,omitempty"`
	Quotas      map[string]int32 `json:"quotas,omitempty"`
	ConfirmedBy Actor            `json:"confirmed_by,omitzero"`
	Version     int64            `json:"version"`
}

// Actor is who did something.
type Actor struct {
	Organisation string `json:"organisation"`
	Subject      string `json:"subject"`
}

// AssignedCase is one case of a proposal. Outcome is PENDING, ASKED or the reason it was not, once confirmed.
type AssignedCase struct {
	MatchRunID string      `json:"match_run_id"`
	Item       assign.Item `json:"item"`
	Outcome    string      `json:"outcome,omitempty"`
}

// The outcomes of a confirmed case that is not refused.
const (
	Pending  = "PENDING"
	WasAsked = "ASKED"
)

// Etag is the version as clients see it.
func (a *Assignment) Etag() string { return strconv.FormatInt(a.Version, 10) }

// Waiting is a case that nobody is asked for.
type Waiting struct {
	ReferralID, MatchRunID, Urgency string
	CreatedAt                       time.Time
}

// mostWaiting bounds a proposal; a line with more waiting cases makes one for each organ.
const mostWaiting = 20_000

// waitingPage is how many cases are asked for at a time.
const waitingPage = 500

// ProposeAssignment begins a proposal; a job works it out.
func (s *Service) ProposeAssignment(ctx context.Context, organ string) (*Assignment, error) {
	a := &Assignment{ID: s.ids.New("asg"), Status: Running, Organ: organ, CreatedAt: s.clock.Now(), Version: 1}
	return a, s.store.InsertAssignment(ctx, a)
}

// Assignment returns a proposal and at most limit of its cases behind one, by id. Faults: NOT_FOUND.
func (s *Service) Assignment(ctx context.Context, id, after string, limit int) (*Assignment, []AssignedCase, error) {
	return s.store.AssignmentPage(ctx, id, after, limit)
}

// waitingCases gathers all of them, with a call for each page.
func (s *Service) waitingCases(ctx context.Context, organ string) ([]Waiting, error) {
	var all []Waiting
	for token := ""; ; {
		call, cancel := context.WithTimeout(ctx, callTime)
		page, next, err := s.peers.Waiting(call, organ, token, waitingPage)
		cancel()
		if err != nil {
			return nil, err
		}
		if all = append(all, page...); len(all) > mostWaiting {
			return nil, fault.New(fault.ResourceExhausted, fault.FieldInvalid, "organ",
				"More than 20,000 cases wait: propose for one organ at a time.", "待统筹病例超过两万例，请按器官分别生成建议。")
		}
		if token = next; token == "" {
			return all, nil
		}
	}
}

// asks is what a proposal rests on.
func (s *Service) asks(ctx context.Context, a *Assignment, waiting []Waiting) (assign.Ask, map[string]string, error) {
	at := s.clock.Now()
	ask, err := s.capacities(ctx, a.Organ, at)
	if err != nil {
		return ask, nil, err
	}
	runs := map[string]string{}
	for _, w := range waiting {
		run, err := s.store.Run(ctx, w.MatchRunID)
		if fault.Is(err, fault.ReasonNotFound) {
			continue
		}
		if err != nil {
			return ask, nil, err
		}
		c := assign.Case{ReferralID: w.ReferralID, Organ: run.Input.Organ, Urgency: w.Urgency, DaysWaited: int32(at.Sub(w.CreatedAt) / oneDay)}
		if run.Origin != nil {
			c.Province = run.Origin.Coverage.Province
		}
		answered, err := s.answeredBy(ctx, w)
		if err != nil {
			return ask, nil, err
		}
		for _, r := range run.Result.Ranked {
			if !answered[r.CenterID] {
				c.Choices = append(c.Choices, choice(r))
			}
		}
		ask.Cases = append(ask.Cases, c)
		runs[w.ReferralID] = w.MatchRunID
	}
	return ask, runs, nil
}

func choice(r ranking.Ranked) assign.Choice {
	return assign.Choice{CenterID: r.CenterID, Score: min(max(r.Score, 0), 10_000)}
}

// answeredBy are the centers that had an offer of the case by its present run.
func (s *Service) answeredBy(ctx context.Context, w Waiting) (map[string]bool, error) {
	offers, err := s.store.Offers(ctx, OfferFilter{All: true, ReferralID: w.ReferralID}, nil, mostAsked)
	if err != nil {
		return nil, err
	}
	centers := map[string]bool{}
	for _, o := range offers {
		if o.MatchRunID == w.MatchRunID {
			centers[o.CenterID] = true
		}
	}
	return centers, nil
}

// capacities are the places free: what a center declared, less the offers made since that are still live; and what is left of
// its promise of beds for all organs in the present period.
func (s *Service) capacities(ctx context.Context, organ string, at time.Time) (assign.Ask, error) {
	ask := assign.Ask{Quotas: map[string]int32{}}
	centers, err := s.allCenters(ctx)
	if err != nil {
		return ask, err
	}
	live, err := s.store.LiveOffers(ctx)
	if err != nil {
		return ask, err
	}
	count := func(centerID, organ string, since time.Time) (n int32) {
		for _, o := range live[centerID] {
			if (organ == "" || o.Organ == organ) && !o.CreatedAt.Before(since) {
				n++
			}
		}
		return n
	}
	for _, c := range centers {
		for i := range c.Programs {
			p := &c.Programs[i]
			if organ != "" && p.Organ != organ || !p.Takes(at) || p.Capacity == nil {
				continue
			}
			free := p.Capacity.FreePlaces - count(c.ID, p.Organ, p.Capacity.AsOf)
			ask.Places = append(ask.Places, assign.Place{CenterID: c.ID, Organ: p.Organ, Free: max(free, 0)})
		}
		if q := c.Quota(directory.Bed, "", clock.Day(at)); q != nil && q.Organ == "" {
			begins, err := time.ParseInLocation(time.DateOnly, q.Begins(at), clock.Shanghai)
			if err != nil {
				return ask, err
			}
			ask.Quotas[c.ID] = max(q.Reserved()-count(c.ID, "", begins), 0)
		}
	}
	return ask, nil
}

// WorkOut is the job that makes a proposal and has it checked; what the checker does not accept is never proposed.
func (s *Service) WorkOut(ctx context.Context, j Job) error {
	a, err := s.store.Assignment(ctx, j.AssignmentID)
	if err != nil || a.Status != Running {
		return ended(err)
	}
	waiting, err := s.waitingCases(ctx, a.Organ)
	if f, ok := fault.As(err); ok && f.Code == fault.ResourceExhausted {
		return s.failed(ctx, a.ID, f.En)
	}
	if err != nil {
		return err
	}
	ask, runs, err := s.asks(ctx, a, waiting)
	if err != nil {
		return err
	}
	total := int32(len(ask.Cases))
	s.progress(ctx, a.ID, total, 0)
	last := int32(0)
	proposal, err := assign.Propose(ctx, ask, assign.Current(), func(placed int) {
		if n := int32(placed); (n-last)*10 >= total { // ten steps are enough to be seen
			last = n
			s.progress(ctx, a.ID, total, n)
		}
	})
	if err != nil {
		return err
	}
	proved, err := certificate.Verify(proposal.Problem, proposal.Solution)
	if err != nil {
		return s.failed(ctx, a.ID, "the checker refused the proposal: "+err.Error())
	}
	items := make([]AssignedCase, 0, len(proposal.Items))
	for _, item := range proposal.Items {
		items = append(items, AssignedCase{MatchRunID: runs[item.ReferralID], Item: item})
	}
	return s.store.FinishAssignment(ctx, a.ID, func(a *Assignment) error {
		if a.Status != Running {
			return nil
		}
		a.Status, a.Cases, a.Done, a.Placed = Proposed, total, total, int32(proposal.Placed)
		a.RulesVersion, a.Worth, a.Bound = proposal.RulesVersion, proved.Primal.String(), proved.Dual.String()
		a.Certificate = digest(proposal.Problem, proposal.Solution)
		a.Free, a.Quotas = involved(ask, proposal.Items)
		return nil
	}, items)
}

// involved are the capacities of the centers that were proposed.
func involved(ask assign.Ask, items []assign.Item) (free, quotas map[string]int32) {
	proposed := map[string]bool{}
	for _, item := range items {
		if item.CenterID != "" {
			proposed[item.CenterID] = true
		}
	}
	free, quotas = map[string]int32{}, map[string]int32{}
	for _, p := range ask.Places {
		if proposed[p.CenterID] {
			free[p.CenterID+" "+p.Organ] = p.Free
		}
	}
	for center, n := range ask.Quotas {
		if proposed[center] {
			quotas[center] = n
		}
	}
	return free, quotas
}

func (s *Service) progress(ctx context.Context, id string, cases, done int32) {
	// Only to be looked at: a failure to note it fails nothing.
	_ = s.store.UpdateAssignment(ctx, id, func(a *Assignment) error {
		if a.Status == Running {
			a.Cases, a.Done = cases, done
		}
		return nil
	})
}

func (s *Service) failed(ctx context.Context, id, why string) error {
	return s.store.UpdateAssignment(ctx, id, func(a *Assignment) error {
		if a.Status == Running {
			a.Status, a.Failure = Failed, why
		}
		return nil
	})
}

// digest covers everything the checker looked at, in order.
func digest(p *assign.Problem, sol *assign.Solution) string {
	h := sha256.New()
	put := func(n int64) {
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], uint64(n))
		h.Write(b[:])
	}
	for _, c := range p.Columns {
		put(int64(c.Capacity))
		put(int64(c.Center))
	}
	for _, q := range p.Quotas {
		put(int64(q))
	}
	for i, options := range p.Cases {
		put(int64(sol.Column[i]))
		for _, o := range options {
			put(int64(o.Column))
			put(int64(o.Value))
		}
	}
	for _, n := range slices.Concat(sol.ColumnPrice, sol.QuotaPrice) {
		put(n)
	}
	return hex.EncodeToString(h.Sum(nil))
}
