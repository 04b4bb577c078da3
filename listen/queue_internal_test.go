package listen

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func at(second int) time.Time { return epoch.Add(time.Duration(second) * time.Second) }

// pushed is a queue after so many notifications, one a second, each proven a second before.
func pushed(o SubOptions, n int) *queue {
	q := &queue{opts: o.withDefaults()}
	for i := range n {
		pushAt(q, i)
	}
	return q
}

func pushAt(q *queue, second int) {
	q.push(item{Event: Event{Notification: Notification{Payload: strconv.Itoa(second)}, Received: at(second)}, since: at(second - 1)})
}

// drained takes everything: payloads, and gaps as their seconds.
func drained(q *queue) string {
	var all []string
	for e, ok := q.take(); ok; e, ok = q.take() {
		if e.Gap == nil {
			all = append(all, e.Payload)
			continue
		}
		all = append(all, fmt.Sprintf("[%.0f-%.0f]", e.Gap.Since.Sub(epoch).Seconds(), e.Gap.Until.Sub(epoch).Seconds()))
	}
	return strings.Join(all, " ")
}

func TestOverflow(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		opts    SubOptions
		want    string
		dropped int64
	}{
		{"room", SubOptions{Buffer: 6}, "0 1 2 3 4 5", 0},
		{"block", SubOptions{Buffer: 2}, "0 1 2 3 4 5", 0},
		{"block for long enough", SubOptions{Buffer: 2, BlockLimit: 3 * time.Second}, "0 1 2 3 4 5", 0},
		{"block for too long", SubOptions{Buffer: 2, BlockLimit: 2 * time.Second}, "0 1 [1-5]", 4},
		{"block without limit", SubOptions{Buffer: 1, BlockLimit: -1}, "0 1 2 3 4 5", 0},
		{"drop oldest", SubOptions{Buffer: 2, Overflow: DropOldest}, "[-1-5] 4 5", 4},
		{"drop newest", SubOptions{Buffer: 2, Overflow: DropNewest}, "0 1 [1-5]", 4},
		{"coalesce", SubOptions{Buffer: 2, Overflow: Coalesce}, "5", 0},
	} {
		q := pushed(tt.opts, 6)
		if got := drained(q); got != tt.want || q.stats.Dropped != tt.dropped {
			t.Errorf("%s: %s, %d dropped; want %s, %d", tt.name, got, q.stats.Dropped, tt.want, tt.dropped)
		}
		s := q.stats
		if s.Received != 6 || s.Delivered+s.Dropped+s.Coalesced != 6 || s.Gaps != int64(strings.Count(tt.want, "[")) {
			t.Errorf("%s: %+v", tt.name, s)
		}
	}
}

func TestOverflowGoesOnWhenThereIsRoomAgain(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		opts SubOptions
		want string
	}{
		{"drop newest", SubOptions{Buffer: 3, Overflow: DropNewest}, "2 [2-5] 6 [6-7]"},
		{"drop oldest", SubOptions{Buffer: 3, Overflow: DropOldest}, "[3-7] 5 6 7"},
		{"block", SubOptions{Buffer: 3, BlockLimit: time.Second}, "2 [2-5] 6 7"},
		{"coalesce", SubOptions{Overflow: Coalesce}, "7"},
	} {
		q := pushed(tt.opts, 6)
		q.take()
		q.take()
		pushAt(q, 6)
		pushAt(q, 7)
		if got := drained(q); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestGapsAreNeverDropped(t *testing.T) {
	t.Parallel()
	lost := errors.New("lost")
	for _, tt := range []struct {
		policy Overflow
		want   string
	}{
		{DropOldest, "[-1-102] 102"},
		{DropNewest, "0 [10-102]"},
		{Coalesce, "[10-40] 102"},
		{Block, "0 [10-40] 100 101 102"},
	} {
		q := pushed(SubOptions{Buffer: 1, Overflow: tt.policy, BlockLimit: -1}, 1)
		q.interrupt(Gap{Since: at(10), Until: at(20), Err: lost}, at(20))
		q.interrupt(Gap{Since: at(30), Until: at(40), Err: lost}, at(40))
		for i := range 3 {
			pushAt(q, 100+i)
		}
		if got := drained(q); got != tt.want {
			t.Errorf("policy %d: %s, want %s", tt.policy, got, tt.want)
		}
	}
}

func TestQueueReusesItsSpace(t *testing.T) {
	t.Parallel()
	q := pushed(SubOptions{Buffer: 10}, 5)
	for i := range 100_000 {
		pushAt(q, 5+i)
		if e, ok := q.take(); !ok || e.Payload != strconv.Itoa(i) {
			t.Fatalf("%d: %v, %v", i, e, ok)
		}
	}
	if n := cap(q.items); n > 1024 {
		t.Errorf("%d places for 5 events", n)
	}
}

func TestBackoffDoublesUpToItsLimit(t *testing.T) {
	t.Parallel()
	o := ListenerOptions{MinBackoff: time.Second, MaxBackoff: 30 * time.Second}.withDefaults()
	if d := o.backoff(0); d != 0 {
		t.Errorf("first pause %v, want none", d)
	}
	for failures, want := range map[int]time.Duration{1: 1, 2: 2, 3: 4, 5: 16, 6: 30, 7: 30, 31: 30, 32: 30, 63: 30, 64: 30, 1000: 30} {
		want *= time.Second
		seen := map[time.Duration]bool{}
		for range 100 {
			d := o.backoff(failures)
			if d < want/2 || d > want {
				t.Fatalf("after %d failures: %v, want %v to %v", failures, d, want/2, want)
			}
			seen[d] = true
		}
		if len(seen) < 10 {
			t.Errorf("after %d failures: %d different pauses of 100", failures, len(seen))
		}
	}
}
