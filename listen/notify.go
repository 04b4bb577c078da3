package listen

import (
	"context"
	sqldriver "database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

const (
	notifySQL     = "select pg_catalog.pg_notify($1, $2)"
	notifyManySQL = "select pg_catalog.count(pg_catalog.pg_notify(n.channel, n.payload)) " +
		"from rows from (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) as n (channel, payload)"
)

// Notify sends a notification. On a *sql.DB or *sql.Conn it is delivered at once, on a *sql.Tx (or inside a transaction of
// a *sql.Conn) when that commits, and never if it is rolled back.
//
// A channel that is empty, longer than 63 bytes or no text, a payload of 8000 bytes or more or with a NUL, and a standby server are refused
// before anything is sent ([ErrChannel], [ErrPayload], [ErrStandby]). The channel is taken as it is written: NOTIFY Jobs in
// SQL text is the channel "jobs".
func Notify(ctx context.Context, q ext.Querier, channel, payload string) error {
	if err := checkMessage(channel, payload); err != nil {
		return err
	}
	if err := send(ctx, q, notifySQL, channel, payload); err != nil {
		return fmt.Errorf("listen: notify %q: %w", channel, err)
	}
	return nil
}

// NotifyJSON is [Notify] with v as JSON. [Decode] reads it.
func NotifyJSON(ctx context.Context, q ext.Querier, channel string, v any) error {
	payload, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("listen: notify %q: %w", channel, err)
	}
	return Notify(ctx, q, channel, string(payload))
}

// Decode reads a payload that is JSON. The error names the channel.
func Decode[T any](n Notification) (T, error) {
	var v T
	if err := json.Unmarshal([]byte(n.Payload), &v); err != nil {
		return v, fmt.Errorf("listen: payload of channel %q: %w", n.Channel, err)
	}
	return v, nil
}

// Message is a notification that is to be sent.
type Message struct{ Channel, Payload string }

// NotifyMany sends notifications in this order with one statement, so that all of them are delivered, or none. Equal ones are
// delivered once. It refuses what [Notify] refuses. No messages are no statement.
func NotifyMany(ctx context.Context, q ext.Querier, messages []Message) error {
	channels, payloads := make([]string, len(messages)), make([]string, len(messages))
	for i, m := range messages {
		if err := checkMessage(m.Channel, m.Payload); err != nil {
			return err
		}
		channels[i], payloads[i] = m.Channel, m.Payload
	}
	if len(messages) == 0 {
		return nil
	}
	if err := send(ctx, q, notifyManySQL, channels, payloads); err != nil {
		return fmt.Errorf("listen: notify: %w", err)
	}
	return nil
}

func checkMessage(channel, payload string) error {
	if err := checkChannel(channel); err != nil {
		return err
	}
	return checkPayload(channel, payload)
}

// send runs a statement on a connection that can notify. Where it turns out that the connection was lost before
// anything was sent, it takes another one, as database/sql does.
func send(ctx context.Context, q ext.Querier, sql string, args ...any) error {
	const attempts = 3
	values := make([]sqldriver.NamedValue, len(args))
	for i, arg := range args {
		values[i] = sqldriver.NamedValue{Ordinal: i + 1, Value: arg}
	}
	var err error
	for range attempts {
		_, err = driver.Do(ctx, q, sql, func(ctx context.Context, c *driver.Conn) (int64, error) {
			if err := checkPrimary(c); err != nil {
				return 0, err
			}
			_, err := c.ExecContext(driver.WithHelperOptions(ctx), sql, values)
			return 0, asStandby(err)
		})
		if !errors.Is(err, sqldriver.ErrBadConn) {
			return err
		}
	}
	return err
}
