//go:build go1.27

package driver

import (
	"encoding/binary"
	"math"
	"time"
)

// scanOwn stores a value in a variable of the type that it has by itself. ok is false, and dest is as it was, for all else:
// scanColumn has the other types.
func (c *codecs) scanOwn(own ownForm, src []byte, dest any) (ok bool) {
	switch own {
	case ownText:
		if d, ok := dest.(*string); ok && d != nil {
			*d = c.box.copied(src)
			return true
		}
	case ownInt8:
		if d, ok := dest.(*int64); ok && d != nil && len(src) == 8 {
			*d = int64(binary.BigEndian.Uint64(src))
			return true
		}
	case ownInt4:
		if d, ok := dest.(*int); ok && d != nil && len(src) == 4 {
			*d = int(int32(binary.BigEndian.Uint32(src)))
			return true
		}
	case ownFloat8:
		if d, ok := dest.(*float64); ok && d != nil && len(src) == 8 {
			*d = math.Float64frombits(binary.BigEndian.Uint64(src))
			return true
		}
	case ownBool:
		if d, ok := dest.(*bool); ok && d != nil && len(src) == 1 {
			*d = src[0] != 0
			return true
		}
	case ownBytes:
		if d, ok := dest.(*[]byte); ok && d != nil {
			*d = copied(src)
			return true
		}
	case ownTimestamptz:
		if d, ok := dest.(*time.Time); ok && d != nil && len(src) == 8 {
			return storeTimestamp(d, int64(binary.BigEndian.Uint64(src)), c.location())
		}
	}
	return false
}
