package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pycopg/pycopg/copyin"
)

// copyFloor sends a binary COPY that was made before over a bare socket.
func copyFloor(rows []bulkRow) func(context.Context, place) (solution, error) {
	return func(ctx context.Context, where place) (solution, error) {
		messages, err := copyMessages(rows)
		if err != nil {
			return solution{}, err
		}
		opened, err := pgconn.Connect(ctx, dsn(where.addr))
		if err != nil {
			return solution{}, err
		}
		h, err := opened.Hijack()
		if err != nil {
			return solution{}, err
		}
		return solution{func(context.Context) error { return sendCopy(h.Conn, messages) }, func() { h.Conn.Close() }}, nil
	}
}

// copyMessages is the statement, and behind it the data in messages of the size that this driver sends.
func copyMessages(rows []bulkRow) (messages [][]byte, err error) {
	var data bytes.Buffer
	e, err := copyin.NewEncoder(&data, copyin.EncoderOptions{Format: copyin.Binary, Types: []uint32{20, 25, 1184, 701}})
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if err := e.WriteRow(rows[i].values()...); err != nil {
			return nil, err
		}
	}
	if err := e.Close(); err != nil {
		return nil, err
	}
	begin, err := (&pgproto3.Query{String: "copy bulk from stdin (format binary)"}).Encode(nil)
	messages = append(messages, begin)
	for err == nil && data.Len() > 0 {
		var m []byte
		m, err = (&pgproto3.CopyData{Data: data.Next(64 << 10)}).Encode(nil)
		messages = append(messages, m)
	}
	end, endErr := (&pgproto3.CopyDone{}).Encode(nil)
	return append(messages, end), errors.Join(err, endErr)
}

// sendCopy sends the messages, and looks at the answers for their last bytes only: "wait for data" and "ready".
func sendCopy(conn net.Conn, messages [][]byte) error {
	answer := make([]byte, 256)
	for i, m := range messages {
		if _, err := conn.Write(m); err != nil {
			return err
		}
		if i > 0 && i < len(messages)-1 {
			continue
		}
		n, err := io.ReadAtLeast(conn, answer, 5)
		switch {
		case err != nil:
			return err
		case answer[0] == 'E':
			return errors.New(string(answer[:n]))
		}
	}
	return nil
}
