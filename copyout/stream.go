package copyout

import (
	"context"
	"database/sql"
	"io"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

const (
	bufferSize = 64 << 10 // how much is read before it is passed on
	savepoint  = `"pycopg copyout"`
)

// prepare gives the statement of a COPY, on its connection.
type prepare func(context.Context, *driver.Conn) (string, error)

// out is a COPY TO STDOUT under way. Inside a transaction there is a savepoint below it, so that it can be left before its end.
type out struct {
	co    *driver.CopyOut
	saved bool
	rows  int64

	complete bool // all has come
}

func start(ctx context.Context, c *driver.Conn, statement string) (o *out, err error) {
	o = &out{}
	if c.TxStatus() == 'T' {
		if _, err := c.ExecContext(ctx, "savepoint "+savepoint, nil); err != nil {
			return nil, err
		}
		o.saved = true
	}
	o.co, err = c.CopyOut(ctx, statement)
	return o, err
}

// fill appends what comes to buf, up to about bufferSize of it. more is false when all has come.
func (o *out) fill(ctx context.Context, c *driver.Conn, buf []byte) (_ []byte, more bool, err error) {
	for full := len(buf) + bufferSize; len(buf) < full; {
		data, err := o.co.Next()
		if err == io.EOF {
			o.rows, o.complete = o.co.Rows(), true
			if o.saved {
				_, err = c.ExecContext(ctx, "release savepoint "+savepoint, nil)
				return buf, false, err
			}
			return buf, false, nil
		}
		if err != nil {
			return buf, false, err
		}
		buf = append(buf, data...)
	}
	return buf, true, nil
}

// leave ends the COPY before its end.
func (o *out) leave(ctx context.Context, c *driver.Conn) error {
	if o.complete {
		return nil
	}
	err := o.co.Close()
	if o.saved && !c.IsClosed() {
		_, err = c.ExecContext(ctx, "rollback to savepoint "+savepoint+"; release savepoint "+savepoint, nil)
	}
	return err
}

// stream is a COPY TO STDOUT over several calls of driver.Do, so that code of users runs between them. It holds one
// connection: any other statement on it gets driver.ErrBusy.
type stream struct {
	q         ext.Querier
	src       Source    // for errors
	conn      *sql.Conn // taken from a pool, nil where q is no pool
	operation string    // for ErrBusy
	shown     string    // the statement that mocks and loggers see
	held      *driver.Reservation
	keep      bool // the connection stays busy until end, also when all has come
	released  bool
	real      bool // driver.Do has reached a connection: q is no mock
	out       *out
}

// begin takes a connection, holds it, and starts the COPY.
func (s *stream) begin(ctx context.Context, prepare prepare) (int64, error) {
	if pool, ok := s.q.(interface {
		Conn(context.Context) (*sql.Conn, error)
	}); ok {
		conn, err := pool.Conn(ctx)
		if err != nil {
			return 0, err
		}
		s.conn, s.q = conn, conn
	}
	return driver.Do(ctx, s.q, s.shown, func(ctx context.Context, c *driver.Conn) (_ int64, err error) {
		s.real = true
		if s.held, err = c.Reserve(s.operation); err != nil {
			return 0, err
		}
		ctx = s.held.Context(ctx)
		statement, err := prepare(ctx, c)
		if err == nil {
			if s.out, err = start(ctx, c, statement); err != nil {
				err = s.src.explain(ctx, c, err)
			}
		}
		if err != nil {
			s.release()
		}
		return 0, err
	})
}

func (s *stream) release() {
	s.held.Release()
	s.released = true
}

// fill is out.fill in a call of driver.Do. It gives the connection free when it has come to the end, unless it is kept.
func (s *stream) fill(ctx context.Context, buf []byte) (_ []byte, more bool, err error) {
	_, err = driver.Do(s.held.Context(ctx), s.q, s.shown, func(ctx context.Context, c *driver.Conn) (_ int64, err error) {
		defer func() {
			if err != nil || !more && !s.keep {
				s.release()
			}
		}()
		buf, more, err = s.out.fill(ctx, c, buf)
		return 0, err
	})
	return buf, more, err
}

// end frees the connection, whatever became of the context: a COPY that is under way is cancelled.
func (s *stream) end(ctx context.Context) {
	if s.held != nil && !s.released {
		s.held.End(ctx, s.q, s.shown, s.out.leave)
		s.released = true
	}
	if s.conn != nil {
		s.conn.Close()
		s.conn = nil
	}
}
