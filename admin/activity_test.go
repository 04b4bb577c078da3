package admin_test

import (
	"database/sql"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pycopg/pycopg/admin"
	"github.com/pycopg/pycopg/ext"
)

// await asks until the answer is yes.
func await(t testing.TB, db ext.Querier, what string, ask func() bool) {
	t.Helper()
	for range 3000 {
		if ask() {
			return
		}
		mustExec(t, db, "select pg_sleep(0.02)")
	}
	t.Fatalf("%s: still not so", what)
}

// session is a connection of its own, with its process.
func session(t testing.TB, db *sql.DB, name string) (*sql.Conn, int32) {
	t.Helper()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	mustExec(t, conn, "set application_name = '"+name+"'")
	pid, err := ext.QueryVal[int32](t.Context(), conn, "select pg_backend_pid()")
	if err != nil {
		t.Fatal(err)
	}
	return conn, pid
}

func TestActivityLocksAndBlockingChains(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), openDB(t)
	mustExec(t, db, `create table "Tab le" (id int)`)
	holder, first := session(t, db, "holder")
	waiter, second := session(t, db, "waiter")
	last, third := session(t, db, "last")
	mustExec(t, holder, `begin`, `lock table "Tab le" in access share mode`, "select pg_advisory_lock(4294967298)", "select pg_advisory_lock(3, 4)")
	mustExec(t, waiter, "begin")
	done := make(chan error, 2)
	go func() {
		_, err := waiter.ExecContext(ctx, `lock table "Tab le" in access exclusive mode`)
		done <- err
	}()
	blocked := func(pid int32) func() bool {
		return func() bool {
			s, err := admin.ListActivity(ctx, db, admin.ActivityOptions{})
			if err != nil {
				t.Fatal(err)
			}
			return slices.ContainsFunc(s, func(s admin.Session) bool { return s.PID == pid && len(s.BlockedBy) > 0 })
		}
	}
	await(t, db, "the second waits", blocked(second))
	go func() {
		_, err := last.ExecContext(ctx, `select * from "Tab le"`)
		done <- err
	}()
	await(t, db, "the third waits", blocked(third))

	byPID := map[int32]admin.Session{}
	await(t, db, "the second is seen to wait", func() bool { // a moment behind that it is blocked, and not while it looks for a deadlock
		sessions, err := admin.ListActivity(ctx, db, admin.ActivityOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range sessions {
			byPID[s.PID] = s
		}
		return byPID[second].WaitEventType == "Lock"
	})
	if s := byPID[first]; s.Application != "holder" || s.State != "idle in transaction" || s.TransactionFrom == nil || s.Backend != "client backend" || s.BlockedBy == nil || len(s.BlockedBy) > 0 || s.BackendStart == nil {
		t.Errorf("holder: %+v", s)
	}
	if s := byPID[second]; s.State != "active" || !slices.Equal(s.BlockedBy, []int32{first}) || !strings.Contains(s.Query, "access exclusive") {
		t.Errorf("waiter: %+v", s)
	}
	locks, err := admin.ListLocks(ctx, db, admin.LocksOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []admin.Lock{
		{PID: first, Kind: "relation", Object: `public."Tab le"`, Mode: "AccessShareLock", Granted: true},
		{PID: second, Kind: "relation", Object: `public."Tab le"`, Mode: "AccessExclusiveLock"},
		{PID: first, Kind: "advisory", Object: "4294967298", Mode: "ExclusiveLock", Granted: true},
		{PID: first, Kind: "advisory", Object: "3, 4", Mode: "ExclusiveLock", Granted: true},
	} {
		if !slices.ContainsFunc(locks, func(l admin.Lock) bool {
			return l.PID == want.PID && l.Kind == want.Kind && l.Object == want.Object && l.Mode == want.Mode && l.Granted == want.Granted && l.Granted == (l.WaitStart == nil) && l.Database != ""
		}) {
			t.Errorf("no lock %+v in %+v", want, locks)
		}
	}
	waiting, err := admin.ListLocks(ctx, db, admin.LocksOptions{Waiting: true})
	if err != nil || len(waiting) != 2 || waiting[0].Granted {
		t.Errorf("waiting: %+v, %v", waiting, err)
	}
	chains, err := admin.BlockingChains(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(chains, func(b admin.Blocking) bool { return b.Session.PID == first })
	if i < 0 || len(chains[i].Waiting) != 1 || chains[i].Waiting[0].Session.PID != second || len(chains[i].Waiting[0].Waiting) != 1 || chains[i].Waiting[0].Waiting[0].Session.PID != third {
		t.Fatalf("chains: %+v", chains)
	}
	if lines := strings.Split(chains[i].String(), "\n"); len(lines) != 3 || !strings.Contains(lines[0], "(holder) idle in transaction") || !strings.HasPrefix(lines[2], "    ") {
		t.Errorf("as text: %s", chains[i])
	}

	if sent, err := admin.CancelBackend(ctx, db, third); err != nil || !sent {
		t.Errorf("cancel: %v, %v", sent, err)
	}
	if err := <-done; err == nil || !strings.Contains(err.Error(), "57014") {
		t.Errorf("the cancelled statement: %v", err)
	}
	if sent, err := admin.TerminateBackend(ctx, db, second, time.Minute); err != nil || !sent {
		t.Errorf("terminate: %v, %v", sent, err)
	}
	if err := <-done; err == nil || !strings.Contains(err.Error(), "57P01") {
		t.Errorf("the ended session's statement: %v", err)
	}
	for _, pid := range []int32{second, 0, -1} {
		for _, signal := range []func() (bool, error){
			func() (bool, error) { return admin.CancelBackend(ctx, db, pid) },
			func() (bool, error) { return admin.TerminateBackend(ctx, db, pid, 0) },
		} {
			if sent, err := signal(); err != nil || sent {
				t.Errorf("process %d, which is none: %v, %v", pid, sent, err)
			}
		}
	}
	if sent, err := admin.TerminateBackend(ctx, holder, first, 0); err != nil || sent {
		t.Errorf("its own session: %v, %v", sent, err)
	}
	all, err := admin.ListActivity(ctx, db, admin.ActivityOptions{AllDatabases: true, Background: true, Own: true})
	if err != nil || !slices.ContainsFunc(all, func(s admin.Session) bool { return s.Backend == "checkpointer" }) {
		t.Errorf("the server's own processes: %+v, %v", all, err)
	}
}
