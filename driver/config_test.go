package driver_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pycopg/pycopg/driver"
)

// parse reads a DSN with nothing but the given variables ("NAME=value") around it.
func parse(t *testing.T, dsn string, env ...string) (*driver.Config, error) {
	t.Helper()
	vars := map[string]string{"DATABASE_URL": dsn, "HOME": t.TempDir()}
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		vars[name] = value
	}
	return driver.ConfigFromEnv(func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	})
}

func mustParse(t *testing.T, dsn string, env ...string) *driver.Config {
	t.Helper()
	c, err := parse(t, dsn, env...)
	if err != nil {
		t.Fatalf("%q: %v", dsn, err)
	}
	return c
}

func TestHostsOfConnectionStrings(t *testing.T) {
	t.Parallel()
	type hosts = []driver.HostSpec
	for _, tt := range []struct {
		dsn  string
		want hosts
	}{
		{"host=a", hosts{{Host: "a", Port: 5432}}},
		{"host=a,b port=1,2", hosts{{Host: "a", Port: 1}, {Host: "b", Port: 2}}},
		{"host=a,b port=7", hosts{{Host: "a", Port: 7}, {Host: "b", Port: 7}}},
		{"host=a,b port=,2", hosts{{Host: "a", Port: 5432}, {Host: "b", Port: 2}}},
		{"host=a hostaddr=::1", hosts{{Host: "a", HostAddr: "::1", Port: 5432}}},
		{"hostaddr=10.0.0.1,10.0.0.2", hosts{{HostAddr: "10.0.0.1", Port: 5432}, {HostAddr: "10.0.0.2", Port: 5432}}},
		{"host=a,b hostaddr=10.0.0.1,", hosts{{Host: "a", HostAddr: "10.0.0.1", Port: 5432}, {Host: "b", Port: 5432}}},
		{"postgres://a:1,b:2/db", hosts{{Host: "a", Port: 1}, {Host: "b", Port: 2}}},
		{"postgresql://[2001:db8::1]:6432,[::1]/db", hosts{{Host: "2001:db8::1", Port: 6432}, {Host: "::1", Port: 5432}}},
		{"postgresql://%2Fvar%2Frun:5433/db", hosts{{Host: "/var/run", Port: 5433}}},
		{"postgresql:///db?host=/tmp&port=1", hosts{{Host: "/tmp", Port: 1}}},
		{"postgresql+asyncpg://h/db", hosts{{Host: "h", Port: 5432}}},
		{"postgres+psycopg2://h:9/db", hosts{{Host: "h", Port: 9}}},
		{"host=@abstract", hosts{{Host: "@abstract", Port: 5432}}},
	} {
		if got := mustParse(t, tt.dsn).Hosts; !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%q: hosts = %v, want %v", tt.dsn, got, tt.want)
		}
	}
}

func TestValuesOfConnectionStrings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ dsn, user, password, database string }{
		{`user=u password='it''s'x dbname=d`, "u", "it", "d"},
		{`user='a b' password='\'\\ ' dbname = d`, "a b", `'\ `, "d"},
		{`user=a\ b password=x\'y dbname=`, "a b", "x'y", ""},
		{"postgres://u%40x:p%3Aq%2F@h/d%20b", "u@x", "p:q/", "d b"},
		{"postgres://u:a?b@h/d", "u", "a?b", "d"},
		{"postgres://h/d?user=u&password=p%26q", "u", "p&q", "d"},
		{"postgres://h/d?user=u&database=e", "u", "", "e"},
		{"postgres://u:p@q@h/d", "u", "p@q", "d"},
		{"postgres://u:p@h?database=e@f", "u", "p", "e@f"},
		{"postgres://h/d?user=u&password=p==", "u", "p==", "d"},
		{"postgres://u+v:p+q@h/d+e?user=a+b", "a+b", "p+q", "d+e"},
		{"postgres://u+v:p+q@h/d+e?user=a+b%2Bc&compat=pq", "a b+c", "p+q", "d+e"}, // what url.Values.Encode writes
		{"postgres://u+v:p+q@h/d+e?compat=%70q&user=a+b", "a b", "p+q", "d+e"},
	} {
		c, err := parse(t, tt.dsn)
		if tt.dsn == `user=u password='it''s'x dbname=d` {
			if err == nil {
				t.Errorf("%q: no error for a word without =", tt.dsn)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", tt.dsn, err)
			continue
		}
		if c.User != tt.user || c.Password != tt.password || c.Database != tt.database {
			t.Errorf("%q = %q %q %q", tt.dsn, c.User, c.Password, c.Database)
		}
	}
}

func TestDefaultsAreLibpqs(t *testing.T) {
	t.Parallel()
	c, d := mustParse(t, "user=u host=h"), driver.DefaultConfig()
	for _, c := range []*driver.Config{c, d} {
		if c.PrepareThreshold != 5 || c.PreparedMax != 100 || c.CancelTimeout != 2*time.Second || c.PingAfter != time.Minute ||
			!c.ColumnScanner || !c.KeepAlives || !c.SSLSNI || c.ConnectTimeout != 0 || c.Hosts[0].Port != 5432 {
			t.Errorf("defaults: %v", c)
		}
	}
	if d.User == "" || d.Hosts[0].Host == "" {
		t.Errorf("DefaultConfig = %v", d)
	}
}

func TestSettingsAreRead(t *testing.T) {
	t.Parallel()
	c := mustParse(t, `prepare_threshold=none prepared_max=none begin=lazy cancel_timeout=500ms ping_after=90 compat=pq
		column_scanner=off timezone_scan=utc infinity=clamp reset=discard pooler=session rows_close=cancel placeholder=format
		startup_optional='a, b' connect_timeout=7 keepalives_idle=0 keepalives_interval=3 keepalives_count=4 keepalives=0
		search_path=x default_query_exec_mode=exec description_cache_capacity=9 target_session_attrs=prefer-standby`)
	for name, ok := range map[string]bool{
		"prepare_threshold":    c.PrepareThreshold == -1,
		"prepared_max":         c.PreparedMax == -1,
		"begin":                c.Begin == driver.BeginLazy,
		"cancel_timeout":       c.CancelTimeout == 500*time.Millisecond,
		"ping_after":           c.PingAfter == 90*time.Second,
		"compat":               c.Compat == driver.CompatPq,
		"column_scanner":       !c.ColumnScanner,
		"timezone_scan":        c.TimezoneScan == "utc",
		"infinity":             c.Infinity == driver.InfinityClamp,
		"reset":                c.Reset == driver.ResetDiscard,
		"pooler":               c.Pooler == driver.PoolerSession,
		"rows_close":           c.RowsClose == driver.RowsCloseCancel,
		"placeholder":          c.Placeholder == driver.PlaceholderFormat,
		"startup_optional":     reflect.DeepEqual(c.StartupOptional, []string{"a", "b"}),
		"connect_timeout":      c.ConnectTimeout == 7*time.Second,
		"keepalives_idle":      c.KeepAlivesIdle < 0,
		"keepalives_interval":  c.KeepAlivesInterval == 3*time.Second,
		"keepalives_count":     c.KeepAlivesCount == 4,
		"keepalives":           !c.KeepAlives,
		"run-time parameter":   reflect.DeepEqual(c.RuntimeParams, map[string]string{"search_path": "x"}),
		"exec mode":            c.DefaultQueryExecMode == pgx.QueryExecModeExec,
		"capacity":             c.DescriptionCacheCapacity == 9,
		"target_session_attrs": c.TargetSessionAttrs == "prefer-standby",
	} {
		if !ok {
			t.Errorf("%s was not read: %v", name, c)
		}
	}
	c = mustParse(t, "begin=auto compat=pgx reset=tx pooler=none rows_close=drain placeholder=native infinity=error")
	if c.Begin != driver.BeginAuto || c.Compat != driver.CompatPgx || c.Reset != driver.ResetTx || c.Pooler != driver.PoolerNone {
		t.Errorf("the words of the defaults: %v", c)
	}
}

func TestAliasesYieldToOurKeys(t *testing.T) {
	t.Parallel()
	for dsn, want := range map[string]int{
		"default_query_exec_mode=simple_protocol":                     -1,
		"default_query_exec_mode=cache_statement":                     5,
		"statement_cache_capacity=0":                                  -1,
		"statement_cache_capacity=10":                                 5,
		"default_query_exec_mode=simple_protocol prepare_threshold=2": 2,
		"statement_cache_capacity=0 prepare_threshold=5":              5,
	} {
		if got := mustParse(t, dsn).PrepareThreshold; got != want {
			t.Errorf("%q: PrepareThreshold = %d, want %d", dsn, got, want)
		}
	}
}

func TestPriorityIsStringServiceEnvironment(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "services")
	write(t, file, 0o644, "# comment\n[other]\nuser=no\n\n[s]\nuser = fromservice\ndbname=svc\nsearch_path=p\nport=7\n[t]\nuser=no\n")
	env := []string{"PGUSER=fromenv", "PGDATABASE=envdb", "PGSERVICEFILE=" + file, "PGAPPNAME=app", "PGTZ=UTC", "PGDATESTYLE=SQL"}
	c := mustParse(t, "service=s host=h port=8", env...)
	if c.User != "fromservice" || c.Database != "svc" || c.Hosts[0].Port != 8 || c.ApplicationName != "app" ||
		c.RuntimeParams["search_path"] != "p" || c.RuntimeParams["timezone"] != "UTC" || c.RuntimeParams["datestyle"] != "SQL" {
		t.Errorf("config = %v", c)
	}
	if c := mustParse(t, "host=h timezone=CET", env...); c.User != "fromenv" || c.RuntimeParams["timezone"] != "CET" {
		t.Errorf("without the service: %v", c)
	}
	if _, err := parse(t, "service=absent", env...); err == nil || !strings.Contains(err.Error(), "absent") {
		t.Errorf("unknown service: %v", err)
	}
}

func TestServiceFilesAreSearchedInOrder(t *testing.T) {
	t.Parallel()
	home, sys := t.TempDir(), t.TempDir()
	write(t, filepath.Join(home, ".pg_service.conf"), 0o644, "[a]\nuser=home\n")
	write(t, filepath.Join(sys, "pg_service.conf"), 0o644, "[a]\nuser=no\n[b]\nuser=sys\n[c]\nservice=a\n[d]\nnonsense\n")
	env := []string{"HOME=" + home, "APPDATA=" + home, "PGSYSCONFDIR=" + sys}
	for service, want := range map[string]string{"a": "home", "b": "sys"} {
		if got := mustParse(t, "host=h", append(env, "PGSERVICE="+service)...).User; got != want {
			t.Errorf("service %s: user = %q, want %q", service, got, want)
		}
	}
	for _, service := range []string{"c", "d"} {
		if _, err := parse(t, "service="+service, env...); err == nil {
			t.Errorf("service %s: no error", service)
		}
	}
}

func TestConfigFromEnvOrder(t *testing.T) {
	t.Parallel()
	vars := map[string]string{}
	get := func() (*driver.Config, error) {
		return driver.ConfigFromEnv(func(n string) (string, bool) { v, ok := vars[n]; return v, ok })
	}
	_, err := get()
	for _, name := range []string{"DATABASE_URL", "DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASSWORD", "PGHOST", "PGDATABASE", "PGSERVICE"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Fatalf("error with nothing set does not name %s: %v", name, err)
		}
	}
	for _, step := range []struct{ name, value, host string }{
		{"PGHOST", "pg", "pg"}, {"DB_HOST", "db", "db"}, {"DATABASE_URL", "postgresql+asyncpg://url/d", "url"}, {"DATABASE_URL", "", "db"},
	} {
		vars[step.name] = step.value
		c, err := get()
		if err != nil || c.Hosts[0].Host != step.host {
			t.Errorf("after %s: %v, %v", step.name, c, err)
		}
	}
	vars["DB_PASSWORD"], vars["DB_NAME"], vars["DB_PORT"] = "p w'", "n", "77"
	if c, err := get(); err != nil || c.Password != "p w'" || c.Database != "n" || c.Hosts[0].Port != 77 {
		t.Errorf("DB_*: %v, %v", c, err)
	}
	vars["DB_PORT"] = "x"
	var pe *driver.ParseError
	if _, err := get(); !errors.As(err, &pe) || pe.Key != "port" || pe.Source != "DB_*" {
		t.Errorf("DB_PORT=x: %v", err)
	}
}

func TestBadInputIsNamedWithoutThePassword(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t"
	for _, tt := range []struct {
		dsn  string
		key  string
		want string
		env  string
	}{
		{"password=my s3cr3t host=h", "password", "without", ""},
		{"password='s3cr3t", "password", "quote", ""},
		{"postgres://u:s3cr3t%zz@h/d", "password", "%", ""},
		{"postgres://u:pa/s3cr3t@h/d", "password", "%2F", ""},
		{"postgres://u:x:s3cr3t", "port", "65535", ""},
		{"postgres://h:s3cr3t/", "port", "65535", ""},
		{"host=h port=0", "port", "65535", ""},
		{"host=a,b port=1,2,3", "port", "3 ports for 2 hosts", ""},
		{"host=a,b hostaddr=1.1.1.1", "hostaddr", "1 addresses", ""},
		{"hostaddr=name", "hostaddr", "name", ""},
		{"mysql://u:s3cr3t@h/d", "", "mysql", ""},
		{"postgres://h/d?s3cr3t", "", "needs a", ""},
		{"postgres://[::1/d", "host", "brackets", ""},
		{"password=s3cr3t sslmode=maybe", "sslmode", "maybe", ""},
		{"hosst=h", "hosst", "host", ""},
		{"passwrod=s3cr3t", "passwrod", "password", ""},
		{"preparethreshold=1", "preparethreshold", "prepare_threshold", ""},
		{"Host=h", "Host", "host", ""},
		{"password=s3cr3t\x00x", "password", "NUL", ""},
		{"search_path=a\x00b", "search_path", "NUL", ""},
		{"postgres://h/d%00", "dbname", "NUL", ""},
		{"replication=database", "replication", "replication", ""},
		{"gssencmode=require", "gssencmode", "GSSAPI", ""},
		{"krbsrvname=x", "krbsrvname", "GSSAPI", ""},
		{"gsslib=sspi", "gsslib", "GSSAPI", ""},
		{"gssdelegation=1", "gssdelegation", "GSSAPI", ""},
		{"krbspn=x", "krbspn", "GSSAPI", ""},
		{"scram_client_key=s3cr3t", "scram_client_key", "SCRAM", ""},
		{"scram_server_key=s3cr3t", "scram_server_key", "SCRAM", ""},
		{"oauth_issuer=x", "oauth_issuer", "OAuthToken", ""},
		{"oauth_client_id=x", "oauth_client_id", "OAuthToken", ""},
		{"oauth_client_secret=s3cr3t", "oauth_client_secret", "OAuthToken", ""},
		{"oauth_scope=x", "oauth_scope", "OAuthToken", ""},
		{"sslcompression=1", "sslcompression", "compression", ""},
		{"client_encoding=latin1", "client_encoding", "UTF8", ""},
		{"require_auth=md5,!none", "require_auth", "mixed", ""},
		{"require_auth=magic", "require_auth", "magic", ""},
		{"require_auth=md5,md5", "require_auth", "twice", ""},
		{"channel_binding=maybe", "channel_binding", "maybe", ""},
		{"load_balance_hosts=yes", "load_balance_hosts", "random", ""},
		{"target_session_attrs=master", "target_session_attrs", "primary", ""},
		{"sslnegotiation=direct sslmode=prefer", "sslnegotiation", "prefer", ""},
		{"sslrootcert=system sslmode=require", "sslrootcert", "verify-full", ""},
		{"sslcrl=x sslmode=prefer", "sslcrl", "verify-ca", ""},
		{"sslcertmode=maybe", "sslcertmode", "maybe", ""},
		{"sslsni=maybe", "sslsni", "maybe", ""},
		{"ssl_min_protocol_version=SSLv3", "ssl_min_protocol_version", "TLSv1.3", ""},
		{"ssl_min_protocol_version=TLSv1.3 ssl_max_protocol_version=TLSv1.2", "ssl_max_protocol_version", "lower", ""},
		{"min_protocol_version=3.2 max_protocol_version=3.0", "max_protocol_version", "lower", ""},
		{"min_protocol_version=2", "min_protocol_version", "3.2", ""},
		{"connect_timeout=soon", "connect_timeout", "soon", ""},
		{"keepalives=x", "keepalives", "x", ""},
		{"keepalives_count=x", "keepalives_count", "x", ""},
		{"tcp_user_timeout=x", "tcp_user_timeout", "x", ""},
		{"binary_parameters=x", "binary_parameters", "x", ""},
		{"default_query_exec_mode=x", "default_query_exec_mode", "cache_statement", ""},
		{"statement_cache_capacity=-1", "statement_cache_capacity", "-1", ""},
		{"prepare_threshold=-2", "prepare_threshold", "-2", ""},
		{"begin=now", "begin", "auto, eager, lazy", ""},
		{"timezone_scan=Nowhere/City", "timezone_scan", "Nowhere", ""},
		{"_pq_.x=1", "_pq_.x", "run-time", ""},
		{"host=h", "sslmode", "maybe", "PGSSLMODE=maybe"},
		{"host=h", "gssencmode", "GSSAPI", "PGGSSENCMODE=require"},
		{"host=h", "", "OAuth", "PGOAUTHDEBUG=UNSAFE"},
	} {
		_, err := parse(t, tt.dsn, tt.env)
		var pe *driver.ParseError
		if !errors.As(err, &pe) {
			t.Errorf("%q: error = %v", tt.dsn, err)
			continue
		}
		if pe.Key != tt.key || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v (key %q), want key %q and %q", tt.dsn, err, pe.Key, tt.key, tt.want)
		}
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%q: the error shows the secret: %v", tt.dsn, err)
		}
		if name, _, _ := strings.Cut(tt.env, "="); name != "" && pe.Source != name {
			t.Errorf("%s: source = %q", tt.env, pe.Source)
		}
	}
}

func TestHarmlessSettingsAreAccepted(t *testing.T) {
	t.Parallel()
	c := mustParse(t, `gssencmode=prefer krbsrvname=postgres gssdelegation=0 replication=false sslcompression=0 client_encoding=auto
		binary_parameters=yes disable_prepared_binary_result=no pool_max_conns=7 pool_max_conn_lifetime=1h oauth_scope='' tcp_user_timeout=0
		requirepeer=''`)
	if len(c.RuntimeParams) != 0 {
		t.Errorf("forwarded to the server: %v", c.RuntimeParams)
	}
	if got := mustParse(t, "postgres://h/d?ssl=true").SSLMode; got != "require" {
		t.Errorf("ssl=true: sslmode = %q", got)
	}
	if got := mustParse(t, "host=h", "PGREQUIRESSL=1").SSLMode; got != "require" {
		t.Errorf("PGREQUIRESSL=1: sslmode = %q", got)
	}
}

func TestStringIsReadBackWithoutSecrets(t *testing.T) {
	t.Parallel()
	c := mustParse(t, `host=a,/tmp hostaddr=10.0.0.1, port=1,2 user='o\'x \\' password=s3cr3t sslpassword=s3cr3t sslmode=verify-full
		sslrootcert=/r sslsni=0 connect_timeout=1500ms keepalives_idle=0 keepalives_count=0 begin=lazy prepare_threshold=none
		search_path='a b' options='-c x=y' startup_optional=a,b require_auth='!none' compat=pq passfile=/p`)
	again := mustParse(t, c.String())
	c.Password, c.SSLPassword = "", ""
	if a, b := fmt.Sprint(c), fmt.Sprint(again); a != b || !reflect.DeepEqual(c.Hosts, again.Hosts) || again.User != `o'x \` {
		t.Errorf("read back: %s, want %s", b, a)
	}
}

func TestNoSecretInAnyOutput(t *testing.T) {
	t.Parallel()
	c := mustParse(t, "user=u password=s3cr3t sslpassword=s3cr3t sslinline=true sslkey=s3cr3t sslmode=require")
	a := driver.Attempt{Host: "h", Password: "s3cr3t", Token: "s3cr3t"}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "config", c, "value", *c, "attempt", a, "pointer", &a)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "config", c, "attempt", &a)
	for _, v := range []any{c, *c, a, &a, []any{c, a}, struct{ C *driver.Config }{c}, struct{ C driver.Config }{*c}, map[string]any{"c": *c}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&log, verb+"\n", v)
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Errorf("%T: %v", v, err)
		}
		log.Write(b)
	}
	if strings.Contains(log.String(), "s3cr3t") || strings.Contains(log.String(), fmt.Sprintf("%x", "s3cr3t")) {
		t.Errorf("a secret is shown:\n%s", log.String())
	}
	if !strings.Contains(log.String(), "user=u") || !strings.Contains(log.String(), `"user":"u"`) {
		t.Errorf("the settings are not shown:\n%s", log.String())
	}
}

func TestCopiesAreIndependent(t *testing.T) {
	t.Parallel()
	c := mustParse(t, "host=a dbname=x search_path=p startup_optional=q")
	d := c.WithDatabase("y")
	d.Hosts[0].Host, d.RuntimeParams["search_path"], d.StartupOptional[0] = "b", "r", "s"
	if c.Database != "x" || d.Database != "y" || c.Hosts[0].Host != "a" || c.RuntimeParams["search_path"] != "p" || c.StartupOptional[0] != "q" {
		t.Errorf("original after changing the copy: %v", c)
	}
}

func write(t *testing.T, path string, mode os.FileMode, body string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(body), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func TestTZIsTheSessionsTimeZone(t *testing.T) {
	t.Parallel()
	if c := mustParse(t, "host=h tz=UTC"); c.RuntimeParams["timezone"] != "UTC" || c.RuntimeParams["tz"] != "" {
		t.Errorf("run-time parameters = %v", c.RuntimeParams)
	}
}
