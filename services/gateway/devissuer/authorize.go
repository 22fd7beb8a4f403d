package devissuer

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"sync"
	"time"

	"huhang.example/services/internal/fault"
)

const (
	// codeLife is how long a code can be turned into a token.
	codeLife = time.Minute
	// maxCodes bounds the codes that wait.
	maxCodes = 256
	// consolePath is the one page that codes are sent to.
	consolePath = "/console/"

	authorizePolicy = "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

//go:embed authorize.html
var authorizeText string

var authorizePage = template.Must(template.New("authorize").Parse(authorizeText))

// challengeForm is a SHA-256 in base64url, verifierForm what RFC 7636 allows.
var (
	challengeForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)
	verifierForm  = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)
	stateForm     = regexp.MustCompile(`^[A-Za-z0-9._~-]{0,200}$`)
)

// grant is a code that waits to become a token.
type grant struct {
	person    Person
	challenge string
	redirect  string
	until     time.Time
}

// grants are the codes given and not used yet.
type grants struct {
	mu     sync.Mutex
	byCode map[string]grant
}

// asked is what a sign-in page was opened with.
type asked struct {
	Redirect, State, Challenge string
	People                     []numbered
}

type numbered struct {
	Person
	Number int
}

// authorize shows the sample people to choose from, and sends the chosen one's code back.
func (i *Issuer) authorize(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		w.Header().Set("Allow", "GET, POST")
		i.refuse(w, r, fault.New(fault.Unimplemented, fault.ReasonNotFound, "", "Open this page with GET.", "请用 GET 打开此页面。"))
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		i.refuse(w, r, fault.New(fault.InvalidArgument, fault.BodyMalformed, "", "The form cannot be read.", "无法读取表单。"))
		return
	}
	a := asked{Redirect: r.Form.Get("redirect_uri"), State: r.Form.Get("state"), Challenge: r.Form.Get("code_challenge")}
	if field := a.wrong(r); field != "" {
		i.refuse(w, r, fault.New(fault.InvalidArgument, fault.FieldInvalid, field,
			"The sign-in asks for a code with a proof key, for the console of this address.", "登录须以带校验的授权码方式返回本机工作台。"))
		return
	}
	if r.Method == http.MethodGet {
		a.People = everybody()
		var page bytes.Buffer
		if err := authorizePage.Execute(&page, a); err != nil {
			i.refuse(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", authorizePolicy)
		// Only a client that went away makes this fail.
		_, _ = w.Write(page.Bytes())
		return
	}
	number, err := strconv.Atoi(r.PostForm.Get("person"))
	if err != nil || number < 0 || number >= len(People) {
		i.refuse(w, r, fault.New(fault.InvalidArgument, fault.FieldInvalid, "person", "Choose one of the people listed.", "请从列表中选择人员。"))
		return
	}
	code := i.codes.give(grant{person: People[number], challenge: a.Challenge, redirect: a.Redirect, until: i.clock.Now().Add(codeLife)}, i.clock.Now())
	http.Redirect(w, r, a.Redirect+"?"+url.Values{"code": {code}, "state": {a.State}}.Encode(), http.StatusSeeOther)
}

// wrong names the parameter that keeps the page from being shown. A code goes to the console of the very address that was asked.
func (a asked) wrong(r *http.Request) string {
	switch {
	case r.Form.Get("response_type") != "code":
		return "response_type"
	case a.Redirect != "http://"+r.Host+consolePath:
		return "redirect_uri"
	case r.Form.Get("code_challenge_method") != "S256" || !challengeForm.MatchString(a.Challenge):
		return "code_challenge"
	case !stateForm.MatchString(a.State):
		return "state"
	}
	return ""
}

func everybody() []numbered {
	out := make([]numbered, 0, len(People))
	for n, p := range People {
		out = append(out, numbered{p, n})
	}
	return out
}

func (g *grants) give(one grant, now time.Time) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.byCode == nil {
		g.byCode = map[string]grant{}
	}
	for code, old := range g.byCode {
		if now.After(old.until) || len(g.byCode) >= maxCodes {
			delete(g.byCode, code)
		}
	}
	code := rand.Text()
	g.byCode[code] = one
	return code
}

// take uses a code up: whether its proof fits or not, it is gone.
func (g *grants) take(code string) (grant, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	one, ok := g.byCode[code]
	delete(g.byCode, code)
	return one, ok
}

// exchange answers the token of a code to whoever holds the key that its challenge was made of.
func (i *Issuer) exchange(w http.ResponseWriter, r *http.Request) {
	verifier := r.PostForm.Get("code_verifier")
	one, ok := i.codes.take(r.PostForm.Get("code"))
	sum := sha256.Sum256([]byte(verifier))
	proof := base64.RawURLEncoding.EncodeToString(sum[:])
	if !ok || i.clock.Now().After(one.until) || !verifierForm.MatchString(verifier) ||
		subtle.ConstantTimeCompare([]byte(proof), []byte(one.challenge)) != 1 || r.PostForm.Get("redirect_uri") != one.redirect {
		i.refuse(w, r, fault.New(fault.InvalidArgument, fault.FieldInvalid, "code",
			"The code is unknown, used, over a minute old, or its proof does not fit.", "授权码不存在、已使用、已超时或校验不符。"))
		return
	}
	i.answer(w, r, one.person.Subject, one.person.Organisation, one.person.Province, []string{one.person.Role})
}
