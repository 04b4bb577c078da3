package driver

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
)

// rows are the rows of one statement, or of several. They own the connection until they are closed.
type rows struct {
	conn   *Conn
	result *result
	codecs *codecs
	ctx    context.Context // of the query: it bounds the reading of its rows
	trace  *queryTrace
	sql    string
	tag    *string // QueryOptions.Tag
	count  int64
	ended  bool // the result was read to its end and the connection is free again
}

var (
	_ sqldriver.Rows                           = (*rows)(nil)
	_ sqldriver.RowsNextResultSet              = (*rows)(nil)
	_ sqldriver.RowsColumnTypeDatabaseTypeName = (*rows)(nil)
	_ sqldriver.RowsColumnTypeLength           = (*rows)(nil)
	_ sqldriver.RowsColumnTypeNullable         = (*rows)(nil)
	_ sqldriver.RowsColumnTypePrecisionScale   = (*rows)(nil)
	_ sqldriver.RowsColumnTypeScanType         = (*rows)(nil)
)

// Columns implements [sqldriver.Rows].
func (r *rows) Columns() []string { return r.result.names }

// Next implements [sqldriver.Rows]. Behind the last row it has read what the server said at the end, so that io.EOF
// means that all went well.
func (r *rows) Next(dest []sqldriver.Value) error {
	if err := r.advance(); err != nil {
		return err
	}
	for i := range dest {
		src, ok := r.result.row.value(i)
		if !ok {
			return r.malformed()
		}
		if src == nil {
			dest[i] = nil
			continue
		}
		v, err := r.result.columns[i].decode(r.codecs, src)
		if err != nil {
			return fmt.Errorf("driver: column %d (%q): %w", i, r.result.columns[i].name, err)
		}
		dest[i] = v
	}
	return nil
}

// advance moves to the next row.
func (r *rows) advance() error {
	if r.ended {
		return io.EOF
	}
	err := r.result.advance()
	if err == nil {
		if got, want := r.result.row.count(), len(r.result.columns); got != want {
			r.conn.wire.kill()
			return fmt.Errorf("driver: the server sent a row of %d values for %d columns", got, want)
		}
		r.count++
		return nil
	}
	if r.result.done {
		if err == io.EOF {
			err = nil
		}
		if err = r.end(err); err == nil {
			err = io.EOF
		}
	}
	return err
}

// malformed closes the connection for a row that ends before its values do.
func (r *rows) malformed() error {
	r.conn.wire.kill()
	return errors.New("driver: the server sent a row that ends too early")
}

// end gives the connection free.
func (r *rows) end(err error) error {
	r.ended = true
	err = r.conn.finish(r.ctx, err)
	r.conn.open = nil
	tag := r.result.tag
	if err != nil {
		tag = ""
	}
	setTag(r.tag, tag)
	r.trace.end(tag, r.count, err)
	return err
}

// Close implements [sqldriver.Rows]. It reads what is left, up to the end of the query's context, and returns the error
// that it finds there: a failed commit is not lost. With rows_close=cancel it asks the server to stop instead, outside
// of transactions.
func (r *rows) Close() error {
	if r.ended {
		return nil
	}
	stopped := false
	if r.conn.cfg.RowsClose == RowsCloseCancel && r.conn.TxStatus() == 'I' && !r.result.done {
		r.conn.wire.interrupt()
		stopped = true
	}
	err := r.result.drain()
	if stopped && serverCode(err) == codeQueryCanceled && r.ctx.Err() == nil {
		err = nil
	}
	return r.end(err)
}

// HasNextResultSet implements [sqldriver.RowsNextResultSet].
func (r *rows) HasNextResultSet() bool { return r.result.hasNext }

// NextResultSet implements [sqldriver.RowsNextResultSet].
func (r *rows) NextResultSet() error {
	if r.ended {
		return io.EOF
	}
	err := r.result.nextSet()
	if err == nil || !r.result.done {
		return err
	}
	if err == io.EOF {
		err = nil
	}
	if err = r.end(err); err == nil {
		err = io.EOF
	}
	return err
}

// ColumnTypeDatabaseTypeName implements [sqldriver.RowsColumnTypeDatabaseTypeName]: the type's name in upper case, or
// its OID in digits while the pool does not know it (made in a transaction that has not been committed, say). The first
// look at a type or table of the database's own takes a connection for a moment, beside the pool's.
func (r *rows) ColumnTypeDatabaseTypeName(index int) string {
	return r.conn.connector.typeName(r.result.columns, r.result.columns[index].oid)
}

func typeName(oid uint32) string {
	if name, ok := builtinTypeName(oid); ok {
		return name
	}
	return strconv.FormatUint(uint64(oid), 10)
}

// ColumnTypeLength implements [sqldriver.RowsColumnTypeLength].
func (r *rows) ColumnTypeLength(index int) (int64, bool) {
	return typeLength(r.result.columns[index].oid, r.result.columns[index].typmod)
}

// ColumnTypeNullable implements [sqldriver.RowsColumnTypeNullable]: true when the column is one of a table that declares
// it without NOT NULL. Any other may be NULL in a result all the same (an outer join), so ok is false for it.
func (r *rows) ColumnTypeNullable(index int) (nullable, ok bool) {
	yes := r.conn.connector.nullable(r.result.columns, &r.result.columns[index])
	return yes, yes
}

// ColumnTypePrecisionScale implements [sqldriver.RowsColumnTypePrecisionScale].
func (r *rows) ColumnTypePrecisionScale(index int) (precision, scale int64, ok bool) {
	return typePrecisionScale(r.result.columns[index].oid, r.result.columns[index].typmod)
}

// ColumnTypeScanType implements [sqldriver.RowsColumnTypeScanType].
func (r *rows) ColumnTypeScanType(index int) reflect.Type {
	return scanType(r.result.columns[index].oid, r.conn.cfg.Compat)
}
