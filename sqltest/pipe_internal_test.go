package sqltest

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestPipeHoldsWhatWasWritten(t *testing.T) {
	t.Parallel()
	a, b := newPipe()
	for range 2 {
		if n, err := a.Write([]byte("hello")); n != 5 || err != nil {
			t.Errorf("Write = %d, %v", n, err)
		}
	}
	a.Close()
	if got, err := io.ReadAll(b); string(got) != "hellohello" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
	if n, err := b.Write([]byte("x")); n != 0 || !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("Write to a closed end = %d, %v", n, err)
	}
	if _, err := a.Read(make([]byte, 1)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("Read of a closed end: %v", err)
	}
}

func TestPipeHasDeadlines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := newPipe()
		start := time.Now()
		a.SetReadDeadline(start.Add(time.Minute))
		var timeout net.Error
		if _, err := a.Read(make([]byte, 1)); !errors.As(err, &timeout) || !timeout.Timeout() || time.Since(start) != time.Minute {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		a.SetDeadline(time.Unix(1, 0))
		if _, err := a.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Write past its deadline: %v", err)
		}
		a.SetDeadline(time.Time{})
		read := make(chan string)
		go func() {
			p := make([]byte, 10)
			n, err := a.Read(p)
			read <- string(p[:n])
			if err != nil {
				t.Error(err)
			}
		}()
		synctest.Wait()
		b.Write([]byte("late"))
		if got := <-read; got != "late" {
			t.Errorf("read %q", got)
		}
		interrupted := make(chan error)
		go func() {
			_, err := a.Read(make([]byte, 1))
			interrupted <- err
		}()
		synctest.Wait()
		a.SetReadDeadline(time.Unix(1, 0))
		if err := <-interrupted; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a deadline set during the read: %v", err)
		}
	})
}
