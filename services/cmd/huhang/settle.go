package main

import (
	"github.com/spf13/cobra"

	"huhang.example/services/settlement/offline"
)

func settleCommand() *cobra.Command {
	var f offline.Files
	c := &cobra.Command{
		Use: "settle", Short: "split a bill in a file by a policy and a catalogue, without a running line", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return offline.Run(c.OutOrStdout(), f) },
	}
	c.Flags().StringVar(&f.Policy, "policy", "", "the insured province's policy (YAML)")
	c.Flags().StringVar(&f.Catalogue, "catalogue", "", "the treatment province's catalogue (YAML)")
	c.Flags().StringVar(&f.Claim, "claim", "", "the bill (YAML or JSON)")
	c.Flags().StringVar(&f.Language, "lang", "", "zh or en; both when absent")
	c.Flags().BoolVar(&f.JSON, "json", false, "write JSON")
	for _, name := range []string{"policy", "catalogue", "claim"} {
		_ = c.MarkFlagRequired(name)
	}
	return c
}
