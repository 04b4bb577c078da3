package mock

import (
	sqldriver "database/sql/driver"

	"github.com/DATA-DOG/go-sqlmock"
)

// ExpectedExec is a statement that is expected to run by Exec.
type ExpectedExec struct{ Reply[*ExpectedExec] }

// ExpectedQuery is a statement that is expected to run by Query or QueryRow.
type ExpectedQuery struct{ Reply[*ExpectedQuery] }

// ExpectedPrepare is a statement that is expected to be prepared.
type ExpectedPrepare struct{ Reply[*ExpectedPrepare] }

// ExpectedCommand is a command of driver.Do that is expected as a whole.
type ExpectedCommand struct{ Reply[*ExpectedCommand] }

// ExpectedCall is a call without SQL text: Begin, Commit, Rollback, Ping or Close.
type ExpectedCall struct{ Reply[*ExpectedCall] }

// ExpectExec expects a statement by Exec; sql is compared by Options.QueryMatcher. Without WillReturnResult it changes no row.
func (m *Mock) ExpectExec(sql string) *ExpectedExec {
	e := &ExpectedExec{}
	e.Reply = Reply[*ExpectedExec]{e, m.expect(&expectation{kind: kindExec, sql: sql})}
	return e
}

// WithArgs expects these arguments, which may be matchers (sqlmock.AnyArg). Without it any will do.
func (e *ExpectedExec) WithArgs(args ...any) *ExpectedExec {
	return e.change(func(e *expectation) { e.setArgs(args) })
}

// WithoutArgs expects no arguments.
func (e *ExpectedExec) WithoutArgs() *ExpectedExec { return e.WithArgs() }

// WithTypes says the types of the statement's parameters ("int4", "text[]"), as the server would. The driver encodes the
// arguments for them then, and refuses what does not fit. Without it each parameter has the type that suits its argument.
func (e *ExpectedExec) WithTypes(types ...string) *ExpectedExec {
	oids := e.exp.mock.typesOf(types)
	return e.change(func(e *expectation) { e.types = oids })
}

// WillReturnResult answers with the number of rows of a result: sqlmock.NewResult(0, 3).
func (e *ExpectedExec) WillReturnResult(result sqldriver.Result) *ExpectedExec {
	return e.change(func(e *expectation) { e.result = result })
}

// WillAffect answers with a number of rows.
func (e *ExpectedExec) WillAffect(rows int64) *ExpectedExec {
	return e.WillReturnResult(sqldriver.RowsAffected(rows))
}

// ExpectQuery expects a statement by Query or QueryRow; sql is compared by Options.QueryMatcher. Without WillReturnRows it
// returns no columns.
func (m *Mock) ExpectQuery(sql string) *ExpectedQuery {
	e := &ExpectedQuery{}
	e.Reply = Reply[*ExpectedQuery]{e, m.expect(&expectation{kind: kindQuery, sql: sql})}
	return e
}

// WithArgs expects these arguments, which may be matchers (sqlmock.AnyArg). Without it any will do.
func (e *ExpectedQuery) WithArgs(args ...any) *ExpectedQuery {
	return e.change(func(e *expectation) { e.setArgs(args) })
}

// WithoutArgs expects no arguments.
func (e *ExpectedQuery) WithoutArgs() *ExpectedQuery { return e.WithArgs() }

// WithTypes says the types of the statement's parameters, as for ExpectedExec.
func (e *ExpectedQuery) WithTypes(types ...string) *ExpectedQuery {
	oids := e.exp.mock.typesOf(types)
	return e.change(func(e *expectation) { e.types = oids })
}

// WillReturnRows answers with result sets, usually one: see [Mock.Columns]. Rows can be returned once.
func (e *ExpectedQuery) WillReturnRows(rows ...*sqlmock.Rows) *ExpectedQuery {
	return e.change(func(e *expectation) { e.rows = rows })
}

// WillLoseAfterRows loses the connection behind a number of rows.
func (e *ExpectedQuery) WillLoseAfterRows(rows int) *ExpectedQuery {
	e.exp.mock.t.Helper()
	e.exp.mock.refuse(rows >= 0, "WillLoseAfterRows(%d)", rows)
	return e.change(func(e *expectation) { e.fault, e.faultRows = MidResult, rows })
}

// ExpectPrepare expects Prepare; sql is compared by Options.QueryMatcher.
func (m *Mock) ExpectPrepare(sql string) *ExpectedPrepare {
	e := &ExpectedPrepare{}
	e.Reply = Reply[*ExpectedPrepare]{e, m.expect(&expectation{kind: kindPrepare, sql: sql})}
	return e
}

// ExpectExec expects an Exec of the prepared statement.
func (e *ExpectedPrepare) ExpectExec() *ExpectedExec { return e.exp.mock.ExpectExec(e.exp.sql) }

// ExpectQuery expects a Query of the prepared statement.
func (e *ExpectedPrepare) ExpectQuery() *ExpectedQuery { return e.exp.mock.ExpectQuery(e.exp.sql) }

// ExpectCommand expects a command of driver.Do as a whole: its function does not run. statement is what Do is given (of a
// pipeline of statements their text, say), compared by Options.QueryMatcher.
func (m *Mock) ExpectCommand(statement string) *ExpectedCommand {
	e := &ExpectedCommand{}
	e.Reply = Reply[*ExpectedCommand]{e, m.expect(&expectation{kind: kindCommand, sql: statement})}
	return e
}

// WillReturnCount is what the command reports.
func (e *ExpectedCommand) WillReturnCount(n int64) *ExpectedCommand {
	return e.change(func(e *expectation) { e.result = sqldriver.RowsAffected(n) })
}

func (m *Mock) expectCall(k kind) *ExpectedCall {
	e := &ExpectedCall{}
	e.Reply = Reply[*ExpectedCall]{e, m.expect(&expectation{kind: k})}
	return e
}

// ExpectBegin expects a transaction to begin.
func (m *Mock) ExpectBegin() *ExpectedCall { return m.expectCall(kindBegin) }

// ExpectCommit expects COMMIT.
func (m *Mock) ExpectCommit() *ExpectedCall { return m.expectCall(kindCommit) }

// ExpectRollback expects ROLLBACK, of the whole transaction.
func (m *Mock) ExpectRollback() *ExpectedCall { return m.expectCall(kindRollback) }

// ExpectPing expects Ping. A mock without such an expectation answers all pings.
func (m *Mock) ExpectPing() *ExpectedCall { return m.expectCall(kindPing) }

// ExpectClose expects the handle to be closed. A mock without such an expectation may be closed.
func (m *Mock) ExpectClose() *ExpectedCall { return m.expectCall(kindClose) }

func (e *expectation) setArgs(args []any) {
	if args == nil {
		args = []any{}
	}
	e.args = args
}
