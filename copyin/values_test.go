package copyin_test

import (
	"database/sql"
	sqldriver "database/sql/driver"
	"encoding/json"
	"errors"
	"iter"
	"math"
	"math/big"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pycopg/pycopg/copyin"
	"github.com/pycopg/pycopg/ext"
)

type (
	mood    string
	level   int
	upper   string // its Value is in upper case
	version struct{ Major int }
)

func (u upper) Value() (sqldriver.Value, error) { return strings.ToUpper(string(u)), nil }
func (v version) MarshalJSON() ([]byte, error)  { return json.Marshal(map[string]int{"major": v.Major}) }

var errValuer = errors.New("no value")

type failing struct{}

func (failing) Value() (sqldriver.Value, error) { return nil, errValuer }

// TestValuesAreStoredAsStatementsStoreThem copies values of many Go types into columns of many types, and compares with
// INSERT: the same is stored, or both refuse.
func TestValuesAreStoredAsStatementsStoreThem(t *testing.T) {
	t.Parallel()
	seven, text := 7, "text"
	values := []any{
		7, int8(7), int16(-7), int32(7), int64(1 << 40), uint(7), uint8(7), uint64(math.MaxUint64), level(7), 1.5, 2.0, float32(1.25), float32(0.1), math.NaN(), math.Inf(-1), math.Copysign(0, -1),
		true, false, "", "7", "1.50", "text", "{a,b}", `{"a": 1}`, "2024-05-06", "2024-05-06 07:08:09+02", "10.0.0.1", "ok", "00010203-0405-0607-0809-0a0b0c0d0e0f", `\x00ff`, "1 day", "true", " 7 ",
		mood("ok"), upper("ok"), []byte("bytes"),
		[]byte{0, 255},
		[]byte(nil),
		[]byte{},
		[16]byte{1, 2, 3},
		noon, noon.In(time.FixedZone("", 3600*5)),
		time.Time{},
		90 * time.Minute, -time.Second,
		[]string{"a", `b"c`, "NULL", ""},
		[]string{},
		[]string(nil),
		[]int{1, 2},
		[]int64{1 << 40},
		[]int32{-1},
		[]float64{1.5, math.NaN()},
		[]bool{true},
		[][]byte{{1}, nil},
		[][]int{{1, 2}, {3, 4}},
		[]time.Time{noon},
		[]mood{"ok"},
		[]*int{&seven, nil},
		&seven, (*int)(nil), &text,
		sql.NullString{},
		sql.Null[int]{V: 7, Valid: true},
		sql.NullTime{Time: noon, Valid: true},
		map[string]any{"a": 1.5},
		version{3},
		json.RawMessage(`[1]`), big.NewInt(1 << 60), netip.MustParseAddr("10.0.0.1"), netip.MustParsePrefix("10.0.0.0/8"),
		pgtype.Numeric{Int: big.NewInt(150), Exp: -2, Valid: true},
		pgtype.Range[pgtype.Int4]{Lower: pgtype.Int4{Int32: 1, Valid: true}, LowerType: pgtype.Inclusive, Upper: pgtype.Int4{Int32: 5, Valid: true}, UpperType: pgtype.Exclusive, Valid: true},
		"a\x00b", "\xff", 1e300, "infinity",
	}
	db := openDB(t)
	mustExec(t, db, "create type mood as enum ('ok', 'OK'); create domain positive as int check (value > 0); create domain blob as bytea; create domain tags as text[]")
	conn := one(t, db)
	for _, typ := range strings.Fields(`smallint int bigint real float8 numeric numeric(5,1) bool text varchar char(4) "char" name json jsonb bytea uuid date timestamp timestamptz time interval inet cidr oid
		mood positive blob tags text[] int[] bigint[] float8[] bool[] bytea[] timestamptz[] mood[] int4range bit varbit xml point`) {
		table := "v_" + strings.Trim(strings.NewReplacer("[]", "_array", "(", "_", ")", "", ",", "_", `"`, "").Replace(typ), "_")
		mustExec(t, conn, "create table "+table+" (v "+typ+")")
		stored := func() string {
			return word(t, conn, "with stored as (delete from "+table+" returning v::text) select coalesce(string_agg(coalesce(v, 'NULL'), ' and '), 'nothing') from stored")
		}
		for _, v := range values {
			_, refused := conn.ExecContext(t.Context(), "insert into "+table+" values ($1)", v)
			want := stored()
			for _, format := range []copyin.Format{copyin.Auto, copyin.Text, copyin.Binary} {
				_, err := copyin.Rows(t.Context(), conn, table, [][]any{{v}}, copyin.Options{Format: format})
				got := stored()
				if got == want && (err == nil) == (refused == nil) || format == copyin.Binary && err != nil { // what has no binary form is refused by name
					continue
				}
				t.Errorf("%T %v into %s, %v: %s (%v), want %s (%v)", v, v, typ, format, got, err, want, refused)
			}
		}
	}
}

func TestClientRefusesByRowColumnAndValue(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table t (id int, name text)")
	rows := func(bad any) [][]any {
		rows := pairs(5000)
		rows[4000] = []any{bad, "x"}
		return rows
	}
	tests := []struct {
		name   string
		bad    any
		column string
		cause  error
	}{
		{"too large", int64(1) << 40, "id", nil}, {"fraction", 1.5, "id", nil}, {"text", "abc", "id", nil}, {"channel", make(chan int), "id", nil}, {"Valuer", failing{}, "id", errValuer},
	}
	for _, tt := range tests {
		for _, format := range []copyin.Format{copyin.Auto, copyin.Binary, copyin.Text} {
			onEveryHandle(t, db, func(t *testing.T, q ext.Querier) {
				for name, load := range map[string]func() (int64, error){
					"slice": func() (int64, error) {
						return copyin.Rows(t.Context(), q, "t", rows(tt.bad), copyin.Options{Format: format})
					},
					"sequence": func() (int64, error) {
						return copyin.Rows(t.Context(), q, "t", each(rows(tt.bad)), copyin.Options{Format: format})
					},
				} {
					n, err := load()
					var row *copyin.RowError
					if n != 0 || !errors.As(err, &row) || row.Row != 4001 || row.Column != tt.column || tt.cause != nil && !errors.Is(err, tt.cause) {
						t.Errorf("%s, %s, %v: %d, %#v", tt.name, name, format, n, err)
						continue
					}
					if tt.name != "channel" && !reflect.DeepEqual(row.Value, tt.bad) && row.Value != "1.5" && row.Value != "1099511627776" && row.Value != "abc" {
						t.Errorf("%s, %s, %v: value %#v", tt.name, name, format, row.Value)
					}
					if tx, ok := q.(*sql.Tx); ok {
						tx.Rollback()
						return
					}
				}
			})
		}
	}
	for name, bad := range map[string][]any{"extra": {1, "x", 2}, "missing": {1}} {
		_, err := copyin.Rows(t.Context(), db, "t", append(pairs(3), bad), copyin.Options{})
		var row *copyin.RowError
		if !errors.As(err, &row) || row.Row != 4 {
			t.Errorf("%s: %v", name, err)
		}
	}
	maps := []map[string]any{{"id": 1, "name": "x"}, {"id": 1}, {"id": 1, "name": "x", "z": 2}}
	for i, column := range []string{"", "name", "z"} {
		if i == 0 {
			continue
		}
		_, err := copyin.Maps(t.Context(), db, "t", []map[string]any{maps[0], maps[i]}, copyin.Options{})
		var row *copyin.RowError
		if !errors.As(err, &row) || row.Row != 2 || row.Column != column {
			t.Errorf("map %d: %v", i, err)
		}
	}
	_, err := copyin.Structs(t.Context(), db, "t", []*itemRow{{1, "x"}, nil}, copyin.Options{})
	var row *copyin.RowError
	if !errors.As(err, &row) || row.Row != 2 {
		t.Errorf("nil pointer: %v", err)
	}
	if got := word(t, db, "select count(*) from t"); got != "0" {
		t.Errorf("%s rows", got)
	}
}

func TestGeneratedAndDefaultColumns(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, `create table t (id int generated always as identity, n int, twice int generated always as (n * 2) stored, at text default 'now', s serial)`)
	type row struct {
		ID    int `db:",omitzero"`
		N     int
		Twice int
		At    *string `db:",omitzero"`
		S     int     `db:",omitzero"`
	}
	if n, err := copyin.Structs(t.Context(), db, "t", []row{{N: 1}, {N: 2}}, copyin.Options{}); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	now := "then"
	if n, err := copyin.Structs(t.Context(), db, "t", []row{{ID: 7, N: 3, At: &now, S: 9}}, copyin.Options{}); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if n, err := copyin.Structs(t.Context(), db, "t", []row{{N: 4}}, copyin.Options{Columns: []string{"n"}}); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if n, err := copyin.Rows(t.Context(), db, "t", [][]any{{5, 50, "x", 500}}, copyin.Options{}); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	want := "(1,1,2,now,1)(2,2,4,now,2)(7,3,6,then,9)(3,4,8,now,3)(5,50,100,x,500)"
	if got := word(t, db, "select string_agg(t::text, '' order by n) from t"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	var re *copyin.RowError
	if _, err := copyin.Structs(t.Context(), db, "t", []row{{N: 1}, {N: 2, S: 4}}, copyin.Options{}); !errors.As(err, &re) || re.Row != 2 {
		t.Errorf("a default for some: %v", err)
	}
	if _, err := copyin.Structs(t.Context(), db, "t", []row{{Twice: 1}}, copyin.Options{Columns: []string{"twice"}}); sqlState(err) != "42P10" {
		t.Errorf("a generated column by name: %v", err)
	}
	for name, run := range map[string]func() (int64, error){
		"unknown column": func() (int64, error) {
			return copyin.Structs(t.Context(), db, "t", []struct{ Z int }{{1}}, copyin.Options{})
		},
		"no field": func() (int64, error) {
			return copyin.Structs(t.Context(), db, "t", []row{{}}, copyin.Options{Columns: []string{"z"}})
		},
		"no struct": func() (int64, error) { return copyin.Structs(t.Context(), db, "t", []int{1}, copyin.Options{}) },
		"twice": func() (int64, error) {
			return copyin.Rows(t.Context(), db, "t", [][]any{{1, 2}}, copyin.Options{Columns: []string{"n", "n"}})
		},
		"format": func() (int64, error) {
			return copyin.Rows(t.Context(), db, "t", [][]any{{1}}, copyin.Options{Format: copyin.CSVFormat})
		},
	} {
		if n, err := run(); n != 0 || err == nil || sqlState(err) != "" {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
}

func TestNothingToCopy(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, faultTable)
	var none iter.Seq2[[]any, error] = each([][]any(nil))
	for name, run := range map[string]func() (int64, error){
		"rows":     func() (int64, error) { return copyin.Rows(t.Context(), db, "item", [][]any{}, copyin.Options{}) },
		"sequence": func() (int64, error) { return copyin.Rows(t.Context(), db, "item", none, copyin.Options{}) },
		"structs":  func() (int64, error) { return copyin.Structs(t.Context(), db, "item", []itemRow{}, copyin.Options{}) },
		"structs of a sequence": func() (int64, error) {
			return copyin.StructsSeq(t.Context(), db, "item", each([]itemRow(nil)), copyin.Options{})
		},
		"maps": func() (int64, error) { return copyin.Maps(t.Context(), db, "item", nil, copyin.Options{}) },
		"stream": func() (int64, error) {
			return copyin.From(t.Context(), db, "copy item from stdin", strings.NewReader(""))
		},
	} {
		if n, err := run(); n != 0 || err != nil {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
}

func TestPanicOfASourceAborts(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, faultTable)
	conn := one(t, db)
	func() {
		defer func() {
			if recover() != "in the source" {
				t.Error("the panic was swallowed")
			}
		}()
		copyin.Rows(t.Context(), conn, "item", func(yield func([]any, error) bool) {
			for _, r := range pairs(5000) {
				yield(r, nil)
			}
			panic("in the source")
		}, copyin.Options{})
	}()
	if got := word(t, conn, "select count(*) from item"); got != "0" {
		t.Errorf("%s rows", got)
	}
}

func TestMocksSeeTheStatement(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		statement string
		run       func(db *sql.DB) (int64, error)
	}{
		"Structs": {`copy "item" ("id", "name") from stdin`, func(db *sql.DB) (int64, error) {
			return copyin.Structs(t.Context(), db, "item", itemStructs(5), copyin.Options{})
		}},
		"sequence": {`copy "item" from stdin`, func(db *sql.DB) (int64, error) {
			return copyin.Rows(t.Context(), db, "item", each(pairs(5)), copyin.Options{})
		}},
		"CSV": {`copy "item" ("id", "name") from stdin (format csv)`, func(db *sql.DB) (int64, error) {
			return copyin.CSV(t.Context(), db, "item", strings.NewReader(csvText(5)), copyin.CSVOptions{})
		}},
		"Writer": {`copy "item" from stdin`, func(db *sql.DB) (int64, error) {
			w, err := copyin.NewWriter(t.Context(), db, "item", copyin.Options{})
			if err != nil {
				return 0, err
			}
			w.WriteRow(1, "x")
			return w.Rows(), w.Close()
		}},
	} {
		db, mock, err := sqlmock.New(sqlmock.QueryMatcherOption(sqlmock.QueryMatcherEqual))
		if err != nil {
			t.Fatal(err)
		}
		mock.ExpectExec(tt.statement).WillReturnResult(sqlmock.NewResult(0, 5))
		if n, err := tt.run(db); n != 5 || err != nil {
			t.Errorf("%s: %d, %v", name, n, err)
		}
		if err := mock.ExpectationsWereMet(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
