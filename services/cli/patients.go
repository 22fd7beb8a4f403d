package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	patientv1 "huhang.example/gen/huhang/patient/v1"
)

func (a *app) patientCommand() *cobra.Command {
	c := group("patient", a.say("患者档案：合并、撤销合并", "patients' records: merge two of one person, and separate them"), a.patientMerges())
	c.AddCommand(a.actions("huhang.patient.v1.MergeService", "patient_id", cobra.NoFileCompletions)...)
	return c
}

func (a *app) patientMerges() *cobra.Command {
	c := &cobra.Command{
		Use: "merges PATIENT", Args: cobra.ExactArgs(1), ValidArgsFunction: cobra.NoFileCompletions, Short: a.say("档案参与过的合并，最新的在前", "the merges a record took part in, newest first"),
		RunE: func(c *cobra.Command, args []string) error {
			conn, err := a.dial()
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(c.Context(), callLimit)
			defer cancel()
			got, err := patientv1.NewMergeServiceClient(conn).ListMerges(ctx, &patientv1.ListMergesRequest{PatientId: args[0]})
			if err != nil {
				return err
			}
			if a.json {
				return a.answer(got)
			}
			return a.mergeRows(got.GetMerges()...)
		},
	}
	a.jsonFlag(c)
	return c
}

// mergeRows writes merges as a table.
func (a *app) mergeRows(merges ...*patientv1.Merge) error {
	if len(merges) == 0 {
		_, err := fmt.Fprintln(a.Out, a.say("没有合并。", "No merges."))
		return err
	}
	rows := make([][]string, 0, len(merges))
	for _, m := range merges {
		rows = append(rows, []string{m.GetMergeId(), m.GetSurvivorId(), m.GetMergedId(), at(m.GetMergeTime()), m.GetMergedBy(), at(m.GetUnmergeTime()), m.GetCarriesDeathOf()})
	}
	head := []string{"MERGE", "RECORD", "KEPT UNDER IT", "WHEN", "BY", "SEPARATED", "CARRIES THE DEATH OF"}
	if a.language == "zh" {
		head = []string{"合并", "保留档案", "并入档案", "时间", "机构", "撤销时间", "涉及死亡的档案"}
	}
	return a.grid(head, rows)
}
