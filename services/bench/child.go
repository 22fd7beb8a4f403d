package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"time"

	"huhang.example/services/internal/clock"
)

// children are what this binary can be instead of itself: what is measured runs apart from the load.
var children = map[string]func(ctx context.Context, argument string) error{
	"line":       beLine,
	"echo":       beEcho,
	"settlement": beInstance("settlement", openSettlement),
	"transfer":   beInstance("transfer", openTransfer),
	"matching":   beInstance("matching", openMatching),
}

// beChild runs until standard input ends, and meanwhile obeys what is written there.
func beChild(role, argument string) error {
	// Ctrl-C goes to the whole group; the parent decides when a child ends.
	signal.Ignore(os.Interrupt)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer cancel()
		obey(os.Stdin, os.Stdout)
	}()
	return children[role](ctx, argument)
}

// The commands of a parent; each is answered with one line.
const (
	askCPU     = "cpu"     // -> microseconds of processor time so far
	askProfile = "profile" // begins a CPU profile, into the file named after it
	askEnd     = "end"     // ends the profile
)

func obey(in io.Reader, out io.Writer) {
	var profile *os.File
	commands := bufio.NewScanner(in)
	for commands.Scan() {
		command, argument, _ := strings.Cut(commands.Text(), " ")
		answer := "done"
		var err error
		switch command {
		case askCPU:
			var used time.Duration
			used, err = usage(syscall.RUSAGE_SELF)
			answer = strconv.FormatInt(used.Microseconds(), 10)
		case askProfile:
			if profile, err = os.Create(argument); err == nil {
				err = pprof.StartCPUProfile(profile)
			}
		case askEnd:
			pprof.StopCPUProfile()
			err = profile.Close()
		}
		if err != nil {
			answer = "error " + err.Error()
		}
		_, _ = fmt.Fprintln(out, answer)
	}
}

// child is a running one.
type child struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	log     string
	ended   chan struct{}
	err     error // once ended
}

const endLimit = 8 * time.Second

// spawn starts this binary again as a child; its log goes to a file of the bed.
func (b *bed) spawn(role, argument string) (*child, error) {
	c := &child{ended: make(chan struct{}), log: filepath.Join(b.dir, fmt.Sprintf("%s-%d.log", role, b.number()))}
	log, err := os.Create(c.log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	c.command = exec.Command(b.self, role, argument)
	c.command.Stderr = log
	if c.in, err = c.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = bufio.NewReader(out)
	if err := c.command.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(c.ended)
		c.err = c.command.Wait()
	}()
	return c, nil
}

// ask sends a command and returns its answer.
func (c *child) ask(command ...string) (string, error) {
	if _, err := fmt.Fprintln(c.in, strings.Join(command, " ")); err != nil {
		return "", c.why(err)
	}
	answer, err := c.out.ReadString('\n')
	if err != nil {
		return "", c.why(err)
	}
	answer = strings.TrimSpace(answer)
	if failed, is := strings.CutPrefix(answer, "error "); is {
		return "", errors.New(failed)
	}
	return answer, nil
}

// cpu is the processor time the child has used.
func (c *child) cpu() (time.Duration, error) {
	answer, err := c.ask(askCPU)
	if err != nil {
		return 0, err
	}
	micros, err := strconv.ParseInt(answer, 10, 64)
	return time.Duration(micros) * time.Microsecond, err
}

// why adds the end of the child's log.
func (c *child) why(err error) error {
	text, _ := os.ReadFile(c.log)
	if len(text) > 2000 {
		text = text[len(text)-2000:]
	}
	return fmt.Errorf("%w; its log ends with:\n%s", err, text)
}

// stop ends the child by the end of its input, and by force when that is not enough.
func (c *child) stop() error {
	_ = c.in.Close() // its input may be gone with it
	limit := clock.System().NewTimer(endLimit)
	defer limit.Stop()
	select {
	case <-c.ended:
		if c.err != nil {
			return c.why(c.err)
		}
		return nil
	case <-limit.C():
		_ = c.command.Process.Kill()
		<-c.ended
		return c.why(fmt.Errorf("%s did not end within %s", c.command.Args[1], endLimit))
	}
}
