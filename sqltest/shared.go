package sqltest

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// lingerEnv is how long a shared server stays after its last user, for a look at kept databases.
const lingerEnv = "PYCOPG_TEST_LINGER"

// tlsEnv has the shared server speak TLS, and its users come over TCP, with a password.
const tlsEnv = "PYCOPG_TEST_TLS"

// state is what a shared server's state file holds.
type state struct {
	At    address
	Major int
}

// joinShared returns the server that the test processes of one go command share, and starts it if
// need be. (Test processes that no go command started share one as well.) The gate, a locked file, lets
// one process at a time look or start. The lock on the server that stays held in this process counts
// it as a user for the rest of its life. Between two packages of one "go test ./..." there may be no
// user: the go command's life keeps the server up then.
func joinShared(ctx context.Context, binDir string) (*Instance, error) {
	linger, err := lingering()
	if err != nil {
		return nil, err
	}
	parent := os.Getppid()
	if !isGoCommand(parent) {
		parent = 0
	}
	encrypted, err := encrypting()
	if err != nil {
		return nil, err
	}
	gate, path, err := lockGate(binDir, parent, encrypted)
	if err != nil {
		return nil, err
	}
	defer gate.Close()
	if in := joinRunning(ctx, path); in != nil {
		return in, nil
	}
	dir, err := newServerDir()
	if err != nil {
		return nil, err
	}
	in, err := launch(ctx, spec{
		Dir: dir, BinDir: binDir, Password: orRandom(""), TLS: encrypted, State: path, Linger: linger, Parent: parent,
	})
	if err != nil {
		return nil, err
	}
	usedForLife = in.keeper.lock
	in.keeper.release()
	in.keeper = nil
	return in, writeState(path, state{At: in.at, Major: in.major})
}

// usedForLife is the lock that says that this process uses the shared server.
//
//lint:ignore U1000 it is there to be held
var usedForLife *os.File

func lingering() (time.Duration, error) {
	text := os.Getenv(lingerEnv)
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", lingerEnv, err)
	}
	return d, nil
}

func encrypting() (bool, error) {
	text := os.Getenv(tlsEnv)
	if text == "" {
		return false, nil
	}
	on, err := strconv.ParseBool(text)
	if err != nil {
		return false, fmt.Errorf("%s: %w", tlsEnv, err)
	}
	return on, nil
}

// lockGate returns the held gate of the server of binDir, parent and encryption, and the path of its state file.
func lockGate(binDir string, parent int, encrypted bool) (*os.File, string, error) {
	sum := sha256.Sum256(fmt.Append(nil, binDir, encrypted))
	for {
		home, err := homeDir()
		if err != nil {
			return nil, "", err
		}
		path := filepath.Join(home, fmt.Sprintf("%x-%d.json", sum[:4], parent))
		gate, err := lockFile(gatePath(path), lockExclusive, true)
		if errors.Is(err, os.ErrNotExist) {
			continue // the home was removed just now
		}
		return gate, path, err
	}
}

func gatePath(state string) string { return strings.TrimSuffix(state, ".json") + ".lock" }

// joinRunning returns the server of the state file, or nil if there is none that answers.
func joinRunning(ctx context.Context, path string) *Instance {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	var s state
	if json.Unmarshal(text, &s) != nil {
		return nil
	}
	// This waits while the keeper is about to go, and then fails, because the file has gone with it.
	lock, err := lockFile(filepath.Join(s.At.Dir, usersLock), lockShared, false)
	if err != nil {
		return nil
	}
	in := &Instance{at: s.At, major: s.Major}
	if !answers(ctx, in.DSN("")) {
		lock.Close()
		return nil
	}
	usedForLife = lock
	return in
}

// answers reports whether a PostgreSQL server is there, be it with an error.
func answers(ctx context.Context, dsn string) bool {
	conn, err := pgconn.Connect(ctx, dsn)
	if err == nil {
		conn.Close(ctx)
		return true
	}
	var refused *pgconn.PgError
	return errors.As(err, &refused)
}

func writeState(path string, s state) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	// Written aside and renamed: a process that is killed here leaves no half of a file.
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// forgetState removes the state file if it speaks of the server in dir.
func forgetState(path, dir string) {
	if path == "" {
		return
	}
	text, err := os.ReadFile(path)
	var s state
	if err == nil && json.Unmarshal(text, &s) == nil && s.At.Dir == dir {
		os.Remove(path)
	}
}
