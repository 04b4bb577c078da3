package driver

import (
	sqldriver "database/sql/driver"
	"io"
)

// SQLRows returns the rows that the statement returned, as database/sql's drivers give them: a helper reads them as
// *sql.Rows after [Do]. They are read once.
func (o *Outcome) SQLRows() sqldriver.Rows {
	return &keptRows{columns: o.columns, values: o.values}
}

// keptRows are rows in memory.
type keptRows struct {
	columns []column
	values  [][]sqldriver.Value
}

var (
	_ sqldriver.Rows                           = (*keptRows)(nil)
	_ sqldriver.RowsColumnTypeDatabaseTypeName = (*keptRows)(nil)
)

// Columns implements [sqldriver.Rows].
func (r *keptRows) Columns() []string { return columnNames(r.columns) }

// Close implements [sqldriver.Rows].
func (r *keptRows) Close() error { return nil }

// Next implements [sqldriver.Rows].
func (r *keptRows) Next(dest []sqldriver.Value) error {
	if len(r.values) == 0 {
		return io.EOF
	}
	copy(dest, r.values[0])
	r.values = r.values[1:]
	return nil
}

// ColumnTypeDatabaseTypeName implements [sqldriver.RowsColumnTypeDatabaseTypeName].
func (r *keptRows) ColumnTypeDatabaseTypeName(index int) string {
	return typeName(r.columns[index].oid)
}
