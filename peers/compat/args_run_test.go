package compat

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"

	pgxdriver "github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	pqdriver "github.com/lib/pq"

	"github.com/pycopg/pycopg/sqltest"
)

// sqlTypes are the parameter types of the matrix: casts of the select and columns of the tables.
var sqlTypes = []string{
	"int2", "int4", "int8", "numeric", "float4", "float8", "oid", "money", "text", "varchar", "bpchar", "bytea", "bool",
	"date", "time", "timetz", "timestamp", "timestamptz", "interval", "uuid", "json", "jsonb", "inet", "cidr",
	"int4[]", "int8[]", "float8[]", "text[]", "bytea[]", "uuid[]", "timestamptz[]", "jsonb[]",
	"mood", "mood[]", "positive", "blob", "doc", "hstore", "int4range", "tstzrange",
}

// schema makes what the sqlTypes need.
var schema = []string{
	"create extension hstore",
	"create type mood as enum ('red', 'green')",
	"create domain positive as int4 check (value > 0)",
	"create domain blob as bytea",
	"create domain doc as jsonb",
}

// run is one session that executes the whole matrix in one way.
type run struct {
	driver   string
	mode     string   // its name in the table
	settings []string // of the DSN
	uses     int      // of each statement
	leading  []any    // arguments before the value
	through  func(ctx context.Context, conn *sql.Conn, query string, args []any) outcome
}

// Our runs must agree in every outcome.
var ourRuns = []run{
	{driver: ours, mode: "default", uses: 7},
	{driver: ours, mode: "prepare_threshold=0", settings: []string{"prepare_threshold", "0"}, uses: 2},
	{driver: ours, mode: "prepare_threshold=none", settings: []string{"prepare_threshold", "none"}, uses: 2},
	{driver: ours, mode: "pooler=transaction", settings: []string{"pooler", "transaction"}, uses: 2},
	{driver: ours, mode: "*sql.Stmt", uses: 1, through: throughStmt},
	{driver: ours, mode: "*sql.Tx, begin=lazy", settings: []string{"begin", "lazy"}, uses: 1, through: throughTx},
	{driver: ours, mode: "*sql.Tx, begin=eager", settings: []string{"begin", "eager"}, uses: 1, through: throughTx},
	{driver: ours, mode: "leading cache_statement", uses: 1, leading: []any{pgxdriver.QueryExecModeCacheStatement}},
	{driver: ours, mode: "leading describe_exec", uses: 1, leading: []any{pgxdriver.QueryExecModeDescribeExec}},
	{driver: ours, mode: "leading exec", uses: 1, leading: []any{pgxdriver.QueryExecModeExec}},
	{driver: ours, mode: "leading simple_protocol", uses: 1, leading: []any{pgxdriver.QueryExecModeSimpleProtocol, pgxdriver.QueryResultFormats{1}}},
}

var ourPqRun = run{driver: ours, mode: "compat=pq", settings: []string{"compat", "pq"}, uses: 2}

var pgxModes = []string{"cache_statement", "cache_describe", "describe_exec", "exec", "simple_protocol"}

var pqModes = []string{"", "binary_parameters"}

// peerRuns are those of the peers, pgx's modes first.
func peerRuns() (runs []run) {
	for _, mode := range pgxModes {
		runs = append(runs, run{driver: pgx, mode: mode, settings: []string{"default_query_exec_mode", mode}, uses: 1})
	}
	return append(
		runs, run{driver: pq, mode: pqModes[0], uses: 1},
		run{driver: pq, mode: pqModes[1], settings: []string{"binary_parameters", "yes"}, uses: 1},
	)
}

// outcome is what became of an argument: the stored text in quotes, NULL, "!" and the SQLSTATE of the server's refusal, or
// "!client" when nothing was sent.
type outcome string

const refusedByClient outcome = "!client"

func (o outcome) refused() bool { return o[0] == '!' }

// cell is one case of the matrix.
type cell struct{ value, typ string }

// execute runs the matrix on conn and returns each case's outcome. A run whose uses differ, or whose select differs from
// what it stores, has that as its outcome.
func (r run) execute(ctx context.Context, conn *sql.Conn) map[cell]outcome {
	outcomes := make(map[cell]outcome, len(values)*len(sqlTypes))
	for i, typ := range sqlTypes {
		for j, v := range values {
			text := ""
			if r.driver == ours { // each case is the first use of its statement
				text = fmt.Sprintf(" /* %d */", j)
			}
			selects := fmt.Sprintf("select $1::%s::text%s", typ, text)
			inserts := fmt.Sprintf("insert into stored_%d values ($1) returning v::text%s", i, text)
			seen := r.repeat(ctx, conn, inserts, v.v)
			if selected := r.repeat(ctx, conn, selects, v.v); selected != seen {
				seen = outcome(fmt.Sprintf("stored: %s, selected: %s", seen, selected))
			}
			outcomes[cell{v.name, typ}] = seen
		}
	}
	return outcomes
}

// repeat executes a statement as often as the run says.
func (r run) repeat(ctx context.Context, conn *sql.Conn, query string, arg any) outcome {
	use := r.through
	if use == nil {
		use = throughConn
	}
	args := append(r.leading[:len(r.leading):len(r.leading)], arg)
	first := use(ctx, conn, query, args)
	for n := 2; n <= r.uses; n++ {
		if again := use(ctx, conn, query, args); again != first {
			return outcome(fmt.Sprintf("use 1: %s, use %d: %s", first, n, again))
		}
	}
	return first
}

func throughConn(ctx context.Context, conn *sql.Conn, query string, args []any) (o outcome) {
	defer func() {
		if p := recover(); p != nil {
			o = "!panic"
		}
	}()
	return read(conn.QueryRowContext(ctx, query, args...))
}

func throughStmt(ctx context.Context, conn *sql.Conn, query string, args []any) outcome {
	stmt, err := conn.PrepareContext(ctx, query)
	if err != nil {
		return outcomeOf(sql.NullString{}, err)
	}
	defer stmt.Close()
	first := read(stmt.QueryRowContext(ctx, args...))
	if second := read(stmt.QueryRowContext(ctx, args...)); second != first {
		return outcome(fmt.Sprintf("first: %s, second: %s", first, second))
	}
	return first
}

func throughTx(ctx context.Context, conn *sql.Conn, query string, args []any) outcome {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return outcomeOf(sql.NullString{}, err)
	}
	defer tx.Rollback()
	return read(tx.QueryRowContext(ctx, query, args...))
}

func read(row *sql.Row) outcome {
	var stored sql.NullString
	err := row.Scan(&stored)
	return outcomeOf(stored, err)
}

func outcomeOf(stored sql.NullString, err error) outcome {
	var pgErr *pgconn.PgError
	var pqErr *pqdriver.Error
	switch {
	case errors.As(err, &pgErr):
		return outcome("!" + pgErr.Code)
	case errors.As(err, &pqErr):
		return outcome("!" + pqErr.Code)
	case err != nil:
		return refusedByClient
	case !stored.Valid:
		return "NULL"
	}
	return outcome(strconv.QuoteToGraphic(stored.String))
}

// matrix is the outcome of every run for every case.
type matrix struct {
	ours, oursAsPq map[cell]outcome
	peers          map[run1]map[cell]outcome
}

// run1 names a peer's run.
type run1 struct{ driver, mode string }

// executeMatrix executes every run, each on a connection of its own. Runs of this driver that differ are errors.
func executeMatrix(t *testing.T) matrix {
	dsn := dsnOf(t, sqltest.Options{})
	mustExec(t, open(t, ours, dsn), schema...)
	all := append(append(ourRuns[:len(ourRuns):len(ourRuns)], ourPqRun), peerRuns()...)
	results := make([]map[cell]outcome, len(all))
	var wait sync.WaitGroup
	for i, r := range all {
		conn := session(t, r.driver, dsn, append([]string{"timezone", "Europe/Berlin"}, r.settings...)...)
		for i, typ := range sqlTypes {
			mustExec(t, conn, fmt.Sprintf("create temp table stored_%d (v %s)", i, typ))
		}
		wait.Go(func() { results[i] = r.execute(t.Context(), conn) })
	}
	wait.Wait()
	m := matrix{ours: results[0], oursAsPq: results[len(ourRuns)], peers: make(map[run1]map[cell]outcome)}
	for i, r := range all {
		switch {
		case i < len(ourRuns):
			for c, want := range results[0] {
				if got := results[i][c]; got != want {
					t.Errorf("%s as %s: %s with %s, but %s with %s", c.value, c.typ, got, r.mode, want, ourRuns[0].mode)
				}
			}
		case i > len(ourRuns):
			m.peers[run1{r.driver, r.mode}] = results[i]
		}
	}
	return m
}
