//go:build windows

package sqltest

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

var ignoredSignals []os.Signal

// stopSignals are the names that "pg_ctl kill" knows.
var stopSignals = map[StopMode]string{StopFast: "INT", StopImmediate: "QUIT", StopSmart: "TERM"}

// isGoCommand reports whether process pid runs and is the go command.
func isGoCommand(pid int) bool {
	out, err := exec.Command("tasklist", "/NH", "/FO", "CSV", "/FI", "PID eq "+strconv.Itoa(pid)).Output()
	return err == nil && strings.HasPrefix(string(out), `"go.exe"`)
}

// detached starts a keeper in a process group of its own: Ctrl-C reaches the tests, not the server under them.
func detached() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP, HideWindow: true}
}

// keeperProgram copies the executable beside dir, because a program that runs cannot be deleted, and
// the go command deletes its test programs. The next sweep removes the copy.
func keeperProgram(dir string) (string, error) {
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	src, err := os.Open(program)
	if err != nil {
		return "", err
	}
	defer src.Close()
	dst, err := os.Create(dir + ".exe")
	if err != nil {
		return "", err
	}
	_, err = io.Copy(dst, src)
	if errClose := dst.Close(); err == nil {
		err = errClose
	}
	return dst.Name(), err
}

// account has no meaning here: the server runs as the user of this process, who must not be an administrator.
type account struct{ name string }

func serverAccount() (*account, error) { return nil, nil }

func (a *account) attr(syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP, HideWindow: true}
}

func (a *account) own(string) error { return nil }

func (c *cluster) signal(mode StopMode) error {
	pid := strconv.Itoa(c.cmd.Process.Pid)
	return exec.Command(filepath.Join(c.BinDir, "pg_ctl"), "kill", stopSignals[mode], pid).Run()
}

func ownedByUs(os.FileInfo) bool { return true }
