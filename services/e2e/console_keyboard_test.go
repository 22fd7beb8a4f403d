package e2e

import (
	"strings"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// farthest bounds how often somebody presses Tab on the way to something.
const farthest = 120

// focus is what the keyboard is at.
type focus struct {
	Name    string `json:"name"`
	Ring    bool   `json:"ring"`    // it is marked for the eye
	Within  bool   `json:"within"`  // it is inside the window
	Forward bool   `json:"forward"` // it stands after what was marked before
}

func (p *person) key(keys string) { p.t.Helper(); p.run(chromedp.KeyEvent(keys)) }

func (p *person) focused() (f focus) {
	p.t.Helper()
	p.run(chromedp.Evaluate("window.huhang.focus()", &f))
	return f
}

// tabTo presses Tab until the keyboard is at what has the name. Everything it passes is marked, inside the window, and in
// the order of the page; only the way round its end goes back.
func (p *person) tabTo(name string) {
	p.t.Helper()
	turns := 0
	for range farthest {
		p.key(kb.Tab)
		at := p.focused()
		if at.Name == "" { // the end of the page
			continue
		}
		if !at.Ring {
			p.do("ringed") // a page that is just being drawn draws it a moment later
		}
		if !at.Within {
			p.t.Errorf("%s: the keyboard at %q is not seen: %+v", p.name, at.Name, at)
		}
		if !at.Forward {
			if turns++; turns > 1 {
				p.t.Errorf("%s: from %q the keyboard goes back on the page", p.name, at.Name)
			}
		}
		if strings.Contains(at.Name, name) {
			return
		}
	}
	p.fail("no way by keyboard to " + name)
}

// enter goes to what has the name and presses it.
func (p *person) enter(name string) { p.t.Helper(); p.tabTo(name); p.key(kb.Enter) }

// stopsTheClock is a whole key path without a mouse: sign in, find the case, open a form, think better of it, open it
// again, type, send. The keyboard is never lost.
func stopsTheClock(desk *person, id string) {
	t := desk.t
	t.Helper()
	desk.sees("Sign in")
	desk.enter("Sign in")
	desk.sees("Development sign-in")
	desk.enter("desk-2")
	desk.sees("Worklists")
	desk.key(kb.Tab)
	if at := desk.focused(); at.Name != "Skip to the content" {
		t.Errorf("the first stop of the keyboard is %q", at.Name)
	}
	desk.key(kb.Enter)
	desk.enter("For review")
	desk.sees(id[len(id)-6:])
	desk.enter(id[len(id)-6:])
	desk.sees("What you can do now")
	desk.enter("Other actions")
	desk.enter("Stop the clock with a reason")
	desk.do("at", "Reason")
	desk.key("thought better of it")
	desk.key(kb.Escape)
	desk.do("at", "Stop the clock with a reason")
	desk.do("lacks", "Such as: waiting for the patient")
	desk.key(kb.Enter)
	desk.do("at", "Reason")
	desk.key("waiting for a result")
	desk.key(kb.Enter)
	desk.sees("Clock stopped: waiting for a result")
	desk.sees("Done: Stop the clock with a reason")
	desk.do("at", "What you can do now")
}
