package ext_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

const warn = "do $$ begin raise warning 'careful'; end $$"

// messages collects the messages of notices.
type messages struct {
	mu   sync.Mutex
	list []string
}

func (m *messages) add(n ext.Notice) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.list = append(m.list, n.Message)
}

func (m *messages) take() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := m.list
	m.list = nil
	return list
}

func (m *messages) want(t testing.TB, what string, want ...string) {
	t.Helper()
	if got := m.take(); !slices.Equal(got, want) {
		t.Errorf("%s: notices %q, want %q", what, got, want)
	}
}

func TestWithNoticesHearsItsStatementsOnly(t *testing.T) {
	t.Parallel()
	onEveryHandle(t, openDB(t), func(t *testing.T, q ext.Querier) {
		var outer, inner messages
		outerCtx := ext.WithNotices(t.Context(), outer.add)
		ctx := ext.WithNotices(outerCtx, inner.add)
		for range 7 { // past the prepare threshold
			if _, err := q.ExecContext(ctx, warn); err != nil {
				t.Fatal(err)
			}
			inner.want(t, "inner context", "careful")
			outer.want(t, "outer context", "careful")
		}
		mustExec(t, q, warn)
		if _, err := q.ExecContext(outerCtx, warn); err != nil {
			t.Fatal(err)
		}
		inner.want(t, "another context")
		outer.want(t, "the outer context alone", "careful")
		mustExec(t, q, `create or replace function pg_temp.speak(n int) returns int language plpgsql as $$
			begin raise notice 'row %', n; return n; end $$`)
		if _, err := ext.Query[int](ctx, q, "select pg_temp.speak(i) from generate_series(1, $1::int) i", 3); err != nil {
			t.Fatal(err)
		}
		inner.want(t, "rows", "row 1", "row 2", "row 3")
		if _, err := ext.ExecMany(ctx, q, "select pg_temp.speak($1)", [][]any{{7}, {8}}); err != nil {
			t.Fatal(err)
		}
		inner.want(t, "a pipeline", "row 7", "row 8")
	})
}

func TestWithNoticesHearsTheEndOfItsTransaction(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, `create table item (n int);
		create function speak() returns trigger language plpgsql as $$ begin raise notice 'at commit'; return null; end $$;
		create constraint trigger late after insert on item initially deferred for each row execute function speak()`)
	var heard messages
	tx, err := db.BeginTx(ext.WithNotices(t.Context(), heard.add), nil)
	if err != nil {
		t.Fatal(err)
	}
	mustExec(t, tx, "insert into item values (1)")
	heard.want(t, "before the commit")
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	heard.want(t, "commit", "at commit")
	mustExec(t, db, "insert into item values (2)")
	heard.want(t, "another transaction")
}

func TestOnNoticeEndsWithTheConnectionsUse(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	db.SetMaxOpenConns(1)
	for name, take := range map[string]func() (ext.Querier, func()){
		"Conn": func() (ext.Querier, func()) { conn := one(t, db); return conn, func() { conn.Close() } },
		"Tx":   func() (ext.Querier, func()) { tx := begin(t, db); return tx, func() { tx.Rollback() } },
	} {
		var heard messages
		q, giveBack := take()
		remove, err := ext.OnNotice(t.Context(), q, heard.add)
		if err != nil {
			t.Fatal(err)
		}
		mustExec(t, q, warn)
		heard.want(t, name, "careful")
		giveBack()
		mustExec(t, db, warn)
		heard.want(t, name+": the next user of the connection")
		remove()
		remove()
	}
}

func TestOnNoticeHandlersComeAndGoInOrder(t *testing.T) {
	t.Parallel()
	conn := one(t, openDB(t))
	var calls []string
	note := func(who string) func(ext.Notice) { return func(ext.Notice) { calls = append(calls, who) } }
	add := func(fn func(ext.Notice)) func() {
		remove, err := ext.OnNotice(t.Context(), conn, fn)
		if err != nil {
			t.Fatal(err)
		}
		return remove
	}
	add(note("a"))
	var removeB func()
	removeB = add(func(ext.Notice) { calls = append(calls, "b"); removeB() })
	add(func(ext.Notice) { panic("handler") })
	add(note("c"))
	ctx := ext.WithNotices(t.Context(), func(ext.Notice) { panic("context") })
	if _, err := conn.ExecContext(ext.WithNotices(ctx, note("context")), warn); err != nil {
		t.Fatal(err)
	}
	mustExec(t, conn, warn)
	if got := strings.Join(calls, " "); got != "a b c context a c" {
		t.Errorf("calls: %s", got)
	}
}

func TestHooksOfOneConnectionRefuseAPool(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	for name, q := range map[string]ext.Querier{"DB": db, "wrapping driver": wrap(t, db), "embedded": struct{ *sql.DB }{db}} {
		if _, err := ext.OnNotice(t.Context(), q, func(ext.Notice) {}); !errors.Is(err, ext.ErrPoolHandle) {
			t.Errorf("%s: OnNotice: %v", name, err)
		}
		if _, err := ext.OnNotification(t.Context(), q, func(ext.Notification) {}); !errors.Is(err, ext.ErrPoolHandle) {
			t.Errorf("%s: OnNotification: %v", name, err)
		}
		if _, err := ext.TakeNotifications(t.Context(), q); !errors.Is(err, ext.ErrPoolHandle) {
			t.Errorf("%s: TakeNotifications: %v", name, err)
		}
	}
	_, err := ext.OnNotice(t.Context(), foreignDB(t), func(ext.Notice) {})
	wantForeign(t, "OnNotice", err)
}

func TestANoticeHasAllItsFieldsAndMayBeKept(t *testing.T) {
	t.Parallel()
	conn := one(t, openDB(t))
	heard := ext.NewRing[ext.Notice](10)
	ctx := ext.WithNotices(t.Context(), heard.Add)
	const raise = `do $$ begin raise warning 'the message' using errcode = '01ABC', detail = 'the detail', hint = 'the hint',
		schema = 's', table = 't', column = 'c', datatype = 'd', constraint = 'k'; end $$`
	// The second one is about a statement inside a function: it has positions.
	const inner = `set standard_conforming_strings = off; do $$ begin execute 'select ''a\\b'''; end $$`
	for _, statement := range []string{raise, inner, `select 'c\\d'`} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	mustExec(t, conn, "select repeat('x', 100000)") // the buffers are used again
	got := heard.Take()
	if len(got) < 3 {
		t.Fatalf("%d notices", len(got))
	}
	n := got[0]
	n.File, n.Line, n.Routine = "", min(n.Line, 1), ""
	want := ext.Notice{
		Severity: "WARNING", SeverityUnlocalized: "WARNING", Code: "01ABC", Message: "the message", Detail: "the detail", Hint: "the hint",
		Where: "PL/pgSQL function inline_code_block line 1 at RAISE", SchemaName: "s", TableName: "t", ColumnName: "c", DataTypeName: "d",
		ConstraintName: "k", Line: 1,
	}
	if n != want || got[0].File == "" || got[0].Routine == "" {
		t.Errorf("notice = %+v", got[0])
	}
	var position, internal bool
	for _, n := range got[1:] {
		position = position || n.Position > 0
		internal = internal || n.InternalPosition > 0 && n.InternalQuery != ""
	}
	if !position || !internal {
		t.Errorf("no positions in %+v", got[1:])
	}
}

func TestNotificationsArriveBeforeTheStatementReturns(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	conn, sender := one(t, db), one(t, db)
	mustExec(t, conn, "listen a")
	ring := ext.NewRing[ext.Notification](2)
	remove, err := ext.OnNotification(t.Context(), conn, ring.Add)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ext.OnNotification(t.Context(), conn, func(ext.Notification) { panic("handler") }); err != nil {
		t.Fatal(err)
	}
	mustExec(t, sender, "notify a, '1'; notify a, '2'; notify a, '3'")
	rows, err := ext.Query[int](t.Context(), conn, "select 1")
	if err != nil || len(rows) != 1 {
		t.Fatal(rows, err)
	}
	payloads := func(list []ext.Notification) (all string) {
		for _, n := range list {
			all += n.Payload
		}
		return all
	}
	if ring.Len() != 2 || ring.Dropped() != 1 {
		t.Errorf("the ring holds %d, dropped %d", ring.Len(), ring.Dropped())
	}
	if got := payloads(ring.Take()); got != "23" {
		t.Errorf("the ring had %q", got)
	}
	remove()
	mustExec(t, sender, "notify a, '4'")
	var taken []ext.Notification
	for len(taken) < 4 { // without a statement, so that only the server knows when the last one arrives
		arrived, err := ext.TakeNotifications(t.Context(), conn)
		if err != nil {
			t.Fatal(err)
		}
		taken = append(taken, arrived...)
	}
	if payloads(taken) != "1234" || taken[0].Channel != "a" || taken[0].PID == 0 {
		t.Errorf("taken: %v", taken)
	}
	if taken, err = ext.TakeNotifications(t.Context(), conn); err != nil || taken != nil {
		t.Errorf("again: %v, %v", taken, err)
	}
	if ring.Len() != 0 {
		t.Error("a removed handler was called")
	}
}

func TestDroppedNotificationsAreReported(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	conn := one(t, db)
	mustExec(t, conn, "listen a")
	const sent = 2000
	mustExec(t, conn, "do $$ begin for i in 1..2000 loop perform pg_notify('a', i || repeat(' ', 7000)); end loop; end $$")
	taken, err := ext.TakeNotifications(t.Context(), conn)
	if !errors.Is(err, driver.ErrNotificationsDropped) || len(taken) == 0 || len(taken) >= sent {
		t.Fatalf("%d taken: %v", len(taken), err)
	}
	if last := strings.TrimSpace(taken[len(taken)-1].Payload); last != "2000" || !strings.HasSuffix(err.Error(), fmt.Sprint(sent-len(taken))) {
		t.Errorf("the last is %q, %d taken: %v", last, len(taken), err)
	}
}

func TestNoticesAreLogged(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	cfg := configOf(t, openDB(t))
	before := 0
	cfg.OnNotice = func(*driver.Conn, driver.Notice) { before++ }
	ext.LogNotices(cfg, logger)
	db := sql.OpenDB(driver.NewConnector(cfg))
	t.Cleanup(func() { db.Close() })
	mustExec(t, db, "set client_min_messages = debug1; do $$ begin raise warning 'w' using hint = 'h'; raise info 'i'; raise debug 'd'; end $$")
	for _, want := range []string{
		"level=WARN msg=w pid=", "notice.severity=WARNING notice.severity_nonlocalized=WARNING notice.sqlstate=01000 notice.message=w notice.hint=h",
		"level=INFO msg=i", "level=DEBUG msg=d",
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log has no %q:\n%s", want, log.String())
		}
	}
	if before != 3 {
		t.Errorf("the hook before was called %d times", before)
	}
	log.Reset()
	mustExec(t, one(t, db), "select 1")
	if _, err := db.ExecContext(ext.WithNotices(t.Context(), ext.NoticeLogger(logger)), warn); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(log.String(), "msg=careful"); got != 2 {
		t.Errorf("%d lines:\n%s", got, log.String())
	}
}

func TestRingKeepsTheLast(t *testing.T) {
	t.Parallel()
	r := ext.NewRing[int](3)
	for round := range 3 {
		for i := range 7 {
			r.Add(i)
		}
		if got := r.Take(); !slices.Equal(got, []int{4, 5, 6}) || r.Dropped() != int64(4*(round+1)) || r.Len() != 0 {
			t.Errorf("round %d: %v, %d dropped", round, got, r.Dropped())
		}
		r.Add(9)
		if got := r.Take(); !slices.Equal(got, []int{9}) {
			t.Errorf("one: %v", got)
		}
	}
	if r := ext.NewRing[int](0); true {
		r.Add(1)
		r.Add(2)
		if got := r.Take(); !slices.Equal(got, []int{2}) {
			t.Errorf("a ring of none: %v", got)
		}
	}
	var wait sync.WaitGroup
	shared := ext.NewRing[int](100)
	for range 8 {
		wait.Go(func() {
			for i := range 1000 {
				shared.Add(i)
				if i%100 == 0 {
					shared.Take()
				}
			}
		})
	}
	wait.Wait()
}

// noHang fails the test where fn does not return.
func noHang(t *testing.T, what string, fn func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); fn() }()
	select {
	case <-done:
	case <-time.After(5 * time.Minute):
		t.Fatalf("%s hangs", what)
	}
}

func TestHooksMayUseOtherConnectionsAndGetErrBusyOnTheirOwn(t *testing.T) {
	t.Parallel()
	base := openDB(t)
	cfg := configOf(t, base)
	var busy, others int
	use := func(ctx context.Context, c *driver.Conn) {
		if _, err := c.ExecContext(ctx, "select 1", nil); errors.Is(err, driver.ErrBusy) {
			busy++
		} else {
			t.Errorf("a statement on the hook's own connection: %v", err)
		}
		if err := base.QueryRowContext(context.WithoutCancel(ctx), "select 1").Scan(new(int)); err != nil {
			t.Errorf("a statement on another connection: %v", err)
		} else {
			others++
		}
	}
	cfg.OnNotice = func(c *driver.Conn, _ driver.Notice) { use(t.Context(), c) }
	cfg.OnNotification = func(c *driver.Conn, _ driver.Notification) { use(t.Context(), c) }
	var own *driver.Conn
	cfg.AfterConnect = func(_ context.Context, c *driver.Conn) error { own = c; return nil }
	cfg.OnQueryStart = func(ctx context.Context, _ driver.QueryStart) context.Context { use(ctx, own); return ctx }
	cfg.OnQueryEnd = func(ctx context.Context, _ driver.QueryEnd) { use(ctx, own) }
	db := sql.OpenDB(driver.NewConnector(cfg))
	t.Cleanup(func() { db.Close() })
	noHang(t, "a hook that uses its connection", func() {
		conn := one(t, db)
		mustExec(t, conn, "listen a")
		mustExec(t, conn, "notify a; "+warn)
		tx := begin(t, conn)
		mustExec(t, tx, warn)
	})
	if busy != 9 || others != 9 {
		t.Errorf("%d uses of the own connection, %d of others, want 9", busy, others)
	}
}
