package policy

import (
	"slices"

	"gopkg.in/yaml.v3"
)

// Item names what a later layer counts besides the in-scope amount left over (合规费用口径).
type Item string

// The items: parts of the bill that are in for one province and out for another.
const (
	CountDeductible     Item = "deductible"
	CountClassB         Item = "class_b_first_pay"
	CountOverLimit      Item = "over_limit"
	CountRemoteFirstPay Item = "remote_first_pay"
	CountOutOfCatalogue Item = "out_of_catalogue"
)

var allItems = []Item{CountDeductible, CountClassB, CountOverLimit, CountRemoteFirstPay, CountOutOfCatalogue}

// Items is a set of items.
type Items uint8

// Has reports whether the item is in the set.
func (s Items) Has(i Item) bool { return has(allItems, uint32(s), i) }

// UnmarshalYAML reads a list without repetitions.
func (s *Items) UnmarshalYAML(node *yaml.Node) error {
	set, err := set(node, allItems, "the item is not known", "项目不存在")
	*s = Items(set)
	return err
}

var allGroups = []Group{Destitute, Subsistence, Marginal, IllnessPoverty}

// Groups is a set of groups.
type Groups uint8

// Has reports whether the group is in the set.
func (s Groups) Has(g Group) bool { return has(allGroups, uint32(s), g) }

// Any reports whether one of the groups is in the set.
func (s Groups) Any(groups []Group) bool {
	for _, g := range groups {
		if s.Has(g) {
			return true
		}
	}
	return false
}

// UnmarshalYAML reads a list without repetitions.
func (s *Groups) UnmarshalYAML(node *yaml.Node) error {
	set, err := set(node, allGroups, "the group is not known", "救助对象类别不存在")
	*s = Groups(set)
	return err
}

func has[T comparable](all []T, set uint32, one T) bool {
	i := slices.Index(all, one)
	return i >= 0 && set&(1<<i) != 0
}

func set[T ~string](node *yaml.Node, all []T, en, zh string) (uint32, error) {
	if node.Kind != yaml.SequenceNode {
		return 0, at(node, "this is a list", "此处须为列表")
	}
	var set uint32
	for _, element := range node.Content {
		i := slices.Index(all, T(element.Value))
		if element.Kind != yaml.ScalarNode || i < 0 {
			return 0, at(element, en, zh)
		}
		if set&(1<<i) != 0 {
			return 0, at(element, "it stands here twice", "重复")
		}
		set |= 1 << i
	}
	return set, nil
}
