//go:build go1.27

package driver

import (
	"bytes"
	"encoding"
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"reflect"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// scanTyped fills destinations that database/sql cannot: rv is the value of dest, a pointer or a pgtype interface.
func (c *codecs) scanTyped(oid uint32, format int16, src []byte, dest any, rv reflect.Value) error {
	if src == nil && rv.Kind() == reflect.Pointer {
		switch rv.Elem().Kind() {
		case reflect.Slice, reflect.Map:
			rv.Elem().SetZero()
			return nil
		}
		if !maySayNull(dest, rv) { // pgtype would sometimes leave it as it is
			return fmt.Errorf("cannot scan NULL into %T", dest)
		}
	}
	if src != nil {
		if done, err := c.scanKnown(oid, format, src, dest, rv); done {
			return err
		}
	}
	known := oid
	if _, ok := c.types.TypeForOID(oid); !ok && rv.Kind() == reflect.Pointer && rv.Elem().Kind() == reflect.Slice && isArrayText(src) {
		known = pgtype.TextArrayOID // of an enum, say: its elements are text
	}
	err := c.types.Scan(known, format, src, dest)
	if err != nil && src != nil && format == textFormat {
		if u, ok := dest.(encoding.TextUnmarshaler); ok {
			return u.UnmarshalText(bytes.Clone(src))
		}
		if rv.Kind() == reflect.Pointer && rv.Elem().Kind() == reflect.Slice && isArrayText(src) && c.assign(rv.Elem(), oid, src) == nil {
			return nil // elements or dimensions that pgtype has no plan for, bytea in escape form
		}
	}
	if err == nil && oid == pgtype.TimestamptzArrayOID {
		c.showTimes(dest)
	}
	return err
}

// maySayNull reports whether a destination that is no slice or map may have a way of its own to hold NULL.
func maySayNull(dest any, rv reflect.Value) bool {
	switch dest.(type) {
	case *netip.Addr, *netip.Prefix, *big.Int, *big.Rat, *big.Float:
		return false
	}
	return rv.NumMethod() > 0
}

// scanKnown fills what pgtype has no plan for. done is false for the rest.
func (c *codecs) scanKnown(oid uint32, format int16, src []byte, dest any, rv reflect.Value) (done bool, err error) {
	if format == textFormat && rv.Kind() == reflect.Pointer && rv.Elem().Kind() == reflect.Slice && ScanPlainArray(dest, oid, string(src)) {
		return true, nil
	}
	if oid == pgtype.UUIDOID && format == binaryFormat && len(src) == 16 && rv.Kind() == reflect.Pointer {
		elem := rv.Elem()
		if elem.Kind() == reflect.Array && elem.Type().Elem() == reflect.TypeFor[byte]() && elem.Len() == 16 {
			reflect.Copy(elem, reflect.ValueOf([16]byte(src)))
			return true, nil
		}
	}
	if oid == pgtype.XMLArrayOID && format == textFormat && rv.Kind() == reflect.Pointer && rv.Elem().Kind() == reflect.Slice && rv.Elem().Type().Elem().Kind() == reflect.Slice {
		return true, c.assign(rv.Elem(), oid, src) // pgtype reads the inner slices as documents
	}
	if oid >= firstUserOID && format == textFormat {
		switch m := dest.(type) {
		case *map[string]string:
			return true, scanHstore(src, m)
		case *map[string]*string:
			var h pgtype.Hstore
			if err := h.Scan(string(src)); err != nil {
				return true, err
			}
			*m = h
			return true, nil
		}
	}
	return false, nil
}

// scanHstore refuses NULL values, which a string cannot hold.
func scanHstore(src []byte, dest *map[string]string) error {
	var h pgtype.Hstore
	if err := h.Scan(string(src)); err != nil {
		return err
	}
	m := make(map[string]string, len(h))
	for key, value := range h {
		if value == nil {
			return fmt.Errorf("the value of hstore key %q is NULL: scan into a map[string]*string", key)
		}
		m[key] = *value
	}
	*dest = m
	return nil
}

func isArrayText(src []byte) bool { return len(src) > 0 && (src[0] == '{' || src[0] == '[') }

// showTimes puts scanned timestamptz values into the location where the connection shows them.
func (c *codecs) showTimes(dest any) {
	switch d := dest.(type) {
	case *[]time.Time:
		for i, t := range *d {
			(*d)[i] = t.In(c.location())
		}
	case *[]*time.Time:
		for _, t := range *d {
			if t != nil {
				*t = t.In(c.location())
			}
		}
	}
}

// parseDuration reads a time of day, or an interval without months and years in one of the server's two usual styles.
// A day has 24 hours. ok is false for other text.
func parseDuration(src []byte) (d time.Duration, ok bool) {
	fields := bytes.Fields(src)
	if len(fields) == 0 {
		return 0, false
	}
	if len(fields)%2 == 1 {
		if d, ok = parseSignedClock(fields[len(fields)-1]); !ok {
			return 0, false
		}
		fields = fields[:len(fields)-1]
	}
	if len(fields) > 2 || len(fields) == 2 && !bytes.Equal(bytes.TrimSuffix(fields[1], []byte("s")), []byte("day")) {
		return 0, false
	}
	if len(fields) == 2 {
		days, err := strconv.ParseInt(string(fields[0]), 10, 32)
		const most = int64(math.MaxInt64 / (24 * time.Hour))
		if err != nil || days > most || days < -most {
			return 0, false
		}
		whole := time.Duration(days) * 24 * time.Hour
		if sum := whole + d; (sum > whole) == (d > 0) || d == 0 {
			return sum, true
		}
		return 0, false
	}
	return d, true
}

// parseSignedClock reads hours of any number, minutes and seconds.
func parseSignedClock(src []byte) (time.Duration, bool) {
	p := textParser{src: src}
	negative := p.take('-')
	if !negative {
		p.take('+')
	}
	hours, ok := p.number(2, 9)
	if !ok || hours > 2562000 {
		return 0, false
	}
	rest := textParser{src: append([]byte("00"), p.src...)}
	clock, ok := rest.clock()
	if !ok || !rest.done() {
		return 0, false
	}
	clock += time.Duration(hours) * time.Hour
	if negative {
		clock = -clock
	}
	return clock, true
}
