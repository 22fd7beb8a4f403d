package patient

import (
	"context"
	"unicode/utf8"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/id"
)

// maxFound bounds the answer of a search; a name that more people have needs something else beside it.
const maxFound = 200

// Find returns the records of a whole name, of an identity number or of a patient id that an organisation may see, newest first;
// organisation empty: all of them. Their names are masked for everybody.
func (s *Service) Find(ctx context.Context, text, organisation string) ([]View, error) {
	var found []*Patient
	one := ""
	if id.Valid("pat", text) {
		one = text
	} else if number, err := ParseIdentityNumber(text, s.clock.Now()); err == nil {
		if one, err = s.store.FindNumber(ctx, number); err != nil || one == "" {
			return nil, err
		}
	}
	if one != "" {
		p, err := s.store.Get(ctx, one)
		if fault.Is(err, fault.ReasonNotFound) {
			return nil, nil
		}
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
		var err error
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
