package sqltest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// FindBinaries lets tests know whether a server can be started here.
var FindBinaries = findBinaries

// KeeperOf is the process that keeps what runs in dir.
func KeeperOf(t *testing.T, dir string) *os.Process {
	t.Helper()
	log, err := os.ReadFile(filepath.Join(dir, "keeper.log"))
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscanf(string(log), "keeper: process %d", &pid); err != nil {
		t.Fatal(err)
	}
	keeper, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	return keeper
}
