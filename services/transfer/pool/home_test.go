package pool_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"huhang.example/services/transfer/pool"
)

// The way is a crew's from 0 to 8, with the ambulance of the first road from 0 to 2, and the receiver's from 5 to 7: it sets out
// to fetch the patient at 5 and has them from 6 on.
func TestWhoStaysWithAPatientWhoIsTakenElsewhere(t *testing.T) {
	team := pool.Reservation{Kind: pool.Crew, For: "H-1", Interval: hours(0, 8)}
	first := pool.Reservation{Kind: pool.Ambulance, For: "H-1", Interval: hours(0, 2)}
	last := pool.Reservation{Kind: pool.Ambulance, For: "C-1", Interval: hours(5, 7)}
	all := []pool.Reservation{team, first, last}
	hour := func(n int) time.Time { return now.Add(time.Duration(n) * time.Hour) }
	for name, c := range map[string]struct {
		at, home        int
		arrived, aboard bool
		// until when it stays taken, and at most; not after at is free.
		team, first, last [2]int
	}{
		"handed over in time":           {at: 6, home: 12, arrived: true, team: [2]int{8, 12}, first: [2]int{2, 2}, last: [2]int{6, 6}},
		"refused at the door in time":   {at: 7, home: 14, aboard: true, team: [2]int{8, 14}, first: [2]int{2, 2}, last: [2]int{7, 14}},
		"refused at the door, late":     {at: 9, home: 18, aboard: true, team: [2]int{8, 18}, first: [2]int{2, 2}, last: [2]int{7, 18}},
		"diverted before it set out":    {at: 4, home: 8, aboard: true, team: [2]int{8, 8}, first: [2]int{2, 2}, last: [2]int{4, 4}},
		"diverted while it still waits": {at: 5, home: 10, aboard: true, team: [2]int{8, 10}, first: [2]int{2, 2}, last: [2]int{5, 5}},
		"diverted with the patient":     {at: 6, home: 12, aboard: true, team: [2]int{8, 12}, first: [2]int{2, 2}, last: [2]int{7, 12}},
		"turned back on the first road": {at: 1, home: 2, team: [2]int{2, 2}, first: [2]int{2, 2}, last: [2]int{1, 1}},
		"turned back near the end":      {at: 6, home: 12, team: [2]int{8, 12}, first: [2]int{2, 2}, last: [2]int{7, 7}},
	} {
		way := pool.WayHome{Home: hour(c.home), Arrived: c.arrived, Aboard: c.aboard, Receiver: "C-1"}
		for i, want := range [][2]int{c.team, c.first, c.last} {
			until, most := way.Stays(all[i], all, hour(c.at))
			if !until.Equal(hour(want[0])) || !most.Equal(hour(want[1])) {
				t.Errorf("%s: %s of %s until %s, at most %s; want %v", name, all[i].Kind, all[i].For, until.Sub(now), most.Sub(now), want)
			}
		}
	}
}

// Who is at the door before the ambulance was due there lies in it all the same.
func TestWhoIsAtTheDoorWasFetched(t *testing.T) {
	last := pool.Reservation{Kind: pool.Ambulance, For: "C-1", Interval: hours(5, 9)}
	at, home := hours(6, 12).Start, hours(6, 12).End
	way := pool.WayHome{Home: home, Aboard: true, Receiver: "C-1"}
	if _, most := way.Stays(last, []pool.Reservation{last}, at); !most.Equal(last.End) {
		t.Errorf("diverted on the train: until %s", most)
	}
	way.AtDoor = true
	if _, most := way.Stays(last, []pool.Reservation{last}, at); !most.Equal(home) {
		t.Errorf("refused at the door: until %s", most)
	}
}

// However it ends: what has not begun is free, and who may have the patient aboard is not before the time they were held for.
func TestNobodyWithAPatientIsFree(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := func(name string, from, to int) int { return rapid.IntRange(from, to).Draw(r, name) }
		begin, length := n("begin", 0, 10), n("length", 1, 10)
		one := pool.Reservation{
			Kind: rapid.SampledFrom([]pool.Kind{pool.Crew, pool.Ambulance}).Draw(r, "kind"), For: rapid.SampledFrom([]string{"H-1", "C-1"}).Draw(r, "for"),
			Interval: hours(begin, begin+length),
		}
		team := pool.Reservation{Kind: pool.Crew, For: "H-1", Interval: hours(0, n("team", 1, 20))}
		at := hours(n("at", 0, 24), 99).Start
		way := pool.WayHome{Home: at.Add(at.Sub(now)), Receiver: "C-1", Aboard: rapid.Bool().Draw(r, "aboard")}
		way.Arrived = !way.Aboard && rapid.Bool().Draw(r, "arrived")
		until, most := way.Stays(one, []pool.Reservation{one, team}, at)
		switch {
		case most.Before(until):
			r.Fatalf("until %s, at most %s", until, most)
		case !one.Start.Before(at) && most.After(at):
			r.Fatalf("%+v has not begun at %s and stays until %s", one, at, most)
		case way.Aboard && one.Start.Before(at) && until.Before(one.End):
			r.Fatalf("%+v is with the patient at %s and free at %s", one, at, until)
		case way.Aboard && way.Fetches(one) && !at.Before(one.End) && most.Before(way.Home):
			r.Fatalf("%+v is with the patient at %s and free at %s", one, at, most)
		}
	})
}
