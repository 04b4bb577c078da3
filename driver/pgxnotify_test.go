package driver_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/pycopg/pycopg/driver"
)

func TestNotificationsWaitForUsersOfPgx(t *testing.T) {
	t.Parallel()
	var hooked []string
	db := openConfig(t, func(cfg *driver.Config) {
		cfg.OnNotification = func(_ *driver.Conn, n driver.Notification) { hooked = append(hooked, n.Payload) }
	})
	conn := one(t, db)
	mustExec(t, conn, "listen news")
	mustExec(t, conn, "notify news, 'before'")
	var got []string
	inside(t, conn, func(_ context.Context, c *driver.Conn) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		px := c.Conn()
		if _, err := px.Exec(ctx, "notify news, 'inside'"); err != nil {
			t.Error(err)
		}
		for range 2 {
			n, err := px.WaitForNotification(ctx)
			if err != nil || n == nil {
				t.Errorf("notification %v, %v", n, err)
				return
			}
			got = append(got, n.Payload)
		}
	})
	if want := "[before inside]"; fmt.Sprint(got) != want || fmt.Sprint(hooked) != want {
		t.Errorf("pgx got %v, the hook %v, want %s", got, hooked, want)
	}
}

func TestNotificationsThatNobodyTakesAreBounded(t *testing.T) {
	t.Parallel()
	conn := one(t, openConfig(t, func(*driver.Config) {}))
	mustExec(t, conn, "listen news")
	mustExec(t, conn, "select pg_notify('news', n::text) from generate_series(1, 5000) n")
	var first string
	inside(t, conn, func(_ context.Context, c *driver.Conn) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		n, err := c.Conn().WaitForNotification(ctx)
		if err != nil {
			t.Error(err)
			return
		}
		first = n.Payload
	})
	if first != "4001" {
		t.Errorf("the oldest that was kept is %s, want 4001", first)
	}
}
