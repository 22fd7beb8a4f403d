package config

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// override sets every scalar field whose variable is set. Lists of text are given with commas.
func override(settings any, prefix string, env lookup) error {
	if prefix == "" {
		return nil
	}
	w := walker{env: env, seen: map[string]bool{}}
	_, err := w.walk(reflect.ValueOf(settings).Elem(), variable(prefix), map[reflect.Type]bool{})
	return err
}

type walker struct {
	env  lookup
	seen map[string]bool
}

var (
	textType     = reflect.TypeFor[encoding.TextUnmarshaler]()
	durationType = reflect.TypeFor[time.Duration]()
)

// walk reports whether it set anything, so that an absent section is made only if a variable speaks of it. The types
// above v are remembered: a type that contains itself ends there.
func (w walker) walk(v reflect.Value, name string, above map[reflect.Type]bool) (set bool, err error) {
	if v.Kind() == reflect.Pointer {
		fresh := v
		if v.IsNil() {
			fresh = reflect.New(v.Type().Elem())
		}
		set, err = w.walk(fresh.Elem(), name, above)
		if set && v.IsNil() {
			v.Set(fresh)
		}
		return set, err
	}
	if v.Kind() != reflect.Struct || reflect.PointerTo(v.Type()).Implements(textType) {
		return w.scalar(v, name)
	}
	if above[v.Type()] {
		return false, nil
	}
	above[v.Type()] = true
	defer delete(above, v.Type())
	for i := range v.NumField() {
		key, inline, ok := yamlKey(v.Type().Field(i))
		if !ok {
			continue
		}
		below := name
		if !inline {
			below += "_" + variable(key)
		}
		one, err := w.walk(v.Field(i), below, above)
		if err != nil {
			return set, err
		}
		set = set || one
	}
	return set, nil
}

func (w walker) scalar(v reflect.Value, name string) (bool, error) {
	if !settable(v) {
		return false, nil
	}
	value, given := w.env(name)
	if !given {
		return false, nil
	}
	if w.seen[name] {
		return false, fmt.Errorf("config: %s: two settings have this name", name)
	}
	w.seen[name] = true
	if err := assign(v, value); err != nil {
		return false, fmt.Errorf("config: %s: not a valid %s", name, v.Type())
	}
	return true, nil
}

func settable(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Map, reflect.Interface, reflect.Func, reflect.Chan, reflect.Array, reflect.Complex64, reflect.Complex128:
		return reflect.PointerTo(v.Type()).Implements(textType)
	case reflect.Slice:
		return v.Type().Elem().Kind() == reflect.String
	}
	return true
}

func assign(v reflect.Value, value string) error {
	if text, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return text.UnmarshalText([]byte(value))
	}
	if v.Type() == durationType {
		d, err := time.ParseDuration(value)
		v.SetInt(int64(d))
		return err
	}
	switch {
	case v.Kind() == reflect.String:
		v.SetString(value)
	case v.Kind() == reflect.Bool:
		b, err := strconv.ParseBool(value)
		v.SetBool(b)
		return err
	case v.CanInt():
		n, err := strconv.ParseInt(value, 10, v.Type().Bits())
		v.SetInt(n)
		return err
	case v.CanUint():
		n, err := strconv.ParseUint(value, 10, v.Type().Bits())
		v.SetUint(n)
		return err
	case v.CanFloat():
		n, err := strconv.ParseFloat(value, v.Type().Bits())
		v.SetFloat(n)
		return err
	case v.Kind() == reflect.Slice:
		v.Set(list(v.Type(), value))
	default:
		return errors.New("not a scalar")
	}
	return nil
}

func list(t reflect.Type, value string) reflect.Value {
	out := reflect.MakeSlice(t, 0, 0)
	for _, part := range strings.Split(value, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		element := reflect.New(t.Elem()).Elem()
		element.SetString(part)
		out = reflect.Append(out, element)
	}
	return out
}

// yamlKey returns the key under which the YAML decoder knows the field.
func yamlKey(f reflect.StructField) (key string, inline, ok bool) {
	tag := f.Tag.Get("yaml")
	if !f.IsExported() || tag == "-" {
		return "", false, false
	}
	key, flags, _ := strings.Cut(tag, ",")
	for _, flag := range strings.Split(flags, ",") {
		inline = inline || flag == "inline"
	}
	if key == "" {
		key = strings.ToLower(f.Name)
	}
	return key, inline, true
}

func variable(key string) string {
	return strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(key))
}
