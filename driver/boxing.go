package driver

import (
	"time"
	"unsafe"
)

// Sizes of the slabs: at most 1 KiB each, because one kept value keeps its slab.
const (
	slabValues = 64
	slabTimes  = 42
	slabBytes  = 1024
	slabString = 64 // longer strings are allocated alone
)

// boxer puts values into interfaces without one allocation for each: values of one type share slabs.
// A place in a slab is written once, before its interface exists, so the values may be kept for ever.
// The zero value is ready; it is not safe for concurrent use.
type boxer struct {
	ints    []int64
	floats  []float64
	strings []string
	times   []time.Time
	text    []byte
}

func (b *boxer) int(v int64) any      { return box(&b.ints, slabValues, v, int64Type) }
func (b *boxer) float(v float64) any  { return box(&b.floats, slabValues, v, float64Type) }
func (b *boxer) time(v time.Time) any { return box(&b.times, slabTimes, v, timeType) }

// string is any(string(src)).
func (b *boxer) string(src []byte) any {
	if len(src) > slabString {
		return string(src)
	}
	if len(src) == 0 {
		return ""
	}
	return box(&b.strings, slabValues, b.copied(src), stringType)
}

// copied is string(src): short strings share a slab.
func (b *boxer) copied(src []byte) string {
	if len(src) > slabString || len(src) == 0 {
		return string(src)
	}
	if cap(b.text)-len(b.text) < len(src) {
		b.text = make([]byte, 0, slabBytes)
	}
	n := len(b.text)
	b.text = append(b.text, src...)
	return unsafe.String(&b.text[n], len(src))
}

// eface is how the compiler lays out an any.
type eface struct{ typ, data unsafe.Pointer }

var (
	int64Type   = typeWord(int64(0))
	float64Type = typeWord(float64(0))
	stringType  = typeWord("")
	timeType    = typeWord(time.Time{})
)

func typeWord(v any) unsafe.Pointer { return (*eface)(unsafe.Pointer(&v)).typ }

// box is any(v), with v in the next free place of the slab.
func box[T any](slab *[]T, size int, v T, typ unsafe.Pointer) (boxed any) {
	if len(*slab) == 0 {
		*slab = make([]T, size)
	}
	p := &(*slab)[0]
	*slab = (*slab)[1:]
	*p = v
	e := (*eface)(unsafe.Pointer(&boxed))
	e.typ, e.data = typ, unsafe.Pointer(p)
	return boxed
}
