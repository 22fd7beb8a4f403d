package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"

	"huhang.example/services/transfer/offline"
)

func importTimetableCommand() *cobra.Command {
	var i offline.Import
	c := &cobra.Command{
		Use:   "import-timetable FEED",
		Short: "check a GTFS feed (zip or folder) row by row; with --server, import it into a running line",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			i.Path, i.Token = args[0], os.Getenv("HUHANG_TOKEN")
			if i.Server != "" && i.Token == "" {
				return errors.New("set HUHANG_TOKEN to a token of somebody of operations")
			}
			if i.Server == "" && i.Activate != "" {
				return errors.New("--activate needs --server")
			}
			return i.Run(c.Context(), c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&i.Server, "server", "", "base URL of the line's REST API; empty: only check")
	c.Flags().StringVar(&i.Feed, "feed", "rail", "feed it is a version of, such as rail or air")
	c.Flags().StringVar(&i.Activate, "activate", "", "put it in force from this service day on, YYYYMMDD")
	return c
}
