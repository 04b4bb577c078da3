package mock_test

import (
	"context"
	"database/sql"
	"errors"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/pycopg/pycopg/listen"
)

var listenCases = map[string]plainCall{
	"listen.Notify": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec("pg_notify").WillReturnResult(sqlmock.NewResult(0, 1))
		return listen.Notify(ctx, db, "jobs", "1")
	},
	"listen.NotifyJSON": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec("pg_notify").WillReturnResult(sqlmock.NewResult(0, 1))
		return listen.NotifyJSON(ctx, db, "jobs", users[0])
	},
	"listen.NotifyMany": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec("pg_notify").WillReturnResult(sqlmock.NewResult(0, 1))
		return listen.NotifyMany(ctx, db, []listen.Message{{Channel: "jobs", Payload: "1"}})
	},
	"listen.NewNotifier": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec("pg_notify").WillReturnResult(sqlmock.NewResult(0, 1))
		n := listen.NewNotifier(db, listen.NotifierOptions{})
		running, stop := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() { ended <- n.Run(running) }()
		err := errors.Join(n.Notify(ctx, "jobs", "1"), n.Flush(ctx))
		stop()
		<-ended
		return err
	},
	"listen.Notifications": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec("listen: find the server").WillReturnResult(sqlmock.NewResult(0, 0))
		_, err := first(listen.Notifications(ctx, db, []string{"jobs"}, listen.WaitOptions{}))
		return wantMock(err)
	},
	"listen.New": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec("listen: find the server").WillReturnResult(sqlmock.NewResult(0, 0))
		return wantMock(listen.New(db, listen.ListenerOptions{}).Run(ctx))
	},
	"listen.Watch": func(ctx context.Context, db *sql.DB, m sqlmock.Sqlmock) error {
		m.ExpectExec("listen: find the server").WillReturnResult(sqlmock.NewResult(0, 0))
		return wantMock(listen.Watch(ctx, db, listen.WatchOptions{}))
	},
}
