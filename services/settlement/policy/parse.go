package policy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"

	"gopkg.in/yaml.v3"

	"huhang.example/services/internal/fault"
)

// maxDocument bounds a document.
const maxDocument = 4 << 20

// Invalid is a document that is wrong at a line.
type Invalid struct {
	Line   int
	En, Zh string
}

func (e *Invalid) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.En) }

// Fault returns the refusal the line's callers see.
func (e *Invalid) Fault() *fault.Fault {
	return fault.New(fault.InvalidArgument, fault.PolicyInvalid, "", "The document is not valid: "+e.En+".", "文件无效："+e.Zh+"。").
		With("line", strconv.Itoa(e.Line)).Cause(e)
}

func at(node *yaml.Node, en, zh string) *Invalid { return &Invalid{Line: node.Line, En: en, Zh: zh} }

// ParsePolicy reads one policy.
func ParsePolicy(text []byte) (*Policy, error) {
	p := new(Policy)
	root, err := Strict(text, p)
	if err != nil {
		return nil, err
	}
	if err := p.validate(root); err != nil {
		return nil, err
	}
	if err := p.finish(); err != nil {
		return nil, &Invalid{Line: root.Line, En: "a deductible worked out of the income is out of range", Zh: "按收入折算的起付线超出范围"}
	}
	p.seal(text)
	return p, nil
}

// ParseCatalogue reads one catalogue.
func ParseCatalogue(text []byte) (*Catalogue, error) {
	c := new(Catalogue)
	root, err := Strict(text, c)
	if err != nil {
		return nil, err
	}
	if err := c.validate(root); err != nil {
		return nil, err
	}
	c.index()
	c.seal(text)
	return c, nil
}

// ParseTypicalBills reads assumptions for estimates.
func ParseTypicalBills(text []byte) (*TypicalBills, error) {
	t := new(TypicalBills)
	root, err := Strict(text, t)
	if err != nil {
		return nil, err
	}
	if err := t.validate(root); err != nil {
		return nil, err
	}
	t.seal(text)
	return t, nil
}

// ParseHead reads a document of any kind and returns what it begins with.
func ParseHead(text []byte) (Head, error) {
	b := new(Book)
	if err := b.add(text); err != nil {
		return Head{}, err
	}
	switch {
	case len(b.policies) > 0:
		return b.policies[0].Head, nil
	case len(b.catalogues) > 0:
		return b.catalogues[0].Head, nil
	}
	return b.typical[0].Head, nil
}

// seal keeps what was read, and what it is known by.
func (h *Head) seal(text []byte) {
	sum := sha256.Sum256(text)
	h.Digest, h.text = hex.EncodeToString(sum[:]), bytes.Clone(text)
}

var yamlLine = regexp.MustCompile(`line (\d+): `)

// Strict decodes one YAML (or JSON) document into out and returns its root for positions. An unknown or repeated key, a
// second document and a value of the wrong type are errors of type *Invalid.
func Strict(text []byte, out any) (root *yaml.Node, err error) {
	if len(text) > maxDocument {
		return nil, &Invalid{Line: 1, En: "the document is too large", Zh: "文件过大"}
	}
	var node yaml.Node
	if err := yaml.Unmarshal(text, &node); err != nil {
		return nil, syntax(err)
	}
	if node.Kind != yaml.DocumentNode || len(node.Content) != 1 || node.Content[0].Kind != yaml.MappingNode {
		return nil, &Invalid{Line: 1, En: "the document is not a mapping", Zh: "文件不是键值结构"}
	}
	if alias := findAlias(node.Content[0]); alias != nil {
		return nil, at(alias, "references are not allowed", "不允许使用引用")
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(out); err != nil {
		return nil, syntax(err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, &Invalid{Line: 1, En: "there is more than one document", Zh: "文件含多个文档"}
	}
	return node.Content[0], nil
}

func findAlias(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode || node.Anchor != "" {
		return node
	}
	for _, child := range node.Content {
		if found := findAlias(child); found != nil {
			return found
		}
	}
	return nil
}

// syntax keeps of the parser's error the line and what it says; values are ours to publish, they are no one's data.
func syntax(err error) error {
	if invalid := new(Invalid); errors.As(err, &invalid) {
		return invalid
	}
	text := err.Error()
	if typed := new(yaml.TypeError); errors.As(err, &typed) && len(typed.Errors) > 0 {
		text = typed.Errors[0]
	}
	line := 1
	if m := yamlLine.FindStringSubmatchIndex(text); m != nil {
		line, _ = strconv.Atoi(text[m[2]:m[3]]) // digits
		text = text[m[1]:]
	}
	return &Invalid{Line: line, En: text, Zh: "格式或字段有误：" + text}
}

// At makes the error for a path (keys and indexes) under root, for other documents read by Strict.
func At(root *yaml.Node, en, zh string, path ...any) *Invalid { return at(find(root, path...), en, zh) }

// find returns the node at path (keys and indexes), or the nearest one above it that exists: a missing key is reported
// where it should stand.
func find(node *yaml.Node, path ...any) *yaml.Node {
	for _, step := range path {
		next := child(node, step)
		if next == nil {
			return node
		}
		node = next
	}
	return node
}

func child(node *yaml.Node, step any) *yaml.Node {
	switch s := step.(type) {
	case int:
		if node.Kind == yaml.SequenceNode && s < len(node.Content) {
			return node.Content[s]
		}
	case string:
		if node.Kind == yaml.MappingNode {
			for i := 0; i+1 < len(node.Content); i += 2 {
				if node.Content[i].Value == s {
					return node.Content[i+1]
				}
			}
		}
	}
	return nil
}
