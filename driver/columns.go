package driver

import (
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// Columns is what the driver knows of the columns of a result, for packages that read rows into Go values: the pool's registered and
// loaded types above all. It gets its content by [QueryOptions].Columns, or from [CopyCodec.Columns]; the zero value knows
// nothing. It belongs to the result: it must not be used when the rows are closed, nor concurrently with them.
type Columns struct {
	codecs *codecs
	oids   []uint32
}

// Columns describes columns of the types.
func (cc *CopyCodec) Columns(types []uint32) *Columns {
	return &Columns{codecs: cc.codecs, oids: types}
}

// set takes the columns of a result.
func (k *Columns) set(c *codecs, columns []column) {
	if k == nil {
		return
	}
	k.codecs, k.oids = c, make([]uint32, len(columns))
	for i := range columns {
		k.oids[i] = columns[i].oid
	}
}

// Has reports whether column i is known.
func (k *Columns) Has(i int) bool { return i < len(k.oids) }

// Takes reports whether values of column i are stored in a Go type by Assign: it is registered for the type, or holds the fields
// of a composite; or it is a pointer, a sql.Null or a slice of such. Others are a Scanner's or database/sql's affair.
func (k *Columns) Takes(i int, t reflect.Type) bool {
	return i < len(k.oids) && k.codecs.takes(k.oids[i], t)
}

// Registered reports whether a Go type, or what it points to, is registered for the type of column i.
func (k *Columns) Registered(i int, t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return i < len(k.oids) && k.codecs.set.adapter(t, k.oids[i]) != nil
}

// Assign stores a value of column i, as a Scanner gets it, in dst.
func (k *Columns) Assign(i int, dst reflect.Value, src any) error {
	text, err := k.codecs.scannedText(src, k.oids[i])
	if err != nil {
		return err
	}
	return k.codecs.assign(dst, k.oids[i], text)
}

// Any is a value of column i, as a Scanner gets it, as a registered Go type or what a loaded type gives. ok is false where it is
// neither. asJSON decodes JSON inside of composites.
func (k *Columns) Any(i int, src any, asJSON func([]byte) (any, error)) (v any, ok bool, err error) {
	if i >= len(k.oids) || src == nil || !k.codecs.hasAny(k.oids[i]) {
		return nil, false, nil
	}
	text, err := k.codecs.scannedText(src, k.oids[i])
	if err != nil {
		return nil, true, err
	}
	v, err = k.codecs.anyOf(k.oids[i], text, asJSON)
	return v, true, err
}

// hasAny reports whether values of a type in an any are more than its text.
func (c *codecs) hasAny(oid uint32) bool {
	if st := c.set.current(); len(st.byName) == 0 && len(st.loaded) == 0 {
		return false
	}
	if elem, _, ok := c.element(oid); ok {
		oid = elem
	}
	if c.anyAdapter(oid) != nil {
		return true
	}
	t := c.loadedInfo(oid)
	if t != nil && t.Elem != 0 {
		return c.hasAny(t.Elem)
	}
	return t != nil && (t.Kind == CompositeType || t.Name == "hstore" && t.Kind == BaseType)
}

// takes reports whether assign is to fill a Go type from a type.
func (c *codecs) takes(oid uint32, t reflect.Type) bool {
	if c.set == nil {
		return false
	}
	if oid < firstUserOID && oid != pgtype.RecordOID && oid != pgtype.RecordArrayOID && len(c.set.current().adapters) == 0 {
		return false
	}
	for {
		switch {
		case c.set.adapter(t, oid) != nil:
			return true
		case reflect.PointerTo(t).Implements(scannerType) && !isSQLNull(t):
			return false
		case holdsFields(t) && (c.compositeInfo(oid) != nil || oid == pgtype.RecordOID && t.Kind() == reflect.Struct):
			return true
		case isSQLNull(t):
			v, _ := t.FieldByName("V")
			t = v.Type
		case t.Kind() == reflect.Pointer:
			t = t.Elem()
		case t.Kind() == reflect.Slice || t.Kind() == reflect.Array:
			t = t.Elem()
			elem, _, ok := c.element(c.base(oid))
			if !ok {
				if info := c.set.info(oid); info != nil && info.Elem != 0 {
					elem, ok = info.Elem, true
				}
			}
			if ok {
				oid = elem
			}
		default:
			return false
		}
	}
}

// scannedText is the text of a value that a Scanner got; nil is NULL.
func (c *codecs) scannedText(src any, oid uint32) ([]byte, error) {
	switch v := src.(type) {
	case nil:
		return nil, nil
	case string:
		return append([]byte{}, v...), nil
	case []byte:
		return v, nil
	case int64:
		return strconv.AppendInt(nil, v, 10), nil
	case float64:
		return appendFloat(nil, v), nil
	case bool:
		return append([]byte{}, strconv.FormatBool(v)[:1]...), nil
	case time.Time:
		if v.Year() == 0 { // a time of day
			return appendClockOf(nil, v), nil
		}
		return c.appendTimeText(nil, oid, v), nil
	}
	return nil, fmt.Errorf("cannot read %T", src)
}

// appendClockOf appends a time of day as compat=pq gives it: in the year 0, 24:00 on its second day.
func appendClockOf(dst []byte, t time.Time) []byte {
	if t.YearDay() > 1 {
		dst = append(dst, "24:00:00"...)
	} else {
		dst = t.AppendFormat(dst, "15:04:05.999999")
	}
	if _, offset := t.Zone(); offset != 0 {
		dst = t.AppendFormat(dst, "-07:00:00")
	}
	return dst
}
