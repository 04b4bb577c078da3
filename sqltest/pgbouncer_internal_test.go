package sqltest

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// tryPgBouncer starts a PgBouncer of the test's own.
func tryPgBouncer(t *testing.T, o PgBouncerOptions) (*Pooler, error) {
	t.Helper()
	path, err := findPgBouncer()
	if err != nil {
		t.Skip(err)
	}
	return startPgBouncer(path, Server(t), o)
}

func TestPgBouncerThatDoesNotStartSaysWhy(t *testing.T) {
	t.Parallel()
	_, err := tryPgBouncer(t, PgBouncerOptions{Mode: "no such mode"})
	if err == nil || !strings.Contains(err.Error(), "no such mode") {
		t.Errorf("error = %v", err)
	}
}

func TestPgBouncerEndsWithAKilledKeeper(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ends a process with its parent")
	}
	p, err := tryPgBouncer(t, PgBouncerOptions{Mode: PoolSession})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(p.lock.Name())
	client, err := connect(t.Context(), p.DSN("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	KeeperOf(t, dir).Kill()
	if err := client.WaitForNotification(t.Context()); err == nil {
		t.Fatal("PgBouncer sent a notification")
	}
	p.lock.Close()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for { // a process that is ending holds its locks a little longer than its connections
		sweep(filepath.Dir(dir))
		if _, err := os.Stat(dir); os.IsNotExist(err) {
			return
		}
		<-tick.C
	}
}
