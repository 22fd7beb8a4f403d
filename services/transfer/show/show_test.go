package show_test

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"

	"huhang.example/services/transfer"
	"huhang.example/services/transfer/planner"
	"huhang.example/services/transfer/show"
	"huhang.example/services/transfer/storetest"
)

func live() transfer.Live {
	t := storetest.Transfer("H-HF-01", "C-SH-01", storetest.Now.Add(time.Hour))
	t.Status, t.PatientID, t.DepartedTime = transfer.InTransit, "pat_secret", storetest.Now
	t.Fitness = planner.Fitness{Ventilated: true}
	t.Itinerary.Legs = append([]planner.Leg{{
		Mode: planner.RoadAmbulance, From: planner.Place{Name: `<script>"甲"&`, Lat: 30, Lon: 110}, To: t.Itinerary.Legs[0].From,
		Depart: storetest.Now, Arrive: storetest.Now.Add(time.Hour), Km: 40,
	}}, t.Itinerary.Legs...)
	return transfer.Live{
		Transfer: t, Legs: t.Itinerary.Legs, Current: 1, AsOf: storetest.Now.Add(90 * time.Minute), Arrive: t.Itinerary.Arrive,
		Position: transfer.Position{Lat: 30.5, Lon: 110.5},
	}
}

// A picture is well-formed, tells in words what it shows, loads nothing and knows nothing of the patient.
func TestPictures(t *testing.T) {
	for name, draw := range map[string]func(transfer.Live, show.Language) []byte{"strip": show.Strip, "map": show.Map} {
		for _, l := range []show.Language{show.Chinese, show.English} {
			empty := live()
			empty.Legs = nil
			for _, one := range []transfer.Live{live(), empty} {
				text := string(draw(one, l))
				decoder, depth := xml.NewDecoder(strings.NewReader(text)), 0
				for {
					token, err := decoder.Token()
					if errors.Is(err, io.EOF) {
						break
					}
					if err != nil {
						t.Fatalf("%s: %v\n%s", name, err, text)
					}
					if start, ok := token.(xml.StartElement); ok {
						depth++
						if start.Name.Local == "script" || start.Name.Local == "image" {
							t.Errorf("%s has an element %s", name, start.Name.Local)
						}
					}
				}
				for _, must := range []string{`role="img"`, `aria-labelledby="t d"`, "<title id=\"t\">", "<desc id=\"d\">", "H-HF-01"} {
					if !strings.Contains(text, must) {
						t.Errorf("%s lacks %s", name, must)
					}
				}
				if regexp.MustCompile(`pat_|href|url\(|http(s)?://(?:[^w]|w[^w])|ref_|E4`).MatchString(strings.Replace(text, `xmlns="http://www.w3.org/2000/svg"`, "", 1)) {
					t.Errorf("%s loads or tells something: %s", name, text)
				}
			}
		}
	}
	if !strings.Contains(string(show.Strip(live(), show.English)), "on the way") || !strings.Contains(string(show.Strip(live(), show.Chinese)), "途中") {
		t.Error("the language is not the one asked for")
	}
}

// A calendar reads as RFC 5545 asks, by another reader, and the family's has no medical fact.
func TestCalendars(t *testing.T) {
	for _, whose := range []show.Audience{show.Crew, show.Family} {
		text := show.Calendar(live(), show.Chinese, whose)
		for line := range strings.SplitSeq(strings.TrimSuffix(string(text), "\r\n"), "\r\n") {
			if len(line) > 75 || strings.ContainsAny(line, "\r\n") {
				t.Errorf("a line of %d octets: %q", len(line), line)
			}
		}
		cal, err := ics.ParseCalendar(strings.NewReader(string(text)))
		if err != nil || len(cal.Events()) != 2 {
			t.Fatalf("%v in %s", err, text)
		}
		seen := map[string]bool{}
		for i, e := range cal.Events() {
			start, err1 := e.GetStartAt()
			end, err2 := e.GetEndAt()
			if err1 != nil || err2 != nil || !start.Equal(live().Legs[i].Depart) || !end.Equal(live().Legs[i].Arrive) || seen[e.Id()] {
				t.Errorf("event %d: %v to %v, %v %v", i, start, end, err1, err2)
			}
			seen[e.Id()] = true
		}
		whole := string(text)
		if strings.Contains(whole, "pat_") {
			t.Error("the patient's number is in it")
		}
		if whose == show.Family && regexp.MustCompile(`救护|ambulance|E[0-4]|护送|hld_|H-HF|C-SH|DESCRIPTION`).MatchString(whole) {
			t.Errorf("the family's calendar tells: %s", whole)
		}
	}
	over := live()
	over.Transfer.Status = transfer.Aborted
	if !strings.Contains(string(show.Calendar(over, show.English, show.Crew)), "STATUS:CANCELLED") {
		t.Error("what was cancelled still stands")
	}
}
