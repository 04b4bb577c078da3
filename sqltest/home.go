package sqltest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// homeDir returns the folder of this user in the system's folder for temporary files, where the
// servers' folders live; it makes it if need be.
func homeDir() (string, error) {
	dir := filepath.Join(tempDir(), "pycopg-"+strings.ReplaceAll(strconv.Itoa(os.Getuid()), "-", ""))
	if err := os.Mkdir(dir, homeMode()); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	if !info.IsDir() || !ownedByUs(info) {
		return "", fmt.Errorf("%s is not a folder that only this user can write", dir)
	}
	return dir, os.Chmod(dir, homeMode()) // whatever the umask left
}

// homeMode lets others pass through where the server runs as another user; its own folder stays closed.
func homeMode() os.FileMode {
	if os.Geteuid() == 0 {
		return 0o711
	}
	return 0o700
}

// tempDir is os.TempDir, or /tmp where the server's user could not get into that.
func tempDir() string {
	dir := os.TempDir()
	if os.Geteuid() != 0 {
		return dir
	}
	for at := dir; at != filepath.Dir(at); at = filepath.Dir(at) {
		if info, err := os.Stat(at); err != nil || info.Mode().Perm()&0o001 == 0 {
			return "/tmp"
		}
	}
	return dir
}

// newServerDir makes an empty folder for one server.
func newServerDir() (string, error) {
	for {
		home, err := homeDir()
		if err != nil {
			return "", err
		}
		sweep(home)
		dir := filepath.Join(home, strings.ToLower(rand.Text()[:8]))
		err = os.Mkdir(dir, homeMode())
		if errors.Is(err, os.ErrNotExist) {
			continue // the last server's keeper removed the home just now
		}
		if err != nil {
			return "", err
		}
		return dir, os.Chmod(dir, homeMode())
	}
}

// socketFolder is where the server in dir listens, "" where it has TCP alone.
func socketFolder(dir string) string {
	const longest = 103 - len("/.s.PGSQL.65535") // macOS has the shortest limit
	folder := filepath.Join(dir, socketDir)
	if runtime.GOOS == "windows" || len(folder) > longest {
		return ""
	}
	return folder
}

// sweep removes the folders of servers whose keeper was killed. A postgres that still ran in one
// ends by itself when it misses its files.
func sweep(home string) {
	entries, err := os.ReadDir(home)
	if err != nil {
		return
	}
	for _, entry := range entries {
		path := filepath.Join(home, entry.Name())
		switch {
		case entry.IsDir() && isDead(path):
			removeDead(path)
		case filepath.Ext(path) == ".exe":
			os.Remove(path) // a keeper's copy on Windows; the system refuses while it runs
		}
	}
}

// removeDead removes a dead server's folder, its users' lock last: while anything else is left, which a postgres that still runs may
// have written, the next sweep takes the folder for a dead one again.
func removeDead(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if entry.Name() != usersLock && os.RemoveAll(filepath.Join(dir, entry.Name())) != nil {
			return
		}
	}
	os.RemoveAll(dir)
}

// isDead reports whether neither a keeper nor a user holds dir. A folder without a users' lock is being made.
func isDead(dir string) bool {
	users, err := lockFile(filepath.Join(dir, usersLock), tryExclusive, false)
	if err != nil {
		return false
	}
	defer users.Close()
	keeper, err := lockFile(filepath.Join(dir, keeperLock), tryExclusive, true)
	if err != nil {
		return false
	}
	keeper.Close()
	return true
}

// removeHome removes a shared server's lock, and the home folder if nothing else is in it.
func removeHome(state, home string) {
	if state != "" {
		if gate, err := lockFile(gatePath(state), tryExclusive, false); err == nil {
			if _, err := os.Stat(state); err != nil {
				os.Remove(gate.Name())
			}
			gate.Close()
		}
	}
	os.Remove(home) // refuses to remove a folder with something in it
}
