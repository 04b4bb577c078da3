package copyin

import (
	"context"
	"errors"
	"fmt"

	"github.com/pycopg/pycopg/driver"
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
	raw   bool
	ends  *copyformat.MarkerFinder // of raw CSV, where the server ends it at a line \.
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
	if err == nil && (o.Format < Auto || o.Format > CSVFormat) {
		err = fmt.Errorf("Format is %d", o.Format)
	}
	if err == nil {
		w.s = &stream{q: q, operation: "COPY into " + j.table.String(), shown: j.shown()}
		w.rows, err = w.s.begin(ctx, w.prepare)
	}
	if err != nil {
		w.fail(err)
		return nil, w.err
	}
	return w, nil
}

func (w *Writer) prepare(ctx context.Context, c *driver.Conn) error {
	if w.job.options.Format == CSVFormat && endsAtMarker(c) {
		csv, err := copyformat.CSV{}.Normal()
		if err != nil {
			return err
		}
		w.ends = copyformat.NewMarkerFinder(csv, false)
	}
	return w.job.prepare(ctx, c)
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
	if !w.begun && w.job.options.Format == CSVFormat {
		return fmt.Errorf("copyin: rows are copied in text or binary, not %s", w.job.options.Format)
	}
	w.begun = true
	w.job.source.(*pushSource).row = values
	if err := w.job.add(w.send); err != nil {
		return w.fail(err)
	}
	return nil
}

func (w *Writer) send(statement string, data []byte, last bool) (int64, error) {
	return w.s.write(w.ctx, statement, data, last)
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
	j := w.job
	if !w.begun {
		w.raw, w.begun, j.begun = true, true, true
		if j.format = j.options.Format; j.format == Auto {
			j.format = Text
		}
	}
	if w.ends != nil && w.ends.Look(p) {
		return 0, w.fail(&RowError{Row: w.ends.Line(), Err: errBehindMarker})
	}
	if j.buf = append(j.buf, p...); len(j.buf) < bufferSize {
		return len(p), nil
	}
	if _, err := j.flush(w.send, false); err != nil {
		return 0, w.fail(err)
	}
	return len(p), nil
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
		end := w.job.finish
		if w.raw {
			end = func(send send) (int64, error) { return w.job.flush(send, true) }
		}
		rows, err := end(w.send)
		if err != nil {
			return w.fail(err)
		}
		w.rows = rows
		w.job.report()
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
