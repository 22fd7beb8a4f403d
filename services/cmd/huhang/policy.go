package main

import (
	"github.com/spf13/cobra"

	"huhang.example/services/settlement/offline"
)

func policyCommand() *cobra.Command {
	c := &cobra.Command{Use: "policy", Short: "check and compare policies and catalogues in files"}
	check := &cobra.Command{
		Use: "check FILE...", Short: "say what is wrong in documents, with the line, and what a policy means for patients", Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, files []string) error { return offline.CheckFiles(c.OutOrStdout(), files) },
	}
	var asJSON bool
	diff := &cobra.Command{
		Use: "diff BEFORE AFTER", Short: "tell in words what changes from one document to another", Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, files []string) error {
			return offline.DiffFiles(c.OutOrStdout(), files[0], files[1], asJSON)
		},
	}
	diff.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	c.AddCommand(check, diff)
	return c
}
