package matching

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/matching/ranking"
)

// Proof is what can be shown of an offer afterwards (邀约存证): what the center was shown, when it had it, and each decision.
type Proof struct {
	OfferID string
	// Shown is the frozen document, as bytes; ShownHash is its SHA-256 in hexadecimal.
	Shown     []byte
	ShownHash string
	// Delivered is when the case, and with it the center's feed, had the offer; Opened when somebody of the center read it
	// first, and OpenedBy who.
	Delivered, Opened time.Time
	OpenedBy          string
	Decisions         []Decision
}

// Decision is one entry of an offer's chain: the hash covers the entry's bytes and the hash before, the first of which is
// that of what was shown. A decision that was changed, taken out or put in between breaks every hash behind it.
type Decision struct {
	Number int64
	Record []byte
	Hash   string
}

// shown is the document a center decides by. Its encoding is pinned by a test: proofs are kept for years.
type shown struct {
	OfferID         string           `json:"offer_id"`
	ReferralID      string           `json:"referral_id"`
	PatientID       string           `json:"patient_id"`
	MatchRunID      string           `json:"match_run_id"`
	CenterID        string           `json:"center_id"`
	Referrer        string           `json:"referring_organisation"`
	Organ           string           `json:"organ"`
	Urgency         string           `json:"urgency"`
	CreatedAt       time.Time        `json:"create_time"`
	ExpiresAt       time.Time        `json:"expire_time"`
	RulesVersion    string           `json:"rules_version"`
	ClinicalVersion int32            `json:"clinical_version"`
	Patient         ranking.Patient  `json:"patient"`
	Warnings        []ranking.Remark `json:"warnings,omitempty"`
}

// show freezes what the center is shown of the case. Where the center stands in the ranking is not part of it.
func (o *Offer) show(run *Run) error {
	doc := shown{
		OfferID: o.ID, ReferralID: o.ReferralID, PatientID: o.PatientID, MatchRunID: o.MatchRunID, CenterID: o.CenterID, Referrer: o.Referrer,
		Organ: o.Organ, Urgency: o.Urgency, CreatedAt: o.CreatedAt.UTC(), ExpiresAt: o.ExpiresAt.UTC(), RulesVersion: o.RulesVersion,
		ClinicalVersion: run.ClinicalVersion, Patient: run.Input.Patient,
	}
	for _, r := range run.Result.Ranked {
		if r.CenterID == o.CenterID {
			doc.Warnings = r.Warnings
		}
	}
	text, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	o.shown, o.ShownHash = text, hash(text)
	return nil
}

// record is one decision as it is chained.
type record struct {
	OfferID      string      `json:"offer_id"`
	ShownHash    string      `json:"shown_sha256"`
	Status       Status      `json:"status"`
	At           time.Time   `json:"time"`
	Organisation string      `json:"organisation,omitempty"`
	Subject      string      `json:"subject,omitempty"`
	Service      string      `json:"service,omitempty"`
	Code         string      `json:"code,omitempty"`
	Comment      string      `json:"comment,omitempty"`
	RulesVersion string      `json:"rules_version"`
	Admission    time.Time   `json:"admission_time,omitzero"`
	Conditions   []Condition `json:"conditions,omitempty"`
	HoldID       string      `json:"hold_id,omitempty"`
}

// decide changes the status and leaves the record of who did it.
func (o *Offer) decide(s Status, at time.Time, by access.Caller) {
	o.Status, o.DecidedAt = s, at
	r := record{
		OfferID: o.ID, ShownHash: o.ShownHash, Status: s, At: at.UTC(), Organisation: by.Organisation, Subject: by.Subject,
		Service: by.Service, Code: o.DeclineCode + o.WithdrawCode, Comment: o.Comment, RulesVersion: o.RulesVersion,
	}
	if s == Accepted {
		r.Admission, r.Conditions, r.HoldID = o.Acceptance.Admission.UTC(), o.Conditions, o.HoldID
	}
	text, err := json.Marshal(r)
	if err != nil {
		panic("matching: a decision is always JSON: " + err.Error())
	}
	o.records = append(o.records, text)
}

// Chained is the hash of a decision behind another, or behind what was shown.
func Chained(before string, text []byte) string { return hash([]byte(before), []byte{'\n'}, text) }

func hash(parts ...[]byte) string {
	sum := sha256.Sum256(bytes.Join(parts, nil))
	return hex.EncodeToString(sum[:])
}

// Verify recomputes every hash.
func (p *Proof) Verify() error {
	if hash(p.Shown) != p.ShownHash {
		return fmt.Errorf("what was shown is not what was hashed")
	}
	before := p.ShownHash
	for i, d := range p.Decisions {
		if d.Number != int64(i+1) || Chained(before, d.Record) != d.Hash {
			return fmt.Errorf("decision %d is not in its chain", d.Number)
		}
		before = d.Hash
	}
	return nil
}

// Proof returns an offer's proof to whoever may see the offer. Faults: NOT_FOUND.
func (s *Service) Proof(ctx context.Context, offerID string) (*Proof, error) {
	o, err := s.store.Offer(ctx, offerID)
	if err != nil {
		return nil, err
	}
	if !o.VisibleTo(access.From(ctx)) {
		return nil, access.NotVisible("offer", offerID)
	}
	return s.store.Proof(ctx, offerID)
}

// opened notes that the center has read its offers, once each. A reading never fails because of it.
func (s *Service) opened(ctx context.Context, offers ...*Offer) {
	caller := access.From(ctx)
	for _, o := range offers {
		if caller.Organisation == o.CenterID && caller.Has(access.Center) {
			_ = s.store.Opened(ctx, o.ID, caller.Subject, s.clock.Now())
		}
	}
}
