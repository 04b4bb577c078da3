//go:build go1.27

package driver

import (
	sqldriver "database/sql/driver"
	"errors"
)

// columnScanner is rows that scan columns straight into Go values: arrays, ranges, composites, json and more into slices,
// structs and maps. It is a type of its own because database/sql decides by the type: with column_scanner=off a Scanner
// may call (*sql.Rows).ColumnTypes, which would never return otherwise.
type columnScanner struct{ *rows }

var _ sqldriver.RowsColumnScanner = columnScanner{}

// NextRow implements [sqldriver.RowsColumnScanner].
func (r columnScanner) NextRow() error { return r.advance() }

// ScanColumn implements [sqldriver.RowsColumnScanner]. Destinations that database/sql knows get what Next and Scan give.
func (r columnScanner) ScanColumn(scanCtx sqldriver.ScanContext, index int, dest any) error {
	if !r.result.row.valid { // database/sql asks all the same behind the last row, when another result set follows
		return errors.New("driver: there is no row to scan: Next has returned false")
	}
	src, ok := r.result.row.value(index)
	if !ok {
		return r.malformed()
	}
	c := &r.result.columns[index]
	if src != nil && r.codecs.scanOwn(c.own, src, dest) {
		return nil
	}
	return r.codecs.scanColumn(scanCtx, c.oid, c.format, src, dest)
}

// asRows is r as database/sql gets it.
func asRows(r *rows) sqldriver.Rows {
	if r.conn.cfg.ColumnScanner {
		return columnScanner{r}
	}
	return r
}
