package main

import (
	"context"
	"errors"
	"sync"

	"github.com/pycopg/pycopg/driver"
)

// notices collects what the server says beside its results. Connections report them, so it may
// be used by several goroutines.
type notices struct {
	mu  sync.Mutex
	all []driver.Notice
}

func (ns *notices) add(n driver.Notice) {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	ns.all = append(ns.all, n)
}

// take returns what was collected and forgets it.
func (ns *notices) take() []driver.Notice {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	all := ns.all
	ns.all = nil
	return all
}

const raiseNotice = `
do $$
begin
	raise notice 'counted % zones', (select count(*) from zone)
		using hint = 'A notice is no error: the statement goes on.';
end $$`

// receiveNotice lets the server raise a notice, which has arrived when the statement returns.
func receiveNotice(ctx context.Context, s *session) error {
	s.notices.take()
	if _, err := s.db.ExecContext(ctx, raiseNotice); err != nil {
		return err
	}
	received := s.notices.take()
	if len(received) == 0 {
		return errors.New("the notice did not arrive")
	}
	for _, n := range received {
		s.out.line("%s %s: %s", n.SeverityUnlocalized, n.Code, n.Message)
		s.out.line("hint: %s", n.Hint)
	}
	return nil
}
