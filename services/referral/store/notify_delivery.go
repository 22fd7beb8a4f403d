package store

import (
	"context"
	"errors"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/referral/notify"
)

// deliveryColumns leave the body out.
const deliveryColumns = `id, endpoint_id, organisation, type, referral_id, position, sequence, apart, status, attempts, tries, replays,
	last_outcome, last_status, first_at, ever_at, last_at, next_at, created, trace_id`

func deliveryFields(d *notify.Delivery, s *deliveryScan) []any {
	return []any{
		&d.ID, &d.EndpointID, &d.Organisation, &d.Type, &d.ReferralID, &d.Position, &d.Sequence, &d.Apart, &s.status, &d.Attempts, &d.Tries,
		&d.Replays, &s.outcome, &d.LastStatus, &s.first, &s.ever, &s.last, &s.next, &s.created, &d.TraceID,
	}
}

// deliveryScan holds what is not stored as it is told.
type deliveryScan struct {
	status, outcome                  string
	first, ever, last, next, created int64
}

func (s deliveryScan) into(d *notify.Delivery) {
	d.Status, d.LastOutcome = notify.DeliveryStatus(s.status), notify.Outcome(s.outcome)
	d.First, d.Ever, d.Last, d.Next, d.Created = timeOf(s.first), timeOf(s.ever), timeOf(s.last), timeOf(s.next), timeOf(s.created)
}

func scanDelivery(row sqldb.Row) (*notify.Delivery, error) {
	var d notify.Delivery
	var s deliveryScan
	err := row.Scan(deliveryFields(&d, &s)...)
	s.into(&d)
	return &d, err
}

func scanWhole(row sqldb.Row) (*notify.Delivery, error) {
	var d notify.Delivery
	var s deliveryScan
	err := row.Scan(append(deliveryFields(&d, &s), &d.Body)...)
	s.into(&d)
	return &d, err
}

func deliveryMissing(err error, id string) error {
	if errors.Is(err, sqldb.ErrNoRows) {
		return fault.NotFoundf("webhook delivery", id)
	}
	return err
}

func insertDelivery(ctx context.Context, tx *sqldb.Tx, d *notify.Delivery) error {
	_, err := tx.Exec(ctx, "INSERT INTO notify_delivery ("+deliveryColumns+`, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, 0, '', 0, 0, 0, 0, $10, $11, $12, $13)`,
		d.ID, d.EndpointID, d.Organisation, d.Type, d.ReferralID, d.Position, d.Sequence, d.Apart, string(d.Status),
		micros(d.Next), micros(d.Created), d.TraceID, d.Body)
	return err
}

// Add stores messages and moves the endpoint's cursor on.
func (s *Notify) Add(ctx context.Context, endpointID string, from, to int64, messages []*notify.Delivery) (moved bool, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		moved = false
		n, err := tx.Exec(ctx, "UPDATE notify_endpoint SET cursor = $3 WHERE id = $1 AND cursor = $2 AND status = 'ACTIVE'", endpointID, from, to)
		if err != nil || n == 0 {
			return err
		}
		for _, d := range messages {
			if err := insertDelivery(ctx, tx, d); err != nil {
				return err
			}
		}
		moved = true
		return nil
	})
	return moved, err
}

// AddOne stores a message that follows from no event.
func (s *Notify) AddOne(ctx context.Context, d *notify.Delivery) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error { return insertDelivery(ctx, tx, d) })
}

// Drop removes what waits for an endpoint and was never sent; what was sent before, or is replayed, is dead.
func (s *Notify) Drop(ctx context.Context, endpointID string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM notify_delivery WHERE endpoint_id = $1 AND status = 'PENDING' AND attempts = 0", endpointID); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "UPDATE notify_delivery SET status = 'DEAD', next_at = 0 WHERE endpoint_id = $1 AND status = 'PENDING'", endpointID)
		return err
	})
}

// Ready reads what may be sent now.
func (s *Notify) Ready(ctx context.Context, endpointID string, now time.Time, limit int) (list []*notify.Delivery, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		list, err = rows(ctx, q, scanWhole, "SELECT "+deliveryColumns+`, body FROM notify_delivery d
			WHERE endpoint_id = $1 AND status = 'PENDING' AND next_at <= $2 AND (apart OR NOT EXISTS (
				SELECT 1 FROM notify_delivery ahead WHERE ahead.endpoint_id = $1 AND ahead.status = 'PENDING' AND NOT ahead.apart
				AND ahead.referral_id = d.referral_id AND ahead.position < d.position))
			ORDER BY next_at, position, id LIMIT $3`, endpointID, clock.Micros(now), limit)
		return err
	})
	return list, err
}

// Record stores an attempt with what follows from it.
func (s *Notify) Record(ctx context.Context, read *notify.Delivery, tried func(*notify.Delivery) notify.Attempt, answered func(*notify.Endpoint)) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		d := *read
		a := tried(&d)
		n, err := saveDelivery(ctx, tx, &d, " AND status = 'PENDING' AND attempts = $13 AND replays = $8", read.Attempts)
		if err != nil || n == 0 {
			return err
		}
		_, err = tx.Exec(ctx, "INSERT INTO notify_attempt (delivery_id, number, sent, outcome, status, took, trace_id) VALUES ($1, $2, $3, $4, $5, $6, $7)",
			d.ID, a.Number, micros(a.Sent), string(a.Outcome), a.Status, a.Took.Microseconds(), a.TraceID)
		if err != nil {
			return err
		}
		if a.Outcome == notify.Delivered {
			// The usual case writes no endpoint.
			var failing bool
			err := tx.QueryRow(ctx, "SELECT failing FROM notify_endpoint WHERE id = $1", d.EndpointID).Scan(&failing)
			if err != nil || !failing {
				return err
			}
		}
		e, err := lockEndpoint(ctx, tx, d.EndpointID)
		if fault.Is(err, fault.ReasonNotFound) {
			return nil // deleted meanwhile
		}
		if err != nil {
			return err
		}
		answered(e)
		return saveEndpoint(ctx, tx, e)
	})
}

// saveDelivery writes what an attempt or a replay changes; condition may narrow it further.
func saveDelivery(ctx context.Context, tx *sqldb.Tx, d *notify.Delivery, condition string, more ...any) (int64, error) {
	args := append([]any{
		d.ID, d.Apart, string(d.Status), d.Attempts, d.Tries, string(d.LastOutcome), d.LastStatus, d.Replays,
		micros(d.First), micros(d.Ever), micros(d.Last), micros(d.Next),
	}, more...)
	return tx.Exec(ctx, `UPDATE notify_delivery SET apart = $2, status = $3, attempts = $4, tries = $5, last_outcome = $6, last_status = $7,
		replays = $8, first_at = $9, ever_at = $10, last_at = $11, next_at = $12 WHERE id = $1`+condition, args...)
}

// Waiting counts what waits for an endpoint.
func (s *Notify) Waiting(ctx context.Context, endpointID string, most int) (n int, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		n, err = count(ctx, q, most, "notify_delivery WHERE endpoint_id = $1 AND status = 'PENDING'", endpointID)
		return err
	})
	return n, err
}

// attemptsMost bounds the attempts shown: the most a message can have with all its replays is less.
const attemptsMost = 500

// Delivery reads a message whole.
func (s *Notify) Delivery(ctx context.Context, id string) (d *notify.Delivery, attempts []notify.Attempt, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		d, err = scanWhole(q.QueryRow(ctx, "SELECT "+deliveryColumns+", body FROM notify_delivery WHERE id = $1", id))
		if err != nil {
			return deliveryMissing(err, id)
		}
		attempts, err = rows(ctx, q, func(row sqldb.Row) (a notify.Attempt, err error) {
			var sent, took int64
			var outcome string
			err = row.Scan(&a.Number, &sent, &outcome, &a.Status, &took, &a.TraceID)
			a.Sent, a.Outcome, a.Took = timeOf(sent), notify.Outcome(outcome), time.Duration(took)*time.Microsecond
			return a, err
		}, "SELECT number, sent, outcome, status, took, trace_id FROM notify_attempt WHERE delivery_id = $1 ORDER BY number LIMIT $2", id, attemptsMost)
		return err
	})
	return d, attempts, err
}

// UpdateDelivery locks and changes a message.
func (s *Notify) UpdateDelivery(ctx context.Context, id string, change func(*notify.Delivery) error) (d *notify.Delivery, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		// The lock: what is written is what the row is.
		if _, err := tx.Exec(ctx, "UPDATE notify_delivery SET id = id WHERE id = $1", id); err != nil {
			return err
		}
		d, err = scanDelivery(tx.QueryRow(ctx, "SELECT "+deliveryColumns+" FROM notify_delivery WHERE id = $1", id))
		if err != nil {
			return deliveryMissing(err, id)
		}
		if err := change(d); err != nil {
			return err
		}
		_, err := saveDelivery(ctx, tx, d, "")
		return err
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Deliveries lists messages, the newest first.
func (s *Notify) Deliveries(ctx context.Context, query notify.DeliveryQuery, cursor string, limit int) (list []*notify.Delivery, next string, err error) {
	var w where
	for column, value := range map[string]string{
		"organisation": query.Organisation, "endpoint_id": query.EndpointID, "referral_id": query.ReferralID, "status": string(query.Status),
	} {
		if value != "" {
			w.and(column + " = " + w.arg(value))
		}
	}
	if cursor != "" {
		w.and("id < " + w.arg(cursor))
	}
	err = s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		narrowed := w
		sql := "SELECT " + deliveryColumns + " FROM notify_delivery" + narrowed.sql() + " ORDER BY id DESC LIMIT " + narrowed.arg(limit+1)
		list, err = rows(ctx, q, scanDelivery, sql, narrowed.args...)
		list, next = cut(list, limit, func(d *notify.Delivery) string { return d.ID })
		return err
	})
	return list, next, err
}

// DeadSince lists dead messages that may be replayed, the oldest first.
func (s *Notify) DeadSince(ctx context.Context, endpointID string, since time.Time, limit int) (ids []string, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		ids, err = rows(ctx, q, func(row sqldb.Row) (id string, err error) {
			err = row.Scan(&id)
			return id, err
		}, `SELECT id FROM notify_delivery WHERE endpoint_id = $1 AND status = 'DEAD' AND created >= $2 AND replays < $3
			ORDER BY id LIMIT $4`, endpointID, micros(since), notify.MaxReplays, limit)
		return err
	})
	return ids, err
}

// Standing reads what operators watch.
func (s *Notify) Standing(ctx context.Context) (st notify.Standing, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		st = notify.Standing{Endpoints: map[notify.Status]int64{}}
		var oldest int64
		err := q.QueryRow(ctx, "SELECT count(*), COALESCE(min(created), 0) FROM notify_delivery WHERE status = 'PENDING'").Scan(&st.Pending, &oldest)
		if err != nil {
			return err
		}
		st.Oldest = timeOf(oldest)
		if err := q.QueryRow(ctx, "SELECT count(*) FROM notify_delivery WHERE status = 'DEAD'").Scan(&st.Dead); err != nil {
			return err
		}
		type counted struct {
			status string
			n      int64
		}
		by, err := rows(ctx, q, func(row sqldb.Row) (c counted, err error) {
			err = row.Scan(&c.status, &c.n)
			return c, err
		}, "SELECT status, count(*) FROM notify_endpoint WHERE status <> 'DELETED' GROUP BY status")
		for _, c := range by {
			st.Endpoints[notify.Status(c.status)] = c.n
		}
		return err
	})
	return st, err
}
