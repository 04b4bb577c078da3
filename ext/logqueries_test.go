package ext_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pycopg/pycopg/copyin"
	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// queryLog is a pool whose statements are logged, and its log.
type queryLog struct {
	db  *sql.DB
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *queryLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func newQueryLog(t testing.TB, o ext.LogOptions) *queryLog {
	t.Helper()
	l := &queryLog{}
	cfg := configOf(t, openDB(t))
	cfg.Tracer = ext.LogQueries(slog.New(slog.NewJSONHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug})), o)
	l.db = sql.OpenDB(driver.NewConnector(cfg))
	t.Cleanup(func() { l.db.Close() })
	return l
}

// take are the lines of the log so far, without their times.
func (l *queryLog) take(t testing.TB) (lines []map[string]any) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.buf.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		if d, _ := m["duration"].(float64); d < 0 || m["time"] == nil {
			t.Errorf("line %s", line)
		}
		lines = append(lines, m)
	}
	l.buf.Reset()
	return lines
}

// want compares the sql and tag, or error, of the lines.
func (l *queryLog) want(t testing.TB, what string, want ...string) {
	t.Helper()
	var got []string
	for _, m := range l.take(t) {
		line := m["sql"].(string) + ": "
		if m["msg"] != "query" {
			line = m["msg"].(string) + " " + line
		}
		if code, failed := m["sqlstate"].(string); failed {
			line += code
		} else if tag, ok := m["tag"].(string); ok {
			line += tag
		}
		got = append(got, line)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s:\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestLogQueriesSeesWhateverRuns(t *testing.T) {
	t.Parallel()
	l := newQueryLog(t, ext.LogOptions{})
	conn := one(t, l.db)
	mustExec(t, conn, "create table item (n int, s text)")
	l.want(t, "exec", "create table item (n int, s text): CREATE TABLE")
	tx := begin(t, conn)
	mustExec(t, tx, "insert into item values ($1, $2)", 1, "a")
	tx.Commit()
	l.want(t, "transaction", "begin: BEGIN", "insert into item values ($1, $2): INSERT 0 1", "commit: COMMIT")
	tx = begin(t, conn)
	if _, err := tx.ExecContext(t.Context(), "select 1/0"); err == nil {
		t.Error("no error")
	}
	tx.Rollback()
	l.want(t, "rollback", "begin: BEGIN", "select 1/0: 22012", "rollback: ROLLBACK")
	st, err := conn.PrepareContext(t.Context(), "select $1::int")
	if err != nil {
		t.Fatal(err)
	}
	if err := st.QueryRowContext(t.Context(), 5).Scan(new(int)); err != nil {
		t.Fatal(err)
	}
	st.Close()
	l.want(t, "prepared", "prepare select $1::int: ", "select $1::int: SELECT 1")
	if _, err := ext.ExecMany(t.Context(), conn, "insert into item values ($1)", [][]any{{2}, {3}}); err != nil {
		t.Fatal(err)
	}
	l.want(t, "pipeline", "insert into item values ($1): INSERT 0 1", "insert into item values ($1): INSERT 0 1")
	if _, err := copyin.Rows(t.Context(), conn, "item", [][]any{{4, "d"}}, copyin.Options{}); err != nil {
		t.Fatal(err)
	}
	lines := l.take(t)
	if last := lines[len(lines)-1]; last["tag"] != "COPY 1" || last["rows"] != float64(1) {
		t.Errorf("COPY: %v", lines)
	}
	if err := ext.WithSession(t.Context(), l.db, ext.SessionOptions{ManualCommit: true}, func(ctx context.Context, conn *sql.Conn) error {
		mustExec(t, conn, "select 1")
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	l.want(t, "manual commit", "begin: BEGIN", "select 1: SELECT 1", "commit: COMMIT")
}

func TestLogQueriesHidesArguments(t *testing.T) {
	t.Parallel()
	const secret = "hunter22"
	run := func(l *queryLog) string {
		mustExec(t, l.db, "create table account (name text primary key)")
		mustExec(t, l.db, "insert into account values ($1)", secret)
		l.db.Exec("insert into account values ($1)", secret)
		l.db.Exec("select $1::int", secret)
		l.db.Exec("select $1::bytea::text::int", []byte(secret))
		l.db.Exec("do $$ begin raise exception 'no % here', current_setting('x.y'); end $$")
		l.db.Exec("select set_config('a.b', $1, false), $2::text", secret, "\x00"+secret)
		ext.ExecMany(t.Context(), l.db, "select $1::int", [][]any{{secret}})
		text, _ := json.Marshal(l.take(t))
		return string(text)
	}
	hidden := run(newQueryLog(t, ext.LogOptions{}))
	if strings.Contains(hidden, secret) || !strings.Contains(hidden, `"args":1`) || !strings.Contains(hidden, "22P02") || !strings.Contains(hidden, "account_pkey") {
		t.Errorf("hidden: %s", hidden)
	}
	shown := run(newQueryLog(t, ext.LogOptions{Args: true}))
	if !strings.Contains(shown, `"args":["hunter22"]`) || !strings.Contains(shown, `invalid input syntax for type integer: \"hunter22\"`) {
		t.Errorf("shown: %s", shown)
	}
}

func TestLogQueriesLevelsAndThreshold(t *testing.T) {
	t.Parallel()
	l := newQueryLog(t, ext.LogOptions{Level: slog.LevelDebug, SlowThreshold: time.Hour, MaxSQL: 10})
	mustExec(t, l.db, "select 1")
	l.db.Exec("select 1 from nothing")
	if lines := l.take(t); len(lines) != 1 || lines[0]["level"] != "ERROR" || lines[0]["sql"] != "select 1 f…" {
		t.Errorf("a threshold of an hour: %v", lines)
	}
	l = newQueryLog(t, ext.LogOptions{SlowThreshold: time.Nanosecond, MaxSQL: -1})
	mustExec(t, l.db, "select 1")
	if lines := l.take(t); len(lines) != 1 || lines[0]["level"] != "WARN" {
		t.Errorf("a threshold of a nanosecond: %v", lines)
	}
	l = newQueryLog(t, ext.LogOptions{Level: slog.LevelDebug})
	mustExec(t, l.db, "select 1")
	if lines := l.take(t); len(lines) != 1 || lines[0]["level"] != "DEBUG" {
		t.Errorf("the level: %v", lines)
	}
}
