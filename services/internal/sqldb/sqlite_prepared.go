package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"

	"modernc.org/sqlite"
)

// mostPrepared bounds the statements a connection keeps prepared. A service has some hundred of its own; those that are
// written for one call only (a list of values of another length) push all others out once in a while.
const mostPrepared = 512

// preparing opens connections that keep their statements prepared: parsing them anew took a third of a transaction's time
// (measured).
type preparing struct{ driver.Connector }

func openPrepared(dsn string) (*sql.DB, error) {
	connector, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, fmt.Errorf("sqldb: %w", err)
	}
	return sql.OpenDB(preparing{connector}), nil
}

func (p preparing) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := p.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	lite, ok := conn.(liteConn)
	if !ok {
		_ = conn.Close()
		return nil, fmt.Errorf("sqldb: a SQLite connection is a %T", conn)
	}
	return &preparedConn{liteConn: lite, kept: map[string]*keptStmt{}}, nil
}

// liteConn is what database/sql uses of a SQLite connection.
type liteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type liteStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// preparedConn is used by one goroutine at a time, as every driver's connection is.
type preparedConn struct {
	liteConn
	kept map[string]*keptStmt
}

// keptStmt is reading while rows of it are open: it cannot be run again before they are closed.
type keptStmt struct {
	liteStmt
	reading bool
}

// statement returns the kept statement of a text; nil where it is to be run without one.
func (c *preparedConn) statement(ctx context.Context, query string) (*keptStmt, error) {
	if s, ok := c.kept[query]; ok {
		if s.reading {
			return nil, nil
		}
		return s, nil
	}
	if len(c.kept) >= mostPrepared {
		c.forget()
	}
	made, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s, ok := made.(liteStmt)
	if !ok {
		return nil, made.Close()
	}
	kept := &keptStmt{liteStmt: s}
	c.kept[query] = kept
	return kept, nil
}

// forget closes every statement that nobody is reading from.
func (c *preparedConn) forget() {
	for query, s := range c.kept {
		if !s.reading {
			_ = s.Close()
			delete(c.kept, query)
		}
	}
}

func (c *preparedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.liteConn.ExecContext(ctx, query, args)
	}
	return s.ExecContext(ctx, args)
}

func (c *preparedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.liteConn.QueryContext(ctx, query, args)
	}
	rows, err := s.QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	s.reading = true
	return &keptRows{rows, s}, nil
}

func (c *preparedConn) Close() error {
	for _, s := range c.kept {
		_ = s.Close()
	}
	clear(c.kept)
	return c.liteConn.Close()
}

type keptRows struct {
	driver.Rows
	of *keptStmt
}

func (r *keptRows) Close() error {
	r.of.reading = false
	return r.Rows.Close()
}
