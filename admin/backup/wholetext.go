package backup

import (
	"bytes"
	"fmt"
	"io"
)

// wholeText reads a dump in SQL text. One that begins with the comment of pg_dump or of pg_dumpall and lacks the one behind the
// last statement ends with an error: it was cut, and would restore as if it were whole.
func wholeText(head []byte, r io.Reader) io.Reader {
	lines := bytes.SplitN(head, []byte("\n"), 3)
	if len(lines) < 3 || string(bytes.TrimRight(lines[0], "\r")) != "--" {
		return r
	}
	switch first := string(bytes.TrimRight(lines[1], "\r")); first {
	case "-- PostgreSQL database dump", "-- PostgreSQL database cluster dump":
		return &untilReader{r: r, last: []byte("\n" + first + " complete")}
	}
	return r
}

// untilReader is a reader whose text must have last in it somewhere.
type untilReader struct {
	r    io.Reader
	last []byte
	tail []byte // the end of what was read, which may hold the first part of last
	seen bool
}

func (u *untilReader) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	if !u.seen {
		seam := append(u.tail, p[:min(n, len(u.last))]...)
		u.seen = bytes.Contains(seam, u.last) || bytes.Contains(p[:n], u.last)
		if n >= len(u.last) {
			seam = append(seam[:0], p[n-len(u.last):n]...)
		}
		u.tail = seam[max(len(seam)-len(u.last), 0):]
	}
	if err == io.EOF && !u.seen {
		err = fmt.Errorf("the dump was cut: it lacks its last line, %q: %w", u.last[1:], io.ErrUnexpectedEOF)
	}
	return n, err
}
