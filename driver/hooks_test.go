package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/pycopg/pycopg/driver"
)

// recorder collects what hooks are told.
type recorder[T any] struct {
	mu   sync.Mutex
	list []T
}

func (r *recorder[T]) add(v T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, v)
}

func (r *recorder[T]) all() []T {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.list)
}

func TestNoticesReachTheirHook(t *testing.T) {
	t.Parallel()
	var notices recorder[driver.Notice]
	db := openConfig(t, func(cfg *driver.Config) {
		cfg.OnNotice = func(c *driver.Conn, n driver.Notice) {
			if c.Info().BackendPID == 0 {
				t.Error("the hook's connection is none")
			}
			notices.add(n)
		}
	})
	const query = "do $$ begin raise warning 'careful %', 1 using detail = 'the detail', hint = 'the hint', errcode = '01234'; end $$"
	mustExec(t, db, query)
	got := notices.all()
	if len(got) != 1 {
		t.Fatalf("%d notices when the statement returned, want 1", len(got))
	}
	n := got[0]
	if n.SeverityUnlocalized != "WARNING" || n.Code != "01234" || n.Message != "careful 1" || n.Detail != "the detail" || n.Hint != "the hint" || n.Where == "" || n.Line == 0 || n.Routine == "" {
		t.Errorf("notice = %+v", n)
	}
	if n.String() != n.Severity+" - careful 1" {
		t.Errorf("String = %q", n.String())
	}
}

func TestPanicInANoticeHookIsContained(t *testing.T) {
	t.Parallel()
	calls := 0
	db := openConfig(t, func(cfg *driver.Config) {
		cfg.OnNotice = func(*driver.Conn, driver.Notice) { calls++; panic("hook") }
		cfg.OnNotification = func(*driver.Conn, driver.Notification) { calls++; panic("hook") }
	})
	conn := one(t, db)
	if got := word(t, conn, "do $$ begin raise warning 'x'; end $$; listen c; select 'still here' as w"); got != "still here" {
		t.Errorf("got %q", got)
	}
	mustExec(t, conn, "notify c")
	if n := number(t, conn, "select 1"); n != 1 || calls != 2 {
		t.Errorf("%d hook calls, want 2", calls)
	}
}

func TestNotificationsDuringAStatement(t *testing.T) {
	t.Parallel()
	var got recorder[driver.Notification]
	db := openConfig(t, func(cfg *driver.Config) {
		cfg.OnNotification = func(_ *driver.Conn, n driver.Notification) { got.add(n) }
	})
	conn, sender := one(t, db), one(t, db)
	channel := "c" + word(t, conn, "select md5(current_schema())")
	mustExec(t, conn, "listen "+channel)
	mustExec(t, sender, "select pg_notify($1, $2)", channel, "hello")
	mustExec(t, conn, "select 1")
	want := driver.Notification{PID: uint32(backendPID(t, sender)), Channel: channel, Payload: "hello"}
	if list := got.all(); !slices.Equal(list, []driver.Notification{want}) {
		t.Errorf("notifications = %v, want %v", list, want)
	}
}

type tracedKey struct{}

// traced is a pool that records its queries.
func traced(t *testing.T) (*sql.DB, *recorder[driver.QueryStart], *recorder[driver.QueryEnd]) {
	var starts recorder[driver.QueryStart]
	var ends recorder[driver.QueryEnd]
	db := openConfig(t, func(cfg *driver.Config) {
		cfg.PrepareThreshold = 1
		cfg.OnQueryStart = func(ctx context.Context, q driver.QueryStart) context.Context {
			q.Args = slices.Clone(q.Args)
			starts.add(q)
			return context.WithValue(ctx, tracedKey{}, q.SQL)
		}
		cfg.OnQueryEnd = func(ctx context.Context, q driver.QueryEnd) {
			if ctx.Value(tracedKey{}) != q.SQL {
				t.Errorf("the end of %q has not the context of its start", q.SQL)
			}
			q.Args = slices.Clone(q.Args)
			ends.add(q)
		}
	})
	return db, &starts, &ends
}

func TestQueryHooksTellTheWholeStatement(t *testing.T) {
	t.Parallel()
	db, starts, ends := traced(t)
	conn := one(t, db)
	mustExec(t, conn, "create table item (n int)")
	insert := "insert into item select $1::int from generate_series(1, 3)"
	for range 3 {
		mustExec(t, conn, insert, 5)
	}
	number(t, conn, "select count(*) from item")
	rows, err := conn.QueryContext(t.Context(), "select n from item limit 4")
	if err != nil {
		t.Fatal(err)
	}
	if n := len(ends.all()); n != 5 {
		t.Errorf("%d ends while rows are open, want 5", n)
	}
	rows.Next()
	rows.Next()
	rows.Close()
	conn.ExecContext(t.Context(), "select 1/0")
	conn.ExecContext(t.Context(), "select \xff")
	type end struct {
		sql      string
		args     int
		prepared bool
		tag      string
		rows     int64
		failure  string
	}
	want := []end{
		{"create table item (n int)", 0, false, "CREATE TABLE", 0, ""},
		{insert, 1, false, "INSERT 0 3", 3, ""},
		{insert, 1, false, "INSERT 0 3", 3, ""},
		{insert, 1, true, "INSERT 0 3", 3, ""},
		{"select count(*) from item", 0, false, "SELECT 1", 1, ""},
		{"select n from item limit 4", 0, false, "SELECT 4", 2, ""},
		{"select 1/0", 0, false, "", 0, "22012"},
		{"select \xff", 0, false, "", 0, "22021"},
	}
	var got []end
	for _, e := range ends.all() {
		got = append(got, end{e.SQL, len(e.Args), e.Prepared, e.Tag, e.Rows, sqlState(e.Err)})
		if e.Duration <= 0 {
			t.Errorf("%q took %v", e.SQL, e.Duration)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("ends:\n%v\nwant\n%v", got, want)
	}
	if s, e := starts.all(), ends.all(); len(s) != len(e) {
		t.Errorf("%d starts, %d ends", len(s), len(e))
	} else {
		for i := range s {
			if s[i].SQL != e[i].SQL || s[i].Prepared != e[i].Prepared || !slices.Equal(s[i].Args, e[i].Args) {
				t.Errorf("start %+v belongs to end %+v", s[i], e[i].QueryStart)
			}
		}
	}
}

func TestQueryHooksAloneAndOfStatements(t *testing.T) {
	t.Parallel()
	var ends recorder[driver.QueryEnd]
	db := openConfig(t, func(cfg *driver.Config) {
		cfg.OnQueryEnd = func(_ context.Context, q driver.QueryEnd) { ends.add(q) }
	})
	stmt, err := db.PrepareContext(t.Context(), "select $1::int")
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	var n int
	if err := stmt.QueryRowContext(t.Context(), 3).Scan(&n); err != nil {
		t.Fatal(err)
	}
	got := ends.all()
	if len(got) != 1 || got[0].SQL != "select $1::int" || !got[0].Prepared || got[0].Rows != 1 || got[0].Tag != "SELECT 1" {
		t.Errorf("ends = %+v", got)
	}
}

func TestQueryStartMayCancel(t *testing.T) {
	t.Parallel()
	reason := errors.New("refused by the hook")
	refuse := false
	db := openConfig(t, func(cfg *driver.Config) {
		cfg.OnQueryStart = func(ctx context.Context, _ driver.QueryStart) context.Context {
			ctx, cancel := context.WithCancelCause(ctx)
			t.Cleanup(func() { cancel(nil) })
			if refuse {
				cancel(reason)
			}
			return ctx
		}
	})
	conn := one(t, db)
	mustExec(t, conn, "select 1")
	refuse = true
	if _, err := conn.ExecContext(t.Context(), "select pg_sleep(60)"); !errors.Is(err, context.Canceled) || !errors.Is(err, reason) {
		t.Errorf("error = %v, want the hook's reason", err)
	}
	refuse = false
	mustExec(t, conn, "select 1")
}

func TestAfterConnectSetsTheSessionUp(t *testing.T) {
	t.Parallel()
	failure := errors.New("not this one")
	fail := false
	db := openConfig(t, func(cfg *driver.Config) {
		cfg.AfterConnect = func(ctx context.Context, c *driver.Conn) error {
			if fail {
				return failure
			}
			_, err := c.ExecContext(ctx, "set extra_float_digits = 0", nil)
			return err
		}
	})
	if got := word(t, db, "show extra_float_digits"); got != "0" {
		t.Errorf("extra_float_digits = %s, want the hook's 0", got)
	}
	fail = true
	db.SetMaxIdleConns(0)
	if err := db.PingContext(t.Context()); !errors.Is(err, failure) {
		t.Errorf("Ping = %v, want the hook's error", err)
	}
}

func TestPanicsInQueryHooksAreContained(t *testing.T) {
	t.Parallel()
	db := openConfig(t, func(cfg *driver.Config) {
		cfg.OnQueryStart = func(context.Context, driver.QueryStart) context.Context { panic("start") }
		cfg.OnQueryEnd = func(context.Context, driver.QueryEnd) { panic("end") }
	})
	db.SetMaxOpenConns(1)
	for range 3 {
		if n := number(t, db, "select 1"); n != 1 {
			t.Errorf("got %d", n)
		}
		mustExec(t, db, "select 2")
	}
}

func TestQueryStartMayReturnNoContext(t *testing.T) {
	t.Parallel()
	db := openConfig(t, func(cfg *driver.Config) {
		cfg.OnQueryStart = func(context.Context, driver.QueryStart) context.Context { return nil }
	})
	if n := number(t, db, "select 1"); n != 1 {
		t.Errorf("got %d", n)
	}
}
