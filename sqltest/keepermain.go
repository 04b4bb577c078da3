package sqltest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// init turns the program into a keeper when it was started as one. It is here so that any program
// that imports sqltest can hold a server without a second executable.
func init() {
	if os.Getenv(keeperEnv) == "" {
		return
	}
	os.Unsetenv(keeperEnv)
	if err := keep(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// pollUnused is how often a keeper looks for life where it cannot wait for an event.
const pollUnused = 100 * time.Millisecond

// keep is the main function of a keeper: it runs a server until nobody uses it.
func keep(in io.Reader, out io.Writer) error {
	stopped := make(chan os.Signal, 1)
	signal.Notify(stopped, os.Interrupt, syscall.SIGTERM)
	signal.Ignore(ignoredSignals...) // an owner that went away closes terminal and pipes

	orders := json.NewDecoder(in)
	var s spec
	if err := orders.Decode(&s); err != nil {
		return fmt.Errorf("sqltest: keeper: read the specification: %w", err)
	}
	// The lock tells sweep that this folder is alive. It stays held until the process ends.
	alive, err := lockFile(filepath.Join(s.Dir, keeperLock), lockExclusive, true)
	if err != nil {
		return err
	}
	defer alive.Close()
	fmt.Fprintf(os.Stderr, "keeper: process %d; SIGTERM makes it remove everything\n", os.Getpid())

	ctx, unused := context.WithCancel(context.Background())
	go func() {
		waitUnused(s)
		unused()
	}()
	c := &cluster{spec: s}
	defer c.remove()
	answers := json.NewEncoder(out)
	first := answer(c, c.create(ctx))
	if err := answers.Encode(first); err != nil || first.Err != "" {
		return err
	}
	serve(ctx, c, stopped, orders, answers)
	return nil
}

// serve obeys the owner until nobody uses the server or a signal arrives. It runs on the thread that
// starts postgres, because the kernel ends postgres with that thread.
func serve(ctx context.Context, c *cluster, stopped <-chan os.Signal, orders *json.Decoder, answers *json.Encoder) {
	commands := make(chan func() error)
	go func() {
		giveUp := func() {}
		defer func() { giveUp() }()
		for {
			var order command
			if orders.Decode(&order) != nil {
				return // the owner closed the pipe or ended; the lock tells when to go
			}
			giveUp() // the owner does not wait for the last one any more
			own, cancel := context.WithCancel(ctx)
			giveUp = cancel
			commands <- func() error { return c.obey(own, order) }
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return
		case <-stopped:
			return
		case obey := <-commands:
			answers.Encode(answer(c, obey())) //nolint:errcheck // an owner that is gone needs no answer
		}
	}
}

func answer(c *cluster, err error) reply {
	r := reply{Port: c.port, Version: c.version}
	if err != nil {
		r.Err = err.Error()
	}
	return r
}

// waitUnused returns once no process holds the users' lock, the go command that ran the tests has
// ended, and the server has lingered. It then holds the lock, so that nobody can join any more. Between
// two looks the lock is free: a test that starts meanwhile may take it.
func waitUnused(s spec) {
	var since time.Time
	for {
		lock, err := lockFile(filepath.Join(s.Dir, usersLock), lockExclusive, false)
		if err != nil {
			return // the folder is gone
		}
		if since.IsZero() {
			since = time.Now()
		}
		if !isGoCommand(s.Parent) && time.Since(since) >= s.Linger {
			heldToTheEnd = lock
			return
		}
		lock.Close()
		time.Sleep(pollUnused)
	}
}

// heldToTheEnd keeps the garbage collector from closing the file, and with it the lock.
//
//lint:ignore U1000 it is there to be held
var heldToTheEnd *os.File
