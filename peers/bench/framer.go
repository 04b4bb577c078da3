package main

import "encoding/binary"

// framer follows what a server sends, message by message, and counts ReadyForQuery: the ends of answers.
type framer struct {
	header [5]byte // type and length of the message that has begun
	have   int     // bytes of header that have arrived
	left   int     // bytes behind the header that have not
}

// feed takes the next piece of the stream, and returns how many answers end in it.
func (f *framer) feed(b []byte) (ready int) {
	for len(b) > 0 {
		if f.have < len(f.header) {
			n := copy(f.header[f.have:], b)
			f.have += n
			b = b[n:]
			if f.have < len(f.header) {
				return ready
			}
			f.left = int(binary.BigEndian.Uint32(f.header[1:])) - 4 // the length counts itself
		}
		n := min(f.left, len(b))
		f.left -= n
		b = b[n:]
		if f.left > 0 {
			return ready
		}
		f.have = 0
		if f.header[0] == 'Z' {
			ready++
		}
	}
	return ready
}
