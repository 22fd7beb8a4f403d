package page_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/page"
)

func TestTokensComeBackUnderTheirFilterOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		filter, other := rapid.String().Draw(t, "filter"), rapid.String().Draw(t, "other")
		cursor := rapid.StringN(1, 100, 400).Draw(t, "cursor")
		token := page.Token(filter, cursor)
		if back, err := page.Parse(filter, token); err != nil || back != cursor {
			t.Fatalf("%q came back as %q, %v", cursor, back, err)
		}
		if strings.Trim(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Fatalf("%q is not fit for a URL", token)
		}
		if _, err := page.Parse(other, token); other != filter && !fault.Is(err, fault.InvalidPageToken) {
			t.Fatalf("another filter took the token: %v", err)
		}
	})
}

func TestDamagedTokensAreRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		token := page.Token("f", rapid.StringN(1, 50, 200).Draw(t, "cursor"))
		at := rapid.IntRange(0, len(token)-1).Draw(t, "at")
		b := []byte(token)
		b[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "flip"))
		if _, err := page.Parse("f", string(b)); !fault.Is(err, fault.InvalidPageToken) {
			t.Fatalf("%q passed for %q", b, token)
		}
	})
}

func TestEdges(t *testing.T) {
	if page.Token("f", "") != "" {
		t.Error("the end of a list has a token")
	}
	if cursor, err := page.Parse("f", ""); cursor != "" || err != nil {
		t.Error("the first page needs a token")
	}
	good := page.Token("f", "c")
	for _, bad := range []string{
		"!", "AA", "AQ", good + "=", good + "\n", "\n" + good, " " + good, good[:len(good)-1], good + "A",
		strings.Repeat("A", 5000), page.Token("f", strings.Repeat("c", 2000)),
	} {
		if _, err := page.Parse("f", bad); !fault.Is(err, fault.InvalidPageToken) {
			t.Errorf("%.40q: %v", bad, err)
		}
	}
	f, _ := fault.As(func() error { _, err := page.Parse("f", "!"); return err }())
	if f.Code != fault.InvalidArgument || f.Field != "page_token" {
		t.Errorf("%+v", f)
	}
}

func TestFilterKeepsPartsApart(t *testing.T) {
	seen := map[string][]string{}
	for _, parts := range [][]string{nil, {""}, {"", ""}, {"a", "b"}, {"ab"}, {"a", "", "b"}, {"b", "a"}, {"ab", ""}} {
		key := page.Filter(parts...)
		if before, taken := seen[key]; taken {
			t.Errorf("%q and %q fold alike", before, parts)
		}
		seen[key] = parts
	}
}

func TestSize(t *testing.T) {
	for _, test := range []struct {
		requested, def, most int32
		want                 int
	}{
		{0, 50, 200, 50},
		{-1, 50, 200, 50},
		{1, 50, 200, 1},
		{200, 50, 200, 200},
		{201, 50, 200, 200},
		{1 << 30, 50, 200, 200},
		{0, 300, 200, 200},
	} {
		if got := page.Size(test.requested, test.def, test.most); got != test.want {
			t.Errorf("Size(%d, %d, %d) = %d", test.requested, test.def, test.most, got)
		}
	}
}

// A token that is taken is one that this package made, letter for letter.
func FuzzParse(f *testing.F) {
	f.Add("f", "")
	f.Add("f", page.Token("f", "c"))
	f.Add("", page.Token("", "2026-03-01|ref_1"))
	f.Add("f", "AQ\n")
	f.Fuzz(func(t *testing.T, filter, token string) {
		cursor, err := page.Parse(filter, token)
		if err != nil {
			if !fault.Is(err, fault.InvalidPageToken) {
				t.Fatal(err)
			}
			return
		}
		if page.Token(filter, cursor) != token {
			t.Fatalf("%q passed as the token of %q", token, cursor)
		}
	})
}
