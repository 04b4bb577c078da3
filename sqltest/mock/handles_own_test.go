package mock_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/pycopg/pycopg/copyout"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/listen"
	"github.com/pycopg/pycopg/sqltest/mock"
)

// ownCalls are examples with mock.New, for what has no rows, or no server, with plain go-sqlmock.
var ownCalls = map[string]func(ctx context.Context, db *sql.DB, m *mock.Mock) error{
	"ext.QueryMany": func(ctx context.Context, db *sql.DB, m *mock.Mock) error {
		m.ExpectQuery("select id, name").WithArgs(1).WillReturnRows(m.NewRows([]string{"id", "name"}).AddRow(1, "ann"))
		m.ExpectQuery("select id, name").WithArgs(2).WillReturnRows(m.NewRows([]string{"id", "name"}).AddRow(2, "bob"))
		got, err := ext.QueryMany[user](ctx, db, selectUsers, [][]any{{1}, {2}})
		return want(len(got), err, 2)
	},
	"ext.Pipeline": func(ctx context.Context, db *sql.DB, m *mock.Mock) error {
		m.ExpectExec("insert into users").WithArgs(1).WillAffect(1)
		m.ExpectQuery("select id, name").WithArgs(1).WillReturnRows(m.NewRows([]string{"id", "name"}).AddRow(1, "ann"))
		var found *ext.Pending[[]user]
		err := ext.Pipeline(ctx, db, func(p *ext.Pipe) error {
			p.Exec("insert into users values ($1)", 1)
			found = ext.QueueQuery[user](p, selectUsers, 1)
			return nil
		})
		if err != nil {
			return err
		}
		got, err := found.Get()
		return want(head(got).Name, err, "ann")
	},
	"ext.InsertReturning": func(ctx context.Context, db *sql.DB, m *mock.Mock) error {
		m.Table("users", mock.Col("id", "int8"), mock.Col("name", "text"))
		m.ExpectQuery(`insert into "users" .* returning`).WillReturnRows(m.NewRows([]string{"id", "name"}).AddRow(1, "ann").AddRow(2, "bob"))
		got, err := ext.InsertReturning[user](ctx, db, "users", users, ext.InsertOptions{})
		return want(len(got), err, 2)
	},
	"ext.Describe": func(ctx context.Context, db *sql.DB, m *mock.Mock) error {
		m.ExpectQuery("select id, name").WithTypes("int8").WillReturnRows(
			m.Columns(mock.Col("id", "int8"), mock.Col("name", "text")).AddRow(1, "ann"))
		d, err := ext.Describe(ctx, db, selectUsers) // tells of the query that is expected next, which remains so
		if err != nil {
			return err
		}
		if _, err := ext.QueryOne[user](ctx, db, selectUsers, 1); err != nil {
			return err
		}
		return want(d.Columns[0].Type, err, "bigint")
	},
	"copyout.Rows": func(ctx context.Context, db *sql.DB, m *mock.Mock) error {
		m.ExpectCopyOut(`copy .*users.* to stdout`).WillReturnRows(
			m.Columns(mock.Col("id", "int8"), mock.Col("name", "text")).AddRow(1, "ann"))
		got, err := first(copyout.Rows[user](ctx, db, copyout.Table("users")))
		return want(got, err, users[0])
	},
	"listen.Notifications": func(ctx context.Context, db *sql.DB, m *mock.Mock) error {
		m.ExpectListen("jobs").WillNotify("jobs", "42")
		got, err := first(listen.Notifications(ctx, db, []string{"jobs"}, listen.WaitOptions{}))
		return want(got.Payload, err, "42")
	},
	"listen.New": func(ctx context.Context, db *sql.DB, m *mock.Mock) error {
		m.ExpectListen("jobs").WillNotify("jobs", "42")
		ctx, stop := context.WithCancel(ctx)
		payload := ""
		l := listen.New(db, listen.ListenerOptions{})
		_, err := l.Handle(ctx, "jobs", listen.SubOptions{}, func(_ context.Context, e listen.Event) {
			if e.Payload != "" {
				payload = e.Payload
				stop()
			}
		})
		if err != nil {
			return err
		}
		l.Run(ctx)
		return want(payload, err, "42")
	},
}

func TestWhatNeedsRowsOrAServerHasAMockOfItsOwn(t *testing.T) {
	t.Parallel()
	for name, run := range ownCalls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			db, m := mock.New(t)
			if err := run(ctx, db, m); err != nil {
				t.Error(err)
			}
		})
	}
}
