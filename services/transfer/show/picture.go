package show

import (
	"fmt"
	"html"
	"math"
	"strings"

	"huhang.example/services/transfer"
	"huhang.example/services/transfer/planner"
)

const width, stripHeight, mapHeight = 960, 250, 560

// colours are of the Okabe and Ito palette, told apart also by those who see few colours; each leg has its name too.
var colours = map[planner.Mode]string{
	planner.Transfer: "#999999", planner.Taxi: "#56b4e9", planner.Rail: "#0072b2", planner.Flight: "#cc79a7",
	planner.RoadAmbulance: "#d55e00", planner.AirAmbulance: "#e69f00",
}

// Strip draws the legs by time.
func Strip(live transfer.Live, l Language) []byte {
	var out strings.Builder
	head(&out, live, l, stripHeight)
	legs := live.Legs
	if len(legs) == 0 {
		return end(&out)
	}
	const left, right, top, high = 20, width - 20, 100, 50
	begin, finish := legs[0].Depart, legs[len(legs)-1].Arrive
	x := func(share float64) float64 { return left + share*(right-left) }
	all := math.Max(finish.Sub(begin).Seconds(), 1)
	var under labels
	for i, leg := range legs {
		from, to := x(leg.Depart.Sub(begin).Seconds()/all), x(leg.Arrive.Sub(begin).Seconds()/all)
		opacity := "1"
		if live.Current >= 0 && i < live.Current {
			opacity = "0.45"
		}
		fmt.Fprintf(&out, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s" opacity="%s" stroke="#fff"/>`,
			from, top, math.Max(to-from, 1), high, colours[leg.Mode], opacity)
		if most := int((to - from) / 14); most >= 2 {
			text(&out, (from+to)/2, top+30, "middle", "#fff", short(l.name(leg), most))
		}
		// Who waits is where the leg before ended.
		if leg.Mode == planner.Transfer && leg.From == leg.To {
			continue
		}
		words := hour(leg.Depart) + " " + short(leg.From.Name, 12)
		if from+wide(words) > right {
			under.write(&out, right, top+high+20, "end", "#222", words)
			continue
		}
		under.write(&out, from, top+high+20, "start", "#222", words)
	}
	under.write(&out, right, top+high+20, "end", "#222", hour(finish)+" "+short(legs[len(legs)-1].To.Name, 12))
	if share := live.AsOf.Sub(begin).Seconds() / all; share >= 0 && share <= 1 {
		fmt.Fprintf(&out, `<path d="M%.1f %d v%d" stroke="#000" stroke-width="3"/>`, x(share), top-12, high+24)
		text(&out, x(share), top-18, "middle", "#000", l.pick("现在", "now")+" "+hour(live.AsOf))
	}
	return end(&out)
}

// Map draws the legs by place.
func Map(live transfer.Live, l Language) []byte {
	var out strings.Builder
	head(&out, live, l, mapHeight)
	if len(live.Legs) == 0 {
		return end(&out)
	}
	places := []planner.Place{live.Legs[0].From}
	for _, leg := range live.Legs {
		places = append(places, leg.To)
	}
	project := projection(places, live)
	var written labels
	x, y := project(live.Position.Lat, live.Position.Lon)
	written.keep(x-12, x+12, y)
	for i, leg := range live.Legs {
		if leg.From == leg.To {
			continue
		}
		x1, y1 := project(leg.From.Lat, leg.From.Lon)
		x2, y2 := project(leg.To.Lat, leg.To.Lon)
		dash := ""
		if live.Current >= 0 && i >= live.Current {
			dash = ` stroke-dasharray="10 6"`
		}
		fmt.Fprintf(&out, `<path d="M%.1f %.1f L%.1f %.1f" stroke="%s" stroke-width="5"%s/>`, x1, y1, x2, y2, colours[leg.Mode], dash)
		if math.Hypot(x2-x1, y2-y1) > 60 { // a short one is named in the description
			written.write(&out, (x1+x2)/2+10, (y1+y2)/2+16, "start", colours[leg.Mode], l.name(leg))
		}
	}
	for i, p := range places {
		if i > 0 && p == places[i-1] {
			continue
		}
		x, y := project(p.Lat, p.Lon)
		fmt.Fprintf(&out, `<circle cx="%.1f" cy="%.1f" r="6" fill="#fff" stroke="#222" stroke-width="3"/>`, x, y)
		anchor, shift := "start", 12.0
		if x > width*0.7 {
			anchor, shift = "end", -12
		}
		written.write(&out, x+shift, y+5, anchor, "#222", short(p.Name, 16))
	}
	fmt.Fprintf(&out, `<circle cx="%.1f" cy="%.1f" r="9" fill="#009e73" stroke="#fff" stroke-width="2"/>`, x, y)
	text(&out, x, y-16, "middle", "#009e73", l.pick("患者", "here"))
	return end(&out)
}

// projection fits the places into the picture, north up, a degree of longitude as long as it is there.
func projection(places []planner.Place, live transfer.Live) func(lat, lon float64) (x, y float64) {
	south, north, west, east := live.Position.Lat, live.Position.Lat, live.Position.Lon, live.Position.Lon
	for _, p := range places {
		south, north, west, east = math.Min(south, p.Lat), math.Max(north, p.Lat), math.Min(west, p.Lon), math.Max(east, p.Lon)
	}
	narrow := math.Cos((south + north) / 2 * math.Pi / 180)
	const margin, head = 60.0, 70.0
	scale := math.Min((width-2*margin)/math.Max((east-west)*narrow, 0.02), (mapHeight-margin-head-20)/math.Max(north-south, 0.02))
	return func(lat, lon float64) (float64, float64) {
		return width/2 + (lon-(west+east)/2)*narrow*scale, (mapHeight+head)/2 - (lat-(south+north)/2)*scale
	}
}

func head(out *strings.Builder, live transfer.Live, l Language, height int) {
	t := live.Transfer
	title := fmt.Sprintf("%s → %s: %s", t.From, t.To, l.status(live))
	fmt.Fprintf(out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-labelledby="t d" lang="%s" font-family="sans-serif" font-size="14" fill="none">`,
		width, height, l.pick("zh-CN", "en"))
	fmt.Fprintf(out, `<title id="t">%s</title><desc id="d">%s</desc>`, html.EscapeString(title), html.EscapeString(describe(live, l)))
	fmt.Fprintf(out, `<rect width="%d" height="%d" fill="#fff"/>`, width, height)
	text(out, 20, 26, "start", "#222", title)
	if !live.Arrive.IsZero() && t.AbortCode == "" {
		text(out, 20, 48, "start", "#222", l.pick("预计到达 ", "expected ")+hour(live.Arrive))
	}
}

// describe says in words what the picture shows.
func describe(live transfer.Live, l Language) string {
	var out strings.Builder
	for i, leg := range live.Legs {
		if leg.Mode == planner.Transfer && leg.From == leg.To {
			continue
		}
		mark := ""
		if i == live.Current {
			mark = l.pick("（当前）", " (now)")
		}
		fmt.Fprintf(&out, "%s%s %s %s – %s %s; ", l.name(leg), mark, hour(leg.Depart), leg.From.Name, hour(leg.Arrive), leg.To.Name)
	}
	fmt.Fprintf(&out, "%s %s", l.pick("截至", "as of"), hour(live.AsOf))
	return out.String()
}

// labels are the lines of words in a picture: none is written over another.
type labels []struct{ left, right, y float64 }

func (l *labels) keep(left, right, y float64) {
	*l = append(*l, struct{ left, right, y float64 }{left, right, y})
}

// line is the height of one.
const line = 18

// write puts words at a place, or as many lines below as it takes.
func (l *labels) write(out *strings.Builder, x, y float64, anchor, colour, words string) {
	left, right := x, x+wide(words)
	if anchor == "end" {
		left, right = x-wide(words), x
	}
	for i := 0; i < len(*l); i++ {
		if o := (*l)[i]; left < o.right && o.left < right && math.Abs(o.y-y) < line {
			y, i = o.y+line, -1 // lower than that one, then all of them again
		}
	}
	l.keep(left, right, y)
	text(out, x, y, anchor, colour, words)
}

// wide is about how wide words are.
func wide(words string) (pixels float64) {
	for _, letter := range words {
		if letter >= 0x2e80 {
			pixels += 14
		} else {
			pixels += 8.5
		}
	}
	return pixels
}

func text(out *strings.Builder, x, y float64, anchor, colour, words string) {
	fmt.Fprintf(out, `<text x="%.1f" y="%.1f" text-anchor="%s" fill="%s">%s</text>`, x, y, anchor, colour, html.EscapeString(words))
}

func end(out *strings.Builder) []byte {
	out.WriteString("</svg>\n")
	return []byte(out.String())
}
