package sqltest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// spec is what a keeper is told about the server, or the PgBouncer, that it shall hold. It travels as JSON.
type spec struct {
	Dir      string // private folder of the server; the keeper removes it at the end
	BinDir   string
	Settings map[string]string // beside and above the defaults
	Files    map[string]string // beside what initdb made
	HBA      []string          // whole pg_hba.conf; empty: the default
	Password string            // of the superuser, for connections over TCP
	TLS      bool
	Copied   bool   // the data folder is there already, with its configuration
	State    string // state file of a shared server, "" for a private one
	Linger   time.Duration
	Parent   int // a go command: the server stays while that runs; 0 for none

	PgBouncer *bouncerSpec // runs in place of postgres; Settings are its
}

// command asks a keeper to do something; the answer is a reply.
type command struct {
	Op   string // start, stop
	Mode StopMode
}

type reply struct {
	Err     string
	Port    int
	Version int // major
}

const (
	keeperEnv  = "PYCOPG_SQLTEST_KEEPER"
	usersLock  = "users.lock"  // held shared by every process that uses the server
	keeperLock = "keeper.lock" // held by the keeper for its life
)

// keeper is the owner's end of a keeper process: the program itself, started once more, which runs
// postgres or PgBouncer as its child for as long as anybody holds the users' lock, and then removes everything.
type keeper struct {
	cmd   *exec.Cmd
	lock  *os.File // users.lock, shared
	send  io.WriteCloser
	reply *json.Decoder
	read  chan struct{} // closed when the answer to the last order was read, nil before the first order
}

// startKeeper makes s.Dir's lock, starts a keeper for s and waits until its server accepts connections.
// When ctx ends first the keeper is abandoned, and cleans up by itself.
func startKeeper(ctx context.Context, s spec) (*keeper, reply, error) {
	lock, err := newUsersLock(s.Dir)
	if err != nil {
		return nil, reply{}, err
	}
	k := &keeper{lock: lock}
	if err := k.launch(s); err != nil {
		lock.Close()
		os.RemoveAll(s.Dir)
		return nil, reply{}, fmt.Errorf("start the keeper process: %w", err)
	}
	if err := json.NewEncoder(k.send).Encode(s); err != nil {
		return nil, reply{}, errors.Join(err, k.close())
	}
	r, err := k.await(ctx)
	if err != nil {
		return nil, reply{}, errors.Join(err, k.abandon(ctx))
	}
	return k, r, nil
}

func (k *keeper) launch(s spec) error {
	program, err := keeperProgram(s.Dir)
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(s.Dir, "keeper.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	k.cmd = exec.Command(program)
	k.cmd.Args = []string{"sqltest-keeper", s.Dir} // what ps shows
	// A program built with -race would rest for a second before it exits.
	k.cmd.Env = append(os.Environ(), keeperEnv+"=1", "GORACE=atexit_sleep_ms=0")
	k.cmd.Dir = s.Dir
	k.cmd.Stderr = log // never the owner's: go test waits until nobody holds its output
	k.cmd.SysProcAttr = detached()
	if k.send, err = k.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := k.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	k.reply = json.NewDecoder(out)
	return k.cmd.Start()
}

// do sends c and waits for the answer. When ctx ends first the next order makes the keeper give c up.
func (k *keeper) do(ctx context.Context, c command) (reply, error) {
	if err := json.NewEncoder(k.send).Encode(c); err != nil {
		return reply{}, err
	}
	return k.await(ctx)
}

func (k *keeper) await(ctx context.Context) (reply, error) {
	type answer struct {
		reply
		err error
	}
	answers, before, read := make(chan answer, 1), k.read, make(chan struct{})
	k.read = read
	go func() {
		defer close(read)
		if before != nil {
			<-before // answers come in the order of their orders
		}
		var a answer
		a.err = k.reply.Decode(&a.reply)
		answers <- a
	}()
	select {
	case <-ctx.Done():
		return reply{}, context.Cause(ctx)
	case a := <-answers:
		if a.err != nil {
			return reply{}, fmt.Errorf("the keeper process ended: %w", a.err)
		}
		if a.Err != "" {
			return reply{}, errors.New(a.Err)
		}
		return a.reply, nil
	}
}

// release lets go of the pipes of a shared server's keeper: from now on only the lock counts.
func (k *keeper) release() {
	k.send.Close()
	go k.cmd.Wait() //nolint:errcheck // no zombie while this process lives; the result is nobody's business
}

// close gives up the lock and waits until the keeper has removed everything.
func (k *keeper) close() error {
	k.lock.Close()
	k.send.Close()
	return k.cmd.Wait()
}

// abandon is close, but it does not wait for longer than ctx.
func (k *keeper) abandon(ctx context.Context) error {
	if ctx.Err() == nil {
		k.close() //nolint:errcheck // the keeper has reported already why it ended
		return nil
	}
	k.lock.Close()
	k.release()
	return nil
}

// newUsersLock makes the users' lock of dir, held before anybody can see the file.
func newUsersLock(dir string) (*os.File, error) {
	hidden := filepath.Join(dir, usersLock+".new")
	lock, err := lockFile(hidden, lockShared, true)
	if err != nil {
		return nil, err
	}
	if err := os.Rename(hidden, filepath.Join(dir, usersLock)); err != nil {
		lock.Close()
		return nil, err
	}
	return lock, nil
}
