package directory

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"time"
	"unicode/utf8"

	"huhang.example/services/internal/place"
)

//go:embed sample.json
var sampleJSON []byte

//go:embed direct_settlement.json
var directJSON []byte

const (
	maxFile    = 1 << 20
	maxCenters = 400
	maxName    = 64
	maxCount   = 100_000
)

// File is a directory document. Capacity is given with its age, for a document is older than the day it is loaded on.
type File struct {
	Version string
	centers []fileCenter
}

type fileCenter struct {
	ID       string        `json:"center_id"`
	NameZh   string        `json:"name_zh"`
	NameEn   string        `json:"name_en"`
	Line     string        `json:"line"`
	City     string        `json:"city"`
	Programs []fileProgram `json:"programs"`
}

type fileProgram struct {
	Program
	Free *struct {
		Places   int32 `json:"places"`
		HoursOld int32 `json:"hours_old"`
	} `json:"free"`
}

// Parse reads a directory document strictly: an unknown key, a repeated center or program, or a value out of its bounds is
// an error that names its place.
func Parse(data []byte) (*File, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("larger than %d bytes", maxFile)
	}
	var doc struct {
		Version string       `json:"version"`
		Centers []fileCenter `json:"centers"`
	}
	if err := strictly(data, &doc); err != nil {
		return nil, err
	}
	if doc.Version == "" || len(doc.Version) > maxName {
		return nil, errors.New("version: missing or too long")
	}
	if len(doc.Centers) > maxCenters {
		return nil, fmt.Errorf("centers: more than %d", maxCenters)
	}
	seen := map[string]bool{}
	for i := range doc.Centers {
		c := &doc.Centers[i]
		if seen[c.ID] {
			return nil, fmt.Errorf("centers[%d]: %q is there already", i, c.ID)
		}
		seen[c.ID] = true
		if err := c.check(); err != nil {
			return nil, fmt.Errorf("centers[%d] %q: %w", i, c.ID, err)
		}
	}
	return &File{doc.Version, doc.Centers}, nil
}

func strictly(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one document")
	}
	return nil
}

var (
	centerID     = regexp.MustCompile(`^C-[A-Z0-9-]{2,29}$`)
	organisation = regexp.MustCompile(`^[A-Z][A-Z0-9-]{2,31}$`)
)

func (c *fileCenter) check() error {
	switch _, city := place.City(c.City); {
	case !centerID.MatchString(c.ID):
		return errors.New("center_id: not a center's code")
	case !named(c.NameZh) || !named(c.NameEn):
		return errors.New("name_zh, name_en: missing or too long")
	case !known(Lines, c.Line):
		return fmt.Errorf("line: %q is none", c.Line)
	case !city:
		return fmt.Errorf("city: %q is none", c.City)
	}
	seen := map[string]bool{}
	for i, p := range c.Programs {
		if seen[p.Organ] {
			return fmt.Errorf("programs[%d]: %s is there already", i, p.Organ)
		}
		seen[p.Organ] = true
		if err := p.check(); err != nil {
			return fmt.Errorf("programs[%d] %q: %w", i, p.Organ, err)
		}
	}
	return nil
}

func named(s string) bool { return s != "" && utf8.RuneCountInString(s) <= maxName }

func (p *fileProgram) check() error {
	switch {
	case p.Capacity != nil:
		return errors.New(`capacity: give "free" with its age`)
	case p.Free != nil && (p.Free.Places < 0 || p.Free.Places > 1000 || p.Free.HoursOld < 0 || p.Free.HoursOld > maxCount):
		return errors.New("free: out of bounds")
	}
	return p.Check()
}

// Check says which of a program's values breaks its bound.
func (p *Program) Check() error {
	c := p.Criteria
	switch {
	case !known(Organs, p.Organ):
		return errors.New("organ: unknown")
	case p.SurvivalTier < 0 || p.SurvivalTier > 5:
		return errors.New("survival_tier: 0 to 5")
	case p.Volume < 0 || p.Volume > maxCount || p.MedianWaitDays < 0 || p.MedianWaitDays > maxCount:
		return errors.New("volume, median_wait_days: out of bounds")
	case !age(c.MinAge) || !age(c.MaxAge) || c.MinAge != nil && c.MaxAge != nil && *c.MinAge > *c.MaxAge:
		return errors.New("criteria: ages out of bounds")
	case c.MaxBMI != nil && (math.IsNaN(*c.MaxBMI) || *c.MaxBMI < 10 || *c.MaxBMI > 100):
		return errors.New("criteria.max_bmi: 10 to 100")
	case c.HCCSet != "" && (p.Organ != "LIVER" || !known(HCCSets, c.HCCSet)):
		return fmt.Errorf("criteria.hcc_set: %q", c.HCCSet)
	case !c.stated():
		return errors.New("criteria.infections: an infection or a policy that is none")
	case c.CallInMinutes < 0 || c.CallInMinutes > 10080:
		return errors.New("criteria.call_in_minutes: 0 to 10080")
	}
	return p.Licence.Check()
}

func (c *Criteria) stated() bool {
	for infection, policy := range c.Infections {
		if !known(Infections, infection) || !known(Policies, policy) {
			return false
		}
	}
	return true
}

func age(a *int32) bool { return a == nil || *a >= 0 && *a <= 150 }

// Check says what is wrong with the licence's days.
func (l Licence) Check() error {
	for _, day := range []string{l.ValidFrom, l.ValidTo} {
		if t, err := time.Parse(time.DateOnly, day); err != nil || t.Year() < 1900 {
			return fmt.Errorf("licence: %q is no day", day)
		}
	}
	if l.ValidTo < l.ValidFrom {
		return errors.New("licence: ends before it begins")
	}
	return nil
}

// Centers are the document's centers as they are on the day it is loaded.
func (f *File) Centers(at time.Time) []*Center {
	centers := make([]*Center, 0, len(f.centers))
	for _, fc := range f.centers {
		c := &Center{ID: fc.ID, NameZh: fc.NameZh, NameEn: fc.NameEn, Line: fc.Line, City: fc.City, Version: 1}
		for _, fp := range fc.Programs {
			p := fp.Program
			if fp.Free != nil {
				p.Capacity = &Capacity{FreePlaces: fp.Free.Places, AsOf: at.Add(-time.Duration(fp.Free.HoursOld) * time.Hour), DeclaredBy: fc.ID}
			}
			c.Programs = append(c.Programs, p)
		}
		centers = append(centers, c)
	}
	return centers
}

// Sample is the invented directory (示范) a line starts with for trying out.
func Sample() *File {
	f, err := Parse(sampleJSON)
	if err != nil {
		panic("directory: sample.json: " + err.Error()) // embedded and tested
	}
	return f
}

// DirectSettlement lists the provinces whose catalogue is in force (跨省直接结算).
type DirectSettlement struct {
	Version   string   `json:"version"`
	Provinces []string `json:"provinces"`
}

// Direct is the published list this binary carries.
func Direct() *DirectSettlement { return direct }

var direct = func() *DirectSettlement {
	d := new(DirectSettlement)
	if err := strictly(directJSON, d); err != nil {
		panic("directory: direct_settlement.json: " + err.Error()) // embedded and tested
	}
	return d
}()

// At reports whether a bill of the city is settled directly.
func (d *DirectSettlement) At(city string) bool {
	info, ok := place.City(city)
	return ok && known(d.Provinces, info.Province)
}
