package driver_test

import (
	sqldriver "database/sql/driver"
	"errors"
	"strings"
	"testing"
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
		if _, err := conn.ExecContext(t.Context(), "select 1"); !errors.Is(err, sqldriver.ErrBadConn) {
			t.Errorf("error %v, want one that says that nothing was sent", err)
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
