package sqltest

import (
	"os"
	"path/filepath"
	"strconv"
)

// parentsDir holds one empty file for each go command whose tests use a shared server, named by its
// process number. Between two packages of one "go test ./..." no test process may be running: the go
// command's life keeps the server up then.
const parentsDir = "parents"

// noteParent registers the go command that started this test process, if one did.
func noteParent(dir string) error {
	pid := os.Getppid()
	if !isGoCommand(pid) {
		return nil
	}
	if err := os.MkdirAll(filepath.Join(dir, parentsDir), 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, parentsDir, strconv.Itoa(pid)), nil, 0o600)
}

func hasLivingParent(dir string) bool {
	entries, err := os.ReadDir(filepath.Join(dir, parentsDir))
	if err != nil {
		return false
	}
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil && isGoCommand(pid) {
			return true
		}
	}
	return false
}
