//go:build unix && !linux

package sqltest

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// isGoCommand reports whether process pid runs and is the go command.
func isGoCommand(pid int) bool {
	name, err := exec.Command("ps", "-o", "comm=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && filepath.Base(strings.TrimSpace(string(name))) == "go"
}

// dieWithParent has no means here: postgres ends within a minute after its folder was swept.
func dieWithParent(*syscall.SysProcAttr, syscall.Signal) {}
