package ext_test

import (
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/sqltest"
)

// within fails the test when fn does not return: it would block for ever.
func within(t *testing.T, fn func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn()
	}()
	select {
	case <-done:
	case <-time.After(5 * time.Minute):
		t.Fatal("it hangs")
	}
}

func TestPipelineGivesTypedResults(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table item (id int primary key, tags text[])")
	type item struct {
		ID   int
		Tags []string
	}
	onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
		var (
			inserted *ext.Pending[ext.Result]
			items    *ext.Pending[[]item]
			one      *ext.Pending[item]
			none     *ext.Pending[item]
			count    *ext.Pending[int]
		)
		err := ext.Pipeline(t.Context(), q, func(p *ext.Pipe) error {
			inserted = p.Exec("insert into item values ($1, $2), ($3, null)", 1, []string{"a", "b"}, 2)
			items = ext.QueueQuery[item](p, "select * from item order by id")
			one = ext.QueueOne[item](p, "select * from item where id = $1", 1)
			none = ext.QueueOne[item](p, "select * from item where id = $1", 99)
			count = ext.QueueVal[int](p, "select count(*) from item where id < @most", sql.Named("most", 10))
			p.Exec("delete from item")
			if _, err := inserted.Get(); err != ext.ErrNotSynced {
				t.Errorf("%v before the end, want ErrNotSynced", err)
			}
			return nil
		})
		if !errors.Is(err, sql.ErrNoRows) {
			t.Fatalf("%v, want sql.ErrNoRows of statement 3", err)
		}
		var failed *ext.PipelineError
		if !errors.As(err, &failed) || failed.Index != 3 || !strings.Contains(err.Error(), "where id = $1") {
			t.Errorf("%v, want the text of statement 3", err)
		}
		if r, err := inserted.Get(); r != (ext.Result{Tag: "INSERT 0 2", Command: "INSERT", RowsAffected: 2}) || err != nil {
			t.Errorf("insert: %+v, %v", r, err)
		}
		if rows, err := items.Get(); err != nil || !reflect.DeepEqual(rows, []item{{1, []string{"a", "b"}}, {2, nil}}) {
			t.Errorf("rows: %+v, %v", rows, err)
		}
		if row, err := one.Get(); err != nil || row.ID != 1 {
			t.Errorf("row: %+v, %v", row, err)
		}
		if _, err := none.Get(); !errors.Is(err, sql.ErrNoRows) {
			t.Errorf("no row: %v", err)
		}
		if n, err := count.Get(); n != 2 || err != nil {
			t.Errorf("count: %d, %v", n, err)
		}
	})
	if word(t, db, "select count(*) from item") != "0" {
		t.Error("rows stayed")
	}
	err := ext.Pipeline(t.Context(), foreignDB(t), func(p *ext.Pipe) error { p.Exec("select 1"); return nil })
	wantForeign(t, "Pipeline", err)
}

func TestPipelineFailureIsToldTruthfully(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table item (id int primary key, parent int references item deferrable initially deferred)")
	insert := "insert into item values ($1, $1)"
	for _, tt := range []struct {
		name  string
		bad   func(p *ext.Pipe) *ext.Pending[ext.Result]
		state string
		is    error
	}{
		{"the server's", func(p *ext.Pipe) *ext.Pending[ext.Result] { return p.Exec(insert, 1) }, "23505", nil},
		{"an argument", func(p *ext.Pipe) *ext.Pending[ext.Result] { return p.Exec(insert, make(chan int)) }, "", nil},
		{"an argument for the type", func(p *ext.Pipe) *ext.Pending[ext.Result] { return p.Exec(insert, "x") }, "22P02", nil},
		{"COPY", func(p *ext.Pipe) *ext.Pending[ext.Result] { return p.Exec("copy item from stdin") }, "", ext.ErrNotSupportedInPipeline},
		{"several", func(p *ext.Pipe) *ext.Pending[ext.Result] { return p.Exec("select 1; select 2") }, "", ext.ErrNotSupportedInPipeline},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, inTx := range []bool{false, true} {
				conn := one(t, db)
				var q ext.Querier = conn
				if inTx {
					q = begin(t, conn)
				}
				var first, bad, third, later *ext.Pending[ext.Result]
				err := ext.Pipeline(t.Context(), q, func(p *ext.Pipe) error {
					p.Exec("select 1")
					if err := p.Sync(t.Context()); err != nil {
						t.Fatal(err)
					}
					first, bad, third = p.Exec(insert, 1), tt.bad(p), p.Exec(insert, 3)
					err := p.Sync(t.Context())
					later = p.Exec("select 1")
					return err
				})
				var failed *ext.PipelineError
				if !errors.As(err, &failed) || failed.Index != 2 || sqlState(err) != tt.state || tt.is != nil && !errors.Is(err, tt.is) {
					t.Fatalf("%v, want %s of statement 2", err, tt.state)
				}
				_, err = bad.Get()
				if !errors.As(err, &failed) || sqlState(err) != tt.state || errors.Is(err, ext.ErrPipelineAborted) {
					t.Errorf("the bad one: %v", err)
				}
				if _, err := third.Get(); !errors.Is(err, ext.ErrPipelineAborted) || sqlState(err) != tt.state {
					t.Errorf("behind it: %v, want ErrPipelineAborted and %s", err, tt.state)
				}
				_, err = first.Get()
				sent := tt.state != ""
				if want := map[bool]error{true: ext.ErrPipelineUndone, false: ext.ErrPipelineAborted}[sent]; !(inTx && sent) && !errors.Is(err, want) {
					t.Errorf("ahead of it: %v, want %v", err, want)
				}
				if inTx && sent && err != nil {
					t.Errorf("ahead of it in a transaction: %v", err)
				}
				if _, err := later.Get(); err != ext.ErrNotSynced {
					t.Errorf("not run: %v", err)
				}
				if !sent { // nothing was sent: the handle goes on
					mustExec(t, q, "select 1")
				}
				if tx, ok := q.(*sql.Tx); ok {
					tx.Rollback()
				}
				if n := word(t, db, "select count(*) from item"); n != "0" {
					t.Errorf("%s rows stayed", n)
				}
			}
		})
	}
	var p1 *ext.Pending[ext.Result]
	err := ext.Pipeline(t.Context(), db, func(p *ext.Pipe) error {
		p1 = p.Exec("insert into item values (1, 7)")
		return nil
	})
	var failed *ext.PipelineError
	if _, gerr := p1.Get(); !errors.As(err, &failed) || failed.Index != -1 || sqlState(err) != "23503" || !errors.Is(gerr, ext.ErrPipelineUndone) {
		t.Errorf("%v and %v, want 23503 at the end and ErrPipelineUndone", err, gerr)
	}
}

func TestPipelineSyncsAndNests(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table item (id int primary key)")
	insert := "insert into item values ($1)"
	broken := errors.New("changed my mind")
	var dropped *ext.Pending[ext.Result]
	err := ext.Pipeline(t.Context(), db, func(p *ext.Pipe) error {
		p.Exec("set application_name = 'pipe'")
		p.Exec(insert, 1)
		err := p.Nested(t.Context(), func(p *ext.Pipe) error {
			p.Exec(insert, 2)
			return p.Nested(t.Context(), func(p *ext.Pipe) error {
				p.Exec(insert, 3)
				p.Exec(insert, 1)
				return nil
			})
		})
		if sqlState(err) != "23505" {
			t.Errorf("inner: %v, want 23505", err)
		}
		err = p.Nested(t.Context(), func(p *ext.Pipe) error {
			dropped = p.Exec(insert, 4)
			return broken
		})
		if err != broken {
			t.Errorf("%v, want the function's error", err)
		}
		name := ext.QueueVal[string](p, "show application_name")
		p.Exec(insert, 5)
		if err := p.Sync(t.Context()); err != nil {
			t.Error(err)
		}
		if got, err := name.Get(); got != "pipe" || err != nil {
			t.Errorf("the segments ran on several connections: %q, %v", got, err)
		}
		p.Exec(insert, 6)
		return broken
	})
	if err != broken {
		t.Errorf("%v, want the function's error", err)
	}
	if _, err := dropped.Get(); !errors.Is(err, ext.ErrPipelineAborted) || !errors.Is(err, broken) {
		t.Errorf("dropped: %v", err)
	}
	if got := word(t, db, "select string_agg(id::text, ' ' order by id) from item"); got != "1 2 5" {
		t.Errorf("stored %s, want 1 2 5", got)
	}
}

func TestPipelineMustNotOutliveItsFunction(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	var kept *ext.Pipe
	if err := ext.Pipeline(t.Context(), db, func(p *ext.Pipe) error { kept = p; return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := kept.Exec("select 1").Get(); err == nil || !strings.Contains(err.Error(), "has ended") {
		t.Errorf("%v", err)
	}
	if err := kept.Sync(t.Context()); err == nil {
		t.Error("Sync passed")
	}
}

func TestPipelineAndItsHandleDoNotHang(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
		within(t, func() {
			err := ext.Pipeline(t.Context(), q, func(p *ext.Pipe) error {
				p.Exec("select 1")
				mustExec(t, q, "select 2")
				if err := p.Sync(t.Context()); err != nil {
					return err
				}
				p.Exec("select $1::text", valuer(func() { mustExec(t, q, "select 4") }))
				for n, err := range ext.Stream[int](t.Context(), q, "select generate_series(1, 2)") {
					if err != nil {
						return err
					}
					p.Exec("select $1::int", n)
				}
				return ext.Pipeline(t.Context(), q, func(p *ext.Pipe) error { p.Exec("select 3"); return nil })
			})
			if err != nil {
				t.Error(err)
			}
		})
	})
	conn := one(t, db)
	within(t, func() {
		rows, err := conn.QueryContext(t.Context(), "select 1")
		if err != nil {
			t.Error(err)
			return
		}
		defer rows.Close()
		err = ext.Pipeline(t.Context(), conn, func(p *ext.Pipe) error { p.Exec("select 1"); return nil })
		if !errors.Is(err, driver.ErrRowsOpen) {
			t.Errorf("with open rows: %v, want ErrRowsOpen", err)
		}
	})
}

func TestPipelineOf100000StatementsDoesNotDeadlock(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	value := strings.Repeat("x", 20_000)
	results := make([]*ext.Pending[int], 100_000)
	err := ext.Pipeline(t.Context(), db, func(p *ext.Pipe) error {
		for i := range results {
			if i%100 == 0 { // 20 MB each way, more than both sockets hold
				ext.QueueVal[string](p, "select $1::text || $2::text", value, i)
			}
			results[i] = ext.QueueVal[int](p, "select $1::int", i)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		if n, err := r.Get(); n != i || err != nil {
			t.Fatalf("statement %d: %d, %v", i, n, err)
		}
	}
}

func TestPipelineUnderAMock(t *testing.T) {
	t.Parallel()
	db, mock, err := sqlmock.New(sqlmock.QueryMatcherOption(sqlmock.QueryMatcherEqual))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	mock.ExpectExec("pipeline").WillReturnResult(sqlmock.NewResult(0, 2))
	var rows *ext.Pending[[]int]
	var row *ext.Pending[int]
	err = ext.Pipeline(t.Context(), db, func(p *ext.Pipe) error {
		rows, row = ext.QueueQuery[int](p, "select 1"), ext.QueueOne[int](p, "select 1")
		return nil
	})
	if v, gerr := rows.Get(); v != nil || gerr != nil || err != nil {
		t.Errorf("%v, %v, %v", v, gerr, err)
	}
	if v, gerr := row.Get(); v != 0 || gerr != nil {
		t.Errorf("%v, %v", v, gerr)
	}
	if err := mock.ExpectationsWereMet(); err != nil {
		t.Error(err)
	}
}

func TestCutPipelinesTellWhatTookEffect(t *testing.T) {
	t.Parallel()
	beforeFirst := sqltest.Rule{Side: sqltest.Frontend, Type: 'S', Nth: 1}
	afterFirst := sqltest.Rule{Side: sqltest.Backend, Type: 'Z', Nth: 1}
	between := sqltest.Rule{Side: sqltest.Frontend, Type: 'B', Nth: 3}
	beforeSecond := sqltest.Rule{Side: sqltest.Frontend, Type: 'S', Nth: 2}
	answer := sqltest.Rule{Side: sqltest.Backend, Type: 'Z', Nth: 2}
	inside := sqltest.Rule{Side: sqltest.Backend, Type: 'C', Nth: 3}
	for _, tt := range []struct {
		name   string
		cut    sqltest.Rule
		stored string
	}{
		{"before the first sync", beforeFirst, ""},
		{"behind the first sync", afterFirst, "1 2"},
		{"between the syncs", between, "1 2"},
		{"inside the second segment", inside, "1 2 3 4"},
		{"before the second sync", beforeSecond, "1 2"},
		{"behind the second sync", answer, "1 2 3 4"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			db, fault := openBehindFault(t)
			mustExec(t, db, "create table item (id int primary key)")
			for range 3 { // the pool knows the statement
				mustExec(t, db, "insert into item values ($1)", 1)
				mustExec(t, db, "delete from item")
			}
			hit := fault.On(tt.cut)
			var pending []*ext.Pending[ext.Result]
			err := ext.Pipeline(t.Context(), db, func(p *ext.Pipe) error {
				for i := range 4 {
					pending = append(pending, p.Exec("insert into item values ($1)", i+1))
					if i%2 == 1 {
						if err := p.Sync(t.Context()); err != nil {
							return err
						}
					}
				}
				return nil
			})
			if err == nil {
				t.Fatal("no error")
			}
			<-hit
			stored := word(t, db, "select coalesce(string_agg(id::text, ' ' order by id), '') from item")
			if stored != tt.stored {
				t.Errorf("stored %q, want %q", stored, tt.stored)
			}
			for i, p := range pending {
				_, err := p.Get()
				said, took := err == nil, strings.Contains(stored, fmt.Sprint(i+1))
				if errors.Is(err, driver.ErrCommitUnknown) {
					continue
				}
				if said != took {
					t.Errorf("statement %d: %v, but stored: %v", i, err, took)
				}
			}
			if !errors.Is(err, driver.ErrCommitUnknown) { // the sync left together with the statements
				t.Errorf("%v, want ErrCommitUnknown", err)
			}
		})
	}
}

func TestCutBeforeTheSyncWasSentIsNoUnknownCommit(t *testing.T) {
	t.Parallel()
	db, fault := openBehindFault(t)
	mustExec(t, db, "create table item (v text)")
	flush := sqltest.Rule{Side: sqltest.Frontend, Type: 'H'} // the client waits for the types of the second statement
	hit := fault.On(flush)
	var pending []*ext.Pending[ext.Result]
	err := ext.Pipeline(t.Context(), db, func(p *ext.Pipe) error {
		pending = append(pending, p.Exec("insert into item values ($1)", "x"), p.Exec("insert into item values ($1::date::text)", time.Now()))
		return nil
	})
	<-hit
	if err == nil || errors.Is(err, driver.ErrCommitUnknown) || errors.Is(err, sqldriver.ErrBadConn) {
		t.Errorf("%v, want the loss of the connection, and no doubt", err)
	}
	for i, p := range pending {
		if _, err := p.Get(); err == nil {
			t.Errorf("statement %d took effect, it says", i)
		}
	}
	if n := word(t, db, "select count(*) from item"); n != "0" {
		t.Errorf("%s rows stayed", n)
	}
}

// valuer is an argument that calls a function when it is asked for its value.
type valuer func()

func (v valuer) Value() (sqldriver.Value, error) {
	v()
	return "x", nil
}
