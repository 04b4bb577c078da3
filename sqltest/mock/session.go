package mock

import (
	"context"
	"errors"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pycopg/pycopg/sqltest"
)

// session is the server's side of a connection.
type session struct {
	mock *Mock
	conn *sqltest.FakeConn
	out  *outbox

	// What the extended protocol has, of the goroutine that serves.
	statements map[string]*prepared
	portals    map[string]*portal
	skipping   bool // after an error, up to the next Sync

	mu struct {
		sync.Mutex
		status    byte         // I, T, E
		answering bool         // a request is under way
		staged    *expectation // of the statement that the handle runs now
		call      call
		listening map[string]bool
		held      []*pgproto3.NotificationResponse // until the session is idle
		err       error                            // of the last answer, where it is none of a server
	}
}

var (
	errCancelled = errors.New("mock: cancelled")
	errGone      = errors.New("mock: the connection has ended")
)

// notifier is the process that notifications come from.
const notifier = 4711

// serve plays the server for one connection.
func (m *Mock) serve(c *sqltest.FakeConn) error {
	s := &session{mock: m, conn: c, statements: map[string]*prepared{}, portals: map[string]*portal{}}
	s.mu.status, s.mu.listening = 'I', map[string]bool{}
	s.out = &outbox{conn: c}
	m.mu.Lock()
	m.mu.sessions[uint32(c.Number())] = s
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		delete(m.mu.sessions, uint32(c.Number()))
		m.mu.Unlock()
	}()
	if err := sqltest.Accept().Play(c); err != nil {
		return nil //nolint:nilerr // the client went away
	}
	for {
		msg, err := c.Receive()
		if err != nil {
			return nil //nolint:nilerr // the client, or the test, has ended the connection
		}
		if _, ok := msg.(*pgproto3.Terminate); ok {
			return nil
		}
		if err := s.handle(msg); err != nil {
			return sqltest.HangUp().Play(c)
		}
	}
}

// handle answers a message. An error ends the connection.
func (s *session) handle(msg pgproto3.FrontendMessage) error {
	s.begin()
	if q, ok := msg.(*pgproto3.Query); ok {
		s.skipping = false
		if err := s.simple(q.String); err != nil {
			return err
		}
		s.ready()
		return nil
	}
	if _, ok := msg.(*pgproto3.Sync); ok {
		s.skipping = false
		s.ready()
		return nil
	}
	if s.skipping {
		return nil
	}
	err := s.extended(msg)
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		s.skipping = true
		return s.refuse(refused)
	}
	return err
}

// begin notes that a request is under way.
func (s *session) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.answering = true
}

// ready ends the answer to a request, with the notifications that waited for it.
func (s *session) ready() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.answering = false
	if s.mu.status == 'I' {
		for _, n := range s.mu.held {
			s.out.send(n)
		}
		s.mu.held = nil
	}
	s.out.send(&pgproto3.ReadyForQuery{TxStatus: s.mu.status})
	s.out.flush()
}

// refuse answers with an error, which fails an open transaction.
func (s *session) refuse(pg *pgconn.PgError) error {
	s.out.send(onWire(pg))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.status == 'T' {
		s.mu.status = 'E'
	}
	if isFatal(pg) {
		s.out.flush()
		return errGone
	}
	return nil
}

func (s *session) status() byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.status
}

func (s *session) setStatus(status byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.status = status
}

// stage tells what the next statement's answer is.
func (s *session) stage(e *expectation, k call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.staged, s.mu.call = e, k
}

func (s *session) staged() (*expectation, call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.staged, s.mu.call
}

// setError keeps an error that is none of a server for the handle.
func (s *session) setError(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.err = err
}

// ownError is err, or in its place the error that the expectation asked for.
func (s *session) ownError(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.mu.err
	s.mu.err = nil
	if err != nil && own != nil {
		return own
	}
	return err
}

// hangUp ends the connection at once.
func (s *session) hangUp() {
	s.conn.HangUp()
}

// isGone reports whether the connection has ended from this side.
func (s *session) isGone() bool {
	select {
	case <-s.conn.Ended():
		return true
	default:
		return false
	}
}

// notify sends a notification, at once when the session is idle.
func (s *session) notify(n *pgproto3.NotificationResponse) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.answering || s.mu.status != 'I' {
		s.mu.held = append(s.mu.held, n)
		return
	}
	s.out.send(n)
	s.out.flush()
}

// await waits as an expectation says; the error is errCancelled, or errGone.
func (s *session) await(e *expectation) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	if e.block != nil || e.delay > 0 || e.mustCancel {
		go func() {
			select {
			case <-s.conn.Ended():
				stop()
			case <-ctx.Done():
			}
		}()
	}
	err := e.await(ctx, s.conn.Cancels())
	if err != nil && err != errCancelled {
		return errGone
	}
	return err
}

// session is the server's side of the connection with a process number.
func (m *Mock) session(pid uint32) *session {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mu.sessions[pid]
}
