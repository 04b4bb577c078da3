package ext_test

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/pycopg/pycopg/copyin"
	"github.com/pycopg/pycopg/copyout"
	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// spot is a Go type that stands for PostgreSQL's point.
type spot struct{ X, Y float64 }

var spotFuncs = ext.TypeFuncs[spot]{
	Encode: func(p spot) (string, error) { return fmt.Sprintf("(%v,%v)", p.X, p.Y), nil },
	Decode: func(text string) (p spot, err error) {
		_, err = fmt.Sscanf(text, "(%g,%g)", &p.X, &p.Y)
		if err != nil {
			err = fmt.Errorf("bad point representation: %q", text)
		}
		return p, err
	},
}

// level is a Go number that stands for an enum.
type level int

var levels = []string{"low", "mid", "high"}

func (l level) String() string { return "level " + levels[l] }

var levelFuncs = ext.TypeFuncs[level]{
	Encode: func(l level) (string, error) {
		if int(l) >= len(levels) {
			return "", fmt.Errorf("no level %d", int(l))
		}
		return levels[l], nil
	},
	Decode: func(text string) (level, error) {
		for i, name := range levels {
			if name == text {
				return level(i), nil
			}
		}
		return 0, fmt.Errorf("no level %q", text)
	},
}

// modes are settings under which statements take other ways.
var modes = map[string]func(*driver.Config){
	"default":            func(*driver.Config) {},
	"prepared at once":   func(cfg *driver.Config) { cfg.PrepareThreshold = 0 },
	"never prepared":     func(cfg *driver.Config) { cfg.PrepareThreshold = -1 },
	"pooler":             func(cfg *driver.Config) { cfg.Pooler = driver.PoolerTransaction },
	"compat=pq":          func(cfg *driver.Config) { cfg.Compat = driver.CompatPq },
	"column_scanner=off": func(cfg *driver.Config) { cfg.ColumnScanner = false },
}

// inEveryMode runs a test on a pool of each mode, on one database.
func inEveryMode(t *testing.T, setUp string, test func(t *testing.T, db *sql.DB)) {
	t.Helper()
	base := openDB(t)
	if setUp != "" {
		mustExec(t, base, setUp)
	}
	for name, change := range modes {
		t.Run(name, func(t *testing.T) {
			cfg := configOf(t, base)
			cfg.TimezoneScan, cfg.RuntimeParams["timezone"] = "utc", "UTC"
			change(cfg)
			db := sql.OpenDB(driver.NewConnector(cfg))
			t.Cleanup(func() { db.Close() })
			test(t, db)
		})
	}
}

func register[T any](t testing.TB, q ext.Querier, name string, funcs ext.TypeFuncs[T]) *ext.Type[T] {
	t.Helper()
	typ, err := ext.RegisterType(context.Background(), q, name, funcs)
	if err != nil {
		t.Fatal(err)
	}
	return typ
}

// wantRow compares a row that a query gives, several times, so that it is prepared on the way.
func wantRow[T any](t *testing.T, q ext.Querier, want T, query string, args ...any) {
	t.Helper()
	for use := range 7 {
		got, err := ext.QueryOne[T](t.Context(), q, query, args...)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s, use %d: %+v, %v, want %+v", query, use+1, got, err, want)
			return
		}
	}
}

const levelType = "create type level as enum ('low', 'mid', 'high')"

func TestRegisteredTypeInEveryMode(t *testing.T) {
	t.Parallel()
	inEveryMode(t, levelType, func(t *testing.T, db *sql.DB) {
		point := register(t, db, "point", spotFuncs)
		register(t, db, "level", levelFuncs)
		a, b := spot{1.23, 4.56}, spot{-1, 0}
		wantRow(t, db, a, "select $1::point", a)
		wantRow(t, db, a, "select $1::point", &a)
		wantRow(t, db, &a, "select $1::point", sql.Null[spot]{V: a, Valid: true})
		wantRow(t, db, (*spot)(nil), "select $1::point", (*spot)(nil))
		wantRow(t, db, []spot{a, b}, "select $1::point[]", []spot{a, b})
		wantRow(t, db, [][]*spot{{&a, nil}, {nil, &b}}, "select $1::point[]", [][]*spot{{&a, nil}, {nil, &b}})
		wantRow(t, db, []sql.Null[spot]{{V: a, Valid: true}, {}}, "select array[$1::point, null]", a)
		wantRow(t, db, level(2), "select $1::level", level(2))
		wantRow(t, db, []level{1, 0}, "select $1::level[]", []level{1, 0})
		type row struct {
			At     spot
			Maybe  *spot
			Null   sql.Null[spot]
			Path   []spot
			Level  level
			Levels []level
			Other  any
			N      int
		}
		wantRow(t, db, row{a, nil, sql.Null[spot]{V: b, Valid: true}, []spot{b}, 1, []level{2}, a, 7},
			"select $1::point as at, null::point as maybe, $2::point as null, array[$2::point] as path, 'mid'::level as level, '{high}'::level[] as levels, $1::point as other, 7 as n", a, b)
		wantRow(t, db, map[string]any{"p": a, "l": level(0), "ps": []any{a, nil}, "n": int64(1)},
			"select $1::point as p, 'low'::level as l, array[$1::point, null] as ps, 1::int8 as n", a)
		wantRow(t, db, []any{a, level(1), nil}, "select $1::point, $2::level, null::point", a, level(1))
		if got := word(t, db, "select $1::level::text || $2::point::text", level(1), a); got != "mid(1.23,4.56)" {
			t.Errorf("as text: %s", got)
		}
		for range 7 {
			var p spot
			var ps []spot
			var null *spot
			err := db.QueryRowContext(t.Context(), "select $1::point, $2::point[], null::point", a, []spot{a, b}).Scan(point.Into(&p), point.Into(&ps), point.Into(&null))
			if err != nil || p != a || !reflect.DeepEqual(ps, []spot{a, b}) || null != nil {
				t.Errorf("Into: %v, %v, %v, %v", p, ps, null, err)
			}
		}
		st, err := db.PrepareContext(t.Context(), "select $1::point::text")
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		var text string
		if err := st.QueryRowContext(t.Context(), a).Scan(&text); err != nil || text != "(1.23,4.56)" {
			t.Errorf("prepared: %s, %v", text, err)
		}
	})
}

func TestRegisteredTypeTravelsByCopyAndInBatches(t *testing.T) {
	t.Parallel()
	inEveryMode(t, levelType+"; create table item (id int, at point, level level, path point[])", func(t *testing.T, db *sql.DB) {
		register(t, db, "point", spotFuncs)
		register(t, db, "level", levelFuncs)
		type item struct {
			ID    int
			At    *spot
			Level level
			Path  []spot
		}
		a := spot{1.5, -2}
		items := []item{{1, &a, 2, []spot{a, {3, 4}}}, {2, nil, 0, nil}}
		check := func(what string, err error) {
			t.Helper()
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
			got, err := ext.Query[item](t.Context(), db, "select * from item order by id")
			if err != nil || !reflect.DeepEqual(got, items) {
				t.Errorf("%s: %+v, %v", what, got, err)
			}
			var copied []item
			for v, err := range copyout.Rows[item](t.Context(), db, copyout.Query("select * from item order by id")) {
				if err != nil {
					t.Fatalf("%s: copyout: %v", what, err)
				}
				copied = append(copied, v)
			}
			if !reflect.DeepEqual(copied, items) {
				t.Errorf("%s: copyout: %+v", what, copied)
			}
			mustExec(t, db, "delete from item")
		}
		_, err := ext.InsertMany(t.Context(), db, "item", items, ext.InsertOptions{})
		check("InsertMany", err)
		var sets [][]any
		for _, i := range items {
			sets = append(sets, []any{i.ID, i.At, i.Level, i.Path})
		}
		_, err = ext.ExecMany(t.Context(), db, "insert into item values ($1, $2, $3, $4)", sets)
		check("ExecMany", err)
		for _, format := range []copyin.Format{copyin.Auto, copyin.Text} {
			_, err = copyin.Structs(t.Context(), db, "item", items, copyin.Options{Format: format})
			check(fmt.Sprintf("copyin.Structs, format %v", format), err)
			_, err = copyin.Rows(t.Context(), db, "item", sets, copyin.Options{Format: format})
			check(fmt.Sprintf("copyin.Rows, format %v", format), err)
		}
		for p, err := range copyout.Rows[spot](t.Context(), db, copyout.Query("select point(1.5, -2)")) {
			if err != nil || p != a {
				t.Errorf("one column: %v, %v", p, err)
			}
		}
		many, err := ext.QueryMany[spot](t.Context(), db, "select $1::point", [][]any{{a}, {spot{7, 8}}})
		if err != nil || !reflect.DeepEqual(many, [][]spot{{a}, {{7, 8}}}) {
			t.Errorf("QueryMany: %v, %v", many, err)
		}
		for p, err := range ext.Stream[*spot](t.Context(), db, "select $1::point", a) {
			if err != nil || *p != a {
				t.Errorf("Stream: %v, %v", p, err)
			}
		}
	})
}

func TestATypeThatIsMadeAgainKeepsItsGoType(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	make := "create type level as enum ('low', 'mid', 'high'); create type pair as (a int, b level)"
	mustExec(t, db, make)
	register(t, db, "level", levelFuncs)
	if _, err := ext.LoadTypes(t.Context(), db, "pair"); err != nil {
		t.Fatal(err)
	}
	type pair struct {
		A int
		B level
	}
	for range 3 {
		wantRow(t, db, level(1), "select $1::level", level(1))
		wantRow(t, db, pair{1, 2}, "select $1::pair", pair{1, 2})
		wantRow(t, db, map[string]any{"p": map[string]any{"a": int64(1), "b": level(2)}}, "select '(1,high)'::pair as p")
		mustExec(t, db, "drop type pair; drop type level")
		mustExec(t, db, make)
	}
	mustExec(t, db, "alter type pair add attribute c text")
	type triple struct {
		A int
		B level
		C *string
	}
	wantRow(t, db, triple{1, 2, nil}, "select row(1, 'high'::level, null)::pair")
}

func TestRegisterTypeRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, `create type "Mood" as enum ('a'); create type small as enum ('a')`)
	want := func(what string, err error, text string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v, want %q", what, err, text)
		}
	}
	_, err := ext.RegisterType(t.Context(), db, "point", ext.TypeFuncs[spot]{Encode: spotFuncs.Encode})
	want("without Decode", err, "needs a Decode")
	_, err = ext.RegisterType(t.Context(), db, "point", ext.TypeFuncs[*spot]{Decode: func(string) (*spot, error) { return nil, nil }})
	want("a pointer", err, "pointers")
	_, err = ext.RegisterType(t.Context(), db, "point", ext.TypeFuncs[string]{Decode: func(string) (string, error) { return "", nil }})
	want("a string", err, "no type of the program's own")
	type plain int
	_, err = ext.RegisterType(t.Context(), db, "point", ext.TypeFuncs[plain]{Decode: func(string) (plain, error) { return 0, nil }})
	want("a plain number", err, "needs a method")
	_, err = ext.RegisterType(t.Context(), db, "numeric", ext.TypeFuncs[ext.Numeric]{Decode: ext.ParseNumeric})
	want("a Valuer", err, "driver.Valuer")
	_, err = ext.RegisterType(t.Context(), db, "nothing", spotFuncs)
	want("no type", err, "42704")
	if sqlState(err) != "42704" {
		t.Errorf("SQLSTATE %q", sqlState(err))
	}
	_, err = ext.RegisterType(t.Context(), db, "Small", spotFuncs)
	want("another case", err, "small does")
	_, err = ext.RegisterType(t.Context(), db, "a.b.c", spotFuncs)
	want("three parts", err, "3 parts")
	_, err = ext.RegisterType(t.Context(), foreignDB(t), "point", spotFuncs)
	wantForeign(t, "RegisterType", err)
	register(t, db, "Mood", levelFuncs)

	register(t, db, "point", spotFuncs)
	register(t, db, "small", levelFuncs)
	_, err = db.ExecContext(t.Context(), "select $1::small", level(7))
	want("an Encode that fails", err, "no level 7")
	_, err = ext.QueryVal[level](t.Context(), db, "select 'a'::small")
	want("a Decode that fails", err, `no level "a"`)
	_, err = ext.QueryVal[spot](t.Context(), db, "select null::point")
	want("NULL", err, "NULL does not fit")
	_, err = ext.QueryVal[[]spot](t.Context(), db, "select array[null]::point[]")
	want("a NULL element", err, "array element 0")
	if n := word(t, db, "select 1"); n != "1" {
		t.Errorf("afterwards: %s", n)
	}
}

func TestAPanicOfATypesFunctionIsAnError(t *testing.T) {
	t.Parallel()
	type spot struct{ X float64 }
	db := openDB(t)
	for _, q := range []ext.Querier{db, one(t, db), begin(t, db)} {
		_, err := ext.RegisterType(t.Context(), q, "point", ext.TypeFuncs[spot]{
			Encode: func(spot) (string, error) { panic("in Encode") }, Decode: func(string) (spot, error) { panic("in Decode") },
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ext.QueryVal[spot](t.Context(), q, "select point(1, 2)"); err == nil || !strings.Contains(err.Error(), "panic: in Decode") {
			t.Errorf("decode: %v", err)
		}
		if _, err := q.ExecContext(t.Context(), "select $1::point", spot{1}); err == nil || !strings.Contains(err.Error(), "panic: in Encode") {
			t.Errorf("encode: %v", err)
		}
		if got := word(t, q, "select 'usable'"); got != "usable" {
			t.Errorf("%q", got)
		}
	}
}

func TestTypesMayBeRegisteredWhileStatementsRun(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	db.SetMaxOpenConns(4)
	mustExec(t, db, levelType+"; create type pair as (a int, b level)")
	register(t, db, "point", spotFuncs)
	var wait sync.WaitGroup
	for n := range 4 {
		wait.Go(func() {
			for range 30 {
				switch n {
				case 0:
					register(t, db, "point", spotFuncs)
					register(t, db, "level", levelFuncs)
				case 1:
					if _, err := ext.LoadTypes(t.Context(), db, "pair", "level"); err != nil {
						t.Error(err)
					}
				default:
					if p, err := ext.QueryVal[spot](t.Context(), db, "select $1::point", spot{1, 2}); err != nil || p != (spot{1, 2}) {
						t.Errorf("%v, %v", p, err)
					}
					if _, err := ext.Query[map[string]any](t.Context(), db, "select '(1,low)'::pair as p, 'mid'::level as l"); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wait.Wait()
}

func TestLookupTypeDescribesEveryKind(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, `create schema app; create type app."odd mood" as enum ('sad', 'it''s ok'); create domain app.age as int check (value > 0);
		create type app.pair as (a app.age, "b c" app."odd mood"); create type app.span as range (subtype = float8); create table app.item (id int, gone int, name text);
		alter table app.item drop column gone; create extension hstore`)
	for name, want := range map[string]string{
		"point":                    "pg_catalog point b 600",
		"timestamp with time zone": "pg_catalog timestamptz b 1184",
		"int[]":                    "pg_catalog _int4 b 1007",
		`app."odd mood"`:           "app odd mood e [sad it's ok]",
		"app.age":                  "app age d base",
		"app.pair":                 "app pair c a,b c",
		"app.span":                 "app span r subtype 701",
		"app.item":                 "app item c id,name",
		`app."odd mood"[]`:         "app _odd mood b elem",
		"hstore":                   "public hstore b",
	} {
		info, err := ext.LookupType(t.Context(), db, name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := fmt.Sprintf("%s %s %c", info.Schema, info.Name, info.Kind)
		switch {
		case info.OID < 16384:
			got += fmt.Sprintf(" %d", info.OID)
		case info.Labels != nil:
			got += fmt.Sprintf(" %v", info.Labels)
		case info.Base != 0:
			got += " base"
		case info.Fields != nil:
			var names []string
			for _, f := range info.Fields {
				names = append(names, f.Name)
			}
			got += " " + strings.Join(names, ",")
		case info.Subtype != 0:
			got += fmt.Sprintf(" subtype %d", info.Subtype)
		case info.Elem != 0:
			got += " elem"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	multi, err := ext.LookupType(t.Context(), db, "int4multirange")
	if err != nil || multi.Kind != driver.MultirangeType || multi.Subtype != 3904 || multi.Array != 6150 {
		t.Errorf("multirange: %+v, %v", multi, err)
	}
}

// The example of psycopg2's documentation: a Go type is adapted to the geometric type, and back.
func TestPointOfThePsycopgDocumentation(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table atable (apoint point)")
	type Point struct{ X, Y float64 }
	info, err := ext.LookupType(t.Context(), db, "point")
	if err != nil || info.OID != 600 {
		t.Fatalf("point: %+v, %v", info, err)
	}
	described, err := ext.Describe(t.Context(), db, "SELECT NULL::point")
	if err != nil || described.Columns[0].OID != 600 {
		t.Fatalf("described: %+v, %v", described, err)
	}
	register(t, db, "point", ext.TypeFuncs[Point]{
		Encode: func(p Point) (string, error) { return fmt.Sprintf("(%v, %v)", p.X, p.Y), nil },
		Decode: func(text string) (p Point, err error) {
			if _, err := fmt.Sscanf(text, "(%g,%g)", &p.X, &p.Y); err != nil {
				return p, fmt.Errorf("bad point representation: %q", text)
			}
			return p, nil
		},
	})
	mustExec(t, db, "INSERT INTO atable (apoint) VALUES ($1)", Point{1.23, 4.56})
	if got := word(t, db, "select apoint from atable"); got != "(1.23,4.56)" {
		t.Errorf("stored: %s", got)
	}
	point, err := ext.QueryVal[Point](t.Context(), db, "SELECT '(10.2,20.3)'::point")
	if got := fmt.Sprintf("%T %v %v", point, point.X, point.Y); err != nil || got != "ext_test.Point 10.2 20.3" {
		t.Errorf("%s, %v", got, err)
	}
	row, err := ext.QueryOne[[]any](t.Context(), db, "SELECT '(10.2,20.3)'::point, NULL::point, array['(1,2)'::point]")
	if err != nil || !reflect.DeepEqual(row, []any{Point{10.2, 20.3}, nil, []any{Point{1, 2}}}) {
		t.Errorf("%v, %v", row, err)
	}
}
