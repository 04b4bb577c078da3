package driver

import (
	"slices"
	"strings"
)

// What is remembered of a statement is out of date when a table's columns change, often where nothing shows it: a server
// that is told the old type of a parameter, or holds a statement prepared with it, stores 7 for "007" where the column has
// become a text. So a text that alters the schema ends what the pool knows, as soon as its transaction has ended; until
// then its own session alone goes by what it has done. Temporary tables concern one session, and there the statements
// that name them.

// alteration is what running a text may do to the meaning of others.
type alteration struct {
	schema bool     // it creates, alters or drops what others see
	tables []string // that it alters or drops, for the case that they are temporary ones of this session
	temps  []string // temporary tables and views that it makes
	local  bool     // it does away with temporary tables
	undo   bool     // it may take back what its transaction has done
}

// change says whose statements an alteration concerns.
type change byte

const (
	changedTemps  change = 1 << iota // those of its session that name its temporary tables
	changedSchema                    // all
)

// alters records that a text is about to run which may alter the schema.
func (e *engine) alters(a *alteration) change {
	foreign := func(table string) bool { return !slices.Contains(e.stmts.temps, table) }
	var c change
	switch {
	case a.schema || slices.ContainsFunc(a.tables, foreign):
		c = changedSchema
	case a.local || len(a.tables)+len(a.temps) > 0:
		c = changedTemps
	case a.undo:
		c = e.uncommitted
	}
	e.stmts.hide(a.temps)
	e.uncommitted |= c
	e.outdated |= c
	return c
}

// altered takes note that the transaction of alterations has ended, however it did: they may count for others now.
func (e *engine) altered() {
	if e.uncommitted&changedSchema != 0 {
		e.shared.changed()
	}
	e.outdated |= e.uncommitted
	e.uncommitted = 0
}

// alone reports whether the session neither uses what the pool knows of statements nor adds to it.
func (e *engine) alone() bool { return e.ownNames || e.uncommitted&changedSchema != 0 }

// follow forgets what is known of the statements that may mean something else by now.
func (e *engine) follow() {
	if e.renamed || e.outdated != 0 {
		e.forget()
	}
}

func (e *engine) forget() {
	if e.renamed || e.outdated&changedSchema != 0 {
		e.stmts.reset()
	} else {
		e.stmts.forgetHidden()
	}
	e.renamed = e.renamed && e.status() != 'I' // a rollback changes them back
	e.outdated = 0
}

// SchemaChanged tells the pool that tables, types or functions have changed in a way that it could not see: its
// connections forget what they know of statements, and ask again. Of itself the driver sees the CREATE, ALTER and DROP
// statements of its own pool, DO blocks with such words too; it does not see those that a procedure, a function, code on
// (*Conn).Conn or another program runs. There a changed result, or a value that the old type refuses, is noticed all the
// same; a value that fits both types may be stored by the old one's rules.
func (cn *Connector) SchemaChanged() { cn.known.changed() }

// readAlteration finds what sql may do to the schema, nil when it is nothing.
func readAlteration(sql string, standard bool) *alteration {
	var a alteration
	l := lexer{sql: sql, standard: standard}
	var before token
	for t := l.next(); t.kind != 0; before, t = t, l.next() {
		switch {
		case t.kind == 'w' && (before.kind == 0 || before.kind == ';') && alters(t.text):
			words := statementWords(t, &l)
			a.read(words)
			t = token{kind: ';'}
		case isTemp(t) && strings.EqualFold(before.text, "into"):
			words := statementWords(t, &l)
			a.create(words)
			t = token{kind: ';'}
		}
	}
	if !a.schema && !a.local && !a.undo && a.tables == nil && a.temps == nil {
		return nil
	}
	return &a
}

func alters(verb string) bool {
	switch strings.ToLower(verb) {
	case "create", "alter", "drop", "import", "do", "rollback", "discard":
		return true
	}
	return false
}

func isTemp(t token) bool {
	return t.kind == 'w' && (strings.EqualFold(t.text, "temp") || strings.EqualFold(t.text, "temporary"))
}

// statementWords are the tokens of a statement from first on: words in lower case, names without their quotes.
func statementWords(first token, l *lexer) (words []string) {
	for t := first; t.kind != 0 && t.kind != ';'; t = l.next() {
		switch {
		case t.kind == 'w':
			words = append(words, strings.ToLower(t.text))
		case t.text[0] == '"':
			words = append(words, strings.ReplaceAll(strings.Trim(t.text, `"`), `""`, `"`))
		default:
			words = append(words, t.text)
		}
	}
	return words
}

// read takes a statement in, which is not empty.
func (a *alteration) read(words []string) {
	switch verb, rest := words[0], words[1:]; verb {
	case "create":
		a.create(rest)
	case "alter", "drop":
		a.alter(rest)
	case "rollback":
		a.undo = true
	case "do":
		text := strings.ToLower(strings.Join(rest, " "))
		for _, word := range []string{"create", "alter", "drop", "import", "execute", "call"} {
			a.schema = a.schema || strings.Contains(text, word)
		}
	case "discard":
		a.local = true
	default:
		a.schema = true
	}
}

// harmless are the kinds of objects that no statement's types depend on.
var harmless = map[string]bool{
	"index": true, "unique": true, "sequence": true, "role": true, "user": true, "group": true, "database": true, "tablespace": true,
	"trigger": true, "policy": true, "statistics": true, "publication": true, "subscription": true,
}

// create takes what follows the word CREATE, or INTO.
func (a *alteration) create(words []string) {
	words = skipWords(words, "or", "replace", "global", "local")
	if len(words) == 0 || harmless[words[0]] {
		return
	}
	temp := words[0] == "temp" || words[0] == "temporary"
	name, schema, _ := tableName(skipWords(words, "temp", "temporary", "unlogged", "recursive", "table", "view", "sequence", "if", "not", "exists"))
	if temp || schema == "pg_temp" {
		a.temps = append(a.temps, name)
		return
	}
	a.schema = true
}

// alter takes what follows the word ALTER or DROP.
func (a *alteration) alter(words []string) {
	switch {
	case len(words) == 0 || harmless[words[0]]:
		return
	case words[0] != "table" && words[0] != "view":
		a.schema = true
		return
	}
	words = skipWords(words[1:], "if", "exists", "only")
	for {
		name, _, rest := tableName(words)
		a.tables = append(a.tables, name)
		if len(rest) == 0 || rest[0] != "," {
			return
		}
		words = rest[1:]
	}
}

// tableName takes a name off the words, with its schema.
func tableName(words []string) (name, schema string, rest []string) {
	if len(words) > 0 {
		name, words = words[0], words[1:]
	}
	for len(words) > 1 && words[0] == "." {
		schema, name, words = name, words[1], words[2:]
	}
	return name, schema, words
}

// skipWords takes off the words at the beginning that are among those given.
func skipWords(words []string, skipped ...string) []string {
	for len(words) > 0 && slices.Contains(skipped, words[0]) {
		words = words[1:]
	}
	return words
}
