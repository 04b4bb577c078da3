package driver

import (
	"cmp"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// drain reads until everything has been answered. Its error is the loss of the connection.
func (p *pipeline) drain() error {
	for p.head < len(p.queue) {
		if err := p.step(); err != nil {
			return err
		}
	}
	return nil
}

func (p *pipeline) step() error {
	msg, err := p.engine.next()
	if err != nil {
		return err
	}
	p.take(msg)
	return nil
}

// take notes what a message says of the oldest request.
func (p *pipeline) take(msg pgproto3.BackendMessage) {
	if p.head == len(p.queue) { // a parameter that has changed, say
		return
	}
	r := &p.queue[p.head]
	switch msg := msg.(type) {
	case *pgproto3.ParseComplete:
		if r.parses {
			p.took(r.held)
		}
	case *pgproto3.BindComplete:
		r.bound = true
	case *pgproto3.ParameterDescription:
		if r.held != nil && r.held.learning != nil {
			r.held.learning.params = append([]uint32(nil), msg.ParameterOIDs...)
		}
	case *pgproto3.RowDescription:
		p.described(r, msg)
	case *pgproto3.NoData:
		p.described(r, &pgproto3.RowDescription{})
	case *pgproto3.DataRow:
		p.row(r, msg)
	case *pgproto3.CommandComplete:
		tag, count := p.engine.completed(msg.CommandTag)
		p.completed(r, tag, count)
	case *pgproto3.EmptyQueryResponse:
		p.completed(r, "", 0)
	case *pgproto3.ErrorResponse:
		p.refused(r, newServerError(msg).of(r.text()))
	case *pgproto3.ReadyForQuery:
		p.skip()
		p.syncs--
		p.head = min(p.head+1, len(p.queue))
		p.undone, p.engine.inFlight = false, p.head < len(p.queue)
	}
}

// described takes the types of a statement that were asked for, or checks the columns of one that was remembered.
func (p *pipeline) described(r *request, msg *pgproto3.RowDescription) {
	switch h := r.held; {
	case h == nil:
	case h.learning != nil:
		p.told(h, p.engine.codecs.columns(msg))
		if r.kind == describeRequest {
			p.head++
		}
	case !sameColumns(h.columns, msg):
		p.differs(h, p.engine.codecs.columns(msg))
	}
}

// result is the outcome of the oldest request so far.
func (p *pipeline) result(r *request) *Outcome {
	if p.outcome == nil {
		p.outcome = &Outcome{columns: r.held.columns, codecs: p.engine.codecs}
		if r.inText {
			p.outcome.columns = r.held.text
		}
	}
	return p.outcome
}

func (p *pipeline) row(r *request, msg *pgproto3.DataRow) {
	if r.kind == typesRequest {
		if oid, t, ok := parseUserType(msg.Values); ok {
			r.types[oid] = t
		}
		return
	}
	if r.kind != runRequest {
		return
	}
	o := p.result(r)
	if !r.keep || o.Err != nil {
		return
	}
	if len(msg.Values) != len(o.columns) {
		o.Err = fmt.Errorf("driver: the server sent a row of %d values for %d columns", len(msg.Values), len(o.columns))
		return
	}
	values := make([]sqldriver.Value, len(o.columns))
	for i, src := range msg.Values {
		if src == nil {
			continue
		}
		v, err := o.columns[i].decode(p.engine.codecs, src)
		if err != nil {
			o.Err = fmt.Errorf("driver: column %d (%q): %w", i, o.columns[i].name, err)
			return
		}
		values[i] = v
	}
	o.values = append(o.values, values)
}

func (p *pipeline) completed(r *request, tag string, count int64) {
	p.head++
	if r.kind == typesRequest {
		*r.told = true
		return
	}
	if tag == "DISCARD ALL" || tag == "DEALLOCATE ALL" {
		clear(p.named)
	}
	o := p.result(r)
	o.Tag, o.RowsAffected = tag, count
	p.outcome = nil
	if o.Err != nil {
		p.fail(failure{index: r.index, err: o.Err, trace: r.trace})
		return
	}
	r.trace.end(tag, count, nil)
	if p.done != nil {
		p.done(r.index, o)
	}
}

// refused takes the server's error: it skips everything up to the next Sync.
func (p *pipeline) refused(r *request, err error) {
	p.outcome, p.undone = nil, true
	switch r.kind {
	case syncRequest:
		p.fail(failure{index: -1, err: err})
		return
	case runRequest, describeRequest, typesRequest:
		if p.isStale(r, err) {
			p.engine.shared.stale(r.held.st.epoch)
			p.engine.stmts.unprepare(r.held.st)
			r.held.st.desc = nil
			err = fmt.Errorf("%w: %w", ErrStalePlan, err)
		}
		p.fail(failure{index: r.index, err: err, trace: r.trace})
	}
	p.pass(r)
	p.skip()
	if p.head == len(p.queue) { // its Sync is not sent yet
		p.failed = true
	}
}

// isStale reports whether the server refused a statement because of what was remembered of it.
func (p *pipeline) isStale(r *request, err error) bool {
	if r.bound || r.held == nil || !r.held.recalled {
		return false
	}
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	if r.held.name != "" && (pg.Code == codeNoSuchStatement || pg.Code == codeFeatureNotSupported && pg.Routine == "RevalidateCachedQuery") {
		return true
	}
	return isStale(pg)
}

// pass goes on to the next request. A Parse that the server has not taken leaves nothing behind.
func (p *pipeline) pass(r *request) {
	if r.parses && !r.held.taken {
		p.forget(r.held)
	}
	p.head++
}

// skip passes over the requests up to a Sync: the server has not run them.
func (p *pipeline) skip() {
	for p.head < len(p.queue) && p.queue[p.head].kind != syncRequest {
		r := &p.queue[p.head]
		switch r.kind {
		case runRequest, describeRequest, typesRequest:
			p.fail(failure{index: r.index, err: ErrPipelineAborted, trace: r.trace})
		}
		p.pass(r)
	}
}

// end gives the connection free and tells of the failures. lost is why the connection is gone, nil when it is not.
func (p *pipeline) end(lost error) error {
	p.engine.uncommitted |= p.alters // an earlier synchronisation point may have ended it too soon
	if p.engine.txStatus() == 'I' {
		p.engine.altered()
	}
	if lost != nil {
		p.abandon(lost)
	}
	slices.SortStableFunc(p.failures, func(a, b failure) int { return cmp.Compare(uint(a.index), uint(b.index)) })
	first := p.first()
	var err error
	if first != nil {
		err = first.err
	}
	if err = p.conn.finish(p.ctx, err); err == nil {
		return nil
	}
	if errors.Is(first.err, ErrCommitUnknown) && !errors.Is(err, ErrCommitUnknown) {
		err = fmt.Errorf("%w: %w", ErrCommitUnknown, err)
	}
	first.err = err
	for i := range p.failures {
		f := &p.failures[i]
		f.trace.end("", 0, f.err)
		if p.done != nil && f.index >= 0 {
			p.done(f.index, &Outcome{Err: f.err})
		}
	}
	return &PipelineError{Index: first.index, Err: err}
}

// abandon tells what became of the requests that were not answered before the connection was lost. The server commits at a
// Sync: where one was sent whose answer is missing, it may have done so.
func (p *pipeline) abandon(lost error) {
	failed := len(p.failures)
	for ; p.head < len(p.queue); p.head++ {
		r := &p.queue[p.head]
		err, at := lost, p.head+slices.IndexFunc(p.queue[p.head:], func(r request) bool { return r.kind == syncRequest })
		if at >= p.head && at < p.written && !p.undone && (!p.inTx || p.mayCommit) {
			err = fmt.Errorf("%w: %w", ErrCommitUnknown, lost)
		}
		switch {
		case r.kind != syncRequest:
			p.fail(failure{index: r.index, err: err, trace: r.trace})
		case len(p.failures) == failed && !p.undone: // its statements had all run
			p.fail(failure{index: -1, err: err})
		}
		if r.kind == syncRequest {
			failed, p.undone = len(p.failures), false
		}
	}
	if len(p.failures) == 0 {
		p.fail(failure{index: -1, err: lost})
	}
}

// first is the failure that the others follow from: a cancel before any other, because it is the context's.
func (p *pipeline) first() *failure {
	var first *failure
	for i := range p.failures {
		f := &p.failures[i]
		if serverCode(f.err) == codeQueryCanceled {
			return f
		}
		if first == nil || first.err == ErrPipelineAborted {
			first = f
		}
	}
	return first
}
