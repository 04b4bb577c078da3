package driver_test

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"strings"
	"testing"
	"time"
)

// TestALostConnectionIsFoundByTheRequestThatWouldUseIt cuts a connection below a handle, where no pool looks at it: the next
// statement is not sent.
func TestALostConnectionIsFoundByTheRequestThatWouldUseIt(t *testing.T) {
	t.Parallel()
	if !canPeek {
		t.Skip("the driver cannot look at a socket on this system")
	}
	t.Run("Conn", func(t *testing.T) {
		t.Parallel()
		db, f := counted(t, nil)
		conn := one(t, db)
		number(t, conn, "select $1::int", 1)
		c := below(t, conn)
		f.Cut()
		arrived(t, c)
		sent := messages(f, "PQ")
		if _, err := conn.ExecContext(t.Context(), "select 1"); !errors.Is(err, sqldriver.ErrBadConn) {
			t.Errorf("error %v, want one that says that nothing was sent", err)
		}
		if now := messages(f, "PQ"); now[0] != sent[0] || now[1] != sent[1] {
			t.Errorf("messages %v, and %v before", now, sent)
		}
	})
	t.Run("Tx", func(t *testing.T) {
		t.Parallel()
		db, f := counted(t, nil)
		tx := begin(t, db)
		number(t, tx, "select $1::int", 1)
		c := below(t, tx)
		f.Cut()
		arrived(t, c)
		_, err := tx.ExecContext(t.Context(), "select 1")
		if err == nil || errors.Is(err, sqldriver.ErrBadConn) || !strings.Contains(err.Error(), "connection lost inside a transaction") {
			t.Errorf("error %v", err)
		}
	})
}

// TestStatementsWithoutAPauseFindALostConnection is about connections that the server left right behind its answer: the pool
// does not look at them before a use without a pause, what uses them does. A ping is left out: database/sql does not repeat
// it, so that it tells of the loss.
func TestStatementsWithoutAPauseFindALostConnection(t *testing.T) {
	t.Parallel()
	if !canPeek {
		t.Skip("the driver cannot look at a socket on this system")
	}
	for kind, use := range idleUses {
		if kind == "Ping" {
			continue
		}
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			db, f := counted(t, nil)
			number(t, db, "select $1::int", 1)
			c := below(t, db)
			c.TrustLastAnswer(time.Hour)
			f.Cut()
			arrived(t, c)
			if err := use(context.Background(), db, 1); err != nil {
				t.Error(err)
			}
		})
	}
}
