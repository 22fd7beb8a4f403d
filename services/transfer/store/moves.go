package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/telemetry"
	"huhang.example/services/transfer"
	"huhang.example/services/transfer/timetable"
)

// ReviseJob looks at a transfer again after something it rides was disturbed.
type ReviseJob struct {
	TransferID string `json:"transfer_id"`
}

// Kind names the job.
func (ReviseJob) Kind() string { return "transfer_revise" }

// keepRides replaces the runs that a transfer rides; one that has ended rides none.
func keepRides(ctx context.Context, tx *sqldb.Tx, t transfer.Transfer) error {
	if _, err := tx.Exec(ctx, "DELETE FROM transfer_ride WHERE transfer_id = $1", t.ID); err != nil {
		return fmt.Errorf("store: rides: %w", err)
	}
	if t.Status.Ended() {
		return nil
	}
	for _, r := range t.Rides {
		_, err := tx.Exec(ctx, "INSERT INTO transfer_ride (transfer_id, number, day) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", t.ID, r.Number, r.Day)
		if err != nil {
			return fmt.Errorf("store: rides: %w", err)
		}
	}
	return nil
}

// disruption is a change as it stands in the column doc. Names are never changed.
type disruption struct {
	Cancelled    bool            `json:"cancelled,omitempty"`
	DelaySeconds int64           `json:"delay_seconds,omitempty"`
	Stops        []disruptedStop `json:"stops,omitempty"`
}

type disruptedStop struct {
	Stop          string `json:"stop"`
	ArriveSeconds int64  `json:"arrive_seconds,omitempty"`
	DepartSeconds int64  `json:"depart_seconds,omitempty"`
	Skipped       bool   `json:"skipped,omitempty"`
}

// Disrupt keeps what is known of runs and leaves a job for every transfer that rides one of them and has not ended.
func (s *Store) Disrupt(ctx context.Context, changes []timetable.Change, now time.Time) (transfers int, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		told := map[string]bool{}
		for _, c := range changes {
			d := disruption{Cancelled: c.Cancelled, DelaySeconds: int64(c.Delay / time.Second)}
			for _, stop := range c.Stops {
				d.Stops = append(d.Stops, disruptedStop{stop.Stop, int64(stop.Arrive / time.Second), int64(stop.Depart / time.Second), stop.Skipped})
			}
			doc, err := json.Marshal(d)
			if err != nil {
				return fmt.Errorf("store: disruption: %w", err)
			}
			_, err = tx.Exec(ctx, `INSERT INTO disruption (day, number, doc, reported_at) VALUES ($1, $2, $3, $4)
				ON CONFLICT (day, number) DO UPDATE SET doc = excluded.doc, reported_at = excluded.reported_at`, c.Day, c.Number, string(doc), clock.Micros(now))
			if err != nil {
				return fmt.Errorf("store: disruption: %w", err)
			}
			riding, err := texts(ctx, tx, "SELECT transfer_id FROM transfer_ride WHERE number = $1 AND day = $2 ORDER BY transfer_id", c.Number, c.Day)
			if err != nil {
				return err
			}
			for _, id := range riding {
				if told[id] {
					continue
				}
				told[id] = true
				if err := tx.Enqueue(ctx, ReviseJob{TransferID: id}); err != nil {
					return err
				}
			}
		}
		transfers = len(told)
		return nil
	})
	return transfers, err
}

// mostDisruptions bounds what is read of the present days.
const mostDisruptions = 50_000

// Disruptions returns what is known of the runs of a day, or of it and those after it, by day and number.
func (s *Store) Disruptions(ctx context.Context, from, to, after string, limit int) ([]transfer.Disruption, error) {
	var out []transfer.Disruption
	err := s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		out = nil
		rows, err := q.Query(ctx, `SELECT day, number, doc, reported_at FROM disruption WHERE day >= $1 AND day <= $2 AND number > $3
			ORDER BY day, number LIMIT $4`, from, to, after, min(limit, mostDisruptions))
		if err != nil {
			return fmt.Errorf("store: disruptions: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var d transfer.Disruption
			var doc string
			var at int64
			if err := rows.Scan(&d.Day, &d.Number, &doc, &at); err != nil {
				return fmt.Errorf("store: disruptions: %w", err)
			}
			var kept disruption
			if err := json.Unmarshal([]byte(doc), &kept); err != nil {
				return fmt.Errorf("store: disruption of %s: %w", d.Number, err)
			}
			d.Reported, d.Cancelled, d.Delay = clock.FromMicros(at), kept.Cancelled, time.Duration(kept.DelaySeconds)*time.Second
			for _, stop := range kept.Stops {
				d.Stops = append(d.Stops, timetable.StopChange{
					Stop: stop.Stop, Arrive: time.Duration(stop.ArriveSeconds) * time.Second, Depart: time.Duration(stop.DepartSeconds) * time.Second, Skipped: stop.Skipped,
				})
			}
			out = append(out, d)
		}
		return rows.Err()
	})
	return out, err
}

// Note adds to what both ends can follow.
func (s *Store) Note(ctx context.Context, c transfer.Change) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var position int64
		// Whoever notes holds the row until it commits: a reader that has seen a position has seen all before it.
		if err := tx.QueryRow(ctx, "UPDATE transfer_head SET position = position + 1 WHERE one = 1 RETURNING position").Scan(&position); err != nil {
			return fmt.Errorf("store: change: %w", err)
		}
		_, err := tx.Exec(ctx, `INSERT INTO transfer_change (position, transfer_id, referral_id, from_organisation, to_organisation, kind, detail, at, arrive_at, version)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, position, c.TransferID, c.ReferralID, c.From, c.To, c.Kind, c.Detail,
			clock.Micros(c.At), clock.Micros(c.Arrive), c.Version)
		if err != nil {
			return fmt.Errorf("store: change: %w", err)
		}
		return nil
	})
}

// Changes returns at most limit changes after the position, in order, of transfers of the organisation, or of all.
func (s *Store) Changes(ctx context.Context, organisation string, after int64, limit int) ([]transfer.Change, error) {
	var out []transfer.Change
	err := s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		out = nil
		rows, err := q.Query(ctx, `SELECT position, transfer_id, referral_id, from_organisation, to_organisation, kind, detail, at, arrive_at, version
			FROM transfer_change WHERE position > $2 AND ($1 = '' OR from_organisation = $1 OR to_organisation = $1)
			ORDER BY position LIMIT $3`, organisation, after, limit)
		if err != nil {
			return fmt.Errorf("store: changes: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var c transfer.Change
			var at, arrive int64
			if err := rows.Scan(&c.Position, &c.TransferID, &c.ReferralID, &c.From, &c.To, &c.Kind, &c.Detail, &at, &arrive, &c.Version); err != nil {
				return fmt.Errorf("store: changes: %w", err)
			}
			c.At, c.Arrive = clock.FromMicros(at), clock.FromMicros(arrive)
			out = append(out, c)
		}
		return rows.Err()
	})
	return out, err
}

const microDegrees = 1_000_000

// SetPosition keeps the newest position, and returns the one kept.
func (s *Store) SetPosition(ctx context.Context, transferID string, p transfer.Position) (transfer.Position, error) {
	out := p
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO transfer_position (transfer_id, latitude, longitude, at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (transfer_id) DO UPDATE SET latitude = excluded.latitude, longitude = excluded.longitude, at = excluded.at
			WHERE transfer_position.at < excluded.at`, transferID,
			int64(math.Round(p.Lat*microDegrees)), int64(math.Round(p.Lon*microDegrees)), clock.Micros(p.At))
		if err != nil {
			return fmt.Errorf("store: position: %w", err)
		}
		out, err = position(ctx, tx, transferID)
		return err
	})
	return out, err
}

// Position returns the last reported position; its time is zero when there is none.
func (s *Store) Position(ctx context.Context, transferID string) (transfer.Position, error) {
	var out transfer.Position
	err := s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) (err error) {
		out, err = position(ctx, q, transferID)
		return err
	})
	return out, err
}

func position(ctx context.Context, q sqldb.Querier, transferID string) (transfer.Position, error) {
	var lat, lon, at int64
	err := q.QueryRow(ctx, "SELECT latitude, longitude, at FROM transfer_position WHERE transfer_id = $1", transferID).Scan(&lat, &lon, &at)
	if errors.Is(err, sqldb.ErrNoRows) {
		return transfer.Position{}, nil
	}
	if err != nil {
		return transfer.Position{}, fmt.Errorf("store: position: %w", err)
	}
	return transfer.Position{Lat: float64(lat) / microDegrees, Lon: float64(lon) / microDegrees, At: clock.FromMicros(at)}, nil
}

// Revise leaves a job that looks at a transfer again.
func (s *Store) Revise(ctx context.Context, t transfer.Transfer) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.Enqueue(telemetry.WithReferral(ctx, t.ReferralID), ReviseJob{TransferID: t.ID})
	})
}
