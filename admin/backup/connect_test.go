package backup_test

import (
	"bytes"
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/admin/backup"
	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

// configOf is how a pool connects.
func configOf(t testing.TB, db *sql.DB) *driver.Config {
	t.Helper()
	var cfg *driver.Config
	_, err := driver.Do(context.Background(), db, "config", func(_ context.Context, c *driver.Conn) (int64, error) {
		cfg = c.Connector().Config()
		return 0, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func openConfig(t testing.TB, cfg *driver.Config) *sql.DB {
	t.Helper()
	db := sql.OpenDB(driver.NewConnector(cfg))
	t.Cleanup(func() { db.Close() })
	return db
}

const oddPassword = `p:w\d 'ü"$x`

// appUser makes a role that logs in by password over TCP and owns the database, and returns how it connects.
func appUser(t testing.TB) *driver.Config {
	t.Helper()
	needTools(t)
	admin := sqltest.DB(t, sqltest.Options{})
	name := "backup " + word(t, admin, "select left(md5(random()::text), 8)")
	database := word(t, admin, "select current_database()")
	mustExec(t, admin, `create role "`+name+`" login password '`+strings.ReplaceAll(oddPassword, "'", "''")+`'`)
	mustExec(t, admin, `alter database "`+database+`" owner to "`+name+`"`)
	t.Cleanup(func() {
		admin, err := sql.Open("pycopg", sqltest.Server(t).DSN(""))
		if err != nil {
			t.Fatal(err)
		}
		defer admin.Close()
		mustExec(t, admin, `alter database "`+database+`" owner to current_user`)
		db := openConfig(t, configOf(t, admin).WithDatabase(database))
		mustExec(t, db, `drop owned by "`+name+`"`)
		db.Close()
		mustExec(t, admin, `drop role "`+name+`"`)
	})
	cfg, err := driver.ParseConfig(sqltest.Server(t).TCP(database))
	if err != nil {
		t.Fatal(err)
	}
	cfg.User, cfg.Password = name, oddPassword
	return cfg
}

func TestTheProgramsConnectAsTheHandleDoes(t *testing.T) {
	ctx := context.Background()
	cfg := appUser(t)
	before := strings.Count(sqltest.Server(t).Log(), oddPassword)
	t.Setenv("PGHOST", "nowhere.invalid")
	t.Setenv("PGUSER", "nobody")
	t.Setenv("PGPASSWORD", "wrong")
	t.Setenv("PGOPTIONS", "-c search_path=absent")
	cfg.RuntimeParams["search_path"] = `"odd\ x", app`
	cfg.Options = "-c work_mem=5MB"
	mustExec(t, openConfig(t, cfg), `create schema app; create table app.lone (x int); create table public.other ()`)
	fresh := cfg.Clone()
	fresh.Password = ""
	fresh.BeforeConnect = func(_ context.Context, a *driver.Attempt) error {
		a.Password = oddPassword
		return nil
	}
	refused := errors.New("no password today")
	failing := fresh.Clone()
	calls := 0
	failing.BeforeConnect = func(_ context.Context, a *driver.Attempt) error {
		if calls++; calls > 1 {
			return refused
		}
		a.Password = oddPassword
		return nil
	}
	dump := func(db *sql.DB, o backup.DumpOptions) (string, error) {
		var buf bytes.Buffer
		o.Writer, o.Format, o.Tables = &buf, backup.Plain, []string{"lone"} // by the search path
		err := backup.Dump(ctx, db, o)
		return buf.String(), err
	}
	for name, db := range map[string]*sql.DB{
		"password": openConfig(t, cfg), "BeforeConnect": openConfig(t, fresh), "wrapping driver": sql.OpenDB(wrapped{driver.NewConnector(cfg)}),
	} {
		text, err := dump(db, backup.DumpOptions{})
		if err != nil || !strings.Contains(text, "CREATE TABLE app.lone") {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
		db.Close()
	}
	if _, err := dump(openConfig(t, failing), backup.DumpOptions{}); !errors.Is(err, refused) {
		t.Errorf("a failing BeforeConnect: %v", err)
	}
	dialing := cfg.Clone()
	dialing.Dial = (&net.Dialer{}).DialContext
	if _, err := dump(openConfig(t, dialing), backup.DumpOptions{}); err == nil || !strings.Contains(err.Error(), "Config.Dial") {
		t.Errorf("a dialler of the program's own: %v", err)
	}
	if _, err := dump(openConfig(t, dialing), backup.DumpOptions{Config: cfg}); err != nil {
		t.Errorf("a dialler, and other settings for the programs: %v", err)
	}
	wrong := cfg.Clone()
	wrong.Password = "the wrong password"
	_, err := dump(openConfig(t, cfg), backup.DumpOptions{Config: wrong})
	if err == nil || !strings.Contains(err.Error(), "authentication failed") || strings.Contains(err.Error(), "the wrong password") {
		t.Errorf("the wrong password: %v", err)
	}
	if after := strings.Count(sqltest.Server(t).Log(), oddPassword); after != before {
		t.Error("the server's log has the password")
	}
}

func TestAMockOrAnotherDriverIsNamed(t *testing.T) {
	t.Parallel()
	needTools(t)
	db := sql.OpenDB(foreign{})
	defer db.Close()
	if err := backup.Dump(context.Background(), db, backup.DumpOptions{Path: tempPath(t, "x")}); err == nil || !strings.Contains(err.Error(), "does not lead to a pycopg connection") {
		t.Errorf("another driver: %v", err)
	}
}

// wrapped is a wrapping driver, as tracers are.
type wrapped struct{ sqldriver.Connector }

func (w wrapped) Connect(ctx context.Context) (sqldriver.Conn, error) {
	c, err := w.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return wrappedConn{c.(*driver.Conn)}, nil
}

type wrappedConn struct{ inner *driver.Conn }

func (w wrappedConn) Prepare(query string) (sqldriver.Stmt, error) { return w.inner.Prepare(query) }
func (w wrappedConn) Close() error                                 { return w.inner.Close() }
func (w wrappedConn) Begin() (sqldriver.Tx, error)                 { return w.inner.Begin() }
func (w wrappedConn) ExecContext(ctx context.Context, query string, args []sqldriver.NamedValue) (sqldriver.Result, error) {
	return w.inner.ExecContext(ctx, query, args)
}

// foreign is a driver of another kind.
type foreign struct{}

var errForeign = errors.New("foreign: no arguments, please")

func (foreign) Connect(context.Context) (sqldriver.Conn, error) { return foreign{}, nil }
func (foreign) Driver() sqldriver.Driver                        { return nil }
func (foreign) Prepare(string) (sqldriver.Stmt, error)          { return nil, errForeign }
func (foreign) Close() error                                    { return nil }
func (foreign) Begin() (sqldriver.Tx, error)                    { return nil, errForeign }
