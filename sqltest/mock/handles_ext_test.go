package mock_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

type user struct {
	ID   int64
	Name string
}

var (
	users = []user{{1, "ann"}, {2, "bob"}}
	xid   = func() ext.Xid {
		x, err := ext.NewXid(1, "g", "b")
		if err != nil {
			panic(err)
		}
		return x
	}()
)

// sequence is a source of values without errors.
func sequence[T any](values ...T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range values {
			if !yield(v, nil) {
				return
			}
		}
	}
}

// first is the first value of rows.
func first[T any](rows iter.Seq2[T, error]) (v T, err error) {
	for v, err := range rows {
		return v, err
	}
	return v, sql.ErrNoRows
}

const selectUsers = "select id, name from users where id = $1"

var extCases = map[string]plainCall{
	"driver.Do": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec("any statement").WillReturnResult(sqlmock.NewResult(0, 3))
		n, err := driver.Do(ctx, db, "any statement", func(context.Context, *driver.Conn) (int64, error) { return 0, errors.New("it runs") })
		return want(n, err, 3)
	},
	"ext.Query": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery("select id, name").WithArgs(1).WillReturnRows(sqlmock.NewRows([]string{"id", "name"}).AddRow(1, "ann"))
		got, err := ext.Query[user](ctx, db, selectUsers, 1)
		return want(fmt.Sprint(got), err, "[{1 ann}]")
	},
	"ext.QueryOne": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery("select id, name").WithArgs(1).WillReturnRows(sqlmock.NewRows([]string{"id", "name"}).AddRow(1, "ann"))
		got, err := ext.QueryOne[user](ctx, db, selectUsers, 1)
		return want(got, err, users[0])
	},
	"ext.QueryExactlyOne": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery("select id, name").WithArgs(1).WillReturnRows(sqlmock.NewRows([]string{"id", "name"}).AddRow(1, "ann"))
		got, err := ext.QueryExactlyOne[user](ctx, db, selectUsers, 1)
		return want(got, err, users[0])
	},
	"ext.QueryVal": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery("select count").WillReturnRows(sqlmock.NewRows([]string{"count"}).AddRow(7))
		got, err := ext.QueryVal[int](ctx, db, "select count(*) from users")
		return want(got, err, 7)
	},
	"ext.QueryFunc": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery("select id, name").WithArgs(1).WillReturnRows(sqlmock.NewRows([]string{"id", "name"}).AddRow(1, "ann"))
		got, err := ext.QueryFunc(ctx, db, func(rows *sql.Rows) (u user, err error) { return u, rows.Scan(&u.ID, &u.Name) }, selectUsers, 1)
		return want(fmt.Sprint(got), err, "[{1 ann}]")
	},
	"ext.Stream": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery("select id, name").WithArgs(1).WillReturnRows(sqlmock.NewRows([]string{"id", "name"}).AddRow(1, "ann"))
		got, err := first(ext.Stream[user](ctx, db, selectUsers, 1))
		return want(got, err, users[0])
	},
	"ext.StreamPages": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec("declare .* cursor for select id").WillReturnResult(sqlmock.NewResult(0, 0))
		m.ExpectQuery("fetch forward 10").WillReturnRows(sqlmock.NewRows([]string{"id", "name"}).AddRow(1, "ann"))
		m.ExpectExec("close").WillReturnResult(sqlmock.NewResult(0, 0))
		got, err := first(ext.StreamPages[user](ctx, db, 10, "select id, name from users order by id"))
		return want(got, err, users[0])
	},
	"ext.Paginate": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery("select id, name").WillReturnRows(sqlmock.NewRows([]string{"id", "name"}).AddRow(1, "ann"))
		page, err := ext.Paginate[user](ctx, db, ext.PageOptions{Size: 10}, "select id, name from users order by id")
		return want(fmt.Sprint(page.Rows), err, "[{1 ann}]")
	},
	"ext.Exec": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec("delete from users").WillReturnResult(sqlmock.NewResult(0, 2))
		res, err := ext.Exec(ctx, db, "delete from users")
		return want(res.RowsAffected, err, 2)
	},
	"ext.ExecMany": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec("insert into users").WillReturnResult(sqlmock.NewResult(0, 2))
		n, err := ext.ExecMany(ctx, db, "insert into users values ($1)", [][]any{{1}, {2}})
		return want(n, err, 2)
	},
	"ext.ExecManySeq": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec("insert into users").WillReturnResult(sqlmock.NewResult(0, 2))
		n, err := ext.ExecManySeq(ctx, db, "insert into users values ($1)", sequence([]any{1}, []any{2}))
		return want(n, err, 2)
	},
	"ext.Pipeline": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec("pipeline").WillReturnResult(sqlmock.NewResult(0, 2))
		return ext.Pipeline(ctx, db, func(p *ext.Pipe) error {
			p.Exec("insert into users values ($1)", 1)
			return nil
		})
	},
	"ext.AttachCursor": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		// it says nothing to the server
		return onConn(ctx, db, func(conn *sql.Conn) error {
			_, err := ext.AttachCursor(conn, "users", ext.CursorOptions{})
			return err
		})
	},
	"ext.QueryMany": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec("select").WillReturnResult(sqlmock.NewResult(0, 0))
		got, err := ext.QueryMany[user](ctx, db, selectUsers, [][]any{{1}, {2}})
		return want(len(got), err, 2)
	},
	"ext.InsertMany": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`insert into "users"`).WillReturnResult(sqlmock.NewResult(0, 2))
		res, err := ext.InsertMany(ctx, db, "users", users, ext.InsertOptions{})
		return want(res.Inserted, err, 2)
	},
	"ext.InsertManySeq": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`insert into "users"`).WillReturnResult(sqlmock.NewResult(0, 2))
		res, err := ext.InsertManySeq(ctx, db, "users", sequence(users...), ext.InsertOptions{})
		return want(res.Inserted, err, 2)
	},
	"ext.InsertReturning": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`insert into "users"`).WillReturnResult(sqlmock.NewResult(0, 0))
		_, err := ext.InsertReturning[user](ctx, db, "users", users, ext.InsertOptions{})
		return err
	},
	"ext.UpsertMany": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`insert into "users"`).WillReturnResult(sqlmock.NewResult(0, 2))
		res, err := ext.UpsertMany(ctx, db, "users", users, ext.UpsertOptions{Conflict: []string{"id"}})
		return want(res.Inserted, err, 2)
	},
	"ext.Count": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery("count").WillReturnRows(sqlmock.NewRows([]string{"count"}).AddRow(7))
		n, err := ext.Count(ctx, db, "users", "")
		return want(n, err, 7)
	},
	"ext.Exists": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery("exists").WillReturnRows(sqlmock.NewRows([]string{"exists"}).AddRow(true))
		ok, err := ext.Exists(ctx, db, "users", "id = $1", 1)
		return want(ok, err, true)
	},
	"ext.DeleteWhere": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`delete from "users"`).WillReturnResult(sqlmock.NewResult(0, 2))
		n, err := ext.DeleteWhere(ctx, db, "users", "id > $1", 1)
		return want(n, err, 2)
	},
	"ext.UpdateWhere": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`update "users"`).WillReturnResult(sqlmock.NewResult(0, 2))
		n, err := ext.UpdateWhere(ctx, db, "users", map[string]any{"name": "x"}, "id > $1", 1)
		return want(n, err, 2)
	},
	"ext.InTx": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectBegin()
		m.ExpectExec("delete").WillReturnResult(sqlmock.NewResult(0, 1))
		m.ExpectCommit()
		return ext.InTx(ctx, db, ext.TxOptions{}, func(tx *ext.Tx) error {
			_, err := tx.ExecContext(ctx, "delete from users")
			return err
		})
	},
	"ext.Rollback": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectBegin()
		m.ExpectRollback()
		return ext.InTx(ctx, db, ext.TxOptions{}, func(tx *ext.Tx) error { return ext.Rollback(tx) })
	},
	"ext.Savepoint": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectBegin()
		m.ExpectExec(`savepoint "a"`).WillReturnResult(sqlmock.NewResult(0, 0))
		m.ExpectExec(`release savepoint "a"`).WillReturnResult(sqlmock.NewResult(0, 0))
		m.ExpectCommit()
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		return errors.Join(ext.Savepoint(ctx, tx, "a", func(context.Context) error { return nil }), tx.Commit())
	},
	"ext.BeginTPC": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectBegin()
		m.ExpectExec("prepare transaction").WillReturnResult(sqlmock.NewResult(0, 0))
		m.ExpectRollback() // database/sql's end of it
		m.ExpectExec("commit prepared").WillReturnResult(sqlmock.NewResult(0, 0))
		return onConn(ctx, db, func(conn *sql.Conn) error {
			tpc, err := ext.BeginTPC(ctx, conn, xid)
			if err != nil {
				return err
			}
			p, err := tpc.Prepare(ctx)
			if err != nil {
				return err
			}
			return p.Commit(ctx)
		})
	},
	"ext.CommitPrepared": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec("commit prepared").WillReturnResult(sqlmock.NewResult(0, 0))
		return ext.CommitPrepared(ctx, db, xid)
	},
	"ext.RollbackPrepared": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec("rollback prepared").WillReturnResult(sqlmock.NewResult(0, 0))
		return ext.RollbackPrepared(ctx, db, xid)
	},
	"ext.RecoverPrepared": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery("pg_prepared_xacts").WillReturnRows(sqlmock.NewRows([]string{"gid", "prepared", "owner", "database"}))
		found, err := ext.RecoverPrepared(ctx, db)
		return want(len(found), err, 0)
	},
	"ext.WithSession": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery("select id, name").WithArgs(1).WillReturnRows(sqlmock.NewRows([]string{"id", "name"}).AddRow(1, "ann"))
		m.ExpectExec("commit").WillReturnResult(sqlmock.NewResult(0, 0))
		return ext.WithSession(ctx, db, ext.SessionOptions{}, func(ctx context.Context, conn *sql.Conn) error {
			_, err := ext.Query[user](ctx, conn, selectUsers, 1)
			return err
		})
	},
	"ext.SetSession": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec("set session").WillReturnResult(sqlmock.NewResult(0, 0))
		m.ExpectExec("commit").WillReturnResult(sqlmock.NewResult(0, 0))
		return ext.WithSession(ctx, db, ext.SessionOptions{}, func(ctx context.Context, conn *sql.Conn) error {
			return ext.SetSession(ctx, conn, ext.SessionOptions{})
		})
	},
	"ext.CommitSession": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec("commit").WillReturnResult(sqlmock.NewResult(0, 0))
		return onConn(ctx, db, func(conn *sql.Conn) error { return ext.CommitSession(ctx, conn) })
	},
	"ext.RollbackSession": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec("rollback").WillReturnResult(sqlmock.NewResult(0, 0))
		return onConn(ctx, db, func(conn *sql.Conn) error { return ext.RollbackSession(ctx, conn) })
	},
	"ext.Describe": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec("select id").WillReturnResult(sqlmock.NewResult(0, 0))
		_, err := ext.Describe(ctx, db, selectUsers)
		return err
	},
}
