package store

import (
	"context"
	"encoding/json"
	"fmt"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/matching"
	"huhang.example/services/matching/directory"
)

// Seed adds the centers that are not there.
func (s *Store) Seed(ctx context.Context, centers []*directory.Center, by matching.Edit) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		for _, c := range centers {
			if _, err := insertCenter(ctx, tx, c, by); err != nil {
				return err
			}
		}
		return nil
	})
}

// InsertCenter adds a center.
func (s *Store) InsertCenter(ctx context.Context, c *directory.Center, by matching.Edit) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		added, err := insertCenter(ctx, tx, c, by)
		if err == nil && !added {
			var version int64
			if err := tx.QueryRow(ctx, "SELECT version FROM center WHERE center_id = $1", c.ID).Scan(&version); err != nil {
				return err
			}
			err = fault.Stale(fmt.Sprint(version))
		}
		return err
	})
}

func insertCenter(ctx context.Context, tx *sqldb.Tx, c *directory.Center, by matching.Edit) (added bool, err error) {
	doc, err := encode(c)
	if err != nil {
		return false, err
	}
	n, err := tx.Exec(ctx, "INSERT INTO center (center_id, line, version, doc) VALUES ($1, $2, 1, $3) ON CONFLICT DO NOTHING", c.ID, c.Line, doc)
	if err != nil || n == 0 {
		return false, err
	}
	c.Version = 1
	return true, changed(ctx, tx, nil, c, by)
}

// changed writes what goes with every change of a center: its organs, its history, the revision, and the jobs that look
// after offers when a licence ends.
func changed(ctx context.Context, tx *sqldb.Tx, before, after *directory.Center, by matching.Edit) error {
	for _, organ := range after.Organs() {
		if _, err := tx.Exec(ctx, "INSERT INTO center_organ (center_id, organ) VALUES ($1, $2) ON CONFLICT DO NOTHING", after.ID, organ); err != nil {
			return err
		}
	}
	doc, err := encode(directory.Changes(before, after))
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO center_change (center_id, version, changed_at, organisation, subject, action, doc)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`, after.ID, after.Version, clock.Micros(by.At), by.Organisation, by.Subject, by.Action, doc); err != nil {
		return err
	}
	for _, j := range matching.LicenceJobs(before, after, by.At) {
		if err := enqueueLicence(ctx, tx, j); err != nil {
			return err
		}
	}
	return revise(ctx, tx)
}

// revise is the last statement of a change: the row orders those who change the directory.
func revise(ctx context.Context, tx *sqldb.Tx) error {
	_, err := tx.Exec(ctx, "UPDATE directory_revision SET revision = revision + 1 WHERE only_row = 1")
	return err
}

// Revision counts the changes of the directory and the weights.
func (s *Store) Revision(ctx context.Context) (revision int64, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		return q.QueryRow(ctx, "SELECT revision FROM directory_revision WHERE only_row = 1").Scan(&revision)
	})
	return revision, err
}

func scanCenter(row interface{ Scan(...any) error }) (*directory.Center, error) {
	var version int64
	c, err := decode[directory.Center](row, &version)
	if err != nil {
		return nil, err
	}
	c.Version = version
	return c, nil
}

// Center returns one center.
func (s *Store) Center(ctx context.Context, centerID string) (c *directory.Center, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		c, err = scanCenter(q.QueryRow(ctx, "SELECT doc, version FROM center WHERE center_id = $1", centerID))
		return err
	})
	return c, absent(err, "center", centerID)
}

// Centers returns a page of centers.
func (s *Store) Centers(ctx context.Context, f matching.CenterFilter, after string, limit int) (centers []*directory.Center, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		centers = nil
		rows, err := q.Query(ctx, `SELECT doc, version FROM center WHERE center_id > $1 AND ($2 = '' OR line = $2)
			AND ($3 = '' OR center_id IN (SELECT center_id FROM center_organ WHERE organ = $3)) ORDER BY center_id LIMIT $4`,
			after, f.Line, f.Organ, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			c, err := scanCenter(rows)
			if err != nil {
				return err
			}
			centers = append(centers, c)
		}
		return rows.Err()
	})
	return centers, err
}

// UpdateCenter changes a center under its version.
func (s *Store) UpdateCenter(ctx context.Context, centerID, etag string, by matching.Edit, change func(*directory.Center) error) (c *directory.Center, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		// The version goes up first: that locks the row on both engines.
		if _, err := tx.Exec(ctx, "UPDATE center SET version = version + 1 WHERE center_id = $1", centerID); err != nil {
			return err
		}
		before, err := scanCenter(tx.QueryRow(ctx, "SELECT doc, version FROM center WHERE center_id = $1", centerID))
		if err != nil {
			return err
		}
		before.Version--
		if etag != before.Etag() {
			return fault.Stale(before.Etag())
		}
		if c, err = copyOf(before); err != nil {
			return err
		}
		if err := change(c); err != nil {
			return err
		}
		c.Version = before.Version + 1
		doc, err := encode(c)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE center SET doc = $2, line = $3 WHERE center_id = $1", centerID, doc, c.Line); err != nil {
			return err
		}
		return changed(ctx, tx, before, c, by)
	})
	if err != nil {
		return nil, absent(err, "center", centerID)
	}
	return c, nil
}

func copyOf(c *directory.Center) (*directory.Center, error) {
	doc, err := encode(c)
	if err != nil {
		return nil, err
	}
	out := &directory.Center{Version: c.Version}
	return out, json.Unmarshal([]byte(doc), out)
}

// CenterChanges returns a page of a center's history, latest first.
func (s *Store) CenterChanges(ctx context.Context, centerID string, before int64, limit int) (changes []matching.CenterChange, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		changes = nil
		rows, err := q.Query(ctx, `SELECT doc, version, changed_at, organisation, subject, action FROM center_change
			WHERE center_id = $1 AND ($2 = 0 OR version < $2) ORDER BY version DESC LIMIT $3`, centerID, before, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var c matching.CenterChange
			var micros int64
			fields, err := decode[[]directory.Change](rows, &c.Version, &micros, &c.Organisation, &c.Subject, &c.Action)
			if err != nil {
				return err
			}
			c.At, c.Fields = clock.FromMicros(micros), *fields
			changes = append(changes, c)
		}
		return rows.Err()
	})
	return changes, err
}
