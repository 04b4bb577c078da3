package copyout

import (
	"database/sql"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"time"
	"unsafe"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// decodeFunc stores a field that is not NULL at a place. ok is false where it does not fit.
type decodeFunc func(cc *driver.CopyCodec, src []byte, at unsafe.Pointer) (ok bool)

// place is where a column goes in a struct, or the value that a row is.
type place struct {
	offset  uintptr
	decode  decodeFunc
	valid   uintptr      // of a sql.Null: the offset of Valid from the value, 0 for others
	pointer reflect.Type // of what the place points to, nil for others
}

// decoder stores rows of usual types straight into values of T.
type decoder[T any] struct {
	r      *rows
	places []place
	elem   reflect.Type // T is a pointer to it; nil for others
}

// newDecoder makes a decoder, or nil where T or a column needs more than it can.
func newDecoder[T any](r *rows) *decoder[T] {
	t := reflect.TypeFor[T]()
	if len(r.columns) == 1 && r.known().Takes(0, t) {
		return nil
	}
	d := &decoder[T]{r: r}
	if t.Kind() == reflect.Pointer && ext.IsRowStruct(t.Elem()) && !t.Implements(reflect.TypeFor[sql.Scanner]()) {
		d.elem, t = t.Elem(), t.Elem()
	}
	if !ext.IsRowStruct(t) {
		if len(r.columns) != 1 {
			return nil
		}
		p, ok := newPlace(t, 0, r.columns[0])
		d.places = []place{p}
		if !ok {
			return nil
		}
		return d
	}
	fields, err := ext.StructFields(t)
	if err != nil || len(fields) != len(r.columns) {
		return nil
	}
	for i, c := range r.columns {
		n := slices.IndexFunc(fields, func(f ext.StructField) bool { return f.Column == c.name })
		if n < 0 || slices.ContainsFunc(r.columns[:i], func(o outColumn) bool { return o.name == c.name }) {
			return nil
		}
		offset, ok := offsetOf(t, fields[n].Index)
		if !ok {
			return nil
		}
		p, ok := newPlace(fields[n].Type, offset, c)
		if !ok {
			return nil
		}
		d.places = append(d.places, p)
	}
	return d
}

// offsetOf is the offset of a field; ok is false where it lies behind an embedded pointer.
func offsetOf(t reflect.Type, index []int) (offset uintptr, ok bool) {
	for _, at := range index {
		if t.Kind() == reflect.Pointer {
			return 0, false
		}
		f := t.Field(at)
		offset, t = offset+f.Offset, f.Type
	}
	return offset, true
}

func newPlace(t reflect.Type, offset uintptr, c outColumn) (place, bool) {
	p := place{offset: offset}
	switch {
	case t.Kind() == reflect.Pointer && t.Name() == "":
		p.pointer = t.Elem()
		p.decode = decodeFuncOf(t.Elem(), c)
	case t.Kind() == reflect.Struct && t.PkgPath() == "database/sql" && t.NumField() == 2 && t.Field(1).Name == "Valid":
		p.valid = t.Field(1).Offset
		p.decode = decodeFuncOf(t.Field(0).Type, c)
	default:
		p.decode = decodeFuncOf(t, c)
	}
	return p, p.decode != nil
}

// each decodes all rows. left says that the loop was left.
func (d *decoder[T]) each(yield func(T, error) bool) (left bool, err error) {
	row := new(T)
	var zero T
	for {
		if err := d.r.next(); err != nil {
			if err == io.EOF {
				err = nil
			}
			return false, err
		}
		*row = zero
		base := unsafe.Pointer(row)
		if d.elem != nil {
			base = reflect.New(d.elem).UnsafePointer()
			*(*unsafe.Pointer)(unsafe.Pointer(row)) = base
		}
		for i := range d.places {
			if err := d.r.store(i, &d.places[i], base); err != nil {
				return false, err
			}
		}
		if !yield(*row, nil) {
			return true, nil
		}
	}
}

// store stores a field of the current row.
func (r *rows) store(i int, p *place, base unsafe.Pointer) error {
	src, at := r.fields[i], unsafe.Add(base, p.offset)
	switch {
	case src == nil && (p.pointer != nil || p.valid != 0):
		return nil
	case src == nil:
		return fmt.Errorf("row %d, column %q: NULL does not fit: use a pointer or a sql.Null", r.count, r.columns[i].name)
	case p.pointer != nil:
		fresh := reflect.New(p.pointer).UnsafePointer()
		*(*unsafe.Pointer)(at) = fresh
		at = fresh
	case p.valid != 0:
		*(*bool)(unsafe.Add(at, p.valid)) = true
	}
	if p.decode(r.codec, src, at) {
		return nil
	}
	v, err := r.value(i, src)
	if err != nil {
		return err
	}
	return fmt.Errorf("row %d, column %q: the value %v does not fit the Go type", r.count, r.columns[i].name, v)
}

// decodeFuncOf finds how a type is filled from a column, nil where that takes more than a copy.
func decodeFuncOf(t reflect.Type, c outColumn) decodeFunc {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return decodeTime(c)
	case t == reflect.TypeFor[[]byte]():
		return decodeBytes(c)
	case t == reflect.TypeFor[[16]byte]() && c.oid == pgtype.UUIDOID && !c.text:
		return decodeUUID
	case t == reflect.TypeFor[time.Duration](), t.NumMethod() > 0, reflect.PointerTo(t).NumMethod() > 0:
		return nil
	}
	switch t.Kind() {
	case reflect.String:
		return decodeString(c)
	case reflect.Bool:
		if c.oid == pgtype.BoolOID {
			return decodeBool
		}
	case reflect.Float64:
		return floatFuncs[c.oid]
	case reflect.Float32:
		if c.oid == pgtype.Float4OID {
			return decodeFloat32
		}
	default:
		return integerFuncs[t.Kind()][c.oid]
	}
	return nil
}

func decodeTime(c outColumn) decodeFunc {
	switch c.oid {
	case pgtype.DateOID, pgtype.TimestampOID, pgtype.TimestamptzOID:
		return func(cc *driver.CopyCodec, src []byte, at unsafe.Pointer) bool {
			t, ok := cc.DecodeTime(c.oid, src)
			*(*time.Time)(at) = t
			return ok
		}
	}
	return nil
}

// isText reports whether a column's bytes are the text that a string gets.
func isText(c outColumn) bool {
	switch c.oid {
	case pgtype.TextOID, pgtype.VarcharOID, pgtype.BPCharOID, pgtype.NameOID, pgtype.JSONOID, pgtype.XMLOID:
		return true
	}
	return c.text
}

func decodeString(c outColumn) decodeFunc {
	if !isText(c) {
		return nil
	}
	return func(cc *driver.CopyCodec, src []byte, at unsafe.Pointer) bool {
		*(*string)(at) = cc.String(src)
		return true
	}
}

func decodeBytes(c outColumn) decodeFunc {
	if !isText(c) && c.oid != pgtype.ByteaOID {
		return nil
	}
	return func(_ *driver.CopyCodec, src []byte, at unsafe.Pointer) bool {
		*(*[]byte)(at) = append([]byte{}, src...)
		return true
	}
}

func decodeUUID(_ *driver.CopyCodec, src []byte, at unsafe.Pointer) bool {
	return copy((*[16]byte)(at)[:], src) == len(src) && len(src) == 16
}

func decodeBool(_ *driver.CopyCodec, src []byte, at unsafe.Pointer) bool {
	if len(src) != 1 {
		return false
	}
	*(*bool)(at) = src[0] != 0
	return true
}

func decodeFloat32(_ *driver.CopyCodec, src []byte, at unsafe.Pointer) bool {
	if len(src) != 4 {
		return false
	}
	*(*float32)(at) = math.Float32frombits(binary.BigEndian.Uint32(src))
	return true
}

var floatFuncs = map[uint32]decodeFunc{
	pgtype.Float8OID: func(_ *driver.CopyCodec, src []byte, at unsafe.Pointer) bool {
		if len(src) != 8 {
			return false
		}
		*(*float64)(at) = math.Float64frombits(binary.BigEndian.Uint64(src))
		return true
	},
}

var integerFuncs = map[reflect.Kind]map[uint32]decodeFunc{
	reflect.Int: integers[int](), reflect.Int8: integers[int8](), reflect.Int16: integers[int16](), reflect.Int32: integers[int32](),
	reflect.Int64: integers[int64](), reflect.Uint: integers[uint](), reflect.Uint8: integers[uint8](), reflect.Uint16: integers[uint16](),
	reflect.Uint32: integers[uint32](), reflect.Uint64: integers[uint64](),
}

// integers are the functions that fill an integer type, by the column's type.
func integers[T int | int8 | int16 | int32 | int64 | uint | uint8 | uint16 | uint32 | uint64]() map[uint32]decodeFunc {
	store := func(n int64, at unsafe.Pointer) bool {
		*(*T)(at) = T(n)
		return int64(T(n)) == n && (T(n) < 0) == (n < 0)
	}
	return map[uint32]decodeFunc{
		pgtype.Int8OID: func(_ *driver.CopyCodec, src []byte, at unsafe.Pointer) bool {
			return len(src) == 8 && store(int64(binary.BigEndian.Uint64(src)), at)
		},
		pgtype.Int4OID: func(_ *driver.CopyCodec, src []byte, at unsafe.Pointer) bool {
			return len(src) == 4 && store(int64(int32(binary.BigEndian.Uint32(src))), at)
		},
		pgtype.Int2OID: func(_ *driver.CopyCodec, src []byte, at unsafe.Pointer) bool {
			return len(src) == 2 && store(int64(int16(binary.BigEndian.Uint16(src))), at)
		},
	}
}
