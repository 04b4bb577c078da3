package driver

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// engine runs statements over a transport: it chooses the protocol, builds the request and starts the result.
// One statement runs at a time; its result must be read to the end before the next.
type engine struct {
	transport
	codecs   *codecs
	stmts    *statements
	shared   *descriptions // of the pool
	ownNames bool          // the session resolves names in its own way
	renamed  bool          // what is known of statements may be out of date with it
	asOf     uint64        // the schema epoch in which the last request was sent
	unnamed  bool          // never name a statement on the server: a pooler may run the next request elsewhere
	buf      []byte        // request being built, reused

	result   result // the one result in use
	inFlight bool   // a request was sent whose ReadyForQuery has not been read

	uncommitted change // what the open transaction may have done to the schema
	outdated    change // which statements may mean something else by now

	// The BEGIN of a lazy transaction travels with the first statement.
	begin     string // its text while it waits for a request
	beginning bool   // its answer has not been read
	begun     bool   // it was sent, and the server's status does not show it yet
	beginErr  error  // why it failed: the transaction is dead, nothing may be sent in it

	reset reset
}

// keptBuffer is how large a request buffer may be to be kept for the next request.
const keptBuffer = 16 << 10

// take returns the empty request buffer; give hands it back.
func (e *engine) take() []byte {
	buf := e.buf[:0]
	e.buf = nil
	return buf
}

func (e *engine) give(buf []byte) {
	if cap(buf) <= keptBuffer {
		e.buf = buf
	}
}

// start runs a call and returns its result at its first row, or at its end. A text that is in the cache has passed the
// checks.
func (e *engine) start(k call) (*result, error) {
	st := e.stmts.find(k.sql)
	if st == nil {
		if err := checkSQL(k.sql); err != nil {
			return nil, err
		}
	}
	if k.options.Simple || len(k.args) == 0 && e.needsSimple(k.sql) {
		if mayRename(k.sql) {
			e.renames()
		}
		if a := readAlteration(k.sql, e.standardStrings()); a != nil {
			e.alters(a)
		}
		return e.startSimple(k.sql)
	}
	if st == nil {
		if err := refuseCopy(k.sql, e.standardStrings()); err != nil {
			return nil, err
		}
		st = e.stmts.add(k.sql)
	}
	r, err := e.startStatement(st, k.args, k.options.Prepare)
	if serverCode(err) == codeSyntaxError && e.needsSimple(k.sql) {
		err = fmt.Errorf("driver: a text of several statements takes no arguments: %w", err)
	}
	return r, err
}

// checkSQL refuses what cannot travel as a statement's text.
func checkSQL(sql string) error {
	if i := strings.IndexByte(sql, 0); i >= 0 {
		return refuseValue(codeNotInRepertoire, "driver: the statement has a NUL byte at offset %d", i)
	}
	if !utf8.ValidString(sql) {
		return refuseValue(codeNotInRepertoire, "driver: the statement is not valid UTF-8 at offset %d", invalidUTF8(sql))
	}
	if len(sql) > maxMessage-64 {
		return fmt.Errorf("driver: the statement has %d bytes, more than the 1 GiB that a message can carry", len(sql))
	}
	return nil
}

func invalidUTF8(s string) int {
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") {
			return i
		}
	}
	return len(s)
}

func (e *engine) standardStrings() bool { return e.parameter("standard_conforming_strings") != "off" }

// needsSimple reports whether sql may hold more than one statement, which only the simple protocol takes.
func (e *engine) needsSimple(sql string) bool {
	return strings.IndexByte(sql, ';') >= 0 && severalStatements(sql, e.standardStrings())
}

// startSimple runs sql, which may hold several statements, with the simple protocol. A BEGIN that waits is sent on its
// own first: behind a failed one, the statements would run outside of a transaction. So is a reset of the session.
func (e *engine) startSimple(sql string) (*result, error) {
	if e.goesFirst() {
		if err := e.flush(); err != nil {
			return nil, err
		}
	}
	e.result = result{engine: e, sql: sql}
	return e.run(appendQuery(e.open(), sql))
}

// startStatement runs st with args. A statement whose plan or name the server no longer accepts is prepared again and
// run again, where that is safe: the refusal came before it was bound, and no transaction was lost with it.
func (e *engine) startStatement(st *statement, args []any, prepare *bool) (*result, error) {
	e.follow()
	e.recall(st)
	if st.renames {
		e.renames()
	}
	if st.alters != nil {
		e.alters(st.alters)
	}
	if err := e.checkCount(st, args); err != nil {
		return nil, err
	}
	r, err := e.attempt(st, args, prepare)
	if err != nil && e.result.mayHaveGuessedWrong(args) {
		if _, err := e.learnTypes(e.result.learning.params, args); err != nil {
			return nil, err
		}
		if e.result.guessedWrong(args) {
			return e.attempt(st, args, prepare)
		}
	}
	for range maxPlanChanges {
		if err == nil || !e.result.refusedPlan() {
			break
		}
		e.shared.stale(st.epoch)
		e.stmts.unprepare(st)
		st.desc = nil
		if e.status() != 'I' {
			return nil, fmt.Errorf("%w: %w", ErrStalePlan, err)
		}
		r, err = e.attempt(st, args, prepare)
	}
	return r, err
}

// maxPlanChanges is how often a statement is prepared again for one execution: its tables may change while that is done.
const maxPlanChanges = 5

func (e *engine) checkCount(st *statement, args []any) error {
	if len(args) > maxParams {
		return fmt.Errorf("driver: %d arguments, but a statement can take at most %d (use arrays with unnest, or COPY)", len(args), maxParams)
	}
	if st.desc != nil && len(args) != len(st.desc.params) {
		return fmt.Errorf("driver: the statement takes %d arguments, but %d were given", len(st.desc.params), len(args))
	}
	return nil
}

// attempt executes st, asking first for its types where they are not known and the arguments need them.
func (e *engine) attempt(st *statement, args []any, wanted *bool) (*result, error) {
	if st.prepared && (wanted == nil || *wanted) {
		return e.attemptPrepared(st, args, true)
	}
	e.result = result{engine: e, st: st}
	if e.learnsByText(st, args, wanted) {
		if r, err := e.attemptText(st, args, wanted); err != errNeedsTypes {
			return r, err
		}
	}
	parsed, remembered := false, st.desc != nil
	if st.desc == nil {
		if err := e.describe(st, wanted); err != nil {
			return nil, err
		}
		parsed = !e.unnamed && !st.prepared
		if err := e.checkCount(st, args); err != nil {
			return nil, err
		}
	}
	if asked, err := e.learnTypes(st.desc.params, args); err != nil {
		return nil, err
	} else if asked {
		parsed = false // the unnamed statement was another
	}
	if st.prepared && (wanted == nil || *wanted) { // on the way
		return e.attemptPrepared(st, args, remembered)
	}
	desc, buf := st.desc, e.open()
	prepare := !st.prepared && !e.unnamed && e.stmts.prepareNow(st, wanted)
	name := ""
	if prepare {
		name = st.name
	}
	declared := 0 // where the parameters' types are in buf, when this request leaves plain ones to the server
	if prepare || !parsed {
		buf = appendParse(buf, name, st.sql, desc.params)
		if !prepare {
			declared = len(buf) - 4*len(desc.params)
		}
	}
	buf, err := appendBind(buf, name, len(args), func(dst []byte, i int) ([]byte, int16, error) {
		if declared > 0 && e.codecs.isPlain(desc.params[i], args[i]) {
			binary.BigEndian.PutUint32(dst[declared+4*i:], 0)
			out, _, err := e.codecs.appendTextParam(dst, args[i])
			return out, textFormat, err
		}
		return e.codecs.appendParam(dst, desc.params[i], args[i])
	}, desc.formats)
	if err != nil {
		e.give(buf)
		return nil, err
	}
	buf = appendDescribe(buf, 'P', "")
	st.uses++
	e.result = result{engine: e, st: st, preparing: prepare, remembered: remembered, columns: desc.columns, names: desc.names}
	return e.run(appendSync(appendExecute(buf)))
}

// attemptPrepared executes st, which the server holds: what most executions are.
func (e *engine) attemptPrepared(st *statement, args []any, remembered bool) (*result, error) {
	desc := st.desc
	e.result = result{engine: e, st: st, prepared: true, remembered: remembered, columns: desc.columns, names: desc.names}
	if _, err := e.learnTypes(desc.params, args); err != nil {
		return nil, err
	}
	buf, err := appendBind(e.open(), st.name, len(args), func(dst []byte, i int) ([]byte, int16, error) {
		return e.codecs.appendParam(dst, desc.params[i], args[i])
	}, desc.formats)
	if err != nil {
		e.give(buf)
		return nil, err
	}
	st.uses++
	return e.run(appendSync(appendExecute(buf)))
}

// errNeedsTypes says that an argument's encoding depends on the parameter's type.
var errNeedsTypes = errors.New("driver: the parameter types must be asked for")

// textIsSafe reports whether text results read the same as binary ones: settings that the session can change decide.
func (e *engine) textIsSafe() bool {
	return strings.HasPrefix(e.parameter("DateStyle"), "ISO") && e.parameter("client_encoding") == "UTF8"
}

// maxTextRequest bounds the requests that describe a statement ahead of its arguments: the server answers the description
// before it reads on, so all that follows must fit into the sockets' buffers.
const (
	maxTextRequest = 32 << 10
	maxTextArgs    = 512
)

// attemptText executes st without knowing its types, arguments and results in text, and learns the types on the way.
func (e *engine) attemptText(st *statement, args []any, wanted *bool) (*result, error) {
	if len(args) > maxTextArgs {
		return nil, errNeedsTypes
	}
	name, prepare := "", !e.unnamed && e.stmts.prepareNow(st, wanted)
	if prepare {
		name = st.name
	}
	buf := appendParse(e.open(), name, st.sql, nil)
	buf = appendDescribe(buf, 'S', name)
	buf, err := appendBind(buf, name, len(args), func(dst []byte, i int) ([]byte, int16, error) {
		out, ok, err := e.codecs.appendTextParam(dst, args[i])
		if err == nil && !ok {
			err = errNeedsTypes
		}
		return out, 0, err
	}, nil)
	if err == nil && len(buf) > maxTextRequest {
		err = errNeedsTypes
	}
	if err != nil {
		e.give(buf)
		if errors.Is(err, errNeedsTypes) {
			err = errNeedsTypes
		}
		return nil, err
	}
	st.uses++
	e.result = result{engine: e, st: st, preparing: prepare, learning: &description{}}
	return e.run(appendSync(appendExecute(buf)))
}

// run sends a request and reads its result up to the first row.
func (e *engine) run(request []byte) (*result, error) {
	r := &e.result
	if err := e.dispatch(request); err != nil {
		r.done, r.err = true, err
		return nil, err
	}
	if err := r.start(); err != nil {
		return nil, err
	}
	return r, nil
}

// dispatch sends a request that open has started.
func (e *engine) dispatch(request []byte) error {
	e.asOf = e.shared.current()
	err := e.submit(request)
	e.give(request)
	if err != nil {
		e.altered()
		return err
	}
	e.stmts.closing = e.stmts.closing[:0]
	e.reset.sent()
	e.beginning, e.begin = e.begin != "", ""
	e.begun, e.inFlight = e.beginning, true
	return nil
}

// open starts a request with what waits for one: Close messages, which need no Sync, the reset of the session, and then the
// BEGIN of a lazy transaction. BEGIN is ahead of any Parse: a transaction's characteristics cannot be set behind one.
func (e *engine) open() []byte {
	buf := e.take()
	for _, name := range e.stmts.closing {
		buf = appendClose(buf, 'S', name)
	}
	if e.reset.statements != nil {
		buf = appendReset(buf, e.reset.statements)
	}
	if e.begin != "" {
		buf = appendPlain(buf, e.begin)
	}
	return buf
}
