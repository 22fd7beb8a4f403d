package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/sqldb"
	"huhang.example/services/settlement"
)

// RecallLines takes lines of a claim back and keeps them apart.
func (s *Store) RecallLines(ctx context.Context, claimID string, recall int64, numbers []int32) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		for _, n := range numbers {
			kept, err := tx.Exec(ctx, `INSERT INTO fee_line_recalled (claim_id, recall, line_number, item_code, item_name, price, quantity_milli, amount, service_date, refund_of)
				SELECT claim_id, $3, line_number, item_code, item_name, price, quantity_milli, amount, service_date, refund_of
				FROM fee_line WHERE claim_id = $1 AND line_number = $2`, claimID, int64(n), recall)
			if err != nil {
				return fmt.Errorf("settlement store: line %d: %w", n, err)
			}
			if kept != 1 {
				return fault.NotFoundf("line", strconv.Itoa(int(n)))
			}
			if _, err := tx.Exec(ctx, "DELETE FROM fee_line WHERE claim_id = $1 AND line_number = $2", claimID, int64(n)); err != nil {
				return err
			}
		}
		return nil
	})
}

// UnderWay returns the claims that are under way since before the time, the oldest first. The cursor is the time and the
// id of the last one.
func (s *Store) UnderWay(ctx context.Context, province string, before time.Time, cursor string, limit int) (out []*settlement.Claim, next string, err error) {
	text, id, _ := strings.Cut(cursor, ".")
	var since int64
	if cursor != "" {
		if since, err = strconv.ParseInt(text, 10, 64); err != nil {
			return nil, "", fmt.Errorf("settlement store: cursor: %w", err)
		}
	}
	err = s.db.ReadOne(ctx, func(ctx context.Context, q sqldb.Querier) error {
		out = nil
		return each(ctx, q, "SELECT "+claimColumns+` FROM claim WHERE province = $1 AND under_way_since <> 0 AND under_way_since <= $2
			AND (under_way_since, claim_id) > ($3, $4) ORDER BY under_way_since, claim_id LIMIT $5`,
			[]any{province, clock.Micros(before), since, id, limit + 1}, func(rows sqldb.Rows) error {
				c, err := scanClaim(rows)
				out = append(out, c)
				return err
			})
	})
	if err != nil {
		return nil, "", err
	}
	out, next = page(out, limit, func(c *settlement.Claim) string {
		return strconv.FormatInt(clock.Micros(c.UnderWay.Since), 10) + "." + c.ID
	})
	return out, next, nil
}
