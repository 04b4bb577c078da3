package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// readSets returns the first column of all rows of all result sets, by set.
func readSets(rows *sql.Rows) (sets [][]string, err error) {
	defer rows.Close()
	for {
		set := []string{}
		columns, err := rows.Columns()
		if err != nil {
			return sets, err
		}
		for rows.Next() {
			values := make([]any, len(columns))
			var first sql.NullString
			for i := range values {
				values[i] = new(any)
			}
			if len(values) > 0 {
				values[0] = &first
			}
			if err := rows.Scan(values...); err != nil {
				return sets, err
			}
			if !first.Valid {
				first.String = "NULL"
			}
			set = append(set, first.String)
		}
		if len(columns) > 0 || len(set) > 0 {
			sets = append(sets, set)
		}
		if err := rows.Err(); err != nil || !rows.NextResultSet() {
			return sets, errors.Join(err, rows.Err())
		}
	}
}

func TestMultiStatementTextGivesEveryResultSet(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table item (n int)")
	tests := []struct {
		name  string
		query string
		want  [][]string
	}{
		{"two sets", "select 1; select 'a' union all select 'b'", [][]string{{"1"}, {"a", "b"}}},
		{"an empty set first", "select 1 where false; select 2", [][]string{{}, {"2"}}},
		{"an empty set between", "select 1; select 2 where false; select 3", [][]string{{"1"}, {}, {"3"}}},
		{"an empty set last", "select 1; select 2 where false", [][]string{{"1"}, {}}},
		{"only empty sets", "select 1 where false; select 2 where false", [][]string{{}, {}}},
		{"statements without rows are no sets", "insert into item values (1); select 5; insert into item values (2); select 6", [][]string{{"5"}, {"6"}}},
		{"no sets at all", "insert into item values (3); update item set n = n", nil},
		{"empty statements between", ";; select 1;;; select 2;", [][]string{{"1"}, {"2"}}},
		{"returning is a set", "insert into item values (7) returning n; select 8", [][]string{{"7"}, {"8"}}},
		{"NULL", "select null; select 'x'", [][]string{{"NULL"}, {"x"}}},
		{"one statement and a semicolon", "select 1;", [][]string{{"1"}}},
		{"semicolon in a string", "select ';'", [][]string{{";"}}},
		{"different columns", "select 1, 2, 3; select 4", [][]string{{"1"}, {"4"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rows, err := db.QueryContext(t.Context(), tt.query)
			if err != nil {
				t.Fatal(err)
			}
			got, err := readSets(rows)
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("sets of %q = %v, %v, want %v", tt.query, got, err, tt.want)
			}
		})
	}
}

func TestNextResultSetSkipsUnreadRows(t *testing.T) {
	t.Parallel()
	rows, err := openDB(t).QueryContext(t.Context(), "select * from generate_series(1, 5000); select 'second' as name")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	rows.Next()
	if !rows.NextResultSet() {
		t.Fatalf("no second set: %v", rows.Err())
	}
	if columns, err := rows.Columns(); err != nil || !reflect.DeepEqual(columns, []string{"name"}) {
		t.Errorf("columns of the second set = %v, %v", columns, err)
	}
	var got string
	if !rows.Next() || rows.Scan(&got) != nil || got != "second" {
		t.Errorf("row of the second set = %q, %v", got, rows.Err())
	}
	if rows.NextResultSet() || rows.Err() != nil {
		t.Errorf("a third set, or an error: %v", rows.Err())
	}
}

func TestErrorOfALaterStatementSurfaces(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table item (n int)")
	for _, query := range []string{
		"select 1; select 1/0",
		"select 1 where false; select 1/0",
		"insert into item values (1); select 1/0",
		"insert into item values (1); select 1/0; insert into item values (2)",
		"select 1; insert into item values (1/0)",
	} {
		rows, err := db.QueryContext(t.Context(), query)
		if err == nil {
			_, err = readSets(rows)
		}
		if sqlState(err) != "22012" {
			t.Errorf("Query %q: error = %v, want division by zero", query, err)
		}
		if _, err := db.ExecContext(t.Context(), query); sqlState(err) != "22012" {
			t.Errorf("Exec %q: error = %v, want division by zero", query, err)
		}
	}
	if n := number(t, db, "select count(*) from item"); n != 0 {
		t.Errorf("%d rows remain of texts that failed, want 0: a text is one implicit transaction", n)
	}
}

func TestClosingRowsEarlyReportsALaterStatementsError(t *testing.T) {
	t.Parallel()
	rows, err := openDB(t).QueryContext(t.Context(), "select 1; select 1/0")
	if err != nil {
		t.Fatal(err)
	}
	if err := rows.Close(); sqlState(err) != "22012" {
		t.Errorf("Close = %v, want division by zero", err)
	}
}

func TestExecCountsTheLastStatement(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table item (n int)")
	tests := []struct {
		query string
		args  []any
		want  int64
	}{
		{"insert into item select * from generate_series(1, 3)", nil, 3},
		{"insert into item values (4); update item set n = n + 1", nil, 4},
		{"update item set n = n + $1", []any{1}, 4},
		{"select * from item", nil, 4},
		{"delete from item where n > $1", []any{1000}, 0},
		{"create table other (n int)", nil, 0},
		{"", nil, 0},
		{" -- nothing\n", nil, 0},
		{";", nil, 0},
	}
	for _, tt := range tests {
		res, err := db.ExecContext(t.Context(), tt.query, tt.args...)
		if err != nil {
			t.Errorf("%q: %v", tt.query, err)
			continue
		}
		if n, err := res.RowsAffected(); n != tt.want || err != nil {
			t.Errorf("%q: RowsAffected = %d, %v, want %d", tt.query, n, err, tt.want)
		}
		if _, err := res.LastInsertId(); err == nil {
			t.Errorf("%q: LastInsertId gave no error", tt.query)
		}
	}
}

func TestEmptyQueryHasNoRowsAndNoColumns(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	for _, query := range []string{"", ";", " -- comment", "insert into item values (1)"} {
		mustExec(t, db, "create table if not exists item (n int)")
		rows, err := db.QueryContext(t.Context(), query)
		if err != nil {
			t.Errorf("%q: %v", query, err)
			continue
		}
		columns, err := rows.Columns()
		if err != nil || len(columns) != 0 || rows.Next() || rows.Err() != nil {
			t.Errorf("%q: columns %v, %v; rows.Err %v", query, columns, err, rows.Err())
		}
		rows.Close()
	}
	if err := db.QueryRowContext(t.Context(), "").Scan(); !errors.Is(err, sql.ErrNoRows) {
		t.Errorf("QueryRow of an empty text = %v, want ErrNoRows", err)
	}
}

func TestRowsWithoutColumnsAreCounted(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	for _, query := range []string{"select from generate_series(1, 3)", "select; select from generate_series(1, 2)"} {
		rows, err := db.QueryContext(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for {
			for rows.Next() {
				if err := rows.Scan(); err != nil {
					t.Errorf("%q: Scan: %v", query, err)
				}
				n++
			}
			if !rows.NextResultSet() {
				break
			}
		}
		if err := rows.Close(); n != 3 || err != nil || rows.Err() != nil {
			t.Errorf("%q: %d rows, %v, %v, want 3", query, n, err, rows.Err())
		}
	}
	if res, err := db.ExecContext(t.Context(), "select from generate_series(1, 3) where $1 = 1", 1); err != nil {
		t.Error(err)
	} else if n, _ := res.RowsAffected(); n != 3 {
		t.Errorf("Exec counted %d rows, want 3", n)
	}
}

func TestNullsSurviveBothWays(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	for range 8 { // unprepared first, prepared later
		var word sql.NullString
		var n sql.NullInt64
		var truth int
		row := db.QueryRowContext(context.Background(), "select $1::text, $2::int, case when $3::text is null then 1 else 0 end", nil, nil, nil)
		if err := row.Scan(&word, &n, &truth); err != nil || word.Valid || n.Valid || truth != 1 {
			t.Fatalf("got %v, %v, %d, %v, want NULL, NULL, 1", word, n, truth, err)
		}
	}
}

func TestSeveralStatementsWithArgumentsNameTheRule(t *testing.T) {
	t.Parallel()
	_, err := openDB(t).Exec("select $1::int; select 2", 1)
	if err == nil || !strings.Contains(err.Error(), "several statements takes no arguments") || sqlState(err) != "42601" {
		t.Errorf("error = %v", err)
	}
}
