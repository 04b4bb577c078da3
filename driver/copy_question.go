package driver

import (
	"context"

	"github.com/jackc/pgx/v5/pgproto3"
)

// CopyInChecked is [Conn.CopyIn] behind a query of one argument, whose rows, as text, check looks at. check's error is returned
// as it is: nothing is stored then, and a transaction goes on. An error of the query is returned too.
//
// Outside of a transaction the query and the COPY travel together: the answer costs no round trip of its own. In one, the
// COPY follows when check has agreed.
func (c *Conn) CopyInChecked(ctx context.Context, statement, query, arg string, check func(rows [][]string) error) (*CopyIn, error) {
	if err := c.readyToRun(ctx); err != nil {
		return nil, err
	}
	if err := checkCopy(statement, true, c.engine.standardStrings()); err != nil {
		return nil, err
	}
	ci := c.newCopyIn(statement)
	q := copyQuestion{query: query, arg: arg, together: c.TxStatus() == 'I', check: check}
	err := ci.copyStart(ctx, func() error { return c.engine.sendCopyBehind(&q, statement) })
	if err == nil && q.refused == nil {
		return ci, nil
	}
	if err == nil {
		err = ci.Abort(q.refused)
	}
	if q.refused != nil && (err == nil || !c.pg.IsClosed() && ctx.Err() == nil) {
		return nil, q.refused
	}
	return nil, err
}

// copyQuestion is a query of one argument ahead of a COPY.
type copyQuestion struct {
	query, arg string
	together   bool // the COPY need not wait for the answer
	check      func(rows [][]string) error

	rows    [][]string
	refused error // why the COPY is not to store anything
}

// sendCopyBehind sends a question and a COPY, in one write unless the COPY has to wait. That is so when a BEGIN is ahead: behind
// a failed one the COPY would run outside of a transaction.
func (e *engine) sendCopyBehind(q *copyQuestion, sql string) error {
	together := q.together && !e.goesFirst()
	request := q.append(e.open())
	if together {
		request = appendQuery(request, sql)
	}
	if err := e.dispatch(request); err != nil {
		return err
	}
	failure, lost := q.read(e)
	if lost != nil {
		return lost
	}
	if q.check != nil {
		if q.refused = failure; failure == nil {
			q.refused = q.check(q.rows)
		}
	}
	var err error
	switch {
	case failure != nil && e.status() != 'I', e.beginErr != nil:
		err = failure // the COPY says no more than that the transaction has failed
	case !together:
		err = q.refused
	}
	switch {
	case together:
		e.inFlight = true // the COPY is
	case err == nil:
		return e.sendCopy(sql)
	}
	return err
}

// append appends the question, with a Sync of its own.
func (q *copyQuestion) append(dst []byte) []byte {
	dst = appendParse(dst, "", q.query, nil)
	dst, _ = appendBind(dst, "", 1, func(dst []byte, _ int) ([]byte, int16, error) {
		dst, _, err := setLength(append(append(dst, nullLength...), q.arg...), len(dst), textFormat, q.arg)
		return dst, textFormat, err
	}, nil)
	return appendSync(appendExecute(dst))
}

// read reads the answer, up to its ReadyForQuery. lost says that the connection is.
func (q *copyQuestion) read(e *engine) (failure, lost error) {
	for {
		msg, err := e.next()
		if err != nil {
			return nil, err
		}
		switch msg := msg.(type) {
		case *pgproto3.DataRow:
			row := make([]string, len(msg.Values))
			for i, v := range msg.Values {
				row[i] = string(v)
			}
			q.rows = append(q.rows, row)
		case *pgproto3.ErrorResponse:
			if failure == nil {
				failure = newServerError(msg)
			}
		case *pgproto3.ReadyForQuery:
			return failure, nil
		}
	}
}
