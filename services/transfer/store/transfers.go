package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/transfer"
)

const columns = "transfer_id, referral_id, patient_id, from_organisation, to_organisation, status, doc, version"

func ended(t transfer.Transfer) int64 {
	if t.Status.Ended() {
		return 1
	}
	return 0
}

// Insert adds a transfer.
func (s *Store) Insert(ctx context.Context, t transfer.Transfer) (transfer.Transfer, error) {
	t.Version = 1
	doc, err := encode(t)
	if err != nil {
		return transfer.Transfer{}, fmt.Errorf("store: transfer: %w", err)
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		n, err := tx.Exec(ctx, `INSERT INTO transfer (transfer_id, referral_id, patient_id, from_organisation, to_organisation,
			status, ended, depart_at, doc, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
			t.ID, t.ReferralID, t.PatientID, t.From, t.To, string(t.Status), ended(t), clock.Micros(t.Itinerary.Depart), doc, t.Version)
		if err != nil {
			return fmt.Errorf("store: transfer: %w", err)
		}
		if n == 1 {
			return keepRides(ctx, tx, t)
		}
		var id, status string
		err = tx.QueryRow(ctx, "SELECT transfer_id, status FROM transfer WHERE referral_id = $1 AND ended = 0", t.ReferralID).Scan(&id, &status)
		if err != nil {
			return fmt.Errorf("store: transfer: %w", err)
		}
		return fault.New(fault.AlreadyExists, fault.WrongState, "referral_id",
			"The case has a transfer that has not ended.", "该病例已有未结束的转运。").
			With("transfer_id", id).With("state", status)
	})
	if err != nil {
		return transfer.Transfer{}, err
	}
	return t, nil
}

// Get returns a transfer.
func (s *Store) Get(ctx context.Context, transferID string) (transfer.Transfer, error) {
	var t transfer.Transfer
	err := s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) (err error) {
		t, err = get(ctx, q, transferID)
		return err
	})
	return t, err
}

func get(ctx context.Context, q sqldb.Querier, transferID string) (transfer.Transfer, error) {
	t, err := scan(q.QueryRow(ctx, "SELECT "+columns+" FROM transfer WHERE transfer_id = $1", transferID))
	if errors.Is(err, sqldb.ErrNoRows) {
		return transfer.Transfer{}, fault.NotFoundf("transfer", transferID)
	}
	return t, err
}

func scan(row sqldb.Row) (transfer.Transfer, error) {
	var t transfer.Transfer
	var status, doc string
	err := row.Scan(&t.ID, &t.ReferralID, &t.PatientID, &t.From, &t.To, &status, &doc, &t.Version)
	if err != nil {
		return transfer.Transfer{}, fmt.Errorf("store: transfer: %w", err)
	}
	t.Status = transfer.Status(status)
	return t, decode(doc, &t)
}

// Update changes a transfer.
func (s *Store) Update(ctx context.Context, transferID, etag string, fn func(*transfer.Transfer) error) (transfer.Transfer, error) {
	var out transfer.Transfer
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		n, err := tx.Exec(ctx, "UPDATE transfer SET version = version + 1 WHERE transfer_id = $1", transferID)
		if err != nil {
			return fmt.Errorf("store: transfer: %w", err)
		}
		if n == 0 {
			return fault.NotFoundf("transfer", transferID)
		}
		t, err := get(ctx, tx, transferID)
		if err != nil {
			return err
		}
		if current := strconv.FormatInt(t.Version-1, 10); etag != current {
			return fault.Stale(current)
		}
		if err := fn(&t); err != nil {
			return err
		}
		doc, err := encode(t)
		if err != nil {
			return fmt.Errorf("store: transfer: %w", err)
		}
		_, err = tx.Exec(ctx, "UPDATE transfer SET status = $2, ended = $3, depart_at = $4, doc = $5, diverted_to = $6 WHERE transfer_id = $1",
			t.ID, string(t.Status), ended(t), clock.Micros(t.Itinerary.Depart), doc, t.DivertedTo)
		if err != nil {
			return fmt.Errorf("store: transfer: %w", err)
		}
		out = t
		return keepRides(ctx, tx, t)
	})
	if err != nil {
		return transfer.Transfer{}, err
	}
	return out, nil
}

// List returns a page of transfers and the cursor of the next.
func (s *Store) List(ctx context.Context, filter transfer.ListFilter, after string, limit int) ([]transfer.Transfer, string, error) {
	end, depart, id, err := cursor(after)
	if err != nil {
		return nil, "", err
	}
	var out []transfer.Transfer
	err = s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		out = nil
		rows, err := q.Query(ctx, "SELECT "+columns+` FROM transfer
			WHERE ($1 = '' OR from_organisation = $1 OR to_organisation = $1 OR diverted_to = $1) AND ($2 = '' OR status = $2) AND ($3 = '' OR referral_id = $3)
			AND (ended, depart_at, transfer_id) > ($4, $5, $6) ORDER BY ended, depart_at, transfer_id LIMIT $7`,
			filter.Organisation, string(filter.Status), filter.ReferralID, end, depart, id, limit+1)
		if err != nil {
			return fmt.Errorf("store: transfers: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			t, err := scan(rows)
			if err != nil {
				return err
			}
			out = append(out, t)
		}
		return rows.Err()
	})
	if err != nil || len(out) <= limit {
		return out, "", err
	}
	out = out[:limit]
	last := out[limit-1]
	return out, fmt.Sprintf("%d %d %s", ended(last), clock.Micros(last.Itinerary.Depart), last.ID), nil
}

func cursor(after string) (end, depart int64, id string, err error) {
	if after == "" {
		return 0, -1 << 62, "", nil
	}
	parts := strings.Split(after, " ")
	if len(parts) == 3 {
		end, err = strconv.ParseInt(parts[0], 10, 64)
		if err == nil {
			depart, err = strconv.ParseInt(parts[1], 10, 64)
		}
		if err == nil {
			return end, depart, parts[2], nil
		}
	}
	return 0, 0, "", fault.New(fault.InvalidArgument, fault.InvalidPageToken, "page_token",
		"The page token is not one of ours.", "翻页标记无效。")
}
