package driver

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// CopyOut is a COPY … TO STDOUT under way: the raw stream from the server, in the format that the statement says. It owns
// the connection until Next returns an error or Close: any other statement gets [ErrBusy].
//
// It belongs to one call of [Do], or to several under a [Reservation], as a [CopyIn] does.
// A CopyOut is not safe for concurrent use.
type CopyOut struct {
	copying
}

// CopyOut starts statement, a COPY … TO STDOUT, and returns when its data begins. An error of the statement is this
// call's, or that of a later Next.
func (c *Conn) CopyOut(ctx context.Context, statement string) (*CopyOut, error) {
	if err := c.readyToRun(ctx); err != nil {
		return nil, err
	}
	if err := checkCopy(statement, false, c.engine.standardStrings()); err != nil {
		return nil, err
	}
	co := &CopyOut{copying: copying{conn: c, sql: statement}}
	if err := co.copyStart(ctx, func() error { return c.engine.sendCopy(statement) }); err != nil {
		return nil, err
	}
	return co, nil
}

// Columns is the number of columns that the server sends.
func (co *CopyOut) Columns() int { return len(co.formats) }

// Binary reports whether the COPY is in the binary format, not text or CSV.
func (co *CopyOut) Binary() bool { return co.binary }

// Next returns the next piece of the stream, valid until the next call. PostgreSQL sends a row in each, and in the
// binary format the header with the first row and the trailer by itself. It returns io.EOF behind the last when the
// server has said that all went well. Any error ends the COPY.
func (co *CopyOut) Next() ([]byte, error) {
	if co.ended {
		return nil, co.err
	}
	if co.ctx.Err() != nil {
		return nil, co.contextEndedOut()
	}
	for !co.over {
		msg, err := co.conn.engine.next()
		if err != nil {
			co.fail(err)
			co.over = true
			break
		}
		if data, ok := msg.(*pgproto3.CopyData); ok {
			return data.Data, nil
		}
		co.take(msg)
	}
	if err := co.end(); err != nil {
		return nil, err
	}
	co.err = io.EOF
	return nil, io.EOF
}

// contextEndedOut reads to the end that the watch has asked for. Where that came too late, all is well but for the data.
func (co *CopyOut) contextEndedOut() error {
	if err := co.contextEnded(); err != nil {
		return err
	}
	co.err = &canceledError{ctxErr: co.ctx.Err(), cause: context.Cause(co.ctx)}
	return co.err
}

// Rows is the number of rows that the server has sent, known when Next has returned io.EOF.
func (co *CopyOut) Rows() int64 { return co.rows }

// Close ends the COPY. Before the end of its data the server is asked to cancel it, and what is under way is thrown
// away: outside of a transaction that is no error, inside it fails the transaction, which the error says. Close takes at
// most cancel_timeout; a server that does not answer by then costs the connection. A second Close does nothing.
func (co *CopyOut) Close() error {
	if co.ended {
		return nil
	}
	c := co.conn
	c.wire.interrupt()
	c.wire.giveUpAt(time.Now().Add(c.cfg.CancelTimeout))
	co.drain()
	c.wire.giveUpAt(time.Time{})
	ours := serverCode(co.err) == codeQueryCanceled && co.ctx.Err() == nil
	switch {
	case ours && c.TxStatus() == 'I':
		co.err = nil
	case ours:
		co.err = fmt.Errorf("driver: the COPY was closed before its end, the transaction has failed: %w", co.err)
	}
	err := co.end()
	if err == nil {
		co.err = io.EOF
	}
	return err
}
