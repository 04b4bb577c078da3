package stdlib_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pycopg/pycopg/driver/stdlib"
)

// tracer notes what it is told. It implements all of pgx's tracer interfaces.
type tracer struct {
	mu    sync.Mutex
	lines []string
}

type spanKey struct{}

// begin notes a start and gives the span's context the text that end notes with the end.
func (t *tracer) begin(ctx context.Context, format string, args ...any) context.Context {
	text := fmt.Sprintf(format, args...)
	t.note("start " + text)
	return context.WithValue(ctx, spanKey{}, text)
}

func (t *tracer) end(ctx context.Context, format string, args ...any) {
	text, _ := ctx.Value(spanKey{}).(string)
	t.note("end " + text + ": " + fmt.Sprintf(format, args...))
}

func (t *tracer) note(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, line)
}

// take returns what was noted and forgets it.
func (t *tracer) take() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := t.lines
	t.lines = nil
	return lines
}

func code(err error) string {
	if err == nil {
		return "ok"
	}
	if s, ok := err.(interface{ SQLState() string }); ok {
		return s.SQLState()
	}
	return "error"
}

func (t *tracer) TraceQueryStart(ctx context.Context, c *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	if c == nil || c.Config().Tracer == nil {
		t.note("no connection")
	}
	return t.begin(ctx, "query %s %v", d.SQL, d.Args)
}

func (t *tracer) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryEndData) {
	t.end(ctx, "%s %s", code(d.Err), d.CommandTag)
}

func (t *tracer) TracePrepareStart(ctx context.Context, _ *pgx.Conn, d pgx.TracePrepareStartData) context.Context {
	return t.begin(ctx, "prepare %s", d.SQL)
}

func (t *tracer) TracePrepareEnd(ctx context.Context, _ *pgx.Conn, d pgx.TracePrepareEndData) {
	t.end(ctx, "%s %t", code(d.Err), d.AlreadyPrepared)
}

func (t *tracer) TraceConnectStart(ctx context.Context, _ pgx.TraceConnectStartData) context.Context {
	return t.begin(ctx, "connect")
}

func (t *tracer) TraceConnectEnd(ctx context.Context, d pgx.TraceConnectEndData) {
	t.end(ctx, "%s", code(d.Err))
}

func (t *tracer) TraceCopyFromStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceCopyFromStartData) context.Context {
	return t.begin(ctx, "copy %s", d.TableName[0])
}

func (t *tracer) TraceCopyFromEnd(ctx context.Context, _ *pgx.Conn, d pgx.TraceCopyFromEndData) {
	t.end(ctx, "%s %s", code(d.Err), d.CommandTag)
}

func (t *tracer) TraceBatchStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceBatchStartData) context.Context {
	return t.begin(ctx, "batch of %d", d.Batch.Len())
}

func (t *tracer) TraceBatchQuery(ctx context.Context, _ *pgx.Conn, d pgx.TraceBatchQueryData) {
	t.note("batched " + d.SQL)
}

func (t *tracer) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, d pgx.TraceBatchEndData) {
	t.end(ctx, "%s", code(d.Err))
}

func (t *tracer) want(tb testing.TB, what string, want ...string) {
	tb.Helper()
	if got := t.take(); !slices.Equal(got, want) {
		tb.Errorf("%s: the tracer was told %q, want %q", what, got, want)
	}
}

func TestTracerSeesTheStatementsOfTheDriver(t *testing.T) {
	t.Parallel()
	tr := &tracer{}
	c := config(t)
	c.Tracer = tr
	conn := one(t, closed(t, stdlib.OpenDB(*c)))
	tr.want(t, "connect", "start connect", "end connect: ok")

	mustExec(t, conn, "create table item (id int)")
	tr.want(t, "exec", "start query create table item (id int) []", "end query create table item (id int) []: ok CREATE TABLE")

	value[int](t, conn, "select $1::int", 7)
	tr.want(t, "query", "start query select $1::int [7]", "end query select $1::int [7]: ok SELECT 1")

	if _, err := conn.ExecContext(t.Context(), "select 1/0"); err == nil {
		t.Error("1/0 gave no error")
	}
	tr.want(t, "failure", "start query select 1/0 []", "end query select 1/0 []: 22012 ")

	st, err := conn.PrepareContext(t.Context(), "select $1::text")
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	again, err := conn.PrepareContext(t.Context(), "select $1::text")
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if _, err := conn.PrepareContext(t.Context(), "selec"); err == nil {
		t.Error("a syntax error was prepared")
	}
	tr.want(t, "prepare", "start prepare select $1::text", "end prepare select $1::text: ok false",
		"start prepare select $1::text", "end prepare select $1::text: ok true",
		"start prepare selec", "end prepare selec: 42601 false")

	if _, err := st.ExecContext(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	tr.want(t, "statement", "start query select $1::text [x]", "end query select $1::text [x]: ok SELECT 1")
}

func TestTracerSeesTransactions(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"begin=auto", "begin=eager", "begin=lazy"} {
		tr := &tracer{}
		c := config(t, mode)
		c.Tracer = tr
		db := closed(t, stdlib.OpenDB(*c))
		db.SetMaxOpenConns(1)
		mustExec(t, db, "select 1")
		tr.take()
		for verb, end := range map[string]func(*sql.Tx) error{"commit": (*sql.Tx).Commit, "rollback": (*sql.Tx).Rollback} {
			tx, err := db.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			mustExec(t, tx, "select 2")
			if err := end(tx); err != nil {
				t.Fatal(err)
			}
			tr.want(t, mode, "start query begin []", "end query begin []: ok BEGIN",
				"start query select 2 []", "end query select 2 []: ok SELECT 1",
				"start query "+verb+" []", "end query "+verb+" []: ok "+strings.ToUpper(verb))
		}
	}
}

func TestTracerSeesWhatRunsThroughRaw(t *testing.T) {
	t.Parallel()
	tr := &tracer{}
	c := config(t, "default_query_exec_mode=exec")
	c.Tracer = tr
	conn := one(t, closed(t, stdlib.OpenDB(*c)))
	mustExec(t, conn, "create table item (id int)")
	tr.take()
	raw(t, conn, func(px *pgx.Conn) error {
		if _, err := px.CopyFrom(t.Context(), pgx.Identifier{"item"}, []string{"id"}, pgx.CopyFromRows([][]any{{int32(1)}})); err != nil {
			return err
		}
		b := &pgx.Batch{}
		b.Queue("select 1")
		return px.SendBatch(t.Context(), b).Close()
	})
	lines := tr.take()
	for _, want := range []string{"start copy item", "end copy item: ok COPY 1", "start batch of 1", "batched select 1", "end batch of 1: ok"} {
		if !slices.Contains(lines, want) {
			t.Errorf("the tracer was told %q, not %q", lines, want)
		}
	}
}
