package mock_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/pycopg/pycopg/admin/backup"
	"github.com/pycopg/pycopg/copyin"
	"github.com/pycopg/pycopg/ext"
)

var extMoreCases = map[string]plainCall{
	"ext.CallFunc": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`"add_up"`).WithArgs(1, 2).WillReturnRows(sqlmock.NewRows([]string{"add_up"}).AddRow(3))
		sums, err := ext.CallFunc[int](ctx, db, "add_up", 1, 2)
		return want(head(sums), err, 3)
	},
	"ext.CallProc": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`call "clean_up"\(\$1\)`).WillReturnResult(sqlmock.NewResult(0, 1))
		return ext.CallProc(ctx, db, "clean_up", 1)
	},
	"ext.ExecOutsideTx": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`vacuum users`).WillReturnResult(sqlmock.NewResult(0, 1))
		return ext.ExecOutsideTx(ctx, db, "vacuum users")
	},
	"ext.Info": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`info`).WillReturnResult(sqlmock.NewResult(0, 0))
		info, err := ext.Info(ctx, db)
		return want(info.Database, err, "")
	},
	"ext.LookupType": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`look up type mood`).WillReturnResult(sqlmock.NewResult(0, 1))
		mood, err := ext.LookupType(ctx, db, "mood")
		return want(mood.OID, err, 0)
	},
	"ext.LoadTypes": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`load types mood, address`).WillReturnResult(sqlmock.NewResult(0, 2))
		types, err := ext.LoadTypes(ctx, db, "mood", "address")
		return want(len(types), err, 2)
	},
	"ext.RegisterType": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`register type mood`).WillReturnResult(sqlmock.NewResult(0, 1))
		funcs := ext.TypeFuncs[user]{Decode: func(text string) (user, error) { return user{Name: text}, nil }}
		_, err := ext.RegisterType(ctx, db, "mood", funcs)
		return err
	},
	"ext.OnNotice": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`OnNotice`).WillReturnResult(sqlmock.NewResult(0, 0))
		return onConn(ctx, db, func(conn *sql.Conn) error {
			remove, err := ext.OnNotice(ctx, conn, func(n ext.Notice) { fmt.Println(n.Message) })
			remove()
			return err
		})
	},
	"ext.OnNotification": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`OnNotification`).WillReturnResult(sqlmock.NewResult(0, 0))
		return onConn(ctx, db, func(conn *sql.Conn) error {
			remove, err := ext.OnNotification(ctx, conn, func(n ext.Notification) { fmt.Println(n.Payload) })
			remove()
			return err
		})
	},
	"ext.TakeNotifications": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`TakeNotifications`).WillReturnResult(sqlmock.NewResult(0, 0))
		return onConn(ctx, db, func(conn *sql.Conn) error {
			taken, err := ext.TakeNotifications(ctx, conn)
			return want(len(taken), err, 0)
		})
	},
	"ext.NewCanceler": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`canceler`).WillReturnResult(sqlmock.NewResult(0, 0))
		return onConn(ctx, db, func(conn *sql.Conn) error {
			_, err := ext.NewCanceler(ctx, conn)
			return err
		})
	},
	"ext.DeclareCursor": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectBegin()
		m.ExpectExec(`declare "all" cursor for select id, name`).WillReturnResult(sqlmock.NewResult(0, 0))
		m.ExpectQuery(`fetch forward 2 from "all"`).WillReturnRows(sqlmock.NewRows([]string{"id", "name"}).AddRow(1, "ann").AddRow(2, "bob"))
		m.ExpectExec(`close "all"`).WillReturnResult(sqlmock.NewResult(0, 0))
		m.ExpectCommit()
		return ext.InTx(ctx, db, ext.TxOptions{}, func(tx *ext.Tx) error {
			c, err := ext.DeclareCursor(ctx, tx, "all", ext.CursorOptions{}, "select id, name from users")
			if err != nil {
				return err
			}
			got, err := ext.FetchMany[user](ctx, c, 2)
			return errors.Join(want(len(got), err, 2), c.Close(ctx))
		})
	},
	"ext.CreateLargeObject": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectQuery(`lo_create`).WillReturnRows(sqlmock.NewRows([]string{"oid"}).AddRow(7))
		oid, err := ext.CreateLargeObject(ctx, db, 0)
		return want(oid, err, 7)
	},
	"ext.OpenLargeObject": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectBegin()
		m.ExpectQuery(`lo_open`).WithArgs(7, ext.LargeObjectRead).WillReturnRows(sqlmock.NewRows([]string{"lo_open"}).AddRow(0))
		m.ExpectQuery(`loread`).WillReturnRows(sqlmock.NewRows([]string{"loread"}).AddRow([]byte("abc")))
		m.ExpectQuery(`lo_close`).WillReturnRows(sqlmock.NewRows([]string{"lo_close"}).AddRow(0))
		m.ExpectCommit()
		return ext.InTx(ctx, db, ext.TxOptions{}, func(tx *ext.Tx) error {
			o, err := ext.OpenLargeObject(ctx, tx, 7, ext.LargeObjectRead)
			if err != nil {
				return err
			}
			n, err := o.Read(make([]byte, 10))
			return errors.Join(want(n, err, 3), o.Close())
		})
	},
	"ext.ImportLargeObject": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectBegin()
		m.ExpectQuery(`lo_create`).WillReturnRows(sqlmock.NewRows([]string{"lo_create"}).AddRow(7))
		m.ExpectQuery(`lo_open`).WillReturnRows(sqlmock.NewRows([]string{"lo_open"}).AddRow(0))
		m.ExpectQuery(`lowrite`).WithArgs(0, []byte("abc")).WillReturnRows(sqlmock.NewRows([]string{"lowrite"}).AddRow(3))
		m.ExpectQuery(`lo_close`).WillReturnRows(sqlmock.NewRows([]string{"lo_close"}).AddRow(0))
		m.ExpectCommit()
		oid, _, err := ext.ImportLargeObject(ctx, db, strings.NewReader("abc"))
		return want(oid, err, 7)
	},
	"ext.ExportLargeObject": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectBegin()
		m.ExpectQuery(`lo_open`).WillReturnRows(sqlmock.NewRows([]string{"lo_open"}).AddRow(0))
		m.ExpectQuery(`loread`).WillReturnRows(sqlmock.NewRows([]string{"loread"}).AddRow([]byte("abc")))
		m.ExpectQuery(`loread`).WillReturnRows(sqlmock.NewRows([]string{"loread"}).AddRow([]byte{}))
		m.ExpectQuery(`lo_close`).WillReturnRows(sqlmock.NewRows([]string{"lo_close"}).AddRow(0))
		m.ExpectCommit()
		size, err := ext.ExportLargeObject(ctx, db, 7, io.Discard)
		return want(size, err, 3)
	},
	"ext.RemoveLargeObject": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`lo_unlink`).WillReturnResult(sqlmock.NewResult(0, 1))
		return ext.RemoveLargeObject(ctx, db, 7)
	},
	"copyin.Load": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`copy "users" from stdin`).WillReturnResult(sqlmock.NewResult(0, 2))
		result, err := copyin.Load(ctx, db, "users", copyin.CSVReader(strings.NewReader("id,name\n1,ann\n2,bob\n"), copyin.CSVOptions{}), copyin.LoadOptions{})
		return want(result.Stored, err, 2)
	},
	"backup.Dump": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`backup`).WillReturnResult(sqlmock.NewResult(0, 0))
		return wantMock(backup.Dump(ctx, db, backup.DumpOptions{Writer: io.Discard}))
	},
	"backup.Restore": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec(`backup`).WillReturnResult(sqlmock.NewResult(0, 0))
		return wantMock(backup.Restore(ctx, db, backup.RestoreOptions{Reader: strings.NewReader("PGDMP")}))
	},
}
