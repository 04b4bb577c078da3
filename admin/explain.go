package admin

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// ExplainOptions are the options of [Explain] and [ExplainText]. The zero value shows the plan without running the statement.
type ExplainOptions struct {
	// Analyze runs the statement, and shows what happened. What it did is undone, in a transaction of its own or behind a
	// savepoint: but for what no rollback undoes, as the next value of a sequence. Commit keeps it.
	Analyze bool
	Commit  bool

	Verbose     bool
	NoCosts     bool
	Buffers     *bool  // nil is PostgreSQL's default: with Analyze from version 18 on
	Settings    bool   // settings that change plans and are not the default
	Wal         bool   // with Analyze
	NoTiming    bool   // with Analyze: count rows only
	Summary     *bool  // planning and execution time; nil is with Analyze
	GenericPlan bool   // the plan without the values of $1 and so on; there are no args then (PostgreSQL 16)
	Memory      bool   // of the planner (PostgreSQL 17)
	Serialize   string // with Analyze, text or binary: rows are turned into that form, too (PostgreSQL 17)
}

// Explain returns the plan of a statement. Its arguments count as they would in the statement.
func Explain(ctx context.Context, q ext.Querier, o ExplainOptions, sql string, args ...any) (*Plan, error) {
	lines, err := explained(ctx, q, o, "json", sql, args)
	if err != nil {
		return nil, fmt.Errorf("admin: explain: %w", err)
	}
	plan, err := ParsePlan([]byte(strings.Join(lines, "\n")))
	if err != nil {
		return nil, err
	}
	plan.verbose = plan.verbose || o.Verbose
	return plan, nil
}

// ExplainText returns the plan of a statement as the server writes it, line by line, in a format: "text", "json", "xml" or "yaml".
func ExplainText(ctx context.Context, q ext.Querier, o ExplainOptions, format, sql string, args ...any) ([]string, error) {
	rows, err := explained(ctx, q, o, format, sql, args)
	if err != nil {
		return nil, fmt.Errorf("admin: explain: %w", err)
	}
	return strings.Split(strings.Join(rows, "\n"), "\n"), nil
}

// explained returns the rows of EXPLAIN.
func explained(ctx context.Context, q ext.Querier, o ExplainOptions, format, sql string, args []any) (rows []string, err error) {
	text, err := explainSQL(o, format, sql)
	if err == nil && o.GenericPlan && len(args) > 0 {
		err = errors.New("a generic plan is for no arguments in particular: leave them out")
	}
	if err == nil {
		err = checkNewer(ctx, q, []newerOption{{o.GenericPlan, "GenericPlan", 16}, {o.Memory, "Memory", 17}, {o.Serialize != "", "Serialize", 17}})
	}
	if err != nil {
		return nil, err
	}
	if o.GenericPlan { // placeholders without values
		ctx = driver.WithQueryOptions(ctx, driver.QueryOptions{Simple: true, NativePlaceholders: true})
	}
	run := func(q ext.Querier) (err error) {
		rows, err = ext.Query[string](ctx, q, text, args...)
		return bare(err)
	}
	if !o.Analyze || o.Commit {
		return rows, run(q)
	}
	return rows, undone(ctx, q, run)
}

// undone runs fn in a transaction that is rolled back, or behind a savepoint of the one that q is.
func undone(ctx context.Context, q ext.Querier, fn func(ext.Querier) error) error {
	_, begins := q.(interface {
		BeginTx(context.Context, *sql.TxOptions) (*sql.Tx, error)
	})
	switch q.(type) {
	case *sql.Tx, *ext.Tx:
		begins = true
	}
	if begins {
		return ext.InTx(ctx, q, ext.TxOptions{ForceRollback: true}, func(tx *ext.Tx) error { return fn(tx) })
	}
	// A transaction of another package.
	err := ext.Savepoint(ctx, q, "", func(context.Context) error {
		if err := fn(q); err != nil {
			return err
		}
		return ext.Rollback(nil)
	})
	return err
}

func explainSQL(o ExplainOptions, format, sql string) (string, error) {
	count := 0
	for range driver.Statements(sql) {
		count++
	}
	switch {
	case count != 1:
		return "", fmt.Errorf("%d statements: a plan is of one, and the others would just run", count)
	case !o.Analyze && (o.Commit || o.Wal || o.NoTiming || o.Serialize != ""):
		return "", errors.New("options Commit, Wal, NoTiming and Serialize need Analyze")
	case o.Serialize != "" && o.Serialize != "text" && o.Serialize != "binary":
		return "", fmt.Errorf("serialize %q: text or binary", o.Serialize)
	case o.GenericPlan && o.Analyze:
		return "", errors.New("a generic plan cannot be run: GenericPlan excludes Analyze")
	case format != "text" && format != "json" && format != "xml" && format != "yaml":
		return "", fmt.Errorf("format %q: text, json, xml or yaml", format)
	}
	var w optionList
	w.flag(o.Analyze, "analyze")
	w.flag(o.Verbose, "verbose")
	w.flag(o.NoCosts, "costs off")
	w.choice(o.Buffers, "buffers")
	w.flag(o.Settings, "settings")
	w.flag(o.Wal, "wal")
	w.flag(o.NoTiming, "timing off")
	w.choice(o.Summary, "summary")
	w.flag(o.GenericPlan, "generic_plan")
	w.flag(o.Memory, "memory")
	w.flag(o.Serialize != "", "serialize "+o.Serialize)
	w.add("format " + format)
	return "explain" + w.String() + " " + sql, nil
}
