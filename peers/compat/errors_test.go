package compat

import (
	"context"
	"database/sql"
	"errors"
	"reflect"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	pqdriver "github.com/lib/pq"

	"github.com/pycopg/pycopg/sqltest"
)

// failures are statements that fail, with all fields of an error between them.
var failures = []struct {
	name, query string
	args        []any
	code        string
}{
	{"syntax", "select 1 fromm t where 1 = $1", []any{1}, "42601"},
	{"no such column", "select nowhere from child where id = $1", []any{1}, "42703"},
	{"unique", "insert into parent values ($1)", []any{1}, "23505"},
	{"foreign key", "insert into child values ($1, 99, 'x', 1)", []any{2}, "23503"},
	{"not null", "insert into child values ($1, 1, null, 1)", []any{2}, "23502"},
	{"check", "insert into child values ($1, 1, 'x', -1)", []any{2}, "23514"},
	{"domain", "insert into child values ($1, 1, 'x', 1, -5)", []any{2}, "23514"},
	{"bad text", "select $1::int4", []any{"x"}, "22P02"},
	{"division", "select 1 / $1::int4", []any{0}, "22012"},
	{"raised", "select complain($1)", []any{1}, "P0001"},
	{"inside a function", "select stumble($1)", []any{1}, "42P01"},
	{"too long", "select 'x' || $1::varchar(2) from short where f = 'abc'", []any{"abc"}, "42P01"},
	{"permission", "set session authorization nobody_like_this", nil, "22023"},
	{"in a batch", "select 1; select 1/0", nil, "22012"},
	{"division among rows", "select 1 / (3 - n) from generate_series(1, $1::int4) n", []any{5}, "22012"},
}

var failureSchema = []string{
	"create domain small as int4 constraint is_small check (value between 0 and 9)",
	"create table parent (id int4 primary key)",
	"create table child (id int4, parent int4 constraint has_parent references parent, name text not null, n int4 constraint positive_n check (n > 0), s small)",
	"insert into parent values (1)",
	`create function complain(int4) returns int4 language plpgsql as $$ begin
		raise exception 'complaint' using detail = 'a detail', hint = 'a hint', column = 'c', constraint = 'k', datatype = 'd', table = 't', schema = 's';
	end $$`,
	`create function stumble(int4) returns int4 language plpgsql as $$ begin
		execute 'select * from nowhere_at_all'; return 1;
	end $$`,
}

// fail runs a statement to its end and returns its error.
func fail(ctx context.Context, db *sql.DB, query string, args []any) error {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() || rows.NextResultSet() {
	}
	return errors.Join(rows.Err(), rows.Close())
}

func TestErrorsAreThoseOfBothPeers(t *testing.T) {
	t.Parallel()
	dsn := dsnOf(t, sqltest.Options{})
	mine, pgxs, pqs := open(t, ours, dsn), open(t, pgx, dsn), open(t, pq, dsn)
	mustExec(t, mine, failureSchema...)
	for _, f := range failures {
		err := fail(t.Context(), mine, f.query, f.args)
		var pgErr *pgconn.PgError
		var pqErr, pqWant *pqdriver.Error
		if !errors.As(err, &pgErr) || !errors.As(err, &pqErr) {
			t.Errorf("%s: %v is no *pgconn.PgError, or no *pq.Error", f.name, err)
			continue
		}
		if pgErr.Code != f.code {
			t.Errorf("%s: SQLSTATE %s (%v), want %s", f.name, pgErr.Code, err, f.code)
		}
		if theirs := fail(t.Context(), pqs, f.query, f.args); !errors.As(theirs, &pqWant) {
			t.Errorf("%s with lib/pq: %v", f.name, theirs)
		} else {
			sameFields(t, f.name, *pqErr, *pqWant)
			if got, want := pqErr.Error(), pqWant.Error(); got != want {
				t.Errorf("%s: the *pq.Error says %q, want %q", f.name, got, want)
			}
			if got, want := pqErr.ErrorWithDetail(), pqWant.ErrorWithDetail(); got != want {
				t.Errorf("%s: the *pq.Error tells %q, want %q", f.name, got, want)
			}
		}
		if f.name == "in a batch" { // pgx's Query takes one statement
			continue
		}
		var pgWant *pgconn.PgError
		if theirs := fail(t.Context(), pgxs, f.query, f.args); !errors.As(theirs, &pgWant) {
			if f.name != "bad text" { // refused by pgx itself
				t.Errorf("%s with pgx: %v", f.name, theirs)
			}
		} else {
			sameFields(t, f.name, *pgErr, *pgWant)
		}
		var state interface{ SQLState() string }
		if !errors.As(err, &state) || state.SQLState() != f.code {
			t.Errorf("%s: no SQLState() in %v", f.name, err)
		}
	}
}

// sameFields compares the exported fields of two errors.
func sameFields(t *testing.T, name string, got, want any) {
	t.Helper()
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	for i := range g.NumField() {
		if field := g.Type().Field(i); field.IsExported() && !reflect.DeepEqual(g.Field(i).Interface(), w.Field(i).Interface()) {
			t.Errorf("%s: %s.%s = %#v, want %#v", name, g.Type(), field.Name, g.Field(i), w.Field(i))
		}
	}
}

// lib/pq's users also compare codes by name and look into errors of transactions and prepared statements.
func TestPqErrorsComeFromEveryCall(t *testing.T) {
	t.Parallel()
	dsn := dsnOf(t, sqltest.Options{})
	db := open(t, ours, dsn)
	mustExec(t, db, "create table once (id int4 primary key deferrable initially deferred)")
	stmt, err := db.PrepareContext(t.Context(), "select 1 / $1::int4")
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	begin := func() *sql.Tx {
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { tx.Rollback() })
		return tx
	}
	for name, call := range map[string]func() error{
		"division_by_zero": func() error { var n int; return stmt.QueryRowContext(t.Context(), 0).Scan(&n) },
		"undefined_table":  func() error { _, err := begin().ExecContext(t.Context(), "delete from nowhere"); return err },
		"undefined_column": func() error { _, err := db.PrepareContext(t.Context(), "select nothing"); return err },
		"unique_violation": func() error {
			tx := begin()
			if _, err := tx.ExecContext(t.Context(), "insert into once values (1), (1)"); err != nil {
				t.Error(err)
			}
			return tx.Commit()
		},
	} {
		var pqErr *pqdriver.Error
		if err := call(); !errors.As(err, &pqErr) || pqErr.Code.Name() != name || !reflect.DeepEqual(pqdriver.As(err, pqErr.Code), pqErr) {
			t.Errorf("%v, want %s", err, name)
		}
	}
}

func TestErrorsOfConnectingAreThoseOfBothPeers(t *testing.T) {
	t.Parallel()
	dsn := dsnOf(t, sqltest.Options{})
	err := open(t, ours, dsn, "dbname", "not_a_database").PingContext(t.Context())
	theirs := open(t, pq, dsn, "dbname", "not_a_database").PingContext(t.Context())
	var pgErr *pgconn.PgError
	var got, want *pqdriver.Error
	if !errors.As(err, &pgErr) || !errors.As(err, &got) || !errors.As(theirs, &want) {
		t.Fatalf("%v is no *pgconn.PgError, or no *pq.Error as with lib/pq: %v", err, theirs)
	}
	sameFields(t, "no such database", *got, *want)
}

func TestALostConnectionIsAnErrorOfBothPeers(t *testing.T) {
	t.Parallel()
	db := open(t, ours, dsnOf(t, sqltest.Options{}))
	_, err := db.ExecContext(t.Context(), "select pg_terminate_backend(pg_backend_pid()), $1::int4", 1)
	var pgErr *pgconn.PgError
	var pqErr *pqdriver.Error
	if !errors.As(err, &pgErr) || !errors.As(err, &pqErr) || pgErr.Code != "57P01" || pqErr.Code != "57P01" || !pqErr.Fatal() {
		t.Errorf("%v, want 57P01 of both types", err)
	}
}
