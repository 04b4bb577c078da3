package sqltest

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// pieces counts the writes that it gets.
type pieces struct{ writes, bytes int }

func (p *pieces) Write(b []byte) (int, error) {
	p.writes++
	p.bytes += len(b)
	return len(b), nil
}

func TestFaultLimitsTheBandwidth(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &Fault{t: t}
		c := newFaultConn(f, nil, nil)
		for _, tt := range []struct {
			side   Side
			rate   int
			writes int
			took   time.Duration
		}{
			{Frontend, 0, 1, 0},
			{Backend, 200_000, 10, 100 * time.Millisecond},
			{Backend, 2_000, 1000, 10 * time.Second},
			{Backend, 0, 1, 0},
		} {
			f.Bandwidth(tt.side, tt.rate)
			begin := time.Now()
			var got pieces
			if err := c.transmit(tt.side, &got, make([]byte, 20_000)); err != nil {
				t.Error(err)
			}
			if took := time.Since(begin); got.bytes != 20_000 || got.writes != tt.writes || took != tt.took {
				t.Errorf("side %v, %d bytes a second: %d bytes in %d pieces and %v, want %d and %v", tt.side, tt.rate, got.bytes, got.writes, took, tt.writes, tt.took)
			}
		}
		f.Bandwidth(Backend, 1)
		time.AfterFunc(time.Second/2, func() { close(c.done) })
		if err := c.transmit(Backend, io.Discard, []byte("xx")); err == nil {
			t.Error("it went on when the connection was over")
		}
	})
}

func TestFaultDelaysEachDirection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &Fault{t: t}
		c := newFaultConn(f, nil, nil)
		f.Latency(Frontend, time.Second)
		f.Latency(Backend, time.Minute)
		for side, want := range map[Side]time.Duration{Frontend: time.Second, Backend: time.Minute} {
			begin := time.Now()
			queue := make(chan parcel, 2)
			c.queue(side, queue, parcel{})
			c.queue(side, queue, parcel{}) // the delays of messages behind each other do not add up
			for range 2 {
				if p := <-queue; !c.await(p.due) {
					t.Error("the connection is over")
				}
			}
			if took := time.Since(begin); took != want {
				t.Errorf("side %v: %v, want %v", side, took, want)
			}
		}
	})
}

// quickServer is the server's side of a connection: its answer is on its way before the write of a request returns.
type quickServer struct {
	net.Conn
	server net.Conn
}

func (q quickServer) Write(b []byte) (int, error) {
	go q.server.Write(b)
	synctest.Wait()
	return len(b), nil
}

func TestNoAnswerOvertakesAFaultBehindAMessage(t *testing.T) {
	t.Parallel()
	for _, do := range []Action{ActCut, ActReset, ActFreeze} {
		synctest.Test(t, func(t *testing.T) {
			f := &Fault{t: t}
			program, client := net.Pipe()
			server, far := net.Pipe()
			c := newFaultConn(f, client, quickServer{server, far})
			c.framing = framing{started: true}
			c.start()
			hit := f.On(Rule{Type: 'Q', After: true, Do: do})
			if _, err := program.Write([]byte("Q\x00\x00\x00\x05\x00")); err != nil {
				t.Fatal(err)
			}
			answer := make(chan string, 1)
			go func() {
				b, _ := io.ReadAll(io.LimitReader(program, 6))
				answer <- string(b)
			}()
			<-hit
			synctest.Wait()
			select {
			case got := <-answer:
				if got != "" || do == ActFreeze {
					t.Errorf("action %d: the answer %q came", do, got)
				}
			default:
				if do != ActFreeze {
					t.Errorf("action %d: the connection goes on", do)
				}
			}
			f.Thaw()
			if do == ActFreeze {
				if got := <-answer; len(got) != 6 {
					t.Errorf("behind the frost came %q", got)
				}
			}
			c.end()
			far.Close()
			program.Close()
			f.running.Wait()
		})
	}
}
