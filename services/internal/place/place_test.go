package place_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"huhang.example/services/internal/place"
)

var sample = []string{
	"110100", "120100", "130100", "130200", "130600", "230100", "310100", "320100", "320500", "330100",
	"330200", "340100", "340200", "360100", "440100", "440300", "440400", "440600", "450100", "530100",
}

func city(t *testing.T, code string) place.Info {
	t.Helper()
	c, ok := place.City(code)
	if !ok {
		t.Fatalf("%s is missing", code)
	}
	return c
}

func TestDistancesAreThoseOfTheMap(t *testing.T) {
	for _, test := range []struct {
		a, b string
		km   float64
	}{
		{"310100", "340100", 407},  // Shanghai - Hefei
		{"110100", "130100", 264},  // Beijing - Shijiazhuang
		{"110100", "310100", 1067}, // Beijing - Shanghai
		{"110100", "120100", 110},  // Beijing - Tianjin
		{"440100", "450100", 505},  // Guangzhou - Nanning
		{"360100", "310100", 609},  // Nanchang - Shanghai
		{"530100", "440100", 1087}, // Kunming - Guangzhou
		{"230100", "110100", 1060}, // Harbin - Beijing
		{"320100", "330100", 235},  // Nanjing - Hangzhou
	} {
		got := place.Km(city(t, test.a), city(t, test.b))
		if math.Abs(got-test.km) > test.km*0.05 {
			t.Errorf("%s - %s: %.0f km, want about %.0f", test.a, test.b, got, test.km)
		}
	}
}

func TestSampleCitiesAreThere(t *testing.T) {
	seen := map[string]bool{}
	for _, code := range sample {
		c := city(t, code)
		if c.Code != code || c.NameEn == "" || !strings.HasSuffix(c.NameZh, "市") {
			t.Errorf("%+v", c)
		}
		seen[c.NameEn] = true
	}
	if len(seen) != len(sample) {
		t.Error("two sample cities have one name")
	}
}

func TestTablesAreCompleteAndSound(t *testing.T) {
	all := place.All()
	if len(all) != 333+4 {
		t.Errorf("%d cities", len(all))
	}
	inProvince := map[string]int{}
	for i, c := range all {
		if i > 0 && all[i-1].Code >= c.Code {
			t.Errorf("%s is repeated or out of order", c.Code)
		}
		if len(c.Code) != 6 || strings.Trim(c.Code, "0123456789") != "" || !strings.HasSuffix(c.Code, "00") {
			t.Errorf("%s is no prefecture's code", c.Code)
		}
		if c.Lat < 15 || c.Lat > 54 || c.Lon < 73 || c.Lon > 136 {
			t.Errorf("%s lies at %v, %v", c.NameEn, c.Lat, c.Lon)
		}
		if c.NameZh == "" || c.NameEn == "" || strings.ContainsAny(c.NameEn, "’()/0123456789") {
			t.Errorf("%+v", c)
		}
		if _, ok := place.Province(c.Province); !ok || c.Province[:2] != c.Code[:2] {
			t.Errorf("%s has the province %s", c.Code, c.Province)
		}
		inProvince[c.Province]++
	}
	provinces := place.Provinces()
	if len(provinces) != 31 || !slices.IsSortedFunc(provinces, func(a, b place.ProvinceInfo) int { return strings.Compare(a.Code, b.Code) }) {
		t.Errorf("%d provinces", len(provinces))
	}
	for _, p := range provinces {
		if p.NameZh == "" || p.NameEn == "" || inProvince[p.Code] == 0 {
			t.Errorf("%+v has %d cities", p, inProvince[p.Code])
		}
	}
	for _, municipality := range []string{"110000", "120000", "310000", "500000"} {
		if inProvince[municipality] != 1 {
			t.Errorf("%s has %d cities", municipality, inProvince[municipality])
		}
	}
}

// A seat taken from a place of the same name elsewhere would lie far from every neighbour.
func TestNoSeatLiesAlone(t *testing.T) {
	for _, c := range place.All() {
		nearest := math.Inf(1)
		for _, other := range place.All() {
			if other.Code != c.Code {
				nearest = min(nearest, place.Km(c, other))
			}
		}
		if nearest > 550 || nearest < 5 {
			t.Errorf("the city nearest to %s is %.0f km away", c.NameEn, nearest)
		}
	}
}

func TestUnknownCodes(t *testing.T) {
	for _, code := range []string{"", "000000", "110000", "110101", "419001", "340100 ", "3401"} {
		if c, ok := place.City(code); ok {
			t.Errorf("%q is %+v", code, c)
		}
	}
	for _, code := range []string{"", "110100", "000000", "710000"} {
		if p, ok := place.Province(code); ok {
			t.Errorf("%q is %+v", code, p)
		}
	}
}

func TestTheTablesCannotBeChangedFromOutside(t *testing.T) {
	place.All()[0].NameEn = "x"
	place.Provinces()[0].NameEn = "x"
	if place.All()[0].NameEn == "x" || place.Provinces()[0].NameEn == "x" {
		t.Fatal("a caller changed the table")
	}
}

func TestDistanceIsAMetric(t *testing.T) {
	all := rapid.SampledFrom(place.All())
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := all.Draw(t, "a"), all.Draw(t, "b"), all.Draw(t, "c")
		if place.Km(a, a) != 0 || math.Abs(place.Km(a, b)-place.Km(b, a)) > 1e-9 {
			t.Fatal("not symmetric")
		}
		if place.Km(a, c) > place.Km(a, b)+place.Km(b, c)+1e-6 {
			t.Fatal("a way round is shorter")
		}
	})
	opposite := place.Km(place.Info{Lat: 0, Lon: 0}, place.Info{Lat: 0, Lon: 180})
	if math.Abs(opposite-math.Pi*6371.0088) > 1 {
		t.Fatal(opposite)
	}
}
