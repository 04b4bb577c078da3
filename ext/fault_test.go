package ext_test

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"testing"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/sqltest"
)

// faulty is one function under faults. It writes rows into item, or reads some.
type faulty struct {
	name string
	run  func(ctx context.Context, db *sql.DB) error
	cuts []sqltest.Rule // where the connection is cut, none of which can leave rows behind
}

var (
	beforeSync  = sqltest.Rule{Side: sqltest.Frontend, Type: 'S'}
	firstTag    = sqltest.Rule{Side: sqltest.Backend, Type: 'C'}
	thirdTag    = sqltest.Rule{Side: sqltest.Backend, Type: 'C', Nth: 3}
	secondRow   = sqltest.Rule{Side: sqltest.Backend, Type: 'D', Nth: 2}
	secondBind  = sqltest.Rule{Side: sqltest.Frontend, Type: 'B', Nth: 2}
	afterParams = sqltest.Rule{Side: sqltest.Backend, Type: 't', After: true}
)

const insertItem = "insert into item values ($1)"

func itemSets(n int) (sets [][]any) {
	for i := range n {
		sets = append(sets, []any{i})
	}
	return sets
}

type itemRow struct{ ID int }

func itemRows(n int) (rows []itemRow) {
	for i := range n {
		rows = append(rows, itemRow{i})
	}
	return rows
}

var faults = []faulty{
	{"Query", func(ctx context.Context, db *sql.DB) error {
		return second(ext.Query[int](ctx, db, "select generate_series(1, 5)"))
	}, []sqltest.Rule{secondRow, firstTag}},
	{"QueryExactlyOne", func(ctx context.Context, db *sql.DB) error {
		return second(ext.QueryExactlyOne[int](ctx, db, "select 1"))
	}, []sqltest.Rule{firstTag}},
	{"QueryFunc", func(ctx context.Context, db *sql.DB) error {
		return second(ext.QueryFunc(ctx, db, func(rows *sql.Rows) (n int, err error) {
			err = rows.Scan(&n)
			return n, err
		}, "select generate_series(1, 5)"))
	}, []sqltest.Rule{secondRow, firstTag}},
	{"QueryVal", func(ctx context.Context, db *sql.DB) error {
		return second(ext.QueryVal[int](ctx, db, "select generate_series(1, 5)"))
	}, []sqltest.Rule{secondRow, firstTag}},
	{"LookupType", func(ctx context.Context, db *sql.DB) error {
		return second(ext.LookupType(ctx, db, "item"))
	}, []sqltest.Rule{firstTag, {Side: sqltest.Backend, Type: 'C', Nth: 2}}},
	{"LoadTypes", func(ctx context.Context, db *sql.DB) error {
		return second(ext.LoadTypes(ctx, db, "item"))
	}, []sqltest.Rule{firstTag, thirdTag}},
	{"RegisterType", func(ctx context.Context, db *sql.DB) error {
		return second(ext.RegisterType(ctx, db, "point", spotFuncs))
	}, []sqltest.Rule{firstTag}},
	{"a composite as an argument", func(ctx context.Context, db *sql.DB) error {
		return second(ext.QueryVal[int](ctx, db, "select ($1::item).id", itemRow{7}))
	}, []sqltest.Rule{firstTag, {Side: sqltest.Backend, Type: 'C', Nth: 2}, thirdTag}},
	{"Stream", func(ctx context.Context, db *sql.DB) (last error) {
		for _, err := range ext.Stream[int](ctx, db, "select generate_series(1, 5)") {
			last = err
		}
		return last
	}, []sqltest.Rule{secondRow, firstTag}},
	{"StreamPages", func(ctx context.Context, db *sql.DB) (last error) {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		for _, err := range ext.StreamPages[int](ctx, tx, 2, "select generate_series(1, 5)") {
			last = err
		}
		return last
	}, []sqltest.Rule{secondRow, {Side: sqltest.Backend, Type: 'D', Nth: 4}, thirdTag}},
	{"Exec", func(ctx context.Context, db *sql.DB) error {
		return second(ext.Exec(ctx, db, insertItem, 1))
	}, []sqltest.Rule{beforeSync}},
	{"Describe", func(ctx context.Context, db *sql.DB) error {
		return second(ext.Describe(ctx, db, insertItem))
	}, []sqltest.Rule{afterParams, {Side: sqltest.Backend, Type: 'D'}}},
	{"ExecMany", func(ctx context.Context, db *sql.DB) error {
		return second(ext.ExecMany(ctx, db, insertItem, itemSets(10)))
	}, []sqltest.Rule{secondBind, beforeSync}},
	{"ExecManySeq", func(ctx context.Context, db *sql.DB) error {
		return second(ext.ExecManySeq(ctx, db, insertItem, sequence(itemSets(2500), nil)))
	}, []sqltest.Rule{afterParams, secondBind, beforeSync, thirdTag, {Side: sqltest.Frontend, Type: 'B', Nth: 2100}, {Side: sqltest.Frontend, Type: 'P', Nth: 4}}},
	{"QueryMany", func(ctx context.Context, db *sql.DB) error {
		return second(ext.QueryMany[int](ctx, db, insertItem+" returning id", itemSets(10)))
	}, []sqltest.Rule{secondBind, beforeSync}},
	{"InsertMany", func(ctx context.Context, db *sql.DB) error {
		return second(ext.InsertMany(ctx, db, "item", itemRows(50), ext.InsertOptions{ChunkRows: 10}))
	}, []sqltest.Rule{firstTag, afterParams, secondBind, {Side: sqltest.Frontend, Type: 'S', Nth: 2}}},
	{"InsertManySeq", func(ctx context.Context, db *sql.DB) error {
		return second(ext.InsertManySeq(ctx, db, "item", values(itemRows(50)), ext.InsertOptions{ChunkRows: 10}))
	}, []sqltest.Rule{firstTag, afterParams, thirdTag, {Side: sqltest.Frontend, Type: 'S', Nth: 4}}},
	{"InsertReturning", func(ctx context.Context, db *sql.DB) error {
		return second(ext.InsertReturning[int](ctx, db, "item", itemRows(50), ext.InsertOptions{ChunkRows: 10, Returning: []string{"id"}}))
	}, []sqltest.Rule{secondBind, {Side: sqltest.Frontend, Type: 'S', Nth: 2}}},
	{"UpsertMany", func(ctx context.Context, db *sql.DB) error {
		return second(ext.UpsertMany(ctx, db, "item", itemRows(50), ext.UpsertOptions{Conflict: []string{"id"}, ChunkRows: 10}))
	}, []sqltest.Rule{secondBind, {Side: sqltest.Frontend, Type: 'S', Nth: 2}}},
	{"UpdateWhere", func(ctx context.Context, db *sql.DB) error {
		return second(ext.UpdateWhere(ctx, db, "item", map[string]any{"id": 1}, "id = $1", 2))
	}, []sqltest.Rule{beforeSync, firstTag}},
	{"DeleteWhere", func(ctx context.Context, db *sql.DB) error {
		return second(ext.DeleteWhere(ctx, db, "item", "id = $1", 2))
	}, []sqltest.Rule{beforeSync, firstTag}},
	{"Exists", func(ctx context.Context, db *sql.DB) error {
		return second(ext.Exists(ctx, db, "item", ""))
	}, []sqltest.Rule{firstTag}},
	{"Count", func(ctx context.Context, db *sql.DB) error {
		return second(ext.Count(ctx, db, "item", ""))
	}, []sqltest.Rule{firstTag}},
	{"Paginate", func(ctx context.Context, db *sql.DB) error {
		return second(ext.Paginate[int](ctx, db, ext.PageOptions{Total: true}, "select generate_series(1, 5)"))
	}, []sqltest.Rule{secondRow, {Side: sqltest.Backend, Type: 'C', Nth: 2}}},
}

func TestCutConnections(t *testing.T) {
	t.Parallel()
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			dsn := sqltest.DSN(t, sqltest.Options{})
			fault := sqltest.Server(t).Fault(t)
			open := func() *sql.DB { // a pool that knows nothing yet
				db, err := sql.Open("pycopg", fault.DSN(dsn))
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { db.Close() })
				db.SetMaxOpenConns(1) // what leaks, blocks
				return db
			}
			db := open()
			mustExec(t, db, "create table item (id int primary key)")
			for i, rule := range f.cuts {
				db = open()
				mustExec(t, db, "select 1")
				hit := fault.On(rule)
				err := f.run(t.Context(), db)
				if err == nil || errors.Is(err, sqldriver.ErrBadConn) || errors.Is(err, sql.ErrNoRows) {
					t.Fatalf("cut %d: %v, want the loss of the connection", i, err)
				}
				<-hit
				if got := word(t, db, "select count(*) from item"); got != "0" {
					t.Errorf("cut %d: %s rows stayed", i, got)
				}
			}
			if err := f.run(t.Context(), db); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

func TestLostCommitOfASequenceIsSaid(t *testing.T) {
	t.Parallel()
	db, fault := openBehindFault(t)
	mustExec(t, db, "create table item (id int primary key)")
	fault.On(sqltest.Rule{Side: sqltest.Frontend, Type: 'S', Nth: 5, After: true})
	_, err := ext.ExecManySeq(t.Context(), db, insertItem, sequence(itemSets(2500), nil))
	if !errors.Is(err, driver.ErrCommitUnknown) {
		t.Errorf("%v, want ErrCommitUnknown", err)
	}
	mustExec(t, db, "select 1")
}
