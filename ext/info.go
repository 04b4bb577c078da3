package ext

import (
	"context"
	"fmt"

	"github.com/pycopg/pycopg/driver"
)

// TxStatus is the state of a connection's transaction.
type TxStatus byte

// The states, as the protocol has them.
const (
	TxIdle    TxStatus = 'I' // outside of a transaction
	TxOpen    TxStatus = 'T' // inside one
	TxFailed  TxStatus = 'E' // inside one that has failed
	TxUnknown TxStatus = 0   // on a mock
)

// String is libpq's name of the state: IDLE, INTRANS, INERROR or UNKNOWN.
func (s TxStatus) String() string {
	switch s {
	case TxIdle:
		return "IDLE"
	case TxOpen:
		return "INTRANS"
	case TxFailed:
		return "INERROR"
	}
	return "UNKNOWN"
}

// ConnectionInfo says what a handle leads to: the server, its host of those in the connection string, TLS, and the session.
type ConnectionInfo struct {
	driver.Info
	TxStatus   TxStatus
	Protocol   string            // version of the wire protocol: "3.0"
	Parameters map[string]string // run-time parameters that the server reports by itself: server_encoding, TimeZone, …
}

// Info tells what q leads to. It asks the server nothing. Of a pool it is one of its connections. On a mock it is the zero value.
func Info(ctx context.Context, q Querier) (ConnectionInfo, error) {
	var info ConnectionInfo
	_, err := driver.Do(ctx, q, "info", func(_ context.Context, c *driver.Conn) (int64, error) {
		info = ConnectionInfo{
			Info: c.Info(), TxStatus: TxStatus(c.TxStatus()), Protocol: c.Protocol(), Parameters: c.Parameters(),
		}
		return 0, nil
	})
	if err != nil {
		return ConnectionInfo{}, fmt.Errorf("ext: info: %w", err)
	}
	return info, nil
}
