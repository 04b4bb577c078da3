package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

// pipe runs a pipeline and returns its outcomes by index.
func pipe(ctx context.Context, h driver.Execer, statements ...driver.Statement) (map[int]*driver.Outcome, error) {
	outcomes := make(map[int]*driver.Outcome)
	_, err := driver.Do(ctx, h, "test", func(ctx context.Context, c *driver.Conn) (int64, error) {
		return 0, c.Pipeline(ctx, list(statements...), func(i int, o *driver.Outcome) { outcomes[i] = o })
	})
	return outcomes, err
}

// TestPipelineRunsTheRightStatementBehindAFailure guards against running, under a statement's name, the one that the
// server took before a failure.
func TestPipelineRunsTheRightStatementBehindAFailure(t *testing.T) {
	t.Parallel()
	for _, threshold := range []int{0, 1, 5, -1} {
		db := openConfig(t, func(cfg *driver.Config) { cfg.PrepareThreshold = threshold })
		conn := one(t, db)
		mustExec(t, conn, "create table t (n int)")
		for range 3 { // the texts unknown, known, prepared
			statements := []driver.Statement{text("select 1"), text("insert into t values (100)")}
			for i := range 20 {
				statements = append(statements,
					text("select 1 / 0"), text("insert into t values ($1)", i), driver.Statement{SQL: "select 2", Sync: true},
					driver.Statement{SQL: "insert into t values ($1)", Args: []any{1000 + i}, Sync: true},
					driver.Statement{SQL: "insert into t values ($1)", Args: []any{[]byte("12")}}, text("insert into t values ($1)", "no number"),
					driver.Statement{SQL: "select 3", Sync: true})
			}
			outcomes, err := pipe(t.Context(), conn, statements...)
			if sqlState(err) != "22012" || len(outcomes) != len(statements) {
				t.Fatalf("threshold %d: %v, %d outcomes", threshold, err, len(outcomes))
			}
			if got := word(t, conn, "select count(*) || ' ' || coalesce(sum(n), 0) from t"); got != "20 20190" {
				t.Errorf("threshold %d: rows and sum are %s, want 20 20190", threshold, got)
			}
			mustExec(t, conn, "delete from t")
		}
	}
}

func TestPipelineUsesAndFillsTheStatementCache(t *testing.T) {
	t.Parallel()
	db, f := counted(t, func(cfg *driver.Config) { cfg.PrepareThreshold = 2 })
	conn := one(t, db)
	warm(t, conn)
	var statements []driver.Statement
	for i := range 50 {
		statements = append(statements, driver.Statement{SQL: "select $1::int + 1", Args: []any{i}, Rows: true},
			driver.Statement{SQL: "select $1::text", Args: []any{"x"}, Rows: true})
	}
	for round, wantParses := range []int{-1, 0, 0} {
		before := messages(f, "P")
		if got := cost(f, func() {
			outcomes, err := pipe(t.Context(), conn, statements...)
			if err != nil {
				t.Fatal(err)
			}
			for i := range 50 {
				if got := allRows(t, outcomes[2*i]); !slices.Equal(got, []string{fmt.Sprint(i + 1)}) {
					t.Errorf("round %d, statement %d: %v", round, 2*i, got)
				}
			}
		}); got != 1 {
			t.Errorf("round %d: %d round trips, want 1", round, got)
		}
		if got := messages(f, "P")[0] - before[0]; wantParses >= 0 && got != wantParses {
			t.Errorf("round %d: %d Parse messages, want %d", round, got, wantParses)
		}
	}
	if n := number(t, conn, "select count(*) from pg_prepared_statements where not from_sql"); n != 2 {
		t.Errorf("%d prepared statements, want 2", n)
	}
	mustExec(t, conn, "deallocate all")
	if _, err := pipe(t.Context(), conn, statements...); err != nil {
		t.Errorf("after DEALLOCATE ALL: %v", err)
	}
}

func TestPipelineOfManyTextsTakesOneRoundTrip(t *testing.T) {
	t.Parallel()
	db, f := counted(t, nil)
	conn := one(t, db)
	warm(t, conn)
	var statements []driver.Statement
	for i := range 100 {
		statements = append(statements, driver.Statement{SQL: fmt.Sprintf("select %d, $1::int4, $2::text, $3::timestamptz", i), Args: []any{i, "x", nil}, Rows: true})
	}
	if got := cost(f, func() {
		outcomes, err := pipe(t.Context(), conn, statements...)
		if err != nil {
			t.Fatal(err)
		}
		if got := allRows(t, outcomes[7]); !slices.Equal(got, []string{"7 7 x <nil>"}) {
			t.Errorf("statement 7: %v", got)
		}
	}); got != 1 {
		t.Errorf("%d round trips, want 1", got)
	}
}

func TestPipelineLeavesTheTypesOfPlainArgumentsToTheServer(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	db.SetMaxOpenConns(2)
	other := one(t, db)
	mustExec(t, db, "create table t (v int, w bytea)")
	insert := "insert into t values ($1, $2)"
	for range 2 {
		if _, err := pipe(t.Context(), db, text(insert, "007", []byte{1}), text(insert, "007", "x"), text(insert, 7, nil)); err != nil {
			t.Fatal(err)
		}
		mustExec(t, other, "alter table t alter v type text")
	}
	if got := word(t, db, `select string_agg(v || encode(w, 'hex'), ' ' order by v, w) from t`); got != "00701 00778 701 778" {
		t.Errorf("stored %s, want 00701 00778 701 778", got)
	}
}

func TestPipelineTakesNamedAndFormattedArguments(t *testing.T) {
	t.Parallel()
	native := openDB(t)
	format := openConfig(t, func(cfg *driver.Config) { cfg.Placeholder = driver.PlaceholderFormat })
	for _, tt := range []struct {
		db   *sql.DB
		sql  string
		args []any
		raw  bool
	}{
		{native, "select @a::text || @b::text", []any{sql.Named("b", "y"), sql.Named("a", "x")}, false},
		{native, "select $1::text || $2", []any{driver.QueryOptions{}, "x", "y"}, false},
		{format, "select %s::text || %s::text", []any{"x", "y"}, false},
		{format, "select %(a)s::text || %(b)s::text", []any{sql.Named("b", "y"), sql.Named("a", "x")}, false},
		{format, "select %(a)s::text || %(b)s::text", []any{map[string]any{"a": "x", "b": "y"}}, false},
		{format, "select $1::text || $2::text", []any{"x", "y"}, true},
		{format, "select 'x%' || substr('y%', 1, 1 % 2)", nil, false},
	} {
		args, err := driver.ConvertArgs(tt.args)
		if err != nil {
			t.Fatal(err)
		}
		outcomes, err := pipe(t.Context(), tt.db, driver.Statement{SQL: tt.sql, Args: args, Rows: true, Native: tt.raw})
		if err != nil {
			t.Errorf("%s: %v", tt.sql, err)
		} else if got := strings.ReplaceAll(strings.Join(allRows(t, outcomes[0]), ""), "%", ""); got != "xy" {
			t.Errorf("%s: got %s, want xy", tt.sql, got)
		}
	}
	if _, err := pipe(t.Context(), format, text("select %d", 1)); err == nil || !strings.Contains(err.Error(), "byte 7") {
		t.Errorf("%v, want the place of the bad placeholder", err)
	}
}

func TestPipelineEncodesForTheTypeBelowADomain(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create domain doc as jsonb; create domain docs as jsonb[]; create table t (d doc, ds docs)")
	m := map[string]string{"a": "b"}
	_, err := pipe(t.Context(), db, text("insert into t values ($1, $2)", m, []map[string]string{m}), text("insert into t values ($1, $2)", m, nil))
	if err != nil {
		t.Fatal(err)
	}
	if got := word(t, db, "select string_agg(d ->> 'a', ' ') || (array_agg(ds[1] ->> 'a'))[1] from t"); got != "b bb" {
		t.Errorf("got %s", got)
	}
}

func TestPipelineRefusesWhatItCannotCarry(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table t (n int)")
	for _, sql := range []string{"select 1; select 2", "copy t from stdin", "copy (select 1) to stdout"} {
		_, err := pipe(t.Context(), db, text("insert into t values (1)"), text(sql))
		if !errors.Is(err, driver.ErrNotSupportedInPipeline) {
			t.Errorf("%s: %v, want ErrNotSupportedInPipeline", sql, err)
		}
	}
	if n := number(t, db, "select count(*) from t"); n != 0 {
		t.Errorf("%d rows stayed", n)
	}
	if _, err := pipe(t.Context(), db, text("select 1;"), text("create function f() returns int begin atomic select 1; select 2; end")); err != nil {
		t.Errorf("one statement each: %v", err)
	}
}

func TestPipelineTellsAnUnknownCommit(t *testing.T) {
	t.Parallel()
	insert := func(n int, sync bool) driver.Statement {
		return driver.Statement{SQL: "insert into t values ($1)", Args: []any{n}, Sync: sync}
	}
	for _, tt := range []struct {
		name       string
		rule       sqltest.Rule
		tx         bool
		statements []driver.Statement
		unknown    bool
		stored     string
	}{
		{"before the sync", sqltest.Rule{Side: sqltest.Frontend, Type: 'S'}, false, []driver.Statement{insert(1, false), insert(2, true)}, true, ""},
		{"behind the sync", sqltest.Rule{Side: sqltest.Backend, Type: 'Z'}, false, []driver.Statement{insert(1, false), insert(2, true)}, true, "1 2"},
		{"behind the answer", sqltest.Rule{Side: sqltest.Backend, Type: 'Z', After: true}, false, []driver.Statement{insert(1, true), text("select pg_sleep(0.05)")}, true, "1"},
		{"in a transaction", sqltest.Rule{Side: sqltest.Backend, Type: 'Z'}, true, []driver.Statement{insert(1, false), insert(2, true)}, false, ""},
		{"at a commit of one's own", sqltest.Rule{Side: sqltest.Backend, Type: 'Z'}, true, []driver.Statement{insert(1, false), text("commit")}, true, "1"},
		{"behind a refusal", sqltest.Rule{Side: sqltest.Backend, Type: 'Z'}, false, []driver.Statement{insert(1, false), text("select 1/0")}, false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dsn := sqltest.DSN(t, sqltest.Options{})
			f := sqltest.Server(t).Fault(t)
			db, err := sql.Open("pycopg", f.DSN(dsn))
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			conn := one(t, db)
			mustExec(t, conn, "create table t (n int)")
			if tt.tx {
				mustExec(t, conn, "begin")
			}
			warm(t, conn)
			hit := f.On(tt.rule)
			_, err = pipe(t.Context(), conn, tt.statements...)
			if err == nil || errors.Is(err, driver.ErrCommitUnknown) != tt.unknown {
				t.Errorf("%v, want ErrCommitUnknown: %v", err, tt.unknown)
			}
			<-hit
			if got := word(t, db, "select coalesce(string_agg(n::text, ' ' order by n), '') from t"); got != tt.stored {
				t.Errorf("stored %q, want %q", got, tt.stored)
			}
		})
	}
}
