package sqltest

import (
	"context"
	"database/sql"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// grace is how long Check waits for what ends by itself: database/sql returns connections, and
// goroutines end, a moment after the call that caused it.
const grace = 5 * time.Second

// Check closes the databases, which DB gave to this test, and reports by t.Errorf what the test leaked:
// connections that were not returned to the pool, transactions that are open or prepared, and
// goroutines of this module and of pgx. What is about to end gets five seconds.
//
// Defer it right after DB. Goroutines are looked at once every database that DB gave to the test was
// passed to Check: goroutines are known by the test that started them, not by the database.
func Check(t testing.TB, dbs ...*sql.DB) {
	t.Helper()
	for _, db := range dbs {
		w, ok := watched(db)
		if !ok {
			t.Errorf("sqltest: Check needs a database of DB that was not checked before")
			return
		}
		checkPool(t, db)
		checkTransactions(t, w.in, w.name)
		if err := db.Close(); err != nil {
			t.Errorf("sqltest: close the database: %v", err)
		}
		if forget(db) {
			checkGoroutines(t, w.label)
		}
	}
}

func checkPool(t testing.TB, db *sql.DB) {
	t.Helper()
	if !eventually(func() bool { return db.Stats().InUse == 0 }) {
		t.Errorf("sqltest: %d connections leaked: rows, statements, transactions or connections that were not closed", db.Stats().InUse)
	}
}

// openTransactions lists what a finished test must not leave in its database.
const openTransactions = `
	select pg_catalog.string_agg(what, e'\n\t') from (
		select pg_catalog.format('session %s %s, last statement: %s', pid, state, query) as what
		from pg_catalog.pg_stat_activity
		where datname = $1 and pid <> pg_catalog.pg_backend_pid() and xact_start is not null
			and backend_type = 'client backend'
		union all
		select pg_catalog.format('prepared transaction %s', gid)
		from pg_catalog.pg_prepared_xacts where database = $1
	) as left_open`

func checkTransactions(t testing.TB, in *Instance, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), databaseTimeout)
	defer cancel()
	var open string
	err := in.asAdmin(ctx, func(conn *pgconn.PgConn) (err error) {
		eventually(func() bool {
			open, err = value(ctx, conn, openTransactions, name)
			return err != nil || open == ""
		})
		return err
	})
	switch {
	case err != nil:
		t.Errorf("sqltest: look for open transactions: %v", err)
	case open != "":
		t.Errorf("sqltest: transactions left open:\n\t%s", open)
	}
}

func checkGoroutines(t testing.TB, label string) {
	t.Helper()
	var left []string
	if !eventually(func() bool { left = labelledGoroutines(label); return len(left) == 0 }) {
		for _, stack := range left {
			t.Errorf("sqltest: goroutine leaked:\n%s", stack)
		}
	}
}

// eventually waits until done reports true, for the grace at most.
func eventually(done func() bool) bool {
	const poll = 5 * time.Millisecond
	for end := time.Now().Add(grace); time.Now().Before(end); time.Sleep(poll) {
		if done() {
			return true
		}
	}
	return done()
}

// watch is what Check knows of a database of DB.
type watching struct {
	test  testing.TB
	label string
	in    *Instance
	name  string // of the database
}

var registry struct {
	sync.Mutex
	dbs map[*sql.DB]watching
}

// watch registers a database of t and labels the calling goroutine with the test.
func watch(t testing.TB, db *sql.DB, in *Instance, name string) {
	registry.Lock()
	defer registry.Unlock()
	if registry.dbs == nil {
		registry.dbs = map[*sql.DB]watching{}
	}
	label := ""
	for _, w := range registry.dbs {
		if w.test == t {
			label = w.label
		}
	}
	if label == "" {
		label = labelGoroutine(t.Name())
	}
	registry.dbs[db] = watching{test: t, label: label, in: in, name: name}
}

func watched(db *sql.DB) (watching, bool) {
	registry.Lock()
	defer registry.Unlock()
	w, ok := registry.dbs[db]
	return w, ok
}

// forget removes db and reports whether it was the last database of its test.
func forget(db *sql.DB) bool {
	registry.Lock()
	defer registry.Unlock()
	w, ok := registry.dbs[db]
	delete(registry.dbs, db)
	for _, other := range registry.dbs {
		if other.test == w.test {
			return false
		}
	}
	return ok
}
