package recognition_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"huhang.example/services/internal/clock"
	"huhang.example/services/patient/recognition"
)

func TestTheSampleCatalogue(t *testing.T) {
	c := recognition.Sample()
	count := map[string]int{}
	for _, i := range c.Items {
		count[i.Kind]++
	}
	if count[recognition.Lab] != 27 || count[recognition.Imaging] != 6 || len(c.Reasons) != 8 {
		t.Errorf("%v, %d reasons", count, len(c.Reasons))
	}
	for name, text := range map[string]string{
		"no JSON": "{", "no items": `{"version":"1","effective_from":"2026-01-01"}`, "no day": `{"version":"1","effective_from":"soon","items":[{"code":"A","kind":"LAB","zh":"a","en":"a","days":1}]}`,
		"double":   `{"version":"1","effective_from":"2026-01-01","items":[{"code":"A","kind":"LAB","zh":"a","en":"a","days":1},{"code":"A","kind":"LAB","zh":"a","en":"a","days":1}]}`,
		"kind":     `{"version":"1","effective_from":"2026-01-01","items":[{"code":"A","kind":"X","zh":"a","en":"a","days":1}]}`,
		"mistyped": `{"version":"1","effective_from":"2026-01-01","items":[{"code":"A","kind":"LAB","zh":"a","en":"a","days":1,"price":900}]}`, "two": `{"version":"1","effective_from":"2026-01-01","items":[{"code":"A","kind":"LAB","zh":"a","en":"a","days":1}]} {}`,
		"window": `{"version":"1","effective_from":"2026-01-01","items":[{"code":"A","kind":"LAB","zh":"a","en":"a","days":0}]}`,
	} {
		if _, err := recognition.Parse([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), "catalogue") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An operator's catalogue replaces the sample from its day on, and not before.
func TestOpen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "catalogue.json")
	text := `{"version":"REGION-7","effective_from":"2026-11-22","items":[{"code":"ALT","kind":"LAB","zh":"a","en":"a","units":["U/L"],"days":30,"price_fen":900}]}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	day := time.Date(2026, 11, 22, 0, 0, 0, 0, clock.Shanghai)
	c, err := recognition.Open(file, day)
	if err != nil || c.Version != "REGION-7" || c.Items[0].Days != 30 || c.Items[0].Price != 900 {
		t.Errorf("%+v %v", c, err)
	}
	for what, open := range map[string]func() (*recognition.Catalogue, error){
		"the day before": func() (*recognition.Catalogue, error) { return recognition.Open(file, day.Add(-time.Second)) },
		"no such file":   func() (*recognition.Catalogue, error) { return recognition.Open(file+"x", day) },
	} {
		if c, err := open(); err == nil {
			t.Errorf("%s: %+v", what, c)
		}
	}
	if c, err := recognition.Open("", day); err != nil || c.Version != recognition.Sample().Version {
		t.Errorf("%+v %v", c, err)
	}
}

// A result is recognised through the whole last day of its window in Shanghai, and not a moment longer; only recognition
// saves money.
func TestTheWindow(t *testing.T) {
	c := recognition.Sample()
	rapid.Check(t, func(t *rapid.T) {
		item := c.Items[rapid.IntRange(0, len(c.Items)-1).Draw(t, "item")]
		day := time.Date(2026, 6, 1, 0, 0, 0, 0, clock.Shanghai)
		r := &recognition.Result{ItemCode: item.Code, PerformedBy: "H-HF-01", PerformedOn: day.Format(time.DateOnly), Text: "x"}
		if len(item.Units) > 0 {
			v := 1.0
			r.Value, r.Unit, r.Text = &v, item.Units[0], ""
		}
		if err := c.Check(r, "1979-03-12", day); err != nil {
			t.Fatal(err)
		}
		end := day.AddDate(0, 0, item.Days+1)
		now := day.Add(time.Duration(rapid.Int64Range(0, int64(end.Sub(day))*2).Draw(t, "later")))
		j, err := c.Judge(r, recognition.Judgement{Organisation: "C-SH-01", Decision: recognition.Recognised}, now)
		if within := now.Before(end); within != (err == nil) || within && (j.Avoided != item.Price || j.Catalogue != c.Version) {
			t.Fatalf("%s, window of %d days: %+v %v", now.Sub(day), item.Days, j, err)
		}
		j, err = c.Judge(r, recognition.Judgement{Organisation: "C-SH-01", Decision: recognition.RepeatNeeded, Reason: "QUALITY"}, now)
		if err != nil || j.Avoided != 0 {
			t.Fatalf("%+v %v", j, err)
		}
	})
}
