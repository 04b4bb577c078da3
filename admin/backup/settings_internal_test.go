package backup

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pycopg/pycopg/driver"
)

// newSettings are those of a connection string, to one server.
func newSettings(t *testing.T, dsn string) *settings {
	t.Helper()
	cfg, err := driver.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return &settings{cfg: cfg, host: cfg.Hosts[0], attempt: driver.Attempt{User: cfg.User, Database: cfg.Database, Password: cfg.Password, RuntimeParams: cfg.RuntimeParams}}
}

func TestTheEnvironmentHoldsAllSettings(t *testing.T) {
	t.Setenv("PGSERVICE", "")
	t.Setenv("PGAPPNAME", "of the environment")
	t.Setenv("PSQL_HISTORY", "/x")
	t.Setenv("LC_MESSAGES", "de_DE")
	s := newSettings(t, `host=db.example port=6000 user='a b' dbname='d=x' password='p:w\\d' sslmode=verify-full sslrootcert=/root.crt sslcert=/c sslkey=/k
		sslpassword=phrase sslsni=0 sslcrl=/crl ssl_min_protocol_version=TLSv1.3 channel_binding=require require_auth=scram-sha-256 connect_timeout=1500ms
		keepalives_idle=30 keepalives_count=4 tcp_user_timeout=2000 options='-c a=b' search_path='x y\\z' application_name=me`)
	dir := t.TempDir()
	env, err := s.environment(dir, "pycopg pg_dump X", Tool{Name: "pg_dump", Major: 16})
	if err != nil {
		t.Fatal(err)
	}
	env = slices.DeleteFunc(env, func(v string) bool {
		return !strings.HasPrefix(v, "PG") && !strings.HasPrefix(v, "PSQL") && !strings.HasPrefix(v, "LC_")
	})
	want := []string{
		"LC_ALL=C", "PGHOST=db.example", "PGPORT=6000", "PGUSER=a b", "PGDATABASE=d=x", "PGAPPNAME=pycopg pg_dump X", `PGOPTIONS=-c a=b -c search_path=x\ y\\z`,
		"PGCONNECT_TIMEOUT=2", "PGSSLMODE=verify-full", "PGSSLCRL=/crl", "PGSSLSNI=0", "PGSSLMINPROTOCOLVERSION=TLSv1.3", "PGREQUIREAUTH=scram-sha-256",
		"PGCHANNELBINDING=require", "PGGSSENCMODE=disable", "PGPASSFILE=" + filepath.Join(dir, "passwords"),
		"PGSSLCERT=/c", "PGSSLKEY=/k", "PGSSLROOTCERT=/root.crt", "PGSERVICEFILE=" + filepath.Join(dir, "services"), "PGSERVICE=pycopg",
	}
	if !slices.Equal(env, want) {
		t.Errorf("environment:\n got %q\nwant %q", env, want)
	}
	for name, want := range map[string]string{
		"passwords": `*:*:*:*:p\:w\\d` + "\n",
		"services":  "[pycopg]\nkeepalives_idle=30\nkeepalives_count=4\ntcp_user_timeout=2000\nsslpassword=phrase\n",
	} {
		path := filepath.Join(dir, name)
		got, err := os.ReadFile(path)
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, want)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is open to others: %v, %v", name, info.Mode(), err)
		}
	}
	if _, err := s.environment(t.TempDir(), "", Tool{Name: "pg_dump", Version: "15.1", Major: 15}); !errors.Is(err, ErrToolVersion) || !strings.Contains(err.Error(), "PGREQUIREAUTH=scram-sha-256") {
		t.Errorf("a requirement that the program does not know: %v", err)
	}
}

func TestInlineCertificatesBecomeFiles(t *testing.T) {
	t.Parallel()
	s := newSettings(t, "host=a user=u dbname=d sslinline=on sslcert=CERT sslkey=KEY sslrootcert=ROOT compat=pq")
	dir := t.TempDir()
	env, err := s.environment(dir, "x", Tool{Major: 15})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"PGSSLMODE=require", "PGSSLCERT=" + filepath.Join(dir, "client.crt"), "PGSSLKEY=" + filepath.Join(dir, "client.key"),
		"PGSSLROOTCERT=" + filepath.Join(dir, "root.crt"),
	} {
		if !slices.Contains(env, want) {
			t.Errorf("the environment lacks %s: %q", want, env)
		}
	}
	if key, err := os.ReadFile(filepath.Join(dir, "client.key")); err != nil || string(key) != "KEY" {
		t.Errorf("the key: %q, %v", key, err)
	}
}

func TestTheServerIsTheOneThatTheConnectionHas(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		info driver.Info
		want driver.HostSpec
	}{
		{driver.Info{Host: "db", Address: "10.0.0.1:6000", Port: 5432}, driver.HostSpec{Host: "db", HostAddr: "10.0.0.1", Port: 6000}},
		{driver.Info{Host: "10.0.0.1", Address: "10.0.0.1:5432", Port: 5432}, driver.HostSpec{Host: "10.0.0.1", Port: 5432}},
		{driver.Info{Host: "db", Address: "[::1]:5432", Port: 5432}, driver.HostSpec{Host: "db", HostAddr: "::1", Port: 5432}},
		{driver.Info{Host: "/run", Address: "/run/.s.PGSQL.5433", Port: 5433}, driver.HostSpec{Host: "/run", Port: 5433}},
	} {
		if got := hostOf(c.info); got != c.want {
			t.Errorf("%+v: %+v, want %+v", c.info, got, c.want)
		}
	}
}

func TestSecondsAreRoundedUp(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{0: "", -1: "", time.Millisecond: "1", time.Second: "1", 1500 * time.Millisecond: "2"} {
		if got := seconds(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestMessagesKeepTheEndWithoutProgressAndSecrets(t *testing.T) {
	t.Parallel()
	m := &messages{tool: "pg_dump", secrets: []string{"hush"}}
	w := &lineWriter{line: m.add}
	for _, part := range []string{"pg_dump: dumping contents", " of table\npg_dump: error: it is hush\r\npg_d", "ump: hint: look\nplain\n", "no end"} {
		w.Write([]byte(part))
	}
	if got, want := m.String(), "pg_dump: error: it is ********\npg_dump: hint: look\nplain"; got != want {
		t.Errorf("messages: %q, want %q", got, want)
	}
	for range 5000 {
		m.add("0123456789")
	}
	if got := len(m.String()); got > maxStderr || got < maxStderr-20 {
		t.Errorf("%d bytes are kept", got)
	}
	w.Write(make([]byte, 3*maxLine))
	if len(w.rest) > maxLine {
		t.Errorf("%d bytes of a line without end are kept", len(w.rest))
	}
}

func TestTheBestToolFits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b, server int
		want         bool
	}{{15, 17, 15, true}, {17, 15, 15, false}, {16, 17, 15, true}, {17, 16, 15, false}, {14, 13, 15, true}, {13, 16, 15, false}, {16, 14, 15, true}, {15, 15, 15, false}} {
		if got := fits(c.a, c.b, c.server); got != c.want {
			t.Errorf("%d before %d for %d: %v", c.a, c.b, c.server, got)
		}
	}
}

func FuzzParseVersion(f *testing.F) {
	for _, said := range []string{"pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", "psql (PostgreSQL) 18beta1\n", "pg_dump (EnterpriseDB) 9.6.24", "x () ", "pg_dump (PostgreSQL) 99999999999999999999"} {
		f.Add(said)
	}
	f.Fuzz(func(t *testing.T, said string) {
		tool, err := parseVersion("pg_dump", "/p", said)
		if err == nil && (!strings.Contains(said, tool.Version) || tool.Major < 0) {
			t.Fatalf("%q: %+v", said, tool)
		}
	})
}

func FuzzDetect(f *testing.F) {
	tar := make([]byte, headLen)
	copy(tar, "toc.dat")
	copy(tar[257:], "ustar")
	for _, head := range [][]byte{nil, []byte("PGDMP\x01\x0e"), []byte("PGDM"), tar, {0x1f, 0x8b}, []byte("-- PostgreSQL database dump"), []byte("\x28\xb5\x2f\xfd")} {
		f.Add(head)
	}
	f.Fuzz(func(t *testing.T, head []byte) {
		format, gzipped, err := detect(head)
		if err == nil && (format == Directory || format == "") || gzipped && format != Plain {
			t.Fatalf("%q: %s, %v, %v", head, format, gzipped, err)
		}
	})
}
