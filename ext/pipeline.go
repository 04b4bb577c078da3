package ext

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/internal/nilhandle"
)

var (
	// ErrNotSynced is the error of a [Pending] result whose statement has not run yet.
	ErrNotSynced = errors.New("ext: the pipeline has not been synchronised since the statement was queued")

	// ErrPipelineAborted is the error of statements behind the one that failed: they were not run. It wraps that failure too.
	ErrPipelineAborted = driver.ErrPipelineAborted

	// ErrPipelineUndone is the error of statements ahead of the one that failed, outside of a transaction: they have run,
	// and what they did was rolled back. It wraps the failure too. The result is there all the same.
	ErrPipelineUndone = errors.New("ext: rolled back, a later statement of the pipeline failed")

	// ErrNotSupportedInPipeline is the error of a statement that a pipeline cannot run: COPY from or to the client, and
	// several statements in one text.
	ErrNotSupportedInPipeline = driver.ErrNotSupportedInPipeline
)

// PipelineError is the failure of a statement of a [Pipeline].
type PipelineError struct {
	Index int    // of the statement in the pipeline, from 0; -1 when the failure came at the end (a deferred constraint)
	SQL   string // its text, "" at the end
	Err   error
}

// Error names the statement.
func (e *PipelineError) Error() string {
	if e.Index < 0 {
		return fmt.Sprintf("at the end: %v", e.Err)
	}
	return fmt.Sprintf("statement %d (%s): %v", e.Index, abbreviate(e.SQL), e.Err)
}

// Unwrap returns the failure itself.
func (e *PipelineError) Unwrap() error { return e.Err }

// abbreviate cuts a statement to what an error message can carry.
func abbreviate(sql string) string {
	const most = 80
	if runes := []rune(sql); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return sql
}

// Pipe collects the statements of a [Pipeline]. It serves one goroutine, inside the function that got it.
type Pipe struct {
	q      Querier
	pinned *sql.Conn // taken from a pool for all segments
	ended  bool
	queued []queued
	count  int // statements of earlier segments
	replay *replay
}

// queued is a statement that waits for the next synchronisation.
type queued struct {
	statement driver.Statement
	err       error // of its arguments
	settle    func(*replay, *driver.Outcome, error) error
}

// Pipeline runs statements one behind the other without waiting for each one's result: it takes one round trip for any
// number of them, with results and arguments of any size. fn queues the statements, with [Pipe.Exec], [QueueQuery] and their
// like; nothing is sent before [Pipe.Sync], or the end of fn, runs them. Their results are there then.
//
// Outside of a transaction, what is run together is a transaction of its own: all or nothing. In one, a failure leaves it
// failed. The error is a *[PipelineError] of the first statement that failed; those behind it have not run
// ([ErrPipelineAborted]), those ahead of it are undone ([ErrPipelineUndone]). Where the connection was lost, and the server
// may have committed all the same, it is [driver.ErrCommitUnknown]. When fn returns an error, what it has queued since the
// last Sync is not sent.
//
// Between two Syncs other statements may run on q; they come before what is queued. Where q is a pool, one of its
// connections is kept from the first Sync to the end. On a mock a segment is one Exec of "pipeline", and the results are
// empty.
func Pipeline(ctx context.Context, q Querier, fn func(p *Pipe) error) error {
	if err := nilhandle.Check(q); err != nil {
		return fmt.Errorf("ext: pipeline: %w", err)
	}
	p := &Pipe{q: q}
	defer p.end()
	if err := fn(p); err != nil {
		return err
	}
	return p.sync(ctx, false)
}

func (p *Pipe) end() {
	p.ended = true
	if p.replay != nil {
		p.replay.close()
	}
	if p.pinned != nil {
		p.pinned.Close()
	}
}

// Sync runs what is queued, in one round trip, and waits for the results. With nothing queued it does nothing. What it has
// run stays, whatever becomes of what is queued later; after its error the pipeline goes on.
func (p *Pipe) Sync(ctx context.Context) error { return p.sync(ctx, true) }

// Nested runs fn as a pipeline inside the pipeline: what was queued before it runs first, and what fn queues runs at its
// end, so that a failure inside leaves nothing outside undone. Its error is the first of these. When fn returns an error,
// what it has queued since the last Sync is dropped: it never runs.
func (p *Pipe) Nested(ctx context.Context, fn func(p *Pipe) error) error {
	if err := p.Sync(ctx); err != nil {
		return err
	}
	if err := fn(p); err != nil {
		p.drop(err)
		return err
	}
	return p.Sync(ctx)
}

// drop tells the statements that are queued that they will not run.
func (p *Pipe) drop(cause error) {
	for _, s := range p.queued {
		s.settle(nil, nil, fmt.Errorf("%w: %w", ErrPipelineAborted, cause))
	}
	p.count += len(p.queued)
	p.queued = nil
}

func (p *Pipe) add(sql string, args []any, rows bool, settle func(*replay, *driver.Outcome, error) error) {
	if p.ended {
		settle(nil, nil, errors.New("ext: the pipeline has ended"))
		return
	}
	s := queued{settle: settle}
	args, s.err = driver.ConvertArgs(args)
	s.statement = driver.Statement{SQL: sql, Args: args, Rows: rows}
	p.queued = append(p.queued, s)
}

// sync runs what is queued. more says that the pipeline goes on.
func (p *Pipe) sync(ctx context.Context, more bool) error {
	if p.ended {
		return errors.New("ext: the pipeline has ended")
	}
	if len(p.queued) == 0 {
		return nil
	}
	if err := p.pin(ctx, more); err != nil {
		err = fmt.Errorf("ext: pipeline: %w", err)
		p.drop(err)
		return err
	}
	s := &segment{queued: p.queued, base: p.count, outcomes: make([]*driver.Outcome, len(p.queued))}
	p.queued, p.count = nil, p.count+len(s.queued)
	s.run(ctx, p.q)
	if p.replay == nil {
		p.replay = newReplay()
	}
	if err := s.settle(p.replay); err != nil {
		return fmt.Errorf("ext: pipeline: %w", err)
	}
	return nil
}

// pin takes a connection of a pool for all segments to come.
func (p *Pipe) pin(ctx context.Context, more bool) (err error) {
	from, ok := p.q.(pool)
	if !ok || !more {
		return nil
	}
	if p.pinned, err = from.Conn(ctx); err == nil {
		p.q = p.pinned
	}
	return err
}
