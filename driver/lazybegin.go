package driver

import (
	"github.com/jackc/pgx/v5/pgproto3"
)

// next returns the next message that belongs to the statement: the answer to the BEGIN ahead of it is taken out.
func (e *engine) next() (pgproto3.BackendMessage, error) {
	for {
		msg, err := e.receive()
		if err != nil {
			e.altered() // for all that is known
			return nil, err
		}
		if e.reset.phase != resetRead {
			if err := e.reset.take(msg); err != nil {
				e.kill()
				return nil, err
			}
			continue
		}
		switch msg := msg.(type) {
		case *pgproto3.DataRow:
			return msg, nil
		case *pgproto3.ReadyForQuery:
			e.begun, e.inFlight = false, false
			if e.uncommitted != 0 && e.txStatus() == 'I' {
				e.altered()
			}
		case *pgproto3.ParseComplete, *pgproto3.BindComplete:
			if e.beginning {
				continue
			}
		case *pgproto3.CommandComplete:
			if e.beginning {
				e.beginning = false
				continue
			}
		case *pgproto3.ErrorResponse:
			if e.beginning {
				e.beginning = false
				e.beginErr = newServerError(msg)
			}
		}
		return msg, nil
	}
}

// status is the transaction status, with a BEGIN counted that has not been answered.
func (e *engine) status() byte {
	if e.begin != "" || e.begun {
		return 'T'
	}
	return e.txStatus()
}

// waiting reports whether something waits for a request.
func (e *engine) waiting() bool { return e.goesFirst() || len(e.stmts.closing) > 0 }

// goesFirst reports whether something waits that a simple query must not run without.
func (e *engine) goesFirst() bool { return e.begin != "" || e.reset.statements != nil }

// flush sends what waits for a request, where something does, and reads the answer.
func (e *engine) flush() error {
	if !e.waiting() {
		return nil
	}
	e.result = result{engine: e, st: &statement{}}
	if err := e.dispatch(appendSync(e.open())); err != nil {
		return err
	}
	return e.result.drain()
}

// endTx forgets a transaction that was begun lazily, and reports whether the server never heard of it.
func (e *engine) endTx() (unheard bool) {
	unheard = e.begin != "" || e.beginErr != nil
	e.begin, e.beginErr = "", nil
	return unheard
}
