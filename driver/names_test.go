package driver_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/pycopg/pycopg/driver"
)

// tenants is a database with two schemas, whose tables of one name differ in the type of a column.
func tenants(t *testing.T) *sql.DB {
	t.Helper()
	db := openDB(t)
	mustExec(t, db, `create schema numbers; create table numbers.t (v int);
		create schema texts; create table texts.t (v text)`)
	return db
}

const tenantInsert = "insert into t (v) values ($1)"

func TestOneTextIsTwoStatementsUnderTwoSearchPaths(t *testing.T) {
	t.Parallel()
	db := tenants(t)
	numbers, texts := one(t, db), one(t, db)
	mustExec(t, numbers, "set search_path = numbers")
	mustExec(t, texts, "set search_path = texts")
	for range 8 { // unprepared and prepared
		mustExec(t, numbers, tenantInsert, "007")
		mustExec(t, texts, tenantInsert, "007")
		mustExec(t, texts, tenantInsert, []byte("bytes"))
	}
	wantTenants(t, db, 8, 8)
	if n := number(t, db, "select count(*) from texts.t where v = 'bytes'"); n != 8 {
		t.Errorf("%d of 8 []byte arguments arrived as they were", n)
	}
}

func TestSearchPathOfOneConnectionChanges(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(q querier, schema string){
		"set":    func(q querier, schema string) { mustExec(t, q, "SET\n search_path TO "+schema) },
		"schema": func(q querier, schema string) { mustExec(t, q, "set schema '"+schema+"'") },
		"set_config": func(q querier, schema string) {
			mustExec(t, q, "select set_config($1, $2, false)", "search_path", schema)
		},
		"several": func(q querier, schema string) { mustExec(t, q, "select 1; set search_path = "+schema) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := tenants(t)
			conn := one(t, db)
			for range 8 {
				set(conn, "numbers")
				mustExec(t, conn, tenantInsert, "007")
				set(conn, "texts")
				mustExec(t, conn, tenantInsert, "007")
			}
			wantTenants(t, db, 8, 8)
		})
	}
}

func TestSearchPathComesBackWithARollback(t *testing.T) {
	t.Parallel()
	db := tenants(t)
	ctx := context.Background()
	conn := one(t, db)
	mustExec(t, conn, "set search_path = texts")
	stmt, err := conn.PrepareContext(ctx, tenantInsert)
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	for range 8 {
		tx := begin(t, conn)
		mustExec(t, tx, "set local search_path = numbers")
		if _, err := tx.StmtContext(ctx, stmt).Exec("007"); err != nil {
			t.Fatal(err)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		if _, err := stmt.Exec("007"); err != nil {
			t.Fatal(err)
		}
	}
	wantTenants(t, db, 0, 8)
}

func TestChangedColumnTypeNeedsNoErrorToBeNoticed(t *testing.T) {
	t.Parallel()
	db := openConfig(t, func(cfg *driver.Config) { cfg.PrepareThreshold = -1 })
	mustExec(t, db, "create table t (v int)")
	mustExec(t, db, tenantInsert, "1")
	mustExec(t, db, "drop table t; create table t (v text)")
	mustExec(t, db, tenantInsert, "007")
	if got := word(t, db, "select v from t"); got != "007" {
		t.Errorf("stored %q", got)
	}
}

func wantTenants(t *testing.T, db *sql.DB, numbers, texts int64) {
	t.Helper()
	if n := number(t, db, "select count(*) from numbers.t where v = 7"); n != numbers {
		t.Errorf("%d rows in numbers, want %d", n, numbers)
	}
	if n := number(t, db, "select count(*) from texts.t where v = '007'"); n != texts {
		t.Errorf("%d rows in texts, want %d", n, texts)
	}
}
