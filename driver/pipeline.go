package driver

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
)

// Statement is one statement of a [Conn.Pipeline].
type Statement struct {
	SQL    string
	Args   []any // as [ConvertArgs] gives them
	Rows   bool  // keep the rows that it returns; otherwise they are counted only
	Sync   bool  // a synchronisation point follows: what comes before it is stored, and an error ends there
	Native bool  // the placeholders are $1, $2, … whatever Config.Placeholder says: the text is a helper's own
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

var (
	// ErrPipelineAborted is the error of a statement that was not run, because one ahead of it in a pipeline had failed.
	ErrPipelineAborted = errors.New("driver: not run, a statement ahead of it in the pipeline failed")

	// ErrNotSupportedInPipeline is the error of a statement that cannot be part of a pipeline: a COPY from or to the client,
	// or a text of several statements.
	ErrNotSupportedInPipeline = errors.New("driver: not supported in a pipeline")
)

// ConvertArgs does to arguments what database/sql does ahead of a statement: Valuers are called, pointers followed. Named
// arguments keep their names. Helpers do so before [Do], where code of users may still run.
func ConvertArgs(args []any) ([]any, error) {
	converted := make([]any, len(args))
	for i, v := range args {
		named, isNamed := v.(sql.NamedArg)
		if isNamed {
			v = named.Value
		}
		nv := sqldriver.NamedValue{Ordinal: i + 1, Value: v}
		if err := checkNamedValue(&nv); err != nil {
			return nil, err
		}
		converted[i] = nv.Value
		if isNamed {
			converted[i] = sql.NamedArg{Name: named.Name, Value: nv.Value}
		}
	}
	return converted, nil
}

// CheckPipelined reports why sql cannot be part of a pipeline: an [ErrNotSupportedInPipeline], or a text that cannot
// travel. Pipeline checks each statement itself; a helper that holds them all checks them before it sends the first.
func (c *Conn) CheckPipelined(sql string) error {
	if err := checkSQL(sql); err != nil {
		return err
	}
	standard := c.engine.standardStrings()
	if refuseCopy(sql, standard) != nil {
		return fmt.Errorf("%w: COPY from or to the client; use packages copyin and copyout", ErrNotSupportedInPipeline)
	}
	if surelySeveral(sql, standard) {
		return fmt.Errorf("%w: several statements in one text; queue each on its own", ErrNotSupportedInPipeline)
	}
	return nil
}

// Pipeline sends statements one behind the other without waiting for their results, which it reads while it writes: any
// number of any size. It is for functions of [Do].
//
// next gives the statements; false ends the pipeline, an error aborts it. done, which may be nil, is called once for each
// statement (where the connection is lost, for those that were sent), in order but for those that fail: they come at the
// end. It may be called on another goroutine, but never concurrently with itself, with next, or after Pipeline has
// returned. Neither may run code of users.
//
// Outside of a transaction, what lies between two synchronisation points is a transaction of its own: all or nothing. So an
// outcome without an error says that the statement has run, and that it is stored only where its synchronisation point was
// reached. Inside a transaction, a failure leaves it failed. The error is a *[PipelineError], unless the pipeline could not
// start; where the connection was lost and the server may have stored what it had been sent, it is [ErrCommitUnknown].
func (c *Conn) Pipeline(ctx context.Context, next func() (Statement, bool, error), done func(int, *Outcome)) error {
	if err := c.readyToRun(ctx); err != nil {
		return err
	}
	if err := c.settle(ctx); err != nil {
		return err
	}
	c.engine.follow()
	p := &pipeline{conn: c, engine: &c.engine, ctx: ctx, done: done, inTx: c.TxStatus() != 'I', named: make(map[*statement]*serverStatement)}
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

	buf       []byte // what is to be written
	count     int    // statements so far
	synced    int    // where the last Sync in buf ends
	syncs     int    // that the server has not answered
	alters    change // what the statements may do to the schema
	dirty     bool   // something was sent, or waits in buf, behind the last Sync
	failed    bool   // what is sent before the next Sync is not run
	inTx      bool   // it began inside a transaction
	mayCommit bool   // one of its statements may end that

	parsed   *serverStatement                // the unnamed statement, once the server has read buf
	named    map[*statement]*serverStatement // statements that have a name on the server, or will have one
	nameless bool                            // names are not to be relied on
	segment  int                             // counts the Syncs

	queue    []request // what the server has not answered, from head on
	head     int
	written  int      // requests of queue that were given to the connection, at least in part
	outcome  *Outcome // of the oldest request
	undone   bool     // the server has refused something since the last Sync that it answered
	failures []failure
}

// request is one thing that the server answers.
type request struct {
	kind   requestKind
	index  int              // of the statement
	held   *serverStatement // what it runs or asks for
	parses bool             // it carries the Parse of held
	inText bool             // its rows come in text
	keep   bool
	bound  bool
	types  map[uint32]userType // what a typesRequest finds
	told   *bool               // whether it has
	trace  *queryTrace
}

// text is the statement, "" for a request that is none.
func (r *request) text() string {
	if r.held == nil {
		return ""
	}
	return r.held.st.sql
}

type requestKind byte

const (
	runRequest      requestKind = iota + 1
	describeRequest             // for the types of a statement
	typesRequest                // for the database's own types
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
	k, err := p.call(s)
	if err == nil && p.engine.stmts.find(k.sql) == nil { // one that is in the cache has passed
		err = p.conn.CheckPipelined(k.sql)
	}
	if err != nil {
		p.refuse(err)
		return nil
	}
	if p.engine.outdated != 0 { // by a statement before this one
		p.engine.follow()
		p.parsed = nil
		clear(p.named)
	}
	h, parses, err := p.hold(k)
	if err != nil || h == nil {
		return err
	}
	if err := p.bind(h, parses, k, s.Rows); err != nil {
		p.refuse(err)
	}
	if h.st.alters != nil {
		p.alters |= p.engine.alters(h.st.alters)
	}
	return nil
}

// call is the statement with $1, $2, … and its arguments in that order.
func (p *pipeline) call(s Statement) (call, error) {
	if s.Native || !p.conn.hasForms(s.Args) {
		return call{sql: s.SQL, args: s.Args}, nil
	}
	args := make([]sqldriver.NamedValue, len(s.Args))
	for i, v := range s.Args {
		named, _ := v.(sql.NamedArg)
		if named.Name != "" {
			v = named.Value
		}
		args[i] = sqldriver.NamedValue{Ordinal: i + 1, Name: named.Name, Value: v}
	}
	return p.conn.newCall(WithQueryOptions(p.ctx, QueryOptions{NativePlaceholders: s.Native}), s.SQL, args)
}

// hasForms reports whether args are not simply the values of $1, $2, …
func (c *Conn) hasForms(args []any) bool {
	if len(args) > 0 && (c.cfg.Placeholder == PlaceholderFormat || isSetting(args[0])) {
		return true
	}
	for _, v := range args {
		if _, ok := v.(sql.NamedArg); ok {
			return true
		}
	}
	return false
}

func (p *pipeline) push(r request) {
	if p.head > 1024 && p.head > len(p.queue)/2 {
		p.queue = p.queue[:copy(p.queue, p.queue[p.head:])]
		p.written -= p.head
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
		p.segment++
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
	p.engine.inFlight, p.written = true, len(p.queue)
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

// await writes what was gathered and reads until answered reports true, or the pipeline has failed.
func (p *pipeline) await(answered func() bool) error {
	if err := p.flush(); err != nil {
		return err
	}
	for !answered() && !p.failed {
		if err := p.step(); err != nil {
			return err
		}
	}
	return nil
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
