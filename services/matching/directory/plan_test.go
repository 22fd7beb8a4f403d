package directory

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func sampleCenters() []*Center { return Sample().Centers(at) }

// table writes centers, changed as wanted, and reads them again.
func table(t *testing.T, change func(rows []Record)) Table {
	t.Helper()
	rows := records(sampleCenters())
	change(rows)
	var out strings.Builder
	w := csv.NewWriter(&out)
	_ = w.Write(Columns())
	for _, r := range rows {
		fields := make([]string, 0, len(columns))
		for _, c := range columns {
			fields = append(fields, r[c.name])
		}
		_ = w.Write(fields)
	}
	w.Flush()
	got, bad := ReadCSV(out.String())
	if bad != nil {
		t.Fatal(bad)
	}
	return got
}

// Each bad row is named by itself with its column and reason; the good ones stay good.
func TestBadRows(t *testing.T) {
	total := len(records(sampleCenters()))
	set := func(i int, column, value string) func([]Record) {
		return func(rows []Record) { rows[i][column] = value }
	}
	both := func(changes ...func([]Record)) func([]Record) {
		return func(rows []Record) {
			for _, change := range changes {
				change(rows)
			}
		}
	}
	for _, test := range []struct {
		name   string
		change func([]Record)
		row    int
		column string
		want   string
	}{
		{"no center", set(2, "center_id", "H-XX-01"), 3, "center_id", "C-SH-01"},
		{"no name", set(0, "name_zh", ""), 1, "name_zh", "required"},
		{"a formula", set(0, "name_en", "=1+1"), 1, "name_en", "begins with"},
		{"a tab", set(0, "name_en", "a\tb"), 1, "name_en", "control"},
		{"spaces", set(0, "name_en", " a"), 1, "name_en", "space"},
		{"no line", set(0, "line", "xyz"), 1, "line", "jjj"},
		{"no city", set(0, "city", "999999"), 1, "city", "GB/T 2260"},
		{"an etag of words", set(0, "etag", "one"), 1, "etag", "version"},
		{"a stale etag", set(0, "etag", "7"), 1, "etag", "its version is 1"},
		{"no etag for what is there", set(0, "etag", ""), 1, "etag", "give its version"},
		{"an etag for what is new", both(set(0, "center_id", "C-NEW-01"), set(0, "etag", "1")), 1, "etag", "no such center"},
		{"no organ of ours", set(1, "organ", "TAIL"), 2, "organ", "KIDNEY"},
		{"no day", set(1, "licence_from", "2026-02-30"), 2, "licence_from", "a day"},
		{"no end", set(1, "licence_to", ""), 2, "licence_to", "required"},
		{"ends before", set(1, "licence_to", "2020-01-01"), 2, "licence_to", "before it begins"},
		{"neither true nor false", set(1, "open", "yes"), 2, "open", "true or false"},
		{"an age of letters", set(1, "min_age", "old"), 2, "min_age", "whole number"},
		{"an age with a sign", set(1, "min_age", "+5"), 2, "min_age", "whole number"},
		{"ages crossed", both(set(1, "min_age", "60"), set(1, "max_age", "50")), 2, "max_age", "below"},
		{"BMI in grams", set(1, "max_bmi", "35000"), 2, "max_bmi", "10 to 100"},
		{"BMI of nothing", set(1, "max_bmi", "NaN"), 2, "max_bmi", "10 to 100"},
		{"an infection of none", set(1, "infections", "COLD:ACCEPTS"), 2, "infections", "such as"},
		{"an infection twice", set(1, "infections", "HBV:ACCEPTS;HBV:EXCLUDES"), 2, "infections", "such as"},
		{"HCC of a kidney", set(1, "hcc_set", "MILAN"), 2, "hcc_set", "liver only"},
		{"a sixth tier", set(1, "survival_tier", "6"), 2, "survival_tier", "0 to 5"},
		{"a volume below nothing", set(1, "volume", "-1"), 2, "volume", "whole number"},
		{"half a capacity", set(1, "capacity_as_of", ""), 2, "capacity_as_of", "by whom"},
		{"capacity of tomorrow", set(1, "capacity_as_of", "2026-11-23T04:00:00Z"), 2, "capacity_as_of", "future"},
		{"a quota of a thumb", set(0, "reserve_quotas", "THUMB::DAY:1:1:2026-01-01:2026-12-31"), 1, "reserve_quotas", "resource"},
		{"a quota of a word", set(0, "reserve_quotas", "BED"), 1, "reserve_quotas", "such as"},
		{"another city in the next row", set(1, "city", "120100"), 2, "city", "differs from row 1"},
		{"twice", func(rows []Record) { rows[1]["organ"] = "LIVER" }, 2, "organ", "row 1 already"},
	} {
		plan := MakePlan(table(t, test.change), sampleCenters(), at)
		if len(plan.Rejected) != 1 {
			t.Errorf("%s: %+v", test.name, plan.Rejected)
			continue
		}
		r := plan.Rejected[0]
		if r.Row != test.row || r.Column != test.column || !strings.Contains(r.En, test.want) || r.Zh == "" || r.Zh == r.En {
			t.Errorf("%s: %+v", test.name, r)
		}
		if plan.Accepted() != total-1 || len(plan.Changed)+len(plan.New) != 0 {
			t.Errorf("%s: %d of %d rows are good, %d centers changed", test.name, plan.Accepted(), total, len(plan.Changed))
		}
	}
}

func TestBadTables(t *testing.T) {
	header := strings.Join(Columns(), ",")
	for _, test := range []struct{ name, content, want string }{
		{"nothing", "", "no header"},
		{"a column of none", header + ",donor", "donor"},
		{"a column twice", header + ",city", "city"},
		{"a column missing", strings.Replace(header, ",city", "", 1), "city"},
		{"rows without end", header + strings.Repeat("\nx", MaxRows+1), "more than"},
	} {
		if _, bad := ReadCSV(test.content); bad == nil || bad.Row != 0 || !strings.Contains(bad.En, test.want) {
			t.Errorf("%s: %+v", test.name, bad)
		}
	}
	for _, test := range []struct{ name, content, want string }{
		{"nothing", "", "not a JSON array"},
		{"an object", "{}", "not a JSON array"},
		{"half", `[{"center_id":"C-AA-01"}`, "does not end"},
		{"more", `[] []`, "follows"},
		{"broken", `[{]`, "row 1"},
		{"rows without end", "[" + strings.Repeat("1,", MaxRows) + "1]", "more than"},
	} {
		if _, bad := ReadJSON(test.content); bad == nil || !strings.Contains(bad.En, test.want) {
			t.Errorf("%s: %+v", test.name, bad)
		}
	}
	for _, test := range []struct{ name, content, column, want string }{
		{"a short row", header + "\nC-AA-01", "", "fields"},
		{"open quotes", header + "\n\"C-AA-01", "", "quotes"},
	} {
		got, bad := ReadCSV(test.content)
		if bad != nil {
			t.Fatal(bad)
		}
		if r := MakePlan(got, nil, at).Rejected; len(r) != 1 || r[0].Row != 1 || !strings.Contains(r[0].En, test.want) {
			t.Errorf("%s: %+v", test.name, r)
		}
	}
	for _, test := range []struct{ name, content, column string }{
		{"a number for a row", `[7]`, ""}, {"a list for a value", `[{"city":[]}]`, "city"}, {"a donor", `[{"donor":1}]`, "donor"}, {"twice", `[{"line":"csj","line":"csj"}]`, "line"},
	} {
		got, bad := ReadJSON(test.content)
		if bad != nil {
			t.Fatal(bad)
		}
		if r := MakePlan(got, nil, at).Rejected; !slices.ContainsFunc(r, func(r Rejected) bool { return r.Row == 1 && r.Column == test.column }) {
			t.Errorf("%s: %+v", test.name, r)
		}
	}
}

// A revoked licence does not come back through a table.
func TestRevokedStays(t *testing.T) {
	centers := sampleCenters()
	centers[0].Programs[0].Licence.Revoked = true
	read := table(t, func([]Record) {})
	if r := MakePlan(read, centers, at).Rejected; len(r) != 1 || r[0].Column != "licence_revoked" || r[0].CenterID != "C-BJ-01" {
		t.Fatalf("%+v", r)
	}
	later := table(t, func(rows []Record) { rows[0]["licence_from"] = "2026-06-01" })
	if r := MakePlan(later, centers, at).Rejected; len(r) != 0 {
		t.Fatalf("%+v", r)
	}
}

// A new center, a new program and a changed value are told apart, and nothing else is touched.
func TestPlan(t *testing.T) {
	before := sampleCenters()
	plan := MakePlan(table(t, func(rows []Record) {
		rows[1]["center_id"], rows[1]["etag"] = "C-NEW-01", ""
		rows[2]["volume"] = "61"
		rows[4]["organ"], rows[4]["hcc_set"] = "PANCREAS", ""
	}), before, at)
	if len(plan.Rejected) != 0 || plan.Added != 2 || plan.Edited != 1 || len(plan.New) != 1 || len(plan.Changed) != 2 {
		t.Fatalf("%+v", plan)
	}
	if c := plan.Changed[0]; c.ID != "C-BJ-01" || c.Program("HEART").Volume != 61 || c.Program("KIDNEY") == nil || c.Version != 1 {
		t.Fatalf("%+v", c)
	}
	if c := plan.Changed[1]; c.ID != "C-BJ-02" || c.Program("PANCREAS") == nil || c.Program("LIVER") == nil {
		t.Fatalf("%+v", c)
	}
	if !reflect.DeepEqual(before, sampleCenters()) {
		t.Fatal("making a plan changed the directory")
	}
	if got := Changes(before[0], plan.Changed[0]); !reflect.DeepEqual(got, []Change{{"HEART", "volume", "60", "61"}}) {
		t.Fatalf("%+v", got)
	}
	if got := Changes(nil, plan.New[0]); len(got) < 10 {
		t.Fatalf("%+v", got)
	}
}

func drawCenters(t *rapid.T) []*Center {
	centers := sampleCenters()
	name := rapid.StringMatching(`[a-zA-Z示范"',;|][a-zA-Z示范"',;| ]{0,20}[a-z示]`)
	for i, c := range centers {
		c.NameZh, c.NameEn, c.Version = name.Draw(t, "zh"), name.Draw(t, "en"), rapid.Int64Range(1, 1<<40).Draw(t, "version")
		if i%4 == 0 {
			c.Programs = nil
		}
		if rapid.Bool().Draw(t, "quota") {
			c.Quotas = []Quota{{Bed, "LIVER", PerMonth, rapid.Int32Range(1, maxCount).Draw(t, "units"), rapid.Int32Range(1, basisPoints).Draw(t, "share"), "2026-01-01", "2026-12-31"}}
		}
		for j := range c.Programs {
			p := &c.Programs[j]
			p.Criteria.MaxBMI = rapid.Ptr(rapid.Float64Range(10, 100), true).Draw(t, "bmi")
			p.Criteria.MinAge = rapid.Ptr(rapid.Int32Range(0, 18), true).Draw(t, "min")
			p.Open, p.Volume = rapid.Bool().Draw(t, "open"), rapid.Int32Range(0, maxCount).Draw(t, "volume")
			if rapid.Bool().Draw(t, "declared") {
				p.Capacity = &Capacity{rapid.Int32Range(0, 1000).Draw(t, "places"), at.Add(-1e3 * 3600 * 7), "C-SH-01"}
			}
		}
	}
	return centers
}

// What an export writes, an import reads as it was: nothing changes; and into an empty directory it makes the same one.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		centers := drawCenters(t)
		for name, format := range map[string]struct {
			write func([]*Center) (string, int, error)
			read  func(string) (Table, *Rejected)
		}{"CSV": {WriteCSV, ReadCSV}, "JSON": {WriteJSON, ReadJSON}} {
			content, rows, err := format.write(centers)
			if err != nil {
				t.Fatal(err)
			}
			got, bad := format.read(content)
			if bad != nil || got.Rows() != rows {
				t.Fatalf("%s: %+v, %d rows of %d", name, bad, got.Rows(), rows)
			}
			plan := MakePlan(got, centers, at)
			if len(plan.Rejected)+len(plan.New)+len(plan.Changed) != 0 || plan.Unchanged != rows {
				t.Fatalf("%s: %+v", name, plan)
			}
			for _, l := range got.lines {
				l.record["etag"] = ""
			}
			fresh := MakePlan(got, nil, at)
			if len(fresh.Rejected) != 0 || len(fresh.New) != len(centers) {
				t.Fatalf("%s: %+v", name, fresh.Rejected)
			}
			for _, c := range centers {
				i := slices.IndexFunc(fresh.New, func(n *Center) bool { return n.ID == c.ID })
				if len(Changes(c, fresh.New[i])) != 0 {
					t.Fatalf("%s: %s is not what it was: %+v", name, c.ID, Changes(c, fresh.New[i]))
				}
			}
		}
	})
}

// Whatever is read is refused by name or keeps every bound, and is read the same again once written.
func fuzz(f *testing.F, read func(string) (Table, *Rejected), write func([]*Center) (string, int, error)) {
	seed, _, err := write(sampleCenters()[:1])
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{seed, strings.ReplaceAll(seed, "true", "yes"), "[]", "\ufeff" + seed[:200], fmt.Sprintf("[%s]", "{}")} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, content string) {
		got, bad := read(content)
		if bad != nil {
			return
		}
		for i, l := range got.lines {
			if l.record != nil && i%2 == 0 {
				l.record["etag"] = "" // or nothing would ever be new
			}
		}
		plan := MakePlan(got, nil, at)
		seen := map[int]bool{}
		for _, r := range plan.Rejected {
			seen[r.Row] = true
			if r.Zh == "" || r.En == "" || r.Row < 1 || r.Row > got.Rows() {
				t.Fatalf("%+v", r)
			}
		}
		if len(seen)+plan.Accepted() != got.Rows() || len(plan.Changed) != 0 {
			t.Fatalf("%d rejected and %d accepted of %d", len(seen), plan.Accepted(), got.Rows())
		}
		for _, c := range plan.New {
			checkCenter(t, c)
		}
		text, rows, err := write(plan.New)
		if err != nil {
			t.Fatal(err)
		}
		again, bad := read(text)
		if bad != nil || again.Rows() != rows {
			t.Fatalf("%+v", bad)
		}
		if p := MakePlan(again, plan.New, at); len(p.Rejected)+len(p.Changed)+len(p.New) != 0 {
			t.Fatalf("written and read again: %+v", p)
		}
	})
}

func checkCenter(t *testing.T, c *Center) {
	t.Helper()
	if !centerID.MatchString(c.ID) || !known(Lines, c.Line) || checkName(c.NameZh) != nil || CheckQuotas(c.Quotas) != nil {
		t.Fatalf("%+v", c)
	}
	organs := map[string]bool{}
	for _, p := range c.Programs {
		if organs[p.Organ] || p.Check() != nil {
			t.Fatalf("%+v", p)
		}
		organs[p.Organ] = true
		if p.Capacity != nil && (p.Capacity.FreePlaces < 0 || p.Capacity.FreePlaces > 1000 || p.Capacity.AsOf.After(at)) {
			t.Fatalf("%+v", p.Capacity)
		}
	}
	if _, err := json.Marshal(c); err != nil {
		t.Fatal(err)
	}
}

func FuzzImportCSV(f *testing.F)  { fuzz(f, ReadCSV, WriteCSV) }
func FuzzImportJSON(f *testing.F) { fuzz(f, ReadJSON, WriteJSON) }
