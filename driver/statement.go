package driver

import (
	"container/list"
	"slices"
	"strconv"
	"strings"
)

// column describes a result column.
type column struct {
	name   string
	oid    uint32
	table  uint32 // OID of the table that the column belongs to, 0 for an expression
	attnum uint16
	size   int16
	typmod int32
	format int16
	decode decoder
	own    ownForm // how a value is stored in the Go type of its own
}

// statement is what is known of one SQL text on one connection. All executions of the text share it.
type statement struct {
	sql     string
	desc    *description // what the server said of it, nil while that is not known
	epoch   uint64       // the schema epoch in which it was described
	own     bool         // it is not here what the pool knows of the text
	renames bool         // running it may change what other texts mean
	alters  *alteration  // what running it may do to the schema, nil: nothing

	name     string // name on the server, "" while it has never been prepared
	prepared bool   // whether the server holds it under name
	uses     int    // executions so far
	pins     int    // open *sql.Stmt on it: a pinned statement is not evicted
	entry    *list.Element
}

// statements is the statement cache of a connection: least recently used first out. It does no I/O: what is to be
// closed on the server waits in closing for the next request.
type statements struct {
	threshold int // executions before a statement is prepared, -1: never
	max       int // prepared statements kept, -1: any number
	bySQL     map[string]*statement
	recent    list.List // of *statement, most recent first
	next      int       // number of the next server-side name
	closing   []string  // server-side names to close with the next request
	textBytes int       // length of all texts in bySQL
	temps     []string  // names of the session's temporary tables, which may hide others, as they stand in quotes
}

// maxTexts and maxTextBytes bound the statements that are remembered, prepared ones apart.
const (
	maxTexts     = 512
	maxTextBytes = 1 << 20
)

// maxTemps bounds the names of temporary tables that are remembered.
const maxTemps = 64

func newStatements(threshold, max int) *statements {
	s := &statements{threshold: threshold, max: max, bySQL: make(map[string]*statement)}
	s.recent.Init()
	return s
}

// lookup returns the statement of sql, made when it is new, as the most recently used.
func (s *statements) lookup(sql string) *statement {
	if st := s.find(sql); st != nil {
		return st
	}
	return s.add(sql)
}

// find returns the statement of sql as the most recently used, nil when it is new.
func (s *statements) find(sql string) *statement {
	if e := s.recent.Front(); e != nil {
		if st := e.Value.(*statement); st.sql == sql {
			return st
		}
	}
	st := s.bySQL[sql]
	if st != nil {
		s.recent.MoveToFront(st.entry)
	}
	return st
}

// add makes the statement of sql, which is new.
func (s *statements) add(sql string) *statement {
	st := &statement{sql: sql, renames: mayRename(sql), alters: readAlteration(sql, true), own: s.hidden(sql)}
	st.entry = s.recent.PushFront(st)
	s.bySQL[sql] = st
	s.textBytes += len(sql)
	s.evictTexts()
	return st
}

// isPreparedSQL reports whether the server holds the statement of sql.
func (s *statements) isPreparedSQL(sql string) bool {
	st := s.bySQL[sql]
	return st != nil && st.prepared
}

// prepareNow reports whether the next execution of st is to prepare it, and names it when so. wanted is the caller's
// decision, nil when it is left to the threshold.
func (s *statements) prepareNow(st *statement, wanted *bool) bool {
	switch {
	case st.prepared:
		return false
	case st.pins > 0:
	case wanted != nil:
		if !*wanted {
			return false
		}
	case s.threshold < 0 || s.max == 0 || st.uses < s.threshold:
		return false
	}
	if st.name == "" {
		s.next++
		st.name = "pycopg_" + strconv.Itoa(s.next)
	}
	return true
}

// isPrepared records that the server now holds st, and evicts the least recently used beyond the limit.
func (s *statements) isPrepared(st *statement) {
	st.prepared = true
	s.evictPrepared()
}

// discard takes st out of the cache and has it closed on the server with the next request.
func (s *statements) discard(st *statement) {
	s.unprepare(st)
	if s.bySQL[st.sql] == st {
		delete(s.bySQL, st.sql)
		s.recent.Remove(st.entry)
		s.textBytes -= len(st.sql)
	}
}

// unprepare has st closed on the server with the next request.
func (s *statements) unprepare(st *statement) {
	if st.prepared {
		s.closing = append(s.closing, st.name)
	}
	st.prepared, st.name = false, ""
}

// unpin ends one *sql.Stmt's hold on st. The statement stays, as a candidate for eviction.
func (s *statements) unpin(st *statement) {
	st.pins--
	if st.pins > 0 {
		return
	}
	if s.threshold < 0 || s.max == 0 || s.bySQL[st.sql] != st {
		s.unprepare(st)
		return
	}
	s.evictPrepared()
}

// vanished records that the server holds no prepared statement any more (DISCARD ALL, DEALLOCATE ALL).
func (s *statements) vanished() {
	for _, st := range s.bySQL {
		st.prepared = false
	}
	s.closing = nil
}

// reset forgets everything that the server said: user code had the connection.
func (s *statements) reset() {
	for _, st := range s.bySQL {
		s.unprepare(st)
		st.desc = nil
	}
}

// hide remembers names of temporary tables, and reports whether it had to forget one for that.
func (s *statements) hide(names []string) (forgot bool) {
	for _, name := range names {
		if name = strings.ReplaceAll(name, `"`, `""`); name != "" && !slices.Contains(s.temps, name) {
			s.temps = append(s.temps, name)
		}
	}
	over := max(0, len(s.temps)-maxTemps)
	s.temps = s.temps[over:]
	return over > 0
}

// hidden reports whether sql may name a temporary table.
func (s *statements) hidden(sql string) bool {
	if len(s.temps) == 0 {
		return false
	}
	lower := strings.ToLower(sql)
	return slices.ContainsFunc(s.temps, func(name string) bool { return mentions(lower, strings.ToLower(name)) })
}

// mentions reports whether name stands in text, and not in the middle of a word.
func mentions(text, name string) bool {
	inWord := func(i int) bool { return i >= 0 && i < len(text) && isWordPart(text[i]) }
	for at := 0; ; at++ {
		i := strings.Index(text[at:], name)
		if i < 0 {
			return false
		}
		if at += i; !inWord(at-1) && !inWord(at+len(name)) {
			return true
		}
	}
}

// forgetHidden forgets what the server said of the statements that may name temporary tables.
func (s *statements) forgetHidden() {
	for sql, st := range s.bySQL {
		if s.hidden(sql) {
			s.unprepare(st)
			st.desc, st.own = nil, true
		}
	}
}

func (s *statements) evictPrepared() {
	if s.max < 0 {
		return
	}
	kept := 0
	for e := s.recent.Front(); e != nil; {
		st := e.Value.(*statement)
		e = e.Next()
		if !st.prepared || st.pins > 0 {
			continue
		}
		if kept++; kept > s.max {
			s.discard(st)
		}
	}
}

// evictTexts forgets the least recently used statements that the server does not hold. The newest stays.
func (s *statements) evictTexts() {
	for e := s.recent.Back(); e != s.recent.Front() && (len(s.bySQL) > maxTexts || s.textBytes > maxTextBytes); {
		st := e.Value.(*statement)
		e = e.Prev()
		if !st.prepared && st.pins == 0 {
			s.discard(st)
		}
	}
}
