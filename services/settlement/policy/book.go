package policy

import (
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"gopkg.in/yaml.v3"

	"huhang.example/services/internal/fault"
)

// The kinds of document.
const (
	KindPolicy    = "policy"
	KindCatalogue = "catalogue"
	KindTypical   = "typical_bills"
)

//go:embed sample/*.yaml
var sample embed.FS

// Book holds the documents of a deployment. It does not change once loaded.
type Book struct {
	policies   []*Policy // newest first
	catalogues []*Catalogue
	typical    []*TypicalBills
}

// Sample returns the documents of the sample line.
func Sample() (*Book, error) { return Load(sample) }

// Load reads every .yaml file of a folder tree. It refuses the whole if one document is wrong, or if of one kind and
// province two documents are in force on the same day or none is between two of them.
func Load(files fs.FS) (*Book, error) {
	b := &Book{}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if path.Ext(name) != ".yaml" {
			return nil
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return fmt.Errorf("policy: %w", err)
		}
		if err := b.add(text); err != nil {
			return fmt.Errorf("policy: %s: %w", name, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	newest := func(a, b Head) int { return cmp.Compare(b.ValidFrom, a.ValidFrom) }
	slices.SortFunc(b.policies, func(x, y *Policy) int { return newest(x.Head, y.Head) })
	slices.SortFunc(b.catalogues, func(x, y *Catalogue) int { return newest(x.Head, y.Head) })
	slices.SortFunc(b.typical, func(x, y *TypicalBills) int { return newest(x.Head, y.Head) })
	if err := b.dates(); err != nil {
		return nil, err
	}
	return b, nil
}

func (b *Book) add(text []byte) error {
	var head struct {
		Kind string `yaml:"kind"`
	}
	if err := yaml.Unmarshal(text, &head); err != nil {
		return syntax(err)
	}
	switch head.Kind {
	case KindPolicy:
		p, err := ParsePolicy(text)
		if err != nil {
			return err
		}
		b.policies = append(b.policies, p)
	case KindCatalogue:
		c, err := ParseCatalogue(text)
		if err != nil {
			return err
		}
		b.catalogues = append(b.catalogues, c)
	case KindTypical:
		t, err := ParseTypicalBills(text)
		if err != nil {
			return err
		}
		b.typical = append(b.typical, t)
	default:
		return &Invalid{Line: 1, En: "kind is none of policy, catalogue, typical_bills", Zh: "kind 须为 policy、catalogue 或 typical_bills"}
	}
	return nil
}

// Policy returns the policy of an insured province in force on the day.
func (b *Book) Policy(province, day string) (*Policy, bool) {
	for _, p := range b.policies {
		if p.Province == province && p.InForce(day) {
			return p, true
		}
	}
	return nil, false
}

// Policies returns the policies of an insured province, newest first.
func (b *Book) Policies(province string) []*Policy {
	var out []*Policy
	for _, p := range b.policies {
		if p.Province == province {
			out = append(out, p)
		}
	}
	return out
}

// Diff tells in words what changes between two versions of a province's policy; fault NOT_FOUND.
func (b *Book) Diff(province, before, after string) ([]Change, error) {
	var texts [2][]byte
	for i, version := range []string{before, after} {
		at := slices.IndexFunc(b.policies, func(p *Policy) bool { return p.Province == province && p.Version == version })
		if at < 0 {
			return nil, fault.NotFoundf("policy", version)
		}
		texts[i] = b.policies[at].text
	}
	return Diff(texts[0], texts[1])
}

// Catalogue returns the catalogue of a treatment province in force on the day.
func (b *Book) Catalogue(province, day string) (*Catalogue, bool) {
	for _, c := range b.catalogues {
		if c.Province == province && c.InForce(day) {
			return c, true
		}
	}
	return nil, false
}

// Typical returns the assumptions for estimates in force on the day.
func (b *Book) Typical(day string) (*TypicalBills, bool) {
	for _, t := range b.typical {
		if t.InForce(day) {
			return t, true
		}
	}
	return nil, false
}
