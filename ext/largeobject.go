package ext

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/internal/nilhandle"
)

// LargeObjectMode says what a large object is opened for.
type LargeObjectMode int32

// The modes, PostgreSQL's INV_READ and INV_WRITE. For reading alone the object is as it was when it was opened, whatever
// other transactions do to it meanwhile.
const (
	LargeObjectRead      LargeObjectMode = 0x40000
	LargeObjectReadWrite LargeObjectMode = 0x60000
)

// LargeObject is an open large object: up to 4 TiB outside of the tables, with a position. It lives under the context that it
// was opened with, in the transaction it was opened in: after its end it cannot be used. Each call is a statement on the
// transaction, which is free for others in between. It serves one goroutine at a time.
type LargeObject struct {
	ctx    context.Context
	q      Querier
	oid    uint32
	fd     int32
	closed bool

	readOnly bool // the server would fail the transaction for a write
}

var (
	_ io.ReadWriteSeeker = (*LargeObject)(nil)
	_ io.Closer          = (*LargeObject)(nil)
	_ io.ReaderFrom      = (*LargeObject)(nil)
	_ io.WriterTo        = (*LargeObject)(nil)
)

// CreateLargeObject creates an empty large object and returns its OID: oid, or one that the server chooses where oid is 0. An
// OID that is taken is SQLSTATE 23505.
func CreateLargeObject(ctx context.Context, q Querier, oid uint32) (uint32, error) {
	if err := nilhandle.Check(q); err != nil {
		return 0, fmt.Errorf("ext: create large object: %w", err)
	}
	if err := q.QueryRowContext(native(ctx), "select pg_catalog.lo_create($1)", oid).Scan(&oid); err != nil {
		return 0, fmt.Errorf("ext: create large object: %w", err)
	}
	return oid, nil
}

// OpenLargeObject opens a large object, at its beginning. q must be inside a transaction ([ErrNoTransaction]). An object that
// does not exist is SQLSTATE 42704.
func OpenLargeObject(ctx context.Context, q Querier, oid uint32, mode LargeObjectMode) (*LargeObject, error) {
	o := &LargeObject{ctx: ctx, q: q, oid: oid, readOnly: mode == LargeObjectRead}
	if err := nilhandle.Check(q); err != nil {
		return nil, o.failed("open", err)
	}
	if isPool(q) {
		return nil, o.failed("open", ErrNoTransaction)
	}
	if mode != LargeObjectRead && mode != LargeObjectReadWrite {
		return nil, o.failed("open", fmt.Errorf("%#x is no mode", int32(mode)))
	}
	if err := q.QueryRowContext(native(ctx), "select pg_catalog.lo_open($1, $2)", oid, int32(mode)).Scan(&o.fd); err != nil {
		return nil, o.failed("open", err)
	}
	return o, nil
}

// RemoveLargeObject removes a large object. One that does not exist is SQLSTATE 42704.
func RemoveLargeObject(ctx context.Context, q Querier, oid uint32) error {
	if err := nilhandle.Check(q); err != nil {
		return fmt.Errorf("ext: remove large object %d: %w", oid, err)
	}
	if _, err := q.ExecContext(native(ctx), "select pg_catalog.lo_unlink($1)", oid); err != nil {
		return fmt.Errorf("ext: remove large object %d: %w", oid, err)
	}
	return nil
}

// ImportLargeObject creates a large object from all that r gives, and returns its OID and its size. It needs a transaction, as
// [OpenLargeObject] does; on a *sql.DB it takes one of its own. An error, the reader's for instance, leaves no object.
func ImportLargeObject(ctx context.Context, q Querier, r io.Reader) (oid uint32, size int64, err error) {
	if r == nil {
		return 0, 0, errors.New("ext: import large object: the reader is nil")
	}
	err = withTx(ctx, q, func(q Querier) error {
		if oid, err = CreateLargeObject(ctx, q, 0); err != nil {
			return err
		}
		o, err := OpenLargeObject(ctx, q, oid, LargeObjectReadWrite)
		if err != nil {
			return err
		}
		if size, err = o.ReadFrom(r); err != nil {
			return err
		}
		return o.Close()
	})
	if err != nil {
		if oid != 0 && !isPool(q) {
			discardObject(ctx, q, oid)
		}
		return 0, 0, err
	}
	return oid, size, nil
}

// discardObject removes what was created of a large object where no transaction of one's own is rolled back: the caller's may
// commit, and outside of a transaction the server has committed it. In a transaction that has failed it does nothing.
func discardObject(ctx context.Context, q Querier, oid uint32) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	RemoveLargeObject(ctx, q, oid)
}

// ExportLargeObject writes a whole large object to w and returns its size. It needs a transaction, as [OpenLargeObject] does; on
// a *sql.DB it takes one of its own.
func ExportLargeObject(ctx context.Context, q Querier, oid uint32, w io.Writer) (size int64, err error) {
	if w == nil {
		return 0, fmt.Errorf("ext: export large object %d: the writer is nil", oid)
	}
	err = withTx(ctx, q, func(q Querier) error {
		o, err := OpenLargeObject(ctx, q, oid, LargeObjectRead)
		if err != nil {
			return err
		}
		if size, err = o.WriteTo(w); err != nil {
			return err
		}
		return o.Close()
	})
	return size, err
}

// withTx runs fn in a transaction of its own where q is a pool.
func withTx(ctx context.Context, q Querier, fn func(Querier) error) error {
	if !isPool(q) {
		return fn(q)
	}
	return InTx(ctx, q, TxOptions{}, func(tx *Tx) error { return fn(tx) })
}

// OID is the object's OID.
func (o *LargeObject) OID() uint32 { return o.oid }

// largeObjectChunk is how much travels at a time.
const largeObjectChunk = 1 << 20

// Read implements [io.Reader]: one statement, for at most 1 MiB.
func (o *LargeObject) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	chunk, err := o.read(min(len(p), largeObjectChunk))
	if err != nil {
		return 0, err
	}
	return copy(p, chunk), nil
}

// read reads up to n bytes. Behind the end the error is io.EOF.
func (o *LargeObject) read(n int) (chunk []byte, err error) {
	if err := o.call("read", &chunk, "select pg_catalog.loread($1, $2)", o.fd, n); err != nil {
		return nil, err
	}
	if len(chunk) == 0 {
		return nil, io.EOF
	}
	return chunk, nil
}

// WriteTo implements [io.WriterTo]: it reads 1 MiB at a time, from the position to the end.
func (o *LargeObject) WriteTo(w io.Writer) (total int64, err error) {
	for {
		chunk, err := o.read(largeObjectChunk)
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
		n, err := w.Write(chunk)
		total += int64(n)
		if err != nil {
			return total, err
		}
		if n < len(chunk) {
			return total, io.ErrShortWrite
		}
	}
}

// Write implements [io.Writer], in statements of at most 1 MiB. Bytes between the end and a position behind it become zeros.
func (o *LargeObject) Write(p []byte) (total int, err error) {
	if o.readOnly {
		return 0, o.failed("write", errReadOnly)
	}
	for len(p) > 0 {
		var n int
		chunk := p[:min(len(p), largeObjectChunk)]
		if err := o.call("write", &n, "select pg_catalog.lowrite($1, $2)", o.fd, chunk); err != nil {
			return total, err
		}
		total += n
		if n != len(chunk) {
			return total, o.failed("write", io.ErrShortWrite)
		}
		p = p[n:]
	}
	return total, nil
}

// ReadFrom implements [io.ReaderFrom]: it writes 1 MiB at a time.
func (o *LargeObject) ReadFrom(r io.Reader) (total int64, err error) {
	if o.readOnly {
		return 0, o.failed("write", errReadOnly)
	}
	buf := make([]byte, largeObjectChunk)
	for {
		n, rerr := fill(r, buf)
		if n > 0 {
			wrote, err := o.Write(buf[:n])
			total += int64(wrote)
			if err != nil {
				return total, err
			}
		}
		switch rerr {
		case nil:
		case io.EOF:
			return total, nil
		default:
			return total, rerr
		}
	}
}

// fill reads until buf is full or r ends. It gives r's own error: io.ReadFull would make the end look like the
// io.ErrUnexpectedEOF of a reader whose data was cut off, a gzip stream's for instance.
func fill(r io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var m int
		m, err = r.Read(buf[n:])
		n += m
	}
	return n, err
}

// Seek implements [io.Seeker]. A position behind the end is allowed, up to 4 TiB. Where it refuses, the position stays.
func (o *LargeObject) Seek(offset int64, whence int) (at int64, err error) {
	if whence < io.SeekStart || whence > io.SeekEnd {
		return 0, o.failed("seek", fmt.Errorf("whence %d", whence))
	}
	switch {
	case whence == io.SeekStart && offset >= 0 && offset <= largestObject:
		err = o.call("seek", &at, "select pg_catalog.lo_lseek64($1, $2, 0)", o.fd, offset)
		return at, err
	case whence != io.SeekStart:
		err = o.call("seek", &at, relativeSeek, o.fd, offset, whence == io.SeekEnd, largestObject)
		if err != nil || at >= 0 {
			return at, err
		}
	}
	if offset < 0 {
		return 0, o.failed("seek", errors.New("a position before the start"))
	}
	return 0, o.failed("seek", fmt.Errorf("offset %d: a large object takes up to 4 TiB", offset))
}

// relativeSeek moves the position of $1 to $2 from where it is, or from the end where $3 is true. Where that is outside of an
// object, it leaves the position and gives -1: an error of lo_lseek64 would end the transaction.
const relativeSeek = `
with here as materialized (select pg_catalog.lo_tell64($1) as at),
base as materialized (select at, case when $3 then pg_catalog.lo_lseek64($1, 0, 2) else at end as base from here)
select case when base::numeric + $2::bigint between 0 and $4::bigint
	then pg_catalog.lo_lseek64($1, base + $2::bigint, 0)
	else -1 - 0 * pg_catalog.lo_lseek64($1, at, 0) end
from base`

// largestObject is the size of the largest large object (PostgreSQL's lo_truncate64 takes no larger one).
const largestObject = math.MaxInt32 * int64(2048)

var errReadOnly = errors.New("it was opened for reading alone")

// Truncate makes the object size bytes long: it cuts it off, or fills it up with zeros. The position stays.
func (o *LargeObject) Truncate(size int64) error {
	if size < 0 || size > largestObject {
		return o.failed("truncate", fmt.Errorf("%d bytes: a large object takes up to 4 TiB", size))
	}
	if o.readOnly {
		return o.failed("truncate", errReadOnly)
	}
	var zero int
	return o.call("truncate", &zero, "select pg_catalog.lo_truncate64($1, $2)", o.fd, size)
}

// Close closes the object. The end of the transaction does so too: then, after a failure in the transaction, and when it has
// been closed, Close does nothing.
func (o *LargeObject) Close() error {
	if o.closed {
		return nil
	}
	var zero int
	ctx, cancel := context.WithTimeout(context.WithoutCancel(o.ctx), cleanupTime)
	defer cancel()
	err := o.q.QueryRowContext(native(ctx), "select pg_catalog.lo_close($1)", o.fd).Scan(&zero)
	o.closed = true
	switch state := driver.SQLState(err); {
	case err == nil, errors.Is(err, sql.ErrTxDone), errors.Is(err, sql.ErrConnDone):
		return nil
	case state == "25P02", state == "42704": // the transaction has failed, or has ended
		return nil
	}
	return o.failed("close", err)
}

// call runs a function of the server's on the open object.
func (o *LargeObject) call(verb string, dest any, query string, args ...any) error {
	if o.closed {
		return o.failed(verb, errors.New("it is closed"))
	}
	err := o.q.QueryRowContext(native(o.ctx), query, args...).Scan(dest)
	if driver.SQLState(err) == "42704" { // there is no such descriptor
		err = fmt.Errorf("%w: %w", ErrNoTransaction, err)
	}
	if err != nil {
		return o.failed(verb, err)
	}
	return nil
}

func (o *LargeObject) failed(verb string, err error) error {
	return fmt.Errorf("ext: %s large object %d: %w", verb, o.oid, err)
}
