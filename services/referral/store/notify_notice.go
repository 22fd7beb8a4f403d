package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/internal/telemetry"
	"huhang.example/services/referral/notify"
)

// Told reads how far notices were made.
func (s *Notify) Told(ctx context.Context) (n int64, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		return q.QueryRow(ctx, "SELECT n FROM notify_told WHERE id = 1").Scan(&n)
	})
	return n, err
}

// Tell stores notices and moves on.
func (s *Notify) Tell(ctx context.Context, from, to int64, notices []*notify.Notice) (moved bool, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		moved = false
		n, err := tx.Exec(ctx, "UPDATE notify_told SET n = $2 WHERE id = 1 AND n = $1", from, to)
		if err != nil || n == 0 {
			return err
		}
		for _, notice := range notices {
			if !notice.After.IsZero() {
				err = tx.Enqueue(telemetry.WithReferral(ctx, notice.ReferralID), laterJob{*notice}, sqldb.At(notice.After))
			} else {
				err = insertNotice(ctx, tx, notice)
			}
			if err != nil {
				return err
			}
		}
		moved = true
		return nil
	})
	return moved, err
}

// TellOne stores a notice unless it is there.
func (s *Notify) TellOne(ctx context.Context, n *notify.Notice) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error { return insertNotice(ctx, tx, n) })
}

func insertNotice(ctx context.Context, tx *sqldb.Tx, n *notify.Notice) error {
	doc, err := encode("notice", n)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO notify_notice (id, organisation, referral_id, position, code, opened, opened_by, doc)
		VALUES ($1, $2, $3, $4, $5, 0, '', $6) ON CONFLICT DO NOTHING`, n.ID, n.Organisation, n.ReferralID, n.Position, n.Code, doc)
	return err
}

const noticeColumns = "opened, opened_by, doc"

func scanNotice(row sqldb.Row) (*notify.Notice, error) {
	var n notify.Notice
	var opened int64
	var by, doc string
	if err := row.Scan(&opened, &by, &doc); err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(doc), &n); err != nil {
		return nil, fmt.Errorf("referral: stored notice: %w", err)
	}
	n.Opened, n.OpenedBy = timeOf(opened), by
	return &n, nil
}

// Notices lists an inbox, the newest first.
func (s *Notify) Notices(ctx context.Context, query notify.NoticeQuery, cursor string, limit int) (list []*notify.Notice, next string, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		var w where
		w.and("organisation = " + w.arg(query.Box))
		if query.ReferralID != "" {
			w.and("referral_id = " + w.arg(query.ReferralID))
		}
		if query.Unread {
			w.and("opened = 0")
		}
		if cursor != "" {
			w.and("id < " + w.arg(cursor))
		}
		sql := "SELECT " + noticeColumns + " FROM notify_notice" + w.sql() + " ORDER BY id DESC LIMIT " + w.arg(limit+1)
		list, err = rows(ctx, q, scanNotice, sql, w.args...)
		list, next = cut(list, limit, func(n *notify.Notice) string { return n.ID })
		return err
	})
	return list, next, err
}

// Unread counts what is not opened.
func (s *Notify) Unread(ctx context.Context, box string, most int) (n int, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		n, err = count(ctx, q, most, "notify_notice WHERE organisation = $1 AND opened = 0", box)
		return err
	})
	return n, err
}

// Open marks a notice as opened unless it is.
func (s *Notify) Open(ctx context.Context, box, id, by string, at time.Time) (n *notify.Notice, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE notify_notice SET opened = $3, opened_by = $4 WHERE id = $1 AND organisation = $2 AND opened = 0",
			id, box, clock.Micros(at), by)
		if err != nil {
			return err
		}
		n, err = scanNotice(tx.QueryRow(ctx, "SELECT "+noticeColumns+" FROM notify_notice WHERE id = $1 AND organisation = $2", id, box))
		if errors.Is(err, sqldb.ErrNoRows) {
			return fault.NotFoundf("notification", id)
		}
		return err
	})
	return n, err
}

// OfCase lists a case's notices, the newest first.
func (s *Notify) OfCase(ctx context.Context, referralID string, limit int) (list []*notify.Notice, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqldb.Querier) error {
		list, err = rows(ctx, q, scanNotice, "SELECT "+noticeColumns+" FROM notify_notice WHERE referral_id = $1 ORDER BY id DESC LIMIT $2", referralID, limit)
		return err
	})
	return list, err
}

type (
	watchJob struct{}
	laneJob  struct {
		EndpointID string `json:"endpoint_id"`
	}
	purgeJob struct{}
	laterJob struct {
		Notice notify.Notice `json:"notice"`
	}
)

func (watchJob) Kind() string { return "notify_watch" }
func (laterJob) Kind() string { return "notify_later" }
func (purgeJob) Kind() string { return "notify_purge" }
func (laneJob) Kind() string  { return "notify_lane" }

const (
	// The lanes of endpoints that answer, and of those that fail, do not wait for each other.
	laneQueue, laneWorkers = "notify", 16
	slowQueue, slowWorkers = "notify_slow", 16
	watchQueue             = "notify_watch"
	// watchAgain is how soon an event is looked for.
	watchAgain = time.Second
	// laneAgain is when a lane is tried again that failed for a reason of our own.
	laneAgain = 15 * time.Second
)

// Wake enqueues the lanes' jobs.
func (s *Notify) Wake(ctx context.Context, lanes []notify.Lane) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		for _, lane := range lanes {
			queue := laneQueue
			if lane.Slow {
				queue = slowQueue
			}
			if err := tx.Enqueue(ctx, laneJob{lane.EndpointID}, sqldb.Queue(queue), sqldb.UniqueKey(lane.EndpointID)); err != nil {
				return err
			}
		}
		return nil
	})
}

// HandleNotify makes the jobs of notices and webhooks work: one that watches, for ever, and one for each lane with
// something to do. failed is told what kept one from its work.
func HandleNotify(w *sqldb.Workers, use *notify.Service, failed func(ctx context.Context, job string, err error)) {
	w.Queue(laneQueue, laneWorkers)
	w.Queue(slowQueue, slowWorkers)
	w.Queue(watchQueue, 1)
	sqldb.Handle(w, func(ctx context.Context, _ watchJob) error {
		if err := use.Watch(ctx); err != nil {
			failed(ctx, watchJob{}.Kind(), err)
		}
		// The same row again and again, not one a second: nothing piles up, and a restart finds it.
		return sqldb.Snooze(watchAgain)
	})
	sqldb.Handle(w, func(ctx context.Context, args laneJob) error {
		if err := use.Run(ctx, args.EndpointID); err != nil {
			failed(ctx, args.Kind(), err)
			return sqldb.Snooze(laneAgain)
		}
		return nil
	})
	sqldb.Handle(w, func(ctx context.Context, args laterJob) error { return use.TellLater(ctx, args.Notice) })
	sqldb.Handle(w, func(ctx context.Context, _ purgeJob) error { return use.Purge(ctx) })
	sqldb.Every(w, time.Minute, watchJob{})
	sqldb.Every(w, time.Hour, purgeJob{})
}
