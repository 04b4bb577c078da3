package copyin

import (
	"context"
	"errors"
	"fmt"

	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/internal/copyformat"
)

// Writer is a COPY into a table under way, for programs that push rows. It holds one connection until Close or Abort, or until
// a method fails: any other statement on it gets driver.ErrBusy. Its methods do I/O under the context of [NewWriter].
//
// It is either given rows of values (WriteRow), or the raw stream in the format of Options (Write). It is not safe for
// concurrent use.
type Writer struct {
	ctx   context.Context
	job   *job
	s     *stream
	table string
	buf   []byte
	raw   bool
	begun bool
	rows  int64
	err   error // of the first failure; errClosed behind Close
}

var (
	errClosed  = errors.New("copyin: the writer is closed")
	errMixed   = errors.New("copyin: a writer takes rows of values, or the raw stream, not both")
	errAborted = errors.New("copyin: the writer was aborted")
)

// NewWriter starts a COPY into a table. The format of rows is chosen at the first of them unless Options force one; that of
// a raw stream is Options.Format, where Auto is text.
func NewWriter(ctx context.Context, q ext.Querier, table string, o Options) (*Writer, error) {
	w := &Writer{ctx: ctx, table: table, job: &job{q: q, options: o, source: &pushSource{}}}
	j := w.job
	var err error
	if j.table, err = ext.ParseName(table); err == nil {
		j.wanted = o.Columns
		err = checkColumns(o.Columns)
	}
	if err == nil {
		w.s = &stream{q: q, operation: "COPY into " + j.table.String(), shown: j.shown()}
		w.rows, err = w.s.begin(ctx, j.prepare)
	}
	if err != nil {
		w.fail(err)
		return nil, w.err
	}
	return w, nil
}

// pushSource stands for rows that the caller pushes.
type pushSource struct {
	rowSource
	row []any
}

func (s *pushSource) use(columns []column) ([]column, []any, error) {
	samples := make([]any, len(columns))
	copy(samples, s.row)
	return columns, samples, nil
}

func (w *Writer) fail(err error) error {
	if w.s != nil {
		w.s.abort(w.ctx, err)
	}
	w.err = fmt.Errorf("copyin: table %q: %w", w.table, withRow(err, w.job.table.Name, names(w.job.filled), nil))
	return w.err
}

// WriteRow adds a row. It is sent with later ones, so an error may be that of an earlier row. A value that cannot be stored is
// a *[RowError]; any error ends the COPY, of which nothing is stored.
func (w *Writer) WriteRow(values ...any) error {
	switch {
	case w.err != nil:
		return w.err
	case w.raw:
		return errMixed
	case !w.s.real: // a mock
		return nil
	}
	j := w.job
	if !w.begun {
		if j.options.Format == CSVFormat {
			return fmt.Errorf("copyin: rows are copied in text or binary, not %s", j.options.Format)
		}
		j.source.(*pushSource).row = values
		if err := j.choose(); err != nil {
			return w.fail(err)
		}
		w.buf, w.begun = j.start(), true
	}
	j.row++
	if len(values) != len(j.filled) {
		return w.fail(&RowError{Row: j.row, Err: fmt.Errorf("%d values for %d columns", len(values), len(j.filled))})
	}
	values, err := j.convert(values)
	if err == nil {
		if j.format == Binary {
			w.buf, err = j.appendBinary(w.buf, values)
		} else {
			w.buf, err = j.appendText(w.buf, values)
		}
	}
	if err != nil {
		return w.fail(err)
	}
	return w.flush(false)
}

// Write implements io.Writer: it adds a piece of the raw stream, which may be cut anywhere.
func (w *Writer) Write(p []byte) (int, error) {
	switch {
	case w.err != nil:
		return 0, w.err
	case w.begun && !w.raw:
		return 0, errMixed
	case !w.s.real:
		return len(p), nil
	}
	if !w.begun {
		w.raw, w.begun = true, true
		if w.job.format = w.job.options.Format; w.job.format == Auto {
			w.job.format = Text
		}
	}
	w.buf = append(w.buf, p...)
	if err := w.flush(false); err != nil {
		return 0, err
	}
	return len(p), nil
}

// flush sends what was gathered, when it is enough or the last.
func (w *Writer) flush(last bool) error {
	if !last && len(w.buf) < bufferSize {
		return nil
	}
	j := w.job
	text := statement(j.table, names(j.filled), j.options.options(j.format)...)
	rows, err := w.s.write(w.ctx, text, w.buf, last)
	if err != nil {
		return w.fail(err)
	}
	j.bytes += int64(len(w.buf))
	w.buf, w.rows = w.buf[:0], rows
	return nil
}

// Close ends the COPY: its rows are stored when it returns nil. After a failure it returns that failure; a second Close
// does nothing.
func (w *Writer) Close() error {
	if w.err == errClosed {
		return nil
	}
	if w.err != nil {
		return w.err
	}
	if w.s.real {
		if !w.begun {
			w.job.format = Text
		}
		if w.job.format == Binary && !w.raw {
			w.buf = append(w.buf, copyformat.Trailer...)
		}
		if err := w.flush(true); err != nil {
			return err
		}
		if r := w.job.options.Report; r != nil {
			*r = Report{Format: w.job.format, Columns: names(w.job.filled), Bytes: w.job.bytes}
		}
	}
	w.s.abort(w.ctx, nil) // gives the connection back
	w.err = errClosed
	return nil
}

// Rows is the number of rows that the server has stored, known when Close has returned nil.
func (w *Writer) Rows() int64 { return w.rows }

// Abort ends the COPY without storing any of it. reason is told to the server, which writes it to its log. After Close it does
// nothing.
func (w *Writer) Abort(reason error) {
	if w.err != nil {
		return
	}
	if reason == nil {
		reason = errAborted
	}
	w.s.abort(w.ctx, reason)
	w.err = errAborted
}
