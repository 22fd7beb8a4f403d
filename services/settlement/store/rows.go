package store

import (
	"context"
	"strconv"
	"strings"
	"sync"

	"huhang.example/services/internal/sqldb"
)

// mostRows is how many rows one statement inserts: SQLite takes 32,766 parameters.
const mostRows = 1024

// insertRows runs one INSERT for many rows of equal width. Numbers of rows are powers of two, so that the statements an
// engine prepares are few.
func insertRows(ctx context.Context, tx *sqldb.Tx, head string, rows [][]any) error {
	for len(rows) > 0 {
		n := mostRows
		for n > len(rows) {
			n /= 2
		}
		args := make([]any, 0, n*len(rows[0]))
		for _, r := range rows[:n] {
			args = append(args, r...)
		}
		if err := tx.Send(ctx, head+values(n, len(rows[0])), args...); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// written keeps the lists of placeholders: there are eleven for each width.
var written sync.Map

// values writes " VALUES ($1, $2), ($3, $4)".
func values(rows, width int) string {
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
