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
	"huhang.example/services/referral/notify"
)

// Notify keeps endpoints, messages and notices beside the cases.
type Notify struct{ db *sqldb.DB }

var _ notify.Store = (*Notify)(nil)

// NewNotify returns a store over a migrated database.
func NewNotify(db *sqldb.DB) *Notify { return &Notify{db} }

func timeOf(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return clock.FromMicros(n)
}

func encode(what string, v any) (string, error) {
	doc, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("referral: %s: %w", what, err)
	}
	return string(doc), nil
}

// rows reads all rows of a query.
func rows[T any](ctx context.Context, q sqldb.Querier, scan func(sqldb.Row) (T, error), sql string, args ...any) (list []T, err error) {
	found, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	for found.Next() {
		v, err := scan(found)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, found.Err()
}

// cut keeps a page of what was read one beyond the limit.
func cut[T any](list []T, limit int, id func(T) string) (page []T, next string) {
	if len(list) <= limit {
		return list, ""
	}
	return list[:limit], id(list[limit-1])
}

// count counts the rows of a query up to a bound.
func count(ctx context.Context, q sqldb.Querier, most int, from string, args ...any) (n int, err error) {
	sql := "SELECT count(*) FROM (SELECT 1 AS one FROM " + from + " LIMIT " + strconv.Itoa(most) + ") counted"
	err = q.QueryRow(ctx, sql, args...).Scan(&n)
	return n, err
}

const endpointColumns = "id, organisation, status, version, cursor, not_before, doc"

func scanEndpoint(row sqldb.Row) (*notify.Endpoint, error) {
	var e notify.Endpoint
	var status, doc string
	var notBefore int64
	if err := row.Scan(&e.ID, &e.Organisation, &status, &e.Version, &e.Cursor, &notBefore, &doc); err != nil {
		return nil, err
	}
	e.Status, e.NotBefore = notify.Status(status), timeOf(notBefore)
	if err := json.Unmarshal([]byte(doc), &e); err != nil {
		return nil, fmt.Errorf("referral: stored endpoint: %w", err)
	}
	return &e, nil
}

func endpointMissing(err error, id string) error {
	if errors.Is(err, sqldb.ErrNoRows) {
		return fault.NotFoundf("webhook endpoint", id)
	}
	return err
}

// CreateEndpoint stores a new endpoint. Writers of this database take turns (feed_turn), so that each counts what the one
// before made: the bound is exact.
func (s *Notify) CreateEndpoint(ctx context.Context, e *notify.Endpoint) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		n, err := count(ctx, tx, notify.MaxEndpoints, "notify_endpoint WHERE organisation = $1 AND status <> 'DELETED'", e.Organisation)
		if err != nil {
			return err
		}
		if n >= notify.MaxEndpoints {
			return fault.New(fault.FailedPrecondition, fault.WebhookLimit, "",
				"The organisation has as many endpoints as one may have.", "该机构的端点数量已达上限。")
		}
		doc, err := encode("endpoint", e)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO notify_endpoint (id, organisation, status, version, locks, cursor, not_before, failing, doc)
			VALUES ($1, $2, $3, $4, 0, $5, $6, FALSE, $7)`, e.ID, e.Organisation, string(e.Status), e.Version, e.Cursor, micros(e.NotBefore), doc)
		return err
	})
}

const countMost = 2000

// Endpoint reads one with its counts.
func (s *Notify) Endpoint(ctx context.Context, id string) (e *notify.Endpoint, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		e, err = scanEndpoint(q.QueryRow(ctx, "SELECT "+endpointColumns+" FROM notify_endpoint WHERE id = $1 AND status <> 'DELETED'", id))
		if err != nil {
			return endpointMissing(err, id)
		}
		return counts(ctx, q, e)
	})
	return e, err
}

func counts(ctx context.Context, q sqldb.Querier, e *notify.Endpoint) (err error) {
	if e.Waiting, err = count(ctx, q, countMost, "notify_delivery WHERE endpoint_id = $1 AND status = 'PENDING'", e.ID); err != nil {
		return err
	}
	e.DeadLetters, err = count(ctx, q, countMost, "notify_delivery WHERE endpoint_id = $1 AND status = 'DEAD'", e.ID)
	return err
}

// UpdateEndpoint locks and changes one.
func (s *Notify) UpdateEndpoint(ctx context.Context, id string, change func(*notify.Endpoint) error) (e *notify.Endpoint, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if e, err = lockEndpoint(ctx, tx, id); err != nil {
			return err
		}
		if err := change(e); err != nil {
			return err
		}
		return saveEndpoint(ctx, tx, e)
	})
	if err != nil {
		return nil, err
	}
	return e, nil
}

func lockEndpoint(ctx context.Context, tx *sqldb.Tx, id string) (*notify.Endpoint, error) {
	if _, err := tx.Exec(ctx, "UPDATE notify_endpoint SET locks = locks + 1 WHERE id = $1", id); err != nil {
		return nil, err
	}
	e, err := scanEndpoint(tx.QueryRow(ctx, "SELECT "+endpointColumns+" FROM notify_endpoint WHERE id = $1 AND status <> 'DELETED'", id))
	return e, endpointMissing(err, id)
}

func saveEndpoint(ctx context.Context, tx *sqldb.Tx, e *notify.Endpoint) error {
	doc, err := encode("endpoint", e)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "UPDATE notify_endpoint SET status = $2, version = $3, cursor = $4, not_before = $5, failing = $6, doc = $7 WHERE id = $1",
		e.ID, string(e.Status), e.Version, e.Cursor, micros(e.NotBefore), e.Failures > 0, doc)
	return err
}

// Endpoints lists them by id.
func (s *Notify) Endpoints(ctx context.Context, organisation, cursor string, limit int) (list []*notify.Endpoint, next string, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		list, err = rows(ctx, q, scanEndpoint, "SELECT "+endpointColumns+` FROM notify_endpoint
			WHERE ($1 = '' OR organisation = $1) AND id > $2 AND status <> 'DELETED' ORDER BY id LIMIT $3`, organisation, cursor, limit+1)
		if err != nil {
			return err
		}
		list, next = cut(list, limit, func(e *notify.Endpoint) string { return e.ID })
		for _, e := range list {
			if err := counts(ctx, q, e); err != nil {
				return err
			}
		}
		return nil
	})
	return list, next, err
}

// Lanes lists endpoints with something to do.
func (s *Notify) Lanes(ctx context.Context, head int64, now time.Time, limit int) (lanes []notify.Lane, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		lanes, err = rows(ctx, q, func(row sqldb.Row) (lane notify.Lane, err error) {
			err = row.Scan(&lane.EndpointID, &lane.Slow)
			return lane, err
		}, `SELECT e.id, e.failing FROM notify_endpoint e WHERE e.status = 'ACTIVE' AND e.not_before <= $1 AND (
				EXISTS (SELECT 1 FROM feed_scope f WHERE f.organisation = e.organisation AND f.position > e.cursor AND f.position <= $2)
				OR EXISTS (SELECT 1 FROM notify_delivery d WHERE d.endpoint_id = e.id AND d.status = 'PENDING' AND d.next_at <= $1))
			ORDER BY e.not_before, e.id LIMIT $3`, clock.Micros(now), head, limit)
		return err
	})
	return lanes, err
}
