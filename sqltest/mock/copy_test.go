package mock_test

import (
	"bytes"
	"database/sql"
	"errors"
	"iter"
	"reflect"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pycopg/pycopg/copyin"
	"github.com/pycopg/pycopg/copyout"
	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest/mock"
)

type item struct {
	ID   int64
	Name *string
}

func ptr[T any](v T) *T { return &v }

var items = []item{{1, ptr("one\ttab")}, {2, nil}}

// copyWays are the ways to copy items.
var copyWays = map[string]func(t *testing.T, db *sql.DB) (int64, error){
	"Structs": func(t *testing.T, db *sql.DB) (int64, error) {
		return copyin.Structs(t.Context(), db, "item", items, copyin.Options{})
	},
	"iterator": func(t *testing.T, db *sql.DB) (int64, error) {
		var seq iter.Seq2[item, error] = func(yield func(item, error) bool) {
			for _, it := range items {
				if !yield(it, nil) {
					return
				}
			}
		}
		return copyin.StructsSeq(t.Context(), db, "item", seq, copyin.Options{})
	},
	"text": func(t *testing.T, db *sql.DB) (int64, error) {
		return copyin.Structs(t.Context(), db, "item", items, copyin.Options{Format: copyin.Text})
	},
	"CSV": func(t *testing.T, db *sql.DB) (int64, error) {
		return copyin.CSV(t.Context(), db, "item", strings.NewReader("id,name\n1,one\ttab\n2,\n"), copyin.CSVOptions{})
	},
	"stream": func(t *testing.T, db *sql.DB) (int64, error) {
		return copyin.From(t.Context(), db, `copy item (id, name) from stdin`, strings.NewReader("1\tone\\ttab\n2\t\\N\n"))
	},
	"lib/pq": func(t *testing.T, db *sql.DB) (int64, error) {
		conn, err := db.Conn(t.Context())
		if err != nil {
			return 0, err
		}
		defer conn.Close()
		stmt, err := conn.PrepareContext(t.Context(), `COPY "item" ("id", "name") FROM STDIN`)
		if err != nil {
			return 0, err
		}
		defer stmt.Close()
		for _, it := range items {
			if _, err := stmt.ExecContext(t.Context(), it.ID, it.Name); err != nil {
				return 0, err
			}
		}
		res, err := stmt.ExecContext(t.Context())
		if err != nil {
			return 0, err
		}
		return res.RowsAffected()
	},
}

func TestCopyInIsCapturedHoweverItIsSaid(t *testing.T) {
	t.Parallel()
	for name, run := range copyWays {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, m := mock.New(t)
			var rows [][]any
			m.ExpectCopyIn("item", "id", "name").WithTypes("int8", "text").Capture(&rows).WithRows([]any{1, "one\ttab"}, []any{2, nil})
			n, err := run(t, db)
			if n != 2 || err != nil {
				t.Fatalf("%d rows, %v", n, err)
			}
			if want := [][]any{{int64(1), "one\ttab"}, {int64(2), nil}}; !reflect.DeepEqual(rows, want) {
				t.Errorf("captured %v, want %v", rows, want)
			}
		})
	}
}

func TestCopyInFailsAtARow(t *testing.T) {
	t.Parallel()
	for name, run := range copyWays {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, m := mock.New(t)
			m.ExpectCopyIn("item", "id", "name").WithTypes("int8", "text").FailAtRow(2, mock.PgError("23505", mock.Fields{Constraint: "item_pkey"}))
			_, err := run(t, db)
			var pg *pgconn.PgError
			if !errors.As(err, &pg) || pg.ConstraintName != "item_pkey" || pg.Where != "COPY item, line 2" {
				t.Errorf("error = %v", err)
			}
			m.ExpectCopyIn("item", "id", "name").WithTypes("int8", "text").Affects(77)
			if n, err := run(t, db); n != 77 || err != nil {
				t.Errorf("the next COPY: %d, %v", n, err)
			}
		})
	}
}

func TestCopyInLosesTheConnection(t *testing.T) {
	t.Parallel()
	for _, at := range []mock.Fault{mock.AfterWrite, mock.MidResult} {
		db, m := mock.New(t)
		m.ExpectCopyIn("item", "id", "name").WillLose(at)
		if _, err := copyWays["stream"](t, db); err == nil || code(err) != "" {
			t.Errorf("fault %d: %v", at, err)
		}
		m.ExpectCopyIn("item", "id", "name")
		if n, err := copyWays["stream"](t, db); n != 2 || err != nil {
			t.Errorf("the next COPY: %d, %v", n, err)
		}
	}
}

func TestCopyInOfOtherRowsFails(t *testing.T) {
	t.Parallel()
	r := &recorder{TB: t}
	db, m := mock.New(r)
	m.ExpectCopyIn("item", "id", "name").WithRows([]any{1, "one"}, []any{2, nil})
	if _, err := copyWays["stream"](t, db); err != nil {
		t.Error(err)
	}
	if got, want := r.end(), `row 1, column name is "one\ttab", want "one"`; !strings.Contains(got, want) {
		t.Errorf("reported %q, want %q in it", got, want)
	}
}

func TestCopyOut(t *testing.T) {
	t.Parallel()
	db, m := mock.New(t)
	expect := func() *mock.ExpectedCopyOut {
		return m.ExpectCopyOut("(?i)copy .*item.* to stdout").WillReturnRows(
			m.Columns(mock.Col("id", "int8"), mock.Col("name", "text")).AddRow(1, "one\ttab").AddRow(2, nil))
	}
	var b bytes.Buffer
	expect()
	if n, err := copyout.CSV(t.Context(), db, copyout.Table("item"), &b, copyout.CSVOptions{}); n != 2 || err != nil || !strings.HasSuffix(b.String(), "1,one\ttab\n2,\n") {
		t.Errorf("CSV: %d, %v, %q", n, err, b.String())
	}
	b.Reset()
	expect()
	if n, err := copyout.To(t.Context(), db, "copy item to stdout", &b); n != 2 || err != nil || b.String() != "1\tone\\ttab\n2\t\\N\n" {
		t.Errorf("To: %d, %v, %q", n, err, b.String())
	}
	expect()
	var got []item
	for it, err := range copyout.Rows[item](t.Context(), db, copyout.Table("item")) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, it)
	}
	if !reflect.DeepEqual(got, items) {
		t.Errorf("Rows: %v, want %v", got, items)
	}
	expect().WillLoseAfterRows(1)
	b.Reset()
	if _, err := copyout.To(t.Context(), db, "copy item to stdout", &b); err == nil || strings.Contains(b.String(), "2") {
		t.Errorf("error = %v behind %q", err, b.String())
	}
}

func TestCopyNeedsAnExpectation(t *testing.T) {
	t.Parallel()
	for name, run := range copyWays {
		r := &recorder{TB: t}
		db, m := mock.New(r)
		m.ExpectCopyIn("order", "id")
		if _, err := run(t, db); err == nil {
			t.Errorf("%s: a COPY into another table runs", name)
		}
		if got := r.end(); !strings.Contains(got, "unexpected COPY FROM STDIN into") && !strings.Contains(got, `nothing is known of table "item"`) {
			t.Errorf("%s: reported %q", name, got)
		}
	}
}

func TestCommandIsExpectedAsAWhole(t *testing.T) {
	t.Parallel()
	db, m := mock.New(t)
	m.ExpectCommand(`(?i)copy "item"`).WillReturnCount(42)
	if n, err := copyin.Structs(t.Context(), db, "item", items, copyin.Options{}); n != 42 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	m.ExpectBegin()
	m.ExpectCommand(`(?i)copy "item"`).WillReturnError(mock.PgError("23505", mock.Fields{}))
	m.ExpectCommit()
	tx := begin(t, db)
	if _, err := copyin.Structs(t.Context(), tx, "item", items, copyin.Options{}); code(err) != "23505" {
		t.Errorf("error = %v", err)
	}
	if err := tx.Commit(); !errors.Is(err, driver.ErrCommitRolledBack) {
		t.Errorf("commit = %v: the command has not failed the transaction", err)
	}
}
