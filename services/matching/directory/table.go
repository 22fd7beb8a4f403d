package directory

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// MaxRows of a table.
const MaxRows = 5000

// Record is a row as it was written: the text of each column.
type Record map[string]string

// Rejected is one fault of one row; row 0 is the table itself.
type Rejected struct {
	Row      int
	Column   string
	CenterID string
	Zh, En   string
}

func reject(row int, column, center string, both string) Rejected {
	en, zh, ok := strings.Cut(both, "|")
	if !ok {
		zh = en
	}
	return Rejected{row, column, center, zh, en}
}

// line is a record that was read, or why it was not.
type line struct {
	record Record
	faults []Rejected
}

// ReadCSV reads a table in RFC 4180. Rows come with their faults; an error of the table itself is the only answer then.
func ReadCSV(content string) (Table, *Rejected) {
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(content, "\ufeff")))
	r.FieldsPerRecord, r.ReuseRecord = -1, true
	header, err := r.Read()
	if err != nil {
		return Table{}, whole0("no header|缺少表头")
	}
	header = slices.Clone(header)
	for i, name := range header {
		if slices.Contains(header[:i], name) || !slices.ContainsFunc(columns, func(c column) bool { return c.name == name }) {
			return Table{}, whole0(fmt.Sprintf("column %q: no such column, or twice|列%q：无此列或重复", name, name))
		}
	}
	if len(header) != len(columns) {
		for _, c := range columns {
			if !slices.Contains(header, c.name) {
				return Table{}, whole0(fmt.Sprintf("column %q is missing|缺少列%q", c.name, c.name))
			}
		}
	}
	var t Table
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if len(t.lines) == MaxRows {
			return Table{}, whole0(fmt.Sprintf("more than %d rows|超过%d行", MaxRows, MaxRows))
		}
		n := len(t.lines) + 1
		switch {
		case err != nil:
			t.lines = append(t.lines, line{faults: []Rejected{reject(n, "", "", "quotes are not closed, or stand inside a field|引号未闭合或位置有误")}})
		case len(fields) != len(header):
			t.lines = append(t.lines, line{faults: []Rejected{reject(n, "", "", fmt.Sprintf("%d fields for %d columns|共%d个字段，应为%d个", len(fields), len(header), len(fields), len(header)))}})
		default:
			record := Record{}
			for i, name := range header {
				record[name] = fields[i]
			}
			t.lines = append(t.lines, line{record: record})
		}
	}
}

func whole0(both string) *Rejected {
	r := reject(0, "", "", both)
	return &r
}

// Table is what was read of a file, row by row.
type Table struct{ lines []line }

// Rows of the table, good or bad.
func (t Table) Rows() int { return len(t.lines) }

// ReadJSON reads a table from an array of objects. An absent or null value is nothing.
func ReadJSON(content string) (Table, *Rejected) {
	d := json.NewDecoder(strings.NewReader(strings.TrimPrefix(content, "\ufeff")))
	d.UseNumber()
	if open, err := d.Token(); err != nil || open != json.Delim('[') {
		return Table{}, whole0("not a JSON array|不是JSON数组")
	}
	var t Table
	for d.More() {
		if len(t.lines) == MaxRows {
			return Table{}, whole0(fmt.Sprintf("more than %d rows|超过%d行", MaxRows, MaxRows))
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return Table{}, whole0(fmt.Sprintf("row %d: not JSON|第%d行：不是JSON", len(t.lines)+1, len(t.lines)+1))
		}
		t.lines = append(t.lines, readObject(len(t.lines)+1, raw))
	}
	if _, err := d.Token(); err != nil {
		return Table{}, whole0("the array does not end|数组未结束")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Table{}, whole0("something follows the array|数组之后有多余内容")
	}
	return t, nil
}

func readObject(n int, raw json.RawMessage) (l line) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return line{faults: []Rejected{reject(n, "", "", "not an object|不是对象")}}
	}
	l.record = Record{}
	for d.More() {
		token, err := d.Token()
		name, isKey := token.(string)
		if err != nil || !isKey {
			return line{faults: []Rejected{reject(n, "", "", "not an object|不是对象")}}
		}
		var value any
		if err := d.Decode(&value); err != nil {
			return line{faults: []Rejected{reject(n, name, "", "not JSON|不是JSON")}}
		}
		if _, twice := l.record[name]; twice || !slices.ContainsFunc(columns, func(c column) bool { return c.name == name }) {
			l.faults = append(l.faults, reject(n, name, "", "no such column, or twice|无此列或重复"))
			continue
		}
		switch v := value.(type) {
		case nil:
			l.record[name] = ""
		case string:
			l.record[name] = v
		case bool:
			l.record[name] = fmt.Sprint(v)
		case json.Number:
			l.record[name] = v.String()
		default:
			l.faults = append(l.faults, reject(n, name, "", "neither text nor number nor true or false|须为文本、数字或布尔值"))
		}
	}
	return l
}

// records are the rows of centers, as an export writes them: one for each program, or one for a center without any.
func records(centers []*Center) []Record {
	var out []Record
	for _, c := range centers {
		if len(c.Programs) == 0 {
			out = append(out, recordOf(c, nil))
		}
		for i := range c.Programs {
			out = append(out, recordOf(c, &c.Programs[i]))
		}
	}
	return out
}

func recordOf(c *Center, p *Program) Record {
	e := entry{center: *c, etag: c.Etag()}
	if p != nil {
		e.program = *p
		if k := p.Capacity; k != nil {
			e.free, e.asOf, e.declaredBy = fmt.Sprint(k.FreePlaces), k.AsOf.UTC().Format(time.RFC3339Nano), k.DeclaredBy
		}
	}
	record := Record{}
	for _, column := range columns {
		if p != nil || column.own {
			record[column.name] = column.get(&e)
		}
	}
	return record
}

// WriteCSV writes the centers as a table.
func WriteCSV(centers []*Center) (content string, rows int, err error) {
	var out strings.Builder
	w := csv.NewWriter(&out)
	if err := w.Write(Columns()); err != nil {
		return "", 0, err
	}
	all := records(centers)
	for _, record := range all {
		fields := make([]string, len(columns))
		for i, c := range columns {
			fields[i] = record[c.name]
		}
		if err := w.Write(fields); err != nil {
			return "", 0, err
		}
	}
	w.Flush()
	return out.String(), len(all), w.Error()
}

// WriteJSON writes the centers as an array, a row a line.
func WriteJSON(centers []*Center) (content string, rows int, err error) {
	var out strings.Builder
	all := records(centers)
	out.WriteString("[")
	for i, record := range all {
		out.WriteString(map[bool]string{true: "\n{", false: ",\n{"}[i == 0])
		first := true
		for _, c := range columns {
			v := record[c.name]
			if v == "" {
				continue
			}
			if c.kind == text {
				b, err := json.Marshal(v)
				if err != nil {
					return "", 0, err
				}
				v = string(b)
			}
			if !first {
				out.WriteString(",")
			}
			first = false
			out.WriteString(`"` + c.name + `":` + v)
		}
		out.WriteString("}")
	}
	out.WriteString("\n]\n")
	return out.String(), len(all), nil
}
