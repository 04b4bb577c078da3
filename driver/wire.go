package driver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// wire is the transport over a connection. Between watch and unwatch the end of a context cancels what runs:
// the server is asked to stop, and answers are awaited for at most cancel_timeout more.
type wire struct {
	pg      *pgconn.PgConn
	conn    net.Conn
	cancel  func(context.Context) error // asks the server to cancel, returns when it has been told
	timeout time.Duration

	stop     func() bool   // ends the watch, nil when none is on
	onDone   func()        // w.contextEnded, bound once
	over     chan struct{} // capacity 1: the statement has ended, contextEnded is to return
	ended    chan struct{} // capacity 1: contextEnded has run to its end
	canceled bool          // the watched context ended; read after <-ended
	untold   error         // why the server could not be told; read after <-ended
}

func newWire(pg *pgconn.PgConn, cancel func(context.Context) error, timeout time.Duration) *wire {
	w := &wire{pg: pg, conn: pg.Conn(), cancel: cancel, timeout: timeout, over: make(chan struct{}, 1), ended: make(chan struct{}, 1)}
	w.onDone = w.contextEnded
	return w
}

// watch arms the cancel of whatever runs until unwatch. The context is watched, not kept.
func (w *wire) watch(ctx context.Context) {
	w.canceled, w.untold = false, nil
	if ctx.Done() != nil {
		w.stop = context.AfterFunc(ctx, w.onDone)
	}
}

// tellAgain is after how long the server is asked again to cancel a statement that goes on: a request that arrives before
// its statement does is lost.
const tellAgain = 50 * time.Millisecond

// contextEnded runs on its own goroutine when a watched context ends.
func (w *wire) contextEnded() {
	w.conn.SetDeadline(time.Now().Add(w.timeout))
	w.canceled = true
	again := time.NewTicker(tellAgain)
	defer again.Stop()
	for {
		w.untold = w.tell()
		if w.untold != nil {
			<-w.over
			break
		}
		select {
		case <-w.over:
		case <-again.C:
			continue
		}
		break
	}
	w.ended <- struct{}{}
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
	if w.stop == nil {
		return false
	}
	if !w.stop() {
		w.over <- struct{}{}
		<-w.ended
		w.conn.SetDeadline(time.Time{})
	}
	w.stop = nil
	if w.untold != nil {
		w.kill()
	}
	return w.canceled
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
	n, err := w.conn.Write(request)
	if err == nil {
		return nil
	}
	err = w.parting(err)
	w.kill()
	if n == 0 {
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
	msg, err := w.pg.ReceiveMessage(context.Background())
	if err == nil {
		return msg, nil
	}
	w.kill()
	var fatal *pgconn.PgError
	if errors.As(err, &fatal) {
		return nil, &serverError{pg: fatal}
	}
	// pgconn's label says "safe to retry", which is untrue: take it off.
	if inner := errors.Unwrap(err); inner != nil {
		err = inner
	}
	return nil, fmt.Errorf("driver: connection lost: %w", err)
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
