package driver

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// maxMessage is the largest message that the server accepts (PQ_LARGE_MESSAGE_LIMIT, 1 GiB - 1).
const maxMessage = 0x3fffffff

// maxParams is the largest parameter count that a Bind message can carry (an unsigned 16-bit number).
const maxParams = math.MaxUint16

// A request is appended to one buffer, message by message, and leaves with one write.
// The formats are those of the PostgreSQL manual, "Message Formats".

// openMessage appends the type byte and room for the length; closeMessage fills the length in.
func openMessage(dst []byte, kind byte) ([]byte, int) {
	return append(dst, kind, 0, 0, 0, 0), len(dst) + 1
}

func closeMessage(dst []byte, at int) []byte {
	binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at))
	return dst
}

func appendCString(dst []byte, s string) []byte {
	return append(append(dst, s...), 0)
}

func appendParse(dst []byte, name, sql string, oids []uint32) []byte {
	dst, at := openMessage(dst, 'P')
	dst = appendCString(dst, name)
	dst = appendCString(dst, sql)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(oids)))
	for _, oid := range oids {
		dst = binary.BigEndian.AppendUint32(dst, oid)
	}
	return closeMessage(dst, at)
}

// appendDescribe asks for a description of a statement ('S') or a portal ('P').
func appendDescribe(dst []byte, kind byte, name string) []byte {
	dst, at := openMessage(dst, 'D')
	return closeMessage(appendCString(append(dst, kind), name), at)
}

// appendClose closes a statement ('S') or a portal ('P').
func appendClose(dst []byte, kind byte, name string) []byte {
	dst, at := openMessage(dst, 'C')
	return closeMessage(appendCString(append(dst, kind), name), at)
}

// appendExecute runs the unnamed portal to its end.
func appendExecute(dst []byte) []byte {
	return append(dst, 'E', 0, 0, 0, 9, 0, 0, 0, 0, 0)
}

func appendSync(dst []byte) []byte {
	return append(dst, 'S', 0, 0, 0, 4)
}

// appendFlush asks for the answers so far.
func appendFlush(dst []byte) []byte {
	return append(dst, 'H', 0, 0, 0, 4)
}

func appendQuery(dst []byte, sql string) []byte {
	dst, at := openMessage(dst, 'Q')
	return closeMessage(appendCString(dst, sql), at)
}

// appendPlain runs a statement without parameters with the extended protocol, without a Sync.
func appendPlain(dst []byte, sql string) []byte {
	dst = appendParse(dst, "", sql, nil)
	dst = append(dst, 'B', 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0) // the unnamed statement in the unnamed portal
	return appendExecute(dst)
}

func appendCopyFail(dst []byte, reason string) []byte {
	dst, at := openMessage(dst, 'f')
	return closeMessage(appendCString(dst, reason), at)
}

// paramEncoder appends argument i as a Bind parameter (length and value) and tells its format.
type paramEncoder func(dst []byte, i int) ([]byte, int16, error)

// appendBind binds n arguments to the statement name in the unnamed portal.
// On an error dst is as long as it was.
func appendBind(dst []byte, name string, n int, encode paramEncoder, resultFormats []int16) ([]byte, error) {
	start := len(dst)
	dst, at := openMessage(dst, 'B')
	dst = append(dst, 0) // the unnamed portal
	dst = appendCString(dst, name)
	dst = binary.BigEndian.AppendUint16(dst, uint16(n))
	formats := len(dst)
	for range n {
		dst = append(dst, 0, 0)
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(n))
	for i := range n {
		out, format, err := encode(dst, i)
		if err == nil && len(out)-at > maxMessage {
			err = errors.New("the arguments up to here exceed the 1 GiB that a statement can carry")
		}
		if err != nil {
			return dst[:start], fmt.Errorf("driver: argument $%d: %w", i+1, err)
		}
		dst = out
		binary.BigEndian.PutUint16(dst[formats+2*i:], uint16(format))
	}
	return closeMessage(appendFormats(dst, resultFormats), at), nil
}

// appendFormats appends the format codes of the result columns: none when all are text, one when all are alike.
func appendFormats(dst []byte, formats []int16) []byte {
	first, alike := int16(0), true
	for i, f := range formats {
		if i == 0 {
			first = f
		}
		alike = alike && f == first
	}
	if alike {
		if first == 0 {
			return append(dst, 0, 0)
		}
		return append(dst, 0, 1, 0, byte(first))
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(formats)))
	for _, f := range formats {
		dst = append(dst, 0, byte(f))
	}
	return dst
}
