package referral

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the diagram into the docs")

const (
	diagramFile  = "../../docs/case.md"
	diagramBegin = "```mermaid\n"
	diagramEnd   = "```\n"
)

// diagram draws the table: an arrow for each way from one state to another, with the kinds of entries it writes.
func diagram() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n    [*] --> DRAFT\n")
	for _, from := range States {
		for _, to := range States {
			var kinds []string
			for _, row := range Table {
				if row.To != to || to == from || !slices.Contains(row.From, from) {
					continue
				}
				for _, m := range row.Do {
					kind := row.Kind
					if kind == "" {
						kind = string(m)
					}
					// What closes a case from anywhere is told below the drawing.
					if m != Close && !slices.Contains(kinds, kind) {
						kinds = append(kinds, kind)
					}
				}
			}
			if len(kinds) > 0 {
				fmt.Fprintf(&b, "    %s --> %s: %s\n", from, to, strings.Join(kinds, ", "))
			}
		}
	}
	b.WriteString("    CLOSED --> [*]\n")
	return b.String()
}

// The drawing in the docs is that of the table.
func TestDiagramIsCurrent(t *testing.T) {
	text, err := os.ReadFile(diagramFile)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), diagramBegin)
	_, after, closed := strings.Cut(rest, diagramEnd)
	if !found || !closed {
		t.Fatalf("%s has no drawing", diagramFile)
	}
	want := before + diagramBegin + diagram() + diagramEnd + after
	if want == string(text) {
		return
	}
	if !*update {
		t.Fatalf("the drawing in %s is not that of the table: go test ./services/referral -run Diagram -update", diagramFile)
	}
	if err := os.WriteFile(diagramFile, []byte(want), 0o600); err != nil {
		t.Fatal(err)
	}
}
