// Command huhang is the whole line in one binary: `huhang dev` runs everything in one process, `huhang serve` some
// services of a fleet, the rest are tools.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	_ "golang.org/x/crypto/x509roots/fallback" // the web's authorities where the system brings none, as in an image

	"huhang.example/services/cli"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	root := &cobra.Command{
		Use: "huhang", Short: "护航: the cross-province organ-transplant referral line", SilenceUsage: true, SilenceErrors: true,
	}
	root.AddCommand(devCommand(), serveCommand(), certsCommand(), settleCommand(), policyCommand(), importTimetableCommand(), auditCommand())
	failures := cli.Add(root, cli.System(), os.Args[1:])
	return failures.Tell(root.ExecuteContext(ctx))
}
