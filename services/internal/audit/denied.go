package audit

import (
	"context"
	"log/slog"
	"time"

	"huhang.example/services/internal/access"
	"huhang.example/services/internal/sqldb"
)

// deniedWithin bounds how long a refused call waits for its entry.
const deniedWithin = 2 * time.Second

// OnDenied returns what a server calls for each refused call: it appends an entry. If that fails the call is refused all
// the same, and the log says that the entry is missing.
func OnDenied(db *sqldb.DB, log *slog.Logger) func(ctx context.Context, caller access.Caller, fullMethod string) {
	return func(ctx context.Context, caller access.Caller, fullMethod string) {
		// A caller that hangs up must not get around the entry.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), deniedWithin)
		defer cancel()
		err := db.Write(access.With(ctx, caller), func(ctx context.Context, tx *sqldb.Tx) error {
			return Append(ctx, tx, Entry{Action: fullMethod, Outcome: Denied})
		})
		if err != nil {
			log.ErrorContext(ctx, "denied call is not in the audit", slog.String("method", fullMethod), slog.Any("error", err))
		}
	}
}
