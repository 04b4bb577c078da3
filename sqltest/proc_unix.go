//go:build unix

package sqltest

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

var ignoredSignals = []os.Signal{syscall.SIGHUP, syscall.SIGPIPE}

var stopSignals = map[StopMode]syscall.Signal{
	StopFast:      syscall.SIGINT,
	StopImmediate: syscall.SIGQUIT,
	StopSmart:     syscall.SIGTERM,
}

// detached puts a keeper in a session of its own: Ctrl-C reaches the tests, not the server under them.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// keeperProgram is the executable to start as the keeper of the server in dir.
func keeperProgram(string) (string, error) { return os.Executable() }

// account is the unprivileged user that runs PostgreSQL's programs; nil is the user of this process.
type account struct {
	uid, gid uint32
	name     string
}

// serverAccount returns nil unless this process runs as root, whom postgres refuses.
func serverAccount() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.ParseUint(u.Uid, 10, 32)
		gid, errGID := strconv.ParseUint(u.Gid, 10, 32)
		if errUID == nil && errGID == nil && uid != 0 {
			return &account{uid: uint32(uid), gid: uint32(gid), name: name}, nil
		}
	}
	return nil, fmt.Errorf("the process runs as root, and there is neither a user postgres nor a user nobody to run the server")
}

// attr makes a child process run as a, and get the signal last when the keeper is killed.
func (a *account) attr(last syscall.Signal) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{}
	if a != nil {
		attr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
	}
	dieWithParent(attr, last)
	return attr
}

// own gives path to a.
func (a *account) own(path string) error {
	if a == nil {
		return nil
	}
	return os.Chown(path, int(a.uid), int(a.gid))
}

func (c *cluster) signal(mode StopMode) error {
	return c.cmd.Process.Signal(stopSignals[mode])
}

func ownedByUs(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid() && info.Mode().Perm()&0o022 == 0
}
