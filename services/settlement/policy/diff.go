package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"huhang.example/services/internal/money"
)

// Change is one difference between two documents, in words.
type Change struct {
	Zh string `json:"zh"`
	En string `json:"en"`
	// Lines where it stands; 0 in the document that does not have it.
	OldLine int `json:"old_line"`
	NewLine int `json:"new_line"`
}

// Diff tells in words what changes from one document to another of its kind, in the order of the old one. Layout, comments
// and the way a number is written make no difference. Errors are those of the parsers, or say that the kinds differ.
func Diff(before, after []byte) ([]Change, error) {
	x, err := ParseHead(before)
	if err != nil {
		return nil, fmt.Errorf("the first document: %w", err)
	}
	y, err := ParseHead(after)
	if err != nil {
		return nil, fmt.Errorf("the second document: %w", err)
	}
	if x.Kind != y.Kind {
		return nil, errors.New("the documents are of different kinds")
	}
	var a, b yaml.Node
	if err := errors.Join(yaml.Unmarshal(before, &a), yaml.Unmarshal(after, &b)); err != nil {
		return nil, err
	}
	d := new(differ)
	d.mapping(a.Content[0], b.Content[0], phrase{})
	return d.changes, nil
}

// phrase is where a change stands, in words: "employees, basic fund, hospital level 3".
type phrase struct{ zh, en string }

func (p phrase) and(zh, en string) phrase {
	if p.zh == "" {
		return phrase{zh, en}
	}
	return phrase{p.zh + "·" + zh, p.en + ", " + en}
}

// containers are lists whose elements say enough by themselves.
var containers = map[string]bool{"schemes": true, "terms": true, "items": true, "hospitals": true, "bills": true, "prices": true}

type differ struct{ changes []Change }

func (d *differ) say(p phrase, old, changed *yaml.Node, zh, en string) {
	if p.en == "" {
		p = phrase{"全文", "the document"}
	}
	c := Change{Zh: p.zh + "：" + zh + "。", En: p.en + ": " + en + "."}
	if old != nil {
		c.OldLine = old.Line
	}
	if changed != nil {
		c.NewLine = changed.Line
	}
	d.changes = append(d.changes, c)
}

func (d *differ) mapping(a, b *yaml.Node, p phrase) {
	for _, key := range keys(a, b) {
		x, y := child(a, key), child(b, key)
		w, at := wordOf(key), p
		if !containers[key] {
			at = p.and(w.zh, w.en)
		}
		d.node(w, x, y, at)
	}
}

func (d *differ) node(w word, x, y *yaml.Node, p phrase) {
	switch {
	case empty(x) && empty(y):
	case empty(x):
		zh, en := w.value(y)
		d.say(p, nil, y, "新增 "+zh, "new: "+en)
	case empty(y):
		zh, en := w.value(x)
		d.say(p, x, nil, "取消（原为 "+zh+"）", "no longer there; it was "+en)
	case x.Kind == yaml.MappingNode && y.Kind == yaml.MappingNode:
		d.mapping(x, y, p)
	case x.Kind == yaml.SequenceNode && y.Kind == yaml.SequenceNode && (named(x) || named(y)):
		d.sequence(x, y, p)
	default:
		d.scalar(w, x, y, p)
	}
}

func (d *differ) scalar(w word, x, y *yaml.Node, p phrase) {
	xZh, xEn := w.value(x)
	yZh, yEn := w.value(y)
	if xEn == yEn {
		return
	}
	zh, en := "改为", "changes"
	if m, ok := w.number(x); ok {
		if n, ok := w.number(y); ok {
			zh, en = "提高到", "rises"
			if n < m {
				zh, en = "降低到", "falls"
			}
		}
	}
	d.say(p, x, y, fmt.Sprintf("由 %s %s %s", xZh, zh, yZh), fmt.Sprintf("%s from %s to %s", en, xEn, yEn))
}

// sequence compares lists whose elements have names of their own; a list of plain words is a scalar.
func (d *differ) sequence(a, b *yaml.Node, p phrase) {
	left := slices.Clone(b.Content)
	for _, x := range a.Content {
		name := nameOf(x)
		i := slices.IndexFunc(left, func(y *yaml.Node) bool { return nameOf(y) == name })
		at := p.and(name.zh, name.en)
		if i < 0 {
			zh, en := whole(x)
			d.say(at, x, nil, "取消（原为 "+zh+"）", "no longer there; it was "+en)
			continue
		}
		d.mapping(x, left[i], at)
		left = slices.Delete(left, i, i+1)
	}
	for _, y := range left {
		name := nameOf(y)
		zh, en := whole(y)
		d.say(p.and(name.zh, name.en), nil, y, "新增 "+zh, "new: "+en)
	}
}

func keys(a, b *yaml.Node) []string {
	var all []string
	for _, node := range []*yaml.Node{a, b} {
		for i := 0; i+1 < len(node.Content); i += 2 {
			if key := node.Content[i].Value; !slices.Contains(all, key) {
				all = append(all, key)
			}
		}
	}
	return all
}

// empty is what says nothing: a key without a value, an empty list, an empty text.
func empty(n *yaml.Node) bool {
	return n == nil || n.Kind == yaml.ScalarNode && (n.Tag == "!!null" || n.Value == "") || n.Kind != yaml.ScalarNode && len(n.Content) == 0
}

func named(n *yaml.Node) bool {
	return len(n.Content) > 0 && n.Content[0].Kind == yaml.MappingNode
}

// nameOf tells an element of a list from its neighbours by what it is about.
func nameOf(n *yaml.Node) phrase {
	for _, key := range []string{"scheme", "code", "disease", "group", "center", "organ", "filings", "groups", "province"} {
		if x := child(n, key); x != nil {
			zh, en := wordOf(key).value(x)
			return phrase{zh, en}
		}
	}
	if levels := child(n, "levels"); levels != nil {
		list := plain(levels)
		p := phrase{list + " 级医院", "hospital level " + list}
		if retired := child(n, "retired"); retired != nil && retired.Value == "true" {
			p = p.and("退休", "the retired")
		} else if retired != nil {
			p = p.and("在职", "not retired")
		}
		return p
	}
	if from := child(n, "from"); from != nil {
		zh, en := wordOf("from").value(from)
		return phrase{"自 " + zh + " 起的分段", "the band from " + en}
	}
	return phrase{"一项", "an element"}
}

// whole writes an element that came or went.
func whole(n *yaml.Node) (zh, en string) {
	if n.Kind != yaml.MappingNode {
		return plain(n), plain(n)
	}
	var zhs, ens []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		w := wordOf(n.Content[i].Value)
		if empty(n.Content[i+1]) {
			continue
		}
		vZh, vEn := w.value(n.Content[i+1])
		zhs, ens = append(zhs, w.zh+" "+vZh), append(ens, w.en+" "+vEn)
	}
	return strings.Join(zhs, "，"), strings.Join(ens, ", ")
}

// plain writes a list of words.
func plain(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode {
		return n.Value
	}
	var all []string
	for _, element := range n.Content {
		if element.Kind != yaml.ScalarNode {
			_, en := whole(element)
			all = append(all, "("+en+")")
			continue
		}
		all = append(all, element.Value)
	}
	return strings.Join(all, ", ")
}

func percent(bp money.BasisPoints) string {
	text := strings.TrimRight(fmt.Sprintf("%d.%02d", bp/100, bp%100), "0")
	return strings.TrimSuffix(text, ".") + "%"
}
