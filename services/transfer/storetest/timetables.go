package storetest

import (
	"bytes"
	"context"
	"testing"
	"time"

	"huhang.example/services/internal/fault"
	"huhang.example/services/transfer"
)

func timetables(t *testing.T, s transfer.Store) {
	ctx := context.Background()
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for i, feed := range []string{"rail", "air", "rail"} {
		v := transfer.TimetableVersion{ID: "ttv_" + string(rune('a'+i)), Feed: feed, Version: "v", Trips: i, ImportTime: at, LastDay: "20261231"}
		if err := s.InsertTimetable(ctx, v, []byte{0, 1, byte(i)}); err != nil {
			t.Fatal(err)
		}
	}
	list, err := s.TimetableVersions(ctx, "", 0, 10)
	if err != nil || len(list) != 3 || list[0].ID != "ttv_c" || list[2].ID != "ttv_a" || list[0].Trips != 2 || !list[0].ImportTime.Equal(at) {
		t.Fatalf("%+v, %v", list, err)
	}
	if rail, err := s.TimetableVersions(ctx, "rail", list[0].Sequence, 10); err != nil || len(rail) != 1 || rail[0].ID != "ttv_a" {
		t.Fatalf("%+v, %v", rail, err)
	}
	if compact, err := s.CompactTimetable(ctx, "ttv_b"); err != nil || !bytes.Equal(compact, []byte{0, 1, 1}) {
		t.Fatalf("%v, %v", compact, err)
	}
	if _, err := s.CompactTimetable(ctx, "ttv_x"); !fault.Is(err, fault.ReasonNotFound) {
		t.Fatal(err)
	}
	if _, err := s.TimetableVersion(ctx, "ttv_x"); !fault.Is(err, fault.ReasonNotFound) {
		t.Fatal(err)
	}
	add := func(etag, id, day string) error {
		_, err := s.ChangeActivations(ctx, etag, &transfer.Activation{VersionID: id, Feed: "rail", Day: day, At: at}, 0)
		return err
	}
	if err := add("1", "ttv_a", "20260301"); err != nil {
		t.Fatal(err)
	}
	if err := add("1", "ttv_c", "20260401"); !fault.Is(err, fault.StaleVersion) {
		t.Fatalf("a stale etag: %v", err)
	}
	if err := add("2", "ttv_c", "20260401"); err != nil {
		t.Fatal(err)
	}
	standing, edition, err := s.Activations(ctx)
	if err != nil || edition != 3 || len(standing) != 2 || standing[1].VersionID != "ttv_c" || !standing[1].At.Equal(at) {
		t.Fatalf("%+v at %d, %v", standing, edition, err)
	}
	if _, err := s.ChangeActivations(ctx, "3", nil, standing[1].Sequence); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ChangeActivations(ctx, "4", nil, standing[1].Sequence); !fault.Is(err, fault.StaleVersion) {
		t.Fatalf("withdrawn twice: %v", err)
	}
	if standing, edition, err = s.Activations(ctx); err != nil || edition != 4 || len(standing) != 1 {
		t.Fatalf("%+v at %d, %v", standing, edition, err)
	}
}
