//go:build unix

package backup

import (
	"os/exec"
	"syscall"
)

// ownGroup starts a program in a process group of its own, which its helpers join.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// stopGroup asks the program and its helpers to end: pg_dump and pg_restore cancel what they run on the server first.
func stopGroup(cmd *exec.Cmd) error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }

// killGroup ends whatever is left of the group.
func killGroup(cmd *exec.Cmd) { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
