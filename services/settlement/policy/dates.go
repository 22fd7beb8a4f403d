package policy

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

func (b *Book) dates() error {
	var heads []Head
	for _, p := range b.policies {
		heads = append(heads, p.Head)
	}
	for _, c := range b.catalogues {
		heads = append(heads, c.Head)
	}
	for _, t := range b.typical {
		heads = append(heads, t.Head)
	}
	return Dates(heads...)
}

// Dates refuses documents of one kind and province that share a version, that are in force on the same day, or between
// which there is a day on which none is: every day from the first on has exactly one, up to the end of the last.
func Dates(heads ...Head) error {
	heads = slices.Clone(heads)
	slices.SortStableFunc(heads, func(a, b Head) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Province, b.Province), cmp.Compare(a.ValidFrom, b.ValidFrom))
	})
	versions := map[[3]string]bool{}
	for i, h := range heads {
		key := [3]string{h.Kind, h.Province, h.Version}
		if versions[key] {
			return fmt.Errorf("policy: %s of %s: version %s stands here twice", h.Kind, h.Province, h.Version)
		}
		versions[key] = true
		if i == 0 || heads[i-1].Kind != h.Kind || heads[i-1].Province != h.Province {
			continue
		}
		before := heads[i-1]
		if before.ValidTo == "" || before.ValidTo >= h.ValidFrom {
			return fmt.Errorf("policy: %s of %s: %s overlaps %s: both are in force on %s", h.Kind, h.Province, h.Version, before.Version, h.ValidFrom)
		}
		if next := dayAfter(before.ValidTo); next != h.ValidFrom {
			return fmt.Errorf("policy: %s of %s: there is a gap between %s and %s: nothing is in force from %s until %s",
				h.Kind, h.Province, before.Version, h.Version, next, h.ValidFrom)
		}
	}
	return nil
}

func dayAfter(d Date) Date {
	day, err := time.Parse(time.DateOnly, string(d))
	if err != nil { // dates were read as days
		return d
	}
	return Date(day.AddDate(0, 0, 1).Format(time.DateOnly))
}
