package mock

import (
	"context"
	sqldriver "database/sql/driver"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/jackc/pgx/v5/pgproto3"
)

// kind is what an expectation waits for.
type kind int

const (
	kindExec kind = iota
	kindQuery
	kindStatement // of a command of driver.Do: an Exec or a Query
	kindCommand   // of driver.Do, as a whole
	kindPrepare
	kindBegin
	kindCommit
	kindRollback
	kindPing
	kindClose
	kindCopyIn
	kindCopyOut
	kindListen
)

func (k kind) String() string {
	return [...]string{
		"Exec", "Query", "statement", "command", "Prepare", "Begin", "Commit", "Rollback", "Ping", "Close", "COPY FROM STDIN",
		"COPY TO STDOUT", "LISTEN",
	}[k]
}

// Fault is a moment at which the connection is lost.
type Fault int

// The moments. At COMMIT, BeforeWrite leaves a transaction that was rolled back and AfterWrite one whose outcome nobody
// knows.
const (
	noFault Fault = iota
	// BeforeWrite loses the connection before anything of the request was sent. Outside of a transaction database/sql takes
	// another connection then and runs the statement there, which is a call of its own, with an expectation of its own.
	BeforeWrite
	// AfterWrite loses the connection after the request was read and before anything is answered.
	AfterWrite
	// MidResult loses the connection in the middle of the answer: see WillLoseAfterRows.
	MidResult
)

// expectation is one thing that is expected, and what it answers. It travels through go-sqlmock as an error.
type expectation struct {
	mock  *Mock
	kind  kind
	group int // of AnyOrder, 0: none
	done  bool
	met   chan struct{}

	sql   string
	args  []any // nil: any
	types []uint32
	table string   // of a COPY
	names []string // columns of a COPY, channels of LISTEN

	err        error
	result     sqldriver.Result
	rows       []*sqlmock.Rows
	plainRows  sqldriver.Rows // of go-sqlmock itself
	sets       []resultSet    // of rows or plainRows, once they were read
	setsErr    error
	notices    []*pgproto3.NoticeResponse
	notify     []*pgproto3.NotificationResponse
	delay      time.Duration
	block      <-chan struct{}
	mustCancel bool
	fault      Fault
	faultRows  int
	copied     *copied // of a COPY FROM STDIN
}

// marker begins the texts by which go-sqlmock knows the expectations of this package.
const marker = "\x00pycopg "

// Error makes an expectation an error, which is what go-sqlmock gives back of it.
func (e *expectation) Error() string { return e.String() }

// String describes what is expected.
func (e *expectation) String() string {
	var b strings.Builder
	b.WriteString(e.kind.String())
	switch e.kind {
	case kindCopyIn:
		b.WriteString(" into " + e.table)
		if e.names != nil {
			fmt.Fprintf(&b, " (%s)", strings.Join(e.names, ", "))
		}
	case kindListen:
		fmt.Fprintf(&b, " %s", strings.Join(e.names, ", "))
	default:
		if e.sql != "" {
			fmt.Fprintf(&b, " %q", e.sql)
		}
	}
	if e.args != nil {
		b.WriteString(" with " + showArgs(e.args))
	}
	return b.String()
}

// expect puts an expectation into the row.
func (m *Mock) expect(e *expectation) *expectation {
	m.mu.Lock()
	defer m.mu.Unlock()
	e.mock, e.group, e.met = m, m.mu.anyOrder, make(chan struct{})
	id := len(m.mu.expected)
	m.mu.expected = append(m.mu.expected, e)
	m.Sqlmock.ExpectExec(fmt.Sprintf("%s%d", marker, id)).WillReturnError(e)
	switch e.kind {
	case kindPing:
		m.mu.pings = true
	case kindClose:
		m.mu.closes = true
	}
	return e
}

// await waits as the expectation says. The error is the context's, or errCancelled when cancelled gave a token first.
func (e *expectation) await(ctx context.Context, cancelled <-chan struct{}) error {
	if e.block == nil && e.delay == 0 && !e.mustCancel {
		return nil
	}
	block := e.block
	if block == nil && !e.mustCancel {
		ready := make(chan struct{})
		close(ready)
		block = ready
	}
	timer := time.NewTimer(e.delay)
	defer timer.Stop()
	for elapsed := timer.C; elapsed != nil || block != nil; {
		select {
		case <-elapsed:
			elapsed = nil
			if block == nil && e.mustCancel {
				elapsed = make(chan time.Time) // for ever
			}
		case <-block:
			block = nil
		case <-cancelled:
			return errCancelled
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Reply is what every expectation can be told about the answer. Its methods return the expectation.
type Reply[E any] struct {
	self E
	exp  *expectation
}

func (r Reply[E]) change(change func(e *expectation)) E {
	r.exp.mock.mu.Lock()
	defer r.exp.mock.mu.Unlock()
	change(r.exp)
	return r.self
}

// WillReturnError answers with an error. That of [PgError], or any other *pgconn.PgError, goes over the wire: it fails an
// open transaction, reaches errors.As as *pgconn.PgError and *pq.Error, and closes the connection when it is FATAL. Any
// other error comes back as it is, as if the driver had raised it.
func (r Reply[E]) WillReturnError(err error) E {
	return r.change(func(e *expectation) { e.err = err })
}

// severities are those of notices.
var severities = []string{"NOTICE", "WARNING", "INFO", "LOG", "DEBUG"}

// WillNotice has the server send a notice ahead of the answer: severity is NOTICE, WARNING, INFO, LOG or DEBUG, code the
// SQLSTATE. It may be said more than once.
func (r Reply[E]) WillNotice(severity, code, message string) E {
	r.exp.mock.t.Helper()
	r.exp.mock.refuse(slices.Contains(severities, severity), "WillNotice: the severity %q is none of %s", severity, strings.Join(severities, ", "))
	r.exp.mock.refuse(len(code) == 5, "WillNotice: the SQLSTATE %q has not five characters", code)
	n := &pgproto3.NoticeResponse{Severity: severity, SeverityUnlocalized: severity, Code: code, Message: message}
	return r.change(func(e *expectation) { e.notices = append(e.notices, n) })
}

// WillNotify has the server send a notification right behind the answer, whether or not the session listens to the channel.
// It may be said more than once.
func (r Reply[E]) WillNotify(channel, payload string) E {
	n := &pgproto3.NotificationResponse{PID: notifier, Channel: channel, Payload: payload}
	return r.change(func(e *expectation) { e.notify = append(e.notify, n) })
}

// WillDelayFor has the server take its time, in the time of testing/synctest where the mock was made in its bubble. A cancel
// request ends the delay with SQLSTATE 57014.
func (r Reply[E]) WillDelayFor(d time.Duration) E {
	r.exp.mock.t.Helper()
	r.exp.mock.refuse(d >= 0, "WillDelayFor(%v)", d)
	return r.change(func(e *expectation) { e.delay = d })
}

// WillBlockUntil has the server answer when ready is closed. A cancel request ends that with SQLSTATE 57014.
func (r Reply[E]) WillBlockUntil(ready <-chan struct{}) E {
	r.exp.mock.t.Helper()
	r.exp.mock.refuse(ready != nil, "WillBlockUntil(nil) would never be ready")
	return r.change(func(e *expectation) { e.block = ready })
}

// WillBeCancelled has the server wait for a cancel request, which it answers with SQLSTATE 57014.
func (r Reply[E]) WillBeCancelled() E {
	return r.change(func(e *expectation) { e.mustCancel = true })
}

// WillLose loses the connection at a moment.
func (r Reply[E]) WillLose(at Fault) E {
	r.exp.mock.t.Helper()
	r.exp.mock.refuse(at >= BeforeWrite && at <= MidResult, "WillLose: no moment %d", at)
	return r.change(func(e *expectation) { e.fault = at })
}

// Met is closed when the expectation was met.
func (r Reply[E]) Met() <-chan struct{} { return r.exp.met }
