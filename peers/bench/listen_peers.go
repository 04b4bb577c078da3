package main

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/lib/pq"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/driver/pgdriver"

	"github.com/pycopg/pycopg/listen"
	"github.com/pycopg/pycopg/listen/pqcompat"
)

// listenerEar has one subscription for each channel, and takes from the first.
type listenerEar struct {
	db       *sql.DB
	listener *listen.Listener
	subs     []*listen.Subscription
	stop     context.CancelFunc
	ended    chan error
}

func hearListener(ctx context.Context, addr string) (ear, error) {
	db, err := sql.Open("pycopg", dsn(addr))
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	e := &listenerEar{db: db, listener: listen.New(db, listen.ListenerOptions{}), stop: stop, ended: make(chan error, 1)}
	go func() { e.ended <- e.listener.Run(ctx) }()
	return e, e.listener.Ready(ctx)
}

func (e *listenerEar) listen(ctx context.Context, channels []string) error {
	for _, c := range channels {
		s, err := e.listener.Subscribe(ctx, c, listen.SubOptions{})
		if err != nil {
			return err
		}
		e.subs = append(e.subs, s)
	}
	return nil
}

func (e *listenerEar) next(ctx context.Context) (string, error) {
	event, err := e.subs[0].Next(ctx)
	if err == nil && event.Gap != nil {
		err = event.Gap.Err
	}
	return event.Payload, err
}

func (e *listenerEar) close() {
	e.stop()
	<-e.ended
	e.db.Close()
}

// notificationsEar pulls from the iterator on a connection.
type notificationsEar struct {
	db   *sql.DB
	conn *sql.Conn
	pull func() (listen.Notification, error, bool)
	stop func()
}

func hearNotifications(ctx context.Context, addr string) (ear, error) {
	db, err := sql.Open("pycopg", dsn(addr))
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	return &notificationsEar{db: db, conn: conn, stop: func() {}}, err
}

func (e *notificationsEar) listen(ctx context.Context, channels []string) error {
	for _, c := range channels {
		if _, err := e.conn.ExecContext(ctx, "listen "+pgx.Identifier{c}.Sanitize()); err != nil {
			return err
		}
	}
	return nil
}

func (e *notificationsEar) next(ctx context.Context) (string, error) {
	if e.pull == nil {
		e.pull, e.stop = iter.Pull2(listen.Notifications(ctx, e.conn, nil, listen.WaitOptions{}))
	}
	n, err, ok := e.pull()
	if !ok && err == nil {
		err = errors.New("the notifications have ended")
	}
	return n.Payload, err
}

func (e *notificationsEar) close() {
	e.stop()
	e.conn.Close()
	e.db.Close()
}

// pgxEar waits on a connection.
type pgxEar struct{ conn *pgx.Conn }

func hearPgx(ctx context.Context, addr string) (ear, error) {
	conn, err := pgx.Connect(ctx, dsn(addr))
	return pgxEar{conn}, err
}

func (e pgxEar) listen(ctx context.Context, channels []string) error {
	for _, c := range channels {
		if _, err := e.conn.Exec(ctx, "listen "+pgx.Identifier{c}.Sanitize()); err != nil {
			return err
		}
	}
	return nil
}

func (e pgxEar) next(ctx context.Context) (string, error) {
	n, err := e.conn.WaitForNotification(ctx)
	if err != nil {
		return "", err
	}
	return n.Payload, nil
}

func (e pgxEar) close() { e.conn.Close(context.Background()) }

// The pauses between attempts of lib/pq's listener, and of its like.
const (
	minReconnect = 10 * time.Millisecond
	maxReconnect = time.Second
)

type pqEar struct{ listener *pq.Listener }

func hearPq(_ context.Context, addr string) (ear, error) {
	return pqEar{pq.NewListener(dsn(addr), minReconnect, maxReconnect, nil)}, nil
}

func (e pqEar) listen(_ context.Context, channels []string) error {
	for _, c := range channels {
		if err := e.listener.Listen(c); err != nil {
			return err
		}
	}
	return nil
}

func (e pqEar) next(ctx context.Context) (string, error) {
	select {
	case n := <-e.listener.Notify:
		if n == nil {
			return "", errLostConnection
		}
		return n.Extra, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

var errLostConnection = errors.New("the connection was lost")

func (e pqEar) close() { e.listener.Close() }

type compatEar struct{ listener *pqcompat.Listener }

func hearCompat(_ context.Context, addr string) (ear, error) {
	return compatEar{pqcompat.NewListener(dsn(addr), minReconnect, maxReconnect, nil)}, nil
}

func (e compatEar) listen(_ context.Context, channels []string) error {
	for _, c := range channels {
		if err := e.listener.Listen(c); err != nil {
			return err
		}
	}
	return nil
}

func (e compatEar) next(ctx context.Context) (string, error) {
	select {
	case n := <-e.listener.Notify:
		if n == nil {
			return "", errLostConnection
		}
		return n.Extra, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (e compatEar) close() { e.listener.Close() }

type bunEar struct {
	db       *bun.DB
	listener *pgdriver.Listener
}

func hearBun(_ context.Context, addr string) (ear, error) {
	db := bun.NewDB(sql.OpenDB(pgdriver.NewConnector(pgdriver.WithDSN(dsn(addr)))), pgdialect.New())
	return bunEar{db, pgdriver.NewListener(db)}, nil
}

// listen waits until the server listens: bun's Listen does not.
func (e bunEar) listen(ctx context.Context, channels []string) error {
	if err := e.listener.Listen(ctx, channels...); err != nil {
		return err
	}
	last := "LISTEN " + strconv.Quote(channels[len(channels)-1])
	for listening := false; !listening; {
		err := e.db.DB.QueryRowContext(ctx, "select exists (select from pg_stat_activity where query = $1 and state = 'idle')", last).Scan(&listening)
		if err != nil {
			return err
		}
	}
	return nil
}

func (e bunEar) next(ctx context.Context) (string, error) {
	_, payload, err := e.listener.ReceiveTimeout(ctx, time.Minute)
	return payload, err
}

func (e bunEar) close() {
	e.listener.Close()
	e.db.Close()
}
