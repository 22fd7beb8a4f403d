package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/transfer"
)

// version is what of a timetable version nothing is looked up by. Names are never changed.
type version struct {
	Version     string    `json:"version"`
	Digest      string    `json:"digest"`
	Bytes       int64     `json:"bytes"`
	Stops       int       `json:"stops"`
	Trips       int       `json:"trips"`
	Connections int       `json:"connections"`
	LeftOut     int       `json:"left_out"`
	FirstDay    string    `json:"first_day"`
	LastDay     string    `json:"last_day"`
	ImportedBy  string    `json:"imported_by"`
	ImportTime  time.Time `json:"import_time"`
}

// InsertTimetable keeps a version.
func (s *Store) InsertTimetable(ctx context.Context, v transfer.TimetableVersion, compact []byte) error {
	doc, err := json.Marshal(version{
		v.Version, v.Digest, v.Bytes, v.Stops, v.Trips, v.Connections, v.LeftOut, v.FirstDay, v.LastDay, v.ImportedBy, v.ImportTime,
	})
	if err != nil {
		return fmt.Errorf("store: timetable: %w", err)
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		sequence, err := nextSequence(ctx, tx)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO timetable_version (timetable_id, sequence, feed, doc, compact) VALUES ($1, $2, $3, $4, $5)`,
			v.ID, sequence, v.Feed, string(doc), compact); err != nil {
			return fmt.Errorf("store: timetable: %w", err)
		}
		return nil
	})
}

// nextSequence locks the one row, so that sequences are in the order of their commits.
func nextSequence(ctx context.Context, tx *sqldb.Tx) (int64, error) {
	var next int64
	if err := tx.QueryRow(ctx, `UPDATE timetable_force SET next = next + 1 WHERE one = 1 RETURNING next`).Scan(&next); err != nil {
		return 0, fmt.Errorf("store: timetable sequence: %w", err)
	}
	return next - 1, nil
}

// TimetableVersion returns one version.
func (s *Store) TimetableVersion(ctx context.Context, id string) (transfer.TimetableVersion, error) {
	list, err := s.versions(ctx, `timetable_id = $1`, id)
	if err != nil {
		return transfer.TimetableVersion{}, err
	}
	if len(list) == 0 {
		return transfer.TimetableVersion{}, fault.NotFoundf("timetable", id)
	}
	return list[0], nil
}

// TimetableVersions returns the last imported first.
func (s *Store) TimetableVersions(ctx context.Context, feed string, before int64, limit int) ([]transfer.TimetableVersion, error) {
	return s.versions(ctx, `($1 = '' OR feed = $1) AND ($2 = 0 OR sequence < $2) ORDER BY sequence DESC LIMIT $3`, feed, before, limit)
}

func (s *Store) versions(ctx context.Context, where string, args ...any) (out []transfer.TimetableVersion, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		out = nil
		rows, err := q.Query(ctx, `SELECT timetable_id, sequence, feed, doc FROM timetable_version WHERE `+where, args...)
		if err != nil {
			return fmt.Errorf("store: timetables: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var v transfer.TimetableVersion
			var text string
			var d version
			if err := rows.Scan(&v.ID, &v.Sequence, &v.Feed, &text); err != nil {
				return fmt.Errorf("store: timetables: %w", err)
			}
			if err := json.Unmarshal([]byte(text), &d); err != nil {
				return fmt.Errorf("store: timetable %s: %w", v.ID, err)
			}
			v.Version, v.Digest, v.Bytes, v.Stops, v.Trips = d.Version, d.Digest, d.Bytes, d.Stops, d.Trips
			v.Connections, v.LeftOut, v.FirstDay, v.LastDay = d.Connections, d.LeftOut, d.FirstDay, d.LastDay
			v.ImportedBy, v.ImportTime = d.ImportedBy, d.ImportTime
			out = append(out, v)
		}
		return rows.Err()
	})
	return out, err
}

// CompactTimetable returns a version's compact form.
func (s *Store) CompactTimetable(ctx context.Context, id string) (compact []byte, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		err := q.QueryRow(ctx, `SELECT compact FROM timetable_version WHERE timetable_id = $1`, id).Scan(&compact)
		if errors.Is(err, sqldb.ErrNoRows) {
			return fault.NotFoundf("timetable", id)
		}
		return err
	})
	return compact, err
}

// Activations returns those that stand in the order in which they were made, and the version of all.
func (s *Store) Activations(ctx context.Context) (out []transfer.Activation, edition int64, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		out = nil
		// The version first: who reads older activations with it would only read them again.
		if err := q.QueryRow(ctx, `SELECT edition FROM timetable_force WHERE one = 1`).Scan(&edition); err != nil {
			return fmt.Errorf("store: activations: %w", err)
		}
		rows, err := q.Query(ctx, `SELECT sequence, timetable_id, feed, effective_day, activated_by, activated_at
			FROM timetable_activation WHERE withdrawn_at = 0 ORDER BY sequence`)
		if err != nil {
			return fmt.Errorf("store: activations: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var a transfer.Activation
			var at int64
			if err := rows.Scan(&a.Sequence, &a.VersionID, &a.Feed, &a.Day, &a.By, &at); err != nil {
				return fmt.Errorf("store: activations: %w", err)
			}
			a.At = clock.FromMicros(at)
			out = append(out, a)
		}
		return rows.Err()
	})
	return out, edition, err
}

// ChangeActivations adds or withdraws one.
func (s *Store) ChangeActivations(ctx context.Context, etag string, add *transfer.Activation, withdraw int64) (edition int64, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := tx.QueryRow(ctx, `UPDATE timetable_force SET edition = edition + 1 WHERE one = 1 RETURNING edition`).Scan(&edition); err != nil {
			return fmt.Errorf("store: activation: %w", err)
		}
		if seen := strconv.FormatInt(edition-1, 10); etag != seen {
			return fault.Stale(seen)
		}
		if add == nil {
			n, err := tx.Exec(ctx, `UPDATE timetable_activation SET withdrawn_at = $1 WHERE sequence = $2 AND withdrawn_at = 0`,
				clock.Micros(tx.Clock().Now()), withdraw)
			if err == nil && n != 1 {
				err = fault.Stale(strconv.FormatInt(edition-1, 10))
			}
			return err
		}
		sequence, err := nextSequence(ctx, tx)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO timetable_activation
			(sequence, timetable_id, feed, effective_day, activated_by, activated_at, withdrawn_at) VALUES ($1, $2, $3, $4, $5, $6, 0)`,
			sequence, add.VersionID, add.Feed, add.Day, add.By, clock.Micros(add.At)); err != nil {
			return fmt.Errorf("store: activation: %w", err)
		}
		add.Sequence = sequence
		return nil
	})
	return edition, err
}
