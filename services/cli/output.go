package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"huhang.example/services/internal/clock"
)

func init() {
	// Terminals draw what Unicode calls ambiguous one column wide, whatever the locale is.
	text.OverrideRuneWidthEastAsianWidth(false)
}

func (a *app) jsonFlag(c *cobra.Command) {
	c.Flags().BoolVar(&a.json, "json", false, a.say("输出JSON，与REST接口的应答相同", "write JSON, as the REST API answers"))
}

// answer writes a message as the REST API does: every field, with its name there. protojson varies its spaces on purpose, so they are
// taken out again.
func (a *app) answer(m proto.Message) error {
	raw, err := protojson.MarshalOptions{EmitDefaultValues: true}.Marshal(m)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.Out, b.String())
	return err
}

// compact writes JSON on one line.
func (a *app) compact(w io.Writer, raw []byte) error {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, b.String())
	return err
}

func (a *app) writeJSON(v any) error {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.Out, string(raw))
	return err
}

// grid writes rows under a head, columns by two spaces apart, so that a script can cut them and a person read them. On a
// terminal too narrow for that each row stands below the other, its cells by their names.
func (a *app) grid(head []string, rows [][]string) error {
	lines := a.table(head, rows)
	if a.Terminal && a.Width != nil {
		if width := a.Width(); width > 0 && widest(lines) > width {
			return a.stack(head, rows)
		}
	}
	_, err := fmt.Fprintln(a.Out, lines)
	return err
}

func widest(lines string) int {
	most := 0
	for line := range strings.SplitSeq(lines, "\n") {
		most = max(most, text.StringWidthWithoutEscSequences(line))
	}
	return most
}

func (a *app) stack(head []string, rows [][]string) error {
	for n, row := range rows {
		if n > 0 {
			_, _ = fmt.Fprintln(a.Out)
		}
		pairs := make([][2]string, len(row))
		for i, cell := range row {
			pairs[i] = [2]string{head[i], cell}
		}
		if err := a.facts(pairs); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) table(head []string, rows [][]string) string {
	t := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	style.Format.Header = text.FormatDefault
	if a.colours() {
		style.Color.Header = text.Colors{text.Bold}
	}
	t.SetStyle(style)
	t.SuppressTrailingSpaces()
	t.AppendHeader(a.cells(head))
	for _, row := range rows {
		t.AppendRow(a.cells(row))
	}
	return t.Render()
}

func (a *app) cells(row []string) table.Row {
	out := make(table.Row, len(row))
	for n, cell := range row {
		out[n] = a.shown(cell)
	}
	return out
}

// facts writes names and values below each other; what is empty is left out.
func (a *app) facts(pairs [][2]string) error {
	widest := 0
	for _, p := range pairs {
		if p[1] != "" {
			widest = max(widest, text.StringWidthWithoutEscSequences(p[0]))
		}
	}
	for _, p := range pairs {
		if p[1] == "" {
			continue
		}
		if _, err := fmt.Fprintf(a.Out, "%s  %s\n", text.Pad(p[0], widest, ' '), a.shown(p[1])); err != nil {
			return err
		}
	}
	return nil
}

// shown is a text as the terminal may have it: what somebody else wrote moves no cursor and has no colour of its own; what is
// past its time is red.
func (a *app) shown(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	if a.colours() && strings.HasSuffix(s, a.lateMark()) {
		return text.Colors{text.FgRed}.Sprint(s)
	}
	return s
}

func (a *app) lateMark() string { return a.say(" 已超时", " late") }

func (a *app) colours() bool { return a.Terminal && a.Getenv("NO_COLOR") == "" }

func at(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}
	return t.AsTime().In(clock.Shanghai).Format("2006-01-02 15:04")
}

// due is a deadline with how far away it is.
func (a *app) due(t *timestamppb.Timestamp) string {
	if t == nil {
		return "-"
	}
	left := t.AsTime().Sub(a.Clock.Now())
	if left < 0 {
		return at(t) + " (" + span(left) + ")" + a.lateMark()
	}
	return at(t) + " (" + span(left) + ")"
}

func span(d time.Duration) string {
	sign := ""
	if d < 0 {
		sign, d = "-", -d
	}
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%s%dd", sign, d/(24*time.Hour))
	case d >= time.Hour:
		return fmt.Sprintf("%s%dh%02dm", sign, d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%s%dm", sign, d/time.Minute)
}
