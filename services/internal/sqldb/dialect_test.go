package sqldb

import "testing"

func TestStrict(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"types", "CREATE TABLE a (b BIGINT, c bytea, d Boolean, e TEXT);", "CREATE TABLE a (b INTEGER, c BLOB, d INTEGER, e TEXT) STRICT;"},
		{"nested parentheses", "CREATE TABLE a (b TEXT CHECK (length(b) > (1)), PRIMARY KEY (b))", "CREATE TABLE a (b TEXT CHECK (length(b) > (1)), PRIMARY KEY (b)) STRICT"},
		{"if not exists", "create table if not exists a (b BIGINT)", "create table if not exists a (b INTEGER) STRICT"},
		{"quotes", `CREATE TABLE "BIGINT" (b TEXT DEFAULT 'it''s ) BIGINT')`, `CREATE TABLE "BIGINT" (b TEXT DEFAULT 'it''s ) BIGINT') STRICT`},
		{"comments", "-- CREATE TABLE x (BIGINT)\nCREATE TABLE a ( /* ) BIGINT */ b BIGINT)", "-- CREATE TABLE x (BIGINT)\nCREATE TABLE a ( /* ) BIGINT */ b INTEGER) STRICT"},
		{"other statements", "CREATE INDEX a ON b (c); ALTER TABLE b ADD COLUMN d BIGINT; DROP TABLE c", "CREATE INDEX a ON b (c); ALTER TABLE b ADD COLUMN d INTEGER; DROP TABLE c"},
		{"two tables", "CREATE TABLE a (b TEXT); CREATE TABLE c (d TEXT);", "CREATE TABLE a (b TEXT) STRICT; CREATE TABLE c (d TEXT) STRICT;"},
		{"names that contain types", "CREATE TABLE a (bigint_count BIGINT)", "CREATE TABLE a (bigint_count INTEGER) STRICT"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := strict(test.in); got != test.want {
				t.Fatalf("got  %s\nwant %s", got, test.want)
			}
			if err := portable(test.in); err != nil {
				t.Fatal(err)
			}
		})
	}
	if portable("CREATE TABLE a (b jsonb)") == nil || portable("CREATE TABLE a (b TEXT DEFAULT 'int')") != nil {
		t.Fatal("portable")
	}
}
