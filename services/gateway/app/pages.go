package app

import (
	"net/http"
	"strings"

	"huhang.example/services/gateway/console"
	"huhang.example/services/gateway/devissuer"
	"huhang.example/services/gateway/docs"
	"huhang.example/services/gateway/ready"
	"huhang.example/services/gateway/rest"
)

// pages are all that HTTP serves: a few fixed paths, and the API for every other one.
type pages struct {
	ready   *ready.Checker
	docs    *docs.Pages
	console *console.Pages
	issuer  http.Handler // nil: no development sign-in
	api     http.Handler
}

func newPages(checker *ready.Checker, config Config) *pages {
	signIn := config.Console
	if config.DevIssuer && signIn.AuthorizationEndpoint == "" {
		signIn = console.SignIn{AuthorizationEndpoint: devissuer.Path + "/authorize", TokenEndpoint: devissuer.Path + "/token", ClientID: devissuer.Audience}
	}
	return &pages{ready: checker, docs: docs.New(config.DevIssuer), console: console.New(signIn)}
}

// ServeHTTP chooses by path.
func (p *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	switch {
	case path == devissuer.Path || strings.HasPrefix(path, devissuer.Path+"/"):
		if p.issuer == nil {
			rest.Unrouted(w, r, http.StatusNotFound)
			return
		}
		p.issuer.ServeHTTP(w, r)
	case path == "/healthz":
		readOnly(http.HandlerFunc(alive)).ServeHTTP(w, r)
	case path == "/readyz":
		readOnly(p.ready).ServeHTTP(w, r)
	case p.console.Has(path):
		readOnly(p.console).ServeHTTP(w, r)
	case p.docs.Has(path):
		readOnly(p.docs).ServeHTTP(w, r)
	default:
		p.api.ServeHTTP(w, r)
	}
}

// readOnly refuses methods other than GET and HEAD.
func readOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			rest.Unrouted(w, r, http.StatusMethodNotAllowed)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// alive says that the process answers; whether its services do is /readyz's to tell.
func alive(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	// Only a client that went away makes this fail.
	_, _ = w.Write([]byte("{\"status\":\"ok\"}\n"))
}
