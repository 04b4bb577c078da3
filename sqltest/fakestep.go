package sqltest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// Step is a piece of a Fake's script. An error ends the connection and fails the test.
type Step interface {
	Play(c *FakeConn) error
}

// Script is a sequence of steps, and a step itself, so that sequences nest.
type Script []Step

// Play plays the steps in turn. The error names the step, counted from 1, by its path through nested scripts.
func (s Script) Play(c *FakeConn) error {
	for i, step := range s {
		if err := step.Play(c); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	return nil
}

// StepFunc makes a function a Step.
type StepFunc func(c *FakeConn) error

// Play calls the function.
func (f StepFunc) Play(c *FakeConn) error { return f(c) }

// errHungUp ends a script early, on purpose.
var errHungUp = errors.New("hung up")

// Accept lets the client in without a password and tells it the parameters of a current server, its
// process number (that of the connection, from 1) and that it is ready.
func Accept() Step {
	return StepFunc(func(c *FakeConn) error {
		msgs := []pgproto3.BackendMessage{&pgproto3.AuthenticationOk{}}
		for _, p := range [][2]string{
			{"client_encoding", "UTF8"},
			{"DateStyle", "ISO, MDY"},
			{"integer_datetimes", "on"},
			{"IntervalStyle", "postgres"},
			{"server_encoding", "UTF8"},
			{"server_version", "18.0"},
			{"standard_conforming_strings", "on"},
			{"TimeZone", "UTC"},
		} {
			msgs = append(msgs, &pgproto3.ParameterStatus{Name: p[0], Value: p[1]})
		}
		return c.Send(append(msgs,
			&pgproto3.BackendKeyData{ProcessID: uint32(c.number), SecretKey: c.key()},
			&pgproto3.ReadyForQuery{TxStatus: 'I'})...)
	})
}

// Expect takes messages from the client, which have to be equal to these.
func Expect(msgs ...pgproto3.FrontendMessage) Step {
	return StepFunc(func(c *FakeConn) error {
		for _, want := range msgs {
			got, err := c.Receive()
			if err != nil {
				return fmt.Errorf("want %s: %w", describe(want), err)
			}
			if !sameMessage(got, want) {
				return fmt.Errorf("got %s, want %s", describe(got), describe(want))
			}
		}
		return nil
	})
}

func sameMessage(a, b pgproto3.FrontendMessage) bool {
	textA, errA := a.Encode(nil)
	textB, errB := b.Encode(nil)
	return errA == nil && errB == nil && bytes.Equal(textA, textB)
}

// ExpectSQL takes a request that runs this SQL text: a Query, or a Parse and all up to the Sync after it.
func ExpectSQL(sql string) Step {
	return StepFunc(func(c *FakeConn) error {
		msg, err := c.Receive()
		if err != nil {
			return fmt.Errorf("want %q: %w", sql, err)
		}
		switch msg := msg.(type) {
		case *pgproto3.Query:
			if msg.String != sql {
				return fmt.Errorf("got the query %q, want %q", msg.String, sql)
			}
			return nil
		case *pgproto3.Parse:
			if msg.Query != sql {
				return fmt.Errorf("got the statement %q, want %q", msg.Query, sql)
			}
			return skipToSync(c)
		default:
			return fmt.Errorf("got %s, want %q", describe(msg), sql)
		}
	})
}

// ExpectSync takes everything up to the next Sync.
func ExpectSync() Step { return StepFunc(skipToSync) }

func skipToSync(c *FakeConn) error {
	for {
		msg, err := c.Receive()
		if err != nil {
			return fmt.Errorf("want a Sync: %w", err)
		}
		if _, ok := msg.(*pgproto3.Sync); ok {
			return nil
		}
	}
}

// Reply sends messages in one write.
func Reply(msgs ...pgproto3.BackendMessage) Step {
	return StepFunc(func(c *FakeConn) error { return c.Send(msgs...) })
}

// ReplyBytes sends bytes as they are: half a message, or what no server would send.
func ReplyBytes(b []byte) Step {
	return StepFunc(func(c *FakeConn) error {
		_, err := c.Write(b)
		return err
	})
}

// ReplyParts sends messages in pieces of size bytes, each in a write of its own: a client has to put them together.
func ReplyParts(size int, msgs ...pgproto3.BackendMessage) Step {
	return StepFunc(func(c *FakeConn) error {
		var b []byte
		for _, msg := range msgs {
			var err error
			if b, err = msg.Encode(b); err != nil {
				return fmt.Errorf("encode %s: %w", describe(msg), err)
			}
		}
		for part := range slices.Chunk(b, max(size, 1)) {
			if _, err := c.Write(part); err != nil {
				return err
			}
		}
		return nil
	})
}

// Delay rests, by the clock of testing/synctest where the fake was made in its bubble.
func Delay(d time.Duration) Step {
	return StepFunc(func(c *FakeConn) error {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case <-c.ended:
			return errors.New("the connection ended during a delay")
		}
	})
}

// ReplyError answers a statement with an error of the server, and with ReadyForQuery in the given
// state: 'I' idle, 'T' in a transaction, 'E' in a failed one.
func ReplyError(code, message string, txStatus byte) Step {
	return Reply(
		&pgproto3.ErrorResponse{Severity: "ERROR", SeverityUnlocalized: "ERROR", Code: code, Message: message},
		&pgproto3.ReadyForQuery{TxStatus: txStatus})
}

// Fatal sends an error of severity FATAL and closes the connection, which ends the script.
func Fatal(code, message string) Step {
	return Script{
		Reply(&pgproto3.ErrorResponse{Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: code, Message: message}),
		HangUp(),
	}
}

// HangUp closes the connection, which ends the script.
func HangUp() Step { return StepFunc(func(*FakeConn) error { return errHungUp }) }

// AwaitCancel waits for a cancel request for this connection.
func AwaitCancel() Step {
	return StepFunc(func(c *FakeConn) error {
		select {
		case <-c.cancels:
			return nil
		case <-c.ended:
			return errors.New("want a cancel request: the connection ended")
		}
	})
}

// ReplyCancelled waits for a cancel request and answers the statement under way with SQLSTATE 57014, as a server does.
func ReplyCancelled(txStatus byte) Step {
	return Script{AwaitCancel(), ReplyError("57014", "canceling statement due to user request", txStatus)}
}

// Await waits until the test closes ready, or sends to it.
func Await(ready <-chan struct{}) Step {
	return StepFunc(func(c *FakeConn) error {
		select {
		case <-ready:
			return nil
		case <-c.ended:
			return errors.New("want a signal of the test: the connection ended")
		}
	})
}
