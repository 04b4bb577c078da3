package driver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// wire is the transport over a connection. Between watch and unwatch the end of a context cancels what runs:
// the server is asked to stop, and answers are awaited for at most cancel_timeout more.
type wire struct {
	pg      *pgconn.PgConn
	conn    net.Conn
	inbox   *inbox                        // nil where pgx made the connection
	cancel  func(context.Context) error   // asks the server to cancel, returns when it has been told
	hear    func(pgproto3.BackendMessage) // sees each message, where pgconn's hooks are not this driver's; else nil
	timeout time.Duration
	socket  *peeker       // nil where the connection has no socket to look at
	stood   time.Duration // by now: when the server was last heard, or the socket last looked at

	canceler *Canceler       // of its user's, nil when there is none
	ctx      context.Context // of what runs, for its notices; nil while nothing does
	stop     func() bool     // ends the watch, nil when none is on
	onDone   func()          // w.contextEnded, bound once
	over     chan struct{}   // capacity 1: what was to be cancelled has ended
	ended    chan struct{}   // capacity 1: contextEnded has run to its end
	canceled bool            // the watched context ended; read after <-ended
	untold   error           // why the server could not be told; read after <-ended

	deadline struct { // of the socket
		sync.Mutex
		limit   time.Time // when answers are given up, zero: never
		bounded bool      // reads have an earlier deadline of their own
	}
}

func newWire(pg *pgconn.PgConn, in *inbox, cancel func(context.Context) error, timeout time.Duration) *wire {
	w := &wire{pg: pg, conn: pg.Conn(), inbox: in, cancel: cancel, timeout: timeout}
	w.over, w.ended = make(chan struct{}, 1), make(chan struct{}, 1)
	w.onDone = w.contextEnded
	if raw := rawConn(w.conn); raw != nil {
		w.socket = newPeeker(raw)
	}
	return w
}

// watch arms the cancel of whatever runs until unwatch, and says whose notices arrive until then.
func (w *wire) watch(ctx context.Context) {
	w.canceled, w.untold = false, nil
	w.ctx = ctx
	if w.canceler != nil {
		w.canceler.begin()
	}
	if ctx.Done() != nil {
		w.stop = context.AfterFunc(ctx, w.onDone)
	}
}

// cancelAgain is after how long a cancel request is repeated for the first time.
const cancelAgain = 50 * time.Millisecond

// contextEnded runs on its own goroutine when a watched context ends. The server ignores a cancel request that overtakes
// its statement, so it is repeated, ever more seldom, until the statement has ended.
func (w *wire) contextEnded() {
	deadline := time.Now().Add(w.timeout)
	w.giveUpAt(deadline)
	w.canceled = true
	w.untold = w.tell()
	for wait := cancelAgain; w.untold == nil && time.Now().Before(deadline) && !w.isOver(wait); wait *= 2 {
		w.untold = w.tell()
	}
	w.ended <- struct{}{}
}

// isOver waits for the end of what was to be cancelled, at most for wait.
func (w *wire) isOver(wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-w.over:
		return true
	case <-timer.C:
		return false
	}
}

// tell asks the server to cancel and waits until it has taken note.
func (w *wire) tell() error {
	ctx, done := context.WithTimeout(context.Background(), w.timeout)
	defer done()
	return w.cancel(ctx)
}

// unwatch ends the watch and reports whether it cancelled. After a cancel it waits until the server has taken note,
// so that no later statement is hit; where that is uncertain, the connection is closed.
func (w *wire) unwatch() (canceled bool) {
	w.ctx = nil
	if w.canceler != nil {
		w.canceler.end()
	}
	if w.stop == nil {
		return false
	}
	if !w.stop() {
		w.over <- struct{}{}
		<-w.ended
		select {
		case <-w.over:
		default:
		}
		w.giveUpAt(time.Time{})
	}
	w.stop = nil
	if w.untold != nil {
		w.kill()
	}
	return w.canceled
}

// giveUpAt sets when reads and writes are given up, and the connection with them. The zero time is never.
func (w *wire) giveUpAt(t time.Time) {
	w.deadline.Lock()
	defer w.deadline.Unlock()
	w.deadline.limit = t
	w.conn.SetWriteDeadline(t)
	if !w.deadline.bounded {
		w.conn.SetReadDeadline(t)
	}
}

// boundReads gives reads a deadline that does not end the connection, until unboundReads. It also makes a read that is
// under way on another goroutine return.
func (w *wire) boundReads(t time.Time) {
	w.deadline.Lock()
	defer w.deadline.Unlock()
	w.deadline.bounded = true
	w.conn.SetReadDeadline(t)
}

// readsBounded reports whether a read that timed out met the deadline of boundReads.
func (w *wire) readsBounded() bool {
	w.deadline.Lock()
	defer w.deadline.Unlock()
	return w.deadline.bounded
}

func (w *wire) unboundReads() {
	w.deadline.Lock()
	defer w.deadline.Unlock()
	w.deadline.bounded = false
	w.conn.SetReadDeadline(w.deadline.limit)
}

// interrupt implements transport.
func (w *wire) interrupt() {
	if w.tell() != nil {
		w.kill()
	}
}

// send implements transport.
func (w *wire) send(request []byte) error {
	if w.pg.IsClosed() {
		return &retryError{}
	}
	return w.write(request, 0)
}

// write writes request from where it was written to.
func (w *wire) write(request []byte, written int) error {
	n, err := w.conn.Write(request[written:])
	if err == nil {
		return nil
	}
	err = w.parting(err)
	w.kill()
	if written+n == 0 {
		return &retryError{cause: err}
	}
	return err
}

// parting looks for the FATAL error with which the server said why it left, after a write failed with err.
func (w *wire) parting(err error) error {
	w.conn.SetReadDeadline(time.Now().Add(time.Second))
	for {
		msg, rerr := w.pg.ReceiveMessage(context.Background())
		if rerr != nil {
			var fatal *pgconn.PgError
			if errors.As(rerr, &fatal) {
				return &serverError{pg: fatal}
			}
			return err
		}
		if e, ok := msg.(*pgproto3.ErrorResponse); ok {
			return newServerError(e)
		}
	}
}

// receive implements transport.
func (w *wire) receive() (pgproto3.BackendMessage, error) {
	if w.reads() {
		if msg := w.inbox.next(w.pg.TxStatus()); msg != nil {
			return msg, nil
		}
	}
	msg, err := w.pg.ReceiveMessage(context.Background())
	if err != nil {
		return nil, w.lost(err)
	}
	w.heard(msg)
	return msg, nil
}

// row implements transport.
func (w *wire) row() []byte {
	if !w.reads() {
		return nil
	}
	return w.inbox.wholeRow()
}

// reads reports whether the next message is in the inbox, and not with pgconn.
func (w *wire) reads() bool {
	return w.inbox != nil && w.pg.Frontend().ReadBufferLen() == 0 && !w.pg.IsClosed()
}

// lost closes the connection after a read failed with err, and returns what that means.
func (w *wire) lost(err error) error {
	w.kill()
	var fatal *pgconn.PgError
	if errors.As(err, &fatal) {
		return &serverError{pg: fatal}
	}
	// pgconn's label says "safe to retry", which is untrue: take it off.
	if inner := errors.Unwrap(err); inner != nil {
		err = inner
	}
	return fmt.Errorf("driver: connection lost: %w", err)
}

// held is how many bytes have been read from the connection that no message was made of.
func (w *wire) held() int {
	n := w.pg.Frontend().ReadBufferLen()
	if w.inbox != nil {
		n += w.inbox.held()
	}
	return n
}

func (w *wire) heard(msg pgproto3.BackendMessage) {
	if w.hear != nil {
		w.hear(msg)
	}
}

// kill closes the connection at once, without a word to the server.
func (w *wire) kill() {
	w.conn.Close()
	w.pg.Close(context.Background())
}

// txStatus implements transport.
func (w *wire) txStatus() byte { return w.pg.TxStatus() }

// parameter implements transport.
func (w *wire) parameter(name string) string { return w.pg.ParameterStatus(name) }
