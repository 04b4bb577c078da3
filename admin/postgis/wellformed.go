package postgis

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// maxDepth is how deep collections may lie in one another, as PostGIS limits it.
const maxDepth = 100

var errShort = errors.New("malformed EWKB: it ends too early")

// wellFormed reports whether data is one EWKB geometry whose counts fit its length. The library allocates by the counts before
// it reads.
func wellFormed(data []byte) error {
	rest, err := skipGeometry(data, 0)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("malformed EWKB: %d bytes too many", len(rest))
	}
	return err
}

// skipGeometry returns what follows the geometry at the start of data.
func skipGeometry(data []byte, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, errors.New("malformed EWKB: collections within collections")
	}
	if len(data) < 5 {
		return nil, errShort
	}
	var order binary.ByteOrder = binary.LittleEndian
	if data[0] == 0 {
		order = binary.BigEndian
	}
	typ, data := order.Uint32(data[1:]), data[5:]
	coordinates := 2
	for _, flag := range []uint32{0x80000000, 0x40000000} { // Z, M
		if typ&flag != 0 {
			coordinates++
		}
	}
	if typ&0x20000000 != 0 { // an SRID
		if len(data) < 4 {
			return nil, errShort
		}
		data = data[4:]
	}
	point := skipBytes(8 * coordinates)
	line := skipMany(order, 8*coordinates, point)
	element := func(data []byte) ([]byte, error) { return skipGeometry(data, depth+1) }
	switch typ & 0x1fffffff {
	case 1: // Point
		return point(data)
	case 2: // LineString
		return line(data)
	case 3: // Polygon
		return skipMany(order, 4, line)(data)
	case 4, 5, 6, 7: // MultiPoint, MultiLineString, MultiPolygon, GeometryCollection
		return skipMany(order, 5, element)(data)
	}
	if name := curved[typ&0x1fffffff]; name != "" {
		return nil, fmt.Errorf("a %s has no Go value", name)
	}
	return nil, fmt.Errorf("geometry type %d has no Go value", typ&0x1fffffff)
}

// curved are PostGIS's names of the types that have no Go value, by their numbers in WKB.
var curved = map[uint32]string{
	8: "CircularString", 9: "CompoundCurve", 10: "CurvePolygon", 11: "MultiCurve", 12: "MultiSurface",
	15: "PolyhedralSurface", 16: "TIN", 17: "Triangle",
}

type skipper func(data []byte) (rest []byte, err error)

func skipBytes(n int) skipper {
	return func(data []byte) ([]byte, error) {
		if len(data) < n {
			return nil, errShort
		}
		return data[n:], nil
	}
}

// skipMany skips a count and as many elements, each at least size bytes long.
func skipMany(order binary.ByteOrder, size int, skip skipper) skipper {
	return func(data []byte) ([]byte, error) {
		if len(data) < 4 {
			return nil, errShort
		}
		n, data := order.Uint32(data), data[4:]
		if uint64(n)*uint64(size) > uint64(len(data)) {
			return nil, errShort
		}
		var err error
		for range n {
			if data, err = skip(data); err != nil {
				return nil, err
			}
		}
		return data, nil
	}
}
