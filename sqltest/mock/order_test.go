package mock_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/sqltest/mock"
)

func TestFailureNamesTheNearestExpectation(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		expect func(m *mock.Mock)
		run    func(ctx context.Context, db *sql.DB) error
		want   []string
	}{
		{
			"arguments",
			func(m *mock.Mock) {
				m.ExpectExec("insert into a").WithArgs(1, "x")
				m.ExpectExec("insert into b").WithArgs(1, []byte("y"))
			},
			func(ctx context.Context, db *sql.DB) error {
				_, err := db.ExecContext(ctx, "insert into b values ($1, $2)", 1, []byte("z"))
				return err
			},
			[]string{
				`unexpected Exec "insert into b values ($1, $2)" with [1, []uint8("z")]`,
				`nearest expectation: Exec "insert into b" with [1, []uint8("y")]`,
				`difference: argument $2 is []uint8("z"), want []uint8("y")`,
				`what comes first: Exec "insert into a"`,
			},
		},
		{
			"number of arguments",
			func(m *mock.Mock) { m.ExpectQuery("select").WithArgs(sqlmock.AnyArg()) },
			func(ctx context.Context, db *sql.DB) error {
				_, err := db.QueryContext(ctx, "select $1, $2", 1, nil)
				return err
			},
			[]string{`difference: there are 2 arguments, want 1: [1, NULL], want [sqlmock.anyArgument]`},
		},
		{
			"kind",
			func(m *mock.Mock) { m.ExpectExec("select") },
			func(ctx context.Context, db *sql.DB) error { _, err := db.QueryContext(ctx, "select 1"); return err },
			[]string{`unexpected Query "select 1"`, `nearest expectation: Exec "select"`, "another kind of call"},
		},
		{
			"text",
			func(m *mock.Mock) { m.ExpectExec("update t") },
			func(ctx context.Context, db *sql.DB) error {
				_, err := db.ExecContext(ctx, "delete from t")
				return err
			},
			[]string{`unexpected Exec "delete from t"`, `could not match actual sql: "delete from t" with expected regexp "update t"`},
		},
		{
			"nothing more",
			func(m *mock.Mock) {},
			func(ctx context.Context, db *sql.DB) error { _, err := db.BeginTx(ctx, nil); return err },
			[]string{"unexpected Begin", "nothing more is expected"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := &recorder{TB: t}
			db, m := mock.New(r)
			tt.expect(m)
			err := tt.run(t.Context(), db)
			got := r.end()
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(got, want) {
					t.Errorf("error:\n%v\nreported:\n%s\nwant in both: %s", err, got, want)
				}
			}
		})
	}
}

func TestUnmetExpectationsFailTheTest(t *testing.T) {
	t.Parallel()
	r := &recorder{TB: t}
	_, m := mock.New(r)
	m.ExpectExec("insert").WithArgs(1)
	m.ExpectCopyIn("t", "a", "b")
	m.Sqlmock.ExpectQuery("select")
	if got := r.end(); !strings.Contains(got, `Exec "insert" with [1]`) || !strings.Contains(got, "COPY FROM STDIN into t (a, b)") {
		t.Errorf("reported %q", got)
	}
	_, m = mock.NewWith(t, mock.Options{Unmet: true})
	if err := m.ExpectationsWereMet(); err != nil {
		t.Error(err)
	}
	m.Sqlmock.ExpectQuery("select")
	if err := m.ExpectationsWereMet(); err == nil || !strings.Contains(err.Error(), "ExpectedQuery") {
		t.Errorf("error = %v", err)
	}
}

func TestBlockInAnyOrder(t *testing.T) {
	t.Parallel()
	db, m := mock.New(t)
	m.ExpectExec("first")
	m.AnyOrder(func() {
		m.ExpectExec("insert").WithArgs(1)
		m.ExpectQuery("select")
		m.ExpectExec("insert").WithArgs(2)
	})
	m.ExpectExec("last")
	run := func(text string, args ...any) error {
		_, err := db.ExecContext(t.Context(), text, args...)
		return err
	}
	rows := func() error {
		rows, err := db.QueryContext(t.Context(), "select")
		if err == nil {
			rows.Close()
		}
		return err
	}
	if err := errors.Join(run("first"), run("insert $1", 2), run("insert $1", 1), rows(), run("last")); err != nil {
		t.Error(err)
	}
	r := &recorder{TB: t}
	db, m = mock.New(r)
	m.AnyOrder(func() { m.ExpectExec("alpha"); m.ExpectExec("beta") })
	m.ExpectExec("last")
	if _, err := db.ExecContext(t.Context(), "last"); err == nil || !strings.Contains(err.Error(), `what comes first: Exec "alpha"`) {
		t.Errorf("error = %v", err)
	}
	r.end()
}

func TestExpectationsOfGoSqlmockStandInTheRow(t *testing.T) {
	t.Parallel()
	db, m := mock.New(t)
	m.ExpectBegin()
	expectTheOldWay(m.Sqlmock)
	m.ExpectCommit()
	tx := begin(t, db)
	var n int
	if err := tx.QueryRowContext(t.Context(), "select n from t where id = $1", 7).Scan(&n); n != 3 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	res, err := tx.ExecContext(t.Context(), "update t set n = $1", int8(4))
	if err != nil {
		t.Fatal(err)
	}
	if affected, _ := res.RowsAffected(); affected != 2 {
		t.Errorf("%d rows", affected)
	}
	if _, err := tx.ExecContext(t.Context(), "savepoint a"); err != nil {
		t.Error(err)
	}
	if _, err := tx.ExecContext(t.Context(), "delete from t"); code(err) != "23503" {
		t.Errorf("error = %v", err)
	}
	if _, err := tx.ExecContext(t.Context(), "rollback to a"); err != nil {
		t.Error(err)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
	m.Sqlmock.ExpectBegin()
	m.Sqlmock.ExpectRollback()
	if err := begin(t, db).Rollback(); err != nil {
		t.Error(err)
	}
}

// expectTheOldWay is what a program has that was written for go-sqlmock.
func expectTheOldWay(m sqlmock.Sqlmock) {
	m.ExpectQuery("select n").WithArgs(7).WillReturnRows(sqlmock.NewRows([]string{"n"}).AddRow(3))
	m.ExpectExec("update").WithArgs(4).WillReturnResult(sqlmock.NewResult(0, 2))
	m.ExpectExec("delete").WillReturnError(mock.PgError("23503", mock.Fields{}))
}

func TestPreparedStatements(t *testing.T) {
	t.Parallel()
	db, m := mock.New(t)
	p := m.ExpectPrepare("insert into t")
	p.ExpectExec().WithArgs(1).WillAffect(1)
	p.ExpectQuery().WithArgs(2).WillReturnRows(m.NewRows([]string{"id"}).AddRow(9))
	stmt, err := db.PrepareContext(t.Context(), "insert into t values ($1) returning id")
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	if _, err := stmt.ExecContext(t.Context(), 1); err != nil {
		t.Error(err)
	}
	var id int
	if err := stmt.QueryRowContext(t.Context(), 2).Scan(&id); id != 9 || err != nil {
		t.Errorf("%d, %v", id, err)
	}
	m.ExpectPrepare("broken").WillReturnError(mock.PgError("42601", mock.Fields{}))
	if _, err := db.PrepareContext(t.Context(), "broken"); code(err) != "42601" {
		t.Errorf("error = %v", err)
	}
}

func TestPipelineIsItsStatements(t *testing.T) {
	t.Parallel()
	db, m := mock.New(t)
	m.ExpectExec("insert into t").WithArgs(1, "a").WillAffect(1)
	m.ExpectExec("insert into t").WithArgs(2, "b").WillAffect(2)
	n, err := ext.ExecMany(t.Context(), db, "insert into t values ($1, $2)", [][]any{{1, "a"}, {2, "b"}})
	if n != 3 || err != nil {
		t.Errorf("%d rows, %v", n, err)
	}
	for i := range 2 {
		m.ExpectQuery("select").WithArgs(i).WillReturnRows(m.NewRows([]string{"n"}).AddRow(i * 10))
	}
	got, err := ext.QueryMany[int](t.Context(), db, "select $1 * 10", [][]any{{0}, {1}})
	if err != nil || len(got) != 2 || !slices.Equal(got[0], []int{0}) || !slices.Equal(got[1], []int{10}) {
		t.Errorf("%v, %v", got, err)
	}
	m.ExpectExec("insert into t").WithArgs(1, "a")
	m.ExpectExec("insert into t").WithArgs(2, "b").WillReturnError(mock.PgError("23505", mock.Fields{}))
	if _, err := ext.ExecMany(t.Context(), db, "insert into t values ($1, $2)", [][]any{{1, "a"}, {2, "b"}, {3, "c"}}); code(err) != "23505" {
		t.Errorf("error = %v", err)
	}
}

func TestNoticesComeWithAnyExpectation(t *testing.T) {
	t.Parallel()
	var got []string
	db, m := mock.NewWith(t, mock.Options{Config: func(c *driver.Config) {
		c.OnNotice = func(_ *driver.Conn, n driver.Notice) { got = append(got, n.String()) }
	}})
	m.ExpectBegin().WillNotice("WARNING", "25001", "begin")
	m.ExpectExec("drop").WillNotice("NOTICE", "00000", "drop")
	m.ExpectQuery("select").WillNotice("INFO", "00000", "select")
	m.ExpectCopyIn("item", "id", "name").WillNotice("LOG", "00000", "copy")
	m.ExpectCommit().WillNotice("DEBUG", "00000", "commit")
	tx := begin(t, db)
	tx.ExecContext(t.Context(), "drop table if exists t")
	tx.QueryRowContext(t.Context(), "select 1").Scan()
	stmt, err := tx.PrepareContext(t.Context(), "copy item (id, name) from stdin")
	if err != nil {
		t.Fatal(err)
	}
	stmt.Close()
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
	if want := []string{"WARNING - begin", "NOTICE - drop", "INFO - select", "LOG - copy", "DEBUG - commit"}; !slices.Equal(got, want) {
		t.Errorf("notices %q, want %q", got, want)
	}
}

func TestHandleIsExpectedToBeClosed(t *testing.T) {
	t.Parallel()
	db, m := mock.New(t)
	boom := errors.New("boom")
	m.ExpectClose().WillReturnError(boom)
	if err := db.Close(); err != boom {
		t.Errorf("Close = %v", err)
	}
}

func TestTableIsToldForInsertMany(t *testing.T) {
	t.Parallel()
	db, m := mock.New(t)
	m.Table("users", mock.Col("id", "int8"), mock.Col("name", "text"))
	m.ExpectExec(`insert into "users"`).WithArgs([]int64{1, 2}, []string{"ann", "bob"}).WillAffect(2)
	res, err := ext.InsertMany(t.Context(), db, "users", users, ext.InsertOptions{})
	if res.Inserted != 2 || err != nil {
		t.Errorf("%+v, %v", res, err)
	}
	m.ExpectQuery(`insert into "users" .* returning`).WillReturnRows(m.NewRows([]string{"id", "name"}).AddRow(1, "ann").AddRow(2, "bob"))
	got, err := ext.InsertReturning[user](t.Context(), db, "users", users, ext.InsertOptions{})
	if err != nil || !slices.Equal(got, users) {
		t.Errorf("%v, %v", got, err)
	}
	r := &recorder{TB: t}
	db, _ = mock.New(r)
	if _, err := ext.InsertMany(t.Context(), db, "users", users, ext.InsertOptions{}); err == nil || !strings.Contains(err.Error(), "nothing is known of table") {
		t.Errorf("error = %v", err)
	}
	r.end()
}
