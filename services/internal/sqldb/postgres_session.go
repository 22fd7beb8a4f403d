package sqldb

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// postgresSession is one transaction on one connection. What need not be answered at once waits and travels with the next
// statement: most of a short transaction's time goes into its round trips (measured).
type postgresSession struct {
	conn    *pgxpool.Conn
	options pgx.TxOptions
	tx      pgx.Tx // nil until the first statement begins it
	waiting []pgx.QueuedQuery
}

// batch is what goes before the next statement; nil where nothing does.
func (s *postgresSession) batch() *pgx.Batch {
	if s.tx != nil && len(s.waiting) == 0 {
		return nil
	}
	b := new(pgx.Batch)
	if s.tx == nil {
		b.BeginTx(s.options)
	}
	for _, q := range s.waiting {
		b.Queue(q.SQL, q.Arguments...)
	}
	s.waiting = nil
	return b
}

// run sends a batch and reads the first n answers.
func (s *postgresSession) run(ctx context.Context, b *pgx.Batch, n int) (pgx.BatchResults, error) {
	results := s.conn.SendBatch(ctx, b)
	if s.tx == nil {
		s.tx = results.Tx()
	}
	for range n {
		if _, err := results.Exec(); err != nil {
			_ = results.Close()
			return nil, err
		}
	}
	return results, nil
}

// last runs one more statement with whatever goes before it.
func (s *postgresSession) last(ctx context.Context, b *pgx.Batch, sql string, args []any) (tag string, rows int64, err error) {
	n := b.Len()
	b.Queue(sql, args...)
	results, err := s.run(ctx, b, n)
	if err != nil {
		return "", 0, err
	}
	done, err := results.Exec()
	if closing := results.Close(); err == nil {
		err = closing
	}
	return done.String(), done.RowsAffected(), err
}

func (s *postgresSession) exec(ctx context.Context, sql string, args []any) (int64, error) {
	if b := s.batch(); b != nil {
		_, n, err := s.last(ctx, b, sql, args)
		return n, err
	}
	tag, err := s.tx.Exec(ctx, sql, args...)
	return tag.RowsAffected(), err
}

func (s *postgresSession) query(ctx context.Context, sql string, args []any) (Rows, error) {
	b := s.batch()
	if b == nil {
		return s.tx.Query(ctx, sql, args...)
	}
	n := b.Len()
	b.Queue(sql, args...)
	results, err := s.run(ctx, b, n)
	if err != nil {
		return nil, err
	}
	rows, err := results.Query()
	if err != nil {
		rows.Close()
		_ = results.Close()
		return nil, err
	}
	return &batchRows{Rows: rows, of: results}, nil
}

// mostWaiting bounds what is held back.
const mostWaiting = 64

func (s *postgresSession) send(ctx context.Context, sql string, args []any) error {
	s.waiting = append(s.waiting, pgx.QueuedQuery{SQL: sql, Arguments: args})
	if len(s.waiting) < mostWaiting {
		return nil
	}
	return s.flush(ctx)
}

// insert copies many rows; a few travel with the next statement, for a COPY is a round trip of its own.
func (s *postgresSession) insert(ctx context.Context, table string, columns []string, rows [][]any) error {
	if len(rows) <= mostSent {
		return sendRows(ctx, s, mostSent, table, columns, rows)
	}
	if err := s.flush(ctx); err != nil {
		return err
	}
	_, err := s.tx.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromRows(rows))
	return err
}

func (s *postgresSession) flush(ctx context.Context) error {
	b := s.batch()
	if b == nil {
		return nil
	}
	results, err := s.run(ctx, b, b.Len())
	if err != nil {
		return err
	}
	return results.Close()
}

func (s *postgresSession) commit(ctx context.Context) error {
	if s.tx == nil && len(s.waiting) == 0 {
		s.conn.Release()
		return nil
	}
	b := s.batch()
	if b == nil {
		defer s.conn.Release()
		return s.tx.Commit(ctx)
	}
	// Whatever fails before the commit in one batch keeps it from being run.
	tag, _, err := s.last(ctx, b, "commit", nil)
	if err == nil && tag == "ROLLBACK" {
		err = pgx.ErrTxCommitRollback
	}
	if err != nil {
		s.rollback()
		return err
	}
	s.conn.Release()
	return nil
}

func (s *postgresSession) rollback() {
	defer s.conn.Release()
	if s.tx == nil {
		return
	}
	// The transaction's context may be over; the connection is discarded if even this fails.
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = s.tx.Rollback(ctx)
}

// batchRows are the rows of a batch's last statement; the batch ends with them.
type batchRows struct {
	pgx.Rows
	of     pgx.BatchResults
	closed bool
	err    error
}

func (r *batchRows) Next() bool {
	if r.Rows.Next() {
		return true
	}
	r.Close()
	return false
}

func (r *batchRows) Err() error {
	if err := r.Rows.Err(); err != nil {
		return err
	}
	return r.err
}

func (r *batchRows) Close() {
	r.Rows.Close()
	if !r.closed {
		r.closed = true
		r.err = r.of.Close()
	}
}

// postgresOnce runs one statement that only reads.
type postgresOnce struct{ conn *pgxpool.Conn }

func (s *postgresOnce) exec(context.Context, string, []any) (int64, error) { return 0, errReadOnly }

func (s *postgresOnce) send(context.Context, string, []any) error { return errReadOnly }

func (s *postgresOnce) insert(context.Context, string, []string, [][]any) error { return errReadOnly }

func (s *postgresOnce) query(ctx context.Context, sql string, args []any) (Rows, error) {
	return s.conn.Query(ctx, sql, args...)
}

func (s *postgresOnce) flush(context.Context) error { return nil }

func (s *postgresOnce) commit(context.Context) error {
	s.conn.Release()
	return nil
}

func (s *postgresOnce) rollback() { s.conn.Release() }
