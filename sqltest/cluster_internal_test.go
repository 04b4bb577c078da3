package sqltest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestManyProcessorsHaveManyConnections(t *testing.T) {
	t.Parallel()
	for processors, want := range map[int]int{1: 400, 8: 400, 16: 1024, 256: 4000} {
		if got := maxConnections(processors); got != want {
			t.Errorf("%d processors: %d, want %d", processors, got, want)
		}
	}
}

func TestAStartWhosePortStaysTakenNamesIt(t *testing.T) {
	t.Parallel()
	taken := errors.New("FATAL:  could not create any TCP/IP sockets")
	synctest.Test(t, func(t *testing.T) {
		begin, attempts := time.Now(), 0
		err := retryPort(t.Context(), 5433, time.Minute, func(context.Context) error {
			attempts++
			return taken
		})
		if !errors.Is(err, taken) || !strings.Contains(err.Error(), "port 5433 ") || attempts < 2 || time.Since(begin) != time.Minute {
			t.Errorf("after %d attempts in %v: %v", attempts, time.Since(begin), err)
		}
		other := errors.New("invalid configuration")
		if err := retryPort(t.Context(), 5433, time.Minute, func(context.Context) error { return other }); err != other {
			t.Errorf("another failure: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := retryPort(ctx, 5433, time.Minute, func(context.Context) error { return taken }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a context that ends: %v", err)
		}
	})
}
