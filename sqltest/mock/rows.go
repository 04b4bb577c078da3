package mock

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/DATA-DOG/go-sqlmock"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pycopg/pycopg/driver"
)

// Col is a column of a type, for [Mock.Columns]: Col("tags", "text[]"). The type is written as in SQL; of a type of the database's own
// (an enum, a domain) the values are written as text.
func Col(name, typ string) *sqlmock.Column { return sqlmock.NewColumn(name).OfType(typ, nil) }

// Columns makes rows with columns of types, to which AddRow adds any values that the driver takes as arguments. Rows without
// types, of sqlmock.NewRows, have the types that suit their values.
func (m *Mock) Columns(columns ...*sqlmock.Column) *sqlmock.Rows {
	m.t.Helper()
	for _, c := range columns {
		if c.DbType() == "" {
			m.t.Fatalf("mock: column %q has no type", c.Name())
		}
	}
	return m.NewRowsWithColumnDefinition(columns...)
}

// column is a column of a result.
type column struct {
	name string
	oid  uint32
}

// resultSet is a result as the server has it.
type resultSet struct {
	columns []column
	rows    [][]any
	failure error // behind the rows
}

// rowReader reads the rows of go-sqlmock, which only a go-sqlmock of its own gives away.
type rowReader struct {
	db   *sql.DB
	mock sqlmock.Sqlmock
	conn sqldriver.QueryerContext
}

func newRowReader() *rowReader {
	db, m, err := sqlmock.New()
	if err != nil {
		panic(err) // it fails for bad options only
	}
	return &rowReader{db: db, mock: m, conn: m.(sqldriver.QueryerContext)}
}

func (r *rowReader) close() { r.db.Close() }

func (r *rowReader) read(m *Mock, rows []*sqlmock.Rows) ([]resultSet, error) {
	r.mock.ExpectQuery("").WillReturnRows(rows...)
	opened, err := r.conn.QueryContext(context.Background(), "", nil)
	if err != nil {
		return nil, err
	}
	return m.readSets(opened)
}

// resultSets are what the expectation returns; m.mu is held. They can be read from go-sqlmock once.
func (e *expectation) resultSets() ([]resultSet, error) {
	if e.sets == nil && e.setsErr == nil {
		switch {
		case len(e.rows) > 0:
			e.sets, e.setsErr = e.mock.rows.read(e.mock, e.rows)
		case e.plainRows != nil:
			e.sets, e.setsErr = e.mock.readSets(e.plainRows)
		}
	}
	return e.sets, e.setsErr
}

// readSets reads result sets to their end.
func (m *Mock) readSets(rows sqldriver.Rows) ([]resultSet, error) {
	var sets []resultSet
	for {
		set, err := m.readSet(rows)
		if err != nil {
			return nil, err
		}
		sets = append(sets, set)
		next, ok := rows.(sqldriver.RowsNextResultSet)
		if !ok || next.NextResultSet() != nil {
			return sets, nil
		}
	}
}

func (m *Mock) readSet(rows sqldriver.Rows) (resultSet, error) {
	var set resultSet
	names := rows.Columns()
	typed, _ := rows.(sqldriver.RowsColumnTypeDatabaseTypeName)
	for {
		row := make([]sqldriver.Value, len(names))
		err := rows.Next(row)
		if err == io.EOF {
			break
		}
		if err != nil {
			set.failure = err
			break
		}
		values := make([]any, len(row))
		for i, v := range row {
			values[i] = v
			if b, ok := v.([]byte); ok { // go-sqlmock overwrites it
				values[i] = append([]byte{}, b...)
			}
		}
		set.rows = append(set.rows, values)
	}
	for i, name := range names {
		c := column{name: name, oid: suits(set.rows, i)}
		if typed != nil {
			c.oid = m.columnType(typed.ColumnTypeDatabaseTypeName(i))
		}
		set.columns = append(set.columns, c)
	}
	return set, set.check()
}

// suits is the type that suits the values of a column.
func suits(rows [][]any, i int) uint32 {
	var oid uint32
	for _, row := range rows {
		v := row[i]
		if v == nil {
			continue
		}
		t := typeOf(v)
		if b, ok := v.([]byte); ok && utf8.Valid(b) { // what lib/pq and CSV have for any type
			t = pgtype.TextOID
		}
		if oid != 0 && t != oid {
			return pgtype.TextOID
		}
		oid = t
	}
	if oid == 0 {
		return pgtype.TextOID
	}
	return oid
}

// check refuses values that are none of their column's type.
func (set resultSet) check() error {
	codec := driver.NewCopyCodec()
	for n, row := range set.rows {
		for i, v := range row {
			if _, _, err := appendValue(codec, nil, set.columns[i].oid, 0, v); err != nil {
				return fmt.Errorf("row %d, column %q: %w", n+1, set.columns[i].name, err)
			}
		}
	}
	return nil
}

// appendValue appends a value in a format of the wire.
func appendValue(codec *driver.CopyCodec, dst []byte, oid uint32, format int16, v any) (_ []byte, null bool, err error) {
	if b, ok := v.([]byte); ok && oid != pgtype.ByteaOID {
		v = string(b)
	}
	if format == 0 || v == nil {
		text, null, err := codec.AppendText(nil, oid, v)
		return append(dst, asServer(oid, text)...), null, err
	}
	const length = 4
	b, err := codec.AppendBinary(nil, oid, v)
	if err != nil {
		return dst, false, err
	}
	return append(dst, b[length:]...), false, nil
}

// firstUserOID is where the OIDs of a database's own types begin.
const firstUserOID = 16384

// columnType is the OID of a type by its name; one of the database's own gets a number; m.mu is held.
func (m *Mock) columnType(name string) uint32 {
	if oid, ok := builtinType(name); ok {
		return oid
	}
	name = strings.ToUpper(name)
	for i, known := range m.userTypes {
		if known == name {
			return firstUserOID + uint32(i)
		}
	}
	m.userTypes = append(m.userTypes, name)
	return firstUserOID + uint32(len(m.userTypes)-1)
}
