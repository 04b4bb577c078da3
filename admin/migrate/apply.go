package migrate

import (
	"context"
	"fmt"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// apply applies a migration or takes it back. The error lacks its Step.
func (s *session) apply(ctx context.Context, t todo) *Error {
	section := t.section()
	if section.NoTransaction {
		return s.applyEach(ctx, t, section)
	}
	fail := func(err error) *Error { return &Error{File: section.File, Line: lineOf(err, section, 0), Err: err} }
	tx, err := s.conn.BeginTx(ctx, nil)
	if err != nil {
		return fail(err)
	}
	defer tx.Rollback()
	// The record first: afterwards the migration's own settings count, a role say.
	if err := s.finish(ctx, tx, t, false); err != nil {
		return &Error{File: section.File, Err: err}
	}
	if !isEmpty(section.SQL) {
		if _, err := tx.ExecContext(ctx, section.SQL); err != nil {
			return fail(err)
		}
	}
	if err := tx.Commit(); err != nil {
		return &Error{File: section.File, Err: err}
	}
	return nil
}

// finish records that a migration is applied or taken back.
func (s *session) finish(ctx context.Context, q ext.Querier, t todo, begun bool) (err error) {
	switch {
	case t.down:
		err = s.record.remove(ctx, q, t.Version)
	case begun:
		err = s.record.mark(ctx, q, t.Version, "")
	default:
		err = s.record.insert(ctx, q, t.Migration, "")
	}
	if err != nil {
		return fmt.Errorf("record it: %w", err)
	}
	return nil
}

// applyEach runs the statements one by one, and records each before it runs.
func (s *session) applyEach(ctx context.Context, t todo, section Section) *Error {
	total := 0
	for range driver.Statements(section.SQL) {
		total++
	}
	nth := 0
	for at, statement := range driver.Statements(section.SQL) {
		nth++
		err := s.begun(ctx, t, nth, fmt.Sprintf("%s, statement %d of %d", Step{Down: t.down}.direction(), nth, total))
		if err == nil {
			_, err = s.conn.ExecContext(ctx, statement)
			if err == nil {
				continue
			}
		} else if nth == 1 {
			return &Error{File: section.File, Err: err} // nothing was done
		}
		line := section.Line + lineAt(section.SQL, at) - 1
		if found := lineOf(err, section, at); found > 0 {
			line = found
		}
		return &Error{File: section.File, Line: line, Statement: nth, Err: fmt.Errorf("%w (%w)", err, ErrUnfinished)}
	}
	if err := s.finish(ctx, s.conn, t, nth > 0); err != nil {
		return &Error{File: section.File, Err: fmt.Errorf("%w (%w)", err, ErrUnfinished)}
	}
	return nil
}

// begun records that a statement is about to run.
func (s *session) begun(ctx context.Context, t todo, nth int, unfinished string) (err error) {
	if nth == 1 && !t.down {
		err = s.record.insert(ctx, s.conn, t.Migration, unfinished)
	} else {
		err = s.record.mark(ctx, s.conn, t.Version, unfinished)
	}
	if err != nil {
		return fmt.Errorf("record it: %w", err)
	}
	return nil
}
