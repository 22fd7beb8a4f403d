package timetable

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
)

// magic begins the compact form; another layout gets another number, and the old one stays readable.
const magic = "HHTT2\n"

// unnumbered began the form before, which did not keep the calls' numbers.
const unnumbered = "HHTT1\n"

// ErrCorrupt is what Decode answers to bytes that Encode did not write.
var ErrCorrupt = errors.New("timetable: not an encoded timetable")

// Encode writes a timetable that was read from a feed in the compact form in which a version is kept: equal timetables
// give equal bytes.
func (t *Timetable) Encode() []byte {
	var w writer
	w.text(t.Version)
	w.number(int64(t.LeftOut))
	w.number(int64(len(t.Stops)))
	for _, s := range t.Stops {
		w.text(s.ID)
		w.text(s.Name)
		w.number(int64(math.Float64bits(s.Lat)))
		w.number(int64(math.Float64bits(s.Lon)))
		w.number(int64(s.MinChange))
		w.text(s.Parent)
	}
	w.number(int64(len(t.Services)))
	for _, s := range t.Services {
		w.text(s.ID)
		w.text(s.From)
		w.text(s.To)
		for _, runs := range s.Weekdays {
			w.flag(runs)
		}
		days := slices.Sorted(maps.Keys(s.Exception))
		w.number(int64(len(days)))
		for _, day := range days {
			w.text(day)
			w.flag(s.Exception[day])
		}
	}
	w.number(int64(len(t.Trips)))
	for trip, list := range t.ByTrip() {
		one := t.Trips[trip]
		w.text(one.ID)
		w.text(one.Number)
		w.number(int64(one.Kind))
		w.number(int64(one.Service))
		w.flag(one.NoWheelchair)
		w.number(int64(len(list)))
		now := int32(0)
		for _, i := range list {
			c := &t.Connections[i]
			w.number(int64(c.From))
			w.number(int64(c.To))
			w.number(int64(c.Depart - now))
			w.number(int64(c.Arrive - c.Depart))
			w.flag(c.NoBoard)
			w.flag(c.NoAlight)
			w.number(int64(c.FromSequence))
			w.number(int64(c.ToSequence - c.FromSequence))
			now = c.Arrive
		}
	}
	w.number(int64(len(t.Footpaths)))
	for _, f := range t.Footpaths {
		w.number(int64(f.From))
		w.number(int64(f.To))
		w.number(int64(f.Seconds))
		w.flag(f.Forbidden)
	}
	var out bytes.Buffer
	out.WriteString(magic)
	squeezed, err := flate.NewWriter(&out, flate.BestCompression)
	if err == nil {
		_, err = squeezed.Write(w.bytes)
	}
	if err == nil {
		err = squeezed.Close()
	}
	if err != nil {
		panic("timetable: " + err.Error()) // neither the level nor a buffer fails
	}
	return out.Bytes()
}

type writer struct{ bytes []byte }

func (w *writer) number(n int64) { w.bytes = binary.AppendVarint(w.bytes, n) }

func (w *writer) text(s string) {
	w.number(int64(len(s)))
	w.bytes = append(w.bytes, s...)
}

func (w *writer) flag(b bool) {
	n := byte(0)
	if b {
		n = 1
	}
	w.bytes = append(w.bytes, n)
}

// maxDecoded bounds what a compact form may unpack to.
const maxDecoded = 1 << 30

// Decode reads what Encode wrote: the error is ErrCorrupt, with what was wrong.
func Decode(data []byte) (t *Timetable, err error) {
	numbered := bytes.HasPrefix(data, []byte(magic))
	if !numbered && !bytes.HasPrefix(data, []byte(unnumbered)) {
		return nil, ErrCorrupt
	}
	plain, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(data[len(magic):])), maxDecoded+1))
	if err != nil || len(plain) > maxDecoded {
		return nil, errors.Join(ErrCorrupt, err)
	}
	r := &unpacker{bytes: plain, numbered: numbered}
	defer func() {
		if r.bad != "" {
			t, err = nil, fmt.Errorf("%w: %s", ErrCorrupt, r.bad)
		}
	}()
	t = &Timetable{Version: r.text(), LeftOut: int(r.within(0, math.MaxInt32))}
	for range r.count() {
		t.Stops = append(t.Stops, Stop{
			ID: r.text(), Name: r.text(), Lat: math.Float64frombits(uint64(r.number())), Lon: math.Float64frombits(uint64(r.number())),
			MinChange: int32(r.within(0, DaySeconds)), Parent: r.text(),
		})
	}
	for range r.count() {
		s := Service{ID: r.text(), From: r.text(), To: r.text()}
		for i := range s.Weekdays {
			s.Weekdays[i] = r.flag()
		}
		for n := range r.count() {
			if n == 0 {
				s.Exception = map[string]bool{}
			}
			day := r.text()
			s.Exception[day] = r.flag()
		}
		t.Services = append(t.Services, s)
	}
	for trip := range int32(r.count()) {
		r.trip(t, trip)
	}
	for range r.count() {
		t.Footpaths = append(t.Footpaths, Footpath{
			From: r.index(len(t.Stops)), To: r.index(len(t.Stops)), Seconds: int32(r.within(0, DaySeconds)), Forbidden: r.flag(),
		})
	}
	if len(r.bytes) > 0 {
		r.fail("goes on after its end")
	}
	if r.bad == "" {
		t.finish()
	}
	return t, nil
}
