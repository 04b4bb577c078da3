package mock

import (
	"sync"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pycopg/pycopg/sqltest"
)

// outbox gathers messages until they are flushed. The goroutine that serves uses it, and those that notify.
type outbox struct {
	conn *sqltest.FakeConn
	mu   sync.Mutex
	buf  []byte
}

// send adds a message to what flush lets go.
func (o *outbox) send(msg pgproto3.BackendMessage) {
	o.mu.Lock()
	defer o.mu.Unlock()
	b, err := msg.Encode(o.buf)
	if err != nil {
		panic(err) // no message of a mock is over 1 GiB
	}
	o.buf = b
}

// flush writes what was sent, which does not block. That the connection has ended is found out when it is read from.
func (o *outbox) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.conn.Write(o.buf) //nolint:errcheck // see above
	o.buf = o.buf[:0]
}
