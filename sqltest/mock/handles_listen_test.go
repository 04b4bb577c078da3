package mock_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/pycopg/pycopg/listen"
)

// listensNowhere expects the search for the server, of which a mock has none: the error says so.
var listensNowhere = execs("listen: find the server", 0)

func isMock(err error) error {
	if err == nil || !strings.Contains(err.Error(), "mock") {
		return fmt.Errorf("error = %w, want one that says that the handle is a mock", err)
	}
	return nil
}

func notifies(m sqlmock.Sqlmock) {
	m.ExpectExec("pg_notify").WillReturnResult(sqlmock.NewResult(0, 1))
}

var listenCases = map[string]handleCase{
	"listen.Notify": {expect: notifies, run: func(ctx context.Context, db *sql.DB) error {
		return listen.Notify(ctx, db, "jobs", "1")
	}},
	"listen.NotifyJSON": {expect: notifies, run: func(ctx context.Context, db *sql.DB) error {
		return listen.NotifyJSON(ctx, db, "jobs", users[0])
	}},
	"listen.NotifyMany": {expect: notifies, run: func(ctx context.Context, db *sql.DB) error {
		return listen.NotifyMany(ctx, db, []listen.Message{{Channel: "jobs", Payload: "1"}})
	}},
	"listen.NewNotifier": {expect: notifies, run: func(ctx context.Context, db *sql.DB) error {
		n := listen.NewNotifier(db, listen.NotifierOptions{})
		running, stop := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() { ended <- n.Run(running) }()
		err := errors.Join(n.Notify(ctx, "jobs", "1"), n.Flush(ctx))
		stop()
		<-ended
		return err
	}},
	"listen.Notifications": {expect: listensNowhere, run: func(ctx context.Context, db *sql.DB) error {
		_, err := first(listen.Notifications(ctx, db, []string{"jobs"}, listen.WaitOptions{}))
		return isMock(err)
	}},
	"listen.New": {expect: listensNowhere, run: func(ctx context.Context, db *sql.DB) error {
		return isMock(listen.New(db, listen.ListenerOptions{}).Run(ctx))
	}},
	"listen.Watch": {expect: listensNowhere, run: func(ctx context.Context, db *sql.DB) error {
		return isMock(listen.Watch(ctx, db, listen.WatchOptions{}))
	}},
}
