//go:build unix

package driver

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// socketPair are the two ends of a connection over network.
func socketPair(t *testing.T, network string) (here, there net.Conn) {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		dir, err := os.MkdirTemp("", "submit")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		address = filepath.Join(dir, "s")
	}
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if here, err = net.Dial(network, l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if there, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { here.Close(); there.Close() })
	return here, there
}

// TestSubmitLooksWritesAndWaits is about what is on the socket when a request is to be sent.
func TestSubmitLooksWritesAndWaits(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			here, there := socketPair(t, network)
			s := newSubmitter(rawConn(here))
			go func() {
				b := make([]byte, 3)
				io.ReadFull(there, b)
				there.Write(append(b, '!'))
			}()
			if n, found := s.submit([]byte("ask")); n != 3 || found != peekQuiet {
				t.Fatalf("%d bytes were written, found %d", n, found)
			}
			if n, found := s.submit([]byte("ask")); n != 0 || found != peekData {
				t.Errorf("%d bytes were written behind an unread answer, found %d", n, found)
			}
			b := make([]byte, 8)
			if n, err := here.Read(b); err != nil || string(b[:n]) != "ask!" {
				t.Fatalf("the answer is %q, %v", b[:n], err)
			}
			there.Close()
			eventuallyGone(t, newPeeker(rawConn(here)))
			if n, found := s.submit([]byte("ask")); n != 0 || found != peekGone {
				t.Errorf("%d bytes were written to a peer that has gone, found %d", n, found)
			}
			here.Close()
			if n, found := s.submit([]byte("ask")); n != 0 || found != peekGone {
				t.Errorf("%d bytes were written to a closed socket, found %d", n, found)
			}
		})
	}
}

// eventuallyGone waits for the end of a connection to arrive.
func eventuallyGone(t *testing.T, p *peeker) {
	t.Helper()
	for p.peek() == peekQuiet {
		if t.Context().Err() != nil {
			t.Fatal("the end of the connection does not arrive")
		}
		<-time.After(time.Millisecond)
	}
}

// TestSubmitEndsItsWait has the wait ended by the peer's leaving, and by a deadline: reading finds the same.
func TestSubmitEndsItsWait(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(here, there net.Conn){
		"the peer leaves": func(_, there net.Conn) { there.(*net.TCPConn).CloseWrite() },
		"a deadline":      func(here, _ net.Conn) { here.SetReadDeadline(time.Unix(1, 0)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			here, there := socketPair(t, "tcp")
			s := newSubmitter(rawConn(here))
			go func() {
				io.ReadFull(there, make([]byte, 3))
				end(here, there)
			}()
			if n, found := s.submit([]byte("ask")); n != 3 || found != peekQuiet {
				t.Errorf("%d bytes were written, found %d", n, found)
			}
			if _, err := here.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("reading gives %v", err)
			}
		})
	}
}

// TestSubmitLeavesWhatTheSocketDoesNotTake is about a request longer than the buffers of the sockets.
func TestSubmitLeavesWhatTheSocketDoesNotTake(t *testing.T) {
	t.Parallel()
	here, _ := socketPair(t, "tcp")
	request := make([]byte, 64<<20)
	if n, found := newSubmitter(rawConn(here)).submit(request); n == 0 || n == len(request) || found != peekQuiet {
		t.Errorf("%d bytes were written, found %d", n, found)
	}
}

// background is a reader like pgconn's.
type background struct {
	io.Reader
	status int32
}

func (b *background) Status() int32 { return b.status }

// TestSubmitStandsBackForAReaderInTheBackground is about connections that pgconn reads from by itself: a look would wait
// behind it, and nothing be sent.
func TestSubmitStandsBackForAReaderInTheBackground(t *testing.T) {
	t.Parallel()
	b := &background{status: 1}
	w := &wire{submitter: &submitter{}, inbox: &inbox{from: b}}
	if w.looksFirst() {
		t.Error("it looks beside a reader that is at work")
	}
	b.status = 0
	if !w.looksFirst() {
		t.Error("it does not look when the reader has stopped")
	}
	w = &wire{submitter: &submitter{}, inbox: &inbox{from: io.MultiReader()}}
	if w.looksFirst() {
		t.Error("it looks where it cannot know of readers")
	}
}

// TestOnlyPlainSocketsAreWrittenToDirectly: a type around a socket may do something of its own in Write.
func TestOnlyPlainSocketsAreWrittenToDirectly(t *testing.T) {
	t.Parallel()
	here, _ := socketPair(t, "tcp")
	if !plainSocket(here) {
		t.Error("a TCP connection is no plain socket")
	}
	if plainSocket(struct{ *net.TCPConn }{here.(*net.TCPConn)}) {
		t.Error("a type around a TCP connection is a plain socket")
	}
}
