package timetable

import (
	"fmt"
	"strings"
)

// RowError is one thing wrong with a feed.
type RowError struct {
	File  string
	Row   int    // line as a spreadsheet counts, the header being 1; 0 when the whole file is meant
	Field string // column; empty when the whole row is meant
	Text  string
}

func (e RowError) Error() string { return e.Place() + ": " + e.Text }

// Place is where it stands: file, row and column.
func (e RowError) Place() string {
	place := e.File
	if e.Row > 0 {
		place = fmt.Sprintf("%s:%d", place, e.Row)
	}
	if e.Field != "" {
		place += ":" + e.Field
	}
	return place
}

// FeedError is everything found wrong, at most maxErrors of it.
type FeedError struct{ Rows []RowError }

func (e *FeedError) Error() string {
	lines := make([]string, len(e.Rows))
	for i, row := range e.Rows {
		lines[i] = row.Error()
	}
	return "timetable: the feed is refused:\n" + strings.Join(lines, "\n")
}

// maxErrors is enough to correct a feed by, and keeps a hostile one from filling memory with complaints.
const maxErrors = 100

type complaints struct{ rows []RowError }

func (c *complaints) add(file string, row int, field, format string, args ...any) {
	if len(c.rows) < maxErrors {
		c.rows = append(c.rows, RowError{File: file, Row: row, Field: field, Text: fmt.Sprintf(format, args...)})
	}
}

func (c *complaints) full() bool { return len(c.rows) >= maxErrors }

func (c *complaints) err() error {
	if len(c.rows) == 0 {
		return nil
	}
	return &FeedError{Rows: c.rows}
}
