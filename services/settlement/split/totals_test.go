package split_test

import (
	"slices"
	"strings"
	"testing"

	"huhang.example/services/internal/fault"
	"huhang.example/services/internal/money"
	"huhang.example/services/settlement/split"
)

// What cannot be on a bill is refused with the line and the field it stands in.
func TestAddRefuses(t *testing.T) {
	c, ok := book(t).Catalogue("310000", day)
	if !ok {
		t.Fatal("no catalogue")
	}
	good := []split.Line{
		{Number: 1, Item: "S-BED", Price: 10_000, QuantityMilli: 2000, Amount: 20_000},
		{Number: 2, Item: "S-BED", Price: 10_000, QuantityMilli: 1000, Amount: -10_000, RefundOf: 1},
	}
	if x, err := split.Add(good, c, 3); err != nil || x.Total != 10_000 {
		t.Fatal(x, err)
	}
	for name, test := range map[string]struct {
		level  int
		change func(l []split.Line)
		reason fault.Reason
		field  string
	}{
		"level 0":               {0, func([]split.Line) {}, fault.FieldInvalid, "level"},
		"level 4":               {4, func([]split.Line) {}, fault.FieldInvalid, "level"},
		"negative price":        {3, func(l []split.Line) { l[0].Price, l[0].Amount = -10_000, -20_000 }, fault.FieldInvalid, "lines[0].price"},
		"negative quantity":     {3, func(l []split.Line) { l[0].QuantityMilli, l[0].Amount = -2000, -20_000 }, fault.FieldInvalid, "lines[0].quantity_milli"},
		"negative amount":       {3, func(l []split.Line) { l[0].Amount = -20_000 }, fault.FieldInvalid, "lines[0].amount"},
		"a fen too much":        {3, func(l []split.Line) { l[0].Amount++ }, fault.FieldInvalid, "lines[0].amount"},
		"a refund that adds":    {3, func(l []split.Line) { l[1].Amount = 10_000 }, fault.FieldInvalid, "lines[1].amount"},
		"refund of nothing":     {3, func(l []split.Line) { l[1].RefundOf = 7 }, fault.RefundInvalid, "lines[1].refund_of"},
		"refund of a refund":    {3, func(l []split.Line) { l[1].RefundOf = 2 }, fault.RefundInvalid, "lines[1].refund_of"},
		"refund beyond":         {3, func(l []split.Line) { l[1].QuantityMilli, l[1].Amount = 2001, -20_010 }, fault.RefundInvalid, "lines[0].refund_of"},
		"price out of range":    {3, func(l []split.Line) { l[0].Price = 1 << 60 }, fault.FieldInvalid, "lines[0].price"},
		"quantity out of range": {3, func(l []split.Line) { l[0].QuantityMilli = 1 << 60 }, fault.FieldInvalid, "lines[0].quantity_milli"},
		"charge out of range": {3, func(l []split.Line) {
			l[0].Price, l[0].QuantityMilli, l[0].Amount = 1_000_000_000_000_000, 100_000, 100_000_000_000_000_000
		}, fault.AmountOverflow, "lines"},
		"refund out of range": {3, func(l []split.Line) {
			l[1].Price, l[1].QuantityMilli, l[1].Amount = 1_000_000_000_000_000, 100_000, -100_000_000_000_000_000
		}, fault.AmountOverflow, "lines"},
		"sum out of range": {3, func(l []split.Line) {
			l[0] = split.Line{Number: 1, Item: "S-BED", Price: 1_000_000_000_000_000, QuantityMilli: 1000, Amount: 1_000_000_000_000_000}
			l[1] = split.Line{Number: 2, Item: "S-BED", Price: 1, QuantityMilli: 1000, Amount: 1}
		}, fault.AmountOverflow, "lines"},
	} {
		t.Run(name, func(t *testing.T) {
			lines := slices.Clone(good)
			test.change(lines)
			x, err := split.Add(lines, c, test.level)
			f, ok := fault.As(err)
			if !ok || f.Reason != test.reason || f.Field != test.field {
				t.Fatalf("%+v, %v; want %s at %s", x, err, test.reason, test.field)
			}
		})
	}
}

// Price limits and shares go by the hospital's level and the charge less its refunds, wherever these stand.
func TestRefundsInAnyOrder(t *testing.T) {
	c, _ := book(t).Catalogue("310000", day)
	line := func(number int32, quantity int64, of int32) split.Line {
		l := split.Line{Number: number, Item: "S-CONS", Price: 1_500_000, QuantityMilli: quantity, RefundOf: of}
		l.Amount, _ = split.Charge(l.Price, quantity)
		if of != 0 {
			l.Amount = -l.Amount
		}
		return l
	}
	lines := []split.Line{line(40, 3000, 0), line(41, 1000, 40), line(7, 2000, 0), line(90, 500, 7), line(91, 1000, 40), line(20, 1000, 0)}
	want, err := split.Add(lines, c, 3)
	// 1,000 + 1,500 + 1,000 pieces less refunds: 3.5 at 15,000, limit 12,000, 30 % first.
	if err != nil || want.Total != 5_250_000 || want.OverLimit != 1_050_000 || want.ClassB != 1_260_000 {
		t.Fatalf("%+v, %v", want, err)
	}
	if low, err := split.Add(lines, c, 1); err != nil || low.OverLimit != money.Fen(1_890_000) {
		t.Errorf("at the first level the limit is 9,600: %+v, %v", low, err)
	}
	var adder split.Adder
	for range lines {
		lines = append(lines[1:], lines[0])
		if x, err := adder.Add(lines, c, 3); err != nil || x != want {
			t.Fatalf("%+v, %v", x, err)
		}
	}
	if strings.Count(want.CatalogueDigest, "") != 65 {
		t.Errorf("the catalogue is not pinned: %q", want.CatalogueDigest)
	}
}
