package e2e

import (
	"slices"
	"testing"
	"time"

	"huhang.example/services/internal/clock"
)

// Every instance's clock is two minutes ahead or behind, each unlike its neighbours', and then the other way round: the case
// runs from registration to its bill all the same.
func TestClocksApart(t *testing.T) {
	instances := []string{"patient-1", "transfer-1", "settlement-treatment", "settlement-insured", "matching-1", "referral-1", "gateway-1"}
	for n, name := range []string{"one way", "the other way"} {
		t.Run(name, func(t *testing.T) {
			l := &devLine{state: t.TempDir(), clock: func(instance string) clock.Clock {
				i := slices.Index(instances, instance)
				if i < 0 {
					t.Errorf("%s has no neighbours here", instance)
				}
				if i%2 == n {
					return clock.Ahead(clock.System(), 2*time.Minute)
				}
				return clock.Ahead(clock.System(), -2*time.Minute)
			}}
			result := start(t, l).drive(t, "skew-00000001", 1, "")
			paysOnce(t, result.Statement)
			balances(t, l)
		})
	}
}
