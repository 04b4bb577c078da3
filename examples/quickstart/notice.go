package main

import (
	"context"
	"errors"

	"github.com/pycopg/pycopg/ext"
)

const raiseNotice = `
do $$
begin
	raise notice 'counted % zones', (select count(*) from zone)
		using hint = 'A notice is no error: the statement goes on.';
end $$`

// receiveNotice lets the server raise a notice, which has arrived when the statement returns.
func receiveNotice(ctx context.Context, s *session) error {
	var received []ext.Notice
	heard := ext.WithNotices(ctx, func(n ext.Notice) { received = append(received, n) })
	if _, err := s.db.ExecContext(heard, raiseNotice); err != nil {
		return err
	}
	if len(received) == 0 {
		return errors.New("the notice did not arrive")
	}
	for _, n := range received {
		s.out.line("%s %s: %s", n.SeverityUnlocalized, n.Code, n.Message)
		s.out.line("hint: %s", n.Hint)
	}
	return nil
}
