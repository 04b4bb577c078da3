package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// killAfter is how long a program may take to end when it was asked to.
const killAfter = 5 * time.Second

// process is one run of a program.
type process struct {
	tool     Tool
	args     []string
	env      []string
	stdin    io.Reader // nil: none
	stdout   io.Writer // nil: its lines are progress
	progress func(string)
	secrets  []string
}

// run runs the program to its end, or ends it with ctx. progress is called on this goroutine.
func (p *process) run(ctx context.Context) error {
	own, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(own, p.tool.Path, p.args...)
	cmd.Env = p.env
	cmd.WaitDelay = killAfter
	cmd.Cancel = func() error { return stopGroup(cmd) }
	ownGroup(cmd)
	lines, quit := make(chan string), make(chan struct{})
	emit := func(line string) {
		if p.progress == nil {
			return
		}
		select {
		case lines <- strings.TrimPrefix(line, p.tool.Name+": "):
		case <-quit:
		}
	}
	said := &messages{tool: p.tool.Name, secrets: p.secrets}
	cmd.Stderr = &lineWriter{line: func(line string) { said.add(line); emit(line) }}
	out := &watchedWriter{w: p.stdout}
	if p.stdout == nil {
		out.w = &lineWriter{line: emit}
	}
	cmd.Stdout = out
	readError, err := p.start(cmd, cancel)
	if err != nil {
		return fmt.Errorf("backup: %s: %w", p.tool.Name, err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		err = cmd.Wait()
	}()
	defer func() { // also when progress panics
		cancel()
		close(quit)
		<-done
		if err != nil {
			killGroup(cmd)
		}
	}()
	for {
		select {
		case line := <-lines:
			p.progress(line)
		case <-done:
			return p.result(ctx, err, readError(), out.err, said)
		}
	}
}

// start starts the program and what feeds it. The function that it returns is the error of reading, once the program has
// ended.
func (p *process) start(cmd *exec.Cmd, cancel context.CancelFunc) (readError func() error, err error) {
	none := func() error { return nil }
	if file, ok := p.stdin.(*os.File); ok {
		cmd.Stdin = file
		return none, cmd.Start()
	}
	if p.stdin == nil {
		return none, cmd.Start()
	}
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	failed := make(chan error, 1)
	go func() {
		err := feed(pipe, p.stdin)
		if err == nil {
			pipe.Close()
			return
		}
		failed <- err
		cancel() // the end of its input would tell psql to commit what it has: it is stopped ahead of that
	}()
	return func() error {
		select {
		case err := <-failed:
			return err
		default:
			return nil
		}
	}, nil
}

// feed copies, and returns the error of reading alone: why writing fails the program says.
func feed(w io.Writer, r io.Reader) error {
	buf := make([]byte, 64<<10)
	for {
		n, err := r.Read(buf)
		if _, werr := w.Write(buf[:n]); werr != nil {
			return nil
		}
		switch err {
		case nil:
		case io.EOF:
			return nil
		default:
			return err
		}
	}
}

// result is the error of a run, the cause of others first.
func (p *process) result(ctx context.Context, err, reading, writing error, said *messages) error {
	var exit *exec.ExitError
	switch {
	case reading != nil:
		return fmt.Errorf("backup: read the dump: %w", reading)
	case writing != nil:
		return fmt.Errorf("backup: write the dump: %w", writing)
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("backup: %s: %w", p.tool.Name, context.Cause(ctx))
	case errors.As(err, &exit):
		return &ToolError{Tool: p.tool.Name, ExitCode: exit.ExitCode(), Stderr: said.String()}
	}
	return fmt.Errorf("backup: %s: %w", p.tool.Name, err)
}

// watchedWriter remembers the error of a writer.
type watchedWriter struct {
	w   io.Writer
	err error
}

func (o *watchedWriter) Write(b []byte) (int, error) {
	n, err := o.w.Write(b)
	if err != nil {
		o.err = err
	}
	return n, err
}
