package cli_test

import (
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"huhang.example/services/cli"
)

// Every command says what it does in words, in either language, and no two records' commands say the same.
func TestEveryCommandSaysWhatItDoes(t *testing.T) {
	for _, language := range []string{"en", "zh"} {
		root, said := &cobra.Command{Use: "huhang"}, map[string]string{}
		cli.Add(root, cli.Env{Getenv: func(string) string { return "" }}, []string{"--lang", language})
		var walk func(*cobra.Command)
		walk = func(c *cobra.Command) {
			for _, below := range c.Commands() {
				if first, _ := utf8.DecodeRuneInString(below.Short); first == utf8.RuneError || unicode.IsUpper(first) { // an RPC's name
					t.Errorf("%s is told by %q", below.CommandPath(), below.Short)
				}
				if other, twice := said[below.Short]; twice {
					t.Errorf("%s and %s both say %q", other, below.CommandPath(), below.Short)
				}
				said[below.Short] = below.CommandPath()
				walk(below)
			}
		}
		walk(root)
		if len(said) < 40 {
			t.Errorf("%d commands say little", len(said))
		}
	}
}
