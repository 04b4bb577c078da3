package main

import (
	"database/sql"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/sqltest"
)

// What a mock does not show is on the wire: here, that an order is one transaction of the level that its logic needs, and what
// becomes of it when the server shuts down in the middle.
func TestOrderOnTheWire(t *testing.T) {
	t.Parallel()
	fake := sqltest.NewFake(t, sqltest.Script{
		sqltest.Accept(),
		sqltest.Expect(&pgproto3.Query{String: "begin isolation level serializable"}),
		sqltest.Reply(&pgproto3.CommandComplete{CommandTag: []byte("BEGIN")}, &pgproto3.ReadyForQuery{TxStatus: 'T'}),
		sqltest.ExpectSQL("select amount from stock where sku = $1"),
		sqltest.Fatal("57P01", "terminating connection due to administrator command"),
	})
	cfg := driver.DefaultConfig()
	cfg.Hosts = []driver.HostSpec{{Host: "127.0.0.1", Port: 5432}}
	cfg.SSLMode, cfg.Dial, cfg.Begin = "disable", fake.Dial, driver.BeginEager
	db := sql.OpenDB(driver.NewConnector(cfg))
	defer db.Close()

	_, err := order(t.Context(), db, "tea", 3)
	var fatal *pgconn.PgError
	if !errors.As(err, &fatal) || fatal.Code != "57P01" {
		t.Errorf("error = %v", err)
	}
}
