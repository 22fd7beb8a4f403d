package fhir

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"huhang.example/services/internal/fault"
)

// Bounds of a Bundle that comes in.
const (
	MaxBytes   = 256 << 10
	MaxEntries = 64
	MaxDepth   = 24
	maxIssues  = 20
)

// issues collects what is wrong, element by element.
type issues struct{ found *fault.Fault }

// add names a wrong element by its FHIRPath.
func (i *issues) add(reason fault.Reason, path, en, zh string) {
	if i.found == nil {
		i.found = fault.New(fault.InvalidArgument, reason, path, en, zh)
	}
	if len(i.found.Violations) < maxIssues {
		i.found = i.found.Violate(path, en, zh)
	}
}

// code refuses a code that has no meaning here, and names it: codes of a system are no personal data.
func (i *issues) code(path, system, code string, known []string) {
	first := i.found == nil
	slices.Sort(known)
	i.add(fault.CodeUnknown, path,
		fmt.Sprintf("The code %q of %s is not known here; known are %s.", clip(code), clip(system), strings.Join(known, ", ")),
		fmt.Sprintf("无法识别%s中的代码“%s”；可用代码：%s。", clip(system), clip(code), strings.Join(known, "、")))
	if first {
		i.found = i.found.With("code", clip(code)).With("system", clip(system))
	}
}

func clip(s string) string {
	if utf8.RuneCountInString(s) <= 64 {
		return s
	}
	return string([]rune(s)[:64]) + "…"
}

func (i *issues) err() error {
	if i.found == nil {
		return nil
	}
	return i.found
}

// tree reads JSON of bounded size and depth in which no name stands twice: of two values a reader would have to choose one.
func tree(text []byte) (map[string]any, error) {
	if len(text) > MaxBytes {
		return nil, fault.New(fault.ResourceExhausted, fault.BodyTooLarge, "", "The Bundle is larger than the limit.", "Bundle超过大小限制。").
			With("limit_bytes", strconv.Itoa(MaxBytes))
	}
	if !utf8.Valid(text) {
		return nil, malformed("", "The Bundle is not UTF-8.", "Bundle不是UTF-8编码。")
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	value, err := branch(decoder, "Bundle", 0)
	if err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, malformed("", "Something follows the Bundle.", "Bundle之后还有其他内容。")
	}
	root, ok := value.(map[string]any)
	if !ok {
		return nil, malformed("", "The body is no JSON object.", "请求体不是JSON对象。")
	}
	return root, nil
}

func malformed(path, en, zh string) *fault.Fault {
	return fault.New(fault.InvalidArgument, fault.BodyMalformed, path, en, zh)
}

func branch(d *json.Decoder, path string, depth int) (any, error) {
	if depth > MaxDepth {
		return nil, malformed(path, fmt.Sprintf("The Bundle is more than %d levels deep.", MaxDepth), fmt.Sprintf("Bundle嵌套超过%d层。", MaxDepth))
	}
	token, err := d.Token()
	if err != nil {
		return nil, malformed(path, "The body is not well-formed JSON.", "请求体不是规范的JSON。").With("offset", strconv.FormatInt(d.InputOffset(), 10))
	}
	switch token {
	case json.Delim('{'):
		object := map[string]any{}
		for d.More() {
			token, err := d.Token()
			name, named := token.(string)
			if err != nil || !named {
				return nil, malformed(path, "The body is not well-formed JSON.", "请求体不是规范的JSON。").With("offset", strconv.FormatInt(d.InputOffset(), 10))
			}
			at := path + "." + clip(name)
			if _, twice := object[name]; twice {
				return nil, malformed(at, "The element stands twice in its object.", "同一对象中该元素出现两次。")
			}
			if object[name], err = branch(d, at, depth+1); err != nil {
				return nil, err
			}
		}
		_, err = d.Token()
		return object, broken(err, path)
	case json.Delim('['):
		list := []any{}
		for d.More() {
			item, err := branch(d, path+"["+strconv.Itoa(len(list))+"]", depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, item)
		}
		_, err = d.Token()
		return list, broken(err, path)
	}
	// An exponent of nine digits is a number of a gigabyte to whoever computes it exactly.
	if n, is := token.(json.Number); is && !plainNumber.MatchString(string(n)) {
		return nil, malformed(path, "The number is longer than 32 characters, or its exponent than two digits.", "数字超过32位，或指数超过两位。")
	}
	return token, nil
}

var plainNumber = regexp.MustCompile(`^[-0-9.]{1,32}([eE][-+]?[0-9]{1,2})?$`)

func broken(err error, path string) error {
	if err == nil {
		return nil
	}
	return malformed(path, "The body is not well-formed JSON.", "请求体不是规范的JSON。")
}

//go:embed r4/schema.json
var schemaText []byte

const schemaName = base + "r4/schema.json"

// schemas holds HL7's JSON Schema of R4, as far as the line speaks it; compiling takes a moment, so it waits for its first use.
var schemas = sync.OnceValues(func() (*jsonschema.Compiler, error) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemaText))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	return c, c.AddResource(schemaName, document)
})

// The compiler serves one at a time and remembers what it compiled.
var compiling sync.Mutex

// validate checks a resource of any kind the line speaks against HL7's schema; known is false for other kinds.
func validate(name string, resource any) (known bool, failed *jsonschema.ValidationError, err error) {
	c, err := schemas()
	if err != nil {
		return false, nil, err
	}
	if !slices.Contains(kinds, name) {
		return false, nil, nil
	}
	compiling.Lock()
	schema, err := c.Compile(schemaName + "#/definitions/" + name)
	compiling.Unlock()
	if err != nil {
		return false, nil, err
	}
	if err := schema.Validate(resource); err != nil && !errors.As(err, &failed) {
		return true, nil, err
	}
	return true, failed, nil
}

// kinds are the resources the schema holds.
var kinds = []string{
	"Appointment", "Bundle", "Claim", "ClaimResponse", "Condition", "Coverage", "Observation", "Organization", "Patient", "Practitioner",
	"ServiceRequest", "Task",
}

// pathOf writes where in a resource something is, as FHIRPath.
func pathOf(root string, location []string) string {
	var b strings.Builder
	b.WriteString(root)
	for _, part := range location {
		if _, err := strconv.Atoi(part); err == nil {
			b.WriteString("[" + part + "]")
		} else {
			b.WriteString("." + clip(part))
		}
	}
	return b.String()
}

// report names each innermost element that the schema refuses. The schema's own words may quote values, so they are not passed on.
func (i *issues) report(root string, failed *jsonschema.ValidationError) {
	if len(failed.Causes) > 0 {
		for _, cause := range failed.Causes {
			i.report(root, cause)
		}
		return
	}
	if unknown, is := failed.ErrorKind.(*kind.AdditionalProperties); is {
		for _, name := range unknown.Properties {
			i.add(fault.FieldInvalid, pathOf(root, append(slices.Clone(failed.InstanceLocation), name)), "FHIR R4 has no such element here.", "FHIR R4此处没有该元素。")
		}
		return
	}
	rule := strings.Join(failed.ErrorKind.KeywordPath(), "/")
	i.add(fault.FieldInvalid, pathOf(root, failed.InstanceLocation),
		"The element is not as FHIR R4 has it ("+rule+").", "该元素不符合FHIR R4（"+rule+"）。")
}

// Check validates a whole Bundle, as an export is before it is given out: faults FIELD_INVALID and BODY_MALFORMED.
func Check(text []byte) error {
	root, err := tree(text)
	if err != nil {
		return err
	}
	var wrong issues
	_, err = wrong.bundle(root)
	return errors.Join(err, wrong.err())
}

// entry is one resource of a Bundle as it was read.
type entry struct {
	path, url, kind, id string
	raw                 map[string]any
}

// bundle validates the frame and each resource, and returns them.
func (i *issues) bundle(root map[string]any) ([]entry, error) {
	if root["resourceType"] != "Bundle" {
		i.add(fault.FieldInvalid, "Bundle.resourceType", "The body is no Bundle.", "请求体不是Bundle。")
		return nil, nil
	}
	_, failed, err := validate("Bundle", root)
	if err != nil {
		return nil, err
	}
	if failed != nil {
		i.report("Bundle", failed)
		return nil, nil
	}
	list, _ := root["entry"].([]any)
	if len(list) > MaxEntries {
		i.add(fault.FieldInvalid, "Bundle.entry", fmt.Sprintf("At most %d entries.", MaxEntries), fmt.Sprintf("条目最多%d个。", MaxEntries))
		return nil, nil
	}
	entries := make([]entry, 0, len(list))
	for n, item := range list {
		object, _ := item.(map[string]any)
		resource, given := object["resource"].(map[string]any)
		path := "Bundle.entry[" + strconv.Itoa(n) + "].resource"
		if !given {
			i.add(fault.FieldInvalid, path, "The entry has no resource.", "条目没有资源。")
			continue
		}
		e := entry{raw: resource}
		e.kind, _ = resource["resourceType"].(string)
		e.url, _ = object["fullUrl"].(string)
		e.id, _ = resource["id"].(string)
		e.path = path + ".ofType(" + clip(e.kind) + ")"
		known, failed, err := validate(e.kind, resource)
		switch {
		case err != nil:
			return nil, err
		case !known:
			e.kind = ""
		case failed != nil:
			i.report(e.path, failed)
		}
		entries = append(entries, e)
	}
	return entries, nil
}
