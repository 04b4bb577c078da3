package sqltest_test

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pycopg/pycopg/sqltest"
)

// private starts a server for one test.
func private(t *testing.T, o sqltest.StartOptions) *sqltest.Instance {
	t.Helper()
	needPrograms(t)
	in, err := sqltest.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := in.Close(); err != nil {
			t.Error(err)
		}
	})
	return in
}

func query(t *testing.T, dsn, sql string) string {
	t.Helper()
	r, err := connect(t, dsn).Exec(t.Context(), sql).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return string(r[0].Rows[0][0])
}

func TestPrivateServerStopsRestartsAndVanishes(t *testing.T) {
	t.Parallel()
	in := private(t, sqltest.StartOptions{Settings: map[string]string{"application_name": `it's \ here`}})
	if got := query(t, in.DSN(""), "show application_name"); got != `it's \ here` {
		t.Errorf("setting = %q", got)
	}
	if err := in.Stop(t.Context(), sqltest.StopImmediate); err != nil {
		t.Fatal(err)
	}
	if canConnect(in.DSN("")) {
		t.Error("the stopped server lets clients in")
	}
	if err := in.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !canConnect(in.DSN("")) || !canConnect(in.TCP("")) {
		t.Error("the restarted server lets nobody in")
	}
	if log := in.Log(); !strings.Contains(log, "immediate shutdown") {
		t.Errorf("log = %s", log)
	}
	if err := in.Stop(t.Context(), "no such mode"); err == nil {
		t.Error("an unknown mode is no error")
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(in.Dir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("folder after Close: %v", err)
	}
	if err := in.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func TestAStopThatWaitsIsGivenUpForAnotherOne(t *testing.T) {
	t.Parallel()
	in := private(t, sqltest.StartOptions{})
	for _, next := range []func() error{
		func() error { return in.Stop(t.Context(), sqltest.StopFast) },
		func() error { return in.Restart(t.Context()) },
		in.Close,
	} {
		if err := in.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		connect(t, in.DSN("")) // a smart stop waits for it
		before := strings.Count(in.Log(), "received smart shutdown request")
		ctx, cancel := context.WithCancel(t.Context())
		stopped := make(chan error, 1)
		go func() { stopped <- in.Stop(ctx, sqltest.StopSmart) }()
		if !await(func() bool { return strings.Count(in.Log(), "received smart shutdown request") > before }) {
			t.Error("no smart shutdown")
		}
		cancel()
		if err := <-stopped; !errors.Is(err, context.Canceled) {
			t.Errorf("the smart stop: %v", err)
		}
		if err := next(); err != nil {
			t.Errorf("behind it: %v", err)
		}
	}
}

func TestRestartWaitsForItsPort(t *testing.T) {
	t.Parallel()
	in := private(t, sqltest.StartOptions{})
	config, err := pgconn.ParseConfig(in.TCP(""))
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Stop(t.Context(), sqltest.StopFast); err != nil {
		t.Fatal(err)
	}
	other, err := net.Listen("tcp", net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port))))
	if err != nil {
		t.Skip("somebody else has taken the port:", err)
	}
	restarted := make(chan error, 1)
	go func() { restarted <- in.Restart(t.Context()) }()
	if !await(func() bool { return strings.Contains(in.Log(), "could not create any TCP/IP sockets") }) {
		t.Error("no attempt to start")
	}
	other.Close()
	if err := <-restarted; err != nil {
		t.Fatal(err)
	}
	if !canConnect(in.TCP("")) {
		t.Error("the restarted server lets nobody in")
	}
}

func TestPrivateServerSpeaksTLSAndScram(t *testing.T) {
	t.Parallel()
	in := private(t, sqltest.StartOptions{TLS: true, Password: "p@ss/'word"})
	const encrypted = "select version from pg_stat_ssl where pid = pg_backend_pid()"
	if got := query(t, in.DSN(""), encrypted); !strings.HasPrefix(got, "TLS") {
		t.Errorf("TLS version = %q", got)
	}
	fault := in.Fault(t)
	if got := query(t, fault.DSN(in.TCP(""))+"&sslmode=verify-full&sslrootcert="+in.RootCert(), encrypted); !strings.HasPrefix(got, "TLS") {
		t.Errorf("through the proxy: TLS version = %q", got)
	}
	if got := query(t, fault.DSN(in.TCP("")), "select ssl::text from pg_stat_ssl where pid = pg_backend_pid()"); got != "false" {
		t.Errorf("through the proxy, as its DSN says: TLS %q", got)
	}
	config, err := pgconn.ParseConfig(in.TCP(""))
	if err != nil {
		t.Fatal(err)
	}
	config.Password = "wrong"
	var refused *pgconn.PgError
	if _, err := pgconn.ConnectConfig(t.Context(), config); !errors.As(err, &refused) || refused.Code != "28P01" {
		t.Errorf("wrong password: %v", err)
	}
}

func TestStartReportsWhatPostgresSays(t *testing.T) {
	t.Parallel()
	needPrograms(t)
	_, err := sqltest.Start(t.Context(), sqltest.StartOptions{Settings: map[string]string{"no_such_setting": "1"}})
	if err == nil || !strings.Contains(err.Error(), "no_such_setting") {
		t.Errorf("error = %v", err)
	}
}

func TestStartNamesAFileOutsideOfTheDataFolder(t *testing.T) {
	t.Parallel()
	needPrograms(t)
	_, err := sqltest.Start(t.Context(), sqltest.StartOptions{Files: map[string]string{"../pg_hba.conf": ""}})
	if err == nil || !strings.Contains(err.Error(), `"../pg_hba.conf"`) {
		t.Errorf("error = %v", err)
	}
}

func TestStartWithoutProgramsNamesTheInstallCommands(t *testing.T) {
	t.Parallel()
	_, err := sqltest.Start(t.Context(), sqltest.StartOptions{BinDir: t.TempDir()})
	for _, want := range []string{"apt-get", "dnf", "brew"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
}

func TestStartEndsWithItsContext(t *testing.T) {
	t.Parallel()
	needPrograms(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sqltest.Start(ctx, sqltest.StartOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
}

func TestServerOfAllTestsCannotBeStopped(t *testing.T) {
	t.Parallel()
	in := sqltest.Server(t)
	if err := in.Stop(t.Context(), ""); !errors.Is(err, sqltest.ErrNotPrivate) {
		t.Errorf("Stop: %v", err)
	}
	if err := in.Restart(t.Context()); !errors.Is(err, sqltest.ErrNotPrivate) {
		t.Errorf("Restart: %v", err)
	}
	if err := in.Close(); err != nil || !canConnect(in.DSN("")) {
		t.Errorf("Close: %v", err)
	}
}

func TestNothingIsLeftOfAKilledProgramsServer(t *testing.T) {
	t.Parallel()
	needPrograms(t)
	p := start(t, subprocess(t, "", "start a private server", "TMPDIR="+privateTemp(t)))
	if !canConnect(p.dsn) {
		t.Fatal("no server")
	}
	p.Process.Kill()
	if !await(func() bool { return !canConnect(p.dsn) }) {
		t.Error("the server outlived its owner")
	}
}

func TestNothingIsLeftOfAKilledProgramsTLSServerAndPgBouncer(t *testing.T) {
	t.Parallel()
	needPrograms(t)
	sqltest.PgBouncer(t, sqltest.PgBouncerOptions{}) // skips without it
	p := start(t, subprocess(t, "", "start a TLS server and a PgBouncer", "TMPDIR="+privateTemp(t)))
	var addresses []string
	for _, dsn := range strings.Fields(p.dsn) {
		conn := connect(t, dsn)
		addresses = append(addresses, conn.Conn().RemoteAddr().String())
	}
	p.Process.Kill()
	for i, what := range []string{"server", "PgBouncer"} {
		if !await(func() bool { return !listens(addresses[i]) }) {
			t.Errorf("the %s outlived its owner", what)
		}
	}
}
