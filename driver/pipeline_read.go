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
	case *pgproto3.BindComplete:
		r.bound = true
	case *pgproto3.ParameterDescription:
		p.learning = &description{params: append([]uint32(nil), msg.ParameterOIDs...)}
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
		p.head = min(p.head+1, len(p.queue))
		p.engine.inFlight = p.head < len(p.queue)
	}
}

// described takes the types of a statement that were asked for, or checks the columns of one that was remembered.
func (p *pipeline) described(r *request, msg *pgproto3.RowDescription) {
	columns := p.engine.codecs.columns(msg)
	if r.kind == describeRequest && p.learning != nil {
		p.learning.setColumns(p.engine.codecs, columns)
		p.engine.remember(r.st, p.learning)
		p.learning = nil
		p.head++
	} else if r.kind == runRequest && !sameColumns(r.desc.columns, msg) {
		changed := *r.desc // which others share
		changed.columns, changed.names = columns, columnNames(columns)
		r.desc, r.st.desc = &changed, &changed
	}
}

// result is the outcome of the oldest request so far.
func (p *pipeline) result(r *request) *Outcome {
	if p.outcome == nil {
		p.outcome = &Outcome{columns: r.desc.columns, codecs: p.engine.codecs}
	}
	return p.outcome
}

func (p *pipeline) row(r *request, msg *pgproto3.DataRow) {
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
	o := p.result(r)
	o.Tag, o.RowsAffected = tag, count
	p.outcome = nil
	p.head++
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
	p.outcome, p.learning = nil, nil
	switch r.kind {
	case syncRequest:
		p.fail(failure{index: -1, err: err})
		return
	case runRequest, describeRequest:
		var pg *pgconn.PgError
		if r.recalled && !r.bound && errors.As(err, &pg) && isStale(pg) {
			p.engine.shared.stale(r.st.epoch)
			err = fmt.Errorf("%w: %w", ErrStalePlan, err)
		}
		p.fail(failure{index: r.index, err: err, trace: r.trace})
	}
	p.head++
	p.skip()
	if p.head == len(p.queue) { // its Sync is not sent yet
		p.failed = true
	}
}

// skip passes over the requests up to a Sync: the server has not run them.
func (p *pipeline) skip() {
	for ; p.head < len(p.queue) && p.queue[p.head].kind != syncRequest; p.head++ {
		if r := &p.queue[p.head]; r.kind == runRequest {
			p.fail(failure{index: r.index, err: ErrPipelineAborted, trace: r.trace})
		}
	}
}

// end gives the connection free and tells of the failures. lost is why the connection is gone, nil when it is not.
func (p *pipeline) end(lost error) error {
	p.engine.uncommitted |= p.alters // an earlier synchronisation point may have ended it too soon
	if p.engine.txStatus() == 'I' {
		p.engine.altered()
	}
	if lost != nil {
		for ; p.head < len(p.queue); p.head++ {
			if r := &p.queue[p.head]; r.kind != syncRequest {
				p.fail(failure{index: r.index, err: lost, trace: r.trace})
			}
		}
		if len(p.failures) == 0 {
			p.fail(failure{index: -1, err: lost})
		}
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
