package patient

import (
	"context"
	"unicode/utf8"
)

// maxFound bounds the answer of a search; a name that more people have needs something else beside it.
const maxFound = 200

// Find returns the records of a whole name or of an identity number that an organisation may see, newest first;
// organisation empty: all of them. Their names are masked for everybody.
func (s *Service) Find(ctx context.Context, text, organisation string) ([]View, error) {
	var found []*Patient
	if number, err := ParseIdentityNumber(text, s.clock.Now()); err == nil {
		id, err := s.store.FindNumber(ctx, number)
		if err != nil || id == "" {
			return nil, err
		}
		p, err := s.store.Get(ctx, id)
		if err != nil {
			return nil, err
		}
		seen := organisation == "" || p.RegisteredBy == organisation
		if !seen {
			if seen, err = s.store.MaySee(ctx, p.ID, organisation); err != nil {
				return nil, err
			}
		}
		if seen {
			found = append(found, p)
		}
	} else if name := IndexName(text); utf8.RuneCountInString(name) >= 2 {
		if found, err = s.store.FindName(ctx, name, organisation, maxFound); err != nil {
			return nil, err
		}
	}
	views := make([]View, 0, len(found))
	for _, p := range found {
		views = append(views, p.masked())
	}
	return views, nil
}
