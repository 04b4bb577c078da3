package driver

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

// encoded is a message as bytes, which do not change with the next one.
func encoded(t testing.TB, msg pgproto3.BackendMessage) string {
	t.Helper()
	b, err := msg.Encode(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// pieces is a reader that gives a stream in pieces of a few bytes.
type pieces struct {
	stream []byte
	sizes  []byte
	calls  int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.stream) == 0 {
		return 0, io.EOF
	}
	n := len(p.stream)
	if len(p.sizes) > 0 {
		n = 1 + int(p.sizes[p.calls%len(p.sizes)])
		p.calls++
	}
	n = copy(b, p.stream[:min(n, len(p.stream))])
	p.stream = p.stream[n:]
	return n, nil
}

// mostBytes keeps pgproto3 from making room for messages that will never come.
const mostBytes = 1 << 20

// direct are the messages of a stream, as pgproto3 reads them.
func direct(t testing.TB, stream []byte) (messages []string) {
	f := pgproto3.NewFrontend(bytes.NewReader(stream), io.Discard)
	f.SetMaxBodyLen(mostBytes)
	for {
		msg, err := f.Receive()
		if err != nil {
			return messages
		}
		messages = append(messages, encoded(t, msg))
	}
}

// through are the messages that come through an inbox. choices say which reader is asked: the inbox, for rows that are
// there or for any message of a result, or pgproto3 behind it.
func through(t testing.TB, stream, sizes, choices []byte) (messages []string) {
	in := &inbox{from: &pieces{stream: stream, sizes: sizes}}
	f := pgproto3.NewFrontend(in, io.Discard)
	f.SetMaxBodyLen(mostBytes)
	status := byte('I')
	for i := 0; ; i++ {
		choice := byte(0)
		if len(choices) > 0 {
			choice = choices[i%len(choices)] % 3
		}
		if f.ReadBufferLen() == 0 && choice == 0 {
			if body := in.wholeRow(); body != nil {
				messages = append(messages, encoded(t, splitAgain(t, body)))
				continue
			}
		}
		if f.ReadBufferLen() == 0 && choice < 2 {
			if msg := in.next(status); msg != nil {
				messages = append(messages, encoded(t, msg))
				continue
			}
		}
		msg, err := f.Receive()
		if err != nil {
			return messages
		}
		if ready, ok := msg.(*pgproto3.ReadyForQuery); ok {
			status = ready.TxStatus
		}
		messages = append(messages, encoded(t, msg))
	}
}

// errMalformed stands for a row that no server sends.
var errMalformed = errors.New("malformed")

// splitAgain asks a row for its values, back and forth, and makes a message of them.
func splitAgain(t testing.TB, body []byte) *pgproto3.DataRow {
	values, err := valuesOf(t, body)
	if err != nil {
		return &pgproto3.DataRow{Values: [][]byte{body}}
	}
	return &pgproto3.DataRow{Values: values}
}

func valuesOf(t testing.TB, body []byte) (values [][]byte, err error) {
	r := dataRow{valid: true, body: body, at: sizeOfCount}
	for i := range r.count() {
		v, ok := r.value(i)
		if !ok {
			return nil, errMalformed
		}
		values = append(values, v)
	}
	for i := range slices.Backward(values) {
		if v, ok := r.value(i); !ok || !bytes.Equal(v, values[i]) || (v == nil) != (values[i] == nil) {
			t.Fatalf("value %d is %q, and %q when it is asked for again", i, values[i], v)
		}
	}
	return values, nil
}

// answerOf is a stream of all the messages that a result is made of, and of others, with rows of size bytes.
func answerOf(t testing.TB, size int) []byte {
	long := bytes.Repeat([]byte("x"), size)
	var stream []byte
	for _, msg := range []pgproto3.BackendMessage{
		&pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, &pgproto3.ParameterStatus{Name: "TimeZone", Value: "UTC"},
		&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("a")}}},
		&pgproto3.DataRow{Values: [][]byte{[]byte("one"), nil, {}}}, &pgproto3.DataRow{Values: [][]byte{long}},
		&pgproto3.DataRow{Values: [][]byte{}}, &pgproto3.NoticeResponse{Severity: "NOTICE", Message: "hello"},
		&pgproto3.DataRow{Values: [][]byte{long[20:], nil}}, &pgproto3.DataRow{Values: slices.Repeat([][]byte{[]byte("v")}, maxKeptRow+1)},
		&pgproto3.CommandComplete{CommandTag: []byte("SELECT 4")}, &pgproto3.ReadyForQuery{TxStatus: 'I'},
		&pgproto3.NoData{}, &pgproto3.CloseComplete{}, &pgproto3.CopyData{Data: []byte("raw")}, &pgproto3.ReadyForQuery{TxStatus: 'T'},
		&pgproto3.ErrorResponse{Severity: "ERROR", Code: "42601"}, &pgproto3.ReadyForQuery{TxStatus: 'E'}, &pgproto3.EmptyQueryResponse{},
		&pgproto3.NotificationResponse{Channel: "c"}, &pgproto3.ReadyForQuery{TxStatus: 'E'},
	} {
		stream = append(stream, encoded(t, msg)...)
	}
	return stream
}

// FuzzInbox reads a stream through an inbox and pgproto3 in turns. The messages are those that pgproto3 alone reads, up to
// the first that is malformed.
func FuzzInbox(f *testing.F) {
	long, stream := answerOf(f, inboxSize), answerOf(f, 30)
	for _, sizes := range []string{"", "\x00", "\x04\x00\x09", "\xff"} {
		for _, choices := range []string{"", "\x01", "\x02", "\x00\x01\x02", "\x02\x00\x00"} {
			f.Add(stream, []byte(sizes), []byte(choices))
			f.Add(long, []byte(sizes), []byte(choices))
		}
	}
	f.Add(stream[:len(stream)-3], []byte{7}, []byte{})
	f.Add([]byte("2\x00\x00\x00\x05x"), []byte{}, []byte{1})
	f.Add([]byte("C\x00\x00\x00\x07x\x00\x00"), []byte{}, []byte{1})
	f.Add([]byte("D\x00\x00\x00\x0a\x00\x01\xff\xff\xff\xfe"), []byte{}, []byte{1})
	f.Add([]byte("D\x80\x00\x00\x0a\x00\x01"), []byte{}, []byte{0})
	f.Fuzz(func(t *testing.T, stream, sizes, choices []byte) {
		want, got := direct(t, stream), through(t, stream, sizes, choices)
		got = got[:min(len(got), len(want))] // a row that has arrived is taken apart later, and found out then
		if !slices.Equal(got, want) {
			t.Fatalf("%d messages, want %d: %.200q, want %.200q", len(got), len(want), got, want)
		}
	})
}

// FuzzRow takes a row apart as it is scanned, and all at once as pgproto3 does.
func FuzzRow(f *testing.F) {
	f.Add([]byte("\x00\x02\x00\x00\x00\x01a\xff\xff\xff\xff"))
	f.Add([]byte("\x00\x01\x00\x00\x00\x00"))
	f.Add([]byte("\x00\x01\xff\xff\xff\xfe"))
	f.Add([]byte("\x00\x03\x00\x00\x00\x01a"))
	f.Fuzz(func(t *testing.T, body []byte) {
		var want pgproto3.DataRow
		werr := want.Decode(body)
		if len(body) < sizeOfCount {
			return
		}
		got, err := valuesOf(t, body)
		if (err != nil) != (werr != nil) {
			t.Fatalf("error %v, pgproto3 says %v", err, werr)
		}
		if err == nil && !slices.EqualFunc(got, want.Values, func(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) }) {
			t.Errorf("values %q, pgproto3 has %q", got, want.Values)
		}
	})
}

// TestInboxHoldsNothingWhileTheConnectionIdles looks at the memory behind an answer.
func TestInboxHoldsNothingWhileTheConnectionIdles(t *testing.T) {
	t.Parallel()
	in := &inbox{from: bytes.NewReader(answerOf(t, 20))}
	for range 2 {
		if in.next('I') == nil {
			t.Fatal("the messages of a result are pgconn's")
		}
	}
	if in.buf == nil {
		t.Fatal("an inbox that holds messages has no buffer")
	}
	in = &inbox{from: strings.NewReader("D\x00\x00\x00\x0b\x00\x01\x00\x00\x00\x01aZ\x00\x00\x00\x05I")}
	if _, ok := in.next('I').(*pgproto3.DataRow); !ok {
		t.Fatal("no row")
	}
	if _, ok := in.next('I').(*pgproto3.ReadyForQuery); !ok {
		t.Fatal("no end")
	}
	if in.buf != nil || in.row.Values[0] != nil {
		t.Errorf("an idle inbox holds the buffer %v and the row %q", in.buf != nil, in.row.Values)
	}
}

// TestARowThatEndsTooEarlyIsNoRow has a message whose lengths do not add up.
func TestARowThatEndsTooEarlyIsNoRow(t *testing.T) {
	t.Parallel()
	body := binary.BigEndian.AppendUint32([]byte{0, 1}, 5)
	r := dataRow{valid: true, body: append(body, "four"...), at: sizeOfCount}
	if v, ok := r.value(0); ok {
		t.Errorf("the value is %q", v)
	}
}
