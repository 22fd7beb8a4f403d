package transfer

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"huhang.example/services/internal/fault"
)

var left = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

func onItsWay() Transfer {
	return Transfer{ID: "trf_1", From: "H-BD-01", To: "C-BJ-01", Status: InTransit, DepartedTime: left}
}

// Whatever the two sides send, in whatever order: the hand-over is complete when the checklist and both signatures are there
// and not before; what a side has signed stays as it signed; what the receiving side wrote down for the other is marked.
func TestAHandOverIsWhatBothSidesSigned(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		move, now := onItsWay(), left.Add(time.Hour)
		var sent, received HandOver // what each side has signed by itself
		var waitedSince time.Time
		for range rapid.IntRange(1, 8).Draw(r, "calls") {
			if move.Status.Ended() {
				break
			}
			now = now.Add(time.Duration(rapid.IntRange(1, 60).Draw(r, "minutes")) * time.Minute)
			before, waits := move, move.Waiting
			var err error
			if rapid.Bool().Draw(r, "sender calls") {
				by := rapid.SampledFrom([]string{"s-1", "s-2", " "}).Draw(r, "by")
				if err = move.Sign(by, time.Time{}, now); err == nil {
					if sent.SignedBySender != "" || by == " " {
						r.Fatalf("%q signed after %q", by, sent.SignedBySender)
					}
					sent.SignedBySender, sent.SenderSignTime = by, now
				}
			} else {
				h := HandOver{
					Items:            rapid.SampledFrom([][]Item{Items, nil, Items[:8]}).Draw(r, "items"),
					SignedBySender:   rapid.SampledFrom([]string{"", "", "s-1", "s-9", "r-1"}).Draw(r, "sender typed"),
					SignedByReceiver: rapid.SampledFrom([]string{"", "r-1", "r-2"}).Draw(r, "receiver typed"),
				}
				if err = move.Receive(h, rapid.SampledFrom([]string{"r-1", "r-3", ""}).Draw(r, "self"), now); err == nil && received.SignedByReceiver == "" {
					kept := move.Waiting
					if move.HandOver != nil {
						kept = move.HandOver
					}
					received, waitedSince = *kept, now
				}
			}
			if err != nil {
				if f, ok := fault.As(err); !ok || f.Reason != fault.WrongState && f.Reason != fault.FieldInvalid && f.Reason != fault.ChecklistIncomplete {
					r.Fatal(err)
				}
				if move.Status != before.Status || move.Waiting != waits || move.HandOver != nil || !move.DoorTime.Equal(before.DoorTime) {
					r.Fatalf("refused, and changed: %+v", move)
				}
				continue
			}
			h := move.Waiting
			if move.Status == Arrived {
				h = move.HandOver
				if len(h.missing()) > 0 || h.SignedBySender == "" || h.SignedByReceiver == "" || move.Waiting != nil {
					r.Fatalf("arrived with %+v", h)
				}
				if h.Attested != (sent.SignedBySender == "") {
					r.Fatalf("attested %v, the sending side signed %q", h.Attested, sent.SignedBySender)
				}
				if h.Attested && h.SignedBySender == h.SignedByReceiver {
					r.Fatalf("one person for both: %+v", h)
				}
				if !move.ArrivedTime.Equal(waitedSince) {
					r.Fatalf("arrived %s, taken over %s", move.ArrivedTime, waitedSince)
				}
			} else if h == nil || h.SignedBySender != "" && h.SignedByReceiver != "" || h.Attested || h.SignedByReceiver != "" && move.DoorTime.IsZero() {
				r.Fatalf("waits with %+v", h)
			}
			if sent.SignedBySender != "" && (h.SignedBySender != sent.SignedBySender || !h.SenderSignTime.Equal(sent.SenderSignTime)) {
				r.Fatalf("%+v over %+v", h, sent)
			}
			if received.SignedByReceiver != "" && (h.SignedByReceiver != received.SignedByReceiver || !h.SignTime.Equal(received.SignTime) || !slices.Equal(h.Items, Items)) {
				r.Fatalf("%+v over %+v", h, received)
			}
		}
	})
}

func TestWhatIsSignedIsNotTypedAgain(t *testing.T) {
	now := left.Add(time.Hour)
	sent, received := onItsWay(), onItsWay()
	if err := sent.Sign("s-1", time.Time{}, now); err != nil {
		t.Fatal(err)
	}
	if err := received.Receive(HandOver{Items: Items}, "r-1", now); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		move   Transfer
		h      HandOver
		self   string
		reason fault.Reason
		field  string
	}{
		"another sender":        {sent, HandOver{Items: Items, SignedBySender: "s-2"}, "r-1", fault.FieldInvalid, "hand_over.signed_by_sender"},
		"another time of it":    {sent, HandOver{Items: Items, SenderSignTime: now.Add(-time.Minute)}, "r-1", fault.FieldInvalid, "hand_over.sender_sign_time"},
		"another receiver":      {received, HandOver{SignedBySender: "s-1", SignedByReceiver: "r-2"}, "r-2", fault.FieldInvalid, "hand_over.signed_by_receiver"},
		"another time":          {received, HandOver{SignedBySender: "s-1", SignTime: now.Add(-time.Minute)}, "r-1", fault.FieldInvalid, "hand_over.sign_time"},
		"nothing new":           {received, HandOver{Items: Items}, "r-1", fault.WrongState, ""},
		"a shorter checklist":   {received, HandOver{Items: Items[1:], SignedBySender: "s-1"}, "r-1", fault.ChecklistIncomplete, "hand_over.items"},
		"nobody of a system":    {onItsWay(), HandOver{Items: Items}, "", fault.FieldInvalid, "hand_over.signed_by_receiver"},
		"the receiver for both": {received, HandOver{SignedBySender: "R-1 "}, "r-2", fault.FieldInvalid, "hand_over.signed_by_receiver"},
	} {
		err := c.move.Receive(c.h, c.self, now)
		if f, ok := fault.As(err); !ok || f.Reason != c.reason || f.Field != c.field {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The same again is no other signature, and numbers are the institution's own.
	if err := sent.Receive(HandOver{Items: Items, SignedBySender: "s-1", SenderSignTime: now}, "s-1", now); err != nil || sent.HandOver.Attested {
		t.Errorf("%v, %+v", err, sent.HandOver)
	}
	if err := received.Receive(HandOver{SignedBySender: "s-1"}, "r-2", now.Add(time.Hour)); err != nil || !received.HandOver.Attested ||
		received.HandOver.SignedByReceiver != "r-1" || !received.ArrivedTime.Equal(now) {
		t.Errorf("%v, %+v", err, received.HandOver)
	}
}
