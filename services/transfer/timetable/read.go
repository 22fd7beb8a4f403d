package timetable

import (
	"archive/zip"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

//go:embed sample/*.txt
var sampleFiles embed.FS

// Sample returns the small invented feed that ships with the line (示范时刻表).
func Sample() *Timetable {
	feed, err := fs.Sub(sampleFiles, "sample")
	if err != nil {
		panic("timetable: " + err.Error())
	}
	t, err := Read(feed, Limits{})
	if err != nil {
		panic(err.Error()) // a file of ours, held to this by a test
	}
	return t
}

// maxFiles is far more than GTFS has.
const maxFiles = 1000

// ReadZip reads a feed from a zip, whose files stand at the top or together in one folder.
func ReadZip(in io.ReaderAt, size int64, limits Limits) (*Timetable, error) {
	archive, err := zip.NewReader(in, size)
	if err != nil {
		return nil, &FeedError{Rows: []RowError{{File: "zip", Text: "is not a readable zip"}}}
	}
	if len(archive.File) > maxFiles {
		return nil, &FeedError{Rows: []RowError{{File: "zip", Text: fmt.Sprintf("holds more than %d files", maxFiles)}}}
	}
	for _, file := range archive.File {
		if strings.HasPrefix(file.Name, "__MACOSX/") {
			continue
		}
		if folder, name := path.Split(file.Name); name == "stops.txt" && folder != "" {
			sub, err := fs.Sub(archive, strings.TrimSuffix(folder, "/"))
			if err != nil {
				return nil, &FeedError{Rows: []RowError{{File: "zip", Text: "holds a folder with a bad name"}}}
			}
			return Read(sub, limits)
		}
	}
	return Read(archive, limits)
}

// Read reads a GTFS feed. The error is a *FeedError that names every bad row of every file, up to a hundred.
func Read(feed fs.FS, limits Limits) (*Timetable, error) {
	r := &reader{
		feed: feed, limits: limits.withDefaults(), table: &Timetable{},
		agencies: map[string]bool{}, stops: map[string]int32{}, routes: map[string]routeKind{},
		services: map[string]int32{}, trips: map[string]int32{}, frequencies: map[int32][]frequency{},
	}
	for _, step := range []func(){
		r.readAgencies, r.readStops, r.readRoutes, r.readCalendars, r.readTrips, r.readFrequencies, r.readTransfers,
		r.readCalls, r.readInfo, r.checkZones,
	} {
		step()
	}
	if err := r.bad.err(); err != nil {
		return nil, err
	}
	r.table.finish()
	return r.table, nil
}

// A row's own key is known from then on even where the row is bad: going on to the files that refer to it would bury the
// error under its consequences. spoilt stands for such a row, and for one that is left out.
const (
	spoilt  = -1
	leftOut = -2
)

type routeKind struct {
	kind         Kind
	good, wanted bool
	short        string
}

type reader struct {
	feed     fs.FS
	limits   Limits
	bad      complaints
	table    *Timetable
	zones    []zone
	agencies map[string]bool
	stops    map[string]int32
	routes   map[string]routeKind
	services map[string]int32
	trips    map[string]int32
	// frequencies are by trip.
	frequencies map[int32][]frequency
	// stations are the places whose stops are called at, never they themselves.
	stations map[string]bool
}

func (r *reader) read(file string, required bool, needed []string, each func(row)) bool {
	found := readTable(r.feed, file, r.limits, &r.bad, needed, each)
	if !found && required {
		r.bad.add(file, 0, "", "is missing")
	}
	return found
}

// fresh returns the row's own key, once, and notes it as spoilt until the row turns out good.
func fresh[V any](in row, column string, seen map[string]V, spoilt V) (string, bool) {
	key, ok := in.need(column)
	if !ok {
		return "", false
	}
	if _, twice := seen[key]; twice {
		in.complain(column, "is used twice")
		return "", false
	}
	key = strings.Clone(key)
	seen[key] = spoilt
	return key, true
}

// refer returns what the row's column names; known says that its file has it, good that its row was.
func refer[V any](in row, column, file string, seen map[string]V) (value V, known bool) {
	value, known = seen[in.get(column)]
	if !known {
		in.complain(column, "is not in %s", file)
	}
	return value, known
}

func (r *reader) readInfo() {
	r.read("feed_info.txt", false, nil, func(in row) {
		r.table.Version = strings.Clone(in.get("feed_version"))
		from, to := "", ""
		if in.get("feed_start_date") != "" {
			from, _ = in.date("feed_start_date")
		}
		if in.get("feed_end_date") != "" {
			to, _ = in.date("feed_end_date")
		}
		if from != "" && to != "" && to < from {
			in.complain("feed_end_date", "is before feed_start_date")
		}
	})
	if r.table.Version == "" {
		first, last := r.table.span()
		r.table.Version = fmt.Sprintf("%s-%s/%d", first, last, len(r.table.Trips))
	}
	if len(r.table.Version) > maxVersion {
		r.bad.add("feed_info.txt", 0, "feed_version", "is longer than %d bytes", maxVersion)
	}
}

// maxVersion bounds the name of a version, which every plan repeats.
const maxVersion = 64
