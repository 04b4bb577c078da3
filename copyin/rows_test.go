package copyin_test

import (
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/pycopg/pycopg/copyin"
	"github.com/pycopg/pycopg/ext"
)

const itemTable = "create table item (id int primary key, name text, at timestamptz, price numeric(10,2), tags text[])"

var noon = time.Date(2024, 5, 6, 12, 0, 0, 123456000, time.UTC)

func itemRows(n int) (rows [][]any) {
	for i := range n {
		rows = append(rows, []any{i, "name\t\\ \n" + strings.Repeat("é", i%5), noon, "1.50", []string{"a,b", `"`}})
	}
	return rows
}

const itemSum = `select count(*) || ' ' || count(distinct id) || ' ' || min(name) || max(name) || min(at at time zone 'UTC') || sum(price) || min(tags[1]) || min(array_length(tags, 1)) from item`

// wantItems compares the table with what inserts of the same rows store.
func wantItems(t *testing.T, q ext.Querier, n int) {
	t.Helper()
	got := word(t, q, itemSum)
	mustExec(t, q, "truncate item")
	for _, row := range itemRows(min(n, 5)) { // further rows repeat the values
		mustExec(t, q, "insert into item values ($1, $2, $3, $4, $5)", row...)
	}
	mustExec(t, q, "insert into item select i, name, at, price, tags from item, generate_series($1::int, $2::int) i where id = 0", min(n, 5), n-1)
	if want := word(t, q, itemSum); got != want {
		t.Errorf("the table holds\n%s, want\n%s", got, want)
	}
	mustExec(t, q, "truncate item")
}

func sequence(rows [][]any, err error) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		row := make([]any, 5)
		for _, r := range rows {
			copy(row, r) // one slice for all rows
			if !yield(row, nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

func TestRowsFromEverySource(t *testing.T) {
	t.Parallel()
	for _, format := range []copyin.Format{copyin.Auto, copyin.Text, copyin.Binary} {
		for _, n := range []int{1, 5, 4000} {
			t.Run(format.String(), func(t *testing.T) {
				t.Parallel()
				db := openDB(t)
				other := openDB(t)
				mustExec(t, db, itemTable)
				onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
					rows := itemRows(n)
					var report copyin.Report
					o := copyin.Options{Format: format, Report: &report}
					check := func(source string, got int64, err error) {
						t.Helper()
						if err != nil || got != int64(n) {
							t.Fatalf("%s: %d, %v", source, got, err)
						}
						if want := format; report.Format != want && !(want == copyin.Auto && report.Format == copyin.Binary) {
							t.Errorf("%s: format %v, want %v", source, report.Format, want)
						}
						if len(report.Columns) != 5 || report.Bytes < int64(n)*20 {
							t.Errorf("%s: report %+v", source, report)
						}
						wantItems(t, q, n)
					}
					got, err := copyin.Rows(t.Context(), q, "item", rows, o)
					check("slice", got, err)
					got, err = copyin.Rows(t.Context(), q, "item", sequence(rows, nil), o)
					check("sequence", got, err)
					var maps []map[string]any
					type item struct {
						ID    int64
						Name  *string
						At    sql.Null[time.Time]
						Price sql.NullString
						Tags  []string
					}
					var structs []item
					var pointers []*item
					for _, r := range rows {
						maps = append(maps, map[string]any{"id": r[0], "name": r[1], "at": r[2], "price": r[3], "tags": r[4]})
						name := r[1].(string)
						it := item{int64(r[0].(int)), &name, sql.Null[time.Time]{V: noon, Valid: true}, sql.NullString{String: "1.50", Valid: true}, r[4].([]string)}
						structs, pointers = append(structs, it), append(pointers, &it)
					}
					got, err = copyin.Maps(t.Context(), q, "item", maps, o)
					check("maps", got, err)
					got, err = copyin.Structs(t.Context(), q, "item", structs, o)
					check("structs", got, err)
					got, err = copyin.Structs(t.Context(), q, "item", pointers, o)
					check("pointers", got, err)
					got, err = copyin.StructsSeq(t.Context(), q, "item", func(yield func(item, error) bool) {
						for _, it := range structs {
							if !yield(it, nil) {
								return
							}
						}
					}, o)
					check("structs of a sequence", got, err)
					if format == copyin.Binary { // the query gives tags as text
						return
					}
					o.Format = copyin.Text
					query, err := other.QueryContext(t.Context(), "select i as id, E'name\\t\\\\ \\n' || repeat('é', i % 5) as name, $2::timestamptz as at, 1.50 as price, array['a,b', '\"'] as tags from generate_series(0, $1::int - 1) i", n, noon)
					if err != nil {
						t.Fatal(err)
					}
					defer query.Close()
					got, err = copyin.Rows(t.Context(), q, "item", query, o)
					if err != nil || got != int64(n) {
						t.Fatalf("rows of a query: %d, %v", got, err)
					}
					wantItems(t, q, n)
				})
			})
		}
	}
}

var errSource = errors.New("the source failed")

func TestErrorOfASourceComesBackUnchanged(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, itemTable)
	for _, at := range []int{0, 1, 2000, 4000} {
		onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
			n, err := copyin.Rows(t.Context(), q, "item", sequence(itemRows(at), errSource), copyin.Options{})
			if n != 0 || err != errSource {
				t.Errorf("error at row %d: %d, %v", at, n, err)
			}
			if tx, ok := q.(*sql.Tx); ok {
				tx.Rollback()
				q = db
			}
			if got := word(t, q, "select count(*) from item"); got != "0" {
				t.Errorf("%s rows are left", got)
			}
		})
	}
}

// shout is a text that needs code of the user's.
type shout string

func (s shout) Value() (sqldriver.Value, error) { return strings.ToUpper(string(s)), nil }

func TestLateValuers(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table item (id int primary key, name text not null)")
	rows, maps := pairs(9000), itemMaps(9000)
	rows[7000][1], maps[7000]["name"] = shout("late"), shout("late")
	onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
		var report copyin.Report
		for name, copyAll := range map[string]func() (int64, error){
			"Rows": func() (int64, error) {
				return copyin.Rows(t.Context(), q, "item", rows, copyin.Options{Report: &report})
			},
			"Maps": func() (int64, error) {
				return copyin.Maps(t.Context(), q, "item", maps, copyin.Options{Report: &report})
			},
		} {
			n, err := copyAll()
			if n != 9000 || err != nil || report.Format != copyin.Binary {
				t.Errorf("%s: %d, %v, %+v", name, n, err, report)
			}
			if got := word(t, q, "select count(*) || ' ' || count(*) filter (where name = 'LATE') || ' ' || sum(id) from item"); got != "9000 1 40495500" {
				t.Errorf("%s: %s", name, got)
			}
			mustExec(t, q, "truncate item")
		}
	})
	rows[8000][0] = "x"
	_, err := copyin.Rows(t.Context(), db, "item", rows, copyin.Options{})
	var row *copyin.RowError
	if !errors.As(err, &row) || row.Row != 8001 || row.Column != "id" || row.Value != "x" {
		t.Errorf("%v", err)
	}
}
