package ledger_test

import (
	"testing"
	"time"

	"huhang.example/services/settlement/ledger"
)

var posted = time.Date(2026, 11, 22, 3, 4, 5, 6000, time.UTC)

func chained(t *testing.T, source string, change func(*ledger.Head, []ledger.Posting)) ledger.Entry {
	t.Helper()
	h := ledger.Head{
		ID: "ent_" + source, Province: "340000", Side: ledger.Insured, Kind: ledger.Settlement, Source: source, Counterparty: "310000", Day: "2026-11-22",
	}
	p := []ledger.Posting{{Account: ledger.Fund("340000", "basic"), Debit: 70}, {Account: ledger.PayableTo("340000", "310000"), Credit: 70}}
	if change != nil {
		change(&h, p)
	}
	e, err := ledger.New(h, p...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// The forms that are hashed stand in every book that was ever written: these values never change.
func TestFormsOfHashes(t *testing.T) {
	digest := chained(t, "stl_1", nil).Digest(posted)
	if want := "c0762fa30b8ac165245d64c8a3db67fbbb63ad5dc5d1e79f6895acdb076a8127"; digest != want {
		t.Errorf("an entry's digest is %s", digest)
	}
	link := ledger.Chain{Seq: 4, Hash: "00"}.Next(digest)
	if want := "5cc7cc6a609d4cb54df370157443346039746f681a0fc36200d997688bc60d02"; link.Hash != want || link.Seq != 5 {
		t.Errorf("a link is %+v", link)
	}
}

// Whatever of an entry is changed, its digest changes.
func TestDigestCoversEverything(t *testing.T) {
	seen := map[string]string{chained(t, "stl_1", nil).Digest(posted): "nothing", chained(t, "stl_1", nil).Digest(posted.Add(time.Microsecond)): "the time"}
	for name, change := range map[string]func(*ledger.Head, []ledger.Posting){
		"id":           func(h *ledger.Head, _ []ledger.Posting) { h.ID = "ent_2" },
		"province":     func(h *ledger.Head, _ []ledger.Posting) { h.Province = "350000" },
		"side":         func(h *ledger.Head, _ []ledger.Posting) { h.Side = ledger.Treatment },
		"kind":         func(h *ledger.Head, _ []ledger.Posting) { h.Kind = ledger.Reversal },
		"source":       func(h *ledger.Head, _ []ledger.Posting) { h.Source = "stl_2" },
		"counterparty": func(h *ledger.Head, _ []ledger.Posting) { h.Counterparty = "110000" },
		"day":          func(h *ledger.Head, _ []ledger.Posting) { h.Day = "2026-11-21" },
		"account":      func(_ *ledger.Head, p []ledger.Posting) { p[0].Account = ledger.Fund("340000", "assistance") },
		"amount":       func(_ *ledger.Head, p []ledger.Posting) { p[0].Debit, p[1].Credit = 71, 71 },
		"order":        func(_ *ledger.Head, p []ledger.Posting) { p[0], p[1] = p[1], p[0] },
	} {
		digest := chained(t, "stl_1", change).Digest(posted)
		if other, same := seen[digest]; same {
			t.Errorf("changing the %s gives the digest of changing %s", name, other)
		}
		seen[digest] = name
	}
}

func TestCheck(t *testing.T) {
	var links []ledger.Link
	var head ledger.Chain
	for _, source := range []string{"stl_1", "stl_2", "stl_3", "stl_4"} {
		e := chained(t, source, nil)
		head = head.Next(e.Digest(posted))
		links = append(links, ledger.Link{Chain: head, EntryID: e.Head().ID, Found: true, Entry: e, At: posted})
	}
	for name, test := range map[string]struct {
		do   func(l []ledger.Link) []ledger.Link
		want *ledger.Break
	}{
		"nothing (the control)": {func(l []ledger.Link) []ledger.Link { return l }, nil},
		"an entry altered": {func(l []ledger.Link) []ledger.Link {
			l[1].Entry = chained(t, "stl_2", func(_ *ledger.Head, p []ledger.Posting) { p[0].Debit, p[1].Credit = 1, 1 })
			return l
		}, &ledger.Break{Seq: 2, EntryID: "ent_stl_2", Damage: ledger.Altered}},
		"an entry removed": {func(l []ledger.Link) []ledger.Link { l[2].Found = false; return l }, &ledger.Break{Seq: 3, EntryID: "ent_stl_3", Damage: ledger.Removed}},
		"a place removed":  {func(l []ledger.Link) []ledger.Link { return append(l[:1], l[2:]...) }, &ledger.Break{Seq: 2, Damage: ledger.Removed}},
		"two reordered": {func(l []ledger.Link) []ledger.Link {
			l[1].Chain, l[2].Chain = l[2].Chain, l[1].Chain
			l[1], l[2] = l[2], l[1]
			return l
		}, &ledger.Break{Seq: 2, EntryID: "ent_stl_3", Damage: ledger.Altered}},
		"unbalanced": {func(l []ledger.Link) []ledger.Link { l[3].Malformed = true; return l }, &ledger.Break{Seq: 4, EntryID: "ent_stl_4", Damage: ledger.Altered}},
	} {
		var at ledger.Chain
		var found *ledger.Break
		for _, l := range test.do(append([]ledger.Link(nil), links...)) {
			if at, found = at.Check(l); found != nil {
				break
			}
		}
		if (found == nil) != (test.want == nil) || found != nil && *found != *test.want {
			t.Errorf("%s: found %+v", name, found)
		}
	}
}
