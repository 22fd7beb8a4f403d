package sqldb

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strconv"

	"huhang.example/services/internal/clock"
)

//go:embed migrations/*.sql
var ownMigrations embed.FS

// The two sequences of migrations, each numbered from 1: this package's tables, and the service's.
const (
	lineOwn     = "sqldb"
	lineService = "service"
)

type migration struct {
	version  int64
	name     string
	sql      string
	checksum string
}

var migrationName = regexp.MustCompile(`^(\d{4})_([a-z0-9_]+)\.sql$`)

// Migrate brings the database to what this binary knows: this package's tables, River's, then the service's from files
// NNNN_name.sql, numbered from 0001 without a gap, in the root of migrations or in its only folder. Each file is applied
// once, in a transaction. A changed file, a missing number and a database newer than the binary are refused. Several
// processes may migrate at once.
func (db *DB) Migrate(ctx context.Context, migrations fs.FS) error {
	own, err := readMigrations(ownMigrations)
	if err != nil {
		return err
	}
	service, err := readMigrations(migrations)
	if err != nil {
		return err
	}
	release, err := db.engine.exclusive(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err := db.Write(ctx, createHistory); err != nil {
		return err
	}
	if err := errors.Join(db.notNewer(ctx, lineOwn, own), db.notNewer(ctx, lineService, service)); err != nil {
		return err
	}
	if err := db.apply(ctx, lineOwn, own); err != nil {
		return err
	}
	if err := db.queue.migrate(ctx, db); err != nil {
		return fmt.Errorf("sqldb: job tables: %w", err)
	}
	return db.apply(ctx, lineService, service)
}

func createHistory(ctx context.Context, tx *Tx) error {
	_, err := tx.Exec(ctx, tx.db.engine.translate(`CREATE TABLE IF NOT EXISTS schema_history (
		line TEXT NOT NULL, version BIGINT NOT NULL, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL,
		PRIMARY KEY (line, version))`))
	return err
}

func (db *DB) apply(ctx context.Context, line string, migrations []migration) error {
	for _, m := range migrations {
		if err := db.Write(ctx, func(ctx context.Context, tx *Tx) error { return m.apply(ctx, tx, line) }); err != nil {
			return fmt.Errorf("sqldb: migration %s %04d_%s: %w", line, m.version, m.name, err)
		}
	}
	return nil
}

func (db *DB) notNewer(ctx context.Context, line string, migrations []migration) error {
	var newest int64
	err := db.Read(ctx, func(ctx context.Context, q Querier) error {
		return q.QueryRow(ctx, "SELECT coalesce(max(version), 0) FROM schema_history WHERE line = $1", line).Scan(&newest)
	})
	if err == nil && newest > int64(len(migrations)) {
		err = fmt.Errorf("sqldb: the database is at %s migration %d, this binary knows %d: run a newer binary", line, newest, len(migrations))
	}
	return err
}

func (m migration) apply(ctx context.Context, tx *Tx, line string) error {
	var checksum string
	err := tx.QueryRow(ctx, "SELECT checksum FROM schema_history WHERE line = $1 AND version = $2", line, m.version).Scan(&checksum)
	switch {
	case err == nil && checksum != m.checksum:
		return errors.New("was changed after it had been applied; add a new migration instead")
	case err == nil:
		return nil
	case !errors.Is(err, ErrNoRows):
		return err
	}
	if _, err := tx.Exec(ctx, tx.db.engine.translate(m.sql)); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO schema_history (line, version, name, checksum, applied_at) VALUES ($1, $2, $3, $4, $5)",
		line, m.version, m.name, m.checksum, clock.Micros(tx.db.conf.Clock.Now()))
	return err
}

func readMigrations(files fs.FS) ([]migration, error) {
	if files == nil {
		return nil, nil
	}
	names, err := fs.Glob(files, "*.sql")
	if err == nil && len(names) == 0 {
		names, err = fs.Glob(files, "*/*.sql")
	}
	if err != nil {
		return nil, fmt.Errorf("sqldb: %w", err)
	}
	var all []migration
	for _, name := range names { // sorted by fs.Glob
		parts := migrationName.FindStringSubmatch(path.Base(name))
		if parts == nil {
			return nil, fmt.Errorf("sqldb: migration %s: the name is not NNNN_name.sql", name)
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("sqldb: %w", err)
		}
		if err := portable(string(text)); err != nil {
			return nil, fmt.Errorf("sqldb: migration %s: %w", name, err)
		}
		version, _ := strconv.ParseInt(parts[1], 10, 64) // four digits
		if version != int64(len(all)+1) {
			return nil, fmt.Errorf("sqldb: migration %s: expected number %04d", name, len(all)+1)
		}
		sum := sha256.Sum256(text)
		all = append(all, migration{version: version, name: parts[2], sql: string(text), checksum: hex.EncodeToString(sum[:])})
	}
	return all, nil
}
