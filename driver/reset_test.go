package driver_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/driver"
)

var sessionResets = []driver.ResetPolicy{driver.ResetSession, driver.ResetDiscard}

func resetBy(policy driver.ResetPolicy) func(*driver.Config) {
	return func(cfg *driver.Config) { cfg.Reset = policy }
}

// TestResetTravelsWithTheNextStatement is the table of round trips once more, with each use behind a reset: it costs none,
// but ahead of the simple protocol, which takes nothing along.
func TestResetTravelsWithTheNextStatement(t *testing.T) {
	t.Parallel()
	simple := map[string]int{"Exec of two statements": 1}
	for _, policy := range sessionResets {
		for _, tt := range tariff {
			t.Run(string(policy)+"/"+tt.name, func(t *testing.T) {
				t.Parallel()
				db, f := counted(t, resetBy(policy))
				mustExec(t, db, itemTable)
				for i := 1; i <= 8; i++ {
					want := tt.steady
					if i == 1 {
						want = tt.first
					}
					warm(t, db)
					below(t, db).Connector() // a use without a statement
					below(t, db).ResetSession(t.Context())
					if got := cost(f, func() { tt.use(t, db) }); got != want+simple[tt.name] {
						t.Errorf("use %d: %d round trips, want %d", i, got, want+simple[tt.name])
					}
				}
			})
		}
	}
}

// TestResetStandsApartFromTheStatement checks that a statement which fails does not take the reset back, and that one which
// must not be in a transaction is in none.
func TestResetStandsApartFromTheStatement(t *testing.T) {
	t.Parallel()
	for _, policy := range sessionResets {
		db := openConfig(t, resetBy(policy))
		db.SetMaxOpenConns(1)
		mustExec(t, db, "create table item (n int unique deferrable initially deferred)")
		pid := backendPID(t, db)
		for name, use := range map[string]func() error{
			"a syntax error": func() error { _, err := db.Exec("selec 1"); return err },
			"a failure":      func() error { _, err := db.Exec("select 1 / $1::int", 0); return err },
			"a failed commit": func() error {
				_, err := db.Exec("insert into item select $1::int from generate_series(1, 2)", 1)
				return err
			},
			"a refused BEGIN": func() error {
				tx := begin(t, db)
				defer tx.Rollback()
				_, err := tx.Exec("set transaction isolation level nonsense")
				return err
			},
			"several statements": func() error { _, err := db.Exec("select 1; select 1 / 0"); return err },
			"VACUUM":             func() error { _, err := db.Exec("vacuum item"); return err },
			"VACUUM by Prepare": func() error {
				stmt, err := db.Prepare("vacuum item")
				if err != nil {
					return err
				}
				defer stmt.Close()
				_, err = stmt.Exec()
				return err
			},
			"BEGIN with a mode": func() error {
				tx, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelSerializable, ReadOnly: true})
				if err != nil {
					return err
				}
				if got := word(t, tx, "show transaction_isolation"); got != "serializable" {
					t.Errorf("isolation = %s", got)
				}
				return tx.Commit()
			},
			"COPY": func() error {
				_, err := copyIn(t.Context(), db, "copy item from stdin", func(ci *driver.CopyIn) error { return nil })
				return err
			},
		} {
			mustExec(t, db, "set extra_float_digits = 0; set role pg_monitor; set datestyle = German; set standard_conforming_strings = off")
			err := use()
			if fails := strings.HasPrefix(name, "a ") || name == "several statements"; fails != (err != nil) {
				t.Errorf("reset=%s, %s: %v", policy, name, err)
			}
			mustExec(t, db, "set extra_float_digits = 0; set role pg_monitor")
			err = use()
			got := word(t, db, "select current_setting('extra_float_digits') || (current_user = session_user) || current_setting('datestyle')")
			if got != "1trueISO, MDY" || (err == nil) != !strings.HasPrefix(name, "a ") && name != "several statements" {
				t.Errorf("reset=%s, %s: the session is %s, %v", policy, name, got, err)
			}
		}
		if got := backendPID(t, db); got != pid {
			t.Errorf("reset=%s: the connection was replaced", policy)
		}
	}
}

// TestFailedResetRunsNothing makes the reset fail: the statement must not run in a session that others have changed.
func TestFailedResetRunsNothing(t *testing.T) {
	t.Parallel()
	db := openConfig(t, resetBy(driver.ResetSession))
	db.SetMaxOpenConns(1)
	mustExec(t, db, "create sequence s")
	uses := map[string]func(){
		"Exec":      func() { mustExec(t, db, "select nextval('s')") },
		"arguments": func() { mustExec(t, db, "select nextval('s') where $1 = 1", 1) },
		"several":   func() { mustExec(t, db, "select nextval('s'); select 1") },
		"Do": func() {
			inside(t, db, func(ctx context.Context, c *driver.Conn) {
				if _, err := c.ExecContext(ctx, "select nextval('s')", nil); err != nil {
					t.Error(err)
				}
			})
		},
		"Ping": func() {
			if err := db.Ping(); sqlState(err) != "42883" { // database/sql pings once
				t.Errorf("Ping = %v, want what failed the reset", err)
			}
			mustExec(t, db, "select nextval('s')")
		},
	}
	mustExec(t, db, "alter function pg_catalog.pg_advisory_unlock_all() rename to gone")
	pid := backendPID(t, db)
	for name, use := range uses {
		use()
		if now := backendPID(t, db); now == pid {
			t.Errorf("%s: the connection whose reset failed is still in use", name)
		} else {
			pid = now
		}
	}
	tx := begin(t, db)
	if _, err := tx.Exec("select nextval('s')"); err == nil || sqlState(err) != "42883" {
		t.Errorf("in a transaction: %v, want what failed the reset", err)
	}
	tx.Rollback()
	mustExec(t, db, "alter function pg_catalog.gone() rename to pg_advisory_unlock_all")
	if n := number(t, db, "select last_value from s"); n != int64(len(uses)) {
		t.Errorf("%d executions, want %d", n, len(uses))
	}
}
