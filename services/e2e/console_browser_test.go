package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

const (
	// browserPatience bounds each wait for the page; a loaded machine is slow, not wrong.
	browserPatience = 60 * time.Second
	glance          = 100 * time.Millisecond
)

// browser is one Chromium for all people of a test.
type browser struct {
	base   string
	ctx    context.Context
	person string
	axe    string
}

func startBrowser(t *testing.T, base string) *browser {
	t.Helper()
	path := os.Getenv("HUHANG_TEST_CHROMIUM")
	if path == "" {
		t.Fatal("HUHANG_TEST_CHROMIUM names no browser: run the test under tools/with-chromium")
	}
	b := &browser{base: base, person: testdata(t, "person.js"), axe: testdata(t, "axe.min.js")}
	allocated, cancel := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WSURLReadTimeout(browserPatience),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))...)
	t.Cleanup(cancel)
	ctx, end := chromedp.NewContext(allocated)
	t.Cleanup(end)
	if err := chromedp.Run(ctx); err != nil {
		t.Fatal(err)
	}
	b.ctx = ctx
	return b
}

func testdata(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "console", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// look is how somebody sees the page.
type look struct {
	language      string // "zh-CN" or "en-GB"
	width, height int64
	dark          bool
}

var (
	desktop = look{language: "zh-CN", width: 1280, height: 900}
	phone   = look{language: "en-GB", width: 360, height: 740, dark: true}
)

// person is somebody at a page of their own: another session, another store, as on another machine.
type person struct {
	t     *testing.T
	b     *browser
	ctx   context.Context
	name  string
	base  string
	files string // where the browser keeps what was downloaded

	mu       sync.Mutex
	problems []string
}

// window opens a window with a store of its own, which keeps downloads under files. A Chromium without a head has no first window in which a new store could have a tab.
func (b *browser) window(t *testing.T, files string) target.ID {
	t.Helper()
	ctx, cancel := context.WithTimeout(cdp.WithExecutor(b.ctx, chromedp.FromContext(b.ctx).Browser), browserPatience)
	defer cancel()
	store, err := target.CreateBrowserContext().WithDisposeOnDetach(true).Do(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := cdpbrowser.SetDownloadBehavior(cdpbrowser.SetDownloadBehaviorBehaviorAllow).WithBrowserContextID(store).WithDownloadPath(files).Do(ctx); err != nil {
		t.Fatal(err)
	}
	id, err := target.CreateTarget("about:blank").WithBrowserContextID(store).WithNewWindow(true).Do(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// words of a look's language, for what everybody meets first.
func (l look) words(zh, en string) string {
	if l.language == "zh-CN" {
		return zh
	}
	return en
}

// arrive opens the console as somebody who is not signed in.
func (b *browser) arrive(t *testing.T, base, subject string, as look) *person {
	t.Helper()
	p := &person{t: t, b: b, name: subject, base: base, files: t.TempDir()}
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithTargetID(b.window(t, p.files)))
	t.Cleanup(cancel)
	p.ctx = ctx
	chromedp.ListenTarget(ctx, p.watch)
	scheme := "light"
	if as.dark {
		scheme = "dark"
	}
	if err := chromedp.Run(ctx); err != nil { // the page lives as long as the context of its first run
		t.Fatal(err)
	}
	p.run(
		network.Enable(), log.Enable(), runtime.Enable(),
		emulation.SetFocusEmulationEnabled(true), // every window's person types, whichever lies in front
		chromedp.EmulateViewport(as.width, as.height),
		chromedp.ActionFunc(func(ctx context.Context) error {
			_, err := page.AddScriptToEvaluateOnNewDocument(b.person + fmt.Sprintf(
				"Object.defineProperty(navigator, 'language', { get: () => %q });", as.language)).Do(ctx)
			return err
		}),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
		chromedp.Navigate(base+"/console/"),
	)
	return p
}

// visit opens the console and signs in as one of the sample people.
func (b *browser) visit(t *testing.T, subject string, as look) *person {
	t.Helper()
	return b.visitAt(t, b.base, subject, as)
}

// visitAt is visit under another address of the same line.
func (b *browser) visitAt(t *testing.T, base, subject string, as look) *person {
	t.Helper()
	p := b.arrive(t, base, subject, as)
	p.press(as.words("登录", "Sign in"), "")
	p.sees("Development sign-in")
	p.press(subject, "")
	p.sees(as.words("工作清单", "Worklists"))
	return p
}

// watch keeps what a page must never do: call elsewhere, break its policy, throw, or complain. An answer that refuses is
// told by the browser too; the page shows it, and that is no complaint.
func (p *person) watch(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if url := e.Request.URL; !strings.HasPrefix(url, p.base+"/") && !strings.HasPrefix(url, "blob:"+p.base+"/") && !strings.HasPrefix(url, "data:") {
			p.problems = append(p.problems, "asked "+url)
		}
		for _, secret := range []string{"示范患者", "eyJ", "pat_"} {
			if strings.Contains(e.DocumentURL, secret) {
				p.problems = append(p.problems, "an address holds "+secret)
			}
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.LevelError && e.Entry.Source != log.SourceNetwork {
			p.problems = append(p.problems, string(e.Entry.Source)+": "+e.Entry.Text)
		}
	case *runtime.EventExceptionThrown:
		p.problems = append(p.problems, e.ExceptionDetails.Error())
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError {
			p.problems = append(p.problems, "console.error")
		}
	}
}

func (p *person) run(actions ...chromedp.Action) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, browserPatience)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
}

// do asks the page until it says that it is done.
func (p *person) do(what string, words ...string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, browserPatience)
	defer cancel()
	text, err := json.Marshal(append([]string{}, words...)) // never null
	if err != nil {
		p.t.Fatal(err)
	}
	call := fmt.Sprintf("window.huhang ? window.huhang.%s(...%s) : 'no page yet'", what, text)
	why := ""
	for {
		err := chromedp.Run(ctx, chromedp.Evaluate(call, &why))
		if err == nil && why == "" {
			return
		}
		// A page that is being left answers nothing.
		if chromedp.Run(ctx, chromedp.Sleep(glance)) != nil {
			p.fail(fmt.Sprintf("%s %q: %s (%v)", what, words, why, err))
		}
	}
}

// fail leaves a picture of what the person saw.
func (p *person) fail(why string) {
	p.t.Helper()
	var picture []byte
	var alerts string
	ctx, cancel := context.WithTimeout(p.ctx, browserPatience)
	defer cancel()
	file := filepath.Join(os.TempDir(), "huhang-console-"+p.name+".png")
	if chromedp.Run(ctx, chromedp.FullScreenshot(&picture, 100), chromedp.Evaluate("window.huhang.problems()", &alerts)) == nil {
		_ = os.WriteFile(file, picture, 0o600)
	}
	p.t.Fatalf("%s: %s; the page says %q and looks as in %s", p.name, why, alerts, file)
}

// press presses what has the name, in the part of the page with the heading, if one is given.
func (p *person) press(name, part string) { p.t.Helper(); p.do("press", name, part) }

// send presses the button of a form that is named as its part is, and waits for it to be taken.
func (p *person) send(name string) {
	p.t.Helper()
	p.press(name, name)
	p.do("sent", name)
}

func (p *person) fill(label, value string) { p.t.Helper(); p.do("fill", label, value) }

func (p *person) tickAll(label string) { p.t.Helper(); p.do("all", label) }

func (p *person) sees(words string) { p.t.Helper(); p.do("sees", words) }

// open goes to a page of the console.
func (p *person) open(path string) {
	p.t.Helper()
	p.run(chromedp.Evaluate(fmt.Sprintf("location.hash = %q", "#"+path), nil))
}

// where is the page's address after the #.
func (p *person) where() (hash string) {
	p.t.Helper()
	p.run(chromedp.Evaluate("location.hash.slice(1)", &hash))
	return hash
}

// fits asks whether everything is read by axe without a finding, in words of a language, in a page no wider than its window.
func (p *person) fits(what string) {
	p.t.Helper()
	var wide, wordless string
	p.run(chromedp.Evaluate("window.huhang.wide()", &wide), chromedp.Evaluate("window.huhang.wordless()", &wordless))
	if wordless != "" {
		p.t.Errorf("%s, %s: untranslated: %s", p.name, what, wordless)
	}
	if wide != "" {
		p.t.Errorf("%s, %s: wider than its window: %s", p.name, what, wide)
	}
	var found []string
	var there bool
	p.run(chromedp.Evaluate("Boolean(window.axe)", &there))
	if !there {
		p.run(chromedp.Evaluate(p.b.axe+"\n0", nil))
	}
	p.run(chromedp.Evaluate(
		"axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations.map((v) => v.id + ': ' + v.help + ' ' + v.nodes[0].html.slice(0, 200)))",
		&found, func(e *runtime.EvaluateParams) *runtime.EvaluateParams { return e.WithAwaitPromise(true) }))
	for _, f := range found {
		p.t.Errorf("%s, %s: %s", p.name, what, f)
	}
}

// behaved reports what the page did that it must not.
func (p *person) behaved() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, problem := range p.problems {
		p.t.Errorf("%s: %s", p.name, problem)
	}
}
