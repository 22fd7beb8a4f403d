package referral

import (
	"context"
	"slices"
	"strings"

	"huhang.example/services/internal/access"
)

// Match is a case that a search found.
type Match struct {
	*Referral
	// ByPerson says that the query is the patient's name or identity number; NameMasked is then the name.
	ByPerson   bool
	NameMasked string
}

// maxFound bounds a search's answer.
const maxFound = 50

// SearchReferrals finds cases by their number, by another institution's, by a patient's id, or by a person's whole name or
// identity number; what the caller may not see is not found. Who the person is only the patient service knows: it is asked
// on the caller's behalf, and not at all for what looks like one of the line's own ids. Faults: those of that service, when
// the query is no number of a case.
func (s *Service) SearchReferrals(ctx context.Context, query string) ([]Match, error) {
	query = strings.TrimSpace(query)
	caller := access.From(ctx)
	scope := scopeOf(caller)
	list, err := s.store.Search(ctx, scope, query, maxFound)
	if err != nil {
		return nil, err
	}
	found := make([]Match, 0, len(list))
	for _, r := range list {
		if r.VisibleTo(caller) {
			found = append(found, Match{Referral: r})
		}
	}
	if len(found) > 0 || strings.HasPrefix(query, "ref_") || strings.HasPrefix(query, "pat_") {
		return found, nil
	}
	organisation := scope.Organisation
	if scope.All {
		organisation = ""
	} else if organisation == "" {
		return found, nil
	}
	people, err := s.peers.FindPatients(ctx, query, organisation)
	if err != nil || len(people) == 0 {
		return nil, err
	}
	names := map[string]string{}
	for _, p := range people {
		for _, id := range append([]string{p.PatientID}, p.Others...) {
			names[id] = p.NameMasked
		}
	}
	ids := make([]string, 0, len(names))
	for id := range names {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	if list, err = s.store.OfPatients(ctx, scope, ids, maxFound); err != nil {
		return nil, err
	}
	for _, r := range list {
		if r.VisibleTo(caller) {
			found = append(found, Match{r, true, names[r.PatientID]})
		}
	}
	return found, nil
}
