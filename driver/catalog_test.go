package driver_test

import (
	"context"
	"database/sql"
	"strconv"
	"testing"

	"github.com/pycopg/pycopg/driver"
)

func columnTypes(t *testing.T, q querier, query string) []*sql.ColumnType {
	t.Helper()
	rows, err := q.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		t.Fatal(err)
	}
	return types
}

func TestColumnTypesKnowTheDatabasesOwnTypes(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, `create type mood as enum ('ok'); create domain positive as int4 check (value > 0);
		create type pair as (a int, b text); create table things (id int4 not null, m mood, ms mood[], p pair, d positive)`)
	for range 2 {
		var names []string
		for _, ct := range columnTypes(t, db, "select * from things") {
			names = append(names, ct.DatabaseTypeName())
		}
		want := []string{"INT4", "MOOD", "_MOOD", "PAIR", "INT4"} // a domain's values are its base type's
		for i := range want {
			if names[i] != want[i] {
				t.Errorf("type names = %q, want %q", names, want)
				break
			}
		}
	}
}

func TestNullableSaysYesForDeclaredColumnsOnly(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	mustExec(t, db, "create table things (id int4 not null, note text)")
	types := columnTypes(t, db, "select a.id, a.note, 1 as expression from things a left join things b on true")
	for i, want := range []bool{false, true, false} {
		if nullable, ok := types[i].Nullable(); nullable != want || ok != want {
			t.Errorf("column %s: nullable = %v, %v, want %v", types[i].Name(), nullable, ok, want)
		}
	}
}

func TestTypesOfAnOpenTransactionHaveTheirOID(t *testing.T) {
	t.Parallel()
	db := openDB(t)
	tx := begin(t, db)
	mustExec(t, tx, "create type hidden as enum ('x')")
	oid := number(t, tx, "select 'hidden'::regtype::oid::int8")
	got := columnTypes(t, tx, "select 'x'::hidden")[0].DatabaseTypeName()
	if got != strconv.FormatInt(oid, 10) {
		t.Errorf("type name = %q, want the OID %d", got, oid)
	}
}

func TestColumnTypesNeedNoConnectionOfThePool(t *testing.T) {
	t.Parallel()
	db := openConfig(t, func(cfg *driver.Config) {
		cfg.AfterConnect = func(context.Context, *driver.Conn) error { return nil }
	})
	db.SetMaxOpenConns(1)
	mustExec(t, db, "create type mood as enum ('ok')")
	if got := columnTypes(t, db, "select 'ok'::mood")[0].DatabaseTypeName(); got != "MOOD" {
		t.Errorf("type name = %q", got)
	}
	if n := db.Stats().OpenConnections; n != 1 {
		t.Errorf("%d connections in the pool, want 1", n)
	}
}
