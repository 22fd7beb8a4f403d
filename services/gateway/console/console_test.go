package console_test

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"huhang.example/services/gateway/console"
)

func fetch(t *testing.T, p *console.Pages, path string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	if !p.Has(path) {
		t.Fatalf("%s is not the console's", path)
	}
	p.ServeHTTP(w, r)
	return w
}

var address = regexp.MustCompile(`(?:src|href)="([^"]+)"`)

// Every file that the page names is there with its type, is kept for ever under its hash, and is asked for again where its path stays.
func TestFiles(t *testing.T) {
	p := console.New(console.SignIn{})
	page := fetch(t, p, console.Path)
	html := page.Body.String()
	if page.Header().Get("Cache-Control") != "no-cache" || page.Header().Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("page: %v", page.Header())
	}
	named := address.FindAllStringSubmatch(html, -1)
	if len(named) < 15 {
		t.Fatalf("the page names %d files", len(named))
	}
	types := map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
	for _, n := range named {
		r := fetch(t, p, n[1])
		if want := types[filepath.Ext(n[1])]; r.Header().Get("Content-Type") != want || !strings.Contains(r.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %v", n[1], r.Header())
		}
		plain, etag := r.Body.String(), r.Header().Get("ETag")
		if again := fetch(t, p, n[1], "If-None-Match", etag); again.Code != http.StatusNotModified || again.Body.String() != "" {
			t.Errorf("%s: %d with its own etag", n[1], again.Code)
		}
		zipped := fetch(t, p, n[1], "Accept-Encoding", "br, gzip")
		unzip, err := gzip.NewReader(zipped.Body)
		if err != nil || zipped.Header().Get("Content-Encoding") != "gzip" {
			t.Fatalf("%s: %v", n[1], err)
		}
		if whole, err := io.ReadAll(unzip); err != nil || string(whole) != plain {
			t.Errorf("%s: the zipped one differs: %v", n[1], err)
		}
	}
	if p.Has(console.Path+"nothing.js") || !p.Has("/console") {
		t.Error("paths")
	}
}

// The page may load from here alone; only the sign-in's own origin may be called beside it.
func TestPolicy(t *testing.T) {
	for _, test := range []struct{ token, want string }{
		{"", "connect-src 'self';"},
		{"/dev/issuer/token", "connect-src 'self';"},
		{"https://id.example/oauth/token", "connect-src 'self' https://id.example;"},
	} {
		policy := fetch(t, console.New(console.SignIn{TokenEndpoint: test.token}), console.Path).Header().Get("Content-Security-Policy")
		if !strings.Contains(policy, test.want) || !strings.Contains(policy, "default-src 'none'; script-src 'self'; style-src 'self';") || strings.Contains(policy, "unsafe") {
			t.Errorf("%q: %s", test.token, policy)
		}
	}
}

var (
	elsewhere = regexp.MustCompile(`https?://[a-zA-Z0-9.-]+`)
	unsafe    = regexp.MustCompile(`innerHTML|dangerouslySetInnerHTML|\beval\(|style=|document\.write|localStorage\.setItem\([^)]*token`)
)

// Nothing in the sources names another host, writes markup as text, carries a style attribute or keeps a token for longer than the tab.
func TestSources(t *testing.T) {
	err := filepath.WalkDir("static", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.Contains(name, "vendor") {
			return err
		}
		source, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for _, found := range elsewhere.FindAllString(string(source), -1) {
			if found != "http://www.w3.org" { // the name of SVG
				t.Errorf("%s names %s", name, found)
			}
		}
		if found := unsafe.FindString(string(source)); found != "" {
			t.Errorf("%s: %s", name, found)
		}
		if lines := strings.Count(string(source), "\n"); lines > 400 {
			t.Errorf("%s: %d lines", name, lines)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What is vendored is what was published.
func TestVendored(t *testing.T) {
	notes, err := os.ReadFile("static/vendor/README.md")
	if err != nil {
		t.Fatal(err)
	}
	library, err := os.ReadFile("static/vendor/preact-htm.js")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(library)
	if !strings.Contains(string(notes), hex.EncodeToString(sum[:])) {
		t.Errorf("preact-htm.js has the hash %x, which vendor/README.md does not name", sum)
	}
}

var (
	used    = regexp.MustCompile(`\bt\('([a-zA-Z0-9_.-]+)'[,)]`)
	defined = regexp.MustCompile(`'([a-zA-Z0-9_.-]+)': \['((?:[^'\\]|\\.)*)', '((?:[^'\\]|\\.)*)'\]`)
)

// Every word that a module asks for stands in both languages.
func TestWords(t *testing.T) {
	have, wanted := map[string]bool{}, map[string]string{}
	err := filepath.WalkDir("static", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(name) != ".js" {
			return err
		}
		source, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for _, d := range defined.FindAllStringSubmatch(string(source), -1) {
			have[d[1]] = true
			if d[2] == "" || d[3] == "" {
				t.Errorf("%s: %s lacks a language", name, d[1])
			}
		}
		for _, u := range used.FindAllStringSubmatch(string(source), -1) {
			wanted[u[1]] = name
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for key, name := range wanted {
		if !have[key] {
			t.Errorf("%s asks for %q, which no module defines", name, key)
		}
	}
	if len(wanted) < 100 {
		t.Errorf("only %d words found: the pattern is out of date", len(wanted))
	}
}

func TestSignInSettings(t *testing.T) {
	good := console.SignIn{AuthorizationEndpoint: "https://id.example/a", TokenEndpoint: "https://id.example/t", ClientID: "console"}
	for name, test := range map[string]struct {
		change func(*console.SignIn)
		ok     bool
	}{
		"good":          {func(*console.SignIn) {}, true},
		"none":          {func(s *console.SignIn) { *s = console.SignIn{} }, true},
		"this machine":  {func(s *console.SignIn) { s.TokenEndpoint = "http://127.0.0.1:1/t" }, true},
		"no client":     {func(s *console.SignIn) { s.ClientID = "" }, false},
		"in the clear":  {func(s *console.SignIn) { s.TokenEndpoint = "http://id.example/t" }, false},
		"a path":        {func(s *console.SignIn) { s.AuthorizationEndpoint = "/a" }, false},
		"with a secret": {func(s *console.SignIn) { s.AuthorizationEndpoint = "https://a:b@id.example" }, false},
	} {
		s := good
		test.change(&s)
		if err := s.Validate(); (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	var told console.SignIn
	if err := json.Unmarshal(fetch(t, console.New(good), console.Path+"sign-in.json").Body.Bytes(), &told); err != nil || told != good {
		t.Errorf("%+v, %v", told, err)
	}
}
