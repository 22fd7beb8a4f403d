package cli_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/text/width"
)

var update = flag.Bool("update", false, "write the golden files")

// What people see is pinned: in a pipe, on a wide and on a narrow terminal, in both languages, with and without colours.
func TestWhatPeopleSee(t *testing.T) {
	screens := []struct {
		name     string
		columns  int // 0: a pipe
		language string
		noColour bool
	}{
		{"pipe-en", 0, "en", false},
		{"pipe-zh", 0, "zh", false},
		{"wide-en", 180, "en", false},
		{"wide-zh", 180, "zh", false},
		{"narrow-en", 60, "en", false},
		{"narrow-zh", 60, "zh", true},
	}
	commands := map[string][]string{
		"worklists": {"worklist"}, "for-review": {"worklist", "for-review"}, "cases": {"case", "list"}, "case": {"case", "show", firstCase},
		"timeline": {"case", "timeline", firstCase}, "offers": {"offers", "list"}, "nobody": {"case", "show", secondCase}, "bills": {"case", "show", billedCase},
		"transfers": {"transfer", "list"}, "transfer": {"transfer", "show", firstMove},
	}
	for _, s := range screens {
		t.Run(s.name, func(t *testing.T) {
			p := sampleLine().serve(t)
			p.Terminal, p.Width = s.columns > 0, func() int { return s.columns }
			if s.noColour {
				p.env["NO_COLOR"] = "1"
			}
			for name, args := range commands {
				exit := p.run(t.Context(), append(args, "--lang", s.language)...)
				out := p.out.String()
				if coloured := strings.Contains(out, "\x1b"); coloured && (s.columns == 0 || s.noColour) {
					t.Errorf("%s: colours where there are none to be:\n%s", name, out)
				}
				if s.columns > 0 {
					for line := range strings.SplitSeq(out, "\n") {
						if got := columnsOf(line); got > s.columns {
							t.Errorf("%s: %d columns on a terminal of %d:\n%s", name, got, s.columns, line)
						}
					}
				}
				golden(t, s.name+"-"+name, "exit "+strconv.Itoa(exit)+"\n"+out+p.err.String())
			}
		})
	}
}

// golden holds a text to its file; colours are written as they are in Go.
func golden(t *testing.T, name, got string) {
	t.Helper()
	got = strings.ReplaceAll(got, "\x1b", `\x1b`)
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not as it was (-update writes it anew):\n%s\nwas\n%s", name, got, want)
	}
}

// columnsOf counts a text's columns by Unicode's own table, apart from the library that lays it out.
func columnsOf(line string) int {
	n := 0
	for _, part := range strings.Split(line, "\x1b") {
		if after, found := strings.CutPrefix(part, "["); found {
			if _, part, found = strings.Cut(after, "m"); !found {
				part = after
			}
		}
		for _, r := range part {
			switch width.LookupRune(r).Kind() {
			case width.EastAsianWide, width.EastAsianFullwidth:
				n += 2
			default:
				n++
			}
		}
	}
	return n
}

// Columns stand below each other whatever the script is.
func TestColumnsAreAligned(t *testing.T) {
	p := sampleLine().serve(t)
	for _, args := range [][]string{
		{"worklist", "for-review", "--lang", "zh"},
		{"worklist", "for-review", "--lang", "en"},
		{"worklist", "--lang", "zh"},
		{"case", "timeline", firstCase, "--lang", "zh"},
	} {
		if exit := p.run(t.Context(), args...); exit != 0 {
			t.Fatal(p.err.String())
		}
		lines := strings.Split(strings.TrimRight(p.out.String(), "\n"), "\n")
		starts := startsOf(lines[0])
		if len(lines) < 3 || len(starts) < 3 {
			t.Fatalf("no table:\n%s", p.out)
		}
		for _, line := range lines[1:] {
			for _, column := range starts {
				if before := at(line, column-1); before != ' ' {
					t.Errorf("%v: a cell runs into column %d: %q", args, column, line)
				}
			}
		}
	}
}

// startsOf finds where the columns after the first begin.
func startsOf(head string) []int {
	var starts []int
	for rest, from := head, 0; ; {
		i := strings.Index(rest, "  ")
		if i < 0 {
			return starts
		}
		cell := len(rest[i:]) - len(strings.TrimLeft(rest[i:], " "))
		from += columnsOf(rest[:i]) + cell
		rest = rest[i+cell:]
		starts = append(starts, from)
	}
}

// at is the rune that covers a column of a line; beyond its end there is nothing.
func at(line string, column int) rune {
	n := 0
	for _, r := range line {
		if n += columnsOf(string(r)); n > column {
			return r
		}
	}
	return ' '
}

// --json is what the line answered, whole, whatever the terminal and the language are.
func TestJSONIsTheLinesAnswer(t *testing.T) {
	l := sampleLine()
	p := l.serve(t)
	p.Terminal, p.Width = true, func() int { return 20 }
	for path, args := range map[string][]string{
		"/v1/worklists": {"worklist"}, "/v1/worklists/WORKLIST_KIND_FOR_REVIEW": {"worklist", "for-review"}, "/v1/referrals": {"case", "list"},
		"/v1/referrals/" + firstCase: {"case", "show", firstCase}, "/v1/offers": {"offers", "list"},
		"/v1/transfers/" + firstMove: {"transfer", "show", firstMove},
	} {
		if exit := p.run(t.Context(), append(args, "--json", "--lang", "zh")...); exit != 0 || p.err.String() != "" {
			t.Errorf("%v: exit %d, %s", args, exit, p.err)
		}
		answer, err := p.HTTP.Get(p.env["HUHANG_SERVER"] + path)
		if err != nil {
			t.Fatal(err)
		}
		var got, want any
		err = json.NewDecoder(answer.Body).Decode(&want)
		_ = answer.Body.Close()
		if err != nil || json.Unmarshal([]byte(p.out.String()), &got) != nil {
			t.Fatalf("%v: %v, %s", args, err, p.out)
		}
		a, _ := json.Marshal(got)
		b, _ := json.Marshal(want)
		if string(a) != string(b) {
			t.Errorf("%v says\n%s\nthe line says\n%s", args, a, b)
		}
	}
}
