package driver

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Conn is a connection to a server, as database/sql's pool keeps it. Programs meet it in the function of [Do], in the
// hooks of [Config], and in (*sql.Conn).Raw. Like every database/sql connection it serves one goroutine at a time.
type Conn struct {
	connector *Connector
	cfg       *Config
	link      *link
	px        *pgx.Conn
	tracer    pgx.QueryTracer // of the pgx configuration that the connection was made with, nil without one
	pg        *pgconn.PgConn
	wire      *wire
	engine    engine

	args     []any         // the values of the statement that is being sent, reused
	open     *rows         // rows that have not been closed
	copying  *copying      // a COPY that has not ended
	reserved *Reservation  // a helper's hold on the connection
	manual   *manual       // nil unless statements begin transactions
	lent     bool          // Conn or PgConn was handed out: the session may have changed in any way
	broken   bool          // must not go back to the pool
	rollback bool          // a ROLLBACK was written whose answer has not been read
	firstErr error         // the first failure of the open transaction
	lastUsed time.Duration // by now: when the server was last heard
	asked    time.Time     // when PgxSource.ShouldPing was last asked

	notices       handlers[Notice]
	notifications notifications
	forPgx        pgxNotifications
	hooks         atomic.Int32 // of the user's that run now
	uses          atomic.Int64 // how often it has gone back to its pool
}

var (
	_ sqldriver.Conn               = (*Conn)(nil)
	_ sqldriver.Pinger             = (*Conn)(nil)
	_ sqldriver.ConnPrepareContext = (*Conn)(nil)
	_ sqldriver.ConnBeginTx        = (*Conn)(nil)
	_ sqldriver.ExecerContext      = (*Conn)(nil)
	_ sqldriver.QueryerContext     = (*Conn)(nil)
	_ sqldriver.NamedValueChecker  = (*Conn)(nil)
	_ sqldriver.SessionResetter    = (*Conn)(nil)
	_ sqldriver.Validator          = (*Conn)(nil)
)

// ExecContext implements [sqldriver.ExecerContext]. A text without arguments may hold several statements; the count is
// the last one's.
func (c *Conn) ExecContext(ctx context.Context, query string, args []sqldriver.NamedValue) (sqldriver.Result, error) {
	if cmd := findCommand(ctx, query, args); cmd != nil {
		return c.run(ctx, cmd)
	}
	if err := c.readyToRun(ctx); err != nil {
		return nil, err
	}
	k, err := c.newCall(ctx, query, args)
	if err != nil {
		return nil, err
	}
	ctx, trace, r, err := c.start(ctx, k)
	return c.execResult(ctx, trace, k.options.Tag, r, err)
}

// execResult reads a statement's result to its end, for its count.
func (c *Conn) execResult(ctx context.Context, trace *queryTrace, wanted *string, r *result, err error) (sqldriver.Result, error) {
	var count int64
	var tag string
	if err == nil {
		if err = r.drain(); err == nil {
			count, tag = r.count, r.tag
		}
	}
	err = c.finish(ctx, err)
	setTag(wanted, tag)
	trace.end(tag, count, err)
	if err != nil {
		return nil, err
	}
	return sqldriver.RowsAffected(count), nil
}

// QueryContext implements [sqldriver.QueryerContext]. It returns when the first row has arrived, so that an error of
// the statement is this call's.
func (c *Conn) QueryContext(ctx context.Context, query string, args []sqldriver.NamedValue) (sqldriver.Rows, error) {
	if cmd := findCommand(ctx, query, args); cmd != nil {
		return nil, errors.New("driver: the command of driver.Do runs through ExecContext only")
	}
	if err := c.readyToRun(ctx); err != nil {
		return nil, err
	}
	k, err := c.newCall(ctx, query, args)
	if err != nil {
		return nil, err
	}
	ctx, trace, r, err := c.start(ctx, k)
	return c.queryResult(ctx, trace, k.sql, k.options, r, err)
}

// start tells the hooks, arms the cancel and sends the statement.
func (c *Conn) start(ctx context.Context, k call) (context.Context, *queryTrace, *result, error) {
	var trace *queryTrace
	if c.traced() {
		ctx, trace = c.traceStart(ctx, QueryStart{SQL: k.sql, Args: k.args, Prepared: c.engine.stmts.isPreparedSQL(k.sql)})
	}
	c.wire.watch(ctx)
	r, err := c.engine.start(k)
	clear(c.args)
	return ctx, trace, r, err
}

func (c *Conn) queryResult(ctx context.Context, trace *queryTrace, query string, o QueryOptions, r *result, err error) (sqldriver.Rows, error) {
	if err != nil {
		err = c.finish(ctx, err)
		trace.end("", 0, err)
		return nil, err
	}
	c.open = &rows{conn: c, result: r, codecs: c.engine.codecs, ctx: ctx, trace: trace, sql: query, tag: o.Tag}
	o.Columns.set(c.engine.codecs, r.columns)
	return asRows(c.open), nil
}

// ready reports why a statement cannot start now. Nothing has been sent when it returns an error.
func (c *Conn) ready(ctx context.Context) error {
	switch {
	case c.pg.IsClosed():
		return c.lost(&retryError{})
	case c.hooks.Load() > 0:
		return fmt.Errorf("%w: it is used by a hook that runs for a statement of it", ErrBusy)
	case c.open != nil:
		return fmt.Errorf("%w: close them before the next statement; they are of: %s", ErrRowsOpen, abbreviate(c.open.sql))
	case c.reserved != nil && reservationOf(ctx) != c.reserved:
		return fmt.Errorf("%w: it is used by %s", ErrBusy, c.reserved.operation)
	case c.copying != nil:
		return c.busyCopy()
	case c.engine.beginErr != nil:
		return fmt.Errorf("driver: the transaction was never begun: %w", c.engine.beginErr)
	case c.pg.IsBusy():
		return fmt.Errorf("%w: a result read through pgx on it has not been closed", ErrBusy)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if c.lent {
		c.lent, c.forPgx.lent = false, false
		c.engine.stmts.reset()
		c.engine.ownNames = true
	}
	return nil
}

// finish ends the watch of a statement's context and makes its error the caller's.
func (c *Conn) finish(ctx context.Context, err error) error {
	canceled := c.wire.unwatch()
	c.answered()
	if err == nil {
		if c.TxStatus() != 'E' { // it ended, or a savepoint was rolled back
			c.firstErr = nil
		}
		return nil
	}
	if canceled {
		err = asCanceled(ctx, err, c.pg.IsClosed())
	}
	err = c.lost(err)
	c.noteFailure(&err)
	return err
}

// answered records that the server has been heard.
func (c *Conn) answered() {
	c.lastUsed = now()
	c.wire.stood = c.lastUsed
}

// asCanceled joins what the server said to a cancelled statement with why it was cancelled. A statement that failed
// for a reason of its own keeps its error.
func asCanceled(ctx context.Context, err error, closed bool) error {
	code := serverCode(err)
	switch {
	case code == codeQueryCanceled:
		return &canceledError{ctxErr: ctx.Err(), cause: context.Cause(ctx), server: err}
	case code == "" && closed:
		return &canceledError{ctxErr: ctx.Err(), cause: context.Cause(ctx)}
	}
	return err
}

// lost hides that err is ErrBadConn while a transaction is open: database/sql does not retry there, and would only lose
// the cause.
func (c *Conn) lost(err error) error {
	var retry *retryError
	if c.TxStatus() == 'I' || !errors.As(err, &retry) {
		return err
	}
	switch {
	case retry.cause != nil:
		return fmt.Errorf("driver: connection lost inside a transaction: %w", retry.cause)
	case c.firstErr != nil:
		return fmt.Errorf("driver: connection lost inside a transaction: %w", c.firstErr)
	}
	return errors.New("driver: connection lost inside a transaction")
}

// noteFailure keeps the first failure of a transaction, and names it in the refusals that follow from it.
func (c *Conn) noteFailure(err *error) {
	code := serverCode(*err)
	if code == codeReadOnlyTransaction && wantsPrimary(c.cfg.TargetSessionAttrs) && c.demoted() {
		c.broken = true
	}
	if c.TxStatus() != 'E' && !c.pg.IsClosed() { // the error was the driver's own: the server knows nothing of it
		c.firstErr = nil
		return
	}
	switch {
	case c.firstErr == nil:
		c.firstErr = *err
	case code == codeInFailedTransaction:
		*err = &failedTxError{server: *err, first: c.firstErr}
	}
}

func wantsPrimary(attrs string) bool { return attrs == "read-write" || attrs == "primary" }

// demoted reports whether the server has turned read-only, as far as it says so (PostgreSQL 14 and later do).
func (c *Conn) demoted() bool {
	standby, readOnly := c.pg.ParameterStatus("in_hot_standby"), c.pg.ParameterStatus("default_transaction_read_only")
	return standby == "" && readOnly == "" || standby == "on" || readOnly == "on"
}

// Begin implements [sqldriver.Conn]; database/sql calls BeginTx.
func (c *Conn) Begin() (sqldriver.Tx, error) {
	return c.BeginTx(context.Background(), sqldriver.TxOptions{})
}

// Prepare implements [sqldriver.Conn]; database/sql calls PrepareContext.
func (c *Conn) Prepare(query string) (sqldriver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

// Ping implements [sqldriver.Pinger] with one round trip.
func (c *Conn) Ping(ctx context.Context) error {
	if err := c.ready(ctx); err != nil {
		return err
	}
	if c.engine.goesFirst() {
		return c.harmless(c.settle(ctx))
	}
	return c.harmless(c.simple(ctx, ";"))
}

// simple runs sql, which returns no rows that matter, with the simple protocol.
func (c *Conn) simple(ctx context.Context, sql string) error {
	c.wire.watch(ctx)
	r, err := c.engine.startSimple(sql)
	if err == nil {
		err = r.drain()
	}
	return c.finish(ctx, err)
}

// harmless marks the loss of the connection in a request that changes nothing as one to retry elsewhere.
func (c *Conn) harmless(err error) error {
	var canceled *canceledError
	if err == nil || !c.pg.IsClosed() || c.TxStatus() != 'I' || errors.As(err, &canceled) || errors.Is(err, sqldriver.ErrBadConn) {
		return err
	}
	return &retryError{cause: err}
}

// closeTimeout bounds the goodbye to the server and the cleanup statements of the driver.
const closeTimeout = 5 * time.Second

// Close implements [sqldriver.Conn]. It waits until the connection's resources are free.
func (c *Conn) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if c.link.release != nil {
		c.giveBack(ctx)
		return nil
	}
	err := c.px.Close(ctx)
	select {
	case <-c.pg.CleanupDone():
	case <-ctx.Done():
	}
	if err != nil {
		return fmt.Errorf("driver: close: %w", err)
	}
	return nil
}

// abbreviate cuts a statement to what an error message can carry.
func abbreviate(sql string) string {
	const most = 200
	if len(sql) <= most {
		return sql
	}
	return strings.ToValidUTF8(sql[:most], "") + "…"
}
