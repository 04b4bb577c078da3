package driver

// Programs that call a Conn themselves, inside (*sql.Conn).Raw, get its statements and rows as interfaces of
// database/sql/driver. These are the types behind them, for type assertions.
type (
	// Stmt is the type of the statements that [Conn.PrepareContext] returns.
	Stmt = stmt
	// Rows is the type of the rows that [Conn.QueryContext] returns; on Go 1.27 only with the setting column_scanner=off.
	Rows = rows
)
