package peers

import (
	"context"

	patientv1 "huhang.example/gen/huhang/patient/v1"
	"huhang.example/services/internal/money"
	"huhang.example/services/referral/figures"
)

var _ figures.Peers = (*Peers)(nil)

// Recognitions asks as the caller: the patient service gives a hospital its own sums, operations all.
func (p *Peers) Recognitions(ctx context.Context, from, to, organisation string) ([]figures.Sum, error) {
	c, err := client(p, "patient", anyProvince, patientv1.NewResultServiceClient)
	if err != nil {
		return nil, err
	}
	got, err := c.SumAvoidedCost(ctx, &patientv1.SumAvoidedCostRequest{FromMonth: from, ToMonth: to, Organisation: organisation})
	var sums []figures.Sum
	for _, s := range got.GetSums() {
		sums = append(sums, figures.Sum{
			Organisation: s.GetOrganisation(), Month: s.GetMonth(), Recognised: s.GetRecognised(), Repeated: s.GetRepeatedCount(),
			Avoided: money.Fen(s.GetAvoidedFen()),
		})
	}
	return sums, err
}
