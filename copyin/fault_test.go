package copyin_test

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/copyin"
	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/sqltest"
)

// itemRow is a row of the table item, which faults are tried on.
type itemRow struct {
	ID   int
	Name string
}

const faultTable = "create table item (id int primary key, name text not null)"

// loaders copy n rows into item, from 0 on, in every way.
var loaders = map[string]func(ctx context.Context, q ext.Querier, n int) (int64, error){
	"Rows": func(ctx context.Context, q ext.Querier, n int) (int64, error) {
		return copyin.Rows(ctx, q, "item", pairs(n), copyin.Options{})
	},
	"Rows in text": func(ctx context.Context, q ext.Querier, n int) (int64, error) {
		return copyin.Rows(ctx, q, "item", pairs(n), copyin.Options{Format: copyin.Text})
	},
	"sequence": func(ctx context.Context, q ext.Querier, n int) (int64, error) {
		return copyin.Rows(ctx, q, "item", each(pairs(n)), copyin.Options{})
	},
	"Structs": func(ctx context.Context, q ext.Querier, n int) (int64, error) {
		return copyin.Structs(ctx, q, "item", itemStructs(n), copyin.Options{})
	},
	"Maps": func(ctx context.Context, q ext.Querier, n int) (int64, error) {
		var rows []map[string]any
		for _, p := range pairs(n) {
			rows = append(rows, map[string]any{"id": p[0], "name": p[1]})
		}
		return copyin.Maps(ctx, q, "item", rows, copyin.Options{})
	},
	"CSV": func(ctx context.Context, q ext.Querier, n int) (int64, error) {
		return copyin.CSV(ctx, q, "item", strings.NewReader(csvText(n)), copyin.CSVOptions{})
	},
	"CSV of a user's reader": func(ctx context.Context, q ext.Querier, n int) (int64, error) {
		return copyin.CSV(ctx, q, "item", struct{ *strings.Reader }{strings.NewReader(csvText(n))}, copyin.CSVOptions{})
	},
	"Writer": func(ctx context.Context, q ext.Querier, n int) (int64, error) {
		w, err := copyin.NewWriter(ctx, q, "item", copyin.Options{})
		if err != nil {
			return 0, err
		}
		for _, p := range pairs(n) {
			if err := w.WriteRow(p...); err != nil {
				return 0, err
			}
		}
		return w.Rows(), w.Close()
	},
}

func csvText(n int) string {
	var b strings.Builder
	b.WriteString("id,name\n")
	for _, p := range pairs(n) {
		fmt.Fprintf(&b, "%d,%s\n", p...)
	}
	return b.String()
}

func pairs(n int) (rows [][]any) {
	for i := range n {
		rows = append(rows, []any{i, strings.Repeat("x", 20)})
	}
	return rows
}

func itemStructs(n int) (rows []itemRow) {
	for i := range n {
		rows = append(rows, itemRow{i, strings.Repeat("x", 20)})
	}
	return rows
}

func each[T any](rows []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

const manyRows = 12_000

func TestCutConnectionsKeepNothing(t *testing.T) {
	t.Parallel()
	cuts := map[string]sqltest.Rule{
		"the statement":    {Side: sqltest.Frontend, Type: 'Q'},
		"its answer":       {Side: sqltest.Backend, Type: 'G'},
		"the first rows":   {Side: sqltest.Frontend, Type: 'd'},
		"rows":             {Side: sqltest.Frontend, Type: 'd', Nth: 3},
		"a reset in rows":  {Side: sqltest.Frontend, Type: 'd', Nth: 2, Do: sqltest.ActReset},
		"the end of rows":  {Side: sqltest.Frontend, Type: 'c'},
		"half of some row": {Side: sqltest.Frontend, Type: 'd', Nth: 2, Do: sqltest.ActTruncate, Offset: 100},
	}
	for name, load := range loaders {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, fault := openBehindFault(t)
			db.SetMaxOpenConns(1) // what leaks, blocks
			mustExec(t, db, faultTable)
			for stage, rule := range cuts {
				hit := fault.On(rule)
				n, err := load(t.Context(), db, manyRows)
				if n != 0 || err == nil || errors.Is(err, sqldriver.ErrBadConn) {
					t.Fatalf("%s: %d, %v", stage, n, err)
				}
				<-hit
				if got := word(t, db, "select count(*) from item"); got != "0" {
					t.Errorf("%s: %s rows stayed", stage, got)
				}
			}
			if _, err := load(t.Context(), db, manyRows); err != nil {
				t.Errorf("afterwards: %v", err)
			}
			if got := word(t, db, "select count(*) from item"); got != fmt.Sprint(manyRows) {
				t.Errorf("%s rows", got)
			}
		})
	}
}

// refusals are tables that refuse a row in the middle.
var refusals = []struct {
	name, table, code, column string
	line                      int64 // of rows counted from 1
}{
	{"duplicate", "create table item (id int primary key, name text); insert into item values (7000, 'x')", "23505", "", 7001},
	{"check", "create table item (id int check (id < 7000), name text)", "23514", "", 7001},
	{"type", "create table item (id smallint check (id < 7000), name text)", "23514", "", 7001},
	{"trigger", `create table item (id int, name text); create function f() returns trigger language plpgsql as $$
		begin if new.id = 7000 then raise 'no' using errcode = 'P0009'; end if; return new; end $$;
		create trigger f before insert on item for each row execute function f()`, "P0009", "", 7001},
	{"length", "create table item (id int, name varchar(19))", "22001", "name", 1},
	{"missing column", "create table item (id int)", "", "", 0},
	{"no table", "select 1", "42P01", "", 0},
}

func TestRefusedRowsAreNamed(t *testing.T) {
	t.Parallel()
	for _, r := range refusals {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			db := openDB(t)
			db.SetMaxOpenConns(1)
			mustExec(t, db, r.table)
			before := "0"
			if r.line > 0 {
				before = word(t, db, "select count(*) from item")
			}
			for name, load := range loaders {
				line := r.line
				if strings.HasPrefix(name, "CSV") && line > 0 {
					line++ // the header's
				}
				n, err := load(t.Context(), db, manyRows)
				if n != 0 || err == nil || sqlState(err) != r.code && r.code != "" {
					t.Fatalf("%s: %d, %v", name, n, err)
				}
				var row *copyin.RowError
				if line > 0 && (!errors.As(err, &row) || row.Row != line || row.Column != r.column) {
					t.Errorf("%s: %#v, %v, want row %d", name, row, err, line)
				}
				if r.line > 0 {
					if got := word(t, db, "select count(*) from item"); got != before {
						t.Errorf("%s: %s rows", name, got)
					}
				}
			}
		})
	}
}

func TestReadOnlyTransactionRefuses(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, faultTable)
	for name, load := range loaders {
		tx, err := db.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := load(t.Context(), tx, manyRows); n != 0 || sqlState(err) != "25006" {
			t.Errorf("%s: %d, %v", name, n, err)
		}
		if err := tx.Rollback(); err != nil {
			t.Errorf("%s: rollback: %v", name, err)
		}
	}
}

func TestContextEndsACopyAtAnyStage(t *testing.T) {
	t.Parallel()
	// Another transaction holds a lock that the COPY waits for: at its beginning, and in the middle.
	locks := map[string]string{"beginning": "lock table item in access exclusive mode", "middle": "insert into item values (7000, 'x')", "end": "insert into item values (11999, 'x')"}
	for stage, lock := range locks {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			db := openDB(t)
			mustExec(t, db, faultTable)
			watch := one(t, db)
			for name, load := range loaders {
				other := begin(t, db)
				mustExec(t, other, lock)
				conn := one(t, db)
				pid := word(t, conn, "select pg_backend_pid()")
				endWhen(t, watch, "select count(*) from pg_locks where not granted and pid = $1::int", pid, func(ctx context.Context) {
					n, err := load(ctx, conn, manyRows)
					if n != 0 || !errors.Is(err, context.Canceled) {
						t.Errorf("%s: %d, %v", name, n, err)
					}
				})
				other.Rollback()
				if got := word(t, conn, "select count(*) || ' ' || pg_backend_pid() from item"); got != "0 "+pid {
					t.Errorf("%s: rows and process are %s, want 0 %s", name, got, pid)
				}
				conn.Close()
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			for name, load := range loaders {
				if n, err := load(ctx, db, 10); n != 0 || !errors.Is(err, context.Canceled) {
					t.Errorf("%s, ended before: %d, %v", name, n, err)
				}
			}
		})
	}
}

func TestContextThatTheSourceEnds(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, faultTable)
	for _, at := range []int{0, 1, 7000, manyRows - 1} {
		onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			n, err := copyin.Structs(ctx, q, "item", itemStructs(1), copyin.Options{})
			if n != 1 || err != nil {
				t.Fatal(n, err)
			}
			mustExec(t, q, "truncate item")
			n, err = copyin.StructsSeq(ctx, q, "item", func(yield func(itemRow, error) bool) {
				for i, r := range itemStructs(manyRows) {
					if i == at {
						cancel()
					}
					if !yield(r, nil) {
						return
					}
				}
			}, copyin.Options{})
			if n != 0 || !errors.Is(err, context.Canceled) || errors.As(err, new(*copyin.RowError)) {
				t.Errorf("at row %d: %d, %#v", at, n, err)
			}
			if tx, ok := q.(*sql.Tx); ok {
				tx.Rollback()
				q = db
			}
			if got := word(t, q, "select count(*) from item"); got != "0" {
				t.Errorf("%s rows stayed", got)
			}
		})
	}
}

// TestSourceThatUsesItsHandleGetsErrBusy runs statements on the handle that the source feeds: they must fail, not wait.
func TestSourceThatUsesItsHandleGetsErrBusy(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, faultTable)
	for _, at := range []int{0, 1, 7000} {
		for _, q := range []ext.Querier{one(t, db), begin(t, db)} {
			var seen []error
			use := func() {
				_, err := q.ExecContext(t.Context(), "select 1")
				seen = append(seen, err)
				_, err = copyin.Structs(t.Context(), q, "item", itemStructs(1), copyin.Options{})
				seen = append(seen, err)
				seen = append(seen, q.QueryRowContext(t.Context(), "select 1").Scan(new(int)))
			}
			n, err := copyin.Rows(t.Context(), q, "item", func(yield func([]any, error) bool) {
				for i, r := range pairs(manyRows) {
					if i == at {
						use()
					}
					if !yield(r, nil) {
						return
					}
				}
			}, copyin.Options{})
			if n != manyRows || err != nil {
				t.Errorf("%T: %d, %v", q, n, err)
			}
			mustExec(t, q, "truncate item")
			r := &usingReader{data: csvText(manyRows), use: use}
			if n, err := copyin.CSV(t.Context(), q, "item", r, copyin.CSVOptions{}); n != manyRows || err != nil {
				t.Errorf("%T: CSV: %d, %v", q, n, err)
			}
			busy := 0
			for _, err := range seen {
				if errors.Is(err, driver.ErrBusy) {
					busy++
				} else if err != nil {
					t.Errorf("%T: %v, want ErrBusy", q, err)
				}
			}
			if busy < 6 {
				t.Errorf("%T: %d of %d uses were refused", q, busy, len(seen))
			}
			mustExec(t, q, "truncate item")
			if tx, ok := q.(*sql.Tx); ok {
				tx.Rollback()
			}
		}
	}
}

// usingReader uses a handle at its third Read.
type usingReader struct {
	data  string
	reads int
	use   func()
}

func (r *usingReader) Read(p []byte) (int, error) {
	if r.reads++; r.reads == 3 {
		r.use()
	}
	n := copy(p, r.data)
	if r.data = r.data[n:]; n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// valuerThatQueries is a value whose encoding uses the handle that it is copied with.
type valuerThatQueries struct {
	q   ext.Querier
	err *error
}

func (v valuerThatQueries) Value() (sqldriver.Value, error) {
	_, *v.err = v.q.ExecContext(context.Background(), "select 1")
	return "name", nil
}

func TestValuerThatUsesTheHandleGetsErrBusy(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, faultTable)
	for _, q := range []ext.Querier{one(t, db), begin(t, db)} {
		var seen error
		rows := [][]any{{1, valuerThatQueries{q, &seen}}}
		if n, err := copyin.Rows(t.Context(), q, "item", rows, copyin.Options{}); n != 1 || err != nil || !errors.Is(seen, driver.ErrBusy) {
			t.Errorf("%T: %d, %v, %v", q, n, err, seen)
		}
		mustExec(t, q, "truncate item")
		if tx, ok := q.(*sql.Tx); ok {
			tx.Rollback()
		}
	}
}

// TestTransactionThatEndsUnderACopy ends the transaction that a COPY is in while its source runs: the connection goes on.
func TestTransactionThatEndsUnderACopy(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, faultTable)
	for _, at := range []int{0, 7000} {
		for name, end := range map[string]func(*sql.Tx, context.CancelFunc) error{
			"its context":  func(_ *sql.Tx, cancel context.CancelFunc) error { cancel(); return nil },
			"a ROLLBACK":   func(tx *sql.Tx, _ context.CancelFunc) error { return tx.Rollback() },
			"a COMMIT":     func(tx *sql.Tx, _ context.CancelFunc) error { return tx.Commit() },
			"both at once": func(tx *sql.Tx, cancel context.CancelFunc) error { cancel(); tx.Rollback(); return nil },
		} {
			conn := one(t, db)
			pid := word(t, conn, "select pg_backend_pid()")
			ctx, cancel := context.WithCancel(t.Context())
			tx, err := conn.BeginTx(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			var ended error
			n, err := copyin.StructsSeq(t.Context(), tx, "item", func(yield func(itemRow, error) bool) {
				for i, r := range itemStructs(manyRows) {
					if i == at {
						ended = end(tx, cancel)
						for err := error(nil); name == "its context" && !errors.Is(err, sql.ErrTxDone); { // until database/sql has noticed
							_, err = tx.ExecContext(t.Context(), "select 1")
						}
					}
					if !yield(r, nil) {
						return
					}
				}
			}, copyin.Options{})
			if n != 0 || err == nil {
				t.Errorf("%s at %d: %d, %v", name, at, n, err)
			}
			if committed := name == "a COMMIT"; committed != (ended != nil) || committed && (!errors.Is(ended, driver.ErrBusy) || !errors.Is(ended, driver.ErrCommitRolledBack)) {
				t.Errorf("%s at %d: it returned %v", name, at, ended)
			}
			cancel()
			if got := word(t, conn, "select count(*) || ' ' || pg_backend_pid() from item"); got != "0 "+pid {
				t.Errorf("%s at %d: rows and process are %s, want 0 %s", name, at, got, pid)
			}
			next, err := conn.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatalf("%s at %d: the next transaction: %v", name, at, err)
			}
			next.Rollback()
			conn.Close()
		}
	}
}
