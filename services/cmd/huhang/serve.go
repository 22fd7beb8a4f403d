package main

import (
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"huhang.example/services/internal/config"
	"huhang.example/services/internal/mtls"
	"huhang.example/services/line"
)

func serveCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use: "serve SERVICE...", Short: "run services of a fleet: patient, transfer, settlement, matching, referral, gateway",
		Args: cobra.MinimumNArgs(1), ValidArgs: line.Names,
		RunE: func(c *cobra.Command, names []string) error {
			if err := line.CheckNames(names); err != nil {
				return err
			}
			settings, err := config.Load[line.Config](file, "HUHANG")
			if err != nil {
				return err
			}
			level := slog.LevelInfo
			if settings.Log != "" {
				if level, err = logLevel(settings.Log); err != nil {
					return err
				}
			}
			return line.Serve(c.Context(), settings, names, slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
		},
	}
	c.Flags().StringVar(&file, "config", "", "YAML file; HUHANG_... variables override it")
	_ = c.MarkFlagRequired("config")
	return c
}

func certsCommand() *cobra.Command {
	var dir string
	var hospitals []string
	c := &cobra.Command{
		Use: "certs", Short: "write certificates of a trial authority for every service, and for hospitals by code; a real line brings its own",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			authority, err := mtls.DevAuthority(dir)
			if err != nil {
				return err
			}
			for _, name := range line.Names {
				identity, err := authority.Service(name)
				if err != nil {
					return err
				}
				if err := authority.WritePEM(dir, identity); err != nil {
					return err
				}
			}
			for _, code := range hospitals {
				identity, err := authority.Hospital(code)
				if err != nil {
					return err
				}
				if err := authority.WritePEM(dir, identity); err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.Flags().StringVar(&dir, "dir", "certs", "folder of the authority and the certificates")
	c.Flags().StringSliceVar(&hospitals, "hospital", nil, "hospital codes, such as C-SH-01")
	return c
}
