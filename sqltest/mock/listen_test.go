package mock_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/listen"
	"github.com/pycopg/pycopg/sqltest/mock"
)

func TestNotifications(t *testing.T) {
	t.Parallel()
	db, m := mock.New(t)
	m.ExpectListen("jobs", "odd.Name").WillNotify("jobs", "1").WillNotify("odd.Name", "2")
	n := 0
	for note, err := range listen.Notifications(t.Context(), db, []string{"jobs", "odd.Name"}, listen.WaitOptions{StopAfter: 3}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		switch {
		case n == 1 && note.Channel == "jobs" && note.Payload == "1":
		case n == 2 && note.Channel == "odd.Name" && note.Payload == "2":
			if told := m.Notify("jobs", "3") + m.Notify("others", "4"); told != 1 {
				t.Errorf("%d sessions were told, want 1", told)
			}
		case n == 3 && note.Payload == "3":
		default:
			t.Errorf("notification %d is %v", n, note)
		}
	}
	if n != 3 {
		t.Errorf("%d notifications, want 3", n)
	}
}

// A listener that loses its connection tries again after a while, in virtual time, and tells of the gap.
func TestListenerConnectsAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db, m := mock.New(t)
		first := m.ExpectListen("jobs")
		second := m.ExpectListen("jobs").WillNotify("jobs", "after")
		l := listen.New(db, listen.ListenerOptions{})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- l.Run(ctx) }()
		sub, err := l.Subscribe(ctx, "jobs", listen.SubOptions{})
		if err != nil {
			t.Fatal(err)
		}
		<-first.Met()
		synctest.Wait()
		if m.Notify("jobs", "before") != 1 || m.DropConnections() == 0 {
			t.Error("nobody listens")
		}
		<-second.Met()
		var events []string
		for len(events) < 3 {
			e, err := sub.Next(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if e.Gap != nil {
				events = append(events, "gap")
				continue
			}
			events = append(events, e.Payload)
		}
		if want := []string{"before", "gap", "after"}; !slices.Equal(events, want) {
			t.Errorf("events %q, want %q", events, want)
		}
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) && err != nil {
			t.Errorf("Run = %v", err)
		}
		db.Close()
	})
}

func TestListenInSQL(t *testing.T) {
	t.Parallel()
	var got []driver.Notification
	db, m := mock.NewWith(t, mock.Options{Config: func(c *driver.Config) {
		c.OnNotification = func(_ *driver.Conn, n driver.Notification) { got = append(got, n) }
	}})
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	m.ExpectListen("jobs").WillReturnError(mock.PgError("25006", mock.Fields{}))
	if _, err := conn.ExecContext(t.Context(), "LISTEN Jobs"); code(err) != "25006" {
		t.Errorf("LISTEN: %v", err)
	}
	m.ExpectListen("jobs").WillNotice("WARNING", "01000", "mind")
	if _, err := conn.ExecContext(t.Context(), "listen Jobs;"); err != nil {
		t.Error(err)
	}
	m.ExpectBegin()
	m.ExpectExec("select 1")
	m.ExpectCommit()
	tx, err := conn.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	m.Notify("jobs", "held")
	if _, err := tx.ExecContext(t.Context(), "select 1"); err != nil || len(got) != 0 {
		t.Errorf("in a transaction: %v, %v", got, err)
	}
	if err := tx.Commit(); err != nil || len(got) != 1 || got[0].Payload != "held" {
		t.Errorf("at its end: %v, %v", got, err)
	}
	if _, err := conn.ExecContext(t.Context(), "unlisten *"); err != nil {
		t.Error(err)
	}
	if n := m.Notify("jobs", "nobody"); n != 0 {
		t.Errorf("%d sessions listen after UNLISTEN", n)
	}
}

func TestCancelIsSentToTheServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db, m := mock.New(t)
		m.ExpectBegin()
		m.ExpectExec("pg_sleep").WillBeCancelled()
		m.ExpectRollback()
		m.ExpectQuery("select").WillDelayFor(time.Hour)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.ExecContext(ctx, "select pg_sleep(3600)"); !errors.Is(err, context.DeadlineExceeded) || code(err) != "57014" {
			t.Errorf("error = %v", err)
		}
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
		start := time.Now()
		rows, err := db.QueryContext(t.Context(), "select")
		if err != nil {
			t.Fatal(err)
		}
		rows.Close()
		if d := time.Since(start); d != time.Hour {
			t.Errorf("the answer took %v, want an hour", d)
		}
		ready := make(chan struct{})
		m.ExpectExec("update").WillBlockUntil(ready)
		done := make(chan error)
		go func() {
			_, err := db.ExecContext(t.Context(), "update")
			done <- err
		}()
		synctest.Wait()
		select {
		case err := <-done:
			t.Errorf("not blocked: %v", err)
		default:
		}
		close(ready)
		if err := <-done; err != nil {
			t.Error(err)
		}
		db.Close()
	})
}
