package sqltest_test

import (
	"testing"

	"github.com/pycopg/pycopg/sqltest"
)

func TestReplicaFollowsAndSwapsItsRoles(t *testing.T) {
	t.Parallel()
	p := sqltest.Replica(t, sqltest.ReplicaOptions{Synchronous: true})
	for round := range 2 {
		primary, standby := connect(t, p.Primary().DSN("")), connect(t, p.Standby().DSN(""))
		if round == 0 {
			if err := primary.Exec(t.Context(), "create table item (n int)").Close(); err != nil {
				t.Fatal(err)
			}
		}
		if err := primary.Exec(t.Context(), "insert into item values (1)").Close(); err != nil {
			t.Fatal(err)
		}
		if got, err := ask(t, standby, "select count(*)::text || pg_is_in_recovery() from item"); got != [...]string{"1true", "2true"}[round] || err != nil {
			t.Errorf("round %d: the standby has %q, %v", round, got, err)
		}
		if err := p.Primary().Stop(t.Context(), sqltest.StopImmediate); err != nil {
			t.Fatal(err)
		}
		if err := p.Promote(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := p.Demote(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTxLeavesNothing(t *testing.T) {
	t.Parallel()
	db := sqltest.DB(t, sqltest.Options{})
	if _, err := db.ExecContext(t.Context(), "create table item (n int)"); err != nil {
		t.Fatal(err)
	}
	r := &recorder{TB: t}
	tx := sqltest.Tx(r, db)
	if _, err := tx.ExecContext(t.Context(), "insert into item values (1)"); err != nil {
		t.Fatal(err)
	}
	if got := r.end(); got != "" {
		t.Errorf("reported %q", got)
	}
	var n int
	if err := db.QueryRowContext(t.Context(), "select count(*) from item").Scan(&n); n != 0 || err != nil {
		t.Errorf("%d rows, %v", n, err)
	}
	tx = sqltest.Tx(r, db)
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := r.end(); got == "" {
		t.Error("a COMMIT of the test was not reported")
	}
}

func TestPgBouncerPoolsSessions(t *testing.T) {
	t.Parallel()
	one := sqltest.PgBouncer(t, sqltest.PgBouncerOptions{})
	if again := sqltest.PgBouncer(t, sqltest.PgBouncerOptions{Mode: sqltest.PoolTransaction}); again != one {
		t.Error("a second PgBouncer was started for the same options")
	}
	if of := sqltest.PgBouncer(t, sqltest.PgBouncerOptions{Mode: sqltest.PoolSession}); of == one {
		t.Error("the mode made no difference")
	}
	conn := connect(t, one.DSN("postgres"))
	if got, err := ask(t, conn, "select 'a'"); got != "a" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}
