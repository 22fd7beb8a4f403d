package settlement

import (
	"context"
	"slices"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/id"
	"huhang.example/services/internal/telemetry"
	"huhang.example/services/settlement/policy"
)

// Rules are what an instance is deployed with.
type Rules struct {
	// Provinces are those the instance serves.
	Provinces []string
	// Book holds the documents it decides by.
	Book *policy.Book
	// Life are the terms of a claim's life; nil: those that come with the line.
	Life *LifeRules
	// Watch is supervision; nil: nothing is watched.
	Watch Watch
	// RecogniseDeclared makes an insured province take the coverage a person declared for recognised while its agency has
	// recorded nothing of them: for provinces whose register is not connected.
	RecogniseDeclared bool
}

// Service is the use cases. What must be asked of a peer before a call is decided is asked by a Prepare method, outside
// the call's transaction; it never fails but carries its error into the call.
type Service struct {
	store Store
	peers Peers
	clock clock.Clock
	ids   id.Source
	rules Rules
}

// New returns the service.
func New(store Store, peers Peers, c clock.Clock, ids id.Source, rules Rules) *Service {
	if rules.Life == nil {
		rules.Life = SampleLifeRules()
	}
	if rules.Watch == nil {
		rules.Watch = unwatched{}
	}
	return &Service{store: store, peers: peers, clock: c, ids: ids, rules: rules}
}

// serves refuses a call for a province of another instance.
func (s *Service) serves(province string) error {
	if slices.Contains(s.rules.Provinces, province) {
		return nil
	}
	return fault.New(fault.FailedPrecondition, fault.ProvinceNotServed, "province",
		"The province is not served by this instance.", "本服务实例不负责该省。").With("province", province)
}

func (s *Service) today() string { return clock.Day(s.clock.Now()) }

// latestDay is the last that may be the day of another's clock.
func (s *Service) latestDay() string { return clock.Day(s.clock.Now().Add(clock.Skew)) }

// visibleClaim returns a claim the caller may see, and marks the work as part of its case.
func (s *Service) visibleClaim(ctx context.Context, claimID string) (context.Context, *Claim, error) {
	if err := s.serves(provinceOf(claimID)); err != nil {
		return ctx, nil, err
	}
	c, err := s.store.Claim(ctx, claimID)
	if err != nil {
		return ctx, nil, err
	}
	if !c.VisibleTo(access.From(ctx)) {
		return ctx, nil, access.NotVisible("claim", claimID)
	}
	return telemetry.WithReferral(ctx, c.ReferralID), c, nil
}

// updateClaim changes a claim of the caller's own center. Visibility is decided before etag and state: a stranger learns
// nothing. An empty etag is not looked at.
func (s *Service) updateClaim(ctx context.Context, claimID, etag string, may func(access.Caller, *Claim) error, change func(ctx context.Context, c *Claim) error) (*Claim, error) {
	if err := s.serves(provinceOf(claimID)); err != nil {
		return nil, err
	}
	who := access.From(ctx)
	return s.store.UpdateClaim(ctx, claimID, "", func(ctx context.Context, c *Claim) error {
		if !c.VisibleTo(who) {
			return access.NotVisible("claim", claimID)
		}
		if err := may(who, c); err != nil {
			return err
		}
		// That it is settled already says more than that the etag is old.
		if etag != "" && c.Status != Settled {
			if err := c.seen(etag); err != nil {
				return err
			}
		}
		return change(telemetry.WithReferral(ctx, c.ReferralID), c)
	})
}

// ownClaim lets a center work on its own claims only.
func ownClaim(who access.Caller, c *Claim) error {
	if who.Has(access.Center) && who.Organisation == c.CenterID {
		return nil
	}
	return fault.New(fault.PermissionDenied, fault.RightMissing, "",
		"Only the center of the claim may do this.", "只有该费用单所属中心可以办理。")
}

// scope is what of a list the caller may see.
func scope(who access.Caller) Scope {
	out := Scope{All: who.Has(access.Operations) || who.Has(access.Service), Organisation: who.Organisation}
	if who.Has(access.Agency) {
		out.Province = who.Province
	}
	return out
}

// mayAskAbout refuses a caller who has no part in a person: the agency of the insured province, who registered the
// person, and the center of a case that was filed for have one.
func (s *Service) mayAskAbout(ctx context.Context, province, patientID string) error {
	who := access.From(ctx)
	if who.Has(access.Operations) || who.Has(access.Service) || who.Has(access.Agency) && who.Province == province {
		return nil
	}
	if who.Has(access.Coordinator) {
		profile, err := s.peers.Profile(ctx, patientID)
		if err == nil && who.MaySee(profile.RegisteredBy) {
			return nil
		}
		if err != nil && !fault.Is(err, fault.ReasonNotFound) {
			return err
		}
	}
	if who.Has(access.Center) {
		filings, err := s.store.FilingsOf(ctx, province, patientID)
		if err != nil {
			return err
		}
		// The newest few: a person has few cases.
		for _, f := range filings[:min(len(filings), 5)] {
			if f.ReferralID == "" {
				continue
			}
			theirs, err := s.treats(ctx, f.ReferralID)
			if err != nil || theirs {
				return err
			}
		}
	}
	return access.NotVisible("patient", patientID)
}

// treats reports whether the caller is the center of the case.
func (s *Service) treats(ctx context.Context, referralID string) (bool, error) {
	c, err := s.peers.Case(ctx, referralID)
	if fault.Is(err, fault.ReasonNotFound) {
		return false, nil
	}
	who := access.From(ctx)
	return err == nil && who.Organisation != "" && who.Organisation == c.CenterID, err
}
