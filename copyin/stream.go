package copyin

import (
	"context"
	"database/sql"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// pool is a handle of many connections.
type pool interface {
	Conn(context.Context) (*sql.Conn, error)
}

// stream is a COPY FROM STDIN over several calls of driver.Do, so that code of users runs between them. It holds one
// connection: any other statement on it gets driver.ErrBusy.
type stream struct {
	q         ext.Querier
	conn      *sql.Conn // taken from a pool, nil where q is no pool
	operation string    // "COPY into users", for ErrBusy
	shown     string    // the statement that mocks and loggers see
	held      *driver.Reservation
	released  bool
	real      bool // driver.Do has reached a connection: q is no mock
	ci        *driver.CopyIn
}

// begin takes a connection and holds it. prepare runs on it.
func (s *stream) begin(ctx context.Context, prepare func(context.Context, *driver.Conn) error) (int64, error) {
	if pool, ok := s.q.(pool); ok {
		conn, err := pool.Conn(ctx)
		if err != nil {
			return 0, err
		}
		s.conn, s.q = conn, conn
	}
	return driver.Do(ctx, s.q, s.shown, func(ctx context.Context, c *driver.Conn) (int64, error) {
		s.real = true
		held, err := c.Reserve(s.operation)
		if err != nil {
			return 0, err
		}
		s.held = held
		if err := prepare(held.Context(ctx), c); err != nil {
			s.release()
			return 0, err
		}
		return 0, nil
	})
}

func (s *stream) release() {
	s.held.Release()
	s.released = true
}

// open starts the COPY ahead of its data, or leaves it to write.
func (s *stream) open(ctx context.Context, open func(context.Context, *driver.Conn) (*driver.CopyIn, error)) error {
	_, err := driver.Do(s.held.Context(ctx), s.q, s.shown, func(ctx context.Context, c *driver.Conn) (_ int64, err error) {
		if s.ci, err = open(ctx, c); err != nil {
			s.release()
		}
		return 0, err
	})
	return err
}

// write sends a part of the data, with the statement before the first and the end behind the last. It returns the number of
// rows that were stored.
func (s *stream) write(ctx context.Context, statement string, data []byte, last bool) (rows int64, err error) {
	return driver.Do(s.held.Context(ctx), s.q, s.shown, func(ctx context.Context, c *driver.Conn) (rows int64, err error) {
		defer func() {
			if err != nil || last {
				s.release()
			}
		}()
		if s.ci == nil {
			if s.ci, err = c.CopyIn(ctx, statement); err != nil {
				return 0, err
			}
		}
		if _, err := s.ci.Write(data); err != nil {
			return 0, err
		}
		if last {
			return s.ci.Close()
		}
		return 0, nil
	})
}

// abort ends a COPY that is under way, whatever became of the context, and frees the connection.
func (s *stream) abort(ctx context.Context, reason error) {
	if s.held != nil && !s.released {
		s.held.End(ctx, s.q, s.shown, func(context.Context, *driver.Conn) error {
			if s.ci == nil {
				return nil
			}
			return s.ci.Abort(reason)
		})
		s.released = true
	}
	if s.conn != nil {
		s.conn.Close()
		s.conn = nil
	}
}
