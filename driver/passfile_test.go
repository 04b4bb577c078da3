package driver

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

const passLines = `# comment
a:5432:d:u:first
a:*:*:*:second
b\:c:5432:*:u:colon\:and\\back
localhost:5433:*:*:socket
/run/x:*:*:*:path
::1:5432:*:*:tooshort
\:\:1:5432:*:*:six
*:*:*:special:
short:line
*:9:*:*:a:b`

func TestPasswordIsFoundForEachHost(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pass")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(passLines, "\n", "\r\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		host     HostSpec
		user, db string
		want     string
	}{
		{HostSpec{Host: "a", Port: 5432}, "u", "d", "first"},
		{HostSpec{Host: "a", HostAddr: "10.0.0.1", Port: 5432}, "u", "d", "first"},
		{HostSpec{Host: "a", Port: 5432}, "x", "d", "second"},
		{HostSpec{Host: "a", Port: 1}, "u", "d", "second"},
		{HostSpec{Host: "b:c", Port: 5432}, "u", "", `colon:and\back`},
		{HostSpec{Host: "/tmp", Port: 5433}, "u", "d", "socket"},
		{HostSpec{Host: "/run/x", Port: 1}, "u", "d", "path"},
		{HostSpec{HostAddr: "::1", Port: 5432}, "u", "d", "six"},
		{HostSpec{Host: "zzz", Port: 9}, "u", "d", "a:b"},
		{HostSpec{Host: "zzz", Port: 1}, "u", "d", ""},
	} {
		c := DefaultConfig()
		c.User, c.Database, c.PassFile = tt.user, tt.db, path
		if got, note := c.passwordFor(tt.host); got != tt.want || note != "" {
			t.Errorf("%v %s: %q %q, want %q", tt.host, tt.user, got, note, tt.want)
		}
	}
}

func TestPasswordFileOpenToOthersIsNotUsed(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("files carry no mode")
	}
	for mode, ok := range map[os.FileMode]bool{0o600: true, 0o400: true, 0o640: false, 0o604: false, 0o666: false} {
		path := filepath.Join(t.TempDir(), "pass")
		if err := os.WriteFile(path, []byte("*:*:*:*:p"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		c := DefaultConfig()
		c.PassFile = path
		got, note := c.passwordFor(c.Hosts[0])
		if (got == "p") != ok || (note == "") != ok {
			t.Errorf("mode %o: password %q, note %q", mode, got, note)
		}
	}
}
