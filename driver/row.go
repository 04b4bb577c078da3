package driver

import "encoding/binary"

// dataRow is a row as it came, in memory that the next message takes. Its values are found when they are asked for, one
// behind the other, as database/sql asks.
type dataRow struct {
	valid  bool
	values [][]byte // of a message that was taken apart already; else nil
	body   []byte   // of the message: the number of values, and each value behind its length
	next   int      // the value whose length is at body[at:]
	at     int
}

// count is how many values the row has.
func (r *dataRow) count() int {
	if r.body == nil {
		return len(r.values)
	}
	return int(binary.BigEndian.Uint16(r.body))
}

// value is value i of the row, nil for NULL. ok is false where the row ends before it.
func (r *dataRow) value(i int) (value []byte, ok bool) {
	if r.body == nil {
		return r.values[i], true
	}
	if i < r.next {
		r.next, r.at = 0, sizeOfCount
	}
	for {
		if len(r.body)-r.at < 4 {
			return nil, false
		}
		size := int(int32(binary.BigEndian.Uint32(r.body[r.at:])))
		rest := r.body[r.at+4:]
		null := size == -1
		if null {
			size = 0
		}
		if uint(size) > uint(len(rest)) {
			return nil, false
		}
		r.at += 4 + size
		if r.next++; r.next <= i {
			continue
		}
		if null {
			return nil, true
		}
		return rest[:size:size], true
	}
}
