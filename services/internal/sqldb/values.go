package sqldb

import (
	"context"
	"strconv"
	"strings"
	"sync"
)

// written keeps the lists of placeholders.
var written sync.Map

// Values writes " VALUES ($1, $2), ($3, $4)". Numbers of rows should be few, such as powers of two: engines keep each text
// prepared.
func Values(rows, width int) string {
	key := [2]int{rows, width}
	if text, ok := written.Load(key); ok {
		return text.(string)
	}
	var b strings.Builder
	b.WriteString(" VALUES ")
	for i := range rows * width {
		switch {
		case i%width != 0:
			b.WriteString(", ")
		case i > 0:
			b.WriteString("), (")
		default:
			b.WriteByte('(')
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(i + 1))
	}
	b.WriteByte(')')
	text, _ := written.LoadOrStore(key, b.String())
	return text.(string)
}

// mostSent is up to how many rows one statement adds, and so travels with the next on PostgreSQL.
const mostSent = 16

// sendRows adds rows by statements of at most perStatement rows.
func sendRows(ctx context.Context, s session, perStatement int, table string, columns []string, rows [][]any) error {
	head := "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ")"
	for len(rows) > 0 {
		n := min(perStatement, len(rows))
		args := make([]any, 0, n*len(columns))
		for _, r := range rows[:n] {
			args = append(args, r...)
		}
		if err := s.send(ctx, head+Values(n, len(columns)), args); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}
