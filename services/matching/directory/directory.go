// Package directory is the register of transplant centers: who may transplant which organ, whom a program takes, and
// what it declared to have free.
//
// Invariant: a center has at most one program for an organ; a licence counts on the day it is asked for, so that a
// suspension is in force at once. Nothing here knows a patient, and nothing anywhere knows a donor.
package directory

import (
	"slices"
	"strconv"
	"time"

	"huhang.example/services/internal/clock"
)

// Center is a transplant center (移植中心).
type Center struct {
	ID       string    `json:"center_id"`
	NameZh   string    `json:"name_zh"`
	NameEn   string    `json:"name_en"`
	Line     string    `json:"line"`
	City     string    `json:"city"`
	Programs []Program `json:"programs"`
	// Quotas are what the center promises to referred patients.
	Quotas  []Quota `json:"quotas,omitempty"`
	Version int64   `json:"-"`
}

// Program is a center's program for one organ (移植项目).
type Program struct {
	Organ    string   `json:"organ"`
	Licence  Licence  `json:"licence"`
	Adults   bool     `json:"adults"`
	Children bool     `json:"children"`
	Open     bool     `json:"open"`
	Criteria Criteria `json:"criteria"`
	// SurvivalTier is 1 (best) to 5, 0 unknown; Volume last year's transplants; MedianWaitDays 0 unknown.
	SurvivalTier   int32 `json:"survival_tier"`
	Volume         int32 `json:"volume"`
	MedianWaitDays int32 `json:"median_wait_days"`
	// Capacity is nil until something was declared.
	Capacity *Capacity `json:"capacity,omitempty"`
}

// Licence is the health authority's permission for an organ (人体器官移植执业资格). Both days belong to it.
type Licence struct {
	ValidFrom string `json:"valid_from"`
	ValidTo   string `json:"valid_to"`
	Suspended bool   `json:"suspended"`
	// Revoked ends a licence for good (撤销): only another one, from another day, comes after it.
	Revoked bool `json:"revoked,omitempty"`
}

// Criteria are a program's own limits; an unset limit excludes nobody.
type Criteria struct {
	MinAge          *int32   `json:"min_age,omitempty"`
	MaxAge          *int32   `json:"max_age,omitempty"`
	MaxBMI          *float64 `json:"max_bmi,omitempty"`
	Retransplant    bool     `json:"retransplant"`
	ABOIncompatible bool     `json:"abo_incompatible"`
	LivingDonor     bool     `json:"living_donor"`
	HIV             bool     `json:"hiv"`
	// HCCSet is MILAN, UCSF, HANGZHOU or FUDAN; empty takes no hepatocellular carcinoma.
	HCCSet string `json:"hcc_set,omitempty"`
	// CallInMinutes is how quickly a listed patient must arrive when called; 0 no window.
	CallInMinutes int32 `json:"call_in_minutes,omitempty"`
	// Infections is the policy by infection (收治政策); one it does not name is not stated. HIV then follows the field above.
	Infections map[string]string `json:"infections,omitempty"`
}

// What a program does about a positive result; empty is not stated.
const (
	Accepts        = "ACCEPTS"
	Excludes       = "EXCLUDES"
	NeedsTreatment = "NEEDS_TREATMENT"
)

// Policies are the three.
var Policies = []string{Accepts, Excludes, NeedsTreatment}

// Infections a program can have a policy for; ACTIVE is any infection that is active now. The order is fixed: ranking
// numbers them by it.
var Infections = []string{"ACTIVE", "HBV", "HCV", "HIV", "TB", "CMV", "EBV", "SYPHILIS"}

// Policy is the program's for an infection.
func (c *Criteria) Policy(infection string) string {
	if policy := c.Infections[infection]; policy != "" || infection != "HIV" {
		return policy
	}
	if c.HIV {
		return Accepts
	}
	return Excludes
}

// Capacity is what a center declared to have free for referred patients (接收能力).
type Capacity struct {
	FreePlaces int32     `json:"free_places"`
	AsOf       time.Time `json:"as_of"`
	DeclaredBy string    `json:"declared_by"`
}

// Etag is the version as clients see it.
func (c *Center) Etag() string { return strconv.FormatInt(c.Version, 10) }

// Program returns the program for an organ, nil when there is none.
func (c *Center) Program(organ string) *Program {
	for i := range c.Programs {
		if c.Programs[i].Organ == organ {
			return &c.Programs[i]
		}
	}
	return nil
}

// Organs the center has programs for.
func (c *Center) Organs() []string {
	organs := make([]string, 0, len(c.Programs))
	for _, p := range c.Programs {
		organs = append(organs, p.Organ)
	}
	return organs
}

// Covers reports whether the licence is valid on the day, neither suspended nor revoked.
func (l Licence) Covers(day string) bool { return !l.Suspended && !l.Revoked && l.Dated(day) }

// Dated reports whether the day lies between the licence's days.
func (l Licence) Dated(day string) bool { return l.ValidFrom <= day && day <= l.ValidTo }

// Takes reports whether the program may and does take referrals at the time.
func (p *Program) Takes(at time.Time) bool {
	return p != nil && p.Open && p.Licence.Covers(clock.Day(at))
}

// Lines of the network: 京津冀, 长三角, 珠三角.
var Lines = []string{"jjj", "csj", "zsj"}

// Organs a program can be for.
var Organs = []string{"KIDNEY", "LIVER", "HEART", "LUNG", "PANCREAS", "SMALL_BOWEL"}

// HCCSets a liver program can follow.
var HCCSets = []string{"MILAN", "UCSF", "HANGZHOU", "FUDAN"}

func known(list []string, s string) bool { return slices.Contains(list, s) }
