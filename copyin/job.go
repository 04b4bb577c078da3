package copyin

import (
	"context"
	"errors"
	"fmt"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/internal/copyformat"
)

// bufferSize is how much is encoded before it is sent.
const bufferSize = 64 << 10

// rowSource gives the rows of a job.
type rowSource interface {
	// columns are the names of the columns that the rows have, nil for those of the table.
	columns() ([]string, error)
	// plain reports whether each and the encoding of the values run no code of users. Without all it looks at the first rows only;
	// then the error of values may be errNotPlain, until it is called again.
	plain(all bool) bool
	// each moves to one row after the other, until yield returns false. An error of the user's ends it.
	each(yield func(err error) bool)
	// use tells which columns of the table are to be filled, and returns those of them that are, with a sample of the values
	// of each, nil where there is none. It is called at the first row, or behind each where there is none, and once more where the
	// table turns out to have others.
	use(columns []column) (filled []column, samples []any, err error)
	// values are those of the current row, valid until the next.
	values() ([]any, error)
	// value is a value of a row that has gone, for an error.
	value(row int64, column int) any
}

// job is the copying of rows into a table.
type job struct {
	q       ext.Querier
	table   ext.Name
	options Options
	source  rowSource

	wanted []string // the names of the columns, nil for those of the table
	filled []column
	format Format
	text   string // of the statement, once it was sent
	codec  *driver.CopyCodec
	row    int64 // the current one, from 1
	bytes  int64
	plain  bool
	begun  bool   // the format was chosen
	buf    []byte // rows that were not sent

	guess *target      // of which it is not known whether the table is still so
	open  func() error // starts the COPY ahead of its rows, and finds out; nil where there are no guesses

	converted []any // a row whose Valuers were called, reused
}

func copyRows(ctx context.Context, q ext.Querier, table string, src rowSource, o Options) (int64, error) {
	j := &job{q: q, options: o, source: src}
	rows, err := j.run(ctx, table)
	if err == nil {
		return rows, nil
	}
	var foreign *foreignError
	if errors.As(err, &foreign) {
		return 0, foreign.err
	}
	return 0, fmt.Errorf("copyin: table %q: %w", table, withRow(err, j.table.Name, names(j.filled), j.value))
}

func (j *job) run(ctx context.Context, table string) (rows int64, err error) {
	if j.table, err = ext.ParseName(table); err != nil {
		return 0, err
	}
	if j.options.Format != Auto && j.options.Format != Text && j.options.Format != Binary {
		return 0, fmt.Errorf("rows are copied in text or binary, not %s", j.options.Format)
	}
	if j.wanted = j.options.Columns; j.wanted == nil {
		if j.wanted, err = j.source.columns(); err != nil {
			return 0, err
		}
	}
	if err := checkColumns(j.wanted); err != nil {
		return 0, err
	}
	// To look at all rows ahead takes its time, where they are many. On a pool a COPY that began can be given up for another.
	_, pool := j.q.(pool)
	if j.plain = j.source.plain(!pool); j.plain {
		rows, err = j.inOneCall(ctx)
	}
	if errors.Is(err, errNotPlain) {
		j.plain, j.begun, j.text, j.row, j.bytes = j.source.plain(true), false, "", 0, 0
	}
	if !j.plain {
		rows, err = j.inMany(ctx)
	}
	j.report()
	return rows, err
}

// errNotPlain is the error of a value that needs code of the user's, in a call of driver.Do.
var errNotPlain = errors.New("a value needs code of the user's")

func (j *job) report() {
	if j.options.Report != nil {
		*j.options.Report = Report{Format: j.format, Columns: names(j.filled), Bytes: j.bytes}
	}
}

// shown is what mocks and loggers see. The statement that is sent may have further options.
func (j *job) shown() string { return statement(j.table, j.wanted) }

// value is a value of a row, for an error.
func (j *job) value(row int64, name string) any {
	for i, c := range j.filled {
		if c.name == name {
			return j.source.value(row, i)
		}
	}
	return nil
}

// send sends a part of the data, with the statement before the first and the end behind the last, for the number of rows.
type send func(statement string, data []byte, last bool) (rows int64, err error)

// inOneCall copies rows whose encoding runs no code of users.
func (j *job) inOneCall(ctx context.Context) (int64, error) {
	return driver.Do(ctx, j.q, j.shown(), func(ctx context.Context, c *driver.Conn) (int64, error) {
		var ci *driver.CopyIn
		j.open = func() (err error) {
			ci, err = j.check(ctx, c)
			return err
		}
		if err := j.prepare(ctx, c); err != nil {
			return 0, err
		}
		rows, err := j.copyAll(func(statement string, data []byte, last bool) (_ int64, err error) {
			if ci == nil {
				if ci, err = c.CopyIn(ctx, statement); err != nil {
					return 0, err
				}
			}
			if _, err := ci.Write(data); err != nil || !last {
				return 0, err
			}
			return ci.Close()
		})
		if err != nil && ci != nil {
			ci.Abort(err)
		}
		return rows, err
	})
}

// inMany copies rows that code of users gives or encodes: between the calls of driver.Do.
func (j *job) inMany(ctx context.Context) (rows int64, err error) {
	s := &stream{q: j.q, operation: "COPY into " + j.table.String(), shown: j.shown()}
	err = errPanicked
	defer func() { s.abort(ctx, err) }()
	j.open = func() error { return s.open(ctx, j.check) }
	if rows, err = s.begin(ctx, j.prepare); err != nil || !s.real {
		return rows, err
	}
	return j.copyAll(func(statement string, data []byte, last bool) (int64, error) {
		return s.write(ctx, statement, data, last)
	})
}

var errPanicked = errors.New("the source of the rows panicked")

// copyAll copies the rows of the source.
func (j *job) copyAll(send send) (rows int64, err error) {
	j.source.each(func(e error) bool {
		if err = e; err == nil {
			err = j.add(send)
		}
		return err == nil
	})
	if err != nil {
		return 0, err
	}
	return j.finish(send)
}

// add encodes the current row, and sends what was encoded when that is enough.
func (j *job) add(send send) error {
	if err := j.encode(); err != nil || len(j.buf) < bufferSize {
		return err
	}
	_, err := j.flush(send, false)
	return err
}

// encode appends the current row to what was not sent. After an error part of it may be there.
func (j *job) encode() (err error) {
	j.row++
	if !j.begun {
		if err := j.choose(); err != nil {
			return err
		}
	}
	values, err := j.source.values()
	if err != nil {
		return err
	}
	if len(values) != len(j.filled) {
		return &RowError{Row: j.row, Err: fmt.Errorf("%d values for %d columns", len(values), len(j.filled))}
	}
	if !j.plain {
		if values, err = j.convert(values); err != nil {
			return err
		}
	}
	if j.format == Binary {
		j.buf, err = j.appendBinary(j.buf, values)
	} else {
		j.buf, err = j.appendText(j.buf, values)
	}
	return err
}

// finish sends what is left, and ends the COPY.
func (j *job) finish(send send) (int64, error) {
	if !j.begun {
		if err := j.choose(); err != nil {
			return 0, err
		}
	}
	if j.format == Binary {
		j.buf = append(j.buf, copyformat.Trailer...)
	}
	return j.flush(send, true)
}

func (j *job) flush(send send, last bool) (rows int64, err error) {
	if j.text == "" {
		j.text = j.statement()
	}
	rows, err = send(j.text, j.buf, last)
	j.bytes += int64(len(j.buf))
	j.buf = j.buf[:0]
	return rows, err
}

// foreignError is an error of a user's source, which comes back unchanged.
type foreignError struct{ err error }

func (e *foreignError) Error() string { return e.err.Error() }

// convert calls the Valuers among the values of a row.
func (j *job) convert(values []any) ([]any, error) {
	for i, v := range values {
		if driver.IsPlain(v) {
			continue
		}
		converted, err := driver.ConvertArgs([]any{v})
		if err != nil {
			return nil, j.badValue(i, v, err)
		}
		if len(j.converted) != len(values) {
			j.converted = make([]any, len(values))
		}
		if &values[0] != &j.converted[0] {
			copy(j.converted, values)
			values = j.converted
		}
		values[i] = converted[0]
	}
	return values, nil
}

func (j *job) appendBinary(buf []byte, values []any) (_ []byte, err error) {
	n := len(values)
	buf = append(buf, byte(n>>8), byte(n))
	for i, v := range values {
		if buf, err = j.codec.AppendBinary(buf, j.filled[i].oid, v); err != nil {
			return buf, j.badValue(i, v, err)
		}
	}
	return buf, nil
}

func (j *job) appendText(buf []byte, values []any) (_ []byte, err error) {
	for i, v := range values {
		if i > 0 {
			buf = append(buf, '\t')
		}
		if buf, err = j.codec.AppendField(buf, j.filled[i].oid, v); err != nil {
			return buf, j.badValue(i, v, err)
		}
	}
	return append(buf, '\n'), nil
}

func (j *job) badValue(column int, v any, err error) error {
	return &RowError{Row: j.row, Column: j.filled[column].name, Value: kept(v), Err: err}
}
