package timetable

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits bound what a feed may hold. The zero value of each means its default.
type Limits struct {
	FileBytes int64 // of one file, unpacked; default 256 MiB
	Rows      int   // of one file; default 5 million
	Stops     int   // default 100,000
	Trips     int   // default 500,000
}

func (l Limits) withDefaults() Limits {
	if l.FileBytes == 0 {
		l.FileBytes = 256 << 20
	}
	if l.Rows == 0 {
		l.Rows = 5_000_000
	}
	if l.Stops == 0 {
		l.Stops = 100_000
	}
	if l.Trips == 0 {
		l.Trips = 500_000
	}
	return l
}

const (
	maxColumns = 100
	maxCell    = 512
)

// row is one line of a file, by column name.
type row struct {
	file    string
	number  int
	columns map[string]int
	cells   []string
	bad     *complaints
}

func (r row) get(column string) string {
	i, ok := r.columns[column]
	if !ok || i >= len(r.cells) {
		return ""
	}
	return strings.TrimSpace(r.cells[i])
}

func (r row) complain(field, format string, args ...any) {
	r.bad.add(r.file, r.number, field, format, args...)
}

// need is get for a cell that must not be empty.
func (r row) need(column string) (string, bool) {
	text := r.get(column)
	if text == "" {
		r.complain(column, "is empty")
	}
	return text, text != ""
}

func (r row) number64(column string, low, high int64) (int64, bool) {
	text, ok := r.need(column)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < low || n > high {
		r.complain(column, "is not a whole number from %d to %d", low, high)
		return 0, false
	}
	return n, true
}

func (r row) degrees(column string, bound float64) (float64, bool) {
	text, ok := r.need(column)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n >= -bound && n <= bound) { // refuses NaN too
		r.complain(column, "is not a number from -%g to %g", bound, bound)
		return 0, false
	}
	return n, true
}

// readTable calls each for every row of the file. found is false where there is no such file.
func readTable(feed fs.FS, file string, limits Limits, bad *complaints, needed []string, each func(row)) (found bool) {
	in, err := feed.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	if err != nil {
		bad.add(file, 0, "", "cannot be opened")
		return true
	}
	defer in.Close()
	bounded := &boundedReader{in: in, left: limits.FileBytes}
	buffered := bufio.NewReader(bounded)
	if mark, _ := buffered.Peek(3); string(mark) == "\ufeff" {
		_, _ = buffered.Discard(3)
	}
	reader := csv.NewReader(buffered)
	reader.FieldsPerRecord = -1
	reader.ReuseRecord = true
	reader.TrimLeadingSpace = true // many feeds write a space before a quoted cell
	header, err := reader.Read()
	if err != nil {
		bad.add(file, 1, "", "the header cannot be read: %s", plain(err))
		return true
	}
	if len(header) > maxColumns {
		bad.add(file, 1, "", "has more than %d columns", maxColumns)
		return true
	}
	columns := map[string]int{}
	for i, name := range header {
		name = strings.ToLower(strings.TrimSpace(name))
		if _, twice := columns[name]; twice {
			bad.add(file, 1, clip(name), "stands in the header twice")
			return true
		}
		columns[strings.Clone(name)] = i
	}
	missing := false
	for _, name := range needed {
		if _, ok := columns[name]; !ok {
			bad.add(file, 1, name, "is missing from the header")
			missing = true
		}
	}
	if missing {
		return true
	}
	width := len(header)
	for count := 0; !bad.full(); count++ {
		cells, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return true
		}
		number, _ := 0, 0
		if broken := new(csv.ParseError); errors.As(err, &broken) {
			// The reader has gone past the broken line; what follows may be broken too, and is told in the same answer.
			bad.add(file, broken.Line, "", "cannot be read: %s", plain(err))
			continue
		}
		if err != nil {
			bad.add(file, number, "", "cannot be read: %s", plain(err))
			return true
		}
		number, _ = reader.FieldPos(0)
		if count >= limits.Rows {
			bad.add(file, number, "", "has more than %d rows", limits.Rows)
			return true
		}
		if len(cells) > width {
			bad.add(file, number, "", "has %d cells, the header %d", len(cells), width)
			continue
		}
		if !clean(cells) {
			bad.add(file, number, "", "holds a cell over %d bytes or text that is not UTF-8", maxCell)
			continue
		}
		each(row{file: file, number: number, columns: columns, cells: cells, bad: bad})
	}
	return true
}

func clean(cells []string) bool {
	for _, cell := range cells {
		if len(cell) > maxCell || !utf8.ValidString(cell) {
			return false
		}
	}
	return true
}

// plain is the reason without the position, which the RowError has.
func plain(err error) string {
	if broken := new(csv.ParseError); errors.As(err, &broken) {
		return broken.Err.Error()
	}
	if errors.Is(err, io.EOF) {
		return "the file is empty"
	}
	return err.Error()
}

func clip(text string) string {
	if len(text) > 40 {
		return strings.ToValidUTF8(text[:40], "")
	}
	return strings.Clone(text)
}

var errTooLarge = errors.New("the file is too large")

// boundedReader fails rather than ends at its bound: a feed cut short would look like a complete one.
type boundedReader struct {
	in   io.Reader
	left int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLarge
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.in.Read(p)
	b.left -= int64(n)
	return n, err
}
