package referral

import (
	"context"
	"strings"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/page"
)

// Assignment is one case's part of a proposal that operations confirmed.
type Assignment struct {
	ID, MatchRunID, Center string
	// Organisation and Subject are who confirmed it.
	Organisation, Subject string
}

// AssignCenter has a waiting case ask one center. Faults WRONG_STATE when somebody is being asked or the case is
// elsewhere, STALE_VERSION when it was ranked anew, NOT_FOUND.
func (s *Service) AssignCenter(ctx context.Context, referralID string, to Assignment) (*Referral, error) {
	return s.update(ctx, referralID, "", func(r *Referral, a Act) error {
		a.Center, a.Record, a.Organisation, a.Subject = to.Center, to.ID, to.Organisation, to.Subject
		if _, err := r.pick(Assign, a); err != nil {
			return err
		}
		if r.MatchRunID != to.MatchRunID {
			return fault.Stale(r.Etag())
		}
		if contains(r.Refused, to.Center) {
			return fault.New(fault.FailedPrecondition, fault.NotRanked, "center_id", "The patient refuses this center.", "患者拒绝该中心。")
		}
		return r.apply(Assign, a, func() { r.choose([]string{to.Center}) })
	})
}

// choose begins a round of asking.
func (r *Referral) choose(centers []string) {
	r.stopAsking()
	r.Chosen, r.Asking = centers, centers[0]
	r.Round++
	r.enqueue(Job{Do: JobAsk, Number: r.Round, Organisation: r.Asking})
}

// waits reports whether the case could be given a center now.
func (r *Referral) waits() bool {
	return r.MatchRunID != "" && !r.Matching && (r.State == Matched && r.Asking == "" || r.State == Exhausted)
}

// WaitingCases lists the cases that nobody is being asked for, of an organ or of all, by id.
func (s *Service) WaitingCases(ctx context.Context, organ, token string, size int32) ([]*Referral, string, error) {
	filter := page.Filter("waiting", organ)
	cursor, err := page.Parse(filter, token)
	if err != nil {
		return nil, "", err
	}
	limit := page.Size(size, 200, 500)
	// The cursor is the state gone through and the place in it.
	states := []State{Matched, Exhausted}
	at, rest, _ := strings.Cut(cursor, " ")
	var out []*Referral
	for n, state := range states {
		if at != "" && at != string(state) {
			continue
		}
		list, next, err := s.store.List(ctx, Filter{Scope: Scope{All: true}, State: state}, rest, limit)
		if err != nil {
			return nil, "", err
		}
		for _, r := range list {
			if r.waits() && (organ == "" || r.Organ == organ) {
				out = append(out, r)
			}
		}
		if next != "" {
			return out, page.Token(filter, string(state)+" "+next), nil
		}
		if n+1 < len(states) {
			return out, page.Token(filter, string(states[n+1])+" "), nil
		}
	}
	return out, "", nil
}
