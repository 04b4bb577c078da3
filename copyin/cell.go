package copyin

import (
	"reflect"
	"time"
	"unsafe"
)

// cell is where a struct type keeps the value of a column. It gives the value without a copy where the type is a plain one.
type cell struct {
	path     []uintptr      // offsets; between two of them a pointer is followed
	valid    uintptr        // of a sql.Null, the offset of Valid from the value, 0 for others
	typ      unsafe.Pointer // of the value as an any, nil where reflection makes it
	rtype    reflect.Type   // that the value has
	omitZero bool
}

// eface is how the compiler lays out an any.
type eface struct{ typ, data unsafe.Pointer }

func typeWord(v any) unsafe.Pointer { return (*eface)(unsafe.Pointer(&v)).typ }

// newCell finds the field of a struct type.
func newCell(t reflect.Type, index []int, omitZero bool) cell {
	c := cell{omitZero: omitZero}
	offset := uintptr(0)
	for i, at := range index {
		if i > 0 && t.Kind() == reflect.Pointer {
			c.path, offset = append(c.path, offset), 0
			t = t.Elem()
		}
		f := t.Field(at)
		offset += f.Offset
		t = f.Type
	}
	c.rtype = t
	switch value, valid, null := nullType(t); {
	case plainType(t) != nil:
		c.rtype = plainType(t)
		c.typ = typeWord(reflect.Zero(c.rtype).Interface())
	case t.Kind() == reflect.Pointer && t.Name() == "" && plainType(t.Elem()) != nil:
		c.path, offset = append(c.path, offset), 0
		c.rtype = plainType(t.Elem())
		c.typ = typeWord(reflect.Zero(c.rtype).Interface())
	case null && plainType(value) != nil:
		c.valid = valid
		c.rtype = plainType(value)
		c.typ = typeWord(reflect.Zero(c.rtype).Interface())
	}
	c.path = append(c.path, offset)
	return c
}

// nullType is what a sql.Null, or one of its elder brothers, holds, and the offset of Valid.
func nullType(t reflect.Type) (value reflect.Type, valid uintptr, ok bool) {
	if t.Kind() != reflect.Struct || t.PkgPath() != "database/sql" || t.NumField() != 2 || t.Field(1).Name != "Valid" {
		return nil, 0, false
	}
	return t.Field(0).Type, t.Field(1).Offset, true
}

// plainTypes are types with methods or elements whose values need no code of users.
var plainTypes = map[reflect.Type]bool{
	reflect.TypeFor[time.Time](): true, reflect.TypeFor[time.Duration](): true, reflect.TypeFor[[]byte](): true,
	reflect.TypeFor[[16]byte](): true, reflect.TypeFor[[]string](): true, reflect.TypeFor[[]int64](): true, reflect.TypeFor[[]int32](): true,
	reflect.TypeFor[[]int](): true, reflect.TypeFor[[]float64](): true, reflect.TypeFor[[]bool](): true, reflect.TypeFor[[][]byte](): true,
}

// plainKinds are the predeclared types of kinds.
var plainKinds = func() map[reflect.Kind]reflect.Type {
	kinds := make(map[reflect.Kind]reflect.Type)
	for _, v := range []any{"", false, int(0), int8(0), int16(0), int32(0), int64(0), uint(0), uint8(0), uint16(0), uint32(0), uint64(0), float32(0), float64(0)} {
		kinds[reflect.TypeOf(v).Kind()] = reflect.TypeOf(v)
	}
	return kinds
}()

// plainType is the type as which a value of t is encoded without code of users, nil for other types.
func plainType(t reflect.Type) reflect.Type {
	if plainTypes[t] {
		return t
	}
	if t.NumMethod() == 0 {
		return plainKinds[t.Kind()]
	}
	return nil
}

// plain reports whether the value runs no code of users.
func (c *cell) plain() bool { return c.typ != nil }

// value is the value in the struct at base: of a plain cell, only while the struct does not change.
func (c *cell) value(base unsafe.Pointer) (v any) {
	last := len(c.path) - 1
	for _, offset := range c.path[:last] {
		if base = *(*unsafe.Pointer)(unsafe.Add(base, offset)); base == nil {
			return nil
		}
	}
	base = unsafe.Add(base, c.path[last])
	if c.typ == nil {
		return reflect.NewAt(c.rtype, base).Elem().Interface()
	}
	if c.valid != 0 && !*(*bool)(unsafe.Add(base, c.valid)) {
		return nil
	}
	e := (*eface)(unsafe.Pointer(&v))
	e.typ, e.data = c.typ, base
	return v
}

// sample is a value that shows the type of all, for the choice of a format.
func (c *cell) sample(base unsafe.Pointer) any {
	switch {
	case c.plain():
		return reflect.Zero(c.rtype).Interface()
	case base == nil:
		return nil
	}
	return c.value(base)
}

// isZero reports whether the field is zero, as encoding/json's omitzero does.
func (c *cell) isZero(base unsafe.Pointer) bool {
	v := c.value(base)
	return v == nil || reflect.ValueOf(v).IsZero()
}
