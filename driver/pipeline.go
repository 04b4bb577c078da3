package driver

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
)

// Statement is one statement of a [Conn.Pipeline].
type Statement struct {
	SQL  string
	Args []any // as [ConvertArgs] gives them; they are no settings and have no names
	Rows bool  // keep the rows that it returns; otherwise they are counted only
	Sync bool  // a synchronisation point follows: what comes before it is stored, and an error ends there
}

// Outcome is what became of one statement of a pipeline.
type Outcome struct {
	Tag          string
	RowsAffected int64
	Err          error // [ErrPipelineAborted] when an earlier statement had failed

	columns []column
	values  [][]sqldriver.Value
	codecs  *codecs
}

// PipelineError is the first failure of a pipeline.
type PipelineError struct {
	Index int // of the statement, from 0; -1 when the server failed at a synchronisation point (a deferred constraint, say)
	Err   error
}

// Error names the statement.
func (e *PipelineError) Error() string {
	if e.Index < 0 {
		return fmt.Sprintf("driver: pipeline: at its end: %v", e.Err)
	}
	return fmt.Sprintf("driver: pipeline: statement %d: %v", e.Index, e.Err)
}

// Unwrap returns the failure itself.
func (e *PipelineError) Unwrap() error { return e.Err }

// ErrPipelineAborted is the error of a statement that was not run, because one ahead of it in a pipeline had failed.
var ErrPipelineAborted = errors.New("driver: not run, a statement ahead of it in the pipeline failed")

// ConvertArgs does to arguments what database/sql does ahead of a statement: Valuers are called, pointers followed. Helpers
// do so before [Do], where code of users may still run.
func ConvertArgs(args []any) ([]any, error) { return checkArgs(args) }

// Pipeline sends statements one behind the other without waiting for their results, which it reads while it writes: any
// number of any size. It is for functions of [Do].
//
// next gives the statements; false ends the pipeline, an error aborts it. done, which may be nil, is called once for each
// statement (where the connection is lost, for those that were sent), in order but for those that fail: they come at the
// end. It may be called on another goroutine, but never concurrently with itself, with next, or after Pipeline has
// returned. Neither may run code of users.
//
// Outside of a transaction, what lies between two synchronisation points is a transaction of its own: all or nothing.
// Inside one, a failure leaves it failed. The error is a *[PipelineError], unless the pipeline could not start.
func (c *Conn) Pipeline(ctx context.Context, next func() (Statement, bool, error), done func(int, *Outcome)) error {
	if err := c.readyToRun(ctx); err != nil {
		return err
	}
	if err := c.settle(ctx); err != nil {
		return err
	}
	c.engine.follow()
	p := &pipeline{conn: c, engine: &c.engine, ctx: ctx, done: done}
	p.out = newDuplex(c.wire, p.take)
	c.wire.watch(ctx)
	err := p.run(next)
	if err == nil {
		err = p.drain()
	}
	return p.end(err)
}

// pipeline is a pipeline under way.
type pipeline struct {
	conn   *Conn
	engine *engine
	ctx    context.Context
	out    *duplex
	done   func(int, *Outcome)

	buf    []byte     // what is to be written
	synced int        // where the last Sync in buf ends
	syncs  int        // that the server has not answered
	parsed *statement // what the server holds as the unnamed statement, once it has read buf
	count  int        // statements so far
	dirty  bool       // something was sent, or waits in buf, behind the last Sync
	failed bool       // what is sent before the next Sync is not run
	alters change     // what the statements may do to the schema

	queue    []request // what the server has not answered, from head on
	head     int
	learning *description // what the server is telling of a statement
	outcome  *Outcome     // of the oldest request
	failures []failure
}

// request is one thing that the server answers.
type request struct {
	kind     requestKind
	index    int // of the statement
	st       *statement
	desc     *description // of st
	recalled bool         // the description was remembered from before
	keep     bool
	bound    bool
	trace    *queryTrace
}

// text is the statement, "" for a request that is none.
func (r *request) text() string {
	if r.st == nil {
		return ""
	}
	return r.st.sql
}

type requestKind byte

const (
	runRequest      requestKind = iota + 1
	describeRequest             // for the types of a statement
	abortRequest                // fails on purpose
	syncRequest
)

type failure struct {
	index int
	err   error
	trace *queryTrace
}

// pipelineBuffer is how much is gathered before it is written.
const pipelineBuffer = 64 << 10

// run sends all statements. Its error is the loss of the connection.
func (p *pipeline) run(next func() (Statement, bool, error)) error {
	for {
		s, ok, err := next()
		if err != nil {
			p.refuse(err)
		}
		if err != nil || !ok {
			break
		}
		if err := p.add(s); err != nil {
			return err
		}
		p.count++
		if s.Sync {
			p.sync()
		}
		if len(p.buf) >= pipelineBuffer {
			if err := p.flush(); err != nil {
				return err
			}
		}
	}
	p.sync()
	return p.flush()
}

// add appends a statement. Its error is the loss of the connection; what is wrong with the statement fails the pipeline.
func (p *pipeline) add(s Statement) error {
	if p.failed {
		p.fail(failure{index: p.count, err: ErrPipelineAborted})
		return nil
	}
	if err := p.check(s); err != nil {
		p.refuse(err)
		return nil
	}
	if p.engine.outdated != 0 { // by a statement before this one
		p.engine.follow()
		p.parsed = nil
	}
	st, recalled := p.parsed, false
	if st == nil || st.sql != s.SQL {
		st, recalled = p.engine.stmts.lookup(s.SQL), true
		p.engine.recall(st)
	}
	if st.desc == nil {
		recalled = false
		if err := p.describe(st); err != nil || p.failed {
			return err
		}
	}
	if st.renames {
		p.engine.renames()
	}
	if err := p.bind(st, s, recalled); err != nil {
		p.refuse(err)
	}
	if st.alters != nil {
		p.alters |= p.engine.alters(st.alters)
	}
	return nil
}

func (p *pipeline) check(s Statement) error {
	if err := checkSQL(s.SQL); err != nil {
		return err
	}
	return refuseCopy(s.SQL, p.engine.standardStrings())
}

// describe asks for the types of a statement and waits for the answer.
func (p *pipeline) describe(st *statement) error {
	p.buf = appendParse(p.buf, "", st.sql, nil)
	p.buf = appendDescribe(p.buf, 'S', "")
	p.buf = append(p.buf, 'H', 0, 0, 0, 4) // Flush: answer now
	p.engine.asOf = p.engine.shared.current()
	p.push(request{kind: describeRequest, index: p.count, st: st})
	if err := p.flush(); err != nil {
		return err
	}
	for st.desc == nil && !p.failed {
		if err := p.step(); err != nil {
			return err
		}
	}
	p.parsed = st
	return nil
}

// bind appends the execution of a statement whose types are known.
func (p *pipeline) bind(st *statement, s Statement, recalled bool) error {
	if err := p.engine.checkCount(st, s.Args); err != nil {
		return err
	}
	buf, parse := p.buf, p.parsed != st
	if parse {
		buf = appendParse(buf, "", st.sql, st.desc.params)
	}
	buf, err := appendBind(buf, "", len(s.Args), func(dst []byte, i int) ([]byte, int16, error) {
		return p.engine.codecs.appendParam(dst, st.desc.params[i], s.Args[i])
	}, st.desc.formats)
	if err != nil {
		return err
	}
	if parse && s.Rows {
		buf = appendDescribe(buf, 'P', "")
	}
	p.buf, p.parsed = appendExecute(buf), st
	_, trace := p.conn.traceStart(p.ctx, QueryStart{SQL: s.SQL, Args: s.Args})
	p.push(request{kind: runRequest, index: p.count, st: st, desc: st.desc, recalled: recalled, keep: s.Rows, trace: trace})
	return nil
}

func (p *pipeline) push(r request) {
	if p.head > 1024 && p.head > len(p.queue)/2 {
		p.queue = p.queue[:copy(p.queue, p.queue[p.head:])]
		p.head = 0
	}
	p.queue = append(p.queue, r)
	p.dirty = r.kind != syncRequest
}

// sync ends what was sent since the last synchronisation point.
func (p *pipeline) sync() {
	if p.dirty {
		p.buf = appendSync(p.buf)
		p.synced = len(p.buf)
		p.syncs++
		if p.engine.unnamed { // what follows may go to another session
			p.parsed = nil
		}
		p.push(request{kind: syncRequest, index: -1})
	}
	p.failed = false
}

// refuse fails the pipeline at the statement that comes next, for a reason of the client's. The server is made to undo
// what it was sent since the last synchronisation point: it meets a statement that does not exist.
func (p *pipeline) refuse(err error) {
	p.fail(failure{index: p.count, err: err})
	if p.dirty && !p.failed {
		p.buf, _ = appendBind(p.buf, "pycopg_abort", 0, nil, nil) // no argument, no error
		p.push(request{kind: abortRequest, index: p.count})
	}
	p.failed = true
}

func (p *pipeline) fail(f failure) { p.failures = append(p.failures, f) }

// flush writes what was gathered and takes what has arrived.
func (p *pipeline) flush() error {
	if len(p.buf) == 0 {
		return nil
	}
	p.engine.inFlight = true
	rest, err := p.buf, error(nil)
	if p.engine.unnamed && p.synced < len(p.buf) {
		rest, err = p.buf[p.synced:], p.settle(p.buf[:p.synced])
	}
	if err == nil {
		err = p.out.write(rest, nil)
	}
	p.synced = 0
	if p.buf = p.buf[:0]; cap(p.buf) > 4*pipelineBuffer {
		p.buf = nil
	}
	if err != nil {
		return err
	}
	return p.out.poll()
}

// settle writes what ends with a Sync and waits for the answers to all of them. A transaction pooler gives the session away
// when the last is answered, even if it has passed something on that was sent behind it.
func (p *pipeline) settle(synced []byte) error {
	if len(synced) > 0 {
		if err := p.out.write(synced, nil); err != nil {
			return err
		}
	}
	for p.syncs > 0 {
		if err := p.step(); err != nil {
			return err
		}
	}
	return nil
}
