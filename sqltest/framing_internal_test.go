package sqltest

import (
	"slices"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

// frames returns the types and lengths that a framing finds in stream when it arrives in pieces of n bytes.
func frames(side Side, started bool, stream []byte, n int) (found [][2]int) {
	f := framing{started: started}
	var pending []byte
	for piece := range slices.Chunk(stream, n) {
		pending = append(pending, piece...)
		for {
			typ, length := f.next(side, pending)
			if length == 0 {
				break
			}
			found = append(found, [2]int{int(typ), length})
			pending = pending[length:]
		}
	}
	return found
}

func clientStream(t testing.TB) []byte {
	t.Helper()
	var b []byte
	var err error
	for _, msg := range []pgproto3.FrontendMessage{
		&pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: map[string]string{"user": "u"}},
		&pgproto3.Parse{Query: "select $1"}, &pgproto3.Sync{}, &pgproto3.Query{String: ""},
	} {
		if b, err = msg.Encode(b); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func TestFramingFindsTheSameMessagesInAnyPieces(t *testing.T) {
	t.Parallel()
	stream := clientStream(t)
	want := [][2]int{{int(StartupPacket), 16}, {'P', 18}, {'S', 5}, {'Q', 6}}
	for n := 1; n <= len(stream); n++ {
		if got := frames(Frontend, false, stream, n); !slices.Equal(got, want) {
			t.Errorf("pieces of %d bytes: %v, want %v", n, got, want)
		}
	}
}

func TestFramingFollowsTheRequestForEncryption(t *testing.T) {
	t.Parallel()
	request, err := (&pgproto3.SSLRequest{}).Encode(nil)
	if err != nil {
		t.Fatal(err)
	}
	for reply, encrypted := range map[byte]bool{'N': false, 'S': true} {
		var f framing
		if typ, n := f.next(Frontend, request); typ != StartupPacket || n != len(request) {
			t.Errorf("request: %d, %d", typ, n)
		}
		if typ, n := f.next(Backend, []byte{reply}); typ != EncryptionReply || n != 1 {
			t.Errorf("reply %c: %d, %d", reply, typ, n)
		}
		stream := clientStream(t)
		if typ, _ := f.next(Frontend, stream); (typ == Opaque) != encrypted {
			t.Errorf("after %c: type %d", reply, typ)
		}
	}
}

func FuzzFraming(f *testing.F) {
	f.Add(clientStream(f), byte(3), true)
	f.Add([]byte("Z\x00\x00\x00\x05I"), byte(1), false)
	f.Add([]byte("\x16\x03\x01"), byte(1), true)
	f.Add([]byte("Q\x00\x00\x00\x00"), byte(2), false)
	f.Fuzz(func(t *testing.T, stream []byte, n byte, frontend bool) {
		side := Backend
		if frontend {
			side = Frontend
		}
		total := 0
		for _, frame := range frames(side, false, stream, int(n)+1) {
			if frame[1] < 1 {
				t.Fatalf("a message of %d bytes", frame[1])
			}
			total += frame[1]
		}
		if total > len(stream) {
			t.Fatalf("messages of %d bytes in a stream of %d", total, len(stream))
		}
	})
}
