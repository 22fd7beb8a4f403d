package sqldb

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	// token is what may not be cut: a quoted text or name, a comment, a word, else one byte.
	token = regexp.MustCompile(`'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*(?s:.*?)\*/|[A-Za-z_][A-Za-z0-9_]*|(?s:.)`)
	word  = regexp.MustCompile(`^[A-Za-z_]`)

	sqliteTypes = map[string]string{"BIGINT": "INTEGER", "BYTEA": "BLOB", "BOOLEAN": "INTEGER"}

	// otherTypes would mean something else on one of the engines: INTEGER has 32 bits on PostgreSQL and 64 on SQLite.
	otherTypes = map[string]bool{
		"INTEGER": true, "INT": true, "INT4": true, "INT8": true, "SMALLINT": true, "SERIAL": true, "BIGSERIAL": true,
		"VARCHAR": true, "CHAR": true, "JSON": true, "JSONB": true, "UUID": true, "BLOB": true, "REAL": true, "FLOAT": true,
		"NUMERIC": true, "DECIMAL": true, "TIMESTAMP": true, "TIMESTAMPTZ": true, "DATETIME": true, "AUTOINCREMENT": true,
	}
)

// portable refuses a migration that uses types outside the common subset.
func portable(sql string) error {
	for _, t := range token.FindAllString(sql, -1) {
		if otherTypes[strings.ToUpper(t)] {
			return fmt.Errorf("%s is not one of BIGINT, TEXT, BYTEA, BOOLEAN", t)
		}
	}
	return nil
}

// strict rewrites a portable migration for SQLite: its names of the types, and every table STRICT, so that SQLite refuses
// text in a number's column as PostgreSQL does.
func strict(sql string) string {
	var out strings.Builder
	depth, table := 0, false // table: between CREATE TABLE and the end of its statement
	var last string          // the word before this one
	for _, t := range token.FindAllString(sql, -1) {
		upper := strings.ToUpper(t)
		switch {
		case t == "(":
			depth++
		case t == ")":
			depth--
			if depth == 0 && table {
				out.WriteString(") STRICT")
				table = false
				continue
			}
		case t == ";":
			depth, table = 0, false
		case word.MatchString(t):
			if upper == "TABLE" && last == "CREATE" {
				table = true
			}
			last = upper
			if name, ok := sqliteTypes[upper]; ok {
				t = name
			}
		}
		out.WriteString(t)
	}
	return out.String()
}
