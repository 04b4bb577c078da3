package mock

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pycopg/pycopg/driver"
)

// ExpectedCopyIn is a COPY … FROM STDIN, however it is said: by package copyin, by lib/pq's Prepare and Exec, or by hand.
type ExpectedCopyIn struct{ Reply[*ExpectedCopyIn] }

// copied is what an expectation of a COPY has beyond others.
type copied struct {
	types   []uint32
	capture *[][]any
	rows    [][]any // that are expected, nil: any
	failRow int     // from 1, 0: none
	failure error
	affects int64 // -1: the rows that came
	any     bool  // no columns were named: those of the COPY will do
}

// ExpectCopyIn expects rows to be copied into a table, which has these columns. The COPY may list them, or have no list. Each column is a
// text, unless WithTypes says otherwise. Without columns those that the COPY lists will do, whatever they are; package copyin, which asks
// for them before it writes, needs them here or from [Mock.Table].
func (m *Mock) ExpectCopyIn(table string, columns ...string) *ExpectedCopyIn {
	c := &copied{affects: -1, any: len(columns) == 0, types: texts(len(columns))}
	e := &ExpectedCopyIn{}
	e.Reply = Reply[*ExpectedCopyIn]{e, m.expect(&expectation{kind: kindCopyIn, table: table, names: columns, copied: c})}
	return e
}

func texts(n int) []uint32 {
	if n == 0 {
		return nil
	}
	return slices.Repeat([]uint32{pgtype.TextOID}, n)
}

// WithTypes says the types of the columns, in their order. The driver writes the values for them, and refuses what does not fit.
func (e *ExpectedCopyIn) WithTypes(types ...string) *ExpectedCopyIn {
	e.exp.mock.t.Helper()
	if len(types) != len(e.exp.names) && !e.exp.copied.any {
		e.exp.mock.t.Fatalf("mock: %d types for the %d columns of %s", len(types), len(e.exp.names), e.exp.table)
	}
	oids := e.exp.mock.typesOf(types)
	return e.change(func(e *expectation) { e.copied.types = oids })
}

// Capture keeps the rows that were copied in *rows, whatever format they came in: values as Scan into an any has them, so texts where
// nothing was said of types, NULL is nil. *rows is filled when the COPY has come to its end (see Met).
func (e *ExpectedCopyIn) Capture(rows *[][]any) *ExpectedCopyIn {
	return e.change(func(e *expectation) { e.copied.capture = rows })
}

// WithRows expects these rows, in their order. Values are compared as the server sees them.
func (e *ExpectedCopyIn) WithRows(rows ...[]any) *ExpectedCopyIn {
	return e.change(func(e *expectation) { e.copied.rows = slices.Clip(append([][]any{}, rows...)) })
}

// FailAtRow has the server refuse a row, counted from 1, as soon as it has come.
func (e *ExpectedCopyIn) FailAtRow(n int, err error) *ExpectedCopyIn {
	e.exp.mock.t.Helper()
	e.exp.mock.refuse(n > 0, "FailAtRow(%d, …): rows are counted from 1", n)
	e.exp.mock.refuse(err != nil, "FailAtRow(%d, nil) needs an error", n)
	return e.change(func(e *expectation) { e.copied.failRow, e.copied.failure = n, err })
}

// Affects has the server report another number of rows than came.
func (e *ExpectedCopyIn) Affects(rows int64) *ExpectedCopyIn {
	return e.change(func(e *expectation) { e.copied.affects = rows })
}

// copy answers a COPY.
func (s *session) copy(sql string, ct driver.CopyText) (*answer, error) {
	k := call{kind: kindCopyOut, sql: sql, table: ct.Table}
	if ct.In {
		k = call{kind: kindCopyIn, sql: sql, table: ct.Table, names: ct.Columns}
	}
	e, err := s.mock.take(k)
	if err != nil {
		return nil, PgError("XX000", Fields{Message: err.Error()})
	}
	if !ct.In {
		return s.copyOut(e, sql, ct)
	}
	if err := s.mock.settleColumns(e, ct); err != nil {
		return nil, PgError("XX000", Fields{Message: s.mock.fail("%w", err).Error()})
	}
	fault := e.fault
	if fault == AfterWrite {
		e.fault = noFault // it means the data
	}
	a, err := s.answerOf(e, sql)
	if err != nil {
		return nil, err
	}
	a.cut = -1
	a.copying = func() error { return s.receive(e, ct, fault) }
	return a, nil
}

// settleColumns gives an expectation without columns those of the COPY, or of the table. Where both are silent, the data tells how many
// there are.
func (m *Mock) settleColumns(e *expectation, ct driver.CopyText) error {
	if !e.copied.any {
		return nil
	}
	known := m.tableColumns(ct.Table)
	m.mu.Lock()
	defer m.mu.Unlock()
	e.names = ct.Columns
	if e.names == nil {
		for _, c := range known {
			e.names = append(e.names, c.name)
		}
	}
	if e.copied.types == nil {
		for _, name := range e.names {
			e.copied.types = append(e.copied.types, typeIn(known, name))
		}
	}
	if e.names != nil && len(e.copied.types) != len(e.names) {
		return fmt.Errorf("%s: %d types for %d columns", e, len(e.copied.types), len(e.names))
	}
	return nil
}

// typeIn is the type of a column, a text where it is not known.
func typeIn(columns []column, name string) uint32 {
	for _, c := range columns {
		if c.name == name {
			return c.oid
		}
	}
	return pgtype.TextOID
}

// typeAt is the type of a column: a text where nobody told the columns.
func (c *copied) typeAt(i int) uint32 {
	if i < len(c.types) {
		return c.types[i]
	}
	return pgtype.TextOID
}

// nameAt is the name of a column of a COPY, or its number.
func (e *expectation) nameAt(i int) string {
	if i < len(e.names) {
		return e.names[i]
	}
	return strconv.Itoa(i + 1)
}

// receive takes the data of a COPY.
func (s *session) receive(e *expectation, ct driver.CopyText, fault Fault) error {
	format := formatOfCopy(ct)
	s.out.send(&pgproto3.CopyInResponse{OverallFormat: format.code(), ColumnFormatCodes: slices.Repeat([]uint16{uint16(format.code())}, len(e.names))})
	s.out.flush()
	var data []byte
	for {
		msg, err := s.conn.Receive()
		if err != nil {
			return errGone
		}
		switch msg := msg.(type) {
		case *pgproto3.CopyData:
			data = append(data, msg.Data...)
			if e.copied.failRow == 0 && fault != MidResult {
				continue
			}
			rows, _ := e.decode(format, data) // what is not complete is an error that does not count here
			if fault == MidResult && len(rows) >= e.faultRows {
				return errGone
			}
			if e.copied.failRow > 0 && len(rows) >= e.copied.failRow {
				return s.refuseRow(e)
			}
		case *pgproto3.CopyDone:
			if fault == AfterWrite {
				return errGone
			}
			return s.stored(e, format, data)
		case *pgproto3.CopyFail:
			return PgError("57014", Fields{Message: "COPY from stdin failed: " + msg.Message})
		case *pgproto3.Flush, *pgproto3.Sync:
		case *pgproto3.Terminate:
			return errGone
		}
	}
}

func (s *session) refuseRow(e *expectation) error {
	err := e.copied.failure
	pg := serverError(err)
	if pg == nil {
		pg = serverError(PgError("XX000", Fields{Message: err.Error()}))
	}
	refused := *pg
	if refused.Where == "" {
		refused.Where = fmt.Sprintf("COPY %s, line %d", foldTable(e.table), e.copied.failRow)
	}
	return &refused
}

// stored ends a COPY whose data is complete.
func (s *session) stored(e *expectation, format copyFormat, data []byte) error {
	rows, err := e.decode(format, data)
	if err != nil {
		return PgError("22P04", Fields{Message: err.Error(), Where: fmt.Sprintf("COPY %s, line %d", foldTable(e.table), len(rows)+1)})
	}
	if e.copied.failRow > 0 && len(rows) >= e.copied.failRow {
		return s.refuseRow(e)
	}
	if e.copied.rows != nil {
		if d := differRows(e, rows); d != "" {
			s.mock.fail("%s: %s", e, d)
		}
	}
	if e.copied.capture != nil {
		*e.copied.capture = rows
	}
	affects := e.copied.affects
	if affects < 0 {
		affects = int64(len(rows))
	}
	s.out.send(&pgproto3.CommandComplete{CommandTag: fmt.Appendf(nil, "COPY %d", affects)})
	return nil
}

// differRows says how rows are not those expected, "" when they are.
func differRows(e *expectation, rows [][]any) string {
	for n, row := range rows {
		if n >= len(e.copied.rows) {
			return fmt.Sprintf("row %d is %s, want no more than %d rows", n+1, showArgs(row), n)
		}
		want := e.copied.rows[n]
		if len(want) != len(row) {
			return fmt.Sprintf("row %d has %d columns, want %d", n+1, len(row), len(want))
		}
		for i := range row {
			if !same(want[i], row[i], e.copied.typeAt(i)) {
				return fmt.Sprintf("row %d, column %s is %s, want %s", n+1, e.nameAt(i), show(row[i]), show(want[i]))
			}
		}
	}
	if len(rows) < len(e.copied.rows) {
		return fmt.Sprintf("there are %d rows, want %d", len(rows), len(e.copied.rows))
	}
	return ""
}
