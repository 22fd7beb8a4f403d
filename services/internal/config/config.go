// Package config reads a program's settings: one YAML file, then the environment over it, then the settings' own check.
//
// Invariant: a program never runs on settings it only half understood. An unknown or repeated key, a value of the wrong
// type or a failed check is an error that names the file and line, or the variable, and never repeats the value.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"gopkg.in/yaml.v3"
)

// Defaulter is implemented by settings (by pointer) that have defaults; it is called before the file is read.
type Defaulter interface{ SetDefaults() }

// Validator is implemented by settings that can be wrong; it is called last.
type Validator interface{ Validate() error }

const maxFile = 1 << 20

// Load reads T from file and then from the variables PREFIX_KEY_SUBKEY, whose names are the YAML keys in upper case
// with '_' for '-' and '.'. An empty file name reads the environment alone.
func Load[T any](file, prefix string) (T, error) {
	var body []byte
	if file != "" {
		var err error
		if body, err = read(file); err != nil {
			var none T
			return none, err
		}
	}
	return parse[T](file, body, prefix, os.LookupEnv)
}

func read(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	defer f.Close()
	body, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	if len(body) > maxFile {
		return nil, fmt.Errorf("config: %s: larger than %d bytes", file, maxFile)
	}
	return body, nil
}

type lookup func(name string) (value string, set bool)

func parse[T any](file string, body []byte, prefix string, env lookup) (T, error) {
	var none, settings T
	if d, ok := any(&settings).(Defaulter); ok {
		d.SetDefaults()
	}
	if err := decode(file, body, &settings); err != nil {
		return none, err
	}
	if err := override(&settings, prefix, env); err != nil {
		return none, err
	}
	// The method set of the pointer includes that of the value.
	if v, ok := any(&settings).(Validator); ok {
		if err := v.Validate(); err != nil {
			return none, fmt.Errorf("config: %s: %w", source(file), err)
		}
	}
	return settings, nil
}

func decode[T any](file string, body []byte, into *T) error {
	decoder := yaml.NewDecoder(bytes.NewReader(body))
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil {
		if errors.Is(err, io.EOF) { // nothing but comments: the defaults
			return nil
		}
		return located(file, err, func() (int, string) { return culprit[T](body) })
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return fmt.Errorf("config: %s: more than one document", source(file))
	}
	return nil
}

func source(file string) string {
	if file == "" {
		return "environment"
	}
	return file
}
