package driver

import "context"

type noticesKey struct{}

// noticeChain are the handlers that a context carries, the innermost first.
type noticeChain struct {
	fn    func(Notice)
	outer *noticeChain
}

// WithNotices returns a context whose statements hand their notices to fn, too: besides [Config].OnNotice, the handlers of
// the connection and those that ctx carries already, in this order. It works through a pool and through wrapping drivers.
// A transaction that is begun with the context has the notices of its BEGIN, COMMIT and ROLLBACK in fn; its statements
// have contexts of their own. What a COPY or a pipeline brings counts as its statement's.
//
// fn runs before the call returns during which the notice arrived (for rows, before Next or Close does). It must not use the
// handle that the statement runs on: database/sql would wait for ever. Statements that run at the same time call it at the same
// time. A panic of fn is logged. A nil fn is no handler: the context is ctx.
func WithNotices(ctx context.Context, fn func(Notice)) context.Context {
	if fn == nil {
		return ctx
	}
	return context.WithValue(ctx, noticesKey{}, &noticeChain{fn: fn, outer: noticesOf(ctx)})
}

func noticesOf(ctx context.Context) *noticeChain {
	chain, _ := ctx.Value(noticesKey{}).(*noticeChain)
	return chain
}

// tell calls the handlers, the outermost first.
func (n *noticeChain) tell(c *Conn, v Notice) {
	if n == nil {
		return
	}
	n.outer.tell(c, v)
	callHook(c, "notice", n.fn, v)
}

// AddNoticeHandler has fn called with each notice that arrives on the connection, under the rules of
// [Conn.AddNotificationHandler].
func (c *Conn) AddNoticeHandler(fn func(Notice)) (remove func()) { return c.notices.add(fn) }

// Uses counts how often the connection has gone back to its pool. What was set up for one user of it, a handler say, has
// ended when the count is another. It may be called at any time, from any goroutine.
func (c *Conn) Uses() int64 { return c.uses.Load() }

// notice hands a notice to everybody who wants it.
func (c *Conn) notice(n Notice) {
	if c.cfg.OnNotice != nil {
		callHook(c, "notice", func(n Notice) { c.cfg.OnNotice(c, n) }, n)
	}
	c.notices.tell(c, "notice", n)
	if c.wire != nil && c.wire.ctx != nil {
		noticesOf(c.wire.ctx).tell(c, n)
	}
}

// notification hands a notification to everybody who wants it.
func (c *Conn) notification(n Notification) {
	if c.cfg.OnNotification != nil {
		callHook(c, "notification", func(n Notification) { c.cfg.OnNotification(c, n) }, n)
	}
	c.notifications.keep(n)
	c.notifications.tell(c, "notification", n)
}

// forgetHandlers ends what one user of a pooled connection had, before the next gets it.
func (c *Conn) forgetHandlers() {
	c.uses.Add(1)
	c.notices.forget()
	c.notifications.forget()
}
