package driver_test

import (
	"context"
	"database/sql"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pycopg/pycopg/sqltest"
)

// openPair opens a handle of both servers. Each statement makes a connection of its own.
func openPair(t *testing.T, p *sqltest.Pair, settings ...string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pycopg", p.DSN("", settings...))
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxIdleConns(0)
	t.Cleanup(func() { db.Close() })
	return db
}

// serverOf is the port of the server that a handle leads to, "" when there is none.
func serverOf(t *testing.T, db *sql.DB) string {
	t.Helper()
	var port string
	if err := db.QueryRowContext(t.Context(), "show port").Scan(&port); err != nil {
		return ""
	}
	return port
}

// serverOfLibpq is serverOf for libpq. ok is false where there is no psql.
func serverOfLibpq(dsn string) (port string, ok bool) {
	psql, err := exec.LookPath("psql")
	if err != nil {
		return "", false
	}
	out, err := exec.Command(psql, dsn, "-XAtc", "show port").Output()
	if err != nil {
		return "", true
	}
	return strings.TrimSpace(string(out)), true
}

func TestSessionAttributesChooseAServerAsLibpqDoes(t *testing.T) {
	t.Parallel()
	p := sqltest.Replica(t, sqltest.ReplicaOptions{})
	port := func(in *sqltest.Instance) string {
		db, err := sql.Open("pycopg", in.DSN(""))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		return serverOf(t, db)
	}
	check := func(situation string, want map[string]string) {
		t.Helper()
		for attrs, want := range want {
			setting := "target_session_attrs=" + attrs
			if got := serverOf(t, openPair(t, p, setting)); got != want {
				t.Errorf("%s: %s leads to port %q, want %q", situation, attrs, got, want)
			}
			if libpq, ok := serverOfLibpq(p.DSN("", setting)); ok && libpq != want {
				t.Errorf("%s: %s leads libpq to port %q, want %q", situation, attrs, libpq, want)
			}
		}
	}
	first, second := port(p.Primary()), port(p.Standby())
	check("at first", map[string]string{
		"any": first, "read-write": first, "primary": first, "read-only": second, "standby": second, "prefer-standby": second,
	})
	seen := map[string]bool{}
	db := openPair(t, p, "load_balance_hosts=random")
	for range 40 {
		seen[serverOf(t, db)] = true
	}
	if len(seen) != 2 || !seen[first] || !seen[second] {
		t.Errorf("load_balance_hosts=random leads to the ports %v", seen)
	}
	db = openPair(t, p, "load_balance_hosts=random", "target_session_attrs=primary")
	for range 10 {
		if got := serverOf(t, db); got != first {
			t.Errorf("a primary at random is port %q, want %q", got, first)
		}
	}

	if err := p.Standby().Stop(t.Context(), sqltest.StopFast); err != nil {
		t.Fatal(err)
	}
	check("without a standby", map[string]string{"any": first, "read-write": first, "read-only": "", "standby": "", "prefer-standby": first})
	if err := p.Standby().Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.Primary().Stop(t.Context(), sqltest.StopFast); err != nil {
		t.Fatal(err)
	}
	check("without a primary", map[string]string{"any": second, "read-write": "", "primary": "", "read-only": second, "prefer-standby": second})
	if err := p.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.Demote(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("with the roles swapped", map[string]string{
		"any": first, "read-write": second, "primary": second, "read-only": first, "standby": first, "prefer-standby": first,
	})
}

// Programs write all the time while their primary is killed and its standby takes over. What was confirmed is there, and nothing is
// there twice.
func TestNoWriteIsLostOrDoubledInAFailover(t *testing.T) {
	t.Parallel()
	const writers, each, killAt = 4, 100, 100
	p := sqltest.Replica(t, sqltest.ReplicaOptions{Synchronous: true})
	db, err := sql.Open("pycopg", p.DSN("", "target_session_attrs=read-write"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	mustExec(t, db, "create table item (id int)") // no key: what is written twice is there twice
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var running sync.WaitGroup
	confirmed := make(chan int, writers*each)
	for w := range writers {
		running.Go(func() {
			for i := range each {
				id := w*each + i
				if err := writeOnce(ctx, db, id); err != nil {
					t.Errorf("write %d: %v", id, err)
					return
				}
				confirmed <- id
			}
		})
	}
	for range killAt {
		select {
		case <-confirmed:
		case <-ctx.Done():
			t.Fatal("the writers do not come along")
		}
	}
	if err := p.Primary().Stop(ctx, sqltest.StopImmediate); err != nil {
		t.Fatal(err)
	}
	if err := p.Promote(ctx); err != nil {
		t.Fatal(err)
	}
	running.Wait()
	if n := number(t, db, "select count(*) from item"); n != writers*each {
		t.Errorf("%d rows, want %d", n, writers*each)
	}
	if n := number(t, db, "select count(distinct id) from item"); n != writers*each {
		t.Errorf("%d different rows, want %d", n, writers*each)
	}
	if n := number(t, db, "select count(*) from pg_stat_activity where backend_type = 'client backend' and not pg_is_in_recovery()"); n == 0 {
		t.Error("the writes have not moved to the new primary")
	}
}

// writeOnce is what a careful program does: after an error it looks whether the write has happened, and repeats it only if not.
func writeOnce(ctx context.Context, db *sql.DB, id int) error {
	pause := time.NewTicker(10 * time.Millisecond)
	defer pause.Stop()
	for ctx.Err() == nil {
		if _, err := db.ExecContext(ctx, "insert into item values ($1)", id); err == nil {
			return nil
		}
		var n int
		for {
			err := db.QueryRowContext(ctx, "select count(*) from item where id = $1", id).Scan(&n)
			if err == nil {
				break
			}
			select {
			case <-pause.C:
			case <-ctx.Done():
				return err
			}
		}
		if n > 0 {
			return nil
		}
	}
	return ctx.Err()
}
