package listen

import (
	"slices"
	"time"
)

// Overflow is what becomes of the notifications of a subscriber that takes them slower than they come. Others never wait for
// it, whatever it says.
type Overflow byte

const (
	// Block holds what does not fit into the buffer back, for BlockLimit at the longest. What has waited longer is
	// dropped, together with all behind it.
	Block Overflow = iota
	// DropOldest keeps the newest.
	DropOldest
	// DropNewest keeps the oldest.
	DropNewest
	// Coalesce keeps the newest alone: for those who need to know that something has happened, not what. Nothing counts
	// as dropped and no Gap takes the place of what was merged.
	Coalesce
)

// SubOptions say how a subscription buffers. The zero value holds 1024 events, and more for 30 seconds.
type SubOptions struct {
	Buffer     int           // events that wait for the subscriber; 0: 1024
	Overflow   Overflow      // what happens to more
	BlockLimit time.Duration // for Block; 0: 30 seconds, negative: no limit
}

const (
	defaultBuffer     = 1024
	defaultBlockLimit = 30 * time.Second
)

func (o SubOptions) withDefaults() SubOptions {
	if o.Buffer <= 0 {
		o.Buffer = defaultBuffer
	}
	if o.BlockLimit == 0 {
		o.BlockLimit = defaultBlockLimit
	}
	return o
}

// SubscriptionStats count what a subscription has seen.
type SubscriptionStats struct {
	Received  int64 // notifications of its channels
	Delivered int64 // taken by the subscriber
	Dropped   int64 // no room: a Gap is in their place
	Coalesced int64 // merged into a newer one
	Gaps      int64 // taken by the subscriber
	Panics    int64 // of the handler
	Waiting   int   // events now
}

// item is an event in a queue.
type item struct {
	Event
	since time.Time // everything committed before has arrived ahead of it
}

// queue holds the events of one subscriber. It knows no clock and no lock.
type queue struct {
	opts  SubOptions
	ahead *Gap   // what was dropped ahead of items
	items []item // from head on
	head  int
	stats SubscriptionStats
}

func (q *queue) len() int { return len(q.items) - q.head }

// push appends a notification that arrived at it.Received, as far as there is room.
func (q *queue) push(it item) {
	q.stats.Received++
	switch full := q.len() >= q.opts.Buffer; {
	case q.opts.Overflow == Coalesce:
		q.coalesce()
	case !full:
	case q.opts.Overflow == DropOldest:
		q.dropOldest(it.Received)
	case q.opts.Overflow == DropNewest || q.expired(it.Received):
		q.dropNewest(it)
		return
	}
	q.items = append(q.items, it)
}

// coalesce removes the notification that waits.
func (q *queue) coalesce() {
	for i := len(q.items) - 1; i >= q.head; i-- {
		if q.items[i].Gap == nil {
			q.items = slices.Delete(q.items, i, i+1)
			q.stats.Coalesced++
		}
	}
}

// dropOldest makes room for one event. now is when that arrived.
func (q *queue) dropOldest(now time.Time) {
	for q.len() >= q.opts.Buffer {
		it := q.shift()
		g := q.gapOf(it, now)
		if q.ahead == nil {
			q.ahead = &g
		} else {
			q.ahead.merge(g)
		}
	}
}

// expired reports whether what waits outside of the buffer has done so for too long.
func (q *queue) expired(now time.Time) bool {
	first := q.items[q.head+q.opts.Buffer:]
	return len(first) > 0 && q.opts.BlockLimit > 0 && now.Sub(first[0].Received) > q.opts.BlockLimit
}

// dropNewest drops it, and whatever waits outside of the buffer, in favour of a gap at the end.
func (q *queue) dropNewest(it item) {
	end := q.head + q.opts.Buffer
	out := append(slices.Clone(q.items[end:]), it)
	q.items = slices.Delete(q.items, end, len(q.items))
	for _, each := range out {
		q.interrupt(q.gapOf(each, it.Received), it.Received)
	}
}

// gapOf is the gap that a dropped event leaves.
func (q *queue) gapOf(it item, now time.Time) Gap {
	if it.Gap != nil {
		return *it.Gap
	}
	q.stats.Dropped++
	return Gap{Since: it.since, Until: now, Err: ErrOverflow}
}

// interrupt appends a gap, which no policy drops. Two in succession are one.
func (q *queue) interrupt(g Gap, now time.Time) {
	if n := len(q.items); n > q.head && q.items[n-1].Gap != nil {
		q.items[n-1].Gap.merge(g)
		return
	}
	q.items = append(q.items, item{Event: Event{Gap: &g, Received: now}})
}

// take removes the oldest event.
func (q *queue) take() (Event, bool) {
	if g := q.ahead; g != nil {
		q.ahead = nil
		q.stats.Gaps++
		return Event{Gap: g, Received: g.Until}, true
	}
	if q.len() == 0 {
		return Event{}, false
	}
	it := q.shift()
	if it.Gap == nil {
		q.stats.Delivered++
	} else {
		q.stats.Gaps++
	}
	return it.Event, true
}

// shift removes the first item. The space of many that were removed is used again.
func (q *queue) shift() item {
	it := q.items[q.head]
	q.items[q.head] = item{}
	q.head++
	switch {
	case q.head == len(q.items) && cap(q.items) > 64:
		q.items, q.head = nil, 0
	case q.head == len(q.items):
		q.items, q.head = q.items[:0], 0
	case q.head > 64 && q.head > len(q.items)/2:
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	return it
}
