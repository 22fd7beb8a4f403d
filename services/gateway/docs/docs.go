// Package docs serves the pages to read the line's API by and to try it: the landing page, the OpenAPI document and a
// reader for it (接口文档).
//
// Invariant: nothing comes from another host and nothing runs but the embedded script; the page has no rights of its own,
// it sends what its reader signed in for.
package docs

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"huhang.example/gen/openapi"
)

//go:embed landing.html index.html docs.js docs.css
var files embed.FS

// policy allows a page its own script, style and calls, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

type page struct {
	contentType string
	text        []byte
	etag        string
}

// Pages are the embedded pages by path.
type Pages struct{ byPath map[string]page }

// New returns the pages; devIssuer says whether the development sign-in is there to be used.
func New(devIssuer bool) *Pages {
	p := &Pages{byPath: map[string]page{}}
	html, script, style := "text/html; charset=utf-8", "text/javascript; charset=utf-8", "text/css; charset=utf-8"
	p.add("/", html, read("landing.html"))
	p.add("/docs", html, []byte(strings.Replace(string(read("index.html")), "data-dev-issuer=\"\"", fmt.Sprintf("data-dev-issuer=\"%t\"", devIssuer), 1)))
	p.add("/docs/docs.js", script, read("docs.js"))
	p.add("/docs/docs.css", style, read("docs.css"))
	p.add("/openapi.json", "application/json", Document())
	return p
}

func read(name string) []byte {
	text, err := files.ReadFile(name)
	if err != nil {
		panic(err) // embedded at build
	}
	return text
}

func (p *Pages) add(path, contentType string, text []byte) {
	sum := sha256.Sum256(text)
	p.byPath[path] = page{contentType: contentType, text: text, etag: `"` + base64.RawURLEncoding.EncodeToString(sum[:15]) + `"`}
}

// Document is the generated OpenAPI document with the sign-in that every operation needs.
func Document() []byte {
	var document map[string]any
	if err := json.Unmarshal(openapi.Document, &document); err != nil {
		panic(err) // generated
	}
	document["securityDefinitions"] = map[string]any{"bearer": map[string]any{
		"type": "apiKey", "in": "header", "name": "Authorization",
		"description": "\"Bearer \" and a token of the line's sign-in.",
	}}
	document["security"] = []any{map[string]any{"bearer": []any{}}}
	text, err := json.Marshal(document)
	if err != nil {
		panic(err) // it was JSON before
	}
	return text
}

// Has reports whether the path is a page.
func (p *Pages) Has(path string) bool {
	_, ok := p.byPath[path]
	return ok
}

// ServeHTTP answers one page.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	found := p.byPath[r.URL.Path]
	header := w.Header()
	header.Set("Content-Type", found.contentType)
	header.Set("Content-Security-Policy", policy)
	// Asked again each time, so that a new release is seen at once.
	header.Set("Cache-Control", "no-cache")
	header.Set("ETag", found.etag)
	if r.Header.Get("If-None-Match") == found.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	// Only a client that went away makes this fail.
	_, _ = w.Write(found.text)
}
