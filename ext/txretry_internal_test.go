package ext

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestJitterIsBoundedAndDoubles(t *testing.T) {
	t.Parallel()
	tests := []struct {
		first   time.Duration
		retries int
		longest time.Duration
	}{
		{0, 0, 20 * time.Millisecond},
		{0, 3, 160 * time.Millisecond},
		{0, 500, 2 * time.Second},
		{time.Second, 5, 2 * time.Second},
		{time.Minute, 5, time.Minute},
	}
	for _, tt := range tests {
		var most time.Duration
		for range 2000 {
			d := jitter(tt.first, tt.retries)
			if d < 0 || d > tt.longest {
				t.Fatalf("jitter(%v, %d) = %v, over %v", tt.first, tt.retries, d, tt.longest)
			}
			most = max(most, d)
		}
		if most < tt.longest/2 {
			t.Errorf("jitter(%v, %d) is at most %v in 2000 draws, want up to %v", tt.first, tt.retries, most, tt.longest)
		}
	}
}

func TestPauseEndsWithItsTimeOrContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if !pause(t.Context(), time.Hour) || time.Since(start) != time.Hour {
			t.Errorf("pause of an hour ended after %v", time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start = time.Now()
		if pause(ctx, time.Hour) || time.Since(start) != time.Minute {
			t.Errorf("pause with a context of a minute ended after %v", time.Since(start))
		}
	})
}
