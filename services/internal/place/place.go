// Package place knows where the cities of the line are: the prefecture-level divisions of China with their codes, names
// and the position of their seats.
//
// Invariant: the tables are fixed at build time and complete (every prefecture and the four municipalities under their
// xx0100 code); a code that is not in them names no place. Their sources are named in LICENSES.md.
package place

import (
	_ "embed"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Info is one prefecture-level division (地级行政区).
type Info struct {
	// Code is the GB/T 2260 code, six digits.
	Code string
	// NameZh and NameEn are the Chinese and the English or pinyin name. Several cities share a pinyin name.
	NameZh, NameEn string
	// Province is the six-digit code of the province.
	Province string
	// Lat and Lon are the WGS-84 position of the seat, in degrees.
	Lat, Lon float64
}

// ProvinceInfo is one province, autonomous region or municipality (省级行政区).
type ProvinceInfo struct {
	Code, NameZh, NameEn string
}

// earthKm is the mean radius of the Earth.
const earthKm = 6371.0088

//go:embed cities.tsv
var citiesTable string

//go:embed provinces.tsv
var provincesTable string

var (
	provinces      = mustProvinces(provincesTable)
	provinceByCode = index(provinces, func(p ProvinceInfo) string { return p.Code })
	cities         = mustCities(citiesTable)
	cityByCode     = index(cities, func(c Info) string { return c.Code })
)

// City returns the division with the code.
func City(code string) (Info, bool) {
	i, ok := cityByCode[code]
	if !ok {
		return Info{}, false
	}
	return cities[i], true
}

// Province returns the province with the code.
func Province(code string) (ProvinceInfo, bool) {
	i, ok := provinceByCode[code]
	if !ok {
		return ProvinceInfo{}, false
	}
	return provinces[i], true
}

// All returns every division in the order of the codes.
func All() []Info { return slices.Clone(cities) }

// Provinces returns every province in the order of the codes.
func Provinces() []ProvinceInfo { return slices.Clone(provinces) }

// Km returns the great-circle distance between two seats in kilometres.
func Km(a, b Info) float64 {
	lat, lon := radians(b.Lat-a.Lat), radians(b.Lon-a.Lon)
	h := haversine(lat) + math.Cos(radians(a.Lat))*math.Cos(radians(b.Lat))*haversine(lon)
	return 2 * earthKm * math.Asin(math.Sqrt(min(h, 1)))
}

func radians(degrees float64) float64 { return degrees * math.Pi / 180 }

func haversine(angle float64) float64 {
	s := math.Sin(angle / 2)
	return s * s
}

func mustProvinces(table string) []ProvinceInfo {
	var out []ProvinceInfo
	for _, cells := range rows(table, 3) {
		out = append(out, ProvinceInfo{Code: cells[0], NameZh: cells[1], NameEn: cells[2]})
	}
	return out
}

func mustCities(table string) []Info {
	var out []Info
	for _, cells := range rows(table, 5) {
		out = append(out, Info{
			Code: cells[0], NameZh: cells[1], NameEn: cells[2], Province: cells[0][:2] + "0000",
			Lat: mustDegrees(cells[3]), Lon: mustDegrees(cells[4]),
		})
	}
	return out
}

// rows splits a table of ours; a malformed one cannot pass this package's tests, so that panicking is enough.
func rows(table string, columns int) [][]string {
	var out [][]string
	for i, line := range strings.Split(strings.TrimSpace(table), "\n") {
		cells := strings.Split(line, "\t")
		if len(cells) != columns || i > 0 && len(cells[0]) != 6 {
			panic(fmt.Sprintf("place: line %d is malformed", i+1))
		}
		if i > 0 {
			out = append(out, cells)
		}
	}
	return out
}

func mustDegrees(cell string) float64 {
	degrees, err := strconv.ParseFloat(cell, 64)
	if err != nil {
		panic("place: " + err.Error())
	}
	return degrees
}

func index[T any](all []T, code func(T) string) map[string]int {
	out := make(map[string]int, len(all))
	for i, one := range all {
		out[code(one)] = i
	}
	return out
}
