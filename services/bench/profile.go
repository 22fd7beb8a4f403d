package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/google/pprof/profile"
)

var profiled = figure{
	name: "profile", title: "where the line's process spends a registration",
	how: `a CPU profile of the process with gateway and patient service under 8 callers. A sample counts for the package, or for the module where it is not ours, whose
function is the innermost one on the stack; the standard library counts for whoever called it, but for HTTP and JSON. Neither PostgreSQL nor the load is in it`,
	take: takeProfile,
}

const shown = 10

func takeProfile(ctx context.Context, b *bed) ([]table, error) {
	f, err := b.line(ctx)
	if err != nil {
		return nil, err
	}
	sessions, err := signIn(ctx, f.base, 8)
	if err != nil {
		return nil, err
	}
	if _, _, err := b.registerRound(ctx, f, sessions, b.round/4); err != nil { // warm
		return nil, err
	}
	file := b.kept("registrations.prof")
	if _, err := f.ask(askProfile, file); err != nil {
		return nil, err
	}
	got, _, err := b.registerRound(ctx, f, sessions, 2*b.round)
	if err != nil {
		return nil, err
	}
	if _, err := f.ask(askEnd); err != nil {
		return nil, err
	}
	p, err := readProfile(file)
	if err != nil {
		return nil, err
	}
	t, err := parts(p, "a registration", got.calls)
	return []table{t}, err
}

// parts is a profile by package and module, the greatest first.
func parts(p *profile.Profile, of string, calls int64) (table, error) {
	t := table{head: []string{"package or module", "share", of}}
	total := int64(0)
	sums := byPart(p, modules())
	for _, part := range sums {
		total += part.nanoseconds
	}
	if total == 0 {
		return t, fmt.Errorf("the profile of %d calls is empty", calls)
	}
	row := func(name string, nanoseconds int64) {
		t.add(name, fmt.Sprintf("%.1f %%", 100*float64(nanoseconds)/float64(total)),
			fmt.Sprintf("%.3f ms", float64(nanoseconds)/1e6/float64(calls)))
	}
	others := total
	for _, part := range sums[:min(shown, len(sums))] {
		row(part.name, part.nanoseconds)
		others -= part.nanoseconds
	}
	row(fmt.Sprintf("%d others", max(len(sums)-shown, 0)), others)
	row("all", total)
	return t, nil
}

func readProfile(path string) (*profile.Profile, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return profile.Parse(file)
}

type part struct {
	name        string
	nanoseconds int64
}

// byPart adds up a profile's time, the greatest part first.
func byPart(p *profile.Profile, modules []string) []part {
	sums := map[string]int64{}
	for _, sample := range p.Sample {
		sums[partOf(sample, modules)] += sample.Value[len(sample.Value)-1]
	}
	parts := make([]part, 0, len(sums))
	for name, nanoseconds := range sums {
		parts = append(parts, part{name, nanoseconds})
	}
	slices.SortFunc(parts, func(a, b part) int {
		return cmp.Or(cmp.Compare(b.nanoseconds, a.nanoseconds), cmp.Compare(a.name, b.name))
	})
	return parts
}

// What of the standard library counts for itself: it is work of its own rather than a means of its caller.
var ownWork = []string{"net/http", "net/http/internal", "encoding/json"}

const (
	collecting = "Go: garbage collection"
	scheduling = "Go: scheduling"
)

func partOf(sample *profile.Sample, modules []string) string {
	collected := false
	for _, location := range sample.Location { // the innermost first, and so are the lines of one that was inlined
		for _, line := range location.Line {
			name := packageOf(line.Function.Name)
			first, _, _ := strings.Cut(name, "/")
			switch {
			case slices.Contains(ownWork, name):
				return name
			case strings.Contains(first, "."):
				return moduleOf(name, modules)
			}
			collected = collected || strings.HasPrefix(line.Function.Name, "runtime.gc") || strings.HasPrefix(line.Function.Name, "runtime.bgsweep")
		}
	}
	if collected {
		return collecting
	}
	return scheduling
}

// packageOf cuts the function off: "a.example/b/c.(*T).f" is of a.example/b/c.
func packageOf(function string) string {
	slash := strings.LastIndexByte(function, '/') + 1
	name, _, _ := strings.Cut(function[slash:], ".")
	return function[:slash] + name
}

// moduleOf is the module of a package; of ours it is the package itself, without what all have in common.
func moduleOf(name string, modules []string) string {
	if own, ours := strings.CutPrefix(name, "huhang.example/"); ours {
		return own
	}
	found := ""
	for _, module := range modules {
		if (name == module || strings.HasPrefix(name, module+"/")) && len(module) > len(found) {
			found = module
		}
	}
	return cmp.Or(found, name)
}

// modules are those this binary is built of.
func modules() []string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	var paths []string
	for _, module := range info.Deps {
		paths = append(paths, module.Path)
	}
	return paths
}
