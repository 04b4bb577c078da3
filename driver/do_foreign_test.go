package driver_test

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"strings"
	"testing"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/pycopg/pycopg/driver"
)

func TestDoUnderAPlainMock(t *testing.T) {
	t.Parallel()
	db, mock, err := sqlmock.New(sqlmock.QueryMatcherOption(sqlmock.QueryMatcherEqual))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	never := func(context.Context, *driver.Conn) (int64, error) {
		t.Error("the function ran under a mock")
		return 0, nil
	}
	mock.ExpectExec("copy users").WillReturnResult(sqlmock.NewResult(0, 42))
	if n, err := driver.Do(t.Context(), db, "copy users", never); n != 42 || err != nil {
		t.Errorf("DB: %d, %v, want the mock's 42", n, err)
	}
	mock.ExpectBegin()
	mock.ExpectExec("copy users").WithArgs(sqlmock.AnyArg()).WillReturnResult(sqlmock.NewResult(0, 7))
	mock.ExpectCommit()
	tx := begin(t, db)
	if n, err := driver.Do(t.Context(), tx, "copy users", never); n != 7 || err != nil {
		t.Errorf("Tx: %d, %v, want the mock's 7", n, err)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
	want := errors.New("expected by the test")
	mock.ExpectExec("copy users").WillReturnError(want)
	if _, err := driver.Do(t.Context(), db, "copy users", never); !errors.Is(err, want) {
		t.Errorf("error = %v, want the mock's", err)
	}
	if err := mock.ExpectationsWereMet(); err != nil {
		t.Error(err)
	}
}

// foreign is a driver of another kind: it refuses arguments.
type foreign struct{}

var errForeign = errors.New("foreign: no arguments, please")

func (foreign) Connect(context.Context) (sqldriver.Conn, error) { return foreign{}, nil }
func (foreign) Driver() sqldriver.Driver                        { return nil }
func (foreign) Prepare(string) (sqldriver.Stmt, error)          { return nil, errForeign }
func (foreign) Close() error                                    { return nil }
func (foreign) Begin() (sqldriver.Tx, error)                    { return nil, errForeign }
func (foreign) ExecContext(context.Context, string, []sqldriver.NamedValue) (sqldriver.Result, error) {
	return nil, errForeign
}

func TestDoOnAnotherDriverSaysSo(t *testing.T) {
	t.Parallel()
	db := sql.OpenDB(foreign{})
	defer db.Close()
	_, err := driver.Do(t.Context(), db, "copy users", func(context.Context, *driver.Conn) (int64, error) {
		t.Error("the function ran")
		return 0, nil
	})
	if !errors.Is(err, errForeign) || !strings.Contains(err.Error(), "*sql.DB does not lead to a pycopg connection") {
		t.Errorf("error = %v, want one that says so and wraps the driver's", err)
	}
}

// wrapped is a wrapping driver that forwards no more than it must: no NamedValueChecker, no Validator, no
// SessionResetter.
type wrapped struct{ inner sqldriver.Connector }

func (w wrapped) Connect(ctx context.Context) (sqldriver.Conn, error) {
	c, err := w.inner.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return wrappedConn{c.(*driver.Conn)}, nil
}
func (w wrapped) Driver() sqldriver.Driver { return w.inner.Driver() }

type wrappedConn struct{ inner *driver.Conn }

func (w wrappedConn) Prepare(query string) (sqldriver.Stmt, error) { return w.inner.Prepare(query) }
func (w wrappedConn) Close() error                                 { return w.inner.Close() }
func (w wrappedConn) Begin() (sqldriver.Tx, error)                 { return w.inner.Begin() }
func (w wrappedConn) ExecContext(ctx context.Context, query string, args []sqldriver.NamedValue) (sqldriver.Result, error) {
	return w.inner.ExecContext(ctx, query, args)
}

func TestDoThroughAWrapperWithoutNamedValueChecker(t *testing.T) {
	t.Parallel()
	var connector *driver.Connector
	pool := openDB(t)
	inside(t, pool, func(_ context.Context, c *driver.Conn) { connector = c.Connector() })
	db := sql.OpenDB(wrapped{connector})
	defer db.Close()
	mustExec(t, db, "create sequence s")
	for _, h := range []driver.Execer{db, begin(t, db)} {
		for range 2 {
			runs := 0
			n, err := driver.Do(t.Context(), h, "select nextval('s') where $1 <> ''", func(context.Context, *driver.Conn) (int64, error) {
				runs++
				return 5, nil
			})
			if n != 5 || err != nil || runs != 1 {
				t.Errorf("%T: %d, %v after %d runs, want 5 after one", h, n, err, runs)
			}
		}
	}
	if n := executions(t, pool, "s"); n != 0 {
		t.Errorf("the text of the command was executed %d times", n)
	}
	if got := word(t, pool, "select $1::text", "an ordinary text"); got != "an ordinary text" {
		t.Errorf("an ordinary argument arrives as %q", got)
	}
}
