package driver_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"runtime"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

// counted returns a pool of at most one connection, which is open, and the proxy that counts its messages.
func counted(t testing.TB, change func(*driver.Config)) (*sql.DB, *sqltest.Fault) {
	t.Helper()
	f := sqltest.Server(t).Fault(t)
	db := openSpace(t, newSpace(t), f.Addr().String(), change)
	db.SetMaxOpenConns(1)
	if err := db.PingContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db, f
}

// below is the driver's connection below h, for looking at it while nothing runs.
func below(t testing.TB, h driver.Execer) *driver.Conn {
	t.Helper()
	var below *driver.Conn
	inside(t, h, func(_ context.Context, c *driver.Conn) { below = c })
	return below
}

// warm makes the connections below h as if they were used a moment ago, on a slow machine too.
func warm(t testing.TB, h driver.Execer) { below(t, h).Backdate(-time.Hour) }

// cost is the number of round trips that use takes.
func cost(f *sqltest.Fault, use func()) int {
	before := f.RoundTrips()
	use()
	return f.RoundTrips() - before
}

// messages is how many messages of each of these types the client has sent.
func messages(f *sqltest.Fault, types string) []int {
	counts := make([]int, len(types))
	for _, conn := range f.Traffic() {
		for i := range types {
			counts[i] += conn.Frontend[types[i]]
		}
	}
	return counts
}

// tariff is what programs do, with the round trips that the first use and any further one take.
var tariff = []struct {
	name          string
	first, steady int
	use           func(t *testing.T, db *sql.DB)
}{
	{"QueryRow", 1, 1, func(t *testing.T, db *sql.DB) { number(t, db, "select count(*) from item") }},
	{"QueryRow of an int", 1, 1, func(t *testing.T, db *sql.DB) { number(t, db, "select count(*) from item where n = $1", 1) }},
	{"QueryRow of ordinary arguments", 1, 1, func(t *testing.T, db *sql.DB) {
		const query = "select count(*) from item where n = $1 and s = $2 and f = $3 and b = $4 and at < $5 and s is distinct from $6"
		number(t, db, query, 1, "s", 1.5, true, time.Now(), nil)
	}},
	{"Exec", 1, 1, func(t *testing.T, db *sql.DB) { mustExec(t, db, "delete from item where false") }},
	{"Exec of arguments", 1, 1, func(t *testing.T, db *sql.DB) { mustExec(t, db, "insert into item (n, s) values ($1, $2)", 1, "s") }},
	{"Exec of two statements", 1, 1, func(t *testing.T, db *sql.DB) {
		mustExec(t, db, "delete from item where false; delete from item where false")
	}},
	{"Query of many rows", 1, 1, func(t *testing.T, db *sql.DB) {
		rows, err := db.QueryContext(t.Context(), "select n from generate_series(1, $1) n", 5000)
		if err != nil {
			t.Fatal(err)
		}
		if sets, err := readSets(rows); err != nil || len(sets[0]) != 5000 {
			t.Error(err)
		}
	}},
	{"an argument of []byte", 2, 1, func(t *testing.T, db *sql.DB) {
		number(t, db, "select length($1::bytea)", []byte{1, 2, 3})
	}},
	{"an argument of a slice", 2, 1, func(t *testing.T, db *sql.DB) {
		number(t, db, "select cardinality($1::int[])", []int{1, 2, 3})
	}},
	{"an argument of json", 2, 1, func(t *testing.T, db *sql.DB) {
		number(t, db, "select ($1::jsonb ->> 'n')::int", json.RawMessage(`{"n": 5}`))
	}},
	{"an argument of a map", 2, 1, func(t *testing.T, db *sql.DB) {
		number(t, db, "select ($1::jsonb ->> 'n')::int", map[string]any{"n": 5})
	}},
	{"an argument of a Duration", 2, 1, func(t *testing.T, db *sql.DB) {
		number(t, db, "select extract(epoch from $1::interval)::int", time.Minute)
	}},
	// The server keeps the closed statement, as it keeps others: the next Prepare of the text finds it.
	{"Prepare, Exec, Close", 2, 1, func(t *testing.T, db *sql.DB) {
		stmt, err := db.PrepareContext(t.Context(), "insert into item (n) values ($1)")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stmt.ExecContext(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		stmt.Close()
	}},
	{"Begin, Exec, Commit", 2, 2, func(t *testing.T, db *sql.DB) { commitAfter(t, db, 1) }},
	{"Begin, three Exec, Commit", 4, 4, func(t *testing.T, db *sql.DB) { commitAfter(t, db, 3) }},
	{"Begin, Commit", 0, 0, func(t *testing.T, db *sql.DB) { commitAfter(t, db, 0) }},
	{"Begin, Rollback", 0, 0, func(t *testing.T, db *sql.DB) {
		if err := begin(t, db).Rollback(); err != nil {
			t.Error(err)
		}
	}},
	{"Begin, Exec of two statements, Commit", 3, 3, func(t *testing.T, db *sql.DB) {
		tx := begin(t, db)
		mustExec(t, tx, "delete from item where false; delete from item where false")
		if err := tx.Commit(); err != nil {
			t.Error(err)
		}
	}},
	{"Ping", 1, 1, func(t *testing.T, db *sql.DB) {
		if err := db.PingContext(t.Context()); err != nil {
			t.Error(err)
		}
	}},
}

// commitAfter commits a transaction of so many statements.
func commitAfter(t *testing.T, db *sql.DB, statements int) {
	t.Helper()
	tx := begin(t, db)
	for i := range statements {
		mustExec(t, tx, "insert into item (n) values ($1)", i)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
}

const itemTable = "create table item (n int, s text, f float8, b bool, at timestamptz)"

// TestRoundTrips is the table of what each operation costs, on its first use, while it is unprepared, when it is being prepared
// and afterwards.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	for _, tt := range tariff {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			db, f := counted(t, nil)
			mustExec(t, db, itemTable)
			for i := 1; i <= 10; i++ {
				want := tt.steady
				if i == 1 {
					want = tt.first
				}
				warm(t, db)
				if got := cost(f, func() { tt.use(t, db) }); got != want {
					t.Errorf("use %d: %d round trips, want %d", i, got, want)
				}
			}
		})
	}
}

// TestRoundTripsAfterAnAlteration uses what was prepared under the old schema.
func TestRoundTripsAfterAnAlteration(t *testing.T) {
	t.Parallel()
	db, f := counted(t, prepareAfter(0, 100))
	mustExec(t, db, itemTable)
	const insert = "insert into item (n, s) values ($1, $2)"
	stmt, err := db.PrepareContext(t.Context(), insert+" returning n")
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	for i := range 3 {
		for name, use := range map[string]func(){
			"the text": func() { mustExec(t, db, insert, 1, "s") },
			"the *sql.Stmt": func() {
				if _, err := stmt.Exec(1, "s"); err != nil {
					t.Error(err)
				}
			},
			"the alteration": func() { mustExec(t, db, "alter table item alter s type text") },
		} {
			if got := cost(f, use); got != 1 {
				t.Errorf("use %d of %s: %d round trips, want 1", i+1, name, got)
			}
		}
	}
}

func TestRoundTripsOfExplicitStatementsThatAreNotKept(t *testing.T) {
	t.Parallel()
	db, f := counted(t, prepareAfter(-1, 100))
	for i := range 3 {
		got := cost(f, func() {
			stmt, err := db.PrepareContext(t.Context(), "select $1::int")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := stmt.ExecContext(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			stmt.Close()
		})
		if want := max(1, 2-i); got != want { // the types are asked for once
			t.Errorf("use %d: %d round trips, want %d", i+1, got, want)
		}
	}
}

// TestRoundTripsOfAFurtherConnection checks that what one connection has asked, no other one asks.
func TestRoundTripsOfAFurtherConnection(t *testing.T) {
	t.Parallel()
	for _, tt := range tariff {
		if tt.steady != 1 || tt.first != 2 {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			db, f := counted(t, nil)
			db.SetMaxOpenConns(0)
			mustExec(t, db, itemTable)
			tt.use(t, db)
			first := one(t, db) // and so the next use is another connection's
			if err := first.PingContext(t.Context()); err != nil {
				t.Fatal(err)
			}
			second := one(t, db)
			pid := backendPID(t, second)
			second.Close()
			if got := cost(f, func() { tt.use(t, db) }); got != 1 {
				t.Errorf("%d round trips, want 1", got)
			}
			if got := backendPID(t, db); got != pid {
				t.Fatal("the use was on another connection than the second")
			}
		})
	}
}

func TestRoundTripsOfConnecting(t *testing.T) {
	t.Parallel()
	s, f := newSpace(t), sqltest.Server(t).Fault(t)
	pgxs := cost(f, func() {
		conn, err := pgx.Connect(t.Context(), f.DSN(string(s)))
		if err != nil {
			t.Fatal(err)
		}
		conn.Close(t.Context())
	})
	ours := cost(f, func() { one(t, openSpace(t, s, f.Addr().String(), nil)) })
	if ours != pgxs || ours == 0 {
		t.Errorf("%d round trips, pgx takes %d", ours, pgxs)
	}
}

// canPeek says whether the driver can look at a socket without reading from it here.
const canPeek = runtime.GOOS != "windows"

func TestRoundTripsAfterIdling(t *testing.T) {
	t.Parallel()
	ping := 1
	if canPeek {
		ping = 0
	}
	tests := []struct {
		name string
		idle time.Duration
		want int
		use  func(t *testing.T, db *sql.DB)
	}{
		{"QueryRow after more than a second", 1100 * time.Millisecond, 1 + ping, func(t *testing.T, db *sql.DB) { number(t, db, "select 1") }},
		{"Exec after more than a second", 1100 * time.Millisecond, 1 + ping, func(t *testing.T, db *sql.DB) { mustExec(t, db, "select $1::int", 1) }},
		{"Begin, Exec, Commit after more than a second", 1100 * time.Millisecond, 3 + ping, func(t *testing.T, db *sql.DB) { commitAfter(t, db, 1) }},
		{"Begin, Exec, Commit after less than a second", -time.Hour, 2, func(t *testing.T, db *sql.DB) { commitAfter(t, db, 1) }},
		{"QueryRow after ping_after", time.Minute + time.Second, 2, func(t *testing.T, db *sql.DB) { number(t, db, "select 1") }},
		{"Begin, Rollback after more than a second", 1100 * time.Millisecond, 2 + ping, func(t *testing.T, db *sql.DB) { begin(t, db).Rollback() }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			db, f := counted(t, nil)
			mustExec(t, db, itemTable)
			below(t, db).Backdate(tt.idle)
			if got := cost(f, func() { tt.use(t, db) }); got != tt.want {
				t.Errorf("%d round trips, want %d", got, tt.want)
			}
		})
	}
}

func TestPreparingAndClosingTakeNoTripOfTheirOwn(t *testing.T) {
	t.Parallel()
	db, f := counted(t, prepareAfter(2, 1))
	use := func(query string, wantTypes string, want ...int) {
		t.Helper()
		before := messages(f, wantTypes)
		if trips := cost(f, func() { number(t, db, query, 1) }); trips != 1 {
			t.Errorf("%s: %d round trips, want 1", query, trips)
		}
		for i, after := range messages(f, wantTypes) {
			if got := after - before[i]; got != want[i] {
				t.Errorf("%s: %d messages %q, want %d", query, got, wantTypes[i], want[i])
			}
		}
	}
	const a, b, c = "select $1::int", "select 1 + $1::int", "select 2 + $1::int"
	use(a, "PBEC", 1, 1, 1, 0)
	use(a, "PBEC", 1, 1, 1, 0)
	use(a, "PBEC", 1, 1, 1, 0) // prepares
	use(a, "PBEC", 0, 1, 1, 0)
	use(b, "PBEC", 1, 1, 1, 0)
	use(b, "PBEC", 1, 1, 1, 0)
	use(b, "PBEC", 1, 1, 1, 0) // prepares, and evicts a
	use(b, "PBEC", 0, 1, 1, 1) // closes a
	use(b, "PBEC", 0, 1, 1, 0)

	stmt, err := db.PrepareContext(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if trips := cost(f, func() { stmt.Close() }); trips != 0 {
		t.Errorf("closing a statement takes %d round trips, want 0", trips)
	}
	for range 2 { // c is the newest: b gives way to it
		use(c, "PBE", 0, 1, 1)
	}
	use(b, "PBEC", 1, 1, 1, 0)
}
