package driver

import (
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"
)

const defaultPort = 5432

type lookupFunc func(name string) (string, bool)

// value returns a variable that is set and not empty.
func (lookup lookupFunc) value(name string) string {
	v, _ := lookup(name)
	return v
}

// defaultHost is the first of the usual folders for the server's unix socket, else localhost.
func defaultHost() string {
	if runtime.GOOS != "windows" {
		for _, dir := range []string{"/var/run/postgresql", "/private/tmp", "/tmp"} {
			if _, err := os.Stat(dir); err == nil {
				return dir
			}
		}
	}
	return "localhost"
}

// osUser is the name of the user who runs the program, "" when it is unknown.
func osUser() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	if i := strings.LastIndexByte(u.Username, '\\'); i >= 0 { // DOMAIN\name
		return u.Username[i+1:]
	}
	return u.Username
}

// homeDir is the folder in which libpq looks for the user's files.
func homeDir(lookup lookupFunc) string {
	name := "HOME"
	if runtime.GOOS == "windows" {
		name = "APPDATA"
	}
	if dir := lookup.value(name); dir != "" {
		return userFiles(dir)
	}
	dir, err := os.UserHomeDir()
	if runtime.GOOS == "windows" {
		dir, err = os.UserConfigDir()
	}
	if err != nil {
		return ""
	}
	return userFiles(dir)
}

func userFiles(dir string) string {
	if runtime.GOOS == "windows" {
		return filepath.Join(dir, "postgresql")
	}
	return dir
}

// userFile is the path of one of libpq's default files, whose names differ between systems; "" without a home.
func (c *Config) userFile(unix, windows string) string {
	switch {
	case c.home == "":
		return ""
	case runtime.GOOS == "windows":
		return filepath.Join(c.home, windows)
	}
	return filepath.Join(c.home, filepath.FromSlash(unix))
}

// isSocketDir reports whether a host names the folder of a unix socket.
func isSocketDir(host string) bool {
	if strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") {
		return true
	}
	return len(host) >= 3 && host[0] >= 'A' && host[0] <= 'Z' && host[1] == ':' && host[2] == '\\'
}
