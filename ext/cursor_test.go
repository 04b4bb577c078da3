package ext_test

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/DATA-DOG/go-sqlmock"

	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/sqltest"
)

var yes, no = true, false

func TestCursorFetchesOneManyAndAll(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	type row struct {
		N    int
		Name string
	}
	handles := map[string]ext.Querier{"Tx": begin(t, db), "wrapping driver": begin(t, wrap(t, db)), "Conn": one(t, db)}
	mustExec(t, handles["Conn"], "begin")
	for name, q := range handles {
		c, err := ext.DeclareCursor(t.Context(), q, `odd "name"`, ext.CursorOptions{}, "select n, 'x' || n as name from generate_series(1, $1::int) n", 10)
		if err != nil {
			t.Fatal(name, err)
		}
		first, err := ext.FetchOne[row](t.Context(), c)
		if err != nil || first != (row{1, "x1"}) || c.Position() != 1 {
			t.Errorf("%s: %+v, %v at %d", name, first, err, c.Position())
		}
		mustExec(t, q, "select 1")
		if rows, err := ext.FetchMany[row](t.Context(), c, 4); err != nil || len(rows) != 4 || rows[3].N != 5 || c.Position() != 5 {
			t.Errorf("%s: %+v, %v at %d", name, rows, err, c.Position())
		}
		if rows, err := ext.FetchAll[map[string]any](t.Context(), c); err != nil || len(rows) != 5 || rows[4]["name"] != "x10" || c.Position() != 11 {
			t.Errorf("%s: %+v, %v at %d", name, rows, err, c.Position())
		}
		if _, err := ext.FetchOne[row](t.Context(), c); err != sql.ErrNoRows {
			t.Errorf("%s: %v behind the end, want sql.ErrNoRows", name, err)
		}
		if rows, err := ext.FetchMany[row](t.Context(), c, 3); rows != nil || err != nil {
			t.Errorf("%s: %v, %v behind the end", name, rows, err)
		}
		for range 2 {
			if err := c.Close(t.Context()); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := ext.FetchOne[row](t.Context(), c); err == nil || !strings.Contains(err.Error(), "closed") {
			t.Errorf("%s: %v from a closed cursor", name, err)
		}
		if n := word(t, q, "select count(*) from pg_cursors where name <> ''"); n != "0" {
			t.Errorf("%s: %s cursors are left", name, n)
		}
	}
}

// TestCursorKnowsWhereItStands moves at random, and has the server tell the row.
func TestCursorKnowsWhereItStands(t *testing.T) {
	t.Parallel()
	tx := begin(t, openDB(t))
	const rows = 7
	r := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		c, err := ext.DeclareCursor(t.Context(), tx, "c", ext.CursorOptions{Scroll: &yes}, "select generate_series(1, $1::int)", rows)
		if err != nil {
			t.Fatal(err)
		}
		for range 25 {
			n := r.Int64N(2*rows+6) - rows - 3
			var got []int
			switch kind := r.IntN(4); kind {
			case 0:
				if _, err := c.Move(t.Context(), n); err != nil {
					t.Fatal(err)
				}
			case 1:
				found, err := c.MoveTo(t.Context(), n)
				want := n
				if n < 0 {
					want = max(rows+1+n, 0)
				}
				if want = min(want, rows+1); err != nil || c.Position() != want && c.Position() != -1 || found != (n != 0 && n <= rows && n >= -rows) {
					t.Fatalf("MoveTo(%d): %v, %v at %d", n, found, err, c.Position())
				}
			case 2:
				if got, err = ext.FetchMany[int](t.Context(), c, n); err != nil {
					t.Fatal(err)
				}
				if n < 0 {
					slices.Reverse(got)
				}
			case 3:
				if got, err = ext.FetchAll[int](t.Context(), c); err != nil {
					t.Fatal(err)
				}
			}
			if !slices.IsSorted(got) {
				t.Fatalf("rows out of order: %v", got)
			}
			here, err := ext.Query[int64](t.Context(), tx, "fetch relative 0 from c")
			if err != nil {
				t.Fatal(err)
			}
			at := c.Position()
			if len(here) == 1 && at != here[0] || len(here) == 0 && at != 0 && at != rows+1 {
				t.Fatalf("position %d, the server is at %v", at, here)
			}
		}
		if err := c.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCursorOptionsReachTheServer(t *testing.T) {
	t.Parallel()
	conn := one(t, openDB(t))
	type row struct {
		Holdable, Binary, Scrollable bool
		SQL                          string `db:"statement"`
	}
	for _, tt := range []struct {
		opts ext.CursorOptions
		want row
	}{
		{ext.CursorOptions{Scroll: &no}, row{false, false, false, `declare "c" no scroll cursor for select 1`}},
		{ext.CursorOptions{}, row{false, false, false, `declare "c" cursor for select 1`}},
		{ext.CursorOptions{Scroll: &yes, Hold: true, Binary: true}, row{true, true, true, `declare "c" binary scroll cursor with hold for select 1`}},
	} {
		mustExec(t, conn, "begin")
		c, err := ext.DeclareCursor(t.Context(), conn, "c", tt.opts, "select 1")
		if err != nil {
			t.Fatal(err)
		}
		got, err := ext.QueryOne[row](t.Context(), conn, "select is_holdable as holdable, is_binary as binary, is_scrollable as scrollable, statement from pg_cursors where name = 'c'")
		if err != nil || got != tt.want {
			t.Errorf("%+v, %v, want %+v", got, err, tt.want)
		}
		mustExec(t, conn, "commit")
		v, err := ext.FetchOne[int](t.Context(), c)
		if tt.opts.Hold && (v != 1 || err != nil) {
			t.Errorf("held: %d, %v", v, err)
		}
		if !tt.opts.Hold && sqlState(err) != "34000" {
			t.Errorf("behind its transaction: %v, want 34000", err)
		}
		if err := c.Close(t.Context()); err != nil {
			t.Errorf("closed by the server, or held: %v", err)
		}
	}
	mustExec(t, conn, "begin")
	c, err := ext.DeclareCursor(t.Context(), conn, "c", ext.CursorOptions{Scroll: &no}, "select generate_series(1, 5)")
	if err != nil {
		t.Fatal(err)
	}
	if found, err := c.MoveTo(t.Context(), 3); !found || err != nil {
		t.Errorf("forward without SCROLL: %v, %v", found, err)
	}
	if _, err := c.Move(t.Context(), -1); sqlState(err) != "55000" {
		t.Errorf("backward without SCROLL: %v, want 55000", err)
	}
	if err := c.Close(t.Context()); err != nil {
		t.Errorf("in a failed transaction: %v", err)
	}
	mustExec(t, conn, "rollback")
}

func TestCursorRefusesTheWrongHandle(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	if _, err := ext.DeclareCursor(t.Context(), db, "c", ext.CursorOptions{Hold: true}, "select 1"); !errors.Is(err, ext.ErrNoSession) {
		t.Errorf("pool: %v, want ErrNoSession", err)
	}
	conn := one(t, db)
	if _, err := ext.DeclareCursor(t.Context(), conn, "c", ext.CursorOptions{}, "select 1"); !errors.Is(err, ext.ErrNoTransaction) {
		t.Errorf("outside of a transaction: %v, want ErrNoTransaction", err)
	}
	for _, name := range []string{"", strings.Repeat("x", 64), "a\x00b"} {
		if _, err := ext.DeclareCursor(t.Context(), conn, name, ext.CursorOptions{}, "select 1"); err == nil || !strings.Contains(err.Error(), "cursor") {
			t.Errorf("name %q: %v", name, err)
		}
	}
}

func TestCursorRefusesMoreRowsThanTheServerCounts(t *testing.T) {
	t.Parallel()
	tx := begin(t, openDB(t))
	scroll := true
	c, err := ext.DeclareCursor(t.Context(), tx, "c", ext.CursorOptions{Scroll: &scroll}, "select generate_series(1, 3)")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int64{math.MaxInt32 + 1, -math.MaxInt32 - 1, math.MinInt64, math.MaxInt64} {
		want := fmt.Sprintf("%d rows: PostgreSQL takes up to 2147483647", n)
		_, fetched := ext.FetchMany[int](t.Context(), c, n)
		_, moved := c.Move(t.Context(), n)
		for _, err := range []error{fetched, moved} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %q", err, want)
			}
		}
	}
	if got, err := ext.FetchMany[int](t.Context(), c, math.MaxInt32); len(got) != 3 || err != nil {
		t.Errorf("afterwards: %v, %v", got, err)
	}
	if n, err := c.Move(t.Context(), -math.MaxInt32); n != 3 || err != nil {
		t.Errorf("back: %d, %v", n, err)
	}
}

func TestCursorAttachesToOneThatExists(t *testing.T) {
	t.Parallel()
	tx := begin(t, openDB(t))
	mustExec(t, tx, `create function open_one() returns refcursor language plpgsql as
		$$ declare c refcursor; begin open c for select generate_series(1, 5); return c; end $$`)
	c, err := ext.AttachCursor(tx, word(t, tx, "select open_one()"), ext.CursorOptions{PageSize: 2})
	if err != nil {
		t.Fatal(err)
	}
	if v, err := ext.FetchOne[int](t.Context(), c); v != 1 || err != nil || c.Position() != -1 {
		t.Errorf("%d, %v at %d", v, err, c.Position())
	}
	if found, err := c.MoveTo(t.Context(), 2); !found || err != nil || c.Position() != 2 {
		t.Errorf("%v, %v at %d", found, err, c.Position())
	}
	var got []int
	for v, err := range ext.FetchPages[int](t.Context(), c) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, v)
	}
	if !slices.Equal(got, []int{3, 4, 5}) || c.Position() != 6 {
		t.Errorf("%v at %d", got, c.Position())
	}
	c, err = ext.AttachCursor(tx, "nobody", ext.CursorOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ext.FetchOne[int](t.Context(), c); sqlState(err) != "34000" {
		t.Errorf("%v, want 34000", err)
	}
}

func TestCursorLoopsMayUseTheirHandle(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table item (id int primary key, done bool not null default false); insert into item select generate_series(1, 25)")
	conn := one(t, db)
	held, err := ext.DeclareCursor(t.Context(), conn, "held", ext.CursorOptions{Hold: true, PageSize: 10}, "select id from item order by id")
	if err != nil {
		t.Fatal(err)
	}
	tx := begin(t, db)
	inTx, err := ext.DeclareCursor(t.Context(), tx, "c", ext.CursorOptions{PageSize: 10}, "select id from item order by id")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		q ext.Querier
		c *ext.Cursor
	}{{conn, held}, {tx, inTx}} {
		within(t, func() {
			n := 0
			for id, err := range ext.FetchPages[int](t.Context(), tt.c) {
				if err != nil {
					t.Error(err)
					return
				}
				if n++; id != n {
					t.Errorf("row %d: %d", n, id)
				}
				if _, err := tt.q.ExecContext(t.Context(), "update item set done = not done where id = $1", id); err != nil {
					t.Error(err)
				}
			}
			if n != 25 {
				t.Errorf("%d rows", n)
			}
		})
		if err := tt.c.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if tt.q == ext.Querier(conn) { // free the rows for the transaction
			continue
		}
		if got := word(t, tt.q, "select count(*) from item where not done"); got != "25" {
			t.Errorf("%s rows were not updated twice", got)
		}
	}
}

func TestCursorCutAndCancelled(t *testing.T) {
	t.Parallel()
	db, fault := openBehindFault(t)
	for _, rule := range []sqltest.Rule{secondRow, {Side: sqltest.Backend, Type: 'C', Nth: 2}, {Side: sqltest.Frontend, Type: 'S', Nth: 2}} {
		tx := begin(t, db)
		mustExec(t, tx, "select 1")
		hit := fault.On(rule)
		c, err := ext.DeclareCursor(t.Context(), tx, "c", ext.CursorOptions{PageSize: 3}, "select generate_series(1, 10)")
		for err == nil {
			_, err = ext.FetchMany[int](t.Context(), c, 3)
		}
		<-hit
		if errors.Is(err, sqldriver.ErrBadConn) || errors.Is(err, sql.ErrNoRows) {
			t.Errorf("%+v: %v, want the loss of the connection", rule, err)
		}
		tx.Rollback()
	}
	mustExec(t, db, "select 1")
	tx := begin(t, db)
	ctx, cancel := context.WithCancel(t.Context())
	c, err := ext.DeclareCursor(t.Context(), tx, "c", ext.CursorOptions{}, "select generate_series(1, 10)")
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := ext.FetchOne[int](ctx, c); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
	if v, err := ext.FetchOne[int](t.Context(), c); v != 1 || err != nil {
		t.Errorf("afterwards: %d, %v", v, err)
	}
	if err := c.Close(ctx); err != nil || word(t, tx, "select count(*) from pg_cursors where name = 'c'") != "0" {
		t.Errorf("Close under a context that has ended: %v", err)
	}
}

func TestCursorUnderAMock(t *testing.T) {
	t.Parallel()
	db, mock, err := sqlmock.New(sqlmock.QueryMatcherOption(sqlmock.QueryMatcherEqual))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	mock.ExpectBegin()
	mock.ExpectExec(`declare "c" cursor for select n from t where n > $1`).WithArgs(7).WillReturnResult(sqlmock.NewResult(0, 0))
	mock.ExpectExec(`move forward 2 from "c"`).WillReturnResult(sqlmock.NewResult(0, 2))
	mock.ExpectQuery(`fetch forward 5 from "c"`).WillReturnRows(sqlmock.NewRows([]string{"n"}).AddRow(8).AddRow(9))
	mock.ExpectExec(`close "c"`).WillReturnResult(sqlmock.NewResult(0, 0))
	tx := begin(t, db)
	c, err := ext.DeclareCursor(t.Context(), tx, "c", ext.CursorOptions{}, "select n from t where n > $1", 7)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := c.Move(t.Context(), 2); n != 2 || err != nil {
		t.Error(n, err)
	}
	if rows, err := ext.FetchMany[int](t.Context(), c, 5); err != nil || !reflect.DeepEqual(rows, []int{8, 9}) {
		t.Error(rows, err)
	}
	if err := c.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := mock.ExpectationsWereMet(); err != nil {
		t.Error(err)
	}
}
