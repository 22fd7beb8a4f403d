// Package sqldb is the one way to a service's database: SQLite for one machine, PostgreSQL for many, one SQL text.
//
// Invariants:
//   - A change, its jobs, its audit entry and its idempotency record commit together or not at all: Write is the only
//     way to write, it joins the transaction its context already carries, and Enqueue belongs to that transaction.
//   - No update is lost: a Write sees one state of the database, and is run again if somebody else changed what it
//     changes (SQLite: one writer at a time; PostgreSQL: REPEATABLE READ). Its function therefore may run several times
//     and touches nothing but the database. Two writers of different rows do not see each other: where a rule spans
//     rows, change a row they share first (UPDATE x SET version = version + 1 WHERE id = $1) or use a unique key.
//   - Both engines behave alike: after an error in a transaction every later statement fails and it cannot commit, one
//     statement runs at a time (read Rows to the end or close them), text never lands in a BIGINT, LIKE tells case apart.
//
// Rules for SQL: $1 placeholders; BIGINT, TEXT, BYTEA, BOOLEAN; times are BIGINT microseconds; an expected conflict is
// ON CONFLICT DO NOTHING and a look at the rows affected; ORDER BY on a nullable column says NULLS FIRST or LAST; no FOR
// UPDATE, ANY or data-modifying WITH.
//
// A job (任务) is run by River at least once: handlers are idempotent, call other services with a request id that follows
// from the job's arguments, and get a context with the trace, the referral id and the service itself as caller.
package sqldb
