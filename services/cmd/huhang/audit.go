package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"huhang.example/services/internal/audit"
	"huhang.example/services/internal/sqldb"
)

func auditCommand() *cobra.Command {
	c := &cobra.Command{Use: "audit", Short: "what was done to the audit logs of the services"}
	var known string
	verify := &cobra.Command{
		Use:   "verify DATABASE...",
		Short: "read audit logs whole and tell the first place where one is not what was written",
		Long: `Read audit logs whole, compute their trees anew, and tell the first place where one is not what was written. A database is a SQLite file (huhang dev has one for each service in its
state folder) or a postgres:// URL. The log is only read; the services may run meanwhile.

--known takes a head as a service wrote it to its log ("audit log", head), SIZE:ROOT. Without one a log is compared with itself: whoever can rewrite the whole database can make it
agree with itself.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, databases []string) error {
			if known != "" && len(databases) > 1 {
				return errors.New("--known is of one log: name one database")
			}
			var failed []error
			for _, d := range databases {
				told, err := verifyAudit(c.Context(), d, known)
				if err != nil {
					failed = append(failed, fmt.Errorf("%s: %w", withoutPassword(d), err))
					continue
				}
				if _, err := fmt.Fprintf(c.OutOrStdout(), "%s: %s\n", withoutPassword(d), told); err != nil {
					return err
				}
			}
			return errors.Join(failed...)
		},
	}
	verify.Flags().StringVar(&known, "known", "", "a head that was kept outside the database, SIZE:ROOT")
	c.AddCommand(verify)
	return c
}

func verifyAudit(ctx context.Context, database, known string) (string, error) {
	var head *audit.Known
	if known != "" {
		k, err := audit.ParseKnown(known)
		if err != nil {
			return "", err
		}
		head = &k
	}
	dsn := database
	if !strings.Contains(database, "://") {
		path := strings.TrimPrefix(database, "sqlite:")
		// Opening would make it.
		if info, err := os.Stat(path); err != nil {
			return "", err
		} else if info.IsDir() {
			return "", &fs.PathError{Op: "open", Path: path, Err: errors.New("is a folder; name the files in it")}
		}
		dsn = "sqlite:" + path
	}
	db, err := sqldb.Open(ctx, sqldb.Config{DSN: dsn})
	if err != nil {
		return "", err
	}
	defer db.Close()
	v, err := audit.Verify(ctx, db, head)
	if err != nil {
		return "", err
	}
	if v.Break != nil {
		return "", fmt.Errorf("the log is not what was written: %s", v.Break)
	}
	told := fmt.Sprintf("%d entries as they were written, head %s", v.Head.Size, audit.Known{Size: v.Head.Size, Root: v.Head.Root})
	if v.Waiting > 0 {
		told += fmt.Sprintf("; %d newer ones have no leaf yet, the first since %s", v.Waiting, v.Oldest.UTC().Format("2006-01-02T15:04:05Z"))
	}
	return told, nil
}

// withoutPassword names a database by its server and name: a URL may hold a password in more than one place.
func withoutPassword(database string) string {
	if !strings.Contains(database, "://") {
		return filepath.ToSlash(database)
	}
	u, err := url.Parse(database)
	if err != nil {
		return "a database whose URL cannot be read"
	}
	return u.Scheme + "://" + u.Host + u.Path
}
