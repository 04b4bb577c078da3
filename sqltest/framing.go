package sqltest

import "encoding/binary"

// Side is an end of a connection between a client and a PostgreSQL server.
type Side int

// The sides, named as PostgreSQL's protocol names them.
const (
	Frontend Side = iota // what the client sends
	Backend              // what the server sends
)

// Types for what has no type byte on the wire. All other messages have the letter of the PostgreSQL
// manual, "Message Formats": 'Q' is a frontend's Query, 'Z' a backend's ReadyForQuery.
const (
	AnyMessage      byte = 0
	StartupPacket   byte = 1 // frontend: start-up, request for encryption
	EncryptionReply byte = 2 // backend: the single byte that answers a request for encryption
	CancelPacket    byte = 4 // frontend: cancel request, on a connection of its own
	Opaque          byte = 3 // any number of bytes of an encrypted session, or of no PostgreSQL protocol
)

// Codes in the place of a start-up packet's protocol version.
const (
	cancelRequest = 80877102
	sslRequest    = 80877103
	gssRequest    = 80877104
)

// tlsHandshake is the first byte of a session that begins with TLS (sslnegotiation=direct).
const tlsHandshake = 0x16

// framing follows both directions of one connection and finds the borders of messages.
type framing struct {
	started bool // the start-up packet proper has passed: frontend messages have types
	asked   bool // a request for encryption waits for its one-byte answer
	opaque  bool // encrypted or not understood: no borders any more
}

// next returns the type and length of the first message in b, a piece of what side sends that starts
// at a message's border; length 0 means that the message is not complete.
func (f *framing) next(side Side, b []byte) (typ byte, length int) {
	switch {
	case len(b) == 0:
		return 0, 0
	case f.opaque:
		return Opaque, len(b)
	case side == Backend && f.asked:
		return f.answered(b[0])
	case side == Frontend && !f.started:
		return f.startup(b)
	default:
		return f.typed(b)
	}
}

func (f *framing) answered(reply byte) (byte, int) {
	f.asked = false
	if reply == 'E' { // a server that knows no encryption answers with a whole ErrorResponse
		f.opaque = true
		return Opaque, 1
	}
	f.opaque = reply == 'S' || reply == 'G'
	return EncryptionReply, 1
}

func (f *framing) startup(b []byte) (byte, int) {
	const header, longest = 8, 10000 // the server's own limit
	if b[0] == tlsHandshake {
		f.opaque = true
		return Opaque, len(b)
	}
	if len(b) < header {
		return 0, 0
	}
	length := int64(binary.BigEndian.Uint32(b))
	if length < header || length > longest {
		f.opaque = true
		return Opaque, len(b)
	}
	if int64(len(b)) < length {
		return 0, 0
	}
	switch binary.BigEndian.Uint32(b[4:]) {
	case cancelRequest:
		return CancelPacket, int(length)
	case sslRequest, gssRequest:
		f.asked = true
	default:
		f.started = true
	}
	return StartupPacket, int(length)
}

func (f *framing) typed(b []byte) (byte, int) {
	const header, shortest, longest = 5, 4, 1 << 30
	if len(b) < header {
		return 0, 0
	}
	length := int64(binary.BigEndian.Uint32(b[1:]))
	if length < shortest || length >= longest {
		f.opaque = true
		return Opaque, len(b)
	}
	if int64(len(b)) < 1+length {
		return 0, 0
	}
	return b[0], int(1 + length)
}
