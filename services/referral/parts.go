package referral

import (
	"maps"
	"slices"
	"time"
)

// The parts an organisation plays in a case, as an entry keeps them.
const (
	PartReferrer      = "REFERRER"
	PartAsked         = "ASKED"
	PartCenter        = "CENTER"
	PartLocalHospital = "LOCAL_HOSPITAL"
	PartPanel         = "PANEL"
	// PartTold is no part in the case: who is told of the entry alone, such as where a diverted patient is taken.
	PartTold = "TOLD"
)

// Concern is whom an entry concerns and by when (通知对象): what a notice needs and the timeline does not show.
type Concern struct {
	// Parts are what each organisation was in the case before the change or is after it.
	Parts map[string][]string `json:",omitempty"`
	// Due is when the clock that runs after the change ends.
	Due time.Time `json:",omitzero"`
	// Late says that the event came too late to change anything.
	Late bool `json:",omitempty"`
}

// Kinds are all kinds of entries.
func Kinds() []string { return slices.Sorted(maps.Keys(kinds)) }

// parts are what each organisation is in the case now.
func (r *Referral) parts() map[string][]string {
	parts := map[string][]string{}
	add := func(organisation, part string) {
		if organisation != "" && !slices.Contains(parts[organisation], part) {
			parts[organisation] = append(parts[organisation], part)
		}
	}
	add(r.Referrer, PartReferrer)
	add(r.CenterID, PartCenter)
	add(r.LocalHospital, PartLocalHospital)
	for _, center := range r.AskedCenters() {
		if center != r.CenterID {
			add(center, PartAsked)
		}
	}
	if c := r.OpenConsultation(); c != nil {
		for _, e := range c.Panel {
			add(e.Organisation, PartPanel)
		}
	}
	return parts
}

// concern says whom an entry concerns, those before the change included.
func (r *Referral) concern(a Act) Concern {
	parts := r.parts()
	for organisation, before := range r.partsBefore {
		for _, part := range before {
			if !slices.Contains(parts[organisation], part) {
				parts[organisation] = append(parts[organisation], part)
			}
		}
	}
	r.partsBefore = nil
	if a.Told != "" {
		parts[a.Told] = append(parts[a.Told], PartTold)
	}
	return Concern{Parts: parts, Due: r.Deadline, Late: a.Reason == late}
}
