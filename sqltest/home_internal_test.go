package sqltest

import (
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"
)

func TestSweepRemovesWhatAKilledKeeperLeft(t *testing.T) {
	t.Parallel()
	if _, err := findBinaries(); err != nil {
		t.Skip(err)
	}
	theServer() //nolint:errcheck // alive beside the dead one, where there is one
	in, err := Start(t.Context(), StartOptions{})
	if err != nil {
		t.Fatal(err)
	}
	in.keeper.cmd.Process.Kill()
	in.Close() //nolint:errcheck // reports the kill
	// Tests of other processes sweep as well, and postgres may still write. Where the kernel does not end it with its keeper, it
	// takes postgres a minute to miss its files.
	for deadline := time.Now().Add(5 * time.Minute); exists(in.Dir()) || letsIn(t, in); time.Sleep(pollUnused) {
		if time.Now().After(deadline) {
			t.Fatal("the folder, or postgres, outlived the keeper")
		}
		sweep(filepath.Dir(in.Dir()))
	}
	if shared, err := theServer(); err == nil && !answers(t.Context(), shared.DSN("")) {
		t.Error("the sweep removed a living server")
	}
}

func TestSweepComesBackToAFolderThatIsWrittenTo(t *testing.T) {
	t.Parallel()
	for range 50 {
		sweepWrittenTo(t)
	}
}

// sweepWrittenTo sweeps a dead folder while something is written into it, and again behind that.
func sweepWrittenTo(t *testing.T) {
	t.Helper()
	home := t.TempDir()
	dir := filepath.Join(home, "dead")
	if err := os.MkdirAll(filepath.Join(dir, dataDir), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, usersLock), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				os.WriteFile(filepath.Join(dir, dataDir, strconv.Itoa(i)), nil, 0o600) //nolint:errcheck // the folder goes
			}
		}
	})
	for range 20 {
		sweep(home)
	}
	close(stop)
	writer.Wait()
	if sweep(home); exists(dir) {
		t.Error("the folder stays for ever")
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !os.IsNotExist(err)
}

// letsIn reports whether a server knows its password: its port may be another server's by now.
func letsIn(t *testing.T, in *Instance) bool {
	t.Helper()
	conn, err := connect(t.Context(), in.TCP(""))
	if err != nil {
		return false
	}
	conn.Close(t.Context())
	return true
}

func TestSweepLeavesFoldersAloneThatAreInUse(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	for name, locks := range map[string][]string{"no lock yet": nil, "user alive": {usersLock}, "keeper alive": {keeperLock}} {
		dir := filepath.Join(home, name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, lock := range locks {
			f, err := lockFile(filepath.Join(dir, lock), lockShared, true)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
		}
		if name == "keeper alive" {
			if err := os.WriteFile(filepath.Join(dir, usersLock), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		sweep(home)
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
