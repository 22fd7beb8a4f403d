package cli

import (
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"huhang.example/services/internal/clock"
	"huhang.example/services/internal/id"
)

// Env is what the commands take from outside.
type Env struct {
	Out, Err io.Writer
	In       io.Reader
	Getenv   func(string) string
	Clock    clock.Clock
	IDs      id.Source
	HTTP     *http.Client
	// Terminal says that Out is one: colours and a title line are for people.
	Terminal bool
	// Width is how many columns it has now; nil or 0: any number.
	Width func() int
	// Home is where the sign-in is kept.
	Home string
}

// System is the process's own environment.
func System() Env {
	home := os.Getenv("XDG_CONFIG_HOME")
	if dir, err := os.UserConfigDir(); home == "" && err == nil {
		home = dir
	}
	return Env{
		Out: os.Stdout, Err: os.Stderr, In: os.Stdin, Getenv: os.Getenv, Clock: clock.System(), IDs: id.Random(),
		HTTP: &http.Client{Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, ResponseHeaderTimeout: time.Minute, TLSHandshakeTimeout: 10 * time.Second,
		}},
		Terminal: isatty.IsTerminal(os.Stdout.Fd()), Width: columns, Home: home,
	}
}

// columns are the terminal's at this moment: its window may be drawn larger.
func columns() int {
	width, _, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// app is one run of the command line.
type app struct {
	Env
	server, language string
	json             bool
	// ran says that the arguments were right and the command itself began.
	ran bool
}

// Add gives root the commands for people, in the language that the arguments or the environment ask for.
func Add(root *cobra.Command, env Env, args []string) *Failures {
	a := &app{Env: env, language: languageOf(env.Getenv, args)}
	f := root.PersistentFlags()
	f.StringVar(&a.server, "server", "", a.say("专线地址；默认取 HUHANG_SERVER、登录时的地址、"+defaultServer, "the line's address; default: HUHANG_SERVER, where you signed in, "+defaultServer))
	f.String("lang", a.language, a.say("zh 或 en；默认取 LANG", "zh or en; default: by LANG"))
	_ = root.RegisterFlagCompletionFunc("lang", cobra.FixedCompletions([]string{"zh", "en"}, cobra.ShellCompDirectiveNoFileComp))
	root.AddCommand(a.caseCommand(), a.offersCommand(), a.transferCommand(), a.patientCommand(), a.worklistCommand(), a.loginCommand(), a.logoutCommand(), a.whoamiCommand())
	begin(root, a)
	return &Failures{a}
}

// begin notes of every command that it began: what fails before is a mistake of the arguments.
func begin(c *cobra.Command, a *app) {
	if run := c.RunE; run != nil {
		c.RunE = func(c *cobra.Command, args []string) error {
			a.ran = true
			return run(c, args)
		}
	}
	for _, sub := range c.Commands() {
		begin(sub, a)
	}
}

func (a *app) say(zh, en string) string {
	if a.language == "zh" {
		return zh
	}
	return en
}

// languageOf reads --lang before the commands are made, for their help is in it too.
func languageOf(getenv func(string) string, args []string) string {
	for n, arg := range args {
		value, given := strings.CutPrefix(arg, "--lang=")
		if arg == "--lang" && n+1 < len(args) {
			value, given = args[n+1], true
		}
		if given && (value == "zh" || value == "en") {
			return value
		}
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := getenv(name); value != "" {
			if strings.HasPrefix(value, "zh") {
				return "zh"
			}
			return "en"
		}
	}
	return "en"
}

// group is a command that only holds others.
func group(use, short string, subs ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	c.AddCommand(subs...)
	return c
}
