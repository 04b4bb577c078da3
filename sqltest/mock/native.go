package mock

import (
	"regexp"
	"strings"

	"github.com/pycopg/pycopg/driver"
)

// resolve finds the answer to a statement: one that the server knows by itself, the one that the handle has been promised, or
// that of an expectation.
func (s *session) resolve(sql string, k call) (*answer, error) {
	if s.status() == 'E' && !endsFailure(sql) {
		return nil, PgError("25P02", Fields{Message: "current transaction is aborted, commands ignored until end of transaction block"})
	}
	if ct, ok := driver.ParseCopy(sql); ok {
		return s.copy(sql, ct)
	}
	if q, ok := questionOf(sql); ok {
		return q.answer(s, k.args), nil
	}
	if kind, ok := controls(sql); ok {
		return s.control(kind, sql)
	}
	if isListening(sql) {
		return s.listen([]string{sql})
	}
	e, _ := s.staged()
	if e == nil {
		k.kind, k.sql = kindStatement, sql
		var err error
		if isSavepoint(sql) {
			if e = s.mock.tryTake(k); e == nil {
				e = &expectation{mock: s.mock}
			}
		} else if e, err = s.mock.take(k); err != nil {
			return nil, PgError("XX000", Fields{Message: err.Error()})
		}
	}
	a, err := s.answerOf(e, sql)
	if err != nil {
		return nil, err
	}
	switch {
	case a.err != nil:
	case isSavepoint(sql) && firstWord(sql) == "rollback":
		a.status, a.tag = 'T', "ROLLBACK"
	case strings.HasPrefix(strings.Join(strings.Fields(strings.ToLower(sql)), " "), "prepare transaction"):
		a.status = 'I'
	}
	return a, nil
}

// isListening reports whether a statement is LISTEN or UNLISTEN.
func isListening(sql string) bool {
	word := firstWord(sql)
	return word == "listen" || word == "unlisten"
}

// firstWord is the first word of a statement, in lower case.
func firstWord(sql string) string {
	words := strings.Fields(strings.ToLower(sql))
	if len(words) == 0 {
		return ""
	}
	return strings.TrimRight(words[0], ";")
}

// controls tells which part of a transaction a statement is.
func controls(sql string) (kind, bool) {
	words := strings.Fields(strings.ToLower(strings.TrimRight(sql, "; \t\r\n")))
	second := ""
	if len(words) > 1 {
		second = words[1]
	}
	switch {
	case len(words) == 0 || second == "prepared" || second == "to":
	case words[0] == "begin", words[0] == "start" && second == "transaction":
		return kindBegin, true
	case words[0] == "commit", words[0] == "end":
		return kindCommit, true
	case words[0] == "rollback" && !isSavepoint(sql), words[0] == "abort":
		return kindRollback, true
	}
	return 0, false
}

var savepoint = regexp.MustCompile(`(?i)^\s*(savepoint|release(\s+savepoint)?|rollback\s+((work|transaction)\s+)?to(\s+savepoint)?)\s`)

func isSavepoint(sql string) bool { return savepoint.MatchString(sql) }

// endsFailure reports whether a statement is obeyed in a failed transaction.
func endsFailure(sql string) bool {
	kind, ok := controls(sql)
	return ok && kind != kindBegin || isSavepoint(sql) && firstWord(sql) == "rollback"
}

// isNative reports whether the server answers all statements of a text without being told by the handle.
func isNative(sql string) bool {
	parts := split(sql)
	for _, part := range parts {
		_, control := controls(part)
		if !control && !isSavepoint(part) && !isListening(part) {
			return false
		}
	}
	return len(parts) > 0
}

// split cuts a text at the semicolons outside of quotes.
func split(sql string) []string {
	var parts []string
	start, quote := 0, byte(0)
	add := func(end int) {
		if part := strings.TrimSpace(sql[start:end]); part != "" {
			parts = append(parts, part)
		}
		start = end + 1
	}
	for i := range len(sql) {
		switch c := sql[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == ';':
			add(i)
		}
	}
	if start < len(sql) {
		add(len(sql))
	}
	return parts
}

// control begins and ends transactions.
func (s *session) control(k kind, sql string) (*answer, error) {
	e, err := s.mock.take(call{kind: k, sql: ""})
	if err != nil {
		return nil, PgError("XX000", Fields{Message: err.Error()})
	}
	a, err := s.answerOf(e, sql)
	if err != nil {
		return nil, err
	}
	failed := s.status() == 'E'
	switch k {
	case kindBegin:
		a.tag, a.status = "BEGIN", 'T'
	case kindCommit:
		a.tag, a.status = "COMMIT", 'I'
		if failed {
			a.tag = "ROLLBACK"
		}
	case kindRollback:
		a.tag, a.status = "ROLLBACK", 'I'
	}
	if a.err != nil && k != kindBegin { // a COMMIT that fails has rolled back
		s.setStatus('I')
	}
	return a, nil
}

// peek is the expectation that a statement is going to meet, nil when there is none.
func (m *Mock) peek(sql string) *expectation {
	m.mu.Lock()
	defer m.mu.Unlock()
	var copyOut *expectation
	for _, e := range m.mu.expected {
		switch {
		case e.done:
		case e.kind == kindExec || e.kind == kindQuery:
			if m.options.QueryMatcher.Match(e.sql, sql) == nil {
				return e
			}
		case e.kind == kindCopyOut && copyOut == nil:
			copyOut = e // the query in it is described
		}
	}
	return copyOut
}
