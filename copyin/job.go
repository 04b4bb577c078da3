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
	// use tells which columns of the table are to be filled, and returns those of them that are, with a sample of the values
	// of each, nil where there is none.
	use(columns []column) (filled []column, samples []any, err error)
	// next returns the values of the next row, valid until the next call.
	next() (values []any, ok bool, err error)
	// value is a value of a row that has gone, for an error.
	value(row int64, column int) any
	// plain reports whether next and the encoding of its values run no code of users.
	plain() bool
	close()
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
	codec  *driver.CopyCodec
	row    int64 // the rows that were read
	bytes  int64
	plain  bool

	converted []any // a row whose Valuers were called, reused
}

func copyRows(ctx context.Context, q ext.Querier, table string, src rowSource, o Options) (int64, error) {
	defer src.close()
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
	if j.plain = j.source.plain(); j.plain {
		rows, err = j.inOneCall(ctx)
	} else {
		rows, err = j.inMany(ctx)
	}
	if j.options.Report != nil {
		*j.options.Report = Report{Format: j.format, Columns: names(j.filled), Bytes: j.bytes}
	}
	return rows, err
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

// inOneCall copies rows whose encoding runs no code of users.
func (j *job) inOneCall(ctx context.Context) (int64, error) {
	return driver.Do(ctx, j.q, j.shown(), func(ctx context.Context, c *driver.Conn) (int64, error) {
		if err := j.prepare(ctx, c); err != nil {
			return 0, err
		}
		if err := j.choose(); err != nil {
			return 0, err
		}
		ci, err := c.CopyIn(ctx, j.statement())
		if err != nil {
			return 0, err
		}
		buf := j.start()
		for more := true; more; buf = buf[:0] {
			if buf, more, err = j.fill(buf); err != nil {
				ci.Abort(err)
				return 0, err
			}
			if _, err := ci.Write(buf); err != nil {
				return 0, err
			}
		}
		return ci.Close()
	})
}

// inMany copies rows that code of users gives or encodes: between the calls of driver.Do.
func (j *job) inMany(ctx context.Context) (rows int64, err error) {
	s := &stream{q: j.q, operation: "COPY into " + j.table.String(), shown: j.shown()}
	defer func() { s.abort(ctx, err) }()
	if rows, err := s.begin(ctx, j.prepare); err != nil || !s.real {
		return rows, err
	}
	if err := j.choose(); err != nil {
		return 0, err
	}
	buf := j.start()
	for more := true; more; buf = buf[:0] {
		if buf, more, err = j.fill(buf); err != nil {
			return 0, err
		}
		if rows, err = s.write(ctx, j.statement(), buf, !more); err != nil {
			return 0, err
		}
	}
	return rows, nil
}

// prepare looks up what the table has.
func (j *job) prepare(ctx context.Context, c *driver.Conn) error {
	t, err := lookUp(ctx, c, j.table)
	if err != nil {
		return err
	}
	if j.filled, err = t.pick(j.wanted); err != nil {
		return err
	}
	types := make([]uint32, len(j.filled))
	for i, col := range j.filled {
		types[i] = col.oid
	}
	j.codec, err = c.CopyCodec(ctx, types)
	return err
}

// choose decides the format, from the types of the columns and of the Go values that fill them.
func (j *job) choose() error {
	filled, samples, err := j.source.use(j.filled)
	if err != nil {
		return err
	}
	if len(filled) == 0 && len(j.filled) > 0 {
		return errors.New("no column of the table is left to fill")
	}
	if j.filled = filled; j.options.Format != Auto {
		j.format = j.options.Format
		return nil
	}
	if samples, err = j.convert(samples); err != nil {
		return err
	}
	j.format = Binary
	for i, c := range j.filled {
		if !j.codec.HasBinary(c.oid, samples[i]) {
			j.format = Text
		}
	}
	return nil
}

func (j *job) statement() string {
	return statement(j.table, names(j.filled), j.options.options(j.format)...)
}

// start is a buffer with what the format begins with.
func (j *job) start() []byte {
	buf := make([]byte, 0, bufferSize+bufferSize/4)
	if j.format == Binary {
		buf = append(buf, copyformat.Header...)
	}
	return buf
}

// fill encodes rows until the buffer is full. more is false behind the last.
func (j *job) fill(buf []byte) (_ []byte, more bool, err error) {
	for len(buf) < bufferSize {
		values, ok, err := j.source.next()
		if err != nil {
			return buf, false, err
		}
		if !ok {
			if j.format == Binary {
				buf = append(buf, copyformat.Trailer...)
			}
			j.bytes += int64(len(buf))
			return buf, false, nil
		}
		j.row++
		if len(values) != len(j.filled) {
			return buf, false, &RowError{Row: j.row, Err: fmt.Errorf("%d values for %d columns", len(values), len(j.filled))}
		}
		if !j.plain {
			if values, err = j.convert(values); err != nil {
				return buf, false, err
			}
		}
		if j.format == Binary {
			buf, err = j.appendBinary(buf, values)
		} else {
			buf, err = j.appendText(buf, values)
		}
		if err != nil {
			return buf, false, err
		}
	}
	j.bytes += int64(len(buf))
	return buf, true, nil
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
