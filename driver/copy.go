package driver

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// copying is a COPY under way: what CopyIn and CopyOut have in common. It owns the connection until it has ended.
type copying struct {
	conn  *Conn
	sql   string
	in    bool
	out   *duplex // of a CopyIn
	owner *copyStmt

	ctx   context.Context // of the call that the COPY runs in now
	trace *queryTrace

	started bool    // the server has agreed
	formats []int16 // of the columns
	binary  bool
	tag     string
	rows    int64
	err     error // the first failure, and after the end what the COPY's methods return
	ownTx   bool  // it has a transaction of its own
	over    bool  // ReadyForQuery was read, or the connection is gone
	ended   bool  // the connection is free again
}

// errCopyLeft is the error of a function of Do that returned in the middle of a COPY.
var errCopyLeft = errors.New("driver: the function of driver.Do left its COPY open, without a Reservation; it was ended")

// copyStart sends the statement, and returns when the server is ready to exchange data. Its error is final: the
// connection is free again.
func (cp *copying) copyStart(ctx context.Context, send func() error) error {
	c := cp.conn
	cp.ctx, cp.trace = c.traceStart(ctx, QueryStart{SQL: cp.sql})
	c.copying = cp
	c.wire.watch(cp.ctx)
	if cp.in && c.engine.unnamed && c.TxStatus() == 'I' {
		cp.ownTx, c.engine.begin = true, "begin"
	}
	if err := send(); err != nil {
		cp.fail(err)
		cp.over = !c.engine.inFlight || c.pg.IsClosed()
	}
	for !cp.over && !cp.started {
		cp.step()
	}
	if cp.over {
		if cp.err == nil {
			cp.err = errors.New("driver: the server ran the statement without a COPY")
		}
		return cp.end()
	}
	return nil
}

// sendCopy is the plain way to send a COPY: behind the BEGIN or reset that waits for it, if one does.
func (e *engine) sendCopy(sql string) error {
	if e.goesFirst() {
		if err := e.flush(); err != nil {
			return err
		}
	}
	return e.dispatch(appendQuery(e.open(), sql))
}

// step reads a message.
func (cp *copying) step() {
	msg, err := cp.conn.engine.next()
	if err != nil {
		cp.fail(err)
		cp.over = true
		return
	}
	cp.take(msg)
}

// take notes what a message says. Notices and the like have gone to their hooks.
func (cp *copying) take(msg pgproto3.BackendMessage) {
	switch msg := msg.(type) {
	case *pgproto3.CopyInResponse:
		cp.begun(msg.OverallFormat, msg.ColumnFormatCodes)
	case *pgproto3.CopyOutResponse:
		cp.begun(msg.OverallFormat, msg.ColumnFormatCodes)
	case *pgproto3.CommandComplete:
		cp.tag, cp.rows = cp.conn.engine.completed(msg.CommandTag)
	case *pgproto3.ErrorResponse:
		cp.fail(newServerError(msg).of(cp.sql))
	case *pgproto3.ReadyForQuery:
		cp.conn.engine.inFlight = false
		cp.over = true
	}
}

func (cp *copying) begun(overall byte, formats []uint16) {
	cp.started, cp.binary = true, overall != 0
	cp.formats = make([]int16, len(formats))
	for i, f := range formats {
		cp.formats[i] = int16(f)
	}
}

// fail keeps the first error: later ones follow from it.
func (cp *copying) fail(err error) {
	if cp.err == nil {
		cp.err = err
	}
}

// end gives the connection free, after the last message has been read, and returns the COPY's error.
func (cp *copying) end() error {
	if cp.ended {
		return cp.err
	}
	c := cp.conn
	c.copying, cp.ended = nil, true
	err := c.finish(cp.ctx, cp.err)
	var known *canceledError
	if err != nil && cp.ctx.Err() != nil && !errors.As(err, &known) { // ended by the client, not by the watch
		err = asCanceled(cp.ctx, err, c.pg.IsClosed())
	}
	if cp.ownTx {
		err = cp.endTx(err)
	}
	cp.err = err
	tag, rows := cp.tag, cp.rows
	if err != nil {
		cp.rows, tag, rows = 0, "", 0
	}
	cp.trace.end(tag, rows, err)
	return err
}

// endTx ends the transaction that a COPY through a transaction pooler has of its own. In one, the pooler keeps the session
// together when the COPY fails while its data is still on the way. Without, PgBouncer gives the session to another client
// at the error, and forwards what comes behind it to any session, or stops reading.
func (cp *copying) endTx(err error) error {
	c := cp.conn
	if c.engine.endTx() || c.pg.IsClosed() {
		return err
	}
	c.wire.giveUpAt(time.Now().Add(closeTimeout))
	defer c.wire.giveUpAt(time.Time{})
	if err != nil {
		c.simple(context.Background(), "rollback") // where it fails the connection is closed
		return err
	}
	return c.simple(context.Background(), "commit")
}

// stop ends the COPY from the client's side, and reads until the connection is free. It does not end the watch.
func (cp *copying) stop(reason string) {
	if cp.in && !cp.over {
		cp.send(appendCopyFail(nil, copyReason(reason)))
	} else if !cp.over {
		cp.conn.wire.interrupt()
	}
	cp.drain()
}

// copyReason is a reason as a message can carry it and a log should.
func copyReason(reason string) string {
	return abbreviate(strings.ToValidUTF8(strings.ReplaceAll(reason, "\x00", " "), "?"))
}

// send writes a request, reading meanwhile.
func (cp *copying) send(request []byte) {
	if err := cp.out.write(request, nil); err != nil {
		cp.fail(err)
		cp.over = true
	}
}

func (cp *copying) drain() {
	for !cp.over {
		cp.step()
	}
}

// discard is stop and end within a bound, for a COPY that nobody ends; later calls of its methods return why. A
// connection that does not answer in time is closed.
func (cp *copying) discard(why error, bound time.Duration) {
	c := cp.conn
	cp.fail(why)
	c.wire.giveUpAt(time.Now().Add(bound))
	cp.stop(why.Error())
	c.wire.giveUpAt(time.Time{})
	cp.end()
}

// pause ends the watch of the context that the COPY runs under, between two calls that the COPY outlives. Where that
// context has ended, so has the COPY.
func (cp *copying) pause() {
	if !cp.ended && cp.conn.wire.unwatch() {
		cp.expire()
	}
}

// resume watches the context of the next call.
func (cp *copying) resume(ctx context.Context) {
	cp.ctx = ctx
	cp.conn.wire.watch(ctx)
}

// expire ends a COPY that nothing watches, because its context has ended. The watch of the ended context has the server
// cancel what may hold the COPY up (a lock, say), where it would not see that the client gives up.
func (cp *copying) expire() {
	cp.conn.wire.watch(cp.ctx)
	cp.stop(context.Cause(cp.ctx).Error())
	cp.end()
}

// contextEnded ends the COPY because its context has.
func (cp *copying) contextEnded() error {
	cp.stop(context.Cause(cp.ctx).Error())
	return cp.end()
}

// enterDo makes the connection ready for a function of Do: one that carries on a COPY under its reservation, or any.
func (c *Conn) enterDo(ctx context.Context) error {
	cp := c.copying
	if cp == nil || c.reserved == nil || reservationOf(ctx) != c.reserved || c.pg.IsClosed() {
		if err := c.ready(ctx); err != nil {
			return err
		}
		return c.settle(ctx)
	}
	if ctx.Err() != nil {
		cp.ctx = ctx
		cp.expire()
		return cp.err
	}
	cp.resume(ctx)
	return nil
}

// leaveDo sees to a COPY that a function of Do leaves open: it waits for the next function where the connection is
// reserved, and has come to its end elsewhere.
func (c *Conn) leaveDo() error {
	switch {
	case c.copying == nil:
		return nil
	case c.reserved != nil:
		c.copying.pause()
		return nil
	}
	c.copying.discard(errCopyLeft, closeTimeout)
	return errCopyLeft
}

// busyCopy is the refusal of a statement during a COPY.
func (c *Conn) busyCopy() error {
	return fmt.Errorf("%w: it is used by %s", ErrBusy, abbreviate(c.copying.sql))
}
