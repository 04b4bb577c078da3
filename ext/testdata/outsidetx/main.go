// Package main must not compile: it gives transactions to functions that run outside of one, and uses a two-phase
// transaction in the wrong order. TestWrongUseDoesNotCompile reads the errors from the comments.
package main

import (
	"context"
	"database/sql"

	"github.com/pycopg/pycopg/ext"
)

func main() {
	var (
		ctx      context.Context
		conn     *sql.Conn
		sqlTx    *sql.Tx
		tx       *ext.Tx
		tpc      *ext.TPC
		prepared *ext.PreparedTPC
		xid      ext.Xid
	)
	ext.CommitPrepared(ctx, conn, xid)
	ext.CommitPrepared(ctx, sqlTx, xid) // error: missing method PingContext
	ext.RollbackPrepared(ctx, tx, xid)  // error: missing method PingContext
	ext.CommitPrepared(ctx, tpc, xid)   // error: missing method PingContext
	ext.BeginTPC(ctx, sqlTx, xid)       // error: cannot use sqlTx
	tpc.Commit()
	prepared.Prepare(ctx)               // error: prepared.Prepare undefined
	prepared.ExecContext(ctx, "select") // error: prepared.ExecContext undefined
}
