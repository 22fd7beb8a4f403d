package clinical

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Change is one datum that a version changed; values are JSON, empty where there is none.
type Change struct{ Path, Before, After string }

// contract are the paths whose stored name is older than the contract's.
var contract = map[string]string{
	"labs.sodium": "labs.sodium_mmol_l", "labs.afp": "labs.afp_ng_ml", "labs.inr": "labs.inr", "liver.nodules_cm": "liver.hcc_nodules_cm",
}

// Changes are the data that differ between two versions, by path; before may be nil.
func Changes(before, after *Clinical) []Change {
	old, present := map[string]string{}, Data(after)
	if before != nil {
		old = Data(before)
	}
	var changes []Change
	for path, value := range present {
		if old[path] != value {
			changes = append(changes, Change{path, old[path], value})
		}
	}
	for path, value := range old {
		if _, still := present[path]; !still {
			changes = append(changes, Change{Path: path, Before: value})
		}
	}
	slices.SortFunc(changes, func(a, b Change) int {
		if a.Path < b.Path {
			return -1
		}
		return 1
	})
	return changes
}

// Data are a record's known data by path, each as JSON; a list, and a value with its unit, is one datum.
func Data(c *Clinical) map[string]string {
	data := map[string]string{}
	walk(tree(c), "", false, func(path string, v any) {
		b, err := json.Marshal(v)
		if err != nil {
			panic(fmt.Sprintf("clinical: %T is no JSON: %v", v, err)) // it came from JSON
		}
		if name, renamed := contract[path]; renamed {
			path = name
		}
		data[path] = string(b)
	})
	return data
}

func tree(c *Clinical) any {
	b, err := json.Marshal(c)
	var v any
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err != nil {
		panic(fmt.Sprintf("clinical: a record is no JSON: %v", err)) // only NaN could do that, and no bound lets it in
	}
	return v
}

// walk visits the leaves; deep goes into lists as well, and into values with a unit.
func walk(v any, path string, deep bool, visit func(path string, v any)) {
	switch x := v.(type) {
	case map[string]any:
		if _, quantity := x["unit"]; quantity && !deep {
			visit(path, x)
			return
		}
		for name, value := range x {
			walk(value, join(path, name), deep, visit)
		}
	case []any:
		if !deep {
			visit(path, x)
			return
		}
		for i, value := range x {
			walk(value, fmt.Sprintf("%s[%d]", path, i), deep, visit)
		}
	default:
		visit(path, v)
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
