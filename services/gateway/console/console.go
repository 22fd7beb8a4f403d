package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"

	"huhang.example/services/internal/place"
)

//go:embed static
var files embed.FS

// Path is where the console stands under the gateway's address.
const Path = "/console/"

const (
	// forever is for files whose path holds the hash of them all.
	forever = "public, max-age=31536000, immutable"
	// again is for what stands under one path in every release.
	again = "no-cache"
)

type file struct {
	contentType, caching, etag string
	text, zipped               []byte
}

// Pages are the embedded files by path.
type Pages struct {
	byPath map[string]file
	policy string
}

// New returns the console; how people sign in comes from the settings.
func New(signIn SignIn) *Pages {
	p := &Pages{byPath: map[string]file{}, policy: policy(signIn)}
	names := list()
	base := Path + digest(names) + "/"
	var preloads strings.Builder
	for _, name := range names {
		if name == "index.html" {
			continue
		}
		p.add(base+name, contentType(name), forever, read(name))
		if strings.HasSuffix(name, ".js") && name != "main.js" {
			fmt.Fprintf(&preloads, "<link rel=\"modulepreload\" href=\"%s\">\n", html.EscapeString(base+name))
		}
	}
	index := strings.NewReplacer("{base}", base, "<!-- modules -->\n", preloads.String()).Replace(string(read("index.html")))
	p.add(Path, contentType("index.html"), again, []byte(index))
	p.add(Path+"sign-in.json", contentType(".json"), again, encode(signIn))
	p.add(Path+"places.json", contentType(".json"), again, encode(places()))
	return p
}

// policy allows the page its own script, style, pictures and calls, beside the one call that turns a code into a token.
func policy(signIn SignIn) string {
	connect := "'self'"
	if origin := originOf(signIn.TokenEndpoint); origin != "" {
		connect += " " + origin
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src " + connect + "; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
}

func list() []string {
	var names []string
	err := fs.WalkDir(files, "static", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names = append(names, strings.TrimPrefix(name, "static/"))
		}
		return err
	})
	if err != nil {
		panic(err) // embedded at build
	}
	slices.Sort(names)
	return names
}

func read(name string) []byte {
	text, err := files.ReadFile("static/" + name)
	if err != nil {
		panic(err) // embedded at build
	}
	return text
}

func encode(answer any) []byte {
	text, err := json.Marshal(answer)
	if err != nil {
		panic(err) // plain values
	}
	return text
}

// digest is over every file: modules import each other by relative paths, so that they share one folder of one release.
func digest(names []string) string {
	sum := sha256.New()
	for _, name := range names {
		fmt.Fprintf(sum, "%s %x\n", name, sha256.Sum256(read(name)))
	}
	return base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:12])
}

func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".json":
		return "application/json"
	}
	return "text/plain; charset=utf-8"
}

func (p *Pages) add(at, contentType, caching string, text []byte) {
	sum := sha256.Sum256(text)
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	// A buffer takes everything.
	_, _ = w.Write(text)
	_ = w.Close()
	p.byPath[at] = file{
		contentType: contentType, caching: caching, text: text, zipped: zipped.Bytes(),
		etag: `"` + base64.RawURLEncoding.EncodeToString(sum[:15]) + `"`,
	}
}

// Has reports whether the path is one of the console's.
func (p *Pages) Has(path string) bool {
	_, ok := p.byPath[path]
	return ok || path+"/" == Path
}

// ServeHTTP answers one file.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path+"/" == Path {
		http.Redirect(w, r, Path, http.StatusPermanentRedirect)
		return
	}
	found := p.byPath[r.URL.Path]
	header := w.Header()
	header.Set("Content-Type", found.contentType)
	header.Set("Content-Security-Policy", p.policy)
	header.Set("Cache-Control", found.caching)
	header.Set("ETag", found.etag)
	header.Add("Vary", "Accept-Encoding")
	if r.Header.Get("If-None-Match") == found.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	text := found.text
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		header.Set("Content-Encoding", "gzip")
		text = found.zipped
	}
	// Only a client that went away makes this fail.
	_, _ = w.Write(text)
}

// spot is a city as the page draws it.
type spot struct {
	Zh  string  `json:"zh"`
	En  string  `json:"en"`
	Lat float64 `json:"lat,omitempty"`
	Lon float64 `json:"lon,omitempty"`
}

// places are the cities and provinces by code, so that a page names and draws them without asking anybody.
func places() map[string]spot {
	all := map[string]spot{}
	for _, province := range place.Provinces() {
		all[province.Code] = spot{Zh: province.NameZh, En: province.NameEn}
	}
	for _, city := range place.All() {
		all[city.Code] = spot{Zh: city.NameZh, En: city.NameEn, Lat: city.Lat, Lon: city.Lon}
	}
	return all
}
