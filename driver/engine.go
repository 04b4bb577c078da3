package driver

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// engine runs statements over a transport: it chooses the protocol, builds the request and starts the result.
// One statement runs at a time; its result must be read to the end before the next.
type engine struct {
	transport
	codecs  *codecs
	stmts   *statements
	unnamed bool   // never name a statement on the server: a pooler may run the next request elsewhere
	buf     []byte // request being built, reused

	result result // the one result in use
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

// start runs sql with args and returns its result at its first row, or at its end.
func (e *engine) start(sql string, args []any) (*result, error) {
	if err := checkSQL(sql); err != nil {
		return nil, err
	}
	if len(args) == 0 && e.needsSimple(sql) {
		return e.startSimple(sql)
	}
	if err := refuseCopy(sql, e.standardStrings()); err != nil {
		return nil, err
	}
	return e.startStatement(e.stmts.lookup(sql), args)
}

// checkSQL refuses what cannot travel as a statement's text.
func checkSQL(sql string) error {
	if i := strings.IndexByte(sql, 0); i >= 0 {
		return fmt.Errorf("driver: the statement has a NUL byte at offset %d", i)
	}
	if !utf8.ValidString(sql) {
		return fmt.Errorf("driver: the statement is not valid UTF-8 at offset %d", invalidUTF8(sql))
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

// startSimple runs sql, which may hold several statements, with the simple protocol.
func (e *engine) startSimple(sql string) (*result, error) {
	e.result = result{engine: e}
	return e.begin(appendQuery(e.closings(e.take()), sql))
}

// startStatement runs st with args. A statement whose plan or name the server no longer accepts is prepared again and
// run once more, where that is safe: the refusal came before it was bound, and no transaction was lost with it.
func (e *engine) startStatement(st *statement, args []any) (*result, error) {
	if err := e.checkCount(st, args); err != nil {
		return nil, err
	}
	r, err := e.attempt(st, args)
	if err == nil || !e.result.refusedPlan() {
		return r, err
	}
	e.stmts.unprepare(st)
	st.forget()
	if e.txStatus() != 'I' {
		return nil, fmt.Errorf("%w: %w", ErrStalePlan, err)
	}
	return e.attempt(st, args)
}

func (e *engine) checkCount(st *statement, args []any) error {
	if len(args) > maxParams {
		return fmt.Errorf("driver: %d arguments, but a statement can take at most %d (use arrays with unnest, or COPY)", len(args), maxParams)
	}
	if st.described && len(args) != len(st.params) {
		return fmt.Errorf("driver: the statement takes %d arguments, but %d were given", len(st.params), len(args))
	}
	return nil
}

// attempt executes st, asking first for its types where they are not known and the arguments need them.
func (e *engine) attempt(st *statement, args []any) (*result, error) {
	e.result = result{engine: e, st: st}
	if !st.described && st.pins == 0 && e.textIsSafe() && countPlaceholders(st.sql, e.standardStrings()) == len(args) {
		if r, err := e.attemptText(st, args); err != errNeedsTypes {
			return r, err
		}
	}
	parsed, remembered := false, st.described
	if !st.described {
		if err := e.describe(st); err != nil {
			return nil, err
		}
		parsed = !e.unnamed && !st.prepared
		if err := e.checkCount(st, args); err != nil {
			return nil, err
		}
	}
	buf := e.closings(e.take())
	name, prepare := "", !e.unnamed && e.stmts.prepareNow(st)
	switch {
	case st.prepared:
		name = st.name
	case prepare:
		name = st.name
		buf = appendParse(buf, name, st.sql, st.params)
	case !parsed:
		buf = appendParse(buf, "", st.sql, st.params)
	}
	buf, err := appendBind(buf, name, len(args), func(dst []byte, i int) ([]byte, int16, error) {
		return e.codecs.appendParam(dst, st.params[i], args[i])
	}, st.formats)
	if err != nil {
		e.give(buf)
		return nil, err
	}
	if !st.prepared {
		buf = appendDescribe(buf, 'P', "")
	}
	st.uses++
	e.result = result{
		engine: e, st: st, prepared: st.prepared, preparing: prepare, remembered: remembered,
		columns: st.columns, names: st.names,
	}
	return e.begin(appendSync(appendExecute(buf)))
}

// errNeedsTypes says that an argument's encoding depends on the parameter's type.
var errNeedsTypes = errors.New("driver: the parameter types must be asked for")

// textIsSafe reports whether text results read the same as binary ones: settings that the session can change decide.
func (e *engine) textIsSafe() bool {
	return strings.HasPrefix(e.parameter("DateStyle"), "ISO") && e.parameter("client_encoding") == "UTF8"
}

// attemptText executes st without knowing its types, arguments and results in text, and learns the types on the way.
func (e *engine) attemptText(st *statement, args []any) (*result, error) {
	name, prepare := "", !e.unnamed && e.stmts.prepareNow(st)
	if prepare {
		name = st.name
	}
	buf := appendParse(e.closings(e.take()), name, st.sql, nil)
	buf = appendDescribe(buf, 'S', name)
	buf, err := appendBind(buf, name, len(args), func(dst []byte, i int) ([]byte, int16, error) {
		out, ok, err := e.codecs.appendTextParam(dst, args[i])
		if err == nil && !ok {
			err = errNeedsTypes
		}
		return out, 0, err
	}, nil)
	if err != nil {
		e.give(buf)
		if errors.Is(err, errNeedsTypes) {
			err = errNeedsTypes
		}
		return nil, err
	}
	st.uses++
	e.result = result{engine: e, st: st, preparing: prepare, learning: true}
	return e.begin(appendSync(appendExecute(buf)))
}

// begin sends a request and reads its result up to the first row.
func (e *engine) begin(request []byte) (*result, error) {
	r := &e.result
	err := e.send(request)
	e.give(request)
	if err != nil {
		r.done, r.err = true, err
		return nil, err
	}
	e.stmts.closing = e.stmts.closing[:0]
	if err := r.start(); err != nil {
		return nil, err
	}
	return r, nil
}

// closings appends the Close messages that wait for a request. They need no Sync and go first.
func (e *engine) closings(buf []byte) []byte {
	for _, name := range e.stmts.closing {
		buf = appendClose(buf, 'S', name)
	}
	return buf
}

// describe asks the server for the types of a statement, in a round trip of its own.
func (e *engine) describe(st *statement) error {
	buf := e.closings(e.take())
	name := ""
	prepare := st.pins > 0 && !e.unnamed && e.stmts.prepareNow(st)
	if prepare {
		name = st.name
	}
	buf = appendParse(buf, name, st.sql, nil)
	buf = appendDescribe(buf, 'S', name)
	buf = appendSync(buf)
	err := e.send(buf)
	e.give(buf)
	if err != nil {
		return err
	}
	e.stmts.closing = e.stmts.closing[:0]
	return e.readDescription(st, prepare)
}

func (e *engine) readDescription(st *statement, prepare bool) error {
	var failure error
	for {
		msg, err := e.receive()
		if err != nil {
			return errors.Join(failure, err)
		}
		switch msg := msg.(type) {
		case *pgproto3.ParseComplete:
			if prepare {
				e.stmts.isPrepared(st)
			}
		case *pgproto3.ParameterDescription:
			st.params = append([]uint32(nil), msg.ParameterOIDs...)
		case *pgproto3.RowDescription:
			st.setColumns(e.codecs, e.codecs.columns(msg))
		case *pgproto3.ErrorResponse:
			failure = pgconn.ErrorResponseToPgError(msg)
		case *pgproto3.ReadyForQuery:
			st.described = failure == nil
			return failure
		}
	}
}

// setColumns records the result columns and the formats to ask for.
func (s *statement) setColumns(c *codecs, columns []column) {
	s.columns = columns
	s.formats = make([]int16, len(columns))
	for i := range columns {
		s.formats[i] = c.resultFormat(columns[i].oid)
		columns[i].format = s.formats[i]
		columns[i].decode = c.decoder(columns[i].oid, s.formats[i])
	}
	s.names = columnNames(columns)
}

func columnNames(columns []column) []string {
	names := make([]string, len(columns))
	for i := range columns {
		names[i] = columns[i].name
	}
	return names
}

// columns copies a RowDescription, which lives in shared memory.
func (c *codecs) columns(msg *pgproto3.RowDescription) []column {
	columns := make([]column, len(msg.Fields))
	for i := range msg.Fields {
		f := &msg.Fields[i]
		columns[i] = column{
			name: string(f.Name), oid: f.DataTypeOID, table: f.TableOID, attnum: f.TableAttributeNumber,
			size: f.DataTypeSize, typmod: f.TypeModifier, format: f.Format,
			decode: c.decoder(f.DataTypeOID, f.Format),
		}
	}
	return columns
}
