package driver

import (
	"net"
	"os/user"
	"strings"
	"syscall"
	"testing"
)

func sockopt(t *testing.T, l *link, level, option int) int {
	t.Helper()
	var v int
	conn := l.px.PgConn().Conn()
	if encrypted, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = encrypted.NetConn()
	}
	err := control(conn, func(fd uintptr) (err error) {
		v, err = syscall.GetsockoptInt(int(fd), level, option)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSocketOptionsAreSet(t *testing.T) {
	t.Parallel()
	const idle, interval, count = syscall.TCP_KEEPIDLE, syscall.TCP_KEEPINTVL, syscall.TCP_KEEPCNT
	for _, tt := range []struct {
		dsn                                    string
		on, idle, interval, count, userTimeout int
	}{
		{"", 1, 15, 15, 9, 0},
		{"keepalives=0", 0, -1, -1, -1, 0},
		{"keepalives_idle=77 keepalives_interval=7 keepalives_count=3", 1, 77, 7, 3, 0},
		{"keepalives_idle=0 keepalives_interval=0 keepalives_count=0", 1, 7200, 75, 9, 0},
		{"tcp_user_timeout=1234", 1, 15, 15, 9, 1234},
	} {
		c := serverConfig(t)
		if isSocketDir(c.Hosts[0].Host) {
			t.Skip("the server is reached by a unix socket")
		}
		o, err := ParseConfig(tt.dsn)
		if err != nil {
			t.Fatal(err)
		}
		c.KeepAlives, c.KeepAlivesIdle, c.KeepAlivesInterval, c.KeepAlivesCount, c.TCPUserTimeout =
			o.KeepAlives, o.KeepAlivesIdle, o.KeepAlivesInterval, o.KeepAlivesCount, o.TCPUserTimeout
		l := mustConnect(t, c)
		for _, opt := range []struct {
			name                string
			level, option, want int
		}{
			{"SO_KEEPALIVE", syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, tt.on},
			{"TCP_KEEPIDLE", syscall.IPPROTO_TCP, idle, tt.idle},
			{"TCP_KEEPINTVL", syscall.IPPROTO_TCP, interval, tt.interval},
			{"TCP_KEEPCNT", syscall.IPPROTO_TCP, count, tt.count},
			{"TCP_USER_TIMEOUT", syscall.IPPROTO_TCP, tcpUserTimeout, tt.userTimeout},
		} {
			if got := sockopt(t, l, opt.level, opt.option); opt.want >= 0 && got != opt.want {
				t.Errorf("%q: %s = %d, want %d", tt.dsn, opt.name, got, opt.want)
			}
		}
	}
}

func TestOptionsThatADialHookCannotKeepAreErrors(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{"keepalives_idle=5", "tcp_user_timeout=5"} {
		var f fakeServer
		key, _, _ := strings.Cut(dsn, "=")
		_, err := fakeConfig(t, "host=a sslmode=disable "+dsn, &f).connect(t.Context(), nil)
		if err == nil || !strings.Contains(err.Error(), key[:9]) {
			t.Errorf("%s on a pipe: %v", dsn, err)
		}
	}
}

func TestRequirePeer(t *testing.T) {
	t.Parallel()
	c := serverConfig(t)
	dirs := show(t, mustConnect(t, c), "show unix_socket_directories")
	owner := show(t, mustConnect(t, c), "select pg_read_file('/proc/self/status')")
	uid := ""
	for line := range strings.Lines(owner) {
		if rest, ok := strings.CutPrefix(line, "Uid:"); ok {
			uid = strings.Fields(rest)[0]
		}
	}
	u, err := user.LookupId(uid)
	if err != nil || dirs == "" {
		t.Skipf("the server's user or socket is not known here: %v", err)
	}
	c.Hosts[0].Host, c.Hosts[0].HostAddr = strings.Split(dirs, ",")[0], ""
	c.SSLMode = "verify-full" // no matter on a unix socket
	c.RequirePeer = u.Username
	l := mustConnect(t, c)
	if l.network != "unix" {
		t.Errorf("connected by %s", l.network)
	}
	if err := cancelThrough(t, l); err != nil {
		t.Errorf("cancel by a unix socket: %v", err)
	}
	c.RequirePeer = u.Username + "x"
	if _, err := c.connect(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "requirepeer") {
		t.Errorf("another user: %v", err)
	}
}
