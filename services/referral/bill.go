package referral

import (
	"slices"
	"time"

	"huhang.example/services/internal/money"
)

// StayBill is how the bill of one stay stands (住院费用单): a case may have several, an evaluation's and a readmission's besides
// that of the surgery.
type StayBill struct {
	ClaimID string
	// Stage is the claim's last event, Time when that happened, Version the claim's after it where its sender says so.
	Stage   Move
	Time    time.Time
	Version int64      `json:",omitempty"`
	SelfPay *money.Fen `json:",omitempty"`
	// Undone says that it was settled and reversed, and is not settled again.
	Undone bool `json:",omitempty"`
	Stay
	// Total is what the bill came to; nil while fee lines arrive.
	Total *money.Fen `json:",omitempty"`
}

// Stay is a stay at a center (住院): its days, the second one empty while it lasts. Empty where nobody told.
type Stay struct {
	Admitted   string `json:",omitempty"`
	Discharged string `json:",omitempty"`
	CenterID   string `json:",omitempty"`
}

// maxBills bounds the bills of a case; beyond it the oldest that is settled makes room.
const maxBills = 50

// after reports whether what is told of a bill happened before what it knows: the claim's own count decides, since clocks of
// two instances differ.
func (b *StayBill) after(h Happening) bool {
	if h.Version > 0 && b.Version > 0 {
		return h.Version < b.Version
	}
	return h.Occurred.Before(b.Time)
}

// Bills are those whose admission stands, in the order in which the case learned of them.
func (r *Referral) Bills() []StayBill {
	return slices.DeleteFunc(slices.Clone(r.stays()), func(b StayBill) bool { return b.Stage == ClaimCancelled })
}

// stays are all bills the case knows; one that was stored before there were several is the only one.
func (r *Referral) stays() []StayBill {
	if len(r.Stays) == 0 && r.ClaimID != "" {
		return []StayBill{{ClaimID: r.ClaimID, Stage: Move(r.ClaimStage), Time: r.ClaimTime, SelfPay: r.SelfPay}}
	}
	return r.Stays
}

func (r *Referral) stay(claimID string) *StayBill {
	stays := r.stays()
	if i := slices.IndexFunc(stays, func(b StayBill) bool { return b.ClaimID == claimID }); i >= 0 {
		return &stays[i]
	}
	return nil
}

// bill keeps what happened to a claim.
func (r *Referral) bill(h Happening) {
	r.Stays = r.stays()
	b := r.stay(h.Record)
	if b == nil {
		if len(r.Stays) >= maxBills {
			old := max(0, slices.IndexFunc(r.Stays, func(b StayBill) bool {
				return b.Stage == ClaimSettled || b.Stage == ClaimAccepted || b.Stage == ClaimCancelled
			}))
			r.Stays = slices.Delete(r.Stays, old, old+1)
		}
		r.Stays = append(r.Stays, StayBill{ClaimID: h.Record})
		b = &r.Stays[len(r.Stays)-1]
	}
	b.Stage, b.Time, b.Version = h.Move, h.Occurred, h.Version
	if h.Stay.Admitted != "" {
		b.Stay = h.Stay
	}
	if h.Total != nil {
		b.Total = h.Total
	}
	if open(h.Move) {
		b.Total = nil
	}
	switch h.Move {
	case ClaimSettled:
		b.SelfPay, b.Undone = h.SelfPay, false
	case ClaimReversed:
		b.SelfPay, b.Undone = nil, true
	case ClaimManual, ClaimAccepted, ClaimCancelled:
		b.Undone = false
	}
	r.showBill()
}

// showBill chooses the bill the case shows: the latest that is still to be settled, else the latest. Without any, it is as if
// none had been opened, but that one was taken back stays known.
func (r *Referral) showBill() {
	r.ClaimID, r.ClaimStage, r.ClaimTime, r.SelfPay = "", "", time.Time{}, nil
	for _, b := range r.stays() {
		switch {
		case b.Stage == ClaimCancelled:
			if r.ClaimID == "" {
				r.ClaimStage, r.ClaimTime = string(ClaimCancelled), b.Time
			}
			continue
		case r.ClaimID == "" || !b.final() || finalStage(r.ClaimStage):
			r.ClaimID, r.ClaimStage, r.ClaimTime = b.ClaimID, string(b.Stage), b.Time
		}
		if b.SelfPay != nil {
			sum := *b.SelfPay
			if r.SelfPay != nil {
				sum += *r.SelfPay
			}
			r.SelfPay = &sum
		}
	}
}

func (b *StayBill) final() bool { return finalStage(string(b.Stage)) }

// finalStage: settled, or a manual claim, which is the agencies' own, taken or not.
func finalStage(stage string) bool {
	return stage == string(ClaimSettled) || stage == string(ClaimManual) || stage == string(ClaimAccepted)
}

// billsFailing are the stages in which a bill waits for a person.
var billsFailing = do(ClaimReversed, ClaimManual, ClaimUnanswered, ClaimReopened, ClaimCancelled)

// FailingStage is how the bills stand for the list of settlements that fail: the stage of the first that fails, else of the
// one shown. What was reversed fails until it is settled again. A manual claim of a closed case is done with, and so is an
// admission that was taken back.
func (r *Referral) FailingStage() string {
	for _, b := range r.Bills() {
		switch {
		case b.Stage == ClaimManual && !r.Live():
		case slices.Contains(billsFailing, b.Stage):
			return string(b.Stage)
		case b.Undone:
			return string(ClaimReversed)
		}
	}
	if !r.Live() && (r.ClaimStage == string(ClaimManual) || r.ClaimStage == string(ClaimCancelled)) {
		return ""
	}
	return r.ClaimStage
}

// noClaim: no stay has a bill yet, or the only one's admission was taken back.
func noClaim(r *Referral, _ Act) bool { return r.ClaimID == "" }

// billMissing: the patient was with the center, and no bill of it stands.
func billMissing(r *Referral, a Act) bool {
	was := r.State
	if was == Closed {
		was = r.ClosedIn
	}
	return noClaim(r, a) && (r.ClaimStage == string(ClaimCancelled) || slices.Contains(withCenter, was))
}

func claimOpen(r *Referral, _ Act) bool { return open(Move(r.ClaimStage)) }

func claimComplete(r *Referral, _ Act) bool {
	return r.ClaimStage == string(ClaimDischarged) || r.ClaimStage == string(ClaimReversed)
}

// billFinal: a case ends as completed once its bills, if it has any, are settled or have become manual claims.
func billFinal(r *Referral, _ Act) bool {
	return !slices.ContainsFunc(r.Bills(), func(b StayBill) bool { return !b.final() })
}

// onlyAdmission: the stay whose opening began the evaluation is taken back, and nothing has come of it yet.
func onlyAdmission(r *Referral, a Act) bool {
	return r.Admitted != "" && r.Admitted == a.Record && r.Surgery == nil &&
		!slices.ContainsFunc(r.Bills(), func(b StayBill) bool { return b.ClaimID != a.Record && open(b.Stage) })
}

// open: fee lines are still to come.
func open(stage Move) bool { return stage == ClaimOpened || stage == ClaimReopened }
