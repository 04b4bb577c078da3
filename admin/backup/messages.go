package backup

import (
	"bytes"
	"strings"
)

// maxLine and maxStderr bound what is kept of what a program says.
const (
	maxLine   = 64 << 10
	maxStderr = 16 << 10
)

// lineWriter cuts what is written into lines. What follows the last line's end is dropped: programs end their lines.
type lineWriter struct {
	line func(string)
	rest []byte
}

func (w *lineWriter) Write(b []byte) (int, error) {
	w.rest = append(w.rest, b...)
	for {
		i := bytes.IndexByte(w.rest, '\n')
		if i < 0 && len(w.rest) > maxLine {
			i = maxLine
		}
		if i < 0 {
			return len(b), nil
		}
		w.line(strings.TrimRight(string(w.rest[:i]), "\r"))
		w.rest = w.rest[min(i+1, len(w.rest)):]
	}
}

// messages keeps the end of what a program says, without its progress.
type messages struct {
	tool    string
	secrets []string
	lines   []string
	size    int
}

// levels begin the messages that are no progress, behind the program's name.
var levels = []string{"error:", "warning:", "fatal:", "detail:", "hint:"}

func (m *messages) add(line string) {
	if rest, ok := strings.CutPrefix(line, m.tool+": "); ok && !hasLevel(rest) && !strings.HasPrefix(rest, "[") {
		return
	}
	for _, s := range m.secrets {
		line = strings.ReplaceAll(line, s, "********")
	}
	m.lines = append(m.lines, line)
	for m.size += len(line) + 1; m.size > maxStderr && len(m.lines) > 1; m.lines = m.lines[1:] {
		m.size -= len(m.lines[0]) + 1
	}
}

func hasLevel(message string) bool {
	for _, level := range levels {
		if strings.HasPrefix(message, level) {
			return true
		}
	}
	return false
}

func (m *messages) String() string { return strings.Join(m.lines, "\n") }
