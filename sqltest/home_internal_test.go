package sqltest

import (
	"os"
	"path/filepath"
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
	home := filepath.Dir(in.Dir())
	if _, err := os.Stat(in.Dir()); err != nil {
		t.Fatalf("the killed keeper left no folder: %v", err)
	}
	sweep(home)
	if _, err := os.Stat(in.Dir()); !os.IsNotExist(err) {
		t.Errorf("after the sweep: %v", err)
	}
	// Where the kernel does not end postgres with its keeper, it takes postgres a minute to miss its files.
	for deadline := time.Now().Add(90 * time.Second); answers(t.Context(), in.TCP("")); time.Sleep(pollUnused) {
		if time.Now().After(deadline) {
			t.Fatal("postgres outlived its keeper")
		}
	}
	if shared, err := theServer(); err == nil && !answers(t.Context(), shared.DSN("")) {
		t.Error("the sweep removed a living server")
	}
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
