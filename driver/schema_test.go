package driver_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"

	"github.com/pycopg/pycopg/driver"
)

// alterations turn the column v of the table al from an int into a text.
var alterations = map[string]func(t *testing.T, db *sql.DB){
	"alter table": func(t *testing.T, db *sql.DB) { mustExec(t, db, "alter table al alter v type text") },
	"with an argument": func(t *testing.T, db *sql.DB) {
		mustExec(t, db, "/* a migration */ alter table al alter v type text", driver.QueryOptions{Prepare: new(bool)})
	},
	"several statements": func(t *testing.T, db *sql.DB) {
		mustExec(t, db, "select 1; alter table al alter v type text; select 2")
	},
	"another table": func(t *testing.T, db *sql.DB) {
		mustExec(t, db, "drop table al; create table al (v text)")
	},
	"a table of a query": func(t *testing.T, db *sql.DB) {
		mustExec(t, db, "alter table al rename to old; create table al as select 'x'::text as v")
	},
	"a block": func(t *testing.T, db *sql.DB) {
		mustExec(t, db, "do $$ begin alter table al alter v type text; end $$")
	},
	"a prepared statement": func(t *testing.T, db *sql.DB) {
		stmt, err := db.PrepareContext(t.Context(), "alter table al alter v type text")
		if err != nil {
			t.Fatal(err)
		}
		defer stmt.Close()
		if _, err := stmt.ExecContext(t.Context()); err != nil {
			t.Fatal(err)
		}
	},
	"a transaction": func(t *testing.T, db *sql.DB) {
		tx := begin(t, db)
		mustExec(t, tx, "alter table al alter v type text")
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
	},
	"a transaction in SQL": func(t *testing.T, db *sql.DB) {
		conn := one(t, db)
		mustExec(t, conn, "begin")
		mustExec(t, conn, "drop table al")
		mustExec(t, conn, "create table al (v text)")
		mustExec(t, conn, "commit")
	},
	"a pipeline": func(t *testing.T, db *sql.DB) {
		inside(t, db, func(ctx context.Context, c *driver.Conn) {
			todo := []driver.Statement{{SQL: "select 1", Sync: true}, {SQL: "alter table al alter v type text"}, {SQL: "select 2"}}
			err := c.Pipeline(ctx, func() (s driver.Statement, ok bool, err error) {
				if len(todo) == 0 {
					return s, false, nil
				}
				s, todo = todo[0], todo[1:]
				return s, true, nil
			}, nil)
			if err != nil {
				t.Error(err)
			}
		})
	},
	"what the driver cannot see": func(t *testing.T, db *sql.DB) {
		mustExec(t, db, `create procedure migrate() language sql as 'alter table al alter v type text'; call migrate()`)
		below(t, db).Connector().SchemaChanged()
	},
}

const alInsert = "insert into al values ($1)"

// TestAlteredColumnNeverGetsValuesOfItsOldType changes a column's type in ways that neither results nor refusals show: a
// server that is told the old type, or has it prepared, stores 7 for "007".
func TestAlteredColumnNeverGetsValuesOfItsOldType(t *testing.T) {
	t.Parallel()
	for name, alter := range alterations {
		for _, threshold := range []int{0, 5, -1} {
			t.Run(fmt.Sprintf("%s, threshold %d", name, threshold), func(t *testing.T) {
				t.Parallel()
				db := openConfig(t, prepareAfter(threshold, 100))
				mustExec(t, db, "create table al (v int)")
				conns := []*sql.Conn{one(t, db), one(t, db)}
				var stmts []*sql.Stmt
				for _, conn := range conns {
					stmt, err := conn.PrepareContext(t.Context(), alInsert+" returning true")
					if err != nil {
						t.Fatal(err)
					}
					defer stmt.Close()
					stmts = append(stmts, stmt)
					for range 8 {
						mustExec(t, conn, alInsert, "1")
						if _, err := stmt.Exec("1"); err != nil {
							t.Fatal(err)
						}
					}
				}
				alter(t, db)
				mustExec(t, db, "delete from al")
				for i, conn := range conns {
					for range 8 {
						mustExec(t, conn, alInsert, "007")
						if _, err := stmts[i].Exec("007"); err != nil {
							t.Fatal(err)
						}
					}
				}
				if n := number(t, db, "select count(*) from al where v = '007'"); n != 32 {
					t.Errorf("%d of 32 values were stored as they are", n)
				}
			})
		}
	}
}

// TestAlterationInsideATransaction uses the statement in the transaction that alters its table, behind a savepoint that
// takes that back, and after the rollback of it all.
func TestAlterationInsideATransaction(t *testing.T) {
	t.Parallel()
	for _, threshold := range []int{0, 5, -1} {
		db := openConfig(t, prepareAfter(threshold, 100))
		mustExec(t, db, "create table al (v int)")
		conn, other := one(t, db), one(t, db)
		use := func(q querier, value, want string) {
			t.Helper()
			for range 8 {
				if got := word(t, q, "insert into al values ($1) returning v::text", value); got != want {
					t.Fatalf("threshold %d: %q is stored as %q, want %q", threshold, value, got, want)
				}
			}
		}
		use(conn, "007", "7")
		use(other, "007", "7")
		tx := begin(t, conn)
		mustExec(t, tx, "savepoint s")
		mustExec(t, tx, "alter table al alter v type text")
		use(tx, "007", "007")
		mustExec(t, tx, "rollback to s")
		use(tx, "007", "7")
		mustExec(t, tx, "alter table al alter v type text")
		use(tx, "007", "007")
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		use(conn, "007", "7")
		use(other, "007", "7")
	}
}

// TestTemporaryTableHidesAnother uses a statement on a table and on a temporary one of the same name.
func TestTemporaryTableHidesAnother(t *testing.T) {
	t.Parallel()
	for name, create := range map[string]string{
		"a table":            "create temp table al (v text) on commit drop",
		"a table of a query": "create local temporary table if not exists al on commit drop as select 'x'::text as v",
		"select into":        "select 'x'::text as v into temp al",
		"a schema":           "create table pg_temp.al (v text)",
		"a view":             `create temp view "al" as select v from public.texts`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := openConfig(t, prepareAfter(0, 100))
			mustExec(t, db, "create table al (v int); create table texts (v text)")
			conn, other := one(t, db), one(t, db)
			use := func(q querier, want string) {
				t.Helper()
				for range 3 {
					if got := word(t, q, "insert into al values ($1) returning v::text", "007"); got != want {
						t.Fatalf("stored %q, want %q", got, want)
					}
				}
			}
			use(conn, "7")
			use(other, "7")
			for range 2 {
				tx := begin(t, conn)
				mustExec(t, tx, create)
				use(tx, "007")
				use(other, "7")
				if err := tx.Rollback(); err != nil {
					t.Fatal(err)
				}
				use(conn, "7")
			}
			mustExec(t, conn, "create temp table al (v text)")
			use(conn, "007")
			mustExec(t, conn, "discard temp")
			use(conn, "7")
		})
	}
}

// TestTemporaryTablesCostNoOtherStatementItsPlan makes and drops temporary tables, as programs do in every transaction.
func TestTemporaryTablesCostNoOtherStatementItsPlan(t *testing.T) {
	t.Parallel()
	db := openConfig(t, prepareAfter(0, 100))
	conn, other := one(t, db), one(t, db)
	const query = "select $1::int"
	prepared := func(c *sql.Conn) int64 {
		return number(t, c, "select count(*) from pg_prepared_statements where statement = $1", query)
	}
	for _, c := range []*sql.Conn{conn, other} {
		number(t, c, query, 1)
	}
	for range 3 {
		mustExec(t, conn, "create temp table staging (n int)")
		mustExec(t, conn, "alter table staging add m int")
		mustExec(t, conn, "create index on staging (n)")
		mustExec(t, conn, "drop table if exists staging cascade")
		for _, c := range []*sql.Conn{conn, other} {
			if prepared(c) != 1 {
				t.Fatal("the statement is not prepared any more")
			}
		}
	}
	mustExec(t, conn, "create table kept (n int)")
	number(t, other, "select $1::bigint", 1) // takes the closing of the others along
	number(t, other, query, 1)
	if prepared(other) != 1 {
		t.Error("the statement is not prepared again")
	}
}
