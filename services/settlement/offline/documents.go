package offline

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"huhang.example/services/settlement/policy"
)

// document reads a document of any kind; the policy is nil for the others.
func document(file string) (policy.Head, *policy.Policy, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return policy.Head{}, nil, err
	}
	head, err := policy.ParseHead(text)
	if err != nil {
		return policy.Head{}, nil, fmt.Errorf("%s: %w", file, err)
	}
	if head.Kind != policy.KindPolicy {
		return head, nil, nil
	}
	p, err := policy.ParsePolicy(text)
	if err != nil {
		return policy.Head{}, nil, fmt.Errorf("%s: %w", file, err)
	}
	return head, p, nil
}

// DiffFiles writes in words what changes from one document to another.
func DiffFiles(w io.Writer, before, after string, asJSON bool) error {
	x, err := os.ReadFile(before)
	if err != nil {
		return err
	}
	y, err := os.ReadFile(after)
	if err != nil {
		return err
	}
	changes, err := policy.Diff(x, y)
	if err != nil {
		return err
	}
	if asJSON {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(changes)
	}
	for _, c := range changes {
		if _, err := fmt.Fprintf(w, "%5s %5s  %s\n              %s\n", line(c.OldLine), line(c.NewLine), c.En, c.Zh); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(w, "%d changes (line before, line after)\n", len(changes))
	return err
}

func line(n int) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(n)
}
