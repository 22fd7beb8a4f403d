package figures

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Cross is the line of what lies between two lines, or beyond them.
const Cross = "cross"

// Line is a line of the network (航线).
type Line struct {
	Code      string   `json:"code"`
	Zh        string   `json:"zh"`
	En        string   `json:"en"`
	Provinces []string `json:"provinces"`
}

// Lines are the versions of which provinces form a line, the oldest first.
type Lines struct {
	versions []linesVersion
}

type linesVersion struct {
	Version string `json:"version"`
	// From is the first month it holds for.
	From  string `json:"from"`
	Lines []Line `json:"lines"`
}

//go:embed lines.json
var linesText []byte

// SampleLines are those the line comes with.
func SampleLines() *Lines {
	l, err := ParseLines(linesText)
	if err != nil {
		panic(err) // it is embedded, and tested
	}
	return l
}

// ParseLines reads versions and says what is wrong with them.
func ParseLines(text []byte) (*Lines, error) {
	var read struct {
		Versions []linesVersion `json:"versions"`
	}
	if err := json.Unmarshal(text, &read); err != nil {
		return nil, fmt.Errorf("lines: %w", err)
	}
	if len(read.Versions) == 0 {
		return nil, errors.New("lines: no version")
	}
	before := ""
	for _, v := range read.Versions {
		if v.Version == "" || !validMonth(v.From) || v.From <= before {
			return nil, fmt.Errorf("lines: version %q has no month of its own after the one before", v.Version)
		}
		before = v.From
		of := map[string]string{}
		for _, line := range v.Lines {
			if line.Code == "" || line.Code == Cross || line.Zh == "" || line.En == "" || len(line.Provinces) == 0 {
				return nil, fmt.Errorf("lines: %s: line %q is not whole", v.Version, line.Code)
			}
			for _, province := range line.Provinces {
				if len(province) != 6 || of[province] != "" {
					return nil, fmt.Errorf("lines: %s: province %q is none, or is in two lines", v.Version, province)
				}
				of[province] = line.Code
			}
		}
	}
	return &Lines{read.Versions}, nil
}

// Version is the newest one's name.
func (l *Lines) Version() string { return l.versions[len(l.versions)-1].Version }

// Of is the line between two provinces in a month: the one both are in, or cross. Empty while one of them is not known.
func (l *Lines) Of(month, insured, treatment string) string {
	if insured == "" || treatment == "" {
		return ""
	}
	in := l.versions[0]
	for _, v := range l.versions {
		if v.From <= month || month == "" {
			in = v
		}
	}
	for _, line := range in.Lines {
		if slices.Contains(line.Provinces, insured) && slices.Contains(line.Provinces, treatment) {
			return line.Code
		}
	}
	return Cross
}
