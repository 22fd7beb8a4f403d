package store

import (
	"context"
	"fmt"
	"strings"

	"huhang.example/services/internal/audit"
	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/settlement"
	"huhang.example/services/settlement/split"
)

// InsertMessage stores a message if its id is new, with its audit entry.
func (s *Store) InsertMessage(ctx context.Context, m *settlement.Message) (inserted bool, err error) {
	text, err := encode(m)
	if err != nil {
		return false, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		n, err := tx.Exec(ctx, `INSERT INTO message (message_id, province, kind, status, claim_id, created_at, doc, referral_id, deductible)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (message_id) DO NOTHING`,
			m.ID, m.Province, string(m.Kind), string(m.Status), m.ClaimID, clock.Micros(m.Created), text,
			m.ReferralID, int64(m.Answer.Split.Used.Deductible))
		if inserted = n == 1; err != nil || !inserted {
			return err
		}
		action := "settlement.message." + strings.ToLower(string(m.Kind)+"."+string(m.Status))
		return audit.Append(ctx, tx, audit.Entry{Action: action, Resource: m.ID, Outcome: audit.Done})
	})
	return inserted, err
}

const messageColumns = "message_id, province, kind, status, claim_id, doc"

func scanMessage(r row) (*settlement.Message, error) {
	m, text := new(settlement.Message), ""
	if err := r.Scan(&m.ID, &m.Province, &m.Kind, &m.Status, &m.ClaimID, &text); err != nil {
		return nil, err
	}
	return m, decode("message", text, m)
}

// Message returns a message.
func (s *Store) Message(ctx context.Context, messageID string) (m *settlement.Message, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) (err error) {
		m, err = scanMessage(q.QueryRow(ctx, "SELECT "+messageColumns+" FROM message WHERE message_id = $1", messageID))
		return notFound(err, fault.NotFoundf("message", messageID))
	})
	return m, err
}

// CommittedFor returns the message under which a claim is settled now.
func (s *Store) CommittedFor(ctx context.Context, claimID string) (m *settlement.Message, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) (err error) {
		m, err = scanMessage(q.QueryRow(ctx, "SELECT "+messageColumns+" FROM message WHERE claim_id = $1 AND kind = 'COMMIT' AND status = 'COMMITTED'", claimID))
		return notFound(err, fault.NotFoundf("message", claimID))
	})
	return m, err
}

// ReferralDeductible sums what stays of a case were charged.
func (s *Store) ReferralDeductible(ctx context.Context, province, referralID string) (sum money.Fen, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		return q.QueryRow(ctx, `SELECT CAST(COALESCE(SUM(deductible), 0) AS BIGINT) FROM message
			WHERE province = $1 AND referral_id = $2 AND kind = 'COMMIT' AND status = 'COMMITTED'`, province, referralID).Scan(&sum)
	})
	return sum, err
}

// SaveMessage stores a message again.
func (s *Store) SaveMessage(ctx context.Context, m *settlement.Message) error {
	text, err := encode(m)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		n, err := tx.Exec(ctx, "UPDATE message SET status = $2, doc = $3 WHERE message_id = $1", m.ID, string(m.Status), text)
		if err == nil && n != 1 {
			return fault.NotFoundf("message", m.ID)
		}
		return err
	})
}

// Counters returns a person's sums of a year.
func (s *Store) Counters(ctx context.Context, province, patientID, year string) (c split.Counters, err error) {
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		c = split.Counters{}
		var into []any
		for _, sum := range c.Values() {
			into = append(into, sum)
		}
		err := q.QueryRow(ctx, "SELECT "+strings.Join(split.CounterNames[:], ", ")+
			" FROM counters WHERE province = $1 AND patient_id = $2 AND year = $3", province, patientID, year).Scan(into...)
		return notFound(err, nil)
	})
	return c, err
}

// UpdateCounters locks a person's sums of a year, runs change and stores them.
func (s *Store) UpdateCounters(ctx context.Context, province, patientID, year string, change func(ctx context.Context, c *split.Counters) error) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		var c split.Counters
		var into []any
		for _, sum := range c.Values() {
			into = append(into, sum)
		}
		// One statement makes the row, locks it and reads it.
		err := tx.QueryRow(ctx, `INSERT INTO counters (province, patient_id, year, version, deductible, basic, second_layer, assistance, second_base, assistance_base)
			VALUES ($1, $2, $3, 0, 0, 0, 0, 0, 0, 0) ON CONFLICT (province, patient_id, year) DO UPDATE SET version = counters.version + 1
			RETURNING `+strings.Join(split.CounterNames[:], ", "), province, patientID, year).Scan(into...)
		if err != nil {
			return err
		}
		if err := change(ctx, &c); err != nil {
			return err
		}
		args, sets := []any{province, patientID, year}, make([]string, len(split.CounterNames))
		for i, sum := range c.Values() {
			args, sets[i] = append(args, int64(*sum)), fmt.Sprintf("%s = $%d", split.CounterNames[i], i+4)
		}
		return tx.Send(ctx, "UPDATE counters SET "+strings.Join(sets, ", ")+" WHERE province = $1 AND patient_id = $2 AND year = $3", args...)
	})
}
