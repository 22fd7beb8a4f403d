package directory

import (
	"strings"
	"testing"
	"time"
)

func TestQuota(t *testing.T) {
	q := Quota{Resource: Bed, Period: PerMonth, Units: 41, Share: 2000, ValidFrom: "2026-01-01", ValidTo: "2026-12-31"}
	if q.Reserved() != 9 { // 8.2: a promise is not rounded away
		t.Errorf("reserved %d", q.Reserved())
	}
	if most := (Quota{Units: maxCount, Share: basisPoints}).Reserved(); most != maxCount {
		t.Errorf("all of it is %d", most)
	}
	sunday := time.Date(2026, 11, 22, 15, 59, 0, 0, time.UTC) // 23:59 in Shanghai
	for period, want := range map[string][2]string{
		PerDay: {"2026-11-22", "2026-11-23"}, PerWeek: {"2026-11-16", "2026-11-23"}, PerMonth: {"2026-11-01", "2026-11-01"},
	} {
		q.Period = period
		if got := [2]string{q.Begins(sunday), q.Begins(sunday.Add(time.Minute))}; got != want {
			t.Errorf("%s: %v", period, got)
		}
	}
	c := &Center{Quotas: []Quota{
		{Resource: Bed, Period: PerWeek, Units: 10, Share: 2000, ValidFrom: "2026-01-01", ValidTo: "2026-12-31"},
		{Resource: Bed, Organ: "LIVER", Period: PerWeek, Units: 4, Share: 5000, ValidFrom: "2026-06-01", ValidTo: "2026-12-31"},
	}}
	for _, test := range []struct {
		resource, organ, day string
		units                int32
	}{
		{Bed, "LIVER", "2026-05-31", 10}, {Bed, "LIVER", "2026-06-01", 4}, {Bed, "HEART", "2026-06-01", 10}, {Bed, "LIVER", "2027-01-01", 0}, {Test, "LIVER", "2026-06-01", 0},
	} {
		got := int32(0)
		if q := c.Quota(test.resource, test.organ, test.day); q != nil {
			got = q.Units
		}
		if got != test.units {
			t.Errorf("%+v: %d", test, got)
		}
	}
	if err := CheckQuotas(c.Quotas); err != nil {
		t.Error(err)
	}
	if err := CheckQuotas(append(c.Quotas, c.Quotas[1])); err == nil || !strings.Contains(err.Error(), "same days") {
		t.Errorf("two promises of one thing: %v", err)
	}
}

func TestRevoked(t *testing.T) {
	l := Licence{ValidFrom: "2024-01-01", ValidTo: "2028-12-31", Revoked: true}
	if l.Covers("2026-11-22") {
		t.Error("a revoked licence covers nothing")
	}
	back := l
	if back.Revoked = false; l.MayBecome(back) {
		t.Error("a revoked licence came back")
	}
	back.ValidFrom = "2024-01-02"
	if !l.MayBecome(back) || !back.MayBecome(l) {
		t.Error("another licence is another licence")
	}
}
