package driver

import (
	"errors"
	"io"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// errCopy is the failure of a COPY whose data Exec and Query cannot carry.
var errCopy = errors.New("driver: COPY FROM STDIN and COPY TO STDOUT cannot run through Exec or Query; use packages copyin and copyout")

// result reads the answer to one request, up to its ReadyForQuery. It looks one message ahead: behind the last row of a
// set it has seen either the next set's description or the end, so that a late error is never missed.
type result struct {
	engine     *engine
	st         *statement   // nil under the simple protocol
	sql        string       // under that
	prepared   bool         // st was prepared before this request
	preparing  bool         // this request prepares st
	learning   *description // what this request is told of st, when it asks
	remembered bool         // st had been described by an earlier request
	bound      bool         // BindComplete has arrived: the statement may have had effects

	columns []column // of the current result set
	names   []string
	next    []column // of the set that follows, when hasNext
	hasNext bool
	inSet   bool    // the current set has not ended
	row     dataRow // the row last read
	peeked  bool    // row waits for advance

	tag   string // command tag of the last statement
	count int64  // rows that the last statement returned or changed
	err   error  // the first error
	done  bool   // ReadyForQuery was read, or the connection is gone
}

// event is what one message means to the reader of a result.
type event byte

const (
	atElse event = iota // nothing that the reader waits for
	atSet               // the description of a set, in r.next
	atRow               // a row, in r.row
	atTag               // the end of a statement
	atEnd               // ReadyForQuery, or a lost connection
)

// start reads up to the first row, or to the end where there is none: an error before that belongs to the call that
// runs the statement.
func (r *result) start() error {
	for {
		switch r.read() {
		case atSet:
			if r.inSet { // a set without rows was left behind; it is over, this one comes next
				r.hasNext = true
				return nil
			}
			r.enterSet()
		case atRow:
			r.inSet, r.peeked = true, true
			return nil
		case atTag:
			if r.inSet && r.st == nil {
				return nil
			}
		case atEnd:
			return r.err
		}
	}
}

// advance moves to the next row of the current set. It returns io.EOF behind the last, when what follows the set has
// been read too and is no error.
func (r *result) advance() error {
	if r.peeked {
		r.peeked = false
		return nil
	}
	for !r.done && !r.hasNext {
		if body := r.engine.row(); body != nil && r.inSet {
			r.row = dataRow{valid: true, body: body, at: sizeOfCount}
			return nil
		}
		switch r.read() {
		case atRow:
			if r.inSet {
				return nil
			}
		case atTag:
			r.inSet = false
		case atSet:
			r.hasNext = true
		}
	}
	if r.done && r.err != nil {
		return r.err
	}
	return io.EOF
}

// nextSet moves to the next result set, io.EOF when there is none.
func (r *result) nextSet() error {
	r.peeked = false
	for !r.hasNext && !r.done {
		if r.read() == atSet {
			r.hasNext = true
		}
	}
	if !r.hasNext {
		if r.err != nil {
			return r.err
		}
		return io.EOF
	}
	r.enterSet()
	return nil
}

func (r *result) enterSet() {
	r.columns, r.names = r.next, columnNames(r.next)
	r.next, r.hasNext, r.inSet = nil, false, true
}

// drain reads to the end and returns the result's error.
func (r *result) drain() error {
	for !r.done {
		r.read()
	}
	return r.err
}

// read reads one message.
func (r *result) read() event {
	r.row.valid = false
	msg, err := r.engine.next()
	if err != nil {
		r.done = true
		r.fail(err)
		return atEnd
	}
	switch msg := msg.(type) {
	case *pgproto3.DataRow:
		r.row = dataRow{valid: true, values: msg.Values}
		return atRow
	case *pgproto3.CommandComplete:
		r.tag, r.count = r.engine.completed(msg.CommandTag)
		return atTag
	case *pgproto3.ReadyForQuery:
		r.done = true
		return atEnd
	case *pgproto3.BindComplete:
		r.bound = true
	case *pgproto3.ParseComplete:
		if r.preparing {
			r.engine.stmts.isPrepared(r.st)
		}
	case *pgproto3.ParameterDescription:
		if r.learning != nil {
			r.learning.params = append([]uint32(nil), msg.ParameterOIDs...)
		}
	case *pgproto3.RowDescription:
		return r.described(msg)
	case *pgproto3.NoData:
		r.describedEmpty()
	case *pgproto3.EmptyQueryResponse:
		r.tag, r.count = "", 0
		return atTag
	case *pgproto3.ErrorResponse:
		r.fail(newServerError(msg).of(r.text()))
	case *pgproto3.CopyInResponse:
		r.refuseCopyIn()
	case *pgproto3.CopyOutResponse:
		r.fail(errCopy)
		r.engine.interrupt()
	}
	return atElse
}

// text is what the request runs.
func (r *result) text() string {
	if r.st != nil {
		return r.st.sql
	}
	return r.sql
}

// fail keeps the first error: later ones follow from it.
func (r *result) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// described takes the description of the rows that follow.
func (r *result) described(msg *pgproto3.RowDescription) event {
	if r.st == nil {
		r.next = r.engine.codecs.columns(msg)
		return atSet
	}
	if r.learning != nil {
		r.columns = r.engine.codecs.columns(msg) // as they come in this request: in text
		r.learned(r.columns)
		r.names = r.learning.names
		return atElse
	}
	if !sameColumns(r.columns, msg) {
		r.columns = r.engine.codecs.columns(msg)
		r.names = columnNames(r.columns)
		r.differs()
	}
	return atElse
}

// describedEmpty takes the news that no rows follow.
func (r *result) describedEmpty() {
	if r.learning != nil {
		r.learned(nil)
	} else if r.columns != nil {
		r.columns, r.names = nil, nil
		r.differs()
	}
}

// differs records that the statement is another one here than was remembered: the parameters may be too, and what the
// pool knows (of another search_path, say) is of no use to this connection.
func (r *result) differs() {
	r.engine.stmts.unprepare(r.st)
	r.st.desc, r.st.own = nil, true
}

// learned records what this request has told of the statement.
func (r *result) learned(columns []column) {
	r.learning.setColumns(r.engine.codecs, append([]column(nil), columns...))
	r.engine.remember(r.st, r.learning)
}

// sameColumns reports whether the rows are described as they were expected.
func sameColumns(columns []column, msg *pgproto3.RowDescription) bool {
	if len(columns) != len(msg.Fields) {
		return false
	}
	for i := range columns {
		c, f := &columns[i], &msg.Fields[i]
		if c.oid != f.DataTypeOID || c.format != f.Format || c.typmod != f.TypeModifier || c.name != string(f.Name) {
			return false
		}
	}
	return true
}

// refuseCopyIn ends a COPY FROM STDIN that the server has begun. The extended protocol has eaten the request's Sync.
func (r *result) refuseCopyIn() {
	r.fail(errCopy)
	buf := appendCopyFail(r.engine.take(), "COPY FROM STDIN through Exec or Query")
	if r.st != nil {
		buf = appendSync(buf)
	}
	if err := r.engine.send(buf); err != nil {
		r.done = true
	}
	r.engine.give(buf)
}

// refusedPlan reports whether the result failed before it was bound because of what the driver remembered of the
// statement: the server no longer has it, or its columns or parameters have changed. It may run once more then.
func (r *result) refusedPlan() bool {
	var pg *pgconn.PgError
	if r.bound || r.st == nil || !errors.As(r.err, &pg) {
		return false
	}
	if r.prepared && (pg.Code == codeNoSuchStatement || pg.Code == codeFeatureNotSupported && pg.Routine == "RevalidateCachedQuery") {
		return true
	}
	return r.remembered && isStale(pg)
}

// isStale reports whether a statement was refused for types that it has no more.
func isStale(pg *pgconn.PgError) bool {
	return staleCodes[pg.Code] || pg.Code == codeInternal && strings.HasPrefix(pg.Message, "cache lookup failed for type ") // dropped
}

// staleCodes are the errors of a Parse, Bind or new plan whose remembered types no longer fit the statement: protocol violation
// (the number of columns), invalid binary representation, datatype mismatch, undefined function (for other types).
var staleCodes = map[string]bool{"08P01": true, "22P03": true, "42804": true, "42883": true}

// completed takes a command tag apart, and notices when it says that the server dropped all prepared statements.
func (e *engine) completed(raw []byte) (tag string, count int64) {
	tag = commandTag(raw)
	if tag == "DISCARD ALL" || tag == "DEALLOCATE ALL" {
		e.stmts.vanished()
	}
	return tag, tagCount(tag)
}

// commandTag is string(raw) without an allocation for the commonest tags.
func commandTag(raw []byte) string {
	switch string(raw) {
	case "SELECT 1":
		return "SELECT 1"
	case "SELECT 0":
		return "SELECT 0"
	case "INSERT 0 1":
		return "INSERT 0 1"
	case "UPDATE 1":
		return "UPDATE 1"
	case "DELETE 1":
		return "DELETE 1"
	case "BEGIN":
		return "BEGIN"
	case "COMMIT":
		return "COMMIT"
	case "ROLLBACK":
		return "ROLLBACK"
	}
	return string(raw)
}

// tagCount is the row count at the end of a command tag, 0 when it has none.
func tagCount(tag string) int64 {
	var n int64
	for _, c := range []byte(tag[strings.LastIndexByte(tag, ' ')+1:]) {
		if c < '0' || c > '9' {
			return 0
		}
		n = n*10 + int64(c-'0')
	}
	return n
}
