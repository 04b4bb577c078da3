package driver

import (
	"fmt"
	"reflect"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pycopg/pycopg/internal/pgtext"
	"github.com/pycopg/pycopg/internal/structfields"
)

// holdsFields reports whether values of a Go type are composites: a struct by its columns, a map by its keys, a []any by
// position.
func holdsFields(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct:
		return structfields.IsRow(t) && !isSQLNull(t)
	case reflect.Map:
		return t == reflect.TypeFor[map[string]any]()
	case reflect.Slice:
		return t == reflect.TypeFor[[]any]()
	}
	return false
}

// mayBeComposite reports whether an argument may be a composite, or an array of such.
func mayBeComposite(arg any) bool {
	t := reflect.TypeOf(arg)
	for t != nil && !holdsFields(t) {
		switch t.Kind() {
		case reflect.Slice, reflect.Array, reflect.Pointer:
			t = t.Elem()
		default:
			return false
		}
	}
	return t != nil
}

// compositeInfo describes a composite type, nil where oid is none that is known or can be asked for.
func (c *codecs) compositeInfo(oid uint32) *TypeInfo {
	for range 16 { // domains over domains
		t := c.set.info(oid)
		if t == nil {
			return nil
		}
		switch t.Kind {
		case CompositeType:
			return t
		case DomainType:
			oid = t.Base
			continue
		}
		return nil
	}
	return nil
}

// fieldTexts takes a composite apart. Where it has other fields than are known, its type has been altered: it is asked for again.
func (c *codecs) fieldTexts(info *TypeInfo, text []byte) (*TypeInfo, []pgtext.Item, error) {
	items, err := pgtext.ParseComposite(string(text))
	if err != nil {
		return nil, nil, err
	}
	if len(items) != len(info.Fields) {
		if fresh := c.set.again(info.OID); fresh != nil {
			info = fresh
		}
	}
	if len(items) != len(info.Fields) {
		return nil, nil, fmt.Errorf("a value of %d fields for type %s of %d", len(items), info.SQLName, len(info.Fields))
	}
	return info, items, nil
}

// assignComposite fills a struct, a map or a []any with the fields of a composite.
func (c *codecs) assignComposite(dst reflect.Value, info *TypeInfo, text []byte) error {
	info, items, err := c.fieldTexts(info, text)
	if err != nil {
		return err
	}
	if dst.Kind() == reflect.Slice {
		values := make([]any, len(items))
		for i := range items {
			if values[i], err = c.anyOf(info.Fields[i].OID, textOf(items[i]), decodeJSON); err != nil {
				return fmt.Errorf("field %q: %w", info.Fields[i].Name, err)
			}
		}
		dst.Set(reflect.ValueOf(values))
		return nil
	}
	if dst.Kind() == reflect.Map {
		m, err := c.anyComposite(info, text, decodeJSON)
		if err == nil {
			dst.Set(reflect.ValueOf(m))
		}
		return err
	}
	fields, err := c.set.fieldsOf(dst.Type(), info)
	if err != nil {
		return err
	}
	dst.SetZero()
	for i, f := range info.Fields {
		c.set.resolve(f.OID)
		field := settable(dst, fields[i].Index)
		if err := c.assign(field, f.OID, textOf(items[i])); err != nil {
			return fmt.Errorf("field %q: %w", f.Name, err)
		}
	}
	return nil
}

// planKey finds the fields of a struct type for a composite.
type planKey struct {
	typ  reflect.Type
	info *TypeInfo
}

// fieldsOf are the fields of a struct type in the order of a composite, which has the same.
func (s *typeSet) fieldsOf(t reflect.Type, info *TypeInfo) ([]structfields.Field, error) {
	key := planKey{t, info}
	if known, ok := s.plans.Load(key); ok {
		return known.([]structfields.Field), nil
	}
	found, err := structfields.Of(t)
	if err != nil {
		return nil, err
	}
	if err := fitsComposite(found, t, info); err != nil {
		return nil, err
	}
	fields := make([]structfields.Field, len(info.Fields))
	for i, f := range info.Fields {
		fields[i] = found.Fields[found.ByColumn[f.Name]]
	}
	s.plans.Store(key, fields)
	return fields, nil
}

// fitsComposite makes sure that a struct has the fields of a composite, and no others.
func fitsComposite(s *structfields.Struct, t reflect.Type, info *TypeInfo) error {
	for _, f := range info.Fields {
		if _, ok := s.ByColumn[f.Name]; !ok {
			return fmt.Errorf("%s has no field for field %q of type %s", t, f.Name, info.SQLName)
		}
	}
	if len(s.ByColumn) == len(info.Fields) {
		return nil
	}
	known := make(map[string]bool)
	for _, f := range info.Fields {
		known[f.Name] = true
	}
	for _, f := range s.Fields {
		if !known[f.Column] {
			return fmt.Errorf("type %s has no field for %q of %s (a field tagged db:\"-\" is left out)", info.SQLName, f.Column, t)
		}
	}
	return nil
}

// settable is a field of a struct; embedded pointers on the way are filled.
func settable(v reflect.Value, index []int) reflect.Value {
	for n, at := range index {
		if n > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(at)
	}
	return v
}

// assignRecord fills a struct from a record, whose fields have neither names nor types: by their order.
func (c *codecs) assignRecord(dst reflect.Value, text []byte) error {
	s, err := structfields.Of(dst.Type())
	if err != nil {
		return err
	}
	items, err := pgtext.ParseComposite(string(text))
	if err != nil {
		return err
	}
	if len(items) != len(s.Fields) {
		return fmt.Errorf("a record of %d fields does not fit %s of %d", len(items), dst.Type(), len(s.Fields))
	}
	dst.SetZero()
	for i, f := range s.Fields {
		field, text := settable(dst, f.Index), textOf(items[i])
		if err := c.assign(field, c.partFrom(0, field.Type(), text), text); err != nil {
			return fmt.Errorf("field %q: %w", f.Column, err)
		}
	}
	return nil
}

func (c *codecs) anyComposite(info *TypeInfo, text []byte, asJSON func([]byte) (any, error)) (map[string]any, error) {
	info, items, err := c.fieldTexts(info, text)
	if err != nil {
		return nil, err
	}
	m := make(map[string]any, len(items))
	for i, f := range info.Fields {
		if m[f.Name], err = c.anyOf(f.OID, textOf(items[i]), asJSON); err != nil {
			return nil, fmt.Errorf("field %q: %w", f.Name, err)
		}
	}
	return m, nil
}

// appendComposite appends a struct, a map or a []any as the text of a composite. info is nil for a record, whose fields are those
// of a struct in its order.
func (c *codecs) appendComposite(dst []byte, info *TypeInfo, rv reflect.Value) ([]byte, error) {
	values, oids, err := c.fieldValues(info, rv)
	if err != nil {
		return dst, err
	}
	dst = append(dst, '(')
	for i, v := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		arg, err := checkArg(v)
		if err != nil {
			return dst, err
		}
		c.set.resolve(oids[i])
		start, null := len(dst), false
		dst, null, err = c.appendText(dst, c.partOf(c.base(oids[i]), reflect.TypeOf(v)), arg)
		switch {
		case err != nil && info != nil:
			return dst, fmt.Errorf("field %q: %w", info.Fields[i].Name, err)
		case err != nil:
			return dst, fmt.Errorf("field %d: %w", i, err)
		case null:
			dst = dst[:start]
		default:
			dst = quoteTail(dst, start)
		}
	}
	return append(dst, ')'), nil
}

// fieldValues are the values of a composite's fields, in its order, and their types.
func (c *codecs) fieldValues(info *TypeInfo, rv reflect.Value) (values []any, oids []uint32, err error) {
	if info != nil {
		for _, f := range info.Fields {
			oids = append(oids, f.OID)
		}
	}
	switch rv.Kind() {
	case reflect.Slice:
		values = rv.Interface().([]any)
		if info != nil && len(values) != len(oids) {
			return nil, nil, fmt.Errorf("%d values for type %s of %d fields", len(values), info.SQLName, len(oids))
		}
	case reflect.Map:
		m := rv.Interface().(map[string]any)
		for _, f := range info.Fields {
			v, ok := m[f.Name]
			if !ok {
				return nil, nil, fmt.Errorf("the map has no key for field %q of type %s", f.Name, info.SQLName)
			}
			values = append(values, v)
		}
		if len(m) != len(info.Fields) {
			return nil, nil, fmt.Errorf("the map has keys that are no fields of type %s", info.SQLName)
		}
	default:
		var order []structfields.Field
		if info != nil {
			order, err = c.set.fieldsOf(rv.Type(), info)
		} else if s, serr := structfields.Of(rv.Type()); serr == nil {
			order = s.Fields
		} else {
			err = serr
		}
		if err != nil {
			return nil, nil, err
		}
		for _, f := range order {
			v, err := rv.FieldByIndexErr(f.Index)
			if err != nil { // in an embedded pointer that is nil
				values = append(values, nil)
				continue
			}
			values = append(values, v.Interface())
		}
	}
	for len(oids) < len(values) {
		oids = append(oids, 0)
	}
	return values, oids, nil
}

// asComposite appends arg where it is a composite for the type. done is false for other values and types.
func (c *codecs) asComposite(dst []byte, oid uint32, arg any) (_ []byte, done bool, err error) {
	if oid < firstUserOID && oid != pgtype.RecordOID || c.set == nil || !holdsFields(reflect.TypeOf(arg)) {
		return dst, false, nil
	}
	info := c.compositeInfo(oid)
	if info == nil {
		return dst, false, nil
	}
	dst, err = c.appendComposite(dst, info, reflect.ValueOf(arg))
	return dst, true, err
}
