package rest

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"huhang.example/services/gateway/route"
)

// declared is one HTTP rule of the protos.
type declared struct {
	verb, pattern string
	path          *regexp.Regexp
	stream        bool
}

var (
	declaredRoutes = append(readRoutes(), rawRoutes...)
	streamRoutes   = streamPatterns(declaredRoutes)
)

func readRoutes() []declared {
	var all []declared
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				method := service.Methods().Get(j)
				if _, ours := route.Find("/" + string(service.FullName()) + "/" + string(method.Name())); !ours {
					continue
				}
				rule, ok := proto.GetExtension(method.Options(), annotations.E_Http).(*annotations.HttpRule)
				if !ok || rule == nil {
					continue
				}
				for _, r := range append([]*annotations.HttpRule{rule}, rule.GetAdditionalBindings()...) {
					all = append(all, declare(r, method.IsStreamingServer()))
				}
			}
		}
		return true
	})
	return all
}

func declare(rule *annotations.HttpRule, stream bool) declared {
	d := declared{stream: stream}
	switch p := rule.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		d.verb, d.pattern = http.MethodGet, p.Get
	case *annotations.HttpRule_Put:
		d.verb, d.pattern = http.MethodPut, p.Put
	case *annotations.HttpRule_Post:
		d.verb, d.pattern = http.MethodPost, p.Post
	case *annotations.HttpRule_Delete:
		d.verb, d.pattern = http.MethodDelete, p.Delete
	case *annotations.HttpRule_Patch:
		d.verb, d.pattern = http.MethodPatch, p.Patch
	case *annotations.HttpRule_Custom:
		d.verb, d.pattern = p.Custom.GetKind(), p.Custom.GetPath()
	}
	return d.compiled()
}

// compiled is d with its pattern ready to be compared with paths.
func (d *declared) compiled() declared {
	expression := regexp.MustCompile(`\\\{[^}]*\\\}`).ReplaceAllString(regexp.QuoteMeta(d.pattern), `[^/]+`)
	d.path = regexp.MustCompile("^" + expression + "$")
	return *d
}

func streamPatterns(all []declared) []string {
	var patterns []string
	for _, d := range all {
		if d.stream {
			patterns = append(patterns, d.pattern)
		}
	}
	return patterns
}

// allow lists the HTTP methods of a path, for the Allow header.
func allow(path string) string {
	var verbs []string
	for _, d := range declaredRoutes {
		if d.path.MatchString(path) && !slices.Contains(verbs, d.verb) {
			verbs = append(verbs, d.verb)
		}
	}
	slices.Sort(verbs)
	return strings.Join(verbs, ", ")
}
