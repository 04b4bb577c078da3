package compat

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"testing"

	"github.com/XSAM/otelsql"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

// plainConn is a wrapper that forwards ExecContext and nothing of what makes the door to the connection easy: no
// NamedValueChecker, no Unwrap.
type plainConn struct{ sqldriver.Conn }

func (c plainConn) ExecContext(ctx context.Context, query string, args []sqldriver.NamedValue) (sqldriver.Result, error) {
	return c.Conn.(sqldriver.ExecerContext).ExecContext(ctx, query, args)
}

func (c plainConn) BeginTx(ctx context.Context, opts sqldriver.TxOptions) (sqldriver.Tx, error) {
	return c.Conn.(sqldriver.ConnBeginTx).BeginTx(ctx, opts)
}

type plainConnector struct{ sqldriver.Connector }

func (c plainConnector) Connect(ctx context.Context) (sqldriver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	return plainConn{conn}, err
}

// wrapped opens the driver inside each kind of wrapper.
var wrapped = []struct {
	name string
	open func(t *testing.T, dsn string) *sql.DB
}{
	{"otelsql.Open", func(t *testing.T, dsn string) *sql.DB {
		db, err := otelsql.Open(ours, dsn)
		if err != nil {
			t.Fatal(err)
		}
		return db
	}},
	{"otelsql.OpenDB", func(t *testing.T, dsn string) *sql.DB {
		return otelsql.OpenDB(driver.NewConnector(parse(t, dsn)))
	}},
	{"otelsql.Register", func(t *testing.T, dsn string) *sql.DB {
		name, err := otelsql.Register(ours)
		if err != nil {
			t.Fatal(err)
		}
		return open(t, name, dsn)
	}},
	{"otelsql.WithSQLCommenter", func(t *testing.T, dsn string) *sql.DB {
		db, err := otelsql.Open(ours, dsn, otelsql.WithSQLCommenter(true))
		if err != nil {
			t.Fatal(err)
		}
		return db
	}},
	{"no NamedValueChecker", func(t *testing.T, dsn string) *sql.DB {
		return sql.OpenDB(plainConnector{driver.NewConnector(parse(t, dsn))})
	}},
}

func parse(t *testing.T, dsn string) *driver.Config {
	t.Helper()
	cfg, err := driver.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestDoReachesTheConnectionThroughWrappers(t *testing.T) {
	t.Parallel()
	dsn := dsnOf(t, sqltest.Options{})
	for _, w := range wrapped {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			db := w.open(t, dsn)
			t.Cleanup(func() { db.Close() })
			conn, err := db.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			tx, err := db.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Rollback()
			if _, err := tx.ExecContext(t.Context(), "create temp table inside (n int)"); err != nil {
				t.Fatal(err)
			}
			for name, h := range map[string]driver.Execer{"DB": db, "Conn": conn, "Tx": tx} {
				checkDo(t, name, h)
			}
			status := byte(0)
			if _, err := driver.Do(t.Context(), tx, "the transaction's status", func(_ context.Context, c *driver.Conn) (int64, error) {
				status = c.TxStatus()
				return 0, nil
			}); err != nil || status != 'T' {
				t.Errorf("TxStatus inside the transaction = %q, %v, want 'T'", status, err)
			}
		})
	}
}

// checkDo looks at everything that Do promises of one handle.
func checkDo(t *testing.T, name string, h driver.Execer) {
	t.Helper()
	calls := 0
	n, err := driver.Do(t.Context(), h, "count to 42", func(ctx context.Context, c *driver.Conn) (int64, error) {
		calls++
		if _, err := driver.Do(ctx, h, "again", nil); !errors.Is(err, driver.ErrInsideDo) {
			t.Errorf("%s: Do inside Do: %v, want ErrInsideDo", name, err)
		}
		if c.Connector() == nil || c.Connector().Config().Database == "" {
			t.Errorf("%s: no connector", name)
		}
		return 42, nil
	})
	if n != 42 || err != nil || calls != 1 {
		t.Errorf("%s: Do = %d, %v after %d calls, want 42 after 1", name, n, err, calls)
	}
	// database/sql would run a statement that fails so up to three times.
	calls = 0
	if _, err := driver.Do(t.Context(), h, "fail", func(context.Context, *driver.Conn) (int64, error) {
		calls++
		return 0, sqldriver.ErrBadConn
	}); !errors.Is(err, sqldriver.ErrBadConn) || calls != 1 {
		t.Errorf("%s: Do = %v after %d calls, want ErrBadConn after 1", name, err, calls)
	}
}

func TestConnectorThroughOtelsqlDialsAgain(t *testing.T) {
	t.Parallel()
	dsn := dsnOf(t, sqltest.Options{})
	db, err := otelsql.Open(ours, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var connector *driver.Connector
	if _, err := driver.Do(t.Context(), db, "the connector", func(_ context.Context, c *driver.Conn) (int64, error) {
		connector = c.Connector()
		return 0, nil
	}); err != nil {
		t.Fatal(err)
	}
	second := sql.OpenDB(connector)
	second.SetMaxOpenConns(1)
	want := queryVal[string](t, db, "select current_database()")
	if got := queryVal[string](t, second, "select current_database()"); got != want {
		t.Errorf("database of the second pool = %s, want %s", got, want)
	}
}

func TestDoNamesAHandleOfAnotherDriver(t *testing.T) {
	t.Parallel()
	dsn := dsnOf(t, sqltest.Options{})
	for _, name := range []string{pgx, pq} {
		db := open(t, name, dsn)
		_, err := driver.Do(t.Context(), db, "select 1", func(context.Context, *driver.Conn) (int64, error) {
			t.Errorf("%s: the function ran", name)
			return 0, nil
		})
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
