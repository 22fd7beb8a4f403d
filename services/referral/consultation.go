package referral

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/telemetry"
)

// Opinion is what an expert, or the panel in the end, holds (会诊意见).
type Opinion string

// The opinions.
const (
	HoldsIndicated    Opinion = "INDICATED"
	HoldsNotIndicated Opinion = "NOT_INDICATED"
	HoldsTooEarly     Opinion = "TOO_EARLY"
	Abstains          Opinion = "ABSTAINED"
)

// SecondOpinion is the kind of consultation that an exhausted case may have; the others are MDT and REMOTE.
const SecondOpinion = "SECOND_OPINION"

// Expert is a member of a panel (会诊专家), named by the sign-in's subject alone.
type Expert struct{ Organisation, Subject, Discipline string }

// ExpertOpinion is what one expert recorded.
type ExpertOpinion struct {
	Organisation, Subject string
	Opinion               Opinion
	Comment               string
	Time                  time.Time
}

// ConsultationRecord is one consultation (会诊).
type ConsultationRecord struct {
	Number       int
	Kind, Agenda string
	Panel        []Expert
	Documents    []string
	Opinions     []ExpertOpinion
	// Conclusion is empty while the consultation is open.
	Conclusion        Opinion
	ConclusionComment string
	Opened, Concluded time.Time
	// Again counts how often it was taken up again after the case had been closed by mistake.
	Again int `json:",omitempty"`
}

func (c *ConsultationRecord) expert(caller access.Caller) bool {
	return slices.ContainsFunc(c.Panel, func(e Expert) bool { return e.Organisation == caller.Organisation && e.Subject == caller.Subject })
}

// silent are the experts without an opinion.
func (c *ConsultationRecord) silent() int {
	n := 0
	for _, e := range c.Panel {
		if c.Silent(e) {
			n++
		}
	}
	return n
}

// Silent reports whether an expert has given no opinion.
func (c *ConsultationRecord) Silent(e Expert) bool {
	return !slices.ContainsFunc(c.Opinions, func(o ExpertOpinion) bool { return o.Organisation == e.Organisation && o.Subject == e.Subject })
}

// agreed reports whether every expert holds the same.
func (c *ConsultationRecord) agreed(on Opinion) bool {
	return c.silent() == 0 && !slices.ContainsFunc(c.Opinions, func(o ExpertOpinion) bool { return o.Opinion != on })
}

// OpenConsultation is the one under way, nil when there is none. Closing the case ends it.
func (r *Referral) OpenConsultation() *ConsultationRecord {
	if r.State != Consultation || len(r.Consultations) == 0 {
		return nil
	}
	return &r.Consultations[len(r.Consultations)-1]
}

// maxConsultations bounds how often one case is discussed.
const maxConsultations = 10

// OpenConsultation asks a panel; it sees the case, and its organisations the patient, until the conclusion. Faults
// FIELD_INVALID, RIGHT_MISSING, WRONG_STATE, STALE_VERSION, NOT_FOUND.
func (s *Service) OpenConsultation(ctx context.Context, referralID, etag string, c ConsultationRecord) (*Referral, error) {
	return s.update(ctx, referralID, etag, func(r *Referral, a Act) error {
		if _, err := r.pick(Consult, a); err != nil {
			return err
		}
		for i, e := range c.Panel {
			if slices.ContainsFunc(c.Panel[:i], func(o Expert) bool { return o.Organisation == e.Organisation && o.Subject == e.Subject }) {
				return fault.New(fault.InvalidArgument, fault.FieldInvalid, "panel", "An expert stands twice in the panel.", "同一专家重复列入会诊。")
			}
		}
		if (c.Kind == SecondOpinion) != (r.State == Exhausted) {
			return fault.New(fault.InvalidArgument, fault.FieldInvalid, "kind",
				"A second opinion is for a case that no center takes; any other consultation comes before the ranking.", "第二意见仅用于无中心接收的病例，其他会诊在匹配之前进行。")
		}
		if len(r.Consultations) >= maxConsultations {
			return fault.New(fault.ResourceExhausted, fault.FieldInvalid, "", "The case was discussed ten times; decide.", "该病例已会诊十次，请作出决定。")
		}
		a.Reason = c.Kind
		return r.apply(Consult, a, func() {
			c.Number, c.Opened = len(r.Consultations)+1, a.At
			r.Consultations = append(r.Consultations, c)
			for _, organisation := range c.organisations() {
				r.enqueue(Job{Do: JobGrant, Organisation: organisation, Record: c.record()})
			}
		})
	})
}

// record names the consultation in the keys of what is done for it.
func (c *ConsultationRecord) record() string {
	if c.Again > 0 {
		return "consultation-" + strconv.Itoa(c.Number) + "-" + strconv.Itoa(c.Again)
	}
	return "consultation-" + strconv.Itoa(c.Number)
}

// dismissPanel owes the end of the access that the experts had for an open consultation.
func (r *Referral) dismissPanel(at time.Time) {
	if c := r.OpenConsultation(); c != nil {
		for _, organisation := range c.organisations() {
			r.revoke(organisation, c.record(), at)
		}
	}
}

// organisations are the panel's, each once.
func (c *ConsultationRecord) organisations() []string {
	var all []string
	for _, e := range c.Panel {
		if !contains(all, e.Organisation) {
			all = append(all, e.Organisation)
		}
	}
	return all
}

// RecordOpinion records the calling expert's opinion, in place of an earlier one; faults COMMENT_REQUIRED, RIGHT_MISSING,
// WRONG_STATE, STALE_VERSION, NOT_FOUND.
func (s *Service) RecordOpinion(ctx context.Context, referralID, etag string, holds Opinion, comment string) (*Referral, error) {
	return s.update(ctx, referralID, etag, func(r *Referral, a Act) error {
		if _, err := r.pick(Opine, a); err != nil {
			return err
		}
		if holds != HoldsIndicated && strings.TrimSpace(comment) == "" {
			return fault.New(fault.InvalidArgument, fault.CommentRequired, "comment", "Say why.", "请说明理由。")
		}
		a.Reason = string(holds)
		return r.apply(Opine, a, func() {
			c := r.OpenConsultation()
			c.Opinions = slices.DeleteFunc(c.Opinions, func(o ExpertOpinion) bool { return o.Organisation == a.By.Organisation && o.Subject == a.By.Subject })
			c.Opinions = append(c.Opinions, ExpertOpinion{Organisation: a.By.Organisation, Subject: a.By.Subject, Opinion: holds, Comment: comment, Time: a.At})
		})
	})
}

// ConcludeConsultation ends the consultation: indicated starts the ranking, the other conclusions close the case. A
// conclusion that not everybody holds needs a reason. Faults COMMENT_REQUIRED, RIGHT_MISSING, WRONG_STATE, STALE_VERSION,
// NOT_FOUND.
func (s *Service) ConcludeConsultation(ctx context.Context, referralID, etag string, conclusion Opinion, comment string) (*Referral, error) {
	moves := map[Opinion]Move{HoldsIndicated: ConcludeIndicated, HoldsNotIndicated: ConcludeNot, HoldsTooEarly: ConcludeTooEarly}
	return s.update(ctx, referralID, etag, func(r *Referral, a Act) error {
		move := moves[conclusion]
		if _, err := r.pick(move, a); err != nil {
			return err
		}
		c := r.OpenConsultation()
		if !(conclusion == HoldsIndicated && c.agreed(HoldsIndicated)) && strings.TrimSpace(comment) == "" {
			return fault.New(fault.InvalidArgument, fault.CommentRequired, "comment",
				"Not every expert holds the transplant indicated: say why this is the conclusion.", "并非全部专家认为适合移植，请说明结论理由。")
		}
		a.Reason = string(conclusion)
		return r.apply(move, a, func() {
			c.Conclusion, c.ConclusionComment, c.Concluded = conclusion, comment, a.At
			switch conclusion {
			case HoldsIndicated:
				r.dismissPanel(a.At)
				r.startRanking()
			case HoldsNotIndicated:
				r.end(NotIndicated, a.At)
			case HoldsTooEarly:
				r.end(TooEarly, a.At)
			}
		})
	})
}

// startRanking owes a new match run.
func (r *Referral) startRanking() {
	r.Runs++
	r.Matching = true
	r.stopAsking()
	r.enqueue(Job{Do: JobMatch, Number: r.Runs})
}

// ListConsultations returns a case's consultations; fault NOT_FOUND.
func (s *Service) ListConsultations(ctx context.Context, referralID string) ([]ConsultationRecord, error) {
	r, err := s.visible(telemetry.WithReferral(ctx, referralID), referralID)
	if err != nil {
		return nil, err
	}
	return r.Consultations, nil
}
