//go:build !unix

package backup

import "os/exec"

// ownGroup does nothing: the programs' helpers are threads here.
func ownGroup(*exec.Cmd) {}

func stopGroup(cmd *exec.Cmd) error { return cmd.Process.Kill() }

func killGroup(*exec.Cmd) {}
