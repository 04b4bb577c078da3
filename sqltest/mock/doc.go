// Package mock is go-sqlmock for PostgreSQL: a *sql.DB that needs no server and knows COPY, LISTEN, notices, PostgreSQL's
// errors and its transaction states.
//
//	db, m := mock.New(t)
//	m.ExpectBegin()
//	m.ExpectQuery("select stock").WithArgs(7).WillReturnRows(m.Columns(mock.Col("stock", "int4")).AddRow(3))
//	m.ExpectExec("update item").WithArgs(2, 7).WillReturnError(mock.PgError("40001", mock.Fields{}))
//	m.ExpectRollback()
//
// Each connection of the handle is a real connection of package driver, which talks to a server in the process, a
// sqltest.Fake that answers as the expectations say. So arguments are checked and results rendered by the driver itself:
// arrays, uuid, json, ranges and intervals, typed columns, errors, cancellation, and its settings (Options.Config). All of it
// is in memory and works in testing/synctest.
//
// # From go-sqlmock
//
// [Mock] embeds a sqlmock.Sqlmock: ExpectQuery, ExpectExec, ExpectBegin, WithArgs, WillReturnRows and the rest are written
// as there, matchers (sqlmock.AnyArg) and rows (sqlmock.NewRows) are go-sqlmock's own, and helpers that take a Sqlmock get
// the embedded one. What is different:
//
//   - A call that was not expected fails the test at once, and so does at its end what was expected and did not happen.
//   - Results are those of the driver: LastInsertId is an error, a value has to fit its column's type. A row's error
//     (RowError) is an error of the server; CloseError has no counterpart.
//   - A prepared statement is expected by ExpectPrepare and runs, each time, as if it had not been prepared.
//   - Arguments are compared as the server would see them: 5, int8(5) and sql.NullInt64{5, true} are the same.
//
// # Transactions
//
// BEGIN, COMMIT and ROLLBACK need an expectation each, however they are said. After an error of the server the transaction
// has failed: until ROLLBACK or ROLLBACK TO SAVEPOINT each statement gets SQLSTATE 25P02 and meets no expectation, and COMMIT
// is answered with ROLLBACK (driver.ErrCommitRolledBack). Savepoints need no expectation, and can have one (ExpectExec).
// A connection that was lost is rolled back: Rollback sends nothing then, and needs no expectation.
//
// # Commands of driver.Do
//
// What the packages of this module do on a connection (COPY, LISTEN, pipelines, cursors, sessions) runs for real: their
// statements are expected one by one, by [Mock.ExpectCopyIn], [Mock.ExpectCopyOut] and [Mock.ExpectListen], and all others by
// ExpectExec and ExpectQuery, with the arguments of each. What they ask of the server's catalog about the table of a COPY is
// answered from its expectation. [Mock.ExpectCommand] expects a command as a whole instead: it does not run then, and the
// result is all that it gives, as under plain go-sqlmock.
//
// # Losing the connection
//
// WillLose loses the connection before the request is written, after it, or in the middle of the result, and at COMMIT;
// [Mock.DropConnections] at any other time. A statement that database/sql runs once more is expected once more: so the test
// says how often it runs.
package mock
