package cli

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"google.golang.org/genproto/googleapis/api/httpbody"

	referralv1 "huhang.example/gen/huhang/referral/v1"
)

// caseFhir gives a case out as FHIR, or takes one in.
func (a *app) caseFhir() *cobra.Command {
	export := &cobra.Command{
		Use: "export CASE", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeCases, Short: a.say("将病例导出为FHIR R4 Bundle", "write a case as a FHIR R4 Bundle"),
		RunE: func(c *cobra.Command, args []string) error {
			conn, err := a.dial()
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(c.Context(), callLimit)
			defer cancel()
			got, err := referralv1.NewExchangeServiceClient(conn).ExportFhir(ctx, &referralv1.ExportFhirRequest{ReferralId: args[0]})
			if err == nil {
				_, err = fmt.Fprintln(a.Out, string(got.GetData()))
			}
			return err
		},
	}
	var request string
	take := &cobra.Command{
		Use: "import FILE", Args: cobra.ExactArgs(1), Short: a.say("由FHIR R4 Bundle建立草稿，- 为标准输入", "make a draft of a FHIR R4 Bundle; - is the standard input"),
		RunE: func(c *cobra.Command, args []string) error {
			in := a.In
			if args[0] != "-" {
				file, err := os.Open(args[0])
				if err != nil {
					return err
				}
				defer func() { _ = file.Close() }()
				in = file
			}
			text, err := io.ReadAll(io.LimitReader(in, maxFile))
			if err != nil {
				return err
			}
			conn, err := a.dial()
			if err != nil {
				return err
			}
			if request == "" {
				request = a.IDs.New("cli")
			}
			got := new(referralv1.ImportFhirResponse)
			err = a.again(c.Context(), func(ctx context.Context) error {
				got, err = referralv1.NewExchangeServiceClient(conn).ImportFhir(ctx, &referralv1.ImportFhirRequest{RequestId: request, Bundle: &httpbody.HttpBody{Data: text}})
				return err
			})
			switch {
			case err != nil:
				return err
			case a.json:
				return a.answer(got)
			}
			for _, path := range got.GetNotTaken() {
				_, _ = fmt.Fprintln(a.Err, a.say("未采用：", "not taken:"), path)
			}
			return a.showCase(got.GetReferral())
		},
	}
	take.Flags().StringVar(&request, "request-id", "", a.say("重复一次未知结果的导入时使用同一标识", "the id of an attempt whose outcome is not known, to repeat it"))
	a.jsonFlag(take)
	return group("fhir", a.say("以FHIR R4导出或导入", "give out and take in as FHIR R4"), export, take)
}
