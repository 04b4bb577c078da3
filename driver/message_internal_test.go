package driver

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

// decodeRequest reads a request as the server does.
func decodeRequest(t testing.TB, request []byte) []pgproto3.FrontendMessage {
	t.Helper()
	backend := pgproto3.NewBackend(bytes.NewReader(request), io.Discard)
	var messages []pgproto3.FrontendMessage
	for {
		msg, err := backend.Receive()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return messages
		}
		if err != nil {
			t.Fatalf("request %q: %v", request, err)
		}
		// The backend reuses its messages: keep a copy.
		encoded, err := msg.Encode(nil)
		if err != nil {
			t.Fatal(err)
		}
		clone := reflect.New(reflect.TypeOf(msg).Elem()).Interface().(pgproto3.FrontendMessage)
		if err := clone.Decode(bytes.Clone(encoded[5:])); err != nil {
			t.Fatal(err)
		}
		messages = append(messages, clone)
	}
}

// ofBytes encodes arguments given as their bytes, nil for NULL.
func ofBytes(args [][]byte, format int16) paramEncoder {
	return func(dst []byte, i int) ([]byte, int16, error) {
		if args[i] == nil {
			return append(dst, 0xff, 0xff, 0xff, 0xff), 0, nil
		}
		n := len(args[i])
		dst = append(dst, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
		return append(dst, args[i]...), format, nil
	}
}

func TestMessagesReadAsTheyWereMeant(t *testing.T) {
	t.Parallel()
	buf := appendParse(nil, "name", "select $1", []uint32{23, 25})
	buf = appendDescribe(buf, 'S', "name")
	buf = appendDescribe(buf, 'P', "")
	buf = appendClose(buf, 'S', "old")
	buf, err := appendBind(buf, "name", 2, ofBytes([][]byte{[]byte("x"), nil}, 1), []int16{1, 0, 1})
	if err != nil {
		t.Fatal(err)
	}
	buf = appendSync(appendExecute(buf))
	buf = appendQuery(buf, "select 1; select 2")
	buf = appendCopyFail(buf, "why")
	want := []pgproto3.FrontendMessage{
		&pgproto3.Parse{Name: "name", Query: "select $1", ParameterOIDs: []uint32{23, 25}},
		&pgproto3.Describe{ObjectType: 'S', Name: "name"},
		&pgproto3.Describe{ObjectType: 'P'},
		&pgproto3.Close{ObjectType: 'S', Name: "old"},
		&pgproto3.Bind{PreparedStatement: "name", ParameterFormatCodes: []int16{1, 0}, Parameters: [][]byte{[]byte("x"), nil}, ResultFormatCodes: []int16{1, 0, 1}},
		&pgproto3.Execute{},
		&pgproto3.Sync{},
		&pgproto3.Query{String: "select 1; select 2"},
		&pgproto3.CopyFail{Message: "why"},
	}
	got := decodeRequest(t, buf)
	if len(got) != len(want) {
		t.Fatalf("%d messages, want %d", len(got), len(want))
	}
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("message %d = %#v, want %#v", i, got[i], want[i])
		}
	}
}

func TestResultFormatsAreShortened(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want []int16 }{
		{nil, nil},
		{[]int16{0, 0}, nil},
		{[]int16{1, 1, 1}, []int16{1}},
		{[]int16{1}, []int16{1}},
		{[]int16{0, 1}, []int16{0, 1}},
	} {
		buf, err := appendBind(nil, "", 0, nil, tt.in)
		if err != nil {
			t.Fatal(err)
		}
		if got := decodeRequest(t, buf)[0].(*pgproto3.Bind).ResultFormatCodes; !slices.Equal(got, tt.want) {
			t.Errorf("formats %v travel as %v, want %v", tt.in, got, tt.want)
		}
	}
}

func TestFailedBindLeavesTheRequestAsItWas(t *testing.T) {
	t.Parallel()
	failure := errors.New("no such value")
	before := appendParse(nil, "", "select $1, $2", nil)
	after, err := appendBind(bytes.Clone(before), "", 2, func(dst []byte, i int) ([]byte, int16, error) {
		if i == 1 {
			return append(dst, "half"...), 0, failure
		}
		return append(dst, 0, 0, 0, 0), 0, nil
	}, nil)
	if !errors.Is(err, failure) || !strings.Contains(err.Error(), "$2") {
		t.Errorf("error = %v, want the failure with its argument's number", err)
	}
	if !bytes.Equal(before, after) {
		t.Errorf("request = %q, want %q", after, before)
	}
}

func FuzzMessages(f *testing.F) {
	f.Add("name", "select 1", []byte("value"), uint32(23), uint16(3))
	f.Add("", "", []byte(nil), uint32(0), uint16(0))
	f.Fuzz(func(t *testing.T, name, sql string, value []byte, oid uint32, count uint16) {
		if strings.ContainsRune(name+sql, 0) {
			t.Skip("refused before messages are built")
		}
		n := int(count % 300)
		args, oids, formats := make([][]byte, n), make([]uint32, n), make([]int16, n)
		for i := range n {
			oids[i], formats[i] = oid+uint32(i), int16(i%2)
			if i%3 != 2 {
				args[i] = append([]byte{}, value...)
			}
		}
		buf := appendParse(nil, name, sql, oids)
		buf, err := appendBind(buf, name, n, ofBytes(args, 1), formats)
		if err != nil {
			t.Fatal(err)
		}
		buf = appendSync(appendExecute(appendClose(appendDescribe(appendQuery(buf, sql), 'S', name), 'S', name)))
		got := decodeRequest(t, buf)
		if len(got) != 7 {
			t.Fatalf("%d messages, want 7", len(got))
		}
		parse, bind := got[0].(*pgproto3.Parse), got[1].(*pgproto3.Bind)
		if parse.Name != name || parse.Query != sql || !slices.Equal(parse.ParameterOIDs, oids) {
			t.Errorf("parse = %+v", parse)
		}
		if bind.PreparedStatement != name || len(bind.Parameters) != n {
			t.Errorf("bind = %+v", bind)
		}
		for i, p := range bind.Parameters {
			if (p == nil) != (args[i] == nil) || !bytes.Equal(p, args[i]) {
				t.Errorf("parameter %d = %q, want %q", i, p, args[i])
			}
		}
	})
}
