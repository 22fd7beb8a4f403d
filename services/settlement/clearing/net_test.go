package clearing_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/clearing"
)

func TestNet(t *testing.T) {
	for name, test := range map[string]struct {
		debts     []clearing.Debt
		positions []clearing.Position
		transfers []clearing.Remittance
	}{
		"nothing": {},
		"one debt": {
			[]clearing.Debt{{"340000", "310000", 100}},
			[]clearing.Position{{"310000", 100}, {"340000", -100}},
			[]clearing.Remittance{{"340000", "310000", 100}},
		},
		"both ways": {
			[]clearing.Debt{{"340000", "310000", 100}, {"310000", "340000", 30}},
			[]clearing.Position{{"310000", 70}, {"340000", -70}},
			[]clearing.Remittance{{"340000", "310000", 70}},
		},
		"a circle of equal debts needs no money": {
			[]clearing.Debt{{"110000", "310000", 5}, {"310000", "440000", 5}, {"440000", "110000", 5}}, nil, nil,
		},
		"more was reversed than settled": {
			[]clearing.Debt{{"340000", "310000", -40}},
			[]clearing.Position{{"310000", -40}, {"340000", 40}},
			[]clearing.Remittance{{"310000", "340000", 40}},
		},
		"opposite positions meet": {
			[]clearing.Debt{{"130000", "110000", 60}, {"340000", "310000", 50}, {"360000", "440000", 70}},
			[]clearing.Position{{"110000", 60}, {"130000", -60}, {"310000", 50}, {"340000", -50}, {"360000", -70}, {"440000", 70}},
			[]clearing.Remittance{{"360000", "440000", 70}, {"130000", "110000", 60}, {"340000", "310000", 50}},
		},
	} {
		positions, err := clearing.Net(test.debts)
		if err != nil || !reflect.DeepEqual(positions, test.positions) {
			t.Errorf("%s: %v, %v", name, positions, err)
		}
		if got := clearing.Remit(positions); !reflect.DeepEqual(got, test.transfers) {
			t.Errorf("%s: %v", name, got)
		}
	}
	big := clearing.Debt{Debtor: "340000", Creditor: "310000", Amount: 1<<63 - 1}
	if _, err := clearing.Net([]clearing.Debt{big, big}); !fault.Is(err, fault.AmountOverflow) {
		t.Errorf("beyond an amount's range: %v", err)
	}
}

// Netting loses and makes nothing; transfers settle every position, each province only pays or only receives, and there
// are fewer of them than provinces.
func TestNettingConserves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		code := func(name string) string {
			return fmt.Sprintf("%d0000", 11+rapid.IntRange(0, 30).Draw(t, name))
		}
		var debts []clearing.Debt
		owed := map[string]money.Fen{}
		for range rapid.IntRange(0, 200).Draw(t, "debts") {
			d := clearing.Debt{code("debtor"), code("creditor"), money.Fen(rapid.Int64Range(-1e12, 1e12).Draw(t, "amount"))}
			debts = append(debts, d)
			owed[d.Creditor] += d.Amount
			owed[d.Debtor] -= d.Amount
		}
		positions, err := clearing.Net(debts)
		if err != nil {
			t.Fatal(err)
		}
		var sum money.Fen
		for _, p := range positions {
			sum += p.Amount
			if p.Amount == 0 || owed[p.Province] != p.Amount {
				t.Fatalf("%s has %s, not %s", p.Province, p.Amount, owed[p.Province])
			}
		}
		if sum != 0 || !slices.IsSortedFunc(positions, func(a, b clearing.Position) int {
			if a.Province < b.Province {
				return -1
			}
			return 1
		}) {
			t.Fatalf("positions sum to %s", sum)
		}
		transfers := clearing.Remit(positions)
		if len(positions) > 0 && len(transfers) >= len(positions) {
			t.Fatalf("%d transfers for %d provinces", len(transfers), len(positions))
		}
		for _, r := range transfers {
			if r.Amount <= 0 || owed[r.Payer] >= 0 || owed[r.Payee] <= 0 {
				t.Fatalf("%+v with %s and %s left", r, owed[r.Payer], owed[r.Payee])
			}
			owed[r.Payer] += r.Amount
			owed[r.Payee] -= r.Amount
		}
		for province, left := range owed {
			if left != 0 {
				t.Fatalf("%s keeps %s", province, left)
			}
		}
	})
}
