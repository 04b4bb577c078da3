package driver_test

import (
	"context"
	"errors"
	"testing"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

func TestAConnectionToADemotedPrimaryIsRetired(t *testing.T) {
	t.Parallel()
	sqltest.MinVersion(t, 14) // older servers do not say that they have become read-only
	for attrs, retired := range map[string]bool{"read-write": true, "any": false} {
		db := openConfig(t, func(cfg *driver.Config) { cfg.TargetSessionAttrs = attrs })
		db.SetMaxOpenConns(1)
		mustExec(t, db, "create table item (n int)")
		pid := backendPID(t, db)
		mustExec(t, db, "set default_transaction_read_only = on")
		if _, err := db.Exec("insert into item values (1)"); sqlState(err) != "25006" {
			t.Fatalf("error = %v, want 25006", err)
		}
		if again := backendPID(t, db); (again != pid) != retired {
			t.Errorf("target_session_attrs=%s: backend %d, then %d", attrs, pid, again)
		}
	}
}

func TestALongCancelKeyCancels(t *testing.T) {
	t.Parallel()
	sqltest.MinVersion(t, 18) // the first with protocol 3.2
	db := openConfig(t, func(cfg *driver.Config) { cfg.MinProtocolVersion = "3.2" })
	conn := one(t, db)
	pid := backendPID(t, conn)
	inside(t, conn, func(_ context.Context, c *driver.Conn) {
		if n := len(c.PgConn().SecretKey()); n <= 4 {
			t.Errorf("the cancel key has %d bytes", n)
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	whenSleeping(t, db, pid, cancel)
	_, err := conn.ExecContext(ctx, "select pg_sleep(60)")
	if sqlState(err) != "57014" || !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
	if again := backendPID(t, conn); again != pid {
		t.Errorf("backend %d became %d", pid, again)
	}
}
