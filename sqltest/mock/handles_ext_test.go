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

// selects expects a query for one user.
func selects(m sqlmock.Sqlmock) {
	m.ExpectQuery("select id, name").WithArgs(1).WillReturnRows(rowsOf("id name", 1, "ann"))
}

func execs(text string, rows int64) func(m sqlmock.Sqlmock) {
	return func(m sqlmock.Sqlmock) { m.ExpectExec(text).WillReturnResult(sqlmock.NewResult(0, rows)) }
}

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

var extCases = map[string]handleCase{
	"driver.Do": {expect: execs("any statement", 3), run: func(ctx context.Context, db *sql.DB) error {
		n, err := driver.Do(ctx, db, "any statement", func(context.Context, *driver.Conn) (int64, error) { return 0, errors.New("it runs") })
		return want(n, err, 3)
	}},
	"ext.Query": {expect: selects, run: func(ctx context.Context, db *sql.DB) error {
		got, err := ext.Query[user](ctx, db, selectUsers, 1)
		return want(fmt.Sprint(got), err, "[{1 ann}]")
	}},
	"ext.QueryOne": {expect: selects, run: func(ctx context.Context, db *sql.DB) error {
		got, err := ext.QueryOne[user](ctx, db, selectUsers, 1)
		return want(got, err, users[0])
	}},
	"ext.QueryExactlyOne": {expect: selects, run: func(ctx context.Context, db *sql.DB) error {
		got, err := ext.QueryExactlyOne[user](ctx, db, selectUsers, 1)
		return want(got, err, users[0])
	}},
	"ext.QueryVal": {
		expect: func(m sqlmock.Sqlmock) { m.ExpectQuery("select count").WillReturnRows(rowsOf("count", 7)) },
		run: func(ctx context.Context, db *sql.DB) error {
			got, err := ext.QueryVal[int](ctx, db, "select count(*) from users")
			return want(got, err, 7)
		},
	},
	"ext.QueryFunc": {expect: selects, run: func(ctx context.Context, db *sql.DB) error {
		got, err := ext.QueryFunc(ctx, db, func(rows *sql.Rows) (u user, err error) { return u, rows.Scan(&u.ID, &u.Name) }, selectUsers, 1)
		return want(fmt.Sprint(got), err, "[{1 ann}]")
	}},
	"ext.Stream": {expect: selects, run: func(ctx context.Context, db *sql.DB) error {
		got, err := first(ext.Stream[user](ctx, db, selectUsers, 1))
		return want(got, err, users[0])
	}},
	"ext.StreamPages": {
		expect: func(m sqlmock.Sqlmock) {
			execs("declare .* cursor for select id", 0)(m)
			m.ExpectQuery("fetch forward 10").WillReturnRows(rowsOf("id name", 1, "ann"))
			execs("close", 0)(m)
		},
		run: func(ctx context.Context, db *sql.DB) error {
			got, err := first(ext.StreamPages[user](ctx, db, 10, "select id, name from users order by id"))
			return want(got, err, users[0])
		},
	},
	"ext.Paginate": {
		expect: func(m sqlmock.Sqlmock) {
			m.ExpectQuery("select id, name").WillReturnRows(rowsOf("id name", 1, "ann"))
		},
		run: func(ctx context.Context, db *sql.DB) error {
			page, err := ext.Paginate[user](ctx, db, ext.PageOptions{Size: 10}, "select id, name from users order by id")
			return want(fmt.Sprint(page.Rows), err, "[{1 ann}]")
		},
	},
	"ext.Exec": {expect: execs("delete from users", 2), run: func(ctx context.Context, db *sql.DB) error {
		res, err := ext.Exec(ctx, db, "delete from users")
		return want(res.RowsAffected, err, 2)
	}},
	"ext.ExecMany": {expect: execs("insert into users", 2), run: func(ctx context.Context, db *sql.DB) error {
		n, err := ext.ExecMany(ctx, db, "insert into users values ($1)", [][]any{{1}, {2}})
		return want(n, err, 2)
	}},
	"ext.ExecManySeq": {expect: execs("insert into users", 2), run: func(ctx context.Context, db *sql.DB) error {
		n, err := ext.ExecManySeq(ctx, db, "insert into users values ($1)", sequence([]any{1}, []any{2}))
		return want(n, err, 2)
	}},
	"ext.Pipeline": {noRows: true, expect: execs("pipeline", 2), run: func(ctx context.Context, db *sql.DB) error {
		return ext.Pipeline(ctx, db, func(p *ext.Pipe) error {
			p.Exec("insert into users values ($1)", 1)
			return nil
		})
	}},
	"ext.AttachCursor": { // it says nothing to the server
		expect: func(sqlmock.Sqlmock) {},
		run: func(ctx context.Context, db *sql.DB) error {
			return onConn(ctx, db, func(conn *sql.Conn) error {
				_, err := ext.AttachCursor(conn, "users", ext.CursorOptions{})
				return err
			})
		},
	},
	"ext.QueryMany": {noRows: true, expect: execs("select", 0), run: func(ctx context.Context, db *sql.DB) error {
		got, err := ext.QueryMany[user](ctx, db, selectUsers, [][]any{{1}, {2}})
		return want(len(got), err, 2)
	}},
	"ext.InsertMany": {expect: execs(`insert into "users"`, 2), run: func(ctx context.Context, db *sql.DB) error {
		res, err := ext.InsertMany(ctx, db, "users", users, ext.InsertOptions{})
		return want(res.Inserted, err, 2)
	}},
	"ext.InsertManySeq": {expect: execs(`insert into "users"`, 2), run: func(ctx context.Context, db *sql.DB) error {
		res, err := ext.InsertManySeq(ctx, db, "users", sequence(users...), ext.InsertOptions{})
		return want(res.Inserted, err, 2)
	}},
	"ext.InsertReturning": {noRows: true, expect: execs(`insert into "users"`, 0), run: func(ctx context.Context, db *sql.DB) error {
		_, err := ext.InsertReturning[user](ctx, db, "users", users, ext.InsertOptions{})
		return err
	}},
	"ext.UpsertMany": {expect: execs(`insert into "users"`, 2), run: func(ctx context.Context, db *sql.DB) error {
		res, err := ext.UpsertMany(ctx, db, "users", users, ext.UpsertOptions{Conflict: []string{"id"}})
		return want(res.Inserted, err, 2)
	}},
	"ext.Count": {
		expect: func(m sqlmock.Sqlmock) { m.ExpectQuery("count").WillReturnRows(rowsOf("count", 7)) },
		run: func(ctx context.Context, db *sql.DB) error {
			n, err := ext.Count(ctx, db, "users", "")
			return want(n, err, 7)
		},
	},
	"ext.Exists": {
		expect: func(m sqlmock.Sqlmock) { m.ExpectQuery("exists").WillReturnRows(rowsOf("exists", true)) },
		run: func(ctx context.Context, db *sql.DB) error {
			ok, err := ext.Exists(ctx, db, "users", "id = $1", 1)
			return want(ok, err, true)
		},
	},
	"ext.DeleteWhere": {expect: execs(`delete from "users"`, 2), run: func(ctx context.Context, db *sql.DB) error {
		n, err := ext.DeleteWhere(ctx, db, "users", "id > $1", 1)
		return want(n, err, 2)
	}},
	"ext.UpdateWhere": {expect: execs(`update "users"`, 2), run: func(ctx context.Context, db *sql.DB) error {
		n, err := ext.UpdateWhere(ctx, db, "users", map[string]any{"name": "x"}, "id > $1", 1)
		return want(n, err, 2)
	}},
	"ext.InTx": {
		expect: func(m sqlmock.Sqlmock) { m.ExpectBegin(); execs("delete", 1)(m); m.ExpectCommit() },
		run: func(ctx context.Context, db *sql.DB) error {
			return ext.InTx(ctx, db, ext.TxOptions{}, func(tx *ext.Tx) error {
				_, err := tx.ExecContext(ctx, "delete from users")
				return err
			})
		},
	},
	"ext.Rollback": {
		expect: func(m sqlmock.Sqlmock) { m.ExpectBegin(); m.ExpectRollback() },
		run: func(ctx context.Context, db *sql.DB) error {
			return ext.InTx(ctx, db, ext.TxOptions{}, func(tx *ext.Tx) error { return ext.Rollback(tx) })
		},
	},
	"ext.Savepoint": {
		expect: func(m sqlmock.Sqlmock) {
			m.ExpectBegin()
			execs(`savepoint "a"`, 0)(m)
			execs(`release savepoint "a"`, 0)(m)
			m.ExpectCommit()
		},
		run: func(ctx context.Context, db *sql.DB) error {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			return errors.Join(ext.Savepoint(ctx, tx, "a", func(context.Context) error { return nil }), tx.Commit())
		},
	},
	"ext.BeginTPC": {
		expect: func(m sqlmock.Sqlmock) {
			m.ExpectBegin()
			execs("prepare transaction", 0)(m)
			m.ExpectRollback() // database/sql's end of it
			execs("commit prepared", 0)(m)
		},
		run: func(ctx context.Context, db *sql.DB) error {
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
	},
	"ext.CommitPrepared": {expect: execs("commit prepared", 0), run: func(ctx context.Context, db *sql.DB) error {
		return ext.CommitPrepared(ctx, db, xid)
	}},
	"ext.RollbackPrepared": {expect: execs("rollback prepared", 0), run: func(ctx context.Context, db *sql.DB) error {
		return ext.RollbackPrepared(ctx, db, xid)
	}},
	"ext.RecoverPrepared": {
		expect: func(m sqlmock.Sqlmock) {
			m.ExpectQuery("pg_prepared_xacts").WillReturnRows(sqlmock.NewRows([]string{"gid", "prepared", "owner", "database"}))
		},
		run: func(ctx context.Context, db *sql.DB) error {
			found, err := ext.RecoverPrepared(ctx, db)
			return want(len(found), err, 0)
		},
	},
	"ext.WithSession": {
		expect: func(m sqlmock.Sqlmock) { selects(m); execs("commit", 0)(m) },
		run: func(ctx context.Context, db *sql.DB) error {
			return ext.WithSession(ctx, db, ext.SessionOptions{}, func(ctx context.Context, conn *sql.Conn) error {
				_, err := ext.Query[user](ctx, conn, selectUsers, 1)
				return err
			})
		},
	},
	"ext.SetSession": {
		expect: func(m sqlmock.Sqlmock) { execs("set session", 0)(m); execs("commit", 0)(m) },
		run: func(ctx context.Context, db *sql.DB) error {
			return ext.WithSession(ctx, db, ext.SessionOptions{}, func(ctx context.Context, conn *sql.Conn) error {
				return ext.SetSession(ctx, conn, ext.SessionOptions{})
			})
		},
	},
	"ext.CommitSession": {expect: execs("commit", 0), run: func(ctx context.Context, db *sql.DB) error {
		return onConn(ctx, db, func(conn *sql.Conn) error { return ext.CommitSession(ctx, conn) })
	}},
	"ext.RollbackSession": {expect: execs("rollback", 0), run: func(ctx context.Context, db *sql.DB) error {
		return onConn(ctx, db, func(conn *sql.Conn) error { return ext.RollbackSession(ctx, conn) })
	}},
	"ext.Describe": {noRows: true, expect: execs("select id", 0), run: func(ctx context.Context, db *sql.DB) error {
		_, err := ext.Describe(ctx, db, selectUsers)
		return err
	}},
}
