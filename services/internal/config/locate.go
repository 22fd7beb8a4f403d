package config

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

var (
	atLine     = regexp.MustCompile(`^line (\d+): `)
	goType     = regexp.MustCompile(` (?:in|into) (?:type )?\S+$`)
	quoted     = regexp.MustCompile("`[^`]*`")
	anchor     = regexp.MustCompile(`^yaml: unknown anchor '(.*)' referenced$`)
	unknownKey = regexp.MustCompile(`^field (.*) not found$`)
)

// located turns the decoder's errors into "file:line: what", without the values, which may be secrets. Where the
// decoder names no line, search finds the value at fault.
func located(file string, err error, search func() (line int, value string)) error {
	lines := []string{strings.TrimPrefix(err.Error(), "yaml: ")}
	var typed *yaml.TypeError
	if errors.As(err, &typed) {
		lines = typed.Errors
	}
	for i, text := range lines {
		at := source(file)
		if m := atLine.FindStringSubmatch(text); m != nil {
			at += ":" + m[1]
			text = text[len(m[0]):]
		} else if line, value := search(); line > 0 {
			at += ":" + strconv.Itoa(line)
			if value != "" {
				text = strings.ReplaceAll(text, value, "this value")
			}
		}
		if key := unknownKey.FindStringSubmatch(goType.ReplaceAllString(text, "")); key != nil {
			text = fmt.Sprintf("unknown key %q", key[1])
		}
		lines[i] = at + ": " + quoted.ReplaceAllString(text, "this value")
	}
	return errors.New("config: " + strings.Join(lines, "; "))
}

// culprit returns the line and text of the value that T's own decoding refuses: the decoder passes such errors on as
// they are. A body that is no YAML at all, without a line in the error, is wrong in its first line.
func culprit[T any](body []byte) (line int, value string) {
	var document yaml.Node
	if err := yaml.Unmarshal(body, &document); err != nil {
		if m := anchor.FindStringSubmatch(err.Error()); m != nil {
			before, _, _ := strings.Cut(string(body), "*"+m[1])
			return 1 + strings.Count(before, "\n"), m[1]
		}
		return 1, ""
	}
	if len(document.Content) == 0 {
		return 0, ""
	}
	refused := func(n *yaml.Node) bool { return n.Decode(new(T)) != nil }
	found := narrow(document.Content[0], func(n *yaml.Node) *yaml.Node { return n }, refused)
	return found.Line, found.Value
}

// narrow follows the failure downwards: around holds a node within as little of the document as decodes to it.
func narrow(n *yaml.Node, around func(*yaml.Node) *yaml.Node, refused func(*yaml.Node) bool) *yaml.Node {
	step := 1
	if n.Kind == yaml.MappingNode {
		step = 2
	} else if n.Kind != yaml.SequenceNode {
		return n
	}
	for i := 0; i+step <= len(n.Content); i += step {
		only := func(last *yaml.Node) *yaml.Node {
			content := append(append([]*yaml.Node{}, n.Content[i:i+step-1]...), last)
			return around(&yaml.Node{Kind: n.Kind, Tag: n.Tag, Line: n.Line, Content: content})
		}
		last := n.Content[i+step-1]
		if refused(only(last)) {
			return narrow(last, only, refused)
		}
	}
	return n
}
