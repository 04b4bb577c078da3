package listen_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/listen"
	"github.com/pycopg/pycopg/sqltest"
)

func TestNilHandlesAreErrors(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	notifications := func(q ext.OutsideTx) error {
		for _, err := range listen.Notifications(ctx, q, []string{"a"}, listen.WaitOptions{NoWait: true}) {
			return err
		}
		return nil
	}
	for name, call := range map[string]func() error{
		"Run":                  func() error { return listen.New(nil, listen.ListenerOptions{}).Run(ctx) },
		"Notifier.Run":         func() error { return listen.NewNotifier(nil, listen.NotifierOptions{}).Run(ctx) },
		"Watch":                func() error { return listen.Watch(ctx, nil, listen.WatchOptions{}) },
		"Notify":               func() error { return listen.Notify(ctx, nil, "a", "b") },
		"Notifications":        func() error { return notifications(nil) },
		"Notifications (DB)":   func() error { return notifications((*sql.DB)(nil)) },
		"Notifications (Conn)": func() error { return notifications((*sql.Conn)(nil)) },
	} {
		if err := call(); err == nil || !strings.Contains(err.Error(), "the handle is ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestErrorsNameThePackageOnce(t *testing.T) {
	t.Parallel()
	cfg, err := driver.ParseConfig(sqltest.DSN(t, sqltest.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Pooler = driver.PoolerTransaction
	pooled := sql.OpenDB(driver.NewConnector(cfg))
	defer pooled.Close()
	for name, call := range map[string]func(context.Context) error{
		"Run": func(ctx context.Context) error { return listen.New(pooled, listen.ListenerOptions{}).Run(ctx) },
		"Notifications": func(ctx context.Context) error {
			for _, err := range listen.Notifications(ctx, pooled, []string{"a"}, listen.WaitOptions{NoWait: true}) {
				return err
			}
			return nil
		},
		"no channel": func(ctx context.Context) error {
			for _, err := range listen.Notifications(ctx, pooled, nil, listen.WaitOptions{}) {
				return err
			}
			return nil
		},
	} {
		err := call(t.Context())
		if err == nil || strings.Count(err.Error(), "listen: ") != 1 || !errors.Is(err, listen.ErrPooler) && !errors.Is(err, listen.ErrChannel) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAClosedSubscriptionTakesNoChannels(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	l := listen.New(db, listen.ListenerOptions{})
	closed, err := l.Subscribe(ctx, "a", listen.SubOptions{})
	if err != nil {
		t.Fatal(err)
	}
	kept, err := l.Subscribe(ctx, "b", listen.SubOptions{})
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	if err := closed.Add(ctx, "c"); !errors.Is(err, listen.ErrClosed) {
		t.Errorf("before Run: %v, want ErrClosed", err)
	}
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	if err := l.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	if err := closed.Add(ctx, "c"); !errors.Is(err, listen.ErrClosed) {
		t.Errorf("during Run: %v, want ErrClosed", err)
	}
	if n := l.Stats().Channels; n != 1 {
		t.Errorf("%d channels, want 1", n)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := kept.Add(t.Context(), "c"); !errors.Is(err, listen.ErrStopped) {
		t.Errorf("after Run: %v, want ErrStopped", err)
	}
	if err := l.Ping(t.Context()); !errors.Is(err, listen.ErrStopped) {
		t.Errorf("Ping after Run: %v, want ErrStopped", err)
	}
}
