package directory

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"huhang.example/services/internal/clock"
)

// Quota is a promise of a share of a resource to referred patients (预留资源), a contract per center and resource.
type Quota struct {
	Resource string `json:"resource"`
	// Organ is empty for all.
	Organ  string `json:"organ,omitempty"`
	Period string `json:"period"`
	// Units the center has in a period, and the Share of them promised, in basis points.
	Units     int32  `json:"units"`
	Share     int32  `json:"share"`
	ValidFrom string `json:"valid_from"`
	ValidTo   string `json:"valid_to"`
}

// The resources and periods of quotas, as the contract names them.
const (
	ExpertSlot    = "EXPERT_SLOT"
	Bed           = "BED"
	Test          = "TEST"
	OperatingRoom = "OPERATING_ROOM"

	PerDay   = "DAY"
	PerWeek  = "WEEK"
	PerMonth = "MONTH"
)

var (
	resources = []string{ExpertSlot, Bed, Test, OperatingRoom}
	periods   = []string{PerDay, PerWeek, PerMonth}
)

const (
	basisPoints = 10_000
	maxQuotas   = 50
)

// Reserved is how many units of a period are promised: the share, rounded up, for a promise is not rounded away.
func (q Quota) Reserved() int32 {
	return int32((int64(q.Units)*int64(q.Share) + basisPoints - 1) / basisPoints)
}

// Begins is the first day of the period the time lies in: what is counted together has the same one.
func (q Quota) Begins(at time.Time) string {
	t := at.In(clock.Shanghai)
	switch q.Period {
	case PerWeek:
		t = t.AddDate(0, 0, -(int(t.Weekday())+6)%7) // back to Monday
	case PerMonth:
		t = t.AddDate(0, 0, 1-t.Day())
	}
	return t.Format(time.DateOnly)
}

// Holds reports whether the promise is for the day and the organ.
func (q Quota) Holds(organ, day string) bool {
	return (q.Organ == "" || q.Organ == organ) && q.ValidFrom <= day && day <= q.ValidTo
}

// Quota returns the center's promise of a resource for an organ on a day: its own before the one for all; nil when none.
func (c *Center) Quota(resource, organ, day string) *Quota {
	var found *Quota
	for i := range c.Quotas {
		if q := &c.Quotas[i]; q.Resource == resource && q.Holds(organ, day) && (found == nil || q.Organ != "") {
			found = q
		}
	}
	return found
}

// CheckQuotas says what is wrong with a list of promises; of one resource and organ no two may hold on a day.
func CheckQuotas(quotas []Quota) error {
	if len(quotas) > maxQuotas {
		return fmt.Errorf("more than %d", maxQuotas)
	}
	for i, q := range quotas {
		if err := q.check(); err != nil {
			return fmt.Errorf("[%d]: %w", i, err)
		}
		if j := slices.IndexFunc(quotas[:i], func(o Quota) bool {
			return o.Resource == q.Resource && o.Organ == q.Organ && o.ValidFrom <= q.ValidTo && q.ValidFrom <= o.ValidTo
		}); j >= 0 {
			return fmt.Errorf("[%d]: holds on the same days as [%d]", i, j)
		}
	}
	return nil
}

func (q Quota) check() error {
	switch {
	case !known(resources, q.Resource):
		return errors.New("resource: none such")
	case q.Organ != "" && !known(Organs, q.Organ):
		return errors.New("organ: none such")
	case !known(periods, q.Period):
		return errors.New("period: none such")
	case q.Units < 1 || q.Units > maxCount:
		return fmt.Errorf("units: 1 to %d", maxCount)
	case q.Share < 1 || q.Share > basisPoints:
		return fmt.Errorf("share: 1 to %d basis points", basisPoints)
	}
	return Licence{ValidFrom: q.ValidFrom, ValidTo: q.ValidTo}.Check()
}
