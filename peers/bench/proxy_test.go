package main

import (
	"io"
	"net"
	"slices"
	"testing"
)

// answer is a DataRow, a CommandComplete and a ReadyForQuery.
var answer = []byte("D\x00\x00\x00\x06\x00\x00C\x00\x00\x00\x05\x00Z\x00\x00\x00\x05I")

func TestFramerCountsAnswersHoweverTheyAreCut(t *testing.T) {
	t.Parallel()
	for size := 1; size <= len(answer)*2; size++ {
		var f framer
		ready := 0
		for piece := range slices.Chunk(slices.Concat(answer, answer), size) {
			ready += f.feed(piece)
		}
		if ready != 2 {
			t.Errorf("in pieces of %d bytes: %d answers, want 2", size, ready)
		}
	}
}

func TestFramerCountsAnAnswerAtItsLastByte(t *testing.T) {
	t.Parallel()
	var f framer
	if n := f.feed(answer[:len(answer)-1]); n != 0 {
		t.Errorf("%d answers before the last byte, want 0", n)
	}
	if n := f.feed(answer[len(answer)-1:]); n != 1 {
		t.Errorf("%d answers with the last byte, want 1", n)
	}
}

// echo answers each byte with an answer.
func echo(t *testing.T) (addr string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for b := make([]byte, 1); ; {
					if _, err := conn.Read(b); err != nil {
						return
					}
					conn.Write(answer)
				}
			}()
		}
	}()
	return l.Addr().String()
}

func TestProxyCountsRoundTripsAndRecords(t *testing.T) {
	t.Parallel()
	p, err := newProxy(echo(t), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	recorded := &tape{}
	p.record(recorded)
	conn, err := net.Dial("tcp", p.addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for i := range 3 {
		if _, err := conn.Write([]byte{byte(i)}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, make([]byte, len(answer))); err != nil {
			t.Fatal(err)
		}
		if got := p.roundTrips(); got != i+1 {
			t.Errorf("round trips = %d, want %d", got, i+1)
		}
	}
	p.record(nil)
	if len(recorded.exchanges) != 3 {
		t.Fatalf("recorded %d exchanges, want 3", len(recorded.exchanges))
	}
	for i, x := range recorded.exchanges {
		if !slices.Equal(x.send, []byte{byte(i)}) || x.ready != 1 {
			t.Errorf("exchange %d = %q, %d answers; want %q, 1", i, x.send, x.ready, []byte{byte(i)})
		}
	}
}
