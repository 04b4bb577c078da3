package mock_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/copyin"
	"github.com/pycopg/pycopg/sqltest/mock"
)

func TestCopyInWithoutColumnsTakesThoseOfTheCopy(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"stream", "lib/pq"} {
		db, m := mock.New(t)
		var rows [][]any
		m.ExpectCopyIn("item").Capture(&rows).WithRows([]any{1, "one\ttab"}, []any{2, nil})
		if n, err := copyWays[way](t, db); n != 2 || err != nil {
			t.Errorf("%s: %d, %v", way, n, err)
		}
		if want := [][]any{{"1", "one\ttab"}, {"2", nil}}; !reflect.DeepEqual(rows, want) {
			t.Errorf("%s: captured %v", way, rows)
		}
	}
	db, m := mock.New(t)
	var rows [][]any
	m.ExpectCopyIn("item").Capture(&rows)
	if n, err := copyin.From(t.Context(), db, "copy item from stdin", strings.NewReader("1\t2\t3\n")); n != 1 || err != nil || len(rows[0]) != 3 {
		t.Errorf("no list at all: %d, %v, %v", n, err, rows)
	}
	m.ExpectCopyIn("item").WithTypes("int8", "text").Capture(&rows)
	if _, err := copyWays["stream"](t, db); err != nil || rows[0][0] != int64(1) {
		t.Errorf("with types: %v, %v", err, rows)
	}
}

func TestCopyInWithoutColumnsTakesThoseOfTheTable(t *testing.T) {
	t.Parallel()
	for name, run := range copyWays {
		db, m := mock.New(t)
		m.Table("item", mock.Col("id", "int8"), mock.Col("name", "text"))
		var rows [][]any
		m.ExpectCopyIn("item").Capture(&rows)
		if n, err := run(t, db); n != 2 || err != nil {
			t.Errorf("%s: %d, %v", name, n, err)
		}
		if want := [][]any{{int64(1), "one\ttab"}, {int64(2), nil}}; !reflect.DeepEqual(rows, want) {
			t.Errorf("%s: captured %v", name, rows)
		}
	}
}

func TestFailedCopySaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		expect func(m *mock.Mock)
		way    string
		want   []string
	}{
		{"columns", func(m *mock.Mock) { m.ExpectCopyIn("item") }, "Structs", []string{`the columns of table "item" are not known`, "ExpectCopyIn", "Table"}},
		{"other columns", func(m *mock.Mock) { m.ExpectCopyIn("item", "id", "title") }, "stream", []string{"the columns are (id, name), want (id, title)"}},
		{"other table", func(m *mock.Mock) { m.ExpectCopyIn("items") }, "stream", []string{"nearest expectation: COPY FROM STDIN into items", "the table is item, want items"}},
		{"types", func(m *mock.Mock) { m.ExpectCopyIn("item").WithTypes("int8") }, "stream", []string{"COPY FROM STDIN into item (id, name): 1 types for 2 columns"}},
		{"statement", func(m *mock.Mock) { m.ExpectExec("copy item") }, "stream", []string{"unexpected COPY FROM STDIN into item (id, name)", `nearest expectation: Exec "copy item"`, "another kind of call"}},
		{"rows", func(m *mock.Mock) { m.ExpectCopyIn("item").WithRows([]any{1, "one\ttab"}) }, "stream", []string{`row 2 is ["2", NULL], want no more than 1 rows`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := &recorder{TB: t}
			db, m := mock.New(r)
			tt.expect(m)
			copyWays[tt.way](t, db)
			got := r.end()
			for _, want := range tt.want {
				if !strings.Contains(got, want) {
					t.Errorf("reported:\n%s\nwant %s", got, want)
				}
			}
		})
	}
}
