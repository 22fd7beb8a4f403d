package timetable_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"reflect"
	"testing"

	"huhang.example/services/transfer/timetable"
)

// Whatever bytes are uploaded as a zip, the answer is a timetable or what is wrong with it, in bounded memory.
func FuzzReadZip(f *testing.F) {
	var packed bytes.Buffer
	w := zip.NewWriter(&packed)
	for name, text := range good() {
		part, err := w.Create(name)
		if err == nil {
			_, err = part.Write([]byte(text))
		}
		if err != nil {
			f.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(packed.Bytes())
	f.Add(packed.Bytes()[:packed.Len()/2])
	f.Add([]byte("PK"))
	f.Fuzz(func(t *testing.T, archive []byte) {
		table, err := timetable.ReadZip(bytes.NewReader(archive), int64(len(archive)), timetable.Limits{FileBytes: 1 << 16, Rows: 500})
		if (table == nil) == (err == nil) {
			t.Fatalf("%v with %v", table, err)
		}
		if wrong := new(timetable.FeedError); errors.As(err, &wrong) && (len(wrong.Rows) == 0 || len(wrong.Rows) > 100) {
			t.Fatalf("%d complaints", len(wrong.Rows))
		}
	})
}

// What is kept of a timetable is read back as it was, and anything else is refused as corrupt.
func FuzzDecode(f *testing.F) {
	table, err := read(good(), timetable.Limits{})
	if err != nil {
		f.Fatal(err)
	}
	kept := table.Encode()
	f.Add(kept)
	f.Add(kept[:len(kept)-3])
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := timetable.Decode(data)
		if err != nil {
			if table != nil || !errors.Is(err, timetable.ErrCorrupt) {
				t.Fatalf("%v with %v", table, err)
			}
			return
		}
		again, err := timetable.Decode(table.Encode())
		if err != nil || !reflect.DeepEqual(table, again) && !bytes.Equal(table.Encode(), again.Encode()) {
			t.Fatalf("%+v is decoded as %+v, %v", table, again, err)
		}
	})
}

func TestScheduledTimes(t *testing.T) {
	table, err := read(good(), timetable.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	s := table.Schedule()
	for _, c := range []struct {
		trip, day, stop, arrive, depart string
		found                           bool
	}{
		{"T", "20260302", "X", "03-02 23:50", "03-02 23:50", true},
		{"T", "20260302", "Z", "03-03 01:10", "03-03 01:10", true}, // past midnight: the day of the train
		{"T", "20260302", "丙示范站", "03-03 01:10", "03-03 01:10", true},
		{"T", "20260303", "X", "", "", false}, // does not run
		{"T", "20260302", "Q", "", "", false},
		{"Q", "20260302", "X", "", "", false},
		{"T", "tomorrow", "X", "", "", false},
	} {
		arrive, depart, found := s.At(c.trip, c.day, c.stop)
		if found != c.found || found && (arrive.Format("01-02 15:04") != c.arrive || depart.Format("01-02 15:04") != c.depart) {
			t.Errorf("%+v: %v, %v, %v", c, arrive, depart, found)
		}
	}
}
