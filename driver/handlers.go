package driver

import (
	"slices"
	"sync"
)

// handlers are functions that are told of a T, in the order in which they were added. The zero value has none.
type handlers[T any] struct {
	mu   sync.Mutex
	list []*func(T) // copied on write
}

// add has fn told until remove is called, or forget. A nil fn is not.
func (h *handlers[T]) add(fn func(T)) (remove func()) {
	if fn == nil {
		return func() {}
	}
	handler := &fn
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list = append(slices.Clip(h.list), handler)
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.list = slices.DeleteFunc(slices.Clone(h.list), func(f *func(T)) bool { return f == handler })
	}
}

// tell calls all handlers, without a lock: they may add and remove handlers.
func (h *handlers[T]) tell(c *Conn, hook string, v T) {
	h.mu.Lock()
	list := h.list
	h.mu.Unlock()
	for _, fn := range list {
		callHook(c, hook, *fn, v)
	}
}

// forget removes all handlers.
func (h *handlers[T]) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list = nil
}

// callHook runs a hook of the user's. A panic is reported, and a use of the connection refused meanwhile.
func callHook[T any](c *Conn, hook string, fn func(T), v T) {
	defer c.enterHook(hook)()
	fn(v)
}

// enterHook refuses statements on the connection until the function that it returns is called, which also recovers a panic.
func (c *Conn) enterHook(hook string) (leave func()) {
	c.hooks.Add(1)
	return func() {
		c.hooks.Add(-1)
		if p := recover(); p != nil {
			reportPanic(hook, p)
		}
	}
}
