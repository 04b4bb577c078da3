package mock

import (
	"github.com/DATA-DOG/go-sqlmock"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/internal/copyformat"
)

// ExpectedCopyOut is a COPY … TO STDOUT.
type ExpectedCopyOut struct{ Reply[*ExpectedCopyOut] }

// ExpectCopyOut expects a COPY to the client; statement is compared by Options.QueryMatcher.
func (m *Mock) ExpectCopyOut(statement string) *ExpectedCopyOut {
	e := &ExpectedCopyOut{}
	e.Reply = Reply[*ExpectedCopyOut]{e, m.expect(&expectation{kind: kindCopyOut, sql: statement})}
	return e
}

// WillReturnRows sends rows, in the format that the COPY asks for.
func (e *ExpectedCopyOut) WillReturnRows(rows *sqlmock.Rows) *ExpectedCopyOut {
	return e.change(func(e *expectation) { e.rows = []*sqlmock.Rows{rows} })
}

// WillLoseAfterRows loses the connection behind a number of rows.
func (e *ExpectedCopyOut) WillLoseAfterRows(rows int) *ExpectedCopyOut {
	e.exp.mock.t.Helper()
	e.exp.mock.refuse(rows >= 0, "WillLoseAfterRows(%d)", rows)
	return e.change(func(e *expectation) { e.fault, e.faultRows = MidResult, rows })
}

func (s *session) copyOut(e *expectation, sql string, ct driver.CopyText) (*answer, error) {
	a, err := s.answerOf(e, sql)
	if err != nil {
		return nil, err
	}
	var set resultSet
	if len(a.sets) > 0 {
		set = a.sets[0]
	}
	a.copying = func() error { return s.transmit(set, formatOfCopy(ct), a) }
	return a, nil
}

// transmit sends the data of a COPY.
func (s *session) transmit(set resultSet, format copyFormat, a *answer) error {
	codes := make([]uint16, len(set.columns))
	for i := range codes {
		codes[i] = uint16(format.code())
	}
	s.out.send(&pgproto3.CopyOutResponse{OverallFormat: format.code(), ColumnFormatCodes: codes})
	w := &copyWriter{codec: driver.NewCopyCodec(), format: format, columns: set.columns}
	csv, err := format.csv.Normal()
	if err != nil {
		return PgError("22023", Fields{Message: err.Error()})
	}
	w.csv = csv
	if b := w.head(); b != nil {
		s.out.send(&pgproto3.CopyData{Data: b})
	}
	for n, row := range set.rows {
		if n == a.cut {
			break
		}
		b, err := w.row(row)
		if err != nil {
			return PgError("XX000", Fields{Message: err.Error()})
		}
		s.out.send(&pgproto3.CopyData{Data: b})
	}
	if a.cut >= 0 {
		s.out.flush()
		return errGone
	}
	if set.failure != nil {
		return rowError(set.failure)
	}
	if format.name == "binary" {
		s.out.send(&pgproto3.CopyData{Data: []byte(copyformat.Trailer)})
	}
	s.out.send(&pgproto3.CopyDone{})
	s.out.send(&pgproto3.CommandComplete{CommandTag: []byte(a.tag)})
	return nil
}

// copyWriter writes rows in a format of COPY.
type copyWriter struct {
	codec   *driver.CopyCodec
	format  copyFormat
	csv     copyformat.CSV
	columns []column
}

func (w *copyWriter) head() []byte {
	switch {
	case w.format.name == "binary":
		return []byte(copyformat.Header)
	case !w.format.header:
		return nil
	}
	names := make([][]byte, len(w.columns))
	for i, c := range w.columns {
		names[i] = []byte(c.name)
	}
	return w.csv.AppendRow(nil, names)
}

func (w *copyWriter) row(row []any) (b []byte, err error) {
	switch w.format.name {
	case "binary":
		b = append(b, byte(len(row)>>8), byte(len(row)))
		for i, v := range row {
			if b, err = w.codec.AppendBinary(b, w.columns[i].oid, v); err != nil {
				return nil, err
			}
		}
		return b, nil
	case "csv":
		fields := make([][]byte, len(row))
		for i, v := range row {
			text, null, err := appendValue(w.codec, []byte{}, w.columns[i].oid, 0, v)
			if err != nil {
				return nil, err
			}
			if v != nil && !null {
				fields[i] = text
			}
		}
		return w.csv.AppendRow(nil, fields), nil
	}
	for i, v := range row {
		if i > 0 {
			b = append(b, '\t')
		}
		if b, err = w.codec.AppendField(b, w.columns[i].oid, v); err != nil {
			return nil, err
		}
	}
	return append(b, '\n'), nil
}
