package transfer

import (
	"slices"
	"strings"
	"time"

	"huhang.example/services/internal/fault"
)

// Item is one item of the hand-over checklist.
type Item string

// Items are all of the checklist; a hand-over needs every one.
var Items = []Item{
	"IDENTITY", "CONSENT", "SUMMARY", "RESULTS", "ABO_TWICE", "DRUGS", "INFECTION", "VITALS", "BELONGINGS",
}

// HandOver is the checklist and a signature of each side (交接单).
type HandOver struct {
	Items                            []Item
	SignedBySender, SignedByReceiver string
	// SignTime is when the receiving side signed, SenderSignTime when the sending side did.
	SignTime, SenderSignTime time.Time
	// Attested says that the receiving side wrote down the sending side's signature, which did not sign itself.
	Attested bool
}

// The sides that sign, as those who follow a transfer read them.
const (
	signedSender   = "SENDER"
	signedReceiver = "RECEIVER"
)

func badSignature(field, en, zh string) error {
	return fault.New(fault.InvalidArgument, fault.FieldInvalid, field, en, zh)
}

// waiting is what is signed so far.
func (t *Transfer) waiting() (HandOver, error) {
	switch {
	case t.Status != InTransit:
		return HandOver{}, t.wrongState("Only a patient on the way can be handed over.", "仅在途患者可以交接。")
	case t.Waiting == nil:
		return HandOver{}, nil
	}
	return *t.Waiting, nil
}

// signable refuses a signature of nobody, and of a time before the departure or in the future.
func (t *Transfer) signable(by, byField string, at time.Time, atField string, now time.Time) error {
	if strings.TrimSpace(by) == "" {
		return badSignature(byField, "The signature is blank.", "签字不能为空。")
	}
	if !during(at, t.DepartedTime, now) {
		return fault.New(fault.InvalidArgument, fault.TimeInvalid, atField,
			"The signature's time lies before the departure or in the future.", "签字时间早于出发时间或在将来。")
	}
	return nil
}

// Sign records the sending side's own signature, and completes a hand-over that waited for it. WRONG_STATE where it has
// signed; FIELD_INVALID for a blank signature; TIME_INVALID.
func (t *Transfer) Sign(by string, at, now time.Time) error {
	h, err := t.waiting()
	if err != nil {
		return err
	}
	if h.SignedBySender != "" {
		return t.wrongState("The sending side has signed already.", "转出方已签字。")
	}
	if at.IsZero() {
		at = now
	}
	if err := t.signable(by, "signed_by", at, "sign_time", now); err != nil {
		return err
	}
	h.SignedBySender, h.SenderSignTime = by, at
	t.settle(h, now)
	return nil
}

// Receive records the receiving side's signature under the whole checklist: self's, unless h names somebody. The sending
// side's is what that side has signed, or what h attests to; without either the hand-over waits for it.
//
// CHECKLIST_INCOMPLETE names the missing items; FIELD_INVALID for a blank signature, for one that is not what stands already,
// and for one person attested to on both sides; WRONG_STATE where nothing is new; TIME_INVALID.
func (t *Transfer) Receive(h HandOver, self string, now time.Time) error {
	was, err := t.waiting()
	if err != nil {
		return err
	}
	if h.SignedByReceiver == "" && was.SignedByReceiver == "" {
		h.SignedByReceiver = self
	}
	if err := h.keep(was); err != nil {
		return err
	}
	if was.SignedByReceiver != "" && h.SignedBySender == "" {
		return t.wrongState("The hand-over waits for the sending side's signature; where nobody there can sign, say who handed over.",
			"交接等待转出方签字；转出方无人可签时，请填写其交接人。")
	}
	if missing := h.missing(); missing != "" {
		return fault.New(fault.FailedPrecondition, fault.ChecklistIncomplete, "hand_over.items",
			"The hand-over checklist lacks items.", "交接清单缺少项目。").With("missing", missing)
	}
	if h.SignTime.IsZero() {
		h.SignTime = now
	}
	if err := t.signable(h.SignedByReceiver, "hand_over.signed_by_receiver", h.SignTime, "hand_over.sign_time", now); err != nil {
		return err
	}
	if h.Attested = h.SignedBySender != "" && was.SignedBySender == ""; h.Attested {
		if h.SenderSignTime.IsZero() {
			h.SenderSignTime = h.SignTime
		}
		if err := t.signable(h.SignedBySender, "hand_over.signed_by_sender", h.SenderSignTime, "hand_over.sender_sign_time", now); err != nil {
			return err
		}
		if strings.EqualFold(strings.TrimSpace(h.SignedBySender), strings.TrimSpace(h.SignedByReceiver)) {
			return badSignature("hand_over.signed_by_receiver", "Two different people sign a hand-over.", "交接须由两名不同人员签字。")
		}
	}
	t.settle(h, now)
	return nil
}

// keep takes over what is signed already. Nobody writes another signature, or another time of it, over one that stands.
func (h *HandOver) keep(was HandOver) error {
	for _, side := range []struct {
		field, timeField string
		by, stands       string
		at, stood        time.Time
	}{
		{"hand_over.signed_by_sender", "hand_over.sender_sign_time", h.SignedBySender, was.SignedBySender, h.SenderSignTime, was.SenderSignTime},
		{"hand_over.signed_by_receiver", "hand_over.sign_time", h.SignedByReceiver, was.SignedByReceiver, h.SignTime, was.SignTime},
	} {
		switch {
		case side.stands == "":
		case side.by != "" && side.by != side.stands:
			return badSignature(side.field, "That side has signed already; leave it empty.", "该方已签字，请留空。")
		case !side.at.IsZero() && !side.at.Equal(side.stood):
			return badSignature(side.timeField, "That side has signed already; leave its time empty.", "该方已签字，签字时间请留空。")
		}
	}
	if was.SignedBySender != "" {
		h.SignedBySender, h.SenderSignTime = was.SignedBySender, was.SenderSignTime
	} else if h.SignedBySender == "" {
		h.SenderSignTime = time.Time{} // of nobody
	}
	if was.SignedByReceiver != "" {
		h.SignedByReceiver, h.SignTime = was.SignedByReceiver, was.SignTime
		if len(h.Items) == 0 {
			h.Items = was.Items
		}
	}
	return nil
}

// missing names the items that are not ticked.
func (h *HandOver) missing() string {
	var missing []string
	for _, item := range Items {
		if !slices.Contains(h.Items, item) {
			missing = append(missing, string(item))
		}
	}
	return strings.Join(missing, ",")
}

// settle keeps h: with both signatures the patient has arrived, when the receiving side said so. Whom it has taken over is
// at its door.
func (t *Transfer) settle(h HandOver, now time.Time) {
	received := now
	if t.Waiting != nil && t.Waiting.SignedByReceiver != "" && t.Waiting.SignTime.Before(now) {
		received = t.Waiting.SignTime
	}
	if h.SignedBySender != "" && h.SignedByReceiver != "" {
		t.Status, t.ArrivedTime, t.HandOver, t.Waiting = Arrived, received, &h, nil
		return
	}
	if h.SignedByReceiver != "" && t.DoorTime.IsZero() {
		t.DoorTime = now
	}
	t.Waiting = &h
}
