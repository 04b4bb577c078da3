package copyout

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/internal/copyformat"
)

// Rows reads a table or a query by a binary COPY, the fastest way to read many rows, and yields each as a T, which is what
// [ext.Query] takes: a struct, a map, a slice or a value. The first error ends the rows. A part of them is in memory at a
// time.
//
// While the loop runs, one connection is busy: any other statement on it gets driver.ErrBusy. On a *sql.DB that is a connection
// of its own. Leaving the loop early cancels the COPY; the connection can be used afterwards, a transaction goes on.
//
// The COPY runs anew each time that the rows are ranged over.
func Rows[T any](ctx context.Context, q ext.Querier, src Source) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		r := &rows{ctx: ctx, s: &stream{q: q, operation: "COPY of rows", keep: true}}
		defer r.s.end(ctx)
		left := false
		err := r.begin(src)
		if err == nil && r.s.real { // a mock has no rows
			if d := newDecoder[T](r); d != nil {
				left, err = d.each(yield)
			} else {
				left, err = readGeneric(r, yield)
			}
		}
		if err != nil && !left {
			var zero T
			yield(zero, fmt.Errorf("copyout: %w", err))
		}
	}
}

// readGeneric reads rows in the way of package ext.
func readGeneric[T any](r *rows, yield func(T, error) bool) (left bool, err error) {
	for v, err := range ext.DriverRows[T](&driverRows{r}) {
		if err != nil {
			return false, err
		}
		if !yield(v, nil) {
			return true, nil
		}
	}
	return false, nil
}

// outColumn is a column of a binary COPY.
type outColumn struct {
	name string
	oid  uint32 // of its type
	typ  string // the type's name in upper case, as a query's ColumnTypes have it
	text bool   // it comes as text: its type has no binary decoder
}

// rows is a binary COPY TO STDOUT under way, row by row.
type rows struct {
	ctx     context.Context
	s       *stream
	codec   *driver.CopyCodec
	columns []outColumn
	buf     []byte // what has come
	data    []byte // of buf, behind the current row
	fields  [][]byte
	more    bool // further data will come
	begun   bool // the header was read
	ended   bool
	count   int64
}

func (r *rows) begin(src Source) error {
	src, err := src.checked()
	if err != nil {
		return err
	}
	r.s.shown = copyStatement(src.query, "format binary")
	r.more = true
	_, err = r.s.begin(r.ctx, func(ctx context.Context, c *driver.Conn) (string, error) { return r.prepare(ctx, c, src) })
	if !r.s.real { // a mock: it has no rows
		r.ended = true
	}
	return err
}

// prepare asks for the columns, and casts those to text that have no binary decoder here.
func (r *rows) prepare(ctx context.Context, c *driver.Conn, src Source) (string, error) {
	query, err := src.text(ctx, c)
	if err != nil {
		return "", src.explain(ctx, c, err)
	}
	d, err := c.Describe(ctx, query)
	if err != nil {
		return "", src.explain(ctx, c, err)
	}
	if d.Columns == nil {
		return "", fmt.Errorf("the statement returns no rows")
	}
	if r.codec, err = c.CopyCodec(ctx, nil); err != nil {
		return "", err
	}
	var names, values []string
	casts := false
	for i, col := range d.Columns {
		out := outColumn{name: col.Name, oid: col.OID, typ: r.codec.TypeName(col.OID), text: !r.codec.ReadsBinary(col.OID)}
		r.columns = append(r.columns, out)
		names = append(names, fmt.Sprintf("c%d", i+1))
		values = append(values, asText(names[i], out))
		casts = casts || out.text
	}
	if err := r.nameTypes(ctx, c); err != nil {
		return "", err
	}
	if casts {
		query = "select " + strings.Join(values, ", ") + " from (" + query + "\n) as q(" + strings.Join(names, ", ") + ")"
	}
	return copyStatement(query, "format binary"), nil
}

// nameTypes asks for the names of the types of the database's own.
func (r *rows) nameTypes(ctx context.Context, c *driver.Conn) error {
	for i := range r.columns {
		col := &r.columns[i]
		if _, err := strconv.ParseUint(col.typ, 10, 32); err != nil {
			continue
		}
		found, err := ext.Catalog(ctx, c, "select pg_catalog.upper(typname)::text from pg_catalog.pg_type where oid = $1::int8::oid", int64(col.oid))
		if err != nil {
			return err
		}
		if len(found) == 1 {
			col.typ = fmt.Sprintf("%s", found[0][0])
		}
	}
	return nil
}

// asText is a column, as the text that a query would give where it is to be text.
func asText(name string, c outColumn) string {
	switch {
	case !c.text:
		return name
	case c.oid == pgtype.InetOID: // the cast adds the mask
		return "case when " + name + " is not null then pg_catalog.format('%s', " + name + ") end"
	}
	return name + "::pg_catalog.text"
}

// next moves to the next row, whose fields are valid until the next call. It returns io.EOF behind the last.
func (r *rows) next() error {
	for !r.ended {
		if r.begun || len(r.data) >= len(copyformat.Header) {
			if !r.begun {
				rest, err := copyformat.SkipHeader(r.data)
				if err != nil {
					return err
				}
				r.data, r.begun = rest, true
			}
			if len(r.data) > 0 {
				fields, rest, more, err := copyformat.SplitRow(r.data, r.fields[:0])
				switch {
				case err == nil && !more:
					return r.finish()
				case err == nil && len(fields) != len(r.columns):
					return fmt.Errorf("the server sent a row of %d values for %d columns", len(fields), len(r.columns))
				case err == nil:
					r.fields, r.data = fields, rest
					r.count++
					return nil
				case !r.more:
					return err
				}
			}
		}
		if !r.more {
			return io.ErrUnexpectedEOF
		}
		if err := r.fill(); err != nil {
			return err
		}
	}
	return io.EOF
}

// fill gets more data, behind the rest of a row that has begun.
func (r *rows) fill() (err error) {
	rest := copy(r.buf[:cap(r.buf)], r.data)
	if cap(r.buf)-rest < bufferSize {
		r.buf = append(make([]byte, 0, rest+bufferSize+bufferSize/4), r.buf[:rest]...)
	}
	r.buf, r.more, err = r.s.fill(r.ctx, r.buf[:rest])
	r.data = r.buf
	return err
}

// finish reads what the server says at the end.
func (r *rows) finish() error {
	for r.more {
		r.data = nil
		if err := r.fill(); err != nil {
			return err
		}
	}
	r.data, r.ended = nil, true
	return io.EOF
}
