package driver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

func mustConnect(t *testing.T, c *Config) *link {
	t.Helper()
	l, err := c.connect(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeQuietly(context.Background(), l.px) })
	return l
}

func show(t *testing.T, l *link, sql string) string {
	t.Helper()
	v, err := askOne(t.Context(), l.px.PgConn(), sql)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSettingsReachTheServer(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		change func(*Config)
		ask    string
		want   string
	}{
		{func(*Config) {}, "show client_encoding", "UTF8"},
		{func(*Config) {}, "show datestyle", "ISO, MDY"},
		{func(c *Config) { c.RuntimeParams["DateStyle"] = "SQL, DMY" }, "show datestyle", "SQL, DMY"},
		{func(c *Config) { c.Options = "-c DateStyle=German" }, "show datestyle", "German, DMY"},
		{func(c *Config) { c.Options = `-c work_mem=77kB` }, "show work_mem", "77kB"},
		{func(c *Config) { c.RuntimeParams["search_path"] = "x" }, "show search_path", "x"},
		{func(c *Config) { c.FallbackApplicationName = "f" }, "show application_name", "f"},
		{func(c *Config) { c.FallbackApplicationName, c.ApplicationName = "f", "a" }, "show application_name", "a"},
		{func(c *Config) { c.Database = "template1" }, "select current_database()", "template1"},
		{func(*Config) {}, "select count(*) from pg_stat_ssl where pid = pg_backend_pid() and ssl", "0"},
	} {
		c := serverConfig(t)
		c.SSLMode = "disable"
		tt.change(c)
		if got := show(t, mustConnect(t, c), tt.ask); got != tt.want {
			t.Errorf("%s = %q, want %q", tt.ask, got, tt.want)
		}
	}
}

// TestEnvironmentIsNotReadAgain: pgconn would take all of these, and fail or send them.
func TestEnvironmentIsNotReadAgain(t *testing.T) {
	c := serverConfig(t)
	for name, value := range map[string]string{
		"PGSERVICE": "nope", "PGSERVICEFILE": "/nope", "PGSSLMODE": "nope", "PGAPPNAME": "leak", "PGTZ": "Nowhere", "PGOPTIONS": "-c nope=1",
		"PGSSLCERT": "/nope", "PGSSLROOTCERT": "/nope", "PGSSLCERTMODE": "", "PGTARGETSESSIONATTRS": "nope", "PGHOST": "nope",
		"PGPORT": "nope", "PGCONNECT_TIMEOUT": "nope", "PGMINPROTOCOLVERSION": "nope", "PGREQUIREAUTH": "nope", "PGCHANNELBINDING": "nope",
	} {
		t.Setenv(name, value)
	}
	if got := show(t, mustConnect(t, c), "show application_name"); got != "" {
		t.Errorf("application_name = %q", got)
	}
}

func TestPgxConnectionIsLight(t *testing.T) {
	t.Parallel()
	px := mustConnect(t, serverConfig(t)).px.Config()
	if px.StatementCacheCapacity != 0 || px.DescriptionCacheCapacity != 0 || px.DefaultQueryExecMode.String() != "describe exec" {
		t.Errorf("caches %d %d, mode %v", px.StatementCacheCapacity, px.DescriptionCacheCapacity, px.DefaultQueryExecMode)
	}
	if len(px.Fallbacks) != 0 {
		t.Errorf("pgx keeps %d fallbacks", len(px.Fallbacks))
	}
	c := serverConfig(t)
	c.DefaultQueryExecMode = 1
	if px := mustConnect(t, c).px.Config(); px.StatementCacheCapacity == 0 {
		t.Error("cache_statement was asked for and has no cache")
	}
}

func TestHostaddrAsksNoNameServer(t *testing.T) {
	t.Parallel()
	var f fakeServer
	c := fakeConfig(t, "host=db.example hostaddr=10.1.2.3 port=77 sslmode=disable", &f)
	c.Lookup = func(context.Context, string) ([]string, error) {
		t.Error("Lookup was called")
		return nil, errors.New("no")
	}
	l := mustConnect(t, c)
	if got := f.dialled(); !slices.Equal(got, []string{"10.1.2.3:77"}) || l.host.Host != "db.example" {
		t.Errorf("dialled %v for %v", got, l.host)
	}
}

func TestLookupAnswersAreAllTried(t *testing.T) {
	t.Parallel()
	f := fakeServer{login: func(address string, b *pgproto3.Backend, _ *pgproto3.StartupMessage) error {
		if address != "10.0.0.2:99" {
			return refuse(b, "57P03", "starting up")
		}
		return ready(b, nil)
	}}
	c := fakeConfig(t, "host=a,b port=5 sslmode=disable", &f)
	c.Lookup = func(_ context.Context, host string) ([]string, error) {
		if host == "a" {
			return nil, errors.New("no such name")
		}
		return []string{"10.0.0.1", "10.0.0.2:99", "10.0.0.3"}, nil
	}
	if l := mustConnect(t, c); l.address != "10.0.0.2:99" || len(f.dialled()) != 2 {
		t.Errorf("connected to %s after %v", l.address, f.dialled())
	}
}

func TestLoadBalancingShufflesHostsAndAddressesOnly(t *testing.T) {
	t.Parallel()
	first := map[string]int{}
	for range 300 {
		f := fakeServer{login: func(_ string, b *pgproto3.Backend, _ *pgproto3.StartupMessage) error { return refuse(b, "28000", "no") }}
		c := fakeConfig(t, "host=a,b,c load_balance_hosts=random sslmode=allow", &f)
		c.Lookup = func(_ context.Context, host string) ([]string, error) { return []string{host + "1", host + "2"}, nil }
		var ce *ConnectError
		if _, err := c.connect(t.Context(), nil); !errors.As(err, &ce) {
			t.Fatal(err)
		}
		var order []string
		for i, a := range ce.Attempts {
			if a.TLS != (i%2 == 1) || i%2 == 1 && a.Address != ce.Attempts[i-1].Address {
				t.Fatalf("the plain and the TLS attempt were torn apart: %v", ce)
			}
			order = append(order, a.Host)
		}
		if len(order) != 12 || len(slices.Compact(order)) != 3 {
			t.Fatalf("hosts %v", order)
		}
		first[ce.Attempts[0].Address]++
	}
	if len(first) != 6 {
		t.Errorf("first addresses of 300 connections: %v", first)
	}
	for address, n := range first {
		if n < 20 {
			t.Errorf("%s came first %d times of 300", address, n)
		}
	}
}

func TestTargetSessionAttrs(t *testing.T) {
	t.Parallel()
	// Host p is a primary, r a primary with read-only default, s a standby; o is an old server that has to be asked.
	status := map[string]map[string]string{
		"p": {"in_hot_standby": "off", "default_transaction_read_only": "off"},
		"r": {"in_hot_standby": "off", "default_transaction_read_only": "on"},
		"s": {"in_hot_standby": "on", "default_transaction_read_only": "off"},
	}
	login := func(address string, b *pgproto3.Backend, _ *pgproto3.StartupMessage) error {
		host, _, _ := net.SplitHostPort(address)
		if err := ready(b, status[host]); err != nil || host != "o" {
			return err
		}
		msg, err := b.Receive()
		if err != nil {
			return err
		}
		answer := "t"
		if q, ok := msg.(*pgproto3.Query); ok && strings.Contains(q.String, "read_only") {
			answer = "on"
		}
		b.Send(&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("x"), DataTypeOID: 25}}})
		b.Send(&pgproto3.DataRow{Values: [][]byte{[]byte(answer)}})
		b.Send(&pgproto3.CommandComplete{CommandTag: []byte("SHOW")})
		b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		return b.Flush()
	}
	for _, tt := range []struct{ attrs, hosts, want string }{
		{"any", "s,p", "s"},
		{"", "r,p", "r"},
		{"read-write", "s,r,o,p", "p"},
		{"read-only", "p,r", "r"},
		{"read-only", "p,s", "s"},
		{"read-only", "p,o", "o"},
		{"primary", "s,o,r", "r"},
		{"standby", "p,r,s", "s"},
		{"standby", "p,o", "o"},
		{"prefer-standby", "p,s", "s"},
		{"prefer-standby", "p,r", "p"},
		{"read-write", "s,r", ""},
		{"standby", "p,r", ""},
	} {
		f := fakeServer{login: login}
		l, err := fakeConfig(t, "sslmode=disable host="+tt.hosts+" target_session_attrs="+tt.attrs, &f).connect(t.Context(), nil)
		got := ""
		if l != nil {
			got = l.host.Host
			closeQuietly(t.Context(), l.px)
		} else if !strings.Contains(err.Error(), "target_session_attrs") {
			t.Errorf("%v: %v", tt, err)
		}
		if got != tt.want {
			t.Errorf("%s of %s: %q, want %q (%v)", tt.attrs, tt.hosts, got, tt.want, err)
		}
	}
}

func TestTargetSessionAttrsOnARealServer(t *testing.T) {
	t.Parallel()
	for attrs, options := range map[string]string{"read-write": "", "primary": "", "prefer-standby": "", "read-only": "-c default_transaction_read_only=on"} {
		c := serverConfig(t)
		c.TargetSessionAttrs, c.Options = attrs, options
		mustConnect(t, c)
	}
	for attrs, options := range map[string]string{"read-only": "", "standby": "", "read-write": "-c default_transaction_read_only=on"} {
		c := serverConfig(t)
		c.TargetSessionAttrs, c.Options = attrs, options
		if _, err := c.connect(t.Context(), nil); err == nil {
			t.Errorf("%s: connected", attrs)
		}
	}
}

func TestConnectTimeoutCountsForEachHost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := fakeServer{login: func(address string, b *pgproto3.Backend, _ *pgproto3.StartupMessage) error {
			if address != "c:5432" {
				_, err := b.Receive() // never answers
				return err
			}
			return ready(b, nil)
		}}
		start := time.Now()
		l := mustConnect(t, fakeConfig(t, "host=a,b,c connect_timeout=7 sslmode=disable", &f))
		if took := time.Since(start); l.host.Host != "c" || took != 14*time.Second {
			t.Errorf("connected to %v after %v, want c after 14s", l.host, took)
		}
		closeQuietly(t.Context(), l.px)

		_, err := fakeConfig(t, "host=a connect_timeout=7 sslmode=disable", &f).connect(t.Context(), nil)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "connect_timeout of 7s") {
			t.Errorf("error = %v", err)
		}
	})
}

func TestCallersContextEndsTheSearch(t *testing.T) {
	t.Parallel()
	for _, silent := range []string{"login", "tls", "lookup", "hook"} {
		ctx, cancel := context.WithCancelCause(t.Context())
		mine := errors.New("mine")
		f := fakeServer{login: func(_ string, b *pgproto3.Backend, _ *pgproto3.StartupMessage) error {
			cancel(mine)
			_, err := b.Receive()
			return err
		}}
		c := fakeConfig(t, "host=a,b sslmode=disable", &f)
		block := func(ctx context.Context) error { cancel(mine); <-ctx.Done(); return ctx.Err() }
		switch silent {
		case "tls":
			c.SSLMode = "require"
			c.Dial = func(context.Context, string, string) (net.Conn, error) {
				client, server := net.Pipe()
				t.Cleanup(func() { server.Close() })
				cancel(mine)
				return client, nil
			}
		case "lookup":
			c.Lookup = func(ctx context.Context, _ string) ([]string, error) { return nil, block(ctx) }
		case "hook":
			c.BeforeConnect = func(ctx context.Context, _ *Attempt) error { return block(ctx) }
		}
		_, err := c.connect(ctx, nil)
		var ce *ConnectError
		if !errors.Is(err, context.Canceled) || !errors.Is(err, mine) || !errors.As(err, &ce) || len(ce.Attempts) != 1 {
			t.Errorf("%s: %v", silent, err)
		}
	}
}

func TestPgconnNeverDialsByItself(t *testing.T) {
	t.Parallel()
	f := fakeServer{login: func(_ string, b *pgproto3.Backend, _ *pgproto3.StartupMessage) error {
		if err := ready(b, nil); err != nil {
			return err
		}
		return errors.New("hang up")
	}}
	l := mustConnect(t, fakeConfig(t, "host=a sslmode=disable", &f))
	if _, err := l.px.PgConn().ReceiveMessage(t.Context()); err == nil {
		t.Fatal("no error at the end of the connection")
	}
	<-l.px.PgConn().CleanupDone()
	if got := f.dialled(); len(got) != 1 {
		t.Errorf("dialled %v", got)
	}
	if err := l.px.PgConn().CancelRequest(t.Context()); err == nil || len(f.dialled()) != 1 {
		t.Errorf("pgconn's own cancel: %v, dialled %v", err, f.dialled())
	}
}

func TestPasswordAndTokenPerAttempt(t *testing.T) {
	t.Parallel()
	var got []string
	login := func(address string, b *pgproto3.Backend, start *pgproto3.StartupMessage) error {
		b.Send(&pgproto3.AuthenticationCleartextPassword{})
		if err := b.Flush(); err != nil {
			return err
		}
		if err := b.SetAuthType(pgproto3.AuthTypeCleartextPassword); err != nil {
			return err
		}
		msg, err := b.Receive()
		if err != nil {
			return err
		}
		got = append(got, start.Parameters["user"]+"/"+msg.(*pgproto3.PasswordMessage).Password)
		return refuse(b, "57P03", "later")
	}
	path := filepath.Join(t.TempDir(), "pass")
	if err := os.WriteFile(path, []byte("a:*:*:*:pa\nb:*:*:*:pb\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := fakeServer{login: login}
	c := fakeConfig(t, "host=a,b,c hostaddr=10.0.0.1,10.0.0.2,10.0.0.3 user=u sslmode=disable passfile="+path, &f)
	c.BeforeConnect = func(_ context.Context, a *Attempt) error {
		if a.Host == "c" {
			a.Password, a.User = "fresh", "other"
		}
		return nil
	}
	_, err := c.connect(t.Context(), nil)
	if want := []string{"u/pa", "u/pb", "other/fresh"}; !reflect.DeepEqual(got, want) {
		t.Errorf("passwords %v, want %v (%v)", got, want, err)
	}
	var ce *ConnectError
	if !errors.As(err, &ce) || ce.Attempts[2].User != "other" {
		t.Errorf("the error names the wrong user: %v", err)
	}
	c.BeforeConnect = func(context.Context, *Attempt) error { return os.ErrPermission }
	if _, err := c.connect(t.Context(), nil); !errors.Is(err, os.ErrPermission) || len(f.dialled()) != 3 {
		t.Errorf("failing hook: %v, %v", err, f.dialled())
	}
}

func TestOAuthToken(t *testing.T) {
	t.Parallel()
	var got []string
	f := fakeServer{login: func(_ string, b *pgproto3.Backend, _ *pgproto3.StartupMessage) error {
		b.Send(&pgproto3.AuthenticationSASL{AuthMechanisms: []string{"OAUTHBEARER"}})
		if err := b.Flush(); err != nil {
			return err
		}
		if err := b.SetAuthType(pgproto3.AuthTypeSASL); err != nil {
			return err
		}
		msg, err := b.Receive()
		if err != nil {
			return err
		}
		got = append(got, string(msg.(*pgproto3.SASLInitialResponse).Data))
		return ready(b, nil)
	}}
	c := fakeConfig(t, "host=a sslmode=disable require_auth=oauth", &f)
	c.OAuthToken = func(context.Context) (string, error) { return "config", nil }
	mustConnect(t, c)
	c.BeforeConnect = func(_ context.Context, a *Attempt) error { a.Token = "attempt"; return nil }
	mustConnect(t, c)
	if len(got) != 2 || !strings.Contains(got[0], "Bearer config") || !strings.Contains(got[1], "Bearer attempt") {
		t.Errorf("tokens: %q", got)
	}
	c.RequireAuth = "!oauth"
	if _, err := c.connect(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "!oauth") {
		t.Errorf("require_auth=!oauth: %v", err)
	}
}

func TestProtocolVersions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		min, max string
		want     uint32
	}{{"", "", 0x30000}, {"", "3.2", 0x30002}, {"", "latest", 0x30002}, {"3.2", "", 0x30002}, {"3.0", "", 0x30000}, {"latest", "", 0x30002}} {
		var got uint32
		f := fakeServer{login: func(_ string, b *pgproto3.Backend, s *pgproto3.StartupMessage) error {
			got = s.ProtocolVersion
			return ready(b, nil)
		}}
		c := fakeConfig(t, "host=a sslmode=disable", &f)
		c.MinProtocolVersion, c.MaxProtocolVersion = tt.min, tt.max
		mustConnect(t, c)
		if got != tt.want {
			t.Errorf("min %q max %q: asked for %x, want %x", tt.min, tt.max, got, tt.want)
		}
	}
}

func TestRefusedStartupParameter(t *testing.T) {
	t.Parallel()
	c := serverConfig(t)
	c.RuntimeParams["no_such_parameter"] = "1"
	_, err := c.connect(t.Context(), nil)
	if err == nil || !strings.Contains(err.Error(), "startup_optional=no_such_parameter") {
		t.Errorf("error = %v", err)
	}
	c.StartupOptional = []string{"other", "No_Such_Parameter"}
	mustConnect(t, c)

	f := fakeServer{login: func(_ string, b *pgproto3.Backend, s *pgproto3.StartupMessage) error {
		if _, ok := s.Parameters["statement_timeout"]; ok {
			return refuse(b, "08P01", "unsupported startup parameter: statement_timeout")
		}
		return ready(b, nil)
	}}
	mustConnect(t, fakeConfig(t, "host=a sslmode=disable statement_timeout=5 startup_optional=statement_timeout", &f))
}

func TestRedialReachesTheSameServer(t *testing.T) {
	t.Parallel()
	l := mustConnect(t, serverConfig(t))
	if err := cancelThrough(t, l); err != nil {
		t.Error(err)
	}
}

// cancelThrough cancels a statement of l with cancel requests on redialled connections, until one comes late enough to
// find the statement running.
func cancelThrough(t *testing.T, l *link) error {
	t.Helper()
	pg := l.px.PgConn()
	buf, err := (&pgproto3.CancelRequest{ProcessID: pg.PID(), SecretKey: pg.SecretKey()}).Encode(nil)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() {
		_, err := pg.Exec(t.Context(), "select pg_sleep(60)").ReadAll()
		ended <- err
	}()
	for {
		select {
		case err := <-ended:
			var pgErr *pgconn.PgError
			if !errors.As(err, &pgErr) || pgErr.Code != "57014" {
				return fmt.Errorf("error of the cancelled statement: %w", err)
			}
			return nil
		default:
		}
		nc, err := l.redial(t.Context())
		if err != nil {
			return err
		}
		if _, err := nc.Write(buf); err != nil {
			return err
		}
		_, _ = nc.Read(make([]byte, 1)) // until the server hangs up
		nc.Close()
	}
}

func TestConnectErrorsNameEveryAttempt(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t"
	f := fakeServer{login: func(address string, b *pgproto3.Backend, _ *pgproto3.StartupMessage) error {
		switch address {
		case "full:5432":
			return refuse(b, "53300", "too many")
		case "gone:5432":
			return os.ErrClosed
		}
		return refuse(b, "28P01", "password wrong")
	}}
	c := fakeConfig(t, "host=full,gone,last,never user=u dbname=d sslmode=disable password="+secret, &f)
	_, err := c.connect(t.Context(), nil)
	var ce *ConnectError
	if !errors.As(err, &ce) || len(ce.Attempts) != 3 {
		t.Fatalf("error = %v, want three attempts and none after the wrong password", err)
	}
	for i, host := range []string{"full", "gone", "last"} {
		line := strings.Split(err.Error(), "\n")[i+1]
		for _, want := range []string{"host=" + host, "port=5432", "user=u", "database=d", "tls=off"} {
			if !strings.Contains(line, want) {
				t.Errorf("line %q lacks %s", line, want)
			}
		}
	}
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) || pgErr.Code != "53300" || !errors.As(ce.Attempts[2].Err, &pgErr) || pgErr.Code != "28P01" {
		t.Errorf("SQLSTATE of the attempts: %v", ce)
	}
	var leak *pgconn.ConnectError
	if errors.As(err, &leak) {
		t.Error("pgconn.ConnectError, which holds the password, can be reached")
	}
	var out strings.Builder
	b, _ := json.Marshal(ce)
	out.Write(b)
	log := slog.New(slog.NewJSONHandler(&out, nil))
	log.Error("x", "err", err, "data", ce.Attempts, "config", c)
	var walk func(error)
	walk = func(e error) {
		fmt.Fprintf(&out, "%v %+v %#v %s\n", e, e, e, e)
		switch e := e.(type) {
		case interface{ Unwrap() []error }:
			for _, inner := range e.Unwrap() {
				walk(inner)
			}
		case interface{ Unwrap() error }:
			if inner := e.Unwrap(); inner != nil {
				walk(inner)
			}
		}
	}
	walk(err)
	fmt.Fprintf(&out, "%+v %#v", *ce, *ce)
	if strings.Contains(out.String(), secret) {
		t.Errorf("the password is shown: %s", out.String())
	}
	if !strings.Contains(out.String(), "too many") || !strings.Contains(string(b), `"host":"gone"`) {
		t.Errorf("data: %s", b)
	}
}

func TestUnreachableAndUnknown(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	ln.Close()
	c := fakeConfig(t, "host=127.0.0.1 user=u port="+port, nil)
	c.Dial = nil
	if _, err := c.connect(t.Context(), nil); err == nil || strings.Count(err.Error(), "\n") != 0 || !strings.Contains(err.Error(), "port="+port) {
		t.Errorf("unreachable: %v", err)
	}
	c = serverConfig(t).WithDatabase("no_such_db")
	if _, err := c.connect(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "database=no_such_db") {
		t.Errorf("unknown database: %v", err)
	}
	if _, err := (&Config{Hosts: []HostSpec{{Host: "h", Port: 1}}}).connect(t.Context(), nil); !errors.Is(err, errUnmadeConfig) {
		t.Errorf("Config made by hand: %v", err)
	}
	c = DefaultConfig()
	c.SSLMode = "nope"
	var pe *ParseError
	if _, err := c.connect(t.Context(), nil); !errors.As(err, &pe) || pe.Key != "sslmode" || pe.Source != "Config" {
		t.Errorf("changed to nonsense: %v", err)
	}
}
