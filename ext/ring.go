package ext

import "sync"

// Ring keeps the last of what it was given, and counts the rest: a bounded place for notices and notifications. Its Add is a
// handler of [WithNotices], [OnNotice] and [OnNotification]. It may be used by several goroutines. It is made by [NewRing].
type Ring[T any] struct {
	mu      sync.Mutex
	kept    []T // in a circle that begins at head
	head    int
	size    int
	dropped int64
}

// NewRing returns a ring of at most size values; less than one is one.
func NewRing[T any](size int) *Ring[T] { return &Ring[T]{size: max(size, 1)} }

// Add puts v behind the others. In a full ring the oldest one is dropped for it.
func (r *Ring[T]) Add(v T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.kept) < r.size {
		r.kept = append(r.kept, v)
		return
	}
	r.kept[r.head] = v
	r.head = (r.head + 1) % r.size
	r.dropped++
}

// Take returns the values that are in the ring, the oldest first, and takes them out.
func (r *Ring[T]) Take() []T {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := append(r.kept[r.head:len(r.kept):len(r.kept)], r.kept[:r.head]...)
	r.kept, r.head = nil, 0
	return all
}

// Len is the number of values in the ring.
func (r *Ring[T]) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.kept)
}

// Dropped counts the values that were dropped since the ring was made.
func (r *Ring[T]) Dropped() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dropped
}
