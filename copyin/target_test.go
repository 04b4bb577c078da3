package copyin_test

import (
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pycopg/pycopg/copyin"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/sqltest"
)

// counted is a pool of one connection, behind a proxy that counts its messages, and one that it knows nothing of.
func counted(t *testing.T, settings string) (db, other *sql.DB, fault *sqltest.Fault) {
	t.Helper()
	dsn := sqltest.DSN(t, sqltest.Options{})
	fault = sqltest.Server(t).Fault(t)
	for to, dsn := range map[**sql.DB]string{&db: fault.DSN(dsn) + settings, &other: dsn} {
		pool, err := sql.Open("pycopg", dsn)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { pool.Close() })
		*to = pool
	}
	db.SetMaxOpenConns(1)
	mustExec(t, other, faultTable)
	mustExec(t, db, "select 1")
	return db, other, fault
}

func TestRoundTripsOfACopy(t *testing.T) {
	t.Parallel()
	db, other, fault := counted(t, "")
	for _, tt := range []struct {
		name                string
		first, steady, inTx int
	}{ // the statement, its data and, in a transaction, the columns of the table
		{"Rows", 3, 2, 3},
		{"Rows in text", 2, 2, 3},
		{"sequence", 2, 2, 3},
		{"Structs", 2, 2, 3},
		{"Maps", 2, 2, 3},
		{"CSV", 2, 2, 3},
		{"CSV of a user's reader", 2, 2, 3},
		{"Writer", 3, 3, 3},
	} {
		copyAll := loaders[tt.name]
		cost := func(q ext.Querier) int {
			before := fault.RoundTrips()
			if _, err := copyAll(t.Context(), q, 10); err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			took := fault.RoundTrips() - before
			mustExec(t, other, "delete from item")
			return took
		}
		if got := []int{cost(db), cost(db), cost(db)}; got[0] != tt.first || got[1] != tt.steady || got[2] != tt.steady {
			t.Errorf("%s: %d round trips, want %d, then %d", tt.name, got, tt.first, tt.steady)
		}
		tx := begin(t, db)
		mustExec(t, tx, "select 1")
		before := fault.RoundTrips()
		if _, err := copyAll(t.Context(), tx, 10); err != nil {
			t.Fatal(err)
		}
		if got := fault.RoundTrips() - before; got != tt.inTx {
			t.Errorf("%s: %d round trips in a transaction, want %d", tt.name, got, tt.inTx)
		}
		tx.Rollback()
	}
}

// TestCopyIntoATableThatAnotherProgramAlters copies into what the pool remembers otherwise: values are those of the new types, as if
// it had never seen the old ones.
func TestCopyIntoATableThatAnotherProgramAlters(t *testing.T) {
	t.Parallel()
	type row struct {
		ID   int
		Name string
	}
	for _, settings := range []string{"", "&pooler=transaction"} {
		db, other, _ := counted(t, settings)
		conn := one(t, db)
		alterations := []struct{ sql, want, code string }{
			{"alter table item alter id type float4", "5=x", ""},
			{"alter table item alter id type text, alter name type bytea using name::bytea", `5=\x78`, ""},
			{"alter table item alter id type numeric using id::numeric, alter name type text using 'a'", "5=x", ""},
			{"alter table item alter id type int2, add more int default 7", "5=x", ""},
			{"alter table item alter id type int8[] using array[id]", "", "22P02"},
			{"alter table item alter id type int using 1, drop more", "5=x", ""},
			{"alter table item rename name to named", "", ""},
			{"alter table item rename named to name", "5=x", ""},
			{"drop table item", "", "42P01"},
			{faultTable, "5=x", ""},
		}
		for _, kind := range []string{"Structs", "Rows", "sequence", "in a transaction"} {
			for _, alteration := range alterations {
				mustExec(t, other, alteration.sql)
				var q ext.Querier = conn
				if kind == "in a transaction" {
					own, err := conn.BeginTx(t.Context(), nil)
					if err != nil {
						t.Fatal(err)
					}
					q = own
				}
				var err error
				o := copyin.Options{Columns: []string{"id", "name"}}
				switch kind {
				case "Rows":
					_, err = copyin.Rows(t.Context(), q, "item", [][]any{{5, "x"}}, o)
				case "sequence":
					_, err = copyin.Rows(t.Context(), q, "item", each([][]any{{5, "x"}}), o)
				default:
					_, err = copyin.Structs(t.Context(), q, "item", []row{{5, "x"}}, copyin.Options{})
				}
				got := ""
				if err == nil {
					got = word(t, q, "select id || '=' || name from item")
				}
				if tx, ok := q.(*sql.Tx); ok {
					if alteration.code == "" && alteration.want == "" { // found ahead of the COPY: the transaction goes on
						mustExec(t, tx, "select 1")
					}
					tx.Rollback()
				}
				if got != alteration.want || (err != nil) != (got == "") || alteration.code != "" && sqlState(err) != alteration.code {
					t.Errorf("%s%s behind %s: %q, %v; want %q", kind, settings, alteration.sql, got, err, alteration.want)
				}
				if alteration.code != "42P01" {
					mustExec(t, other, "delete from item")
				}
			}
			mustExec(t, other, "drop table item; "+faultTable)
		}
	}
}

func TestCutQuestionsAheadOfACopy(t *testing.T) {
	t.Parallel()
	db, other, fault := counted(t, "")
	for _, name := range []string{"Structs", "sequence", "CSV"} {
		for stage, rule := range map[string]sqltest.Rule{
			"the question":    {Side: sqltest.Frontend, Type: 'P'},
			"half of it":      {Side: sqltest.Frontend, Type: 'P', Do: sqltest.ActTruncate, Offset: 30},
			"its first row":   {Side: sqltest.Backend, Type: 'D'},
			"its end":         {Side: sqltest.Backend, Type: 'Z'},
			"the COPY":        {Side: sqltest.Frontend, Type: 'Q'},
			"the COPY's word": {Side: sqltest.Backend, Type: 'G'},
		} {
			if _, err := loaders[name](t.Context(), db, 10); err != nil {
				t.Fatal(err)
			}
			mustExec(t, other, "delete from item")
			hit := fault.On(rule)
			n, err := loaders[name](t.Context(), db, 10)
			if n != 0 || err == nil || errors.Is(err, sqldriver.ErrBadConn) {
				t.Fatalf("%s, %s: %d, %v", name, stage, n, err)
			}
			<-hit
			if got := word(t, other, "select count(*) from item"); got != "0" {
				t.Errorf("%s, %s: %s rows", name, stage, got)
			}
		}
	}
	mustExec(t, other, "alter table item add check (id < 5)")
	_, err := loaders["Structs"](t.Context(), db, 10)
	var row *copyin.RowError
	if !errors.As(err, &row) || row.Row != 6 || !strings.Contains(fmt.Sprint(err), "item_id_check") {
		t.Errorf("%v", err)
	}
}
