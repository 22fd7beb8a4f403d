package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"

	"huhang.example/services/internal/sqldb/sqldbtest"
)

const theCase = "ref_01kb0000000000000000000001"

// shell is one of the person's own, at a terminal, with huhang in its path and a line that has one case and one offer.
type shell struct {
	t           *testing.T
	dir, huhang string
	env         []string
}

func needed(t *testing.T, name string) string {
	t.Helper()
	path := os.Getenv(name)
	if path == "" {
		t.Fatalf("%s names nothing: run the test under tools/with-shells", name)
	}
	return path
}

func newShell(t *testing.T) *shell {
	t.Helper()
	line := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v1/referrals":
			_, _ = w.Write([]byte(`{"referrals": [{"referralId": "` + theCase + `", "state": "STATE_SCREENING", "organ": "ORGAN_LIVER", "referringOrganisation": "H-HF-01"}]}`))
		case "/v1/offers":
			_, _ = w.Write([]byte(`{"offers": [{"offerId": "off_01kb0000000000000000000001", "organ": "ORGAN_LIVER", "urgency": "URGENCY_URGENT"}]}`))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(line.Close)
	dir, programs := t.TempDir(), t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(programs, "huhang")); err != nil {
		t.Fatal(err)
	}
	return &shell{t: t, dir: dir, huhang: filepath.Join(programs, "huhang"), env: []string{
		"PATH=" + programs + ":" + os.Getenv("PATH"), "HOME=" + dir, "XDG_CONFIG_HOME=" + dir, "XDG_DATA_HOME=" + dir, "TERM=vt100", "LANG=C.UTF-8", beHuhang + "=1",
		"HUHANG_SERVER=" + line.URL, "HUHANG_TOKEN=a.b.c",
	}}
}

// What a person types before the tab, and what then stands on the line. A line of its own has one way to go on.
var completed = map[string][]string{
	"huhang worklist for-r":                        {"huhang", "worklist", "for-review"},
	"huhang case sho":                              {"huhang", "case", "show"},
	"huhang case show ref_":                        {"huhang", "case", "show", theCase},
	"huhang offers accept off_":                    {"huhang", "offers", "accept", "off_01kb0000000000000000000001"},
	"huhang case close " + theCase + " --reason W": {"huhang", "case", "close", theCase, "--reason", "WITHDRAWN"},
	"huhang login --dev --as agen":                 {"huhang", "login", "--dev", "--as", "agency"},
}

// shows is what two tabs after a word list, with what each means.
const shows, shown = "huhang worklist awaiting-", "awaiting consultation"

// args prints what a line holds, word by word.
const args = `args() { printf '<%s>' "$@"; printf '<end>\n'; }`

// atTerminal runs an interactive shell at a terminal and presses the keys of a person.
func (s *shell) atTerminal(path string, options []string, setup string) {
	s.t.Helper()
	c := exec.CommandContext(s.t.Context(), path, options...)
	c.Env, c.Dir = s.env, s.dir
	terminal, err := pty.StartWithSize(c, &pty.Winsize{Rows: 50, Cols: 200})
	if err != nil {
		s.t.Fatal(err)
	}
	var screen printed
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(&screen, terminal) // ends with the shell
	}()
	defer func() {
		_ = c.Process.Kill()
		_ = c.Wait()
		_ = terminal.Close()
		<-read
		if s.t.Failed() {
			s.t.Logf("the screen:\n%s", &screen)
		}
	}()
	// press types and waits until args has run; what came on the screen since is returned.
	press := func(keys string) (came string) {
		before := len(screen.String())
		if _, err := terminal.WriteString(keys); err != nil {
			s.t.Fatalf("%v\n%s", err, &screen)
		}
		sqldbtest.Eventually(s.t, path+" has read the keys", func() bool {
			came = screen.String()[before:]
			return strings.Contains(came, "<end>")
		})
		return came
	}
	press(setup + "\n" + args + "\nargs ready\n")
	const (
		home, kill = "\x01", "\x15"
		// tries: a completion has 0.8 s for the line; on a loaded machine it may come to nothing, and a person presses the key again.
		tries = 20
	)
	for typed, words := range completed {
		want, got := "<"+strings.Join(words, "><")+"><end>", ""
		for try := 0; try < tries && !strings.Contains(got, want); try++ {
			got = press(typed + "\t" + home + "args \n")
		}
		if !strings.Contains(got, want) {
			s.t.Errorf("%s: %q and a tab is no %s but %q", path, typed, want, got)
		}
	}
	got := ""
	for try := 0; try < tries && !strings.Contains(got, shown); try++ {
		got = press(shows + "\t\t" + kill + "args\n")
	}
	if !strings.Contains(got, shown) || !strings.Contains(got, "awaiting-booking") {
		s.t.Errorf("%s: two tabs after %q list no meanings: %q", path, shows, got)
	}
}

func TestCompletionInBash(t *testing.T) {
	s := newShell(t)
	s.atTerminal(needed(t, "HUHANG_TEST_BASH"), []string{"--norc", "--noprofile", "-i"},
		"source "+needed(t, "HUHANG_TEST_BASH_COMPLETION")+"; source <(huhang completion bash)")
}

func TestCompletionInZsh(t *testing.T) {
	s := newShell(t)
	s.atTerminal(needed(t, "HUHANG_TEST_ZSH"), []string{"-f", "-i"}, "autoload -Uz compinit; compinit -u -D; source <(huhang completion zsh)")
}

// fish tells by itself what it would offer.
func TestCompletionInFish(t *testing.T) {
	s, fish := newShell(t), needed(t, "HUHANG_TEST_FISH")
	ask := func(typed string) string {
		c := exec.CommandContext(t.Context(), fish, "--no-config", "-c", "huhang completion fish | source; complete -C '"+typed+"'")
		c.Env, c.Dir = s.env, s.dir
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	for typed, words := range completed {
		want := words[len(words)-1]
		sqldbtest.Eventually(t, "fish offers "+want+" for "+typed, func() bool {
			offered := strings.Split(strings.TrimSpace(ask(typed)), "\n")
			return len(offered) == 1 && strings.HasPrefix(offered[0], want)
		})
	}
	if offered := ask(shows); !strings.Contains(offered, "awaiting-booking") || !strings.Contains(offered, shown) {
		t.Errorf("fish: %q", offered)
	}
}

// Every shell's script is whole by that shell's own reading.
func TestCompletionScripts(t *testing.T) {
	s := newShell(t)
	for name, check := range map[string][]string{
		"bash": {needed(t, "HUHANG_TEST_BASH"), "-n"}, "zsh": {needed(t, "HUHANG_TEST_ZSH"), "-n"}, "fish": {needed(t, "HUHANG_TEST_FISH"), "-n"},
	} {
		c := exec.CommandContext(t.Context(), s.huhang, "completion", name)
		c.Env = s.env
		script, err := c.Output()
		if err != nil || len(script) < 1000 {
			t.Fatalf("%s: %v, %d bytes", name, err, len(script))
		}
		path := filepath.Join(s.dir, "huhang."+name)
		if err := os.WriteFile(path, script, 0o600); err != nil {
			t.Fatal(err)
		}
		read := exec.CommandContext(t.Context(), check[0], append(check[1:], path)...)
		read.Env = s.env
		if out, err := read.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v %s", name, err, out)
		}
	}
}
