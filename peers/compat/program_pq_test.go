package compat

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	pqdriver "github.com/lib/pq"
	"github.com/lib/pq/hstore"

	"github.com/pycopg/pycopg/sqltest"
)

// onPqAndOurs runs a lib/pq program on lib/pq and on this driver in both of its compat modes, or in those that are named.
func onPqAndOurs(t *testing.T, program func(t *testing.T, db *sql.DB), modes ...string) {
	t.Parallel()
	for name, settings := range map[string][]string{"lib/pq": nil, "compat=pgx": {"compat", "pgx"}, "compat=pq": {"compat", "pq"}} {
		if len(modes) > 0 && !slices.Contains(modes, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			driverName := ours
			if settings == nil {
				driverName = pq
			}
			program(t, open(t, driverName, dsnOf(t, sqltest.Options{}), settings...))
		})
	}
}

func TestPqArrayProgram(t *testing.T) {
	onPqAndOurs(t, func(t *testing.T, db *sql.DB) {
		mustExec(t, db, "create table a (i int8[], s text[], b bool[], f float8[], y bytea[], d int4[][], t timestamptz[])")
		at := time.Date(2020, 1, 2, 3, 4, 5, 6000, time.UTC)
		for range 7 {
			if _, err := db.ExecContext(t.Context(), "insert into a values ($1, $2, $3, $4, $5, $6, $7)", pqdriver.Array([]int64{1, -2}),
				pqdriver.Array([]string{"", `"\`, "NULL"}), pqdriver.BoolArray{true, false}, pqdriver.Float64Array{1.5, -2}, pqdriver.ByteaArray{{0, 255}, {}},
				pqdriver.Array([][]int64{{1, 2}, {3, 4}}), pqdriver.Array([]time.Time{at})); err != nil {
				t.Fatal(err)
			}
			var ints pqdriver.Int64Array
			var words []string
			var bools []bool
			var floats []float64
			var bytes [][]byte
			var deep string
			var instants pqdriver.StringArray
			if err := db.QueryRowContext(t.Context(), "delete from a where i && $1 returning *", pqdriver.Array([]int64{1})).Scan(&ints,
				pqdriver.Array(&words), pqdriver.Array(&bools), pqdriver.Array(&floats), pqdriver.Array(&bytes), &deep, &instants); err != nil {
				t.Fatal(err)
			}
			got := fmt.Sprintf("%v %q %v %v %x %s %v", ints, words, bools, floats, bytes, deep, instants[0][:10])
			if want := `[1 -2] ["" "\"\\" "NULL"] [true false] [1.5 -2] [00ff ] {{1,2},{3,4}} 2020-01-02`; got != want {
				t.Errorf("read back %s, want %s", got, want)
			}
		}
		var empty []string
		if err := db.QueryRowContext(t.Context(), "select null::text[]").Scan(pqdriver.Array(&empty)); err != nil || empty != nil {
			t.Errorf("NULL array: %v, %v", empty, err)
		}
	})
}

func TestPqCopyProgram(t *testing.T) {
	onPqAndOurs(t, func(t *testing.T, db *sql.DB) {
		mustExec(t, db, `create schema s; create table s.users (id int4, "Name" text, age int8, at timestamptz, raw bytea)`)
		copyRows := func(n int, last error) error {
			tx, err := db.BeginTx(t.Context(), nil)
			if err != nil {
				return err
			}
			defer tx.Rollback()
			//lint:ignore SA1019 deprecated, and what programs call
			stmt, err := tx.PrepareContext(t.Context(), pqdriver.CopyInSchema("s", "users", "id", "Name", "age", "at", "raw"))
			if err != nil {
				return err
			}
			for i := range n {
				if _, err := stmt.Exec(i, fmt.Sprintf("tab\t, line\n, back\\slash %d", i), nil, time.Unix(int64(i), 0), []byte{0, '\\', byte(i)}); err != nil {
					return errors.Join(err, stmt.Close())
				}
			}
			if last != nil {
				if _, err := stmt.Exec("not a number", "x", 1, nil, nil); err != nil {
					return errors.Join(err, stmt.Close())
				}
			}
			if _, err := stmt.Exec(); err != nil {
				return errors.Join(err, stmt.Close())
			}
			return errors.Join(stmt.Close(), tx.Commit())
		}
		if err := copyRows(3000, nil); err != nil {
			t.Fatal(err)
		}
		var pqErr *pqdriver.Error
		if err := copyRows(10, errors.New("bad row")); !errors.As(err, &pqErr) || pqErr.Code != "22P02" {
			t.Errorf("COPY of a bad row: %v, want 22P02", err)
		}
		if n := queryVal[int](t, db, `select count(*) from s.users where "Name" = E'tab\t, line\n, back\\slash ' || id and age is null
			and at = to_timestamp(id) and raw = '\x005c'::bytea || substr(int4send(id), 4)`); n != 3000 {
			t.Errorf("%d rows as they were copied, want 3000", n)
		}
	})
}

// lib/pq's Hstore reads []byte only, and panics with the string that pgx gives.
func TestPqTypesProgram(t *testing.T) {
	onPqAndOurs(t, func(t *testing.T, db *sql.DB) {
		mustExec(t, db, "create extension hstore; create table m (h hstore, at timestamptz, name text)")
		tags := hstore.Hstore{Map: map[string]sql.NullString{`a "quoted" \ key`: {String: `v\1"`, Valid: true}, "none": {}}}
		for range 7 {
			if _, err := db.ExecContext(t.Context(), "insert into m values ($1, $2, $3)", tags, sql.NullTime{}, 42); err != nil {
				t.Fatal(err)
			}
			var got hstore.Hstore
			var at sql.NullTime
			var name sql.NullInt64
			if err := db.QueryRowContext(t.Context(), "delete from m returning *").Scan(&got, &at, &name); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tags) || at.Valid || name.Int64 != 42 {
				t.Errorf("read back %v %v %v", got, at, name)
			}
		}
	}, "lib/pq", "compat=pq")
}

func TestPqStatementsProgram(t *testing.T) {
	onPqAndOurs(t, func(t *testing.T, db *sql.DB) {
		if _, err := db.Exec(`create table t (id serial primary key, v text); insert into t (v) values ('a'), ('b'); select count(*) from t`); err != nil {
			t.Fatal(err)
		}
		rows, err := db.Query("select v from t order by id; select max(id) from t")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		var seen []string
		for more := true; more; more = rows.NextResultSet() {
			for rows.Next() {
				var v string
				if err := rows.Scan(&v); err != nil {
					t.Fatal(err)
				}
				seen = append(seen, v)
			}
		}
		if err := rows.Err(); err != nil || fmt.Sprint(seen) != "[a b 2]" {
			t.Errorf("result sets %v, %v", seen, err)
		}
		tx, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		_, err = tx.Exec("delete from t")
		var pqErr *pqdriver.Error
		if !errors.As(err, &pqErr) || pqErr.Code.Name() != "read_only_sql_transaction" {
			t.Errorf("delete in a read-only transaction: %v", err)
		}
		if err := tx.Commit(); err == nil {
			t.Error("COMMIT of a failed transaction: no error")
		}
		name := pqdriver.QuoteIdentifier(`odd "name"`)
		mustExec(t, db, "create table "+name+" (v text default "+pqdriver.QuoteLiteral(`it's \ here`)+")", "insert into "+name+" default values")
		if v := queryVal[string](t, db, "select v from "+name); v != `it's \ here` {
			t.Errorf("default %q", v)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := db.PingContext(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("ping with an ended context: %v", err)
		}
	})
}
