package copyin

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pycopg/pycopg/internal/copyformat"
)

// rowsSource is rows of a sequence.
type rowsSource struct {
	open   func() (rowSource, error)
	wanted []string
}

func (s *rowsSource) size() (int64, error) { return 0, nil }

// feed encodes the rows, and hands them on in batches.
func (s *rowsSource) feed(ctx context.Context, l *loader) error {
	rows, err := s.open()
	if err != nil {
		return err
	}
	f := &rowsFeed{l: l, ctx: ctx}
	j := &job{q: l.db, source: rows, table: l.table, options: Options{Columns: s.wanted}}
	if l.options.OnBad != BadStop {
		j.options.Format = Text // in which a row can be left out, and kept in the reject file
	}
	f.job = j
	if j.wanted = s.wanted; j.wanted == nil {
		if j.wanted, err = rows.columns(); err != nil {
			return err
		}
	}
	if err := checkColumns(j.wanted); err != nil {
		return err
	}
	if _, err := l.look(ctx, j.shown(), j.prepare); err != nil {
		return err
	}
	if l.ledger != nil {
		f.done = l.ledger.done[1]
	}
	rows.each(func(e error) bool {
		if err = e; err == nil {
			err = f.take()
		}
		return err == nil && !f.enough
	})
	if failed := f.finish(err != nil); failed != nil {
		return failed
	}
	return err
}

// rowsFeed cuts the rows of a sequence into batches.
type rowsFeed struct {
	l    *loader
	ctx  context.Context
	job  *job
	in   *input
	done []span // what earlier runs have stored and was not passed over yet

	row      int64 // rows that were seen
	rows     int64 // in the job's buffer
	rejected []Rejected
	enough   bool
}

// take sees to the current row.
func (f *rowsFeed) take() error {
	if !f.job.begun {
		if err := f.begin(); err != nil {
			return err
		}
	}
	f.row++
	if len(f.done) > 0 && f.row > f.done[0].start {
		f.job.row++
		if f.row < f.done[0].end {
			return nil
		}
		f.l.resumed(&batch{in: f.in, span: f.done[0]})
		f.done = f.done[1:]
		f.enough = f.l.rowsLeft() == 0
		return nil
	}
	if err := f.encode(); err != nil {
		return err
	}
	f.rows++
	o := &f.l.options
	left := f.l.rowsLeft()
	switch {
	case f.rows >= int64(o.BatchRows), len(f.job.buf) >= o.BatchBytes, left >= 0 && f.rows >= left, len(f.done) > 0 && f.row == f.done[0].start:
		return f.emit()
	}
	return nil
}

// encode appends the row, or leaves it out where it cannot be encoded and bad rows are left out.
func (f *rowsFeed) encode() error {
	j := f.job
	before := len(j.buf)
	err := j.encode()
	if err == nil {
		return nil
	}
	j.buf = j.buf[:before]
	var row *RowError
	if f.l.options.OnBad == BadStop || !errors.As(err, &row) {
		return err
	}
	record := ""
	if values, _ := j.source.values(); values != nil {
		record = f.shown(values)
	}
	f.rejected = append(f.rejected, Rejected{Record: record, Err: row})
	return f.l.tooMany(int64(len(f.rejected)))
}

// shown is a row that cannot be encoded as near to COPY's text format as can be.
func (f *rowsFeed) shown(values []any) string {
	var text []byte
	for i, v := range values {
		if i > 0 {
			text = append(text, '\t')
		}
		if i < len(f.job.filled) {
			field, err := f.job.codec.AppendField(nil, f.job.filled[i].oid, v)
			if err == nil {
				text = append(text, field...)
				continue
			}
		}
		text, _ = f.job.codec.AppendField(text, pgtype.TextOID, strings.ToValidUTF8(fmt.Sprint(v), "?"))
	}
	return string(text)
}

// begin chooses the format and the columns, from the first row.
func (f *rowsFeed) begin() error {
	j := f.job
	if err := j.choose(); err != nil {
		return err
	}
	f.in = &input{ordinal: 1, columns: names(j.filled), format: j.format}
	return f.l.adopt(f.in, j.options.options(j.format))
}

// emit hands the rows in the buffer on.
func (f *rowsFeed) emit() error {
	j := f.job
	if j.format == Binary {
		j.buf = append(j.buf, copyformat.Trailer...)
	}
	b := &batch{in: f.in, first: f.row - f.rows + 1, span: span{start: f.row - f.rows, end: f.row, rows: f.rows}, bytes: len(j.buf), raw: int64(len(j.buf)), buffer: j.buf, unsent: f.rejected}
	if len(j.buf) > 0 {
		b.data = [][]byte{j.buf}
	}
	if err := f.l.give(f.ctx, b); err != nil {
		return err
	}
	f.rows, f.rejected = 0, nil
	j.buf = f.l.buffer(cap(j.buf))
	if j.format == Binary {
		j.buf = append(j.buf, copyformat.Header...)
	}
	f.enough = f.l.rowsLeft() == 0
	return nil
}

// finish hands on what is left. cut says that the sequence did not come to its end.
func (f *rowsFeed) finish(cut bool) error {
	if f.rows > 0 {
		if err := f.emit(); err != nil {
			return err
		}
	}
	if len(f.done) > 0 && !f.enough && !cut {
		return errOtherInput
	}
	return nil
}
