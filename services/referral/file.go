package referral

import (
	"context"
	"fmt"
	"time"
)

// Later is a job's answer that what it needs is not there yet; that is no failure.
type Later struct{ After time.Duration }

func (l Later) Error() string { return fmt.Sprintf("again in %s", l.After) }

// How long a filing waits before it looks for the consent again: often in the first hour, when somebody is at it.
const (
	consentSoon  = 10 * time.Second
	consentLater = 10 * time.Minute
)

// File is the job that files the patient at the insured province for the center's city (备案, 免申即享). Without the
// patient's consent to settlement it waits for that, and says so once on the timeline.
func (s *Service) File(ctx context.Context, j Job) error {
	r, err := s.visible(ctx, j.ReferralID)
	if err != nil || !r.filesFor(j) {
		return err
	}
	profile, err := s.peers.Profile(ctx, r.PatientID, r.Organ)
	if err != nil {
		return err
	}
	if !profile.ConsentSettlement {
		r, err = s.update(ctx, j.ReferralID, "", func(r *Referral, a Act) error {
			if r.filesFor(j) && !r.FilingWaits {
				r.FilingWaits = true
				r.note("FILING_WAITING", a)
			}
			return nil
		})
		switch {
		case err != nil:
			return err
		case s.clock.Now().Sub(r.AcceptTime) < time.Hour:
			return Later{consentSoon}
		}
		return Later{consentLater}
	}
	filing, err := s.peers.CreateFiling(ctx, key("file", r.ID, j.Record), FilingAsk{
		ReferralID: r.ID, PatientID: r.PatientID, Province: profile.InsuredProvince, City: r.CenterCity, OnBehalfOf: r.Referrer,
	})
	kind, reason := "FILED", ""
	if f, no := refused(err); no {
		kind, reason = "FILING_REFUSED", string(f.Reason)
	} else if err != nil {
		return err
	}
	_, err = s.update(ctx, j.ReferralID, "", func(r *Referral, a Act) error {
		if !r.filesFor(j) {
			return nil
		}
		r.FilingID, r.FilingWaits, r.InsuredProvince = filing, false, profile.InsuredProvince
		r.see(j.Record, "FILE")
		a.Record, a.Reason = filing, reason
		r.note(kind, a)
		return nil
	})
	return err
}

// filesFor reports whether the acceptance the job is for still stands without an answer from the insured province.
func (r *Referral) filesFor(j Job) bool {
	return r.Live() && r.CenterID != "" && r.OfferID == j.Record && r.FilingID == "" && !r.saw(j.Record, "FILE")
}
