package stdlib_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/driver/stdlib"
	"github.com/pycopg/pycopg/sqltest"
)

// prepared counts the statements that are prepared on conn after one was run eight times.
func prepared(t *testing.T, c *pgx.ConnConfig) int {
	t.Helper()
	conn := one(t, closed(t, stdlib.OpenDB(*c)))
	for i := range 8 {
		if got := value[string](t, conn, "select $1::text || 'x'", "v"); got != "vx" {
			t.Errorf("run %d: got %q", i, got)
		}
	}
	return value[int](t, conn, "select count(*) from pg_prepared_statements", driver.QueryOptions{Simple: true})
}

func TestExecModesDecideAboutPreparing(t *testing.T) {
	t.Parallel()
	for settings, want := range map[string]int{
		"default_query_exec_mode=cache_statement": 1,
		"default_query_exec_mode=cache_describe":  0,
		"default_query_exec_mode=describe_exec":   0,
		"default_query_exec_mode=exec":            0,
		"default_query_exec_mode=simple_protocol": 0,
		"statement_cache_capacity=0":              0,
		"prepare_threshold=none":                  0,
	} {
		t.Run(settings, func(t *testing.T) {
			t.Parallel()
			if n := prepared(t, config(t, settings)); n != want {
				t.Errorf("%d prepared statements, want %d", n, want)
			}
		})
	}
}

func TestCapacityBoundsThePreparedStatements(t *testing.T) {
	t.Parallel()
	conn := one(t, closed(t, stdlib.OpenDB(*config(t, "statement_cache_capacity=2", "prepare_threshold=0"))))
	for _, query := range []string{"select 1", "select 2", "select 3", "select 4", "select 5"} {
		mustExec(t, conn, query, driver.QueryOptions{Prepare: new(true)})
	}
	mustExec(t, conn, "select 5") // takes along what is to be closed
	if n := value[int](t, conn, "select count(*) from pg_prepared_statements", driver.QueryOptions{Simple: true}); n != 2 {
		t.Errorf("%d prepared statements, want two", n)
	}
}

// TestOneRequestModesNeedNoSession: with exec and simple_protocol nothing is left on the server between two requests.
func TestOneRequestModesNeedNoSession(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"exec", "simple_protocol"} {
		f := sqltest.Server(t).Fault(t)
		name := config(t).Database
		c := parse(t, extended(t, f.DSN(sqltest.Server(t).TCP(name)), "default_query_exec_mode="+mode))
		conn := one(t, closed(t, stdlib.OpenDB(*c)))
		mustExec(t, conn, "select 1")
		mustExec(t, conn, "select cardinality($1::int[])", []int{1, 2}) // asks for the parameter's type
		before := f.RoundTrips()
		mustExec(t, conn, "select cardinality($1::int[])", []int{1, 2, 3})
		if n := f.RoundTrips() - before; n != 1 {
			t.Errorf("%s: %d round trips, want one", mode, n)
		}
		st, err := conn.PrepareContext(t.Context(), "select $1::int[]")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := st.ExecContext(t.Context(), []int{1}); err != nil {
			t.Error(err)
		}
		if n := value[int](t, conn, "select count(*) from pg_prepared_statements where name <> ''", driver.QueryOptions{Simple: true}); n != 0 {
			t.Errorf("%s: %d named statements", mode, n)
		}
		st.Close()
	}
}

func TestOwnSettingsComeWithTheConnectionString(t *testing.T) {
	t.Parallel()
	c := config(t, "compat=pq", "reset=discard", "application_name=it's")
	db := closed(t, stdlib.OpenDB(*c))
	db.SetMaxOpenConns(1)
	var v any
	if err := db.QueryRowContext(t.Context(), "select 1.5::numeric").Scan(&v); err != nil {
		t.Fatal(err)
	}
	if _, ok := v.([]byte); !ok {
		t.Errorf("a numeric is a %T with compat=pq", v)
	}
	mustExec(t, db, "create temporary table gone ()")
	if value[sql.NullString](t, db, "select to_regclass('gone')::text").Valid {
		t.Error("a temporary table is left after reset=discard")
	}
	bad := config(t)
	bad.RuntimeParams["reset"] = "sometimes"
	if err := closed(t, stdlib.OpenDB(*bad)).PingContext(t.Context()); err == nil {
		t.Error("reset=sometimes was accepted")
	}
}

func TestEncodingIsUTF8(t *testing.T) {
	t.Parallel()
	db := open(t)
	latin := value[string](t, db, "select current_database()") + "_latin"
	mustExec(t, db, `create database "`+latin+`" encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' template template0`)
	t.Cleanup(func() { db.ExecContext(context.Background(), `drop database "`+latin+`" with (force)`) })
	c := parse(t, sqltest.Server(t).DSN(latin))
	if n := value[int](t, closed(t, stdlib.OpenDB(*c)), "select length('é' || $1)", "ü"); n != 2 {
		t.Errorf("éü has %d characters", n)
	}
}

// TestConnectorTellsTheHosts: whoever dials by the connector's settings reaches the same server.
func TestConnectorTellsTheHosts(t *testing.T) {
	t.Parallel()
	c := config(t, "application_name=told", "target_session_attrs=primary")
	db := closed(t, stdlib.OpenDB(*c))
	var told *driver.Config
	if _, err := driver.Do(t.Context(), db, "settings", func(_ context.Context, conn *driver.Conn) (int64, error) {
		told = conn.Connector().Config()
		if info := conn.Info(); info.Host != c.Host || info.Port != c.Port || info.User != c.User || info.Database != c.Database {
			t.Errorf("Info() = %+v", info)
		}
		return 0, nil
	}); err != nil {
		t.Fatal(err)
	}
	if told.TargetSessionAttrs != "primary" {
		t.Errorf("TargetSessionAttrs = %q", told.TargetSessionAttrs)
	}
	again := closed(t, sql.OpenDB(driver.NewConnector(told)))
	if got := value[string](t, again, "select current_database() || ' ' || current_setting('application_name')"); got != c.Database+" told" {
		t.Errorf("reached %q", got)
	}
}

func TestConnectorOfAPoolTellsTheHosts(t *testing.T) {
	t.Parallel()
	pool, err := pgxpool.New(t.Context(), sqltest.DSN(t, sqltest.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	told := stdlib.GetPoolConnector(pool).(*driver.Connector).Config()
	again := closed(t, sql.OpenDB(driver.NewConnector(told)))
	if got := value[string](t, again, "select current_database()"); got != pool.Config().ConnConfig.Database {
		t.Errorf("reached %q", got)
	}
}

func TestSSLModeIsTold(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string]string{
		"disable": "disable", "allow": "allow", "prefer": "prefer", "require": "require", "verify-full": "require",
	} {
		c := parse(t, "host=one,two user=u dbname=d sslmode="+mode)
		told := stdlib.GetConnector(*c).(*driver.Connector).Config()
		if told.SSLMode != want || len(told.Hosts) != 2 {
			t.Errorf("sslmode=%s: told %q of %v", mode, told.SSLMode, told.Hosts)
		}
		if mode != "verify-full" {
			continue
		}
		for i, host := range []string{"one", "two"} {
			tc, err := told.TLSConfig(t.Context(), told.Hosts[i], nil)
			if err != nil || tc.ServerName != host || tc.InsecureSkipVerify {
				t.Errorf("TLS configuration of %s: %v, %v", host, tc, err)
			}
		}
	}
}

// TestQueryArgumentsOfPgx are the leading arguments that pgx/stdlib takes.
func TestQueryArgumentsOfPgx(t *testing.T) {
	t.Parallel()
	db := open(t)
	if got := value[int](t, db, "select @n::int + 1", pgx.NamedArgs{"n": 41}); got != 42 {
		t.Errorf("named: %d", got)
	}
	if got := value[int](t, db, "select $1::int", pgx.QueryExecModeSimpleProtocol, 7); got != 7 {
		t.Errorf("mode: %d", got)
	}
	if got := value[int](t, db, "select $1::int", pgx.QueryResultFormats{pgx.TextFormatCode}, 7); got != 7 {
		t.Errorf("formats: %d", got)
	}
}
